//! Local response normalization over channels, and its gradient.

use crate::{Cpu, Map, MapMut, reference};

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
pub fn local_response_norm(_cpu: Cpu, norm: LocalResponseNorm, input: Map<'_>, output: MapMut<'_>) {
    reference::local_response_norm(norm, input, output);
}

/// The gradient of its input.
pub fn local_response_norm_gradient(
    _cpu: Cpu,
    norm: LocalResponseNorm,
    input: Map<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    reference::local_response_norm_gradient(norm, input, output_gradient, input_gradient, add);
}
