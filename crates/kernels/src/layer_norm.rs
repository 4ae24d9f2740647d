//! Normalization of each pixel over its channels, and its gradient.

use std::ops::Range;

use crate::{
    Cpu, Map, MapMut,
    kernel::simd::{Kernel, Simd},
};

/// `(x - mean) / sqrt(variance + epsilon) * gamma + beta`, over the channels of each pixel.
///
/// # Panics
/// If sizes disagree.
pub fn layer_norm(cpu: Cpu, gamma: &[f32], beta: &[f32], epsilon: f32, input: Map<'_>, output: MapMut<'_>) {
    let dims = input.dims;
    assert_eq!(dims, output.dims, "input and output");
    assert_eq!([gamma.len(), beta.len()], [dims.c; 2], "gamma and beta");
    cpu.spread(dims.n * dims.h, 3 * dims.len(), output, |rows, output| {
        let pixels = rows.start * dims.w..rows.end * dims.w;
        cpu.isa.run(Forward { gamma, beta, epsilon, pixels, input, output });
    });
}

/// The gradient of its input.
///
/// # Panics
/// If sizes disagree.
pub fn layer_norm_gradient(
    cpu: Cpu,
    gamma: &[f32],
    epsilon: f32,
    input: Map<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    let dims = input.dims;
    assert_eq!(dims, output_gradient.dims, "output and its gradient");
    assert_eq!(dims, input_gradient.dims, "input and its gradient");
    assert_eq!(gamma.len(), dims.c, "gamma");
    cpu.spread(dims.n * dims.h, 4 * dims.len(), input_gradient, |rows, input_gradient| {
        let pixels = rows.start * dims.w..rows.end * dims.w;
        cpu.isa.run(Backward { gamma, epsilon, pixels, input, output_gradient, input_gradient, add });
    });
}

struct Forward<'a> {
    gamma: &'a [f32],
    beta: &'a [f32],
    epsilon: f32,
    pixels: Range<usize>,
    input: Map<'a>,
    output: MapMut<'a>,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { gamma, beta, epsilon, pixels, input, mut output } = self;
        for (to, pixel) in pixels.enumerate() {
            let x = input.pixel(pixel);
            let (mean, inverse) = moments(x, epsilon);
            for (((y, x), gamma), beta) in output.pixel(to).iter_mut().zip(x).zip(gamma).zip(beta) {
                *y = (x - mean) * inverse * gamma + beta;
            }
        }
    }
}

struct Backward<'a> {
    gamma: &'a [f32],
    epsilon: f32,
    pixels: Range<usize>,
    input: Map<'a>,
    output_gradient: Map<'a>,
    input_gradient: MapMut<'a>,
    add: bool,
}

impl Kernel for Backward<'_> {
    type Output = ();

    /// With `y` the normalized input and `h = g gamma`: `(h - mean(h) - y mean(h y)) / sqrt(variance + epsilon)`.
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { gamma, epsilon, pixels, input, output_gradient, mut input_gradient, add } = self;
        for (to, pixel) in pixels.enumerate() {
            let (x, g) = (input.pixel(pixel), output_gradient.pixel(pixel));
            let count = x.len() as f32;
            let (mean, inverse) = moments(x, epsilon);
            let plain = sum(x.len(), |c| g[c] * gamma[c]) / count;
            let along = sum(x.len(), |c| g[c] * gamma[c] * (x[c] - mean)) * inverse / count;
            for (c, before) in input_gradient.pixel(to).iter_mut().enumerate() {
                let gradient = (g[c] * gamma[c] - plain - (x[c] - mean) * inverse * along) * inverse;
                *before = if add { *before + gradient } else { gradient };
            }
        }
    }
}

/// The mean, and one over the root of the variance.
#[inline(always)]
fn moments(x: &[f32], epsilon: f32) -> (f32, f32) {
    let count = x.len() as f32;
    let mean = sum(x.len(), |c| x[c]) / count;
    let variance = sum(x.len(), |c| (x[c] - mean) * (x[c] - mean)) / count;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

/// The sum of a term for each index, in as many partial sums as the widest vectors have lanes.
#[inline(always)]
pub(crate) fn sum(count: usize, term: impl Fn(usize) -> f32) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0; LANES];
    let whole = count / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(start + lane);
        }
    }
    lanes.iter().sum::<f32>() + (whole..count).map(term).sum::<f32>()
}
