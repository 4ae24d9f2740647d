"""Weights and images made from names, the same here as in the Rust tests, so that neither needs a file of weights.

Element i of a tensor is splitmix64 of (FNV-1a of its name) and i, as a number in [-1, 1), scaled by what the name says it is.
"""

import json

import numpy as np
from safetensors.numpy import save

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CHUNK = 1 << 22


def hash_of(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def uniform(name, shape):
    """u of `name`: f32 in [-1, 1)."""
    out = np.empty(int(np.prod(shape, dtype=np.int64)), np.float32)
    seed = np.uint64(hash_of(name))
    for start in range(0, out.size, CHUNK):
        i = np.arange(start, min(start + CHUNK, out.size), dtype=np.uint64)
        z = seed + (i + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        out[start : start + i.size] = (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1
    return out.reshape(shape)


def weights(name, shape):
    """The made-up value of the weight called `name`."""
    u = uniform(name, shape)
    last = name.replace("/", ".").split(".")[-1]
    fan_in = int(np.prod(shape[1:], dtype=np.int64))
    if "var" in last:
        return np.float32(1) + np.float32(0.5) * u
    if "mean" in last:
        return np.float32(0.1) * u
    if "bias" in last or "beta" in last or last == "b":
        return np.float32(0.1) * u
    if len(shape) >= 2 and fan_in > 1:
        return np.float32(np.sqrt(6 / fan_in)) * u
    return np.float32(1) + np.float32(0.2) * u


def image(name, size):
    """RGB in 0..1, `[1, 3, h, w]`, before preprocessing."""
    return np.float32(0.5) + np.float32(0.5) * uniform(name, [1, 3, *size])


def preprocessed(image, mean=MEAN, std=STD):
    return (image - np.array(mean, image.dtype).reshape(3, 1, 1)) / np.array(std, image.dtype).reshape(3, 1, 1)


def samples(array, count):
    """At most `count` elements, evenly spaced from the first to the last."""
    flat = np.asarray(array).reshape(-1)
    count = min(count, flat.size)
    return flat[[k * (flat.size - 1) // max(count - 1, 1) for k in range(count)]].astype(np.float32)


def scale(array):
    """Root mean square, `[1]`."""
    return np.array([np.sqrt(np.mean(np.square(np.asarray(array, np.float64))))], np.float32)


def write(path, case, nodes, others=(), limit=80_000):
    """The case as JSON, samples of each node (fewer where many nodes would make the file large), and other tensors."""
    case = case | {"nodes": [[name, list(value.shape)] for name, value in nodes.items()]}
    for count in [48, 32, 16, 8]:
        tensors = dict(others)
        for name, value in nodes.items():
            tensors["node/" + name] = samples(value, count)
            tensors["scale/" + name] = scale(value)
        data = save(tensors, {"case": json.dumps(case, separators=(",", ":"))})
        if len(data) <= limit:
            break
    path.write_bytes(data)
    return len(data)
