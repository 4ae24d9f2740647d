"""Times networks and whole runs in PyTorch, written as a careful user would; `entoptic-bench compare` starts it.

    python pytorch.py MODELS_FOLDER

It says who it is, then answers requests, one JSON object a line:

    {"what": "network", "model": "googlenet_bvlc", "layer": "inception_4a_output", "size": 128, "batch": 1,
     "mode": "eager", "steps": 3}
    {"ms": [24.1, 23.9, 24.0]}

A network ends at the asked layer, so PyTorch computes no more than entoptic does. GoogLeNet's weights are those of the
models folder; the other networks have random ones. Modes: `eager`; `channels_last`; `compile`, which is channels_last
through torch.compile; `bf16`, which is channels_last with autocast.
"""

import collections
import functools
import json
import math
import pathlib
import random
import signal
import sys
import time


def say(answer):
    print(json.dumps(answer), flush=True)


try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file
    from torch import nn
except ImportError as error:
    say({"error": f"{error} in {sys.executable}: python -m pip install torch numpy safetensors"})
    sys.exit(1)


class Affine(nn.Module):
    """From 0..1 to the range a network was trained on."""

    def __init__(self, scale, shift):
        super().__init__()
        self.scale = scale
        self.register_buffer("shift", torch.tensor(shift).reshape(-1, 1, 1), persistent=False)

    def forward(self, x):
        return x * self.scale + self.shift


class Conv(nn.Conv2d):
    """A convolution, by default one that keeps the size, and its activation."""

    def __init__(self, inputs, outputs, kernel, stride=1, padding=None, groups=1, activation=F.relu):
        padding = kernel // 2 if padding is None else padding
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups)
        self.activation = activation
        nn.init.kaiming_normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x):
        x = super().forward(x)
        return self.activation(x, inplace=True) if self.activation else x


class Inception(nn.Module):
    def __init__(self, inputs, one, reduce3, three, reduce5, five, pool):
        super().__init__()
        parts = {"1x1": Conv(inputs, one, 1), "3x3_reduce": Conv(inputs, reduce3, 1), "3x3": Conv(reduce3, three, 3),
                 "5x5_reduce": Conv(inputs, reduce5, 1), "5x5": Conv(reduce5, five, 5), "pool_proj": Conv(inputs, pool, 1)}
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x):
        part = self.get_submodule
        branches = [part("1x1")(x), part("3x3")(part("3x3_reduce")(x)), part("5x5")(part("5x5_reduce")(x)),
                    part("pool_proj")(F.max_pool2d(x, 3, 1, 1))]
        return torch.cat(branches, 1)


def googlenet():
    pool = functools.partial(nn.MaxPool2d, 3, 2, ceil_mode=True)
    yield "preprocessed", Affine(255.0, [-123.68, -116.779, -103.939])
    yield "conv1_7x7_s2", Conv(3, 64, 7, 2)
    yield "pool1_3x3_s2", pool()
    yield "pool1_norm1", nn.LocalResponseNorm(5)
    yield "conv2_3x3_reduce", Conv(64, 64, 1)
    yield "conv2_3x3", Conv(64, 192, 3)
    yield "conv2_norm2", nn.LocalResponseNorm(5)
    yield "pool2_3x3_s2", pool()
    yield "inception_3a_output", Inception(192, 64, 96, 128, 16, 32, 32)
    yield "inception_3b_output", Inception(256, 128, 128, 192, 32, 96, 64)
    yield "pool3_3x3_s2", pool()
    yield "inception_4a_output", Inception(480, 192, 96, 208, 16, 48, 64)
    yield "inception_4b_output", Inception(512, 160, 112, 224, 24, 64, 64)
    yield "inception_4c_output", Inception(512, 128, 128, 256, 24, 64, 64)
    yield "inception_4d_output", Inception(512, 112, 144, 288, 32, 64, 64)
    yield "inception_4e_output", Inception(528, 256, 160, 320, 32, 128, 128)
    yield "pool4_3x3_s2", pool()
    yield "inception_5a_output", Inception(832, 256, 160, 320, 32, 128, 128)
    yield "inception_5b_output", Inception(832, 384, 192, 384, 48, 128, 128)


def with_googlenets_weights(network):
    file = load_file(pathlib.Path(sys.argv[1]) / "googlenet_bvlc.safetensors")
    weights = {name: file[name.replace("_output.", "_")] for name in network.state_dict()}
    weights["conv1_7x7_s2.weight"] = weights["conv1_7x7_s2.weight"].flip(1)  # trained on BGR
    network.load_state_dict(weights)
    return network


class Fire(nn.Module):
    def __init__(self, inputs, squeezed, expanded):
        super().__init__()
        self.squeeze = Conv(inputs, squeezed, 1)
        self.expand1 = Conv(squeezed, expanded, 1)
        self.expand3 = Conv(squeezed, expanded, 3)

    def forward(self, x):
        x = self.squeeze(x)
        return torch.cat([self.expand1(x), self.expand3(x)], 1)


