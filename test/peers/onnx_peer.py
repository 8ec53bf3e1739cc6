"""The Python side of onnx.peer.ts.

make FOLDER    exports PyTorch models by both exporters, with inputs, expected outputs and gradients; prints the names of the files
check FOLDER   checks the ONNX files that cudnn-gru wrote and runs them in onnxruntime; prints their names
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file, save_file
from torch import nn

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
mode, folder = sys.argv[1], Path(sys.argv[2])
torch.manual_seed(1)


class Head(nn.Module):
    """An embedding, a GRU, a normalisation and a linear layer over the last step, the mean or every step."""

    def __init__(self, pooling, **options):
        super().__init__()
        self.embedding = nn.Embedding(20, 7)
        self.gru = nn.GRU(7, 8, batch_first=True, **options)
        width = 16 if self.gru.bidirectional else 8
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 4)
        self.pooling = pooling

    def forward(self, ids):
        output, hidden = self.gru(self.embedding(ids))
        pooled = {
            "last": lambda: output[:, -1],
            "mean": lambda: output.mean(1),
            "max": lambda: output.amax(1),
            "hidden": lambda: hidden[-1],
            "all": lambda: torch.relu(output),
        }[self.pooling]()
        return torch.softmax(self.head(self.norm(pooled)), -1)


class Shared(nn.Module):
    """One GRU run twice."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.gru = nn.GRU(8, 8, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, ids):
        output, hidden = self.gru(self.embedding(ids))
        output, _ = self.gru(output, hidden)
        return self.head(output)


class Packed(nn.Module):
    def __init__(self, is_sorted):
        super().__init__()
        self.is_sorted = is_sorted
        self.gru = nn.GRU(6, 8, batch_first=True, bidirectional=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=self.is_sorted)
        output, hidden = self.gru(packed)
        return nn.utils.rnn.pad_packed_sequence(output, batch_first=True)[0], hidden


def cases():
    signal = torch.randn(3, 5, 6)
    ids = torch.arange(15).reshape(3, 5)
    yield "gru", nn.GRU(6, 8), (signal,), [{0: "time", 1: "batch"}]
    yield "stack", nn.GRU(6, 8, 3, batch_first=True, dropout=0.5), (signal,), [{0: "batch", 1: "time"}]
    yield "both", nn.GRU(6, 8, 2, batch_first=True, bidirectional=True), (signal,), [{0: "batch", 1: "time"}]
    yield "no_bias", nn.GRU(6, 8, batch_first=True, bias=False), (signal,), [{0: "batch", 1: "time"}]
    given = (signal, torch.randn(4, 3, 8))
    open_sizes = [{0: "batch", 1: "time"}, {1: "batch"}]
    yield "state", nn.GRU(6, 8, 2, batch_first=True, bidirectional=True), given, open_sizes
    for pooling in ("last", "mean", "max", "hidden", "all"):
        yield f"head_{pooling}", Head(pooling, num_layers=2), (ids,), [{0: "batch", 1: "time"}]
    yield "head_both", Head("last", bidirectional=True), (ids,), [{0: "batch", 1: "time"}]
    yield "shared", Shared(), (ids,), [{0: "batch", 1: "time"}]


def grown(inputs, sizes):
    """The inputs twice as large along every axis that is open; no step beyond the longest row."""
    result = []
    for value, axes in zip(inputs, sizes):
        for axis in axes:
            value = torch.cat([value, value], axis)
        result.append(value)
    if len(result) == 2 and result[1].ndim == 1:
        result[1] = result[1].sort(descending=True).values if inputs[1].diff().max() <= 0 else result[1]
        result[0] = result[0][:, : result[1].max()]
    return tuple(result)


def export(name, model, inputs, sizes, new):
    """Writes NAME.onnx and what PyTorch makes of other sizes than those it was exported with."""
    inputs_named = [f"input{i}" for i in range(len(inputs))]
    path = str(folder / f"{name}.onnx")
    options = {"input_names": inputs_named, "verbose": False}
    if new:
        shapes = tuple({axis: torch.export.Dim(size) for axis, size in one.items()} for one in sizes)
        torch.onnx.export(model, inputs, path, dynamo=True, dynamic_shapes=shapes, **options)
    else:
        torch.onnx.export(model, inputs, path, dynamo=False, dynamic_axes=dict(zip(inputs_named, sizes)), **options)
    inputs = grown(inputs, sizes)
    outputs = model(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    model.zero_grad()
    outputs[0].square().sum().backward()
    record = {key: value.numpy() for key, value in zip(inputs_named, inputs)}
    record |= {f"output{i}": value.detach().numpy() for i, value in enumerate(outputs)}
    record |= {f"grad.{key}": value.grad.numpy() for key, value in model.named_parameters() if value.grad is not None}
    save_file({key: np.ascontiguousarray(value) for key, value in record.items()}, folder / f"{name}.safetensors")
    return name


def make():
    for name, model, inputs, sizes in cases():
        model.eval()
        yield export(f"{name}_old", model, inputs, sizes, new=False)
        yield export(f"{name}_new", model, inputs, sizes, new=True)
    # The new exporter knows no packed sequences.
    for name, is_sorted, lengths in (("sorted", True, [5, 3, 2]), ("unsorted", False, [2, 5, 3])):
        packed = (torch.randn(3, 5, 6), torch.tensor(lengths))
        yield export(f"packed_{name}_old", Packed(is_sorted).eval(), packed, [{0: "batch", 1: "time"}, {0: "batch"}], new=False)


def check():
    for path in sorted(folder.glob("*.export.onnx")):
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path)
        name = path.name.removesuffix(".export.onnx")
        inputs = load_file(folder / f"{name}.inputs.safetensors")
        names = [output.name for output in session.get_outputs()]
        outputs = dict(zip(names, session.run(names, inputs)))
        save_file({key: np.ascontiguousarray(value) for key, value in outputs.items()}, folder / f"{name}.outputs.safetensors")
        yield name


# The old exporter prints as it works.
result = sys.stdout
sys.stdout = sys.stderr
names = list(make() if mode == "make" else check())
print(json.dumps(names), file=result)
