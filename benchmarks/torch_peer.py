"""Measures GRUs in PyTorch for bench.mjs and gpu.mjs: reads one JSON line, answers one. The argument is the number of threads."""
import json
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))

types = {"float16": torch.float16, "bfloat16": torch.bfloat16}


device = "cpu"


def prepare(kind, s):
    global device
    device = s.get("device", "cpu")
    precision = s.get("precision", "float32")
    torch.set_default_dtype(types.get(precision, torch.float32))
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    # Only while the case is made: a default device makes every later call slower.
    with torch.device(device):
        return kinds[kind](s)


def synchronize():
    if device == "cuda":
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
    optimizer = torch.optim.Adam(parameters, 1e-3, fused=device == "cuda")
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
cudnn = torch.backends.cudnn.version() if torch.cuda.is_available() else None
print(json.dumps({"version": torch.__version__, "cudnn": cudnn}), flush=True)


def answer(question):
    global run
    if "prepare" in question:
        run = None  # gives the last case's memory back
        run = prepare(question["prepare"], question["shape"])
        return {}
    synchronize()
    start = time.perf_counter()
    for _ in range(question["run"]):
        run()
    synchronize()
    return {"ms": (time.perf_counter() - start) / question["run"] * 1e3}


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:
        reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(reply), flush=True)
