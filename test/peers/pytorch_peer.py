"""The PyTorch side of pytorch.peer.ts.

make FOLDER    writes state_dicts in every format with inputs and expected outputs; prints their names
check FOLDER   loads what exportPytorch wrote, strictly, and writes outputs and gradients
numpy FOLDER   reads what writeNpy and writeNpz wrote, and writes it back by NumPy
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

mode, folder = sys.argv[1], Path(sys.argv[2])
torch.manual_seed(1)


class Classifier(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.embedding = nn.Embedding(11, 5)
        self.gru = nn.GRU(5, 6, batch_first=True, **options)
        width = 6 * (2 if options.get("bidirectional") else 1)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 3)

    def forward(self, ids):
        return self.head(self.norm(self.gru(self.embedding(ids))[0]))


kinds = {
    "plain": {},
    "stack": {"num_layers": 3},
    "bidirectional": {"num_layers": 2, "bidirectional": True},
    "no_bias": {"num_layers": 2, "bidirectional": True, "bias": False},
}
ids = torch.randint(0, 11, (4, 7))

if mode == "make":
    for name, options in kinds.items():
        model = Classifier(**options).eval()
        with torch.no_grad():
            save_file({"ids": ids, "output": model(ids)}, folder / f"{name}.expected.safetensors")
        state = model.state_dict()
        torch.save(state, folder / f"{name}.pt")
        torch.save(state, folder / f"{name}.legacy.pth", _use_new_zipfile_serialization=False)
        torch.save(dict(model.named_parameters()), folder / f"{name}.parameters.pt")
        torch.save({"model": state, "epoch": 3}, folder / f"{name}.checkpoint.ckpt")
        save_file(state, folder / f"{name}.safetensors")
        # All parameters in one storage, as a model on CUDA keeps its GRU's.
        flat = torch.cat([value.flatten() for value in state.values()])
        parts = flat.split([value.numel() for value in state.values()])
        torch.save({key: part.view_as(state[key]) for key, part in zip(state, parts)}, folder / f"{name}.flat.pt")
        for kind in (torch.float64, torch.float16, torch.bfloat16):
            torch.save({key: value.to(kind) for key, value in state.items()}, folder / f"{name}.{str(kind)[6:]}.pt")
elif mode == "check":
    for name, options in kinds.items():
        model = Classifier(**options)
        model.load_state_dict(load_file(folder / f"{name}.ours.safetensors"), strict=True)
        output = model(ids)
        output.square().sum().backward()
        save_file({"output": output.detach()}, folder / f"{name}.outputs.safetensors")
        save_file({key: value.grad for key, value in model.named_parameters()}, folder / f"{name}.gradients.safetensors")
elif mode == "numpy":
    for name in ("stored", "compressed"):
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            loaded = {key: arrays[key] for key in arrays.files}
        np.savez_compressed(folder / f"{name}.back.npz", **{key: np.array(value, order="F") for key, value in loaded.items()})
        np.testing.assert_array_equal(np.load(folder / "single.npy"), loaded["x"])
print(json.dumps(list(kinds)))
