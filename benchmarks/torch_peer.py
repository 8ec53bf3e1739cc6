"""Answers one JSON line with one: how long a step of a GRU classifier takes in PyTorch, in milliseconds."""
import json
import sys
import time

import torch

cases = {}


def make(case):
    torch.manual_seed(0)
    gru = torch.nn.GRU(case["inputSize"], case["hiddenSize"], case["layers"], batch_first=True)
    head = torch.nn.Linear(case["hiddenSize"], case["classes"])
    parameters = list(gru.parameters()) + list(head.parameters())
    optimizer = torch.optim.Adam(parameters, 1e-3)
    x = torch.randn(case["batch"], case["time"], case["inputSize"])
    y = torch.randint(0, case["classes"], (case["batch"],))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(head(gru(x)[0][:, -1]), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return step


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    case = json.loads(line)
    torch.set_num_threads(case["threads"])
    key = case["name"]
    if key not in cases:
        cases[key] = make(case)
        for _ in range(3):
            cases[key]()
    start = time.perf_counter()
    for _ in range(case["repeats"]):
        cases[key]()
    print(json.dumps({"ms": (time.perf_counter() - start) / case["repeats"] * 1e3}), flush=True)
