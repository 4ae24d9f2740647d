"""The same few tensors in each kind of file that PyTorch has written: writes fixtures/pytorch/.

    python -m venv venv
    venv/bin/pip install torch numpy safetensors
    venv/bin/python tools/pytorch_files.py

The files whose names begin with "evil" run a command (`touch evil_was_here`) in whoever unpickles them carelessly.
"""

import json
import os
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

import made_up

OUT = Path(__file__).parent.parent / "fixtures" / "pytorch"


def made(name, shape, dtype=torch.float32):
    return torch.from_numpy(made_up.uniform(name, shape)).to(dtype)


def tensors():
    """One of each type, and views that are not a whole storage in order."""
    shared = made("shared", [24])
    return {
        "f32": made("f32", [2, 3, 4]),
        "f16": made("f16", [5], torch.float16),
        "bf16": made("bf16", [7], torch.bfloat16),
        "f64": made("f64", [3, 2], torch.float64),
        "i64": torch.tensor([0, -1, 2**40, -(2**63)]),
        "transposed": made("transposed", [3, 4]).t(),  # [4, 3], strides [1, 4]
        "channels_last": made("channels_last", [2, 3, 4, 5]).to(memory_format=torch.channels_last),
        "shared.first": shared[:10].view(2, 5),
        "shared.second": shared[6:24:2],  # 9 elements from the 7th on, every other
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(0.25),
    }


def network():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)).eval()
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.from_numpy(made_up.weights(name, list(tensor.shape))))
    return net


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil_was_here",)


def no_source(thing):
    raise OSError("the legacy format would keep PyTorch's source and where it lies")


def sharded(folder, named):
    """As transformers write models that are too large for one file."""
    folder.mkdir(exist_ok=True)
    names = sorted(named)
    files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    parts = [names[: len(names) // 2], names[len(names) // 2 :]]
    for file, part in zip(files, parts):
        save_file({name: named[name] for name in part}, folder / file, metadata={"format": "pt"})
    size = sum(tensor.numel() * tensor.element_size() for tensor in named.values())
    weight_map = {name: file for file, part in zip(files, parts) for name in part}
    index = {"metadata": {"total_size": size}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    named = tensors()
    torch.serialization.get_source_lines_and_file = no_source
    legacy = {"_use_new_zipfile_serialization": False}
    # Only floats can be parameters.
    parameters = {name: nn.Parameter(t) if t.is_floating_point() else t for name, t in named.items()}
    optimizer = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "params": [0]}]}
    checkpoint = {"epoch": 3, "arch": "tiny", "best": 71.5, "resumed": None, "nesterov": True, "optimizer": optimizer, "state_dict": named}

    torch.save(named, OUT / "zip.pth")
    torch.save(named, OUT / "zip_protocol_4.pth", pickle_protocol=4)
    torch.save(named, OUT / "legacy.pth", **legacy)
    torch.save(OrderedDict(named), OUT / "ordered.pth")
    torch.save(OrderedDict(named), OUT / "ordered_legacy.pth", **legacy)
    torch.save(checkpoint, OUT / "checkpoint.pth")
    torch.save(checkpoint, OUT / "checkpoint_legacy.pth", **legacy)
    torch.save(parameters, OUT / "parameters.pth")
    torch.save(parameters, OUT / "parameters_legacy.pth", **legacy)

    torch.save(network().state_dict(), OUT / "network_state.pth")
    torch.save(network().state_dict(), OUT / "network_state_legacy.pth", **legacy)
    torch.save(network(), OUT / "network.pth")
    torch.save(network(), OUT / "network_legacy.pth", **legacy)

    torch.save({"f32": named["f32"], "evil": Evil()}, OUT / "evil.pth")
    torch.save({"f32": named["f32"], "evil": Evil()}, OUT / "evil_legacy.pth", **legacy)

    plain = {name: tensor.clone().contiguous() for name, tensor in named.items()}
    save_file(plain, OUT / "expected.safetensors")
    save_file(network().state_dict(), OUT / "expected_network.safetensors")
    sharded(OUT / "sharded", plain)


main()
