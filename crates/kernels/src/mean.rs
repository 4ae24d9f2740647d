//! The mean of each channel over an image's pixels, and its gradient.

use std::ops::Range;

use crate::{
    Cpu, Dims, Map, MapMut,
    kernel::simd::{Kernel, Simd},
    pixelwise::{Operand, pixelwise},
};

/// The mean over all pixels of each image: `[n, 1, 1, c]`.
///
/// # Panics
/// If sizes disagree.
pub fn global_mean(cpu: Cpu, input: Map<'_>, output: MapMut<'_>) {
    assert_eq!(output.dims, Dims { h: 1, w: 1, ..input.dims }, "a pixel for each image");
    let pixels = (input.dims.h * input.dims.w) as f32;
    sums(cpu, [input], output, |[x]| x, |_, sum| sum / pixels);
}

/// The gradient of its input.
///
/// # Panics
/// If sizes disagree.
pub fn global_mean_gradient(cpu: Cpu, output_gradient: Map<'_>, input_gradient: MapMut<'_>, add: bool) {
    let dims = input_gradient.dims;
    assert_eq!(output_gradient.dims, Dims { h: 1, w: 1, ..dims }, "a pixel for each image");
    let pixels = (dims.h * dims.w) as f32;
    let gradient = Operand::new(output_gradient, dims);
    if add {
        pixelwise(cpu, [gradient], input_gradient, |before, [gradient]| before + gradient / pixels);
    } else {
        pixelwise(cpu, [gradient], input_gradient, |_, [gradient]| gradient / pixels);
    }
}

/// For each image and channel, `finish` of what the output holds and the sum over pixels of a function of the inputs.
pub(crate) fn sums<const N: usize>(
    cpu: Cpu,
    inputs: [Map<'_>; N],
    output: MapMut<'_>,
    term: impl Fn([f32; N]) -> f32 + Sync,
    finish: impl Fn(f32, f32) -> f32 + Sync,
) {
    let dims = inputs[0].dims;
    let pixels = dims.h * dims.w;
    cpu.spread(dims.n, N * dims.len(), output, |images, mut output| {
        let mut sums = vec![0.0; dims.c];
        for (to, image) in images.enumerate() {
            sums.fill(0.0);
            cpu.isa.run(Sums { inputs, pixels: image * pixels..(image + 1) * pixels, sums: &mut sums, term: &term });
            for (y, sum) in output.pixel(to).iter_mut().zip(&sums) {
                *y = finish(*y, *sum);
            }
        }
    });
}

struct Sums<'a, F, const N: usize> {
    inputs: [Map<'a>; N],
    pixels: Range<usize>,
    sums: &'a mut [f32],
    term: &'a F,
}

impl<F: Fn([f32; N]) -> f32, const N: usize> Kernel for Sums<'_, F, N> {
    type Output = ();

    // Plain code, of which the compiler makes vectors of the instruction set.
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { inputs, pixels, sums, term } = self;
        for pixel in pixels {
            let inputs = inputs.map(|input| &input.values[pixel * input.pitch..][..sums.len()]);
            for (c, sum) in sums.iter_mut().enumerate() {
                *sum += term(inputs.map(|input| input[c]));
            }
        }
    }
}
