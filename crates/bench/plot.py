"""Draws what `entoptic-bench scaling` printed.

    entoptic-bench scaling > scaling.jsonl
    python plot.py scaling.jsonl ../../docs/images/scaling.svg
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "entoptic", "font.family": "sans-serif",
                            "axes.spines.top": False, "axes.spines.right": False})
import matplotlib.pyplot as plt
import numpy as np

source, target = sys.argv[1:]
with open(source) as file:
    lines = [json.loads(line) for line in file]
networks = list(dict.fromkeys((line["model"], line["layer"]) for line in lines))
figure, (pixels, batches, memory) = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")


def series(network, key, **fixed):
    """What a network was measured at, by growing `key`."""
    matching = [line for line in lines if (line["model"], line["layer"]) == network]
    matching = [line for line in matching if all(line[name] == value for name, value in fixed.items())]
    matching.sort(key=lambda line: line[key])
    return [np.array([line[name] for line in matching]) for name in (key, "ms", "peak_mb")]


for network, color in zip(networks, ["tab:blue", "tab:orange"]):
    name = " to ".join(network)
    for axes, key, fixed in [(pixels, "size", {"batch": 1}), (batches, "batch", {"size": 128})]:
        x, ms, _ = series(network, key, **fixed)
        axes.loglog(x, ms, "o-", color=color, label=name, markersize=4)
        area = (x / x[-1]) ** (2 if key == "size" else 1)
        axes.loglog(x, ms[-1] * area, ":", color="0.6", zorder=0)
        axes.set_xticks(x, x)
        axes.minorticks_off()
    x, _, peak = series(network, "batch", size=128)
    each, constant = np.polyfit(x, peak, 1)
    memory.plot(x, peak, "o", color=color, label=f"{each:.0f} MB an image", markersize=4)
    memory.plot(x, constant + each * x, ":", color="0.6", zorder=0)

pixels.set(title="one image", xlabel="pixels of a side", ylabel="ms of a step")
batches.set(title="128 px", xlabel="images", ylabel="ms of a step")
memory.set(title="128 px", xlabel="images", ylabel="most memory, MB", xlim=0, ylim=0)
for axes in (pixels, memory):
    axes.legend(frameon=False, fontsize="small", loc="upper left", borderaxespad=0)
figure.savefig(target, metadata={"Date": None})
