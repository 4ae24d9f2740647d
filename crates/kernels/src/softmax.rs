//! Softmax over the channels of each pixel, and its gradient.

use crate::{Cpu, Map, MapMut, reference};

/// `exp(x) / Σ exp(x)`.
pub fn softmax(_cpu: Cpu, input: Map<'_>, output: MapMut<'_>) {
    reference::softmax(input, output);
}

/// The gradient of its input; `output` is what came out.
pub fn softmax_gradient(_cpu: Cpu, output: Map<'_>, output_gradient: Map<'_>, input_gradient: MapMut<'_>, add: bool) {
    reference::softmax_gradient(output, output_gradient, input_gradient, add);
}
