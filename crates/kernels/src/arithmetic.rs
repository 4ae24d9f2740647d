//! Sums and products of maps, element by element.

use crate::{Cpu, Map, MapMut, reference};

/// `input`, as it is.
pub fn copy(_cpu: Cpu, input: Map<'_>, output: MapMut<'_>) {
    reference::combine(input, output, |x, _| x);
}

/// `output + input`.
pub fn add(_cpu: Cpu, input: Map<'_>, output: MapMut<'_>) {
    reference::combine(input, output, |x, y| x + y);
}

/// `a * b`, or that added to the output; `b` may have one pixel for each image, which then stands for all of them.
pub fn multiply(_cpu: Cpu, a: Map<'_>, b: Map<'_>, output: MapMut<'_>, add: bool) {
    reference::multiply(a, b, output, add);
}

/// The sum over an image's pixels of `a * b`, for the gradient of what stands for all of them: `[n, 1, 1, c]`, added to
/// the output or replacing it.
pub fn multiply_sum(_cpu: Cpu, a: Map<'_>, b: Map<'_>, output: MapMut<'_>, add: bool) {
    reference::multiply_sum(a, b, output, add);
}

/// `x * scale + shift` per channel, or that added to the output.
pub fn affine(_cpu: Cpu, input: Map<'_>, scale: &[f32], shift: Option<&[f32]>, output: MapMut<'_>, add: bool) {
    reference::affine(input, scale, shift, output, add);
}
