//! Sums and products of maps, element by element.

use crate::{
    Cpu, Dims, Map, MapMut,
    mean::sums,
    pixelwise::{Operand, pixelwise},
};

/// `input`, as it is.
///
/// # Panics
/// If sizes disagree.
pub fn copy(cpu: Cpu, input: Map<'_>, output: MapMut<'_>) {
    assert_eq!(input.dims, output.dims, "input and output");
    let dims = output.dims;
    pixelwise(cpu, [Operand::new(input, dims)], output, |_, [x]| x);
}

/// `output + input`.
///
/// # Panics
/// If sizes disagree.
pub fn add(cpu: Cpu, input: Map<'_>, output: MapMut<'_>) {
    assert_eq!(input.dims, output.dims, "input and output");
    let dims = output.dims;
    pixelwise(cpu, [Operand::new(input, dims)], output, |y, [x]| y + x);
}

/// `a * b`, or that added to the output; `b` may have one pixel for each image, which then stands for all of them.
///
/// # Panics
/// If sizes disagree.
pub fn multiply(cpu: Cpu, a: Map<'_>, b: Map<'_>, output: MapMut<'_>, add: bool) {
    assert_eq!(a.dims, output.dims, "input and output");
    let operands = [a, b].map(|operand| Operand::new(operand, a.dims));
    if add {
        pixelwise(cpu, operands, output, |y, [a, b]| y + a * b);
    } else {
        pixelwise(cpu, operands, output, |_, [a, b]| a * b);
    }
}

/// The sum over an image's pixels of `a * b`, for the gradient of what stands for all of them: `[n, 1, 1, c]`, added to
/// the output or replacing it.
///
/// # Panics
/// If sizes disagree.
pub fn multiply_sum(cpu: Cpu, a: Map<'_>, b: Map<'_>, output: MapMut<'_>, add: bool) {
    assert_eq!(a.dims, b.dims, "both factors");
    assert_eq!(output.dims, Dims { h: 1, w: 1, ..a.dims }, "a pixel for each image");
    sums(cpu, [a, b], output, |[a, b]| a * b, |before, sum| if add { before + sum } else { sum });
}

/// `x * scale + shift` per channel, or that added to the output.
///
/// # Panics
/// If sizes disagree.
pub fn affine(cpu: Cpu, input: Map<'_>, scale: &[f32], shift: Option<&[f32]>, output: MapMut<'_>, add: bool) {
    let dims = input.dims;
    assert_eq!(dims, output.dims, "input and output");
    let zeros = vec![0.0; if shift.is_none() { dims.c } else { 0 }];
    let [scale, shift] = [scale, shift.unwrap_or(&zeros)].map(|values| Operand::channels(values, dims));
    let operands = [Operand::new(input, dims), scale, shift];
    if add {
        pixelwise(cpu, operands, output, |y, [x, scale, shift]| y + (x * scale + shift));
    } else {
        pixelwise(cpu, operands, output, |_, [x, scale, shift]| x * scale + shift);
    }
}
