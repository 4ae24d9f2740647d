"""Prints the rows of crates/model/src/zoo/catalog/torchvision.rs, as torchvision lists its classifiers.

    venv/bin/pip install torch torchvision
    venv/bin/python tools/torchvision_catalog.py

Left out are families that entoptic does not build, weights that are not for everyone (SWAG's), and those without classes.
"""

import re

import torchvision
from torchvision.models import get_model_weights, list_models

URL = "https://download.pytorch.org/models/"
NOT_BUILT = ("maxvit", "swin")

# What people call a builder's network; `\1` is what is in parentheses.
NAMES = [
    (r"alexnet", "AlexNet"),
    (r"convnext_(\w+)", lambda m: f"ConvNeXt-{m[1].capitalize()}"),
    (r"densenet(\d+)", r"DenseNet-\1"),
    (r"efficientnet_b(\d)", r"EfficientNet-B\1"),
    (r"efficientnet_v2_(\w)", lambda m: f"EfficientNetV2-{m[1].upper()}"),
    (r"googlenet", "GoogLeNet"),
    (r"inception_v3", "Inception v3"),
    (r"mnasnet(\d)_(\d+)", r"MNASNet \1.\2"),
    (r"mobilenet_v2", "MobileNetV2"),
    (r"mobilenet_v3_(\w+)", lambda m: f"MobileNetV3-{m[1].capitalize()}"),
    (r"regnet_(x|y)_(.+)([gm])f", lambda m: f"RegNet{m[1].upper()}-{m[2].replace('_', '.')}{m[3].upper()}F"),
    (r"resnet(\d+)", r"ResNet-\1"),
    (r"resnext(\d+)_(\w+)", r"ResNeXt-\1 \2"),
    (r"shufflenet_v2_x(\d)_(\d)", r"ShuffleNetV2 x\1.\2"),
    (r"squeezenet(\d)_(\d)", r"SqueezeNet \1.\2"),
    (r"vgg(\d+)_bn", r"VGG-\1 with batch norms"),
    (r"vgg(\d+)", r"VGG-\1"),
    (r"vit_(\w)_(\d+)", lambda m: f"ViT-{m[1].upper()}/{m[2]}"),
    (r"wide_resnet(\d+)_2", r"Wide ResNet-\1"),
]


def called(builder):
    for pattern, name in NAMES:
        if match := re.fullmatch(pattern, builder):
            return name(match) if callable(name) else match.expand(name)
    raise ValueError(f"what is {builder} called?")


def main():
    for builder in sorted(list_models(module=torchvision.models)):
        for weights in get_model_weights(builder):
            version = re.fullmatch(r"IMAGENET1K_V(\d)", weights.name)
            if not version or builder.startswith(NOT_BUILT):
                continue
            # Lucid's zoo has an AlexNet, and names are found in any case.
            name, what = {"alexnet": "alexnet_torchvision"}.get(builder, builder), called(builder)
            if version[1] != "1":
                name, what = f"{builder}_v{version[1]}", f"{what}, trained anew"
            meta, (side,) = weights.meta, weights.transforms().crop_size
            file = weights.url.removeprefix(URL).removesuffix(".pth")
            top1 = meta["_metrics"]["ImageNet-1K"]["acc@1"]
            # Torchvision counts sizes in 2^20 bytes.
            print(
                f'    ("{name}", "{what}", "{file}", {side}, {top1:.1f}, {meta["num_params"] / 1e6:.1f}, '
                f"{meta['_file_size'] * 2**20 / 1e6:.1f}),"
            )


if __name__ == "__main__":
    main()
