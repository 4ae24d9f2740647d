//! Softmax over the channels of each pixel, and its gradient.
//!
//! A network has it once, for a thousand logits: the plain loops take a few microseconds.

use crate::{Cpu, Map, MapMut, reference};

/// `exp(x) / Σ exp(x)`.
///
/// # Panics
/// If sizes disagree.
pub fn softmax(_cpu: Cpu, input: Map<'_>, output: MapMut<'_>) {
    assert_eq!(input.dims, output.dims, "input and output");
    reference::softmax(input, output);
}

/// The gradient of its input; `output` is what came out.
///
/// # Panics
/// If sizes disagree.
pub fn softmax_gradient(_cpu: Cpu, output: Map<'_>, output_gradient: Map<'_>, input_gradient: MapMut<'_>, add: bool) {
    assert_eq!(output.dims, output_gradient.dims, "output and its gradient");
    assert_eq!(output.dims, input_gradient.dims, "input and output");
    reference::softmax_gradient(output, output_gradient, input_gradient, add);
}
