//! Local response normalization.

use std::ops::Range;

use super::{
    channels::{Channels, for_each_vector},
    simd::{Kernel, Simd},
};
use crate::{Cpu, Dims, Map, MapMut, norm::LocalResponseNorm};

pub(crate) fn local_response_norm(cpu: Cpu, norm: LocalResponseNorm, input: Map<'_>, output: MapMut<'_>) {
    let dims = output.dims;
    cpu.spread(dims.n * dims.h, WORK * dims.len(), output, |rows, output| {
        cpu.isa.run(Forward { norm, pixels: pixels(rows, dims), input, output });
    });
}

pub(crate) fn local_response_norm_gradient(
    cpu: Cpu,
    norm: LocalResponseNorm,
    input: Map<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    let dims = input.dims;
    cpu.spread(dims.n * dims.h, 2 * WORK * dims.len(), input_gradient, |rows, input_gradient| {
        let pixels = pixels(rows, dims);
        cpu.isa.run(Gradient { norm, pixels, input, output_gradient, input_gradient, add });
    });
}

/// How many floats are moved in the time one is normalized.
const WORK: usize = 4;

fn pixels(rows: Range<usize>, dims: Dims) -> Range<usize> {
    rows.start * dims.w..rows.end * dims.w
}

/// `x^-beta` and `1 / x`.
#[derive(Clone, Copy)]
enum Power {
    /// By square roots.
    Half,
    /// By square roots of square roots.
    ThreeQuarters,
    Any(f32),
}

impl Power {
    fn new(norm: LocalResponseNorm) -> Self {
        // Fast square roots want normal numbers: `k` keeps them so.
        match norm {
            LocalResponseNorm { beta: 0.5, k, .. } if k >= f32::MIN_POSITIVE => Self::Half,
            LocalResponseNorm { beta: 0.75, k, .. } if k >= f32::MIN_POSITIVE => Self::ThreeQuarters,
            LocalResponseNorm { beta, .. } => Self::Any(beta),
        }
    }

    #[inline(always)]
    fn of<S: Simd>(self, simd: S, x: S::Floats) -> (S::Floats, S::Floats) {
        if let Self::Any(beta) = self {
            let mut lanes = [0.0; 16];
            // SAFETY: no vector has more lanes.
            unsafe {
                simd.store(lanes.as_mut_ptr(), x);
                for x in &mut lanes[..S::LANES] {
                    *x = x.powf(-beta);
                }
                return (simd.load(lanes.as_ptr()), simd.div(simd.splat(1.0), x));
            }
        }
        let root = simd.inverse_sqrt(simd.at_most(x, simd.splat(f32::MAX)));
        let inverse = simd.mul(root, root);
        match self {
            // The fourth root of x is one over the root of its inverse root.
            Self::ThreeQuarters => (simd.mul(inverse, simd.inverse_sqrt(root)), inverse),
            _ => (root, inverse),
        }
    }
}

/// The sums and products of a few pixels, with zeros around their channels.
struct Scratch {
    values: Vec<f32>,
    /// How many zeros are before and behind a pixel's channels.
    margin: usize,
    pitch: usize,
}

/// So many pixels at a time: what is written has reached the cache when it is read in other vectors.
const PIXELS: usize = 8;

impl Scratch {
    fn new<S: Simd>(channels: usize, margin: usize) -> Self {
        let pitch = margin + channels.next_multiple_of(S::LANES) + margin;
        Self { values: vec![0.0; PIXELS * pitch], margin, pitch }
    }

    /// # Safety
    /// `pixel` is less than [`PIXELS`], and the first of the channels is one.
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, simd: S, pixel: usize, channels: Channels) -> S::Floats {
        // SAFETY: the caller's; there is room for whole vectors.
        unsafe { simd.load(self.values.as_ptr().add(pixel * self.pitch + self.margin + channels.first)) }
    }

    /// # Safety
    /// As [`load`](Self::load).
    #[inline(always)]
    unsafe fn store<S: Simd>(&mut self, simd: S, x: S::Floats, pixel: usize, channels: Channels) {
        // SAFETY: the caller's; there is room for whole vectors.
        unsafe { simd.store(self.values.as_mut_ptr().add(pixel * self.pitch + self.margin + channels.first), x) }
    }

    /// For each channel the sum of all that are at most `margin` away.
    ///
    /// # Safety
    /// As [`load`](Self::load).
    #[inline(always)]
    unsafe fn sum<S: Simd>(&self, simd: S, pixel: usize, channels: Channels) -> S::Floats {
        // SAFETY: the caller's; the margins are before and behind.
        unsafe {
            let from = self.values.as_ptr().add(pixel * self.pitch + channels.first);
            let mut sum = simd.load(from);
            // Known to be two channels, as most are, it is much faster.
            if self.margin == 2 {
                for i in 1..5 {
                    sum = simd.add(sum, simd.load(from.add(i)));
                }
            } else {
                for i in 1..2 * self.margin + 1 {
                    sum = simd.add(sum, simd.load(from.add(i)));
                }
            }
            sum
        }
    }
}

