//! Rectifiers by themselves, and what becomes of gradients there.

use std::ops::Range;

use super::{
    channels::{Channels, for_each_vector},
    simd::{self, Kernel, Simd},
};
use crate::{Cpu, Dims, Map, MapMut, Passes, PassesMut, Rectifier, Rectify};

impl Rectifier {
    /// Where gradients pass.
    #[inline(always)]
    pub(super) fn bits<S: Simd>(self, simd: S, x: S::Floats, at_corners: bool) -> u32 {
        let (zero, six) = (simd.splat(0.0), simd.splat(6.0));
        match (self, at_corners) {
            (Self::Relu, false) => simd.above(x, zero),
            (Self::Relu, true) => simd.at_or_above(x, zero),
            (Self::Relu6, false) => simd.above(x, zero) & simd.above(six, x),
            (Self::Relu6, true) => simd.at_or_above(x, zero) & simd.at_or_above(six, x),
        }
    }

    /// The rectified `x`.
    #[inline(always)]
    pub(super) fn vector<S: Simd>(self, simd: S, x: S::Floats) -> S::Floats {
        let x = simd.at_least(x, simd.splat(0.0));
        match self {
            Self::Relu => x,
            Self::Relu6 => simd.at_most(x, simd.splat(6.0)),
        }
    }
}

pub(crate) fn rectify(
    cpu: Cpu,
    input: Map<'_>,
    output: MapMut<'_>,
    Rectify { rectifier, passes, at_corners }: Rectify<'_>,
    saturated: Option<PassesMut<'_>>,
) {
    let dims = output.dims;
    cpu.spread(
        dims.n * dims.h,
        2 * dims.len(),
        (output, (passes, saturated)),
        |rows, (output, (passes, saturated))| {
            let pixels = rows.start * dims.w..rows.end * dims.w;
            cpu.isa.run(Rectified { rectifier, at_corners, pixels, input, output, passes, saturated });
        },
    );
}

struct Rectified<'a> {
    rectifier: Rectifier,
    at_corners: bool,
    /// Those of the input that are read; of the others there are no more.
    pixels: Range<usize>,
    input: Map<'a>,
    output: MapMut<'a>,
    passes: Option<PassesMut<'a>>,
    saturated: Option<PassesMut<'a>>,
}

impl Kernel for Rectified<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rectifier, at_corners, pixels, input, mut output, mut passes, mut saturated } = self;
        let six = simd.splat(6.0);
        for (to, from) in pixels.enumerate() {
            for_each_vector!(S, channels in 0..input.dims.c => {
                // SAFETY: both maps have the pixel and the channels.
                let x = unsafe { input.load(simd, from, channels) };
                if let Some(passes) = &mut passes {
                    passes.store(simd, rectifier.bits(simd, x, at_corners), to, channels);
                }
                if let Some(saturated) = &mut saturated {
                    saturated.store(simd, simd.above(x, six), to, channels);
                }
                // SAFETY: as above.
                unsafe { output.store(simd, rectifier.vector(simd, x), to, channels) };
            });
        }
    }
}

pub(crate) fn block(cpu: Cpu, gradient: MapMut<'_>, passes: Passes<'_>) {
    let dims = gradient.dims;
    cpu.spread(dims.n * dims.h, 2 * dims.len(), gradient, |rows, gradient| {
        cpu.isa.run(Block { gradient, first: rows.start * dims.w, passes });
    });
}

struct Block<'a> {
    gradient: MapMut<'a>,
    /// The first pixel of the gradient, in the whole map.
    first: usize,
    passes: Passes<'a>,
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { mut gradient, first, passes } = self;
        for pixel in 0..gradient.dims.pixels() {
            for_each_vector!(S, channels in 0..gradient.dims.c => {
                // SAFETY: the map has the pixel and the channels.
                unsafe {
                    let all = gradient.as_map().load(simd, pixel, channels);
                    let passing = simd.keep(all, passes.load(first + pixel, channels));
                    gradient.store(simd, passing, pixel, channels);
                }
            });
        }
    }
}

pub(crate) fn redirect(cpu: Cpu, gradient: Map<'_>, mut passes: PassesMut<'_>, saturated: Option<Passes<'_>>) {
    let dims = gradient.dims;
    let pixels = dims.h * dims.w;
    // An image is a row: what becomes of a gradient depends on all of its image.
    passes.dims = Dims { h: 1, w: pixels, ..dims };
    // Most images end at their first pixels.
    cpu.spread(dims.n, dims.len() / 8, passes, |images, mut passes| {
        for (part, image) in images.enumerate() {
            let (first, start) = (part * pixels, image * pixels);
            if !cpu.isa.run(Speaks { gradient, pixels: start..start + pixels, first, passes: passes.as_passes() }) {
                let passes = &mut passes;
                cpu.isa.run(Redirect { gradient, pixels: start..start + pixels, first, passes, saturated });
            }
        }
    });
}

/// Whether the square of any gradient that passes is above zero.
struct Speaks<'a> {
    gradient: Map<'a>,
    pixels: Range<usize>,
    /// The first of them in `passes`.
    first: usize,
    passes: Passes<'a>,
}

impl Kernel for Speaks<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let Self { gradient, pixels, first, passes } = self;
        for (i, pixel) in pixels.enumerate() {
            for_each_vector!(S, channels in 0..gradient.dims.c => {
                // SAFETY: the map has the pixel and the channels.
                let gradient = unsafe { gradient.load(simd, pixel, channels) };
                // The square, as in Lucid: a gradient whose square is too small for a float counts as none. What is no
                // number is not zero.
                let is_zero = simd.at_or_above(simd.splat(0.0), simd.mul(gradient, gradient));
                let passing = passes.load(first + i, channels) & channels.bits & simd::first(S::LANES);
                if passing & !is_zero != 0 {
                    return true;
                }
            });
        }
        false
    }
}

/// Lets all pass but what would push an activation further into where its unit is off.
struct Redirect<'a, 'b> {
    gradient: Map<'a>,
    pixels: Range<usize>,
    /// The first of them in `passes`.
    first: usize,
    passes: &'a mut PassesMut<'b>,
    saturated: Option<Passes<'a>>,
}

impl Kernel for Redirect<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { gradient, pixels, first, passes, saturated } = self;
        let zero = simd.splat(0.0);
        for (i, pixel) in pixels.enumerate() {
            for_each_vector!(S, channels in 0..gradient.dims.c => {
                // SAFETY: the map has the pixel and the channels.
                let gradient = unsafe { gradient.load(simd, pixel, channels) };
                let (falls_further, rises_further) = (simd.above(gradient, zero), simd.above(zero, gradient));
                let passing = passes.as_passes().load(first + i, channels);
                let saturated = saturated.map_or(0, |saturated| saturated.load(pixel, channels));
                let blocked = saturated & rises_further | !saturated & falls_further & !passing;
                passes.flip(simd, passing ^ !blocked, first + i, channels);
            });
        }
    }
}
