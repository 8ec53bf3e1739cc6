"""Measures GRUs in PyTorch for bench.mjs and gpu.mjs: reads one JSON line, answers one. The argument is the number of threads."""
import json
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))

types = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def prepare(kind, s):
    # New tensors and modules are made on the default device and of the default type.
    torch.set_default_device(s.get("device", "cpu"))
    precision = s.get("precision", "float32")
    torch.set_default_dtype(types.get(precision, torch.float32))
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    return kinds[kind](s)


def synchronize():
    if torch.get_default_device().type == "cuda":
        torch.cuda.synchronize()


def inference(s):
    gru = torch.nn.GRU(s["inputSize"], s["hiddenSize"], s["layers"], bidirectional=s["directions"] == 2).eval()
    x = torch.randn(s["time"], s["batch"], s["inputSize"])

    def run():
        with torch.inference_mode():
            gru(x)

    return run


def forward_backward(s):
    gru = torch.nn.GRU(s["inputSize"], s["hiddenSize"], s["layers"], bidirectional=s["directions"] == 2)
    x = torch.randn(s["time"], s["batch"], s["inputSize"], requires_grad=True)
    output_grad = torch.randn(s["time"], s["batch"], s["directions"] * s["hiddenSize"])
    leaves = [x, *gru.parameters()]

    def run():
        gru(x)[0].backward(output_grad)
        for leaf in leaves:
            leaf.grad = None

    return run


def training_step(s):
    gru = torch.nn.GRU(s["inputSize"], s["hiddenSize"], s["layers"], batch_first=True)
    head = torch.nn.Linear(s["hiddenSize"], s["classes"])
    parameters = list(gru.parameters()) + list(head.parameters())
    optimizer = torch.optim.Adam(parameters, 1e-3, fused=torch.get_default_device().type == "cuda")
    x = torch.randn(s["batch"], s["time"], s["inputSize"])
    y = torch.randint(0, s["classes"], (s["batch"],))

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(head(gru(x)[0][:, -1]), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return run


kinds = {"inference": inference, "queued inference": inference, "forward + backward": forward_backward, "training step": training_step}
run = None
print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    if "prepare" in question:
        run = prepare(question["prepare"], question["shape"])
        print("{}", flush=True)
        continue
    synchronize()
    start = time.perf_counter()
    for _ in range(question["run"]):
        run()
    synchronize()
    print(json.dumps({"ms": (time.perf_counter() - start) / question["run"] * 1e3}), flush=True)
