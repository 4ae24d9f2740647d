//! Local response normalization over channels, and its gradient.

use crate::{Cpu, Map, MapMut, kernel};

/// `x / (k + alpha Σ x²)^beta`, the sum over `size` neighboring channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalResponseNorm {
    /// How many channels the sum runs over, an odd number.
    pub size: usize,
    /// The factor of the sum.
    pub alpha: f32,
    /// The exponent.
    pub beta: f32,
    /// The offset.
    pub k: f32,
}

/// The normalized `input`.
///
/// # Panics
/// If sizes disagree.
pub fn local_response_norm(cpu: Cpu, norm: LocalResponseNorm, input: Map<'_>, output: MapMut<'_>) {
    assert_eq!(input.dims, output.dims, "input and output");
    kernel::local_response_norm(cpu, norm, input, output);
}

/// The gradient of its input.
///
/// # Panics
/// If sizes disagree.
pub fn local_response_norm_gradient(
    cpu: Cpu,
    norm: LocalResponseNorm,
    input: Map<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    assert_eq!(input.dims, output_gradient.dims, "output and its gradient");
    assert_eq!(input.dims, input_gradient.dims, "input and its gradient");
    kernel::local_response_norm_gradient(cpu, norm, input, output_gradient, input_gradient, add);
}
