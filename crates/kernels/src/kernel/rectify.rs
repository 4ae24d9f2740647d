//! Rectifiers by themselves, and what becomes of gradients there.

use std::ops::Range;

use super::{
    channels::Channels,
    simd::{Kernel, Simd, first},
};
use crate::{Cpu, Map, MapMut, Passes, PassesMut, Rectifier, Rectify, WORD, threads::Chunks};

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
        let channels = input.dims.c;
        let six = simd.splat(6.0);
        let mut word = 0;
        for (to, from) in pixels.enumerate() {
            for start in (0..channels).step_by(WORD) {
                let (mut passing, mut above) = (0, 0);
                for c in (start..channels.min(start + WORD)).step_by(S::LANES) {
                    let channels = Channels::from::<S>(c, channels);
                    // SAFETY: both maps have the pixel and the channels.
                    let x = unsafe { input.load(simd, from, channels) };
                    let lanes = channels.bits & first(S::LANES);
                    passing |= (rectifier.bits(simd, x, at_corners) & lanes) << (c - start);
                    above |= (simd.above(x, six) & lanes) << (c - start);
                    unsafe { output.store(simd, rectifier.vector(simd, x), to, channels) };
                }
                if let Some(passes) = &mut passes {
                    passes.words[word] = passing as u16;
                }
                if let Some(saturated) = &mut saturated {
                    saturated.words[word] = above as u16;
                }
                word += 1;
            }
        }
    }
}

pub(crate) fn block(cpu: Cpu, gradient: MapMut<'_>, passes: Passes<'_>) {
    let dims = gradient.dims;
    let words = dims.w * dims.c.div_ceil(WORD);
    cpu.spread(dims.n * dims.h, 2 * dims.len(), gradient, |rows, gradient| {
        cpu.isa.run(Block { gradient, words: &passes.words[rows.start * words..rows.end * words] });
    });
}

struct Block<'a> {
    gradient: MapMut<'a>,
    words: &'a [u16],
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { mut gradient, words } = self;
        let (pixels, channels) = (gradient.dims.pixels(), gradient.dims.c);
        for pixel in 0..pixels {
            let words = &words[pixel * channels.div_ceil(WORD)..];
            for c in (0..channels).step_by(S::LANES) {
                let channels = Channels::from::<S>(c, channels);
                let blocked = !u32::from(words[c / WORD]) >> (c % WORD) & channels.bits;
                // SAFETY: the map has the pixel and the channels.
                unsafe { gradient.store(simd, simd.splat(0.0), pixel, Channels { bits: blocked, ..channels }) };
            }
        }
    }
}

pub(crate) fn redirect(cpu: Cpu, gradient: Map<'_>, passes: PassesMut<'_>, saturated: Option<Passes<'_>>) {
    let dims = gradient.dims;
    let pixels = dims.h * dims.w;
    let words = pixels * dims.c.div_ceil(WORD);
    // Most images end at their first pixels.
    cpu.spread(dims.n, dims.len() / 8, Chunks { values: passes.words, row: words }, |images, passes| {
        for (image, passes) in images.zip(passes.values.chunks_mut(words.max(1))) {
            let saturated = saturated.map(|saturated| &saturated.words[image * words..][..words]);
            let pixels = image * pixels..(image + 1) * pixels;
            if !cpu.isa.run(Speaks { gradient, pixels: pixels.clone(), passes }) {
                cpu.isa.run(Redirect { gradient, pixels, passes, saturated });
            }
        }
    });
}

/// Whether the square of any gradient that passes is above zero.
struct Speaks<'a> {
    gradient: Map<'a>,
    pixels: Range<usize>,
    /// Those of these pixels.
    passes: &'a [u16],
}

impl Kernel for Speaks<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let Self { gradient, pixels, passes } = self;
        let channels = gradient.dims.c;
        for (i, pixel) in pixels.enumerate() {
            let passes = &passes[i * channels.div_ceil(WORD)..];
            for c in (0..channels).step_by(S::LANES) {
                let channels = Channels::from::<S>(c, channels);
                // SAFETY: the map has the pixel and the channels.
                let gradient = unsafe { gradient.load(simd, pixel, channels) };
                // The square, as in Lucid: a gradient whose square is too small for a float counts as none. What is no
                // number is not zero.
                let silent = simd.at_or_above(simd.splat(0.0), simd.mul(gradient, gradient));
                if u32::from(passes[c / WORD]) >> (c % WORD) & channels.bits & first(S::LANES) & !silent != 0 {
                    return true;
                }
            }
        }
        false
    }
}

/// Lets all pass but what would push an activation further into where its unit is off.
struct Redirect<'a> {
    gradient: Map<'a>,
    pixels: Range<usize>,
    /// Those of these pixels.
    passes: &'a mut [u16],
    saturated: Option<&'a [u16]>,
}

impl Kernel for Redirect<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { gradient, pixels, passes, saturated } = self;
        let channels = gradient.dims.c;
        let zero = simd.splat(0.0);
        let mut word = 0;
        for pixel in pixels {
            for start in (0..channels).step_by(WORD) {
                let (mut falls_further, mut rises_further) = (0, 0);
                for c in (start..channels.min(start + WORD)).step_by(S::LANES) {
                    // SAFETY: the map has the pixel and the channels.
                    let gradient = unsafe { gradient.load(simd, pixel, Channels::from::<S>(c, channels)) };
                    falls_further |= (simd.above(gradient, zero) & first(S::LANES)) << (c - start);
                    rises_further |= (simd.above(zero, gradient) & first(S::LANES)) << (c - start);
                }
                let saturated = saturated.map_or(0, |saturated| u32::from(saturated[word]));
                let blocked = saturated & rises_further | !saturated & falls_further & !u32::from(passes[word]);
                passes[word] = (!blocked & first(channels - start)) as u16;
                word += 1;
            }
        }
    }
}
