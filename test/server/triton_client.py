"""Triton's own Python client against a server of ours: prints one JSON document with what it saw."""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

address, model = sys.argv[1:3]
client = triton.InferenceServerClient(address, concurrency=8)
shape = [4, 5, 3]
values = np.array(json.loads(sys.stdin.read()), np.float32).reshape(shape)


def tensor(binary, array=values):
    x = triton.InferInput("input", list(array.shape), "FP32")
    x.set_data_from_numpy(array, binary_data=binary)
    return x


def outputs(result):
    return {name: result.as_numpy(name).tolist() for name in ["output"]}


def failure(call):
    try:
        call()
    except InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return None


wanted = {binary: [triton.InferRequestedOutput("output", binary_data=binary)] for binary in [True, False]}
pending = [client.async_infer(model, [tensor(True, values[i % 4 : i % 4 + 1])]) for i in range(40)]
seen = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model_ready": client.is_model_ready(model),
    "other_ready": client.is_model_ready("other"),
    "server": client.get_server_metadata(),
    "metadata": client.get_model_metadata(model),
    "config": client.get_model_config(model),
    "index": client.get_model_repository_index(),
    "binary": outputs(client.infer(model, [tensor(True)])),
    "json": outputs(client.infer(model, [tensor(False)], outputs=wanted[False])),
    "binary_in_json_out": outputs(client.infer(model, [tensor(True)], outputs=wanted[False])),
    "json_in_binary_out": outputs(client.infer(model, [tensor(False)], outputs=wanted[True])),
    "named": client.infer(model, [tensor(True)], request_id="seven", model_version="1").get_response()["id"],
    "together": [outputs(each.get_result())["output"][0] for each in pending],
    "load": client.load_model(model),
    "version": client.get_model_metadata(model)["versions"],
    "errors": {
        "model": failure(lambda: client.infer("other", [tensor(True)])),
        "shape": failure(lambda: client.infer(model, [tensor(True, values[:, :, :2].copy())])),
        "compressed": failure(lambda: client.infer(model, [tensor(True)], request_compression_algorithm="gzip")),
    },
}
json.dump(seen, sys.stdout)