/// `k + alpha Σ x²` around channels.
///
/// # Safety
/// As [`Scratch::load`].
#[inline(always)]
unsafe fn scale<S: Simd>(
    simd: S,
    norm: LocalResponseNorm,
    squares: &Scratch,
    pixel: usize,
    channels: Channels,
) -> S::Floats {
    // SAFETY: the caller's.
    let sum = unsafe { squares.sum(simd, pixel, channels) };
    simd.mul_add(sum, simd.splat(norm.alpha), simd.splat(norm.k))
}

struct Forward<'a> {
    norm: LocalResponseNorm,
    /// Those of the input that are read; of the output there are no others.
    pixels: Range<usize>,
    input: Map<'a>,
    output: MapMut<'a>,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { norm, pixels, input, mut output } = self;
        let power = Power::new(norm);
        let channels = input.dims.c;
        let mut squares = Scratch::new::<S>(channels, norm.size / 2);
        for start in pixels.clone().step_by(PIXELS) {
            let block = PIXELS.min(pixels.end - start);
            for i in 0..block {
                for_each_vector!(S, channels in 0..channels => {
                    // SAFETY: both have the pixel and the channels.
                    unsafe {
                        let x = input.load(simd, start + i, channels);
                        squares.store(simd, simd.mul(x, x), i, channels);
                    }
                });
            }
            for i in 0..block {
                for_each_vector!(S, channels in 0..channels => {
                    // SAFETY: all have the pixel and the channels.
                    unsafe {
                        let (factor, _) = power.of(simd, scale(simd, norm, &squares, i, channels));
                        let normalized = simd.mul(input.load(simd, start + i, channels), factor);
                        output.store(simd, normalized, start + i - pixels.start, channels);
                    }
                });
            }
        }
    }
}

struct Gradient<'a> {
    norm: LocalResponseNorm,
    /// Those of the input that are read; of its gradient there are no others.
    pixels: Range<usize>,
    input: Map<'a>,
    output_gradient: Map<'a>,
    input_gradient: MapMut<'a>,
    add: bool,
}

impl Kernel for Gradient<'_> {
    type Output = ();

    /// With the scale `s`: `g s^-beta - 2 alpha beta x Σ g x s^(-beta - 1)`.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { norm, pixels, input, output_gradient, mut input_gradient, add } = self;
        let power = Power::new(norm);
        let factor = simd.splat(-2.0 * norm.alpha * norm.beta);
        let channels = input.dims.c;
        let mut squares = Scratch::new::<S>(channels, norm.size / 2);
        // What comes through an activation's own numerator, and the terms of what comes through the scales.
        let mut own = Scratch::new::<S>(channels, 0);
        let mut terms = Scratch::new::<S>(channels, norm.size / 2);
        for start in pixels.clone().step_by(PIXELS) {
            let block = PIXELS.min(pixels.end - start);
            for i in 0..block {
                for_each_vector!(S, channels in 0..channels => {
                    // SAFETY: both have the pixel and the channels.
                    unsafe {
                        let x = input.load(simd, start + i, channels);
                        squares.store(simd, simd.mul(x, x), i, channels);
                    }
                });
            }
            for i in 0..block {
                for_each_vector!(S, channels in 0..channels => {
                    // SAFETY: all have the pixel and the channels.
                    unsafe {
                        let (power, inverse) = power.of(simd, scale(simd, norm, &squares, i, channels));
                        let x = input.load(simd, start + i, channels);
                        let through = simd.mul(output_gradient.load(simd, start + i, channels), power);
                        own.store(simd, through, i, channels);
                        terms.store(simd, simd.mul(simd.mul(through, x), inverse), i, channels);
                    }
                });
            }
            for i in 0..block {
                for_each_vector!(S, channels in 0..channels => {
                    let to = start + i - pixels.start;
                    // SAFETY: all have the pixel and the channels.
                    unsafe {
                        let x = simd.mul(factor, input.load(simd, start + i, channels));
                        let gradient = simd.mul_add(x, terms.sum(simd, i, channels), own.load(simd, i, channels));
                        let before = input_gradient.before(simd, to, channels, add);
                        input_gradient.store(simd, simd.add(before, gradient), to, channels);
                    }
                });
            }
        }
    }
}