def squeezenet():
    yield "preprocessed", Affine(255.0, [-123.0, -117.0, -104.0])
    yield "conv1", Conv(3, 64, 3, 2, padding=0)
    yield "pool1", nn.MaxPool2d(3, 2)
    inputs = 64
    for i, squeezed in enumerate([16, 16, 32, 32, 48, 48, 64, 64], 2):
        yield f"fire{i}", Fire(inputs, squeezed, 4 * squeezed)
        inputs = 8 * squeezed
        if i in (3, 5):
            yield f"pool{i}", nn.MaxPool2d(3, 2)


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        wide = inputs * expansion
        expand = [Conv(inputs, wide, 1, activation=F.relu6)] if expansion > 1 else []
        depthwise = Conv(wide, wide, 3, stride, groups=wide, activation=F.relu6)
        self.residual = stride == 1 and inputs == outputs
        self.body = nn.Sequential(*expand, depthwise, Conv(wide, outputs, 1, activation=None))

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


def mobilenet_v2():
    yield "preprocessed", Affine(2.0, [-1.0, -1.0, -1.0])
    yield "stem", Conv(3, 32, 3, 2, activation=F.relu6)
    inputs, i = 32, 0
    for expansion, outputs, repeats, stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                                (6, 160, 3, 2), (6, 320, 1, 1)]:
        for repeat in range(repeats):
            i += 1
            yield f"block{i}", InvertedResidual(inputs, outputs, expansion, 1 if repeat else stride)
            inputs = outputs


STAGES = {"googlenet_bvlc": googlenet, "squeezenet_v1_1": squeezenet, "mobilenet_v2": mobilenet_v2}


def network_up_to(model, layer):
    stages = collections.OrderedDict()
    for name, stage in STAGES[model]():
        stages[name] = stage
        if name == layer:
            network = nn.Sequential(stages)
            return with_googlenets_weights(network) if model == "googlenet_bvlc" else network
    raise ValueError(f"no layer {layer} in {model}")


class FourierImage(nn.Module):
    """Images with colors that vary independently, from the coefficients of their spectrum, as Lucid's `fft_image`."""

    COLORS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])

    def __init__(self, batch, side):
        super().__init__()
        frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
        scale = torch.from_numpy(1 / np.maximum(frequency, 1 / side)).float()
        self.side = side
        self.coefficients = nn.Parameter(0.01 * torch.randn(batch, 3, *scale.shape, 2))
        self.register_buffer("scale", scale[..., None])
        self.register_buffer("mix", self.COLORS / torch.linalg.norm(self.COLORS, dim=0).max())

    def forward(self):
        spectrum = torch.view_as_complex(self.coefficients * self.scale)
        image = torch.fft.irfft2(spectrum, s=(self.side, self.side), norm="ortho") / 4
        return torch.sigmoid(torch.einsum("nchw,dc->ndhw", image, self.mix))


def jitter(x, d):
    h, w = x.shape[2] - d, x.shape[3] - d
    top, left = random.randint(0, d), random.randint(0, d)
    return x[:, :, top:top + h, left:left + w]


def scaled(x):
    side = int(x.shape[2] * random.choice([1 + (i - 5) / 50 for i in range(11)]))
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)


def rotated(x):
    angle = math.radians(random.choice(list(range(-10, 11)) + 5 * [0]))
    matrix = torch.tensor([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]])
    grid = F.affine_grid(matrix.expand(len(x), 2, 3), x.shape, align_corners=False)
    return F.grid_sample(x, grid, mode="nearest", align_corners=False)


def transformed(x):
    """Lucid's standard transforms."""
    x = jitter(F.pad(x, (12, 12, 12, 12), value=0.5), 8)
    return jitter(rotated(scaled(x)), 4)


def prepare(what, model, layer, size, batch, mode):
    """A function that does one step."""
    network = network_up_to(model, layer).requires_grad_(False)
    layout = torch.contiguous_format if mode == "eager" else torch.channels_last
    network = network.to(memory_format=layout)
    if mode == "compile":
        torch._dynamo.reset()  # it remembers a few sizes of the same code, then gives up
        network = torch.compile(network, dynamic=False)

    def backward(images):
        with torch.autocast("cpu", torch.bfloat16, enabled=mode == "bf16"):
            activations = network(images.contiguous(memory_format=layout))
        (-activations[:, 10].float().mean()).backward()

    if what == "network":
        images = torch.rand(batch, 3, size, size).contiguous(memory_format=layout).requires_grad_()

        def step():
            images.grad = None
            backward(images)
    else:
        param = FourierImage(batch, size)
        optimizer = torch.optim.Adam(param.parameters(), lr=0.05)

        def step():
            optimizer.zero_grad()
            backward(transformed(param()))
            optimizer.step()

    for _ in range(3):
        step()
    return step


def milliseconds(step):
    started = time.perf_counter()
    step()
    return 1e3 * (time.perf_counter() - started)


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.manual_seed(0)
    random.seed(0)
    say({"ready": f"PyTorch {torch.__version__}"})
    case, steps = None, {}  # the case at hand, and a step of it in each mode
    for line in sys.stdin:
        request = json.loads(line)
        mode, count = request.pop("mode"), request.pop("steps")
        try:
            if request != case:
                case, steps = request, {}
            if mode not in steps:
                steps[mode] = prepare(**case, mode=mode)
            steps[mode]()
            say({"ms": [milliseconds(steps[mode]) for _ in range(count)]})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
