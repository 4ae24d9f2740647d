//! The mean of each channel over an image's pixels, and its gradient.

use crate::{Cpu, Map, MapMut, reference};

/// The mean over all pixels of each image: `[n, 1, 1, c]`.
pub fn global_mean(_cpu: Cpu, input: Map<'_>, output: MapMut<'_>) {
    reference::global_mean(input, output);
}

/// The gradient of its input.
pub fn global_mean_gradient(_cpu: Cpu, output_gradient: Map<'_>, input_gradient: MapMut<'_>, add: bool) {
    reference::global_mean_gradient(output_gradient, input_gradient, add);
}
