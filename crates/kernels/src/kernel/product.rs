//! The product of what lies under windows with weights: what convolutions and their gradients come down to.

use std::ops::Range;

use super::{
    packed::{BLOCK, Packed},
    parallel,
    scratch::{self, Line, Scratch},
    shared::Shared,
    simd::{Kernel, Simd, first},
    windows::{self, Pixel, STRIDE, Source},
};
use crate::{Cpu, Place, Rectifier, WORD, Window};

/// For each place of a window its floats times the weights' columns.
pub(crate) struct Product<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) window: Window,
    /// Of each bundle of channels.
    pub(crate) weights: &'a [Packed],
    /// How many channels of the target and of the source each bundle has but the last.
    pub(crate) channels: [usize; 2],
    pub(crate) grid: Grid,
    pub(crate) target: Target<'a>,
}

/// Where windows stand and results go: a grid of positions in each of some images.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    /// Images, rows and columns.
    pub(crate) counts: [usize; 3],
    /// The pixel of the source under the first element of the first position's window.
    pub(crate) place: Place,
    /// The pixel that the first position's result goes to.
    pub(crate) first: [usize; 2],
    /// From the pixel of one position's result to the next.
    pub(crate) step: [usize; 2],
    /// Rows and columns of the map that results go to.
    pub(crate) size: [usize; 2],
}

/// What becomes of the results.
pub(crate) struct Target<'a> {
    /// Begins with the first channel of the first pixel.
    pub(crate) values: Shared<'a, f32>,
    pub(crate) pitch: usize,
    /// Whether results are added to what is there.
    pub(crate) add: bool,
    /// The rectifier, and whether gradients pass at its corners.
    pub(crate) rectify: Option<(Rectifier, bool)>,
    /// Which gradients pass, beginning with the word of the first channel of the first pixel.
    pub(crate) bits: Option<Shared<'a, u16>>,
    /// Words from one pixel to the next.
    pub(crate) words: usize,
}

/// A part of the results, for one thread.
struct Part<'a> {
    product: &'a Product<'a>,
    bundle: usize,
    pixels: Range<usize>,
    blocks: Range<usize>,
    scratch: &'a mut Scratch,
}

impl Product<'_> {
    /// Computes all results.
    pub(crate) fn run(&self, cpu: Cpu) {
        let pixels: usize = self.grid.counts.iter().product();
        let [most_blocks, depth] = [self.weights[0].blocks(), self.weights[0].depth];
        let nothing_to_add = depth == 0 && self.target.add;
        if pixels == 0 || nothing_to_add {
            return;
        }
        let (chunks, stripes) = parallel::split(cpu, pixels, most_blocks, depth);
        parallel::run(cpu, self.weights.len() * chunks * stripes, |part| {
            let (bundle, chunk, stripe) = (part / stripes / chunks, part / stripes % chunks, part % stripes);
            let (pixels, blocks) =
                (share(pixels, chunk, chunks), share(self.weights[bundle].blocks(), stripe, stripes));
            scratch::with(|scratch| cpu.isa.run(Part { product: self, bundle, pixels, blocks, scratch }));
        });
    }

    fn list_pixels(&self, range: Range<usize>, pixels: &mut Vec<Pixel>) {
        let Grid { counts: [_, rows, columns], place, first, step, size } = self.grid;
        let (map, stride) = (self.source.map.dims, self.window.stride);
        pixels.clear();
        let (mut image, mut y, mut x) =
            (range.start / (rows * columns), range.start / columns % rows, range.start % columns);
        for _ in range {
            pixels.push(Pixel {
                image: (image * map.h * map.w) as isize,
                row: place[0] + (y * stride[0]) as isize,
                column: place[1] + (x * stride[1]) as isize,
                to: (image * size[0] + first[0] + y * step[0]) * size[1] + first[1] + x * step[1],
            });
            x += 1;
            if x == columns {
                (x, y) = (0, y + 1);
            }
            if y == rows {
                (y, image) = (0, image + 1);
            }
        }
    }
}

/// Part `part` of `count` things in `parts` that are as equal as can be.
pub(crate) fn share(count: usize, part: usize, parts: usize) -> Range<usize> {
    part * count / parts..(part + 1) * count / parts
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { product, bundle, scratch: Scratch { lines, pixels, runs }, .. } = self;
        let (weights, window) = (&product.weights[bundle], product.window);
        let source = product.source.bundle(bundle, product.channels[1]);
        product.list_pixels(self.pixels.clone(), pixels);
        let sums_len = BLOCK * S::REGISTERS;
        let sums = scratch::floats(lines, sums_len + pixels.len() * STRIDE);
        // SAFETY: the floats above.
        let panel = unsafe { sums.add(sums_len) };
        for floats in windows::blocks(window, source.map.dims.c) {
            source.list_runs(window, floats.clone(), runs);
            // SAFETY: the panel has a row for each pixel.
            unsafe { source.pack(simd, window, pixels, runs, panel) };
            let (is_first, is_last) = (floats.start == 0, floats.end == weights.depth);
            for block in self.blocks.clone() {
                let rows = weights.rows(block, floats.start).as_ptr().cast::<f32>();
                let columns = (weights.columns - block * BLOCK).min(BLOCK);
                let tiles = pixels.len().div_ceil(most_rows::<S>());
                for tile in 0..tiles {
                    let tile = share(pixels.len(), tile, tiles);
                    // SAFETY: the panel has these rows, and the weights `floats` rows from here.
                    unsafe {
                        let panel = panel.add(tile.start * STRIDE);
                        multiply(simd, tile.len(), columns, floats.len(), panel, rows, sums);
                    }
                    let bias = weights.bias(block);
                    let channel = bundle * product.channels[0] + block * BLOCK;
                    let sums = Sums { from: sums, bias, channel, columns, is_first, is_last };
                    // SAFETY: no other part has the same pixels and blocks.
                    unsafe { product.finish(simd, &pixels[tile], sums) };
                }
            }
        }
    }
}

/// Sums of products for some pixels and one block of columns.
struct Sums<'a> {
    from: *const f32,
    bias: &'a [Line<f32>],
    /// The channel of the target that they are for, and how many.
    channel: usize,
    columns: usize,
    /// Whether these are the first and the last floats under the window.
    is_first: bool,
    is_last: bool,
}

impl Product<'_> {
    /// Adds sums to what they belong to, and rectifies the last.
    ///
    /// # Safety
    /// `sums` has [`BLOCK`] floats for each pixel; no other thread writes these pixels' channels.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, pixels: &[Pixel], sums: Sums<'_>) {
        let Sums { from, bias, channel, columns, is_first, is_last } = sums;
        let rectify = if is_last { self.target.rectify } else { None };
        let bias = bias.as_ptr().cast::<f32>();
        let adds = !is_first || self.target.add;
        for (row, pixel) in pixels.iter().enumerate() {
            // SAFETY: all below is in the channels of this block, of which `columns` are the map's.
            let to = unsafe { self.target.values.at(pixel.to * self.target.pitch + channel) };
            let mut passes = 0;
            for lane in (0..columns).step_by(S::LANES) {
                let lanes = first(columns - lane);
                let is_whole = columns - lane >= S::LANES;
                let mut x = unsafe { simd.load(from.add(row * BLOCK + lane)) };
                if is_first {
                    x = simd.add(x, unsafe { simd.load(bias.add(lane)) });
                }
                if adds {
                    let there =
                        unsafe { if is_whole { simd.load(to.add(lane)) } else { simd.load_bits(to.add(lane), lanes) } };
                    x = simd.add(x, there);
                }
                if let Some((rectifier, at_corners)) = rectify {
                    passes |= (rectifier.bits(simd, x, at_corners) & lanes & first(S::LANES)) << lane;
                    x = rectifier.vector(simd, x);
                }
                unsafe { if is_whole { simd.store(to.add(lane), x) } else { simd.store_bits(to.add(lane), x, lanes) } }
            }
            if let (Some(bits), Some(_)) = (&self.target.bits, rectify) {
                for word in 0..columns.div_ceil(WORD) {
                    unsafe {
                        let to = bits.at(pixel.to * self.target.words + channel / WORD + word);
                        *to = (passes >> (word * WORD)) as u16;
                    }
                }
            }
        }
    }
}

impl Rectifier {
    #[inline(always)]
    fn bits<S: Simd>(self, simd: S, x: S::Floats, at_corners: bool) -> u32 {
        let (zero, six) = (simd.splat(0.0), simd.splat(6.0));
        match (self, at_corners) {
            (Self::Relu, false) => simd.above(x, zero),
            (Self::Relu, true) => simd.at_or_above(x, zero),
            (Self::Relu6, false) => simd.above(x, zero) & simd.above(six, x),
            (Self::Relu6, true) => simd.at_or_above(x, zero) & simd.at_or_above(six, x),
        }
    }

    #[inline(always)]
    fn vector<S: Simd>(self, simd: S, x: S::Floats) -> S::Floats {
        let x = simd.at_least(x, simd.splat(0.0));
        match self {
            Self::Relu => x,
            Self::Relu6 => simd.at_most(x, simd.splat(6.0)),
        }
    }
}

/// How many pixels a tile has at most: as many as registers hold the sums of, two vectors for each, beside two vectors
/// of weights and one of inputs.
const fn most_rows<S: Simd>() -> usize {
    (S::REGISTERS - 3) / 2
}

/// Sums of products: `columns` for each of `rows`, one [`BLOCK`] after the other.
///
/// # Safety
/// The panel has the rows, the weights `depth` rows of [`BLOCK`], and there is room for the sums.
#[inline(always)]
unsafe fn multiply<S: Simd>(
    simd: S,
    rows: usize,
    columns: usize,
    depth: usize,
    panel: *const f32,
    weights: *const f32,
    sums: *mut f32,
) {
    let mut lane = 0;
    while lane < columns {
        let is_pair = columns - lane > S::LANES;
        // SAFETY: as promised.
        unsafe {
            let (weights, sums) = (weights.add(lane), sums.add(lane));
            if is_pair {
                multiply_rows::<S, 2>(simd, rows, depth, panel, weights, sums);
            } else {
                multiply_rows::<S, 1>(simd, rows, depth, panel, weights, sums);
            }
        }
        lane += 2 * S::LANES;
    }
}

#[inline(always)]
unsafe fn multiply_rows<S: Simd, const VECTORS: usize>(
    simd: S,
    rows: usize,
    depth: usize,
    panel: *const f32,
    weights: *const f32,
    sums: *mut f32,
) {
    macro_rules! with_rows {
        ($($count:literal)*) => {
            match rows {
                // SAFETY: the caller's.
                $($count if $count <= most_rows::<S>() => unsafe {
                    multiply_tile::<S, $count, VECTORS>(simd, depth, panel, weights, sums)
                },)*
                _ => unreachable!("a tile of {rows}"),
            }
        };
    }
    with_rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

#[inline(always)]
unsafe fn multiply_tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    depth: usize,
    panel: *const f32,
    weights: *const f32,
    sums: *mut f32,
) {
    let mut acc = [[simd.splat(0.0); VECTORS]; ROWS];
    // SAFETY: the caller's.
    unsafe {
        for k in 0..depth {
            let mut row = [simd.splat(0.0); VECTORS];
            for (v, w) in row.iter_mut().enumerate() {
                *w = simd.load(weights.add(k * BLOCK + v * S::LANES));
            }
            for (m, acc) in acc.iter_mut().enumerate() {
                let x = simd.splat(*panel.add(m * STRIDE + k));
                for (acc, w) in acc.iter_mut().zip(row) {
                    *acc = simd.mul_add(x, w, *acc);
                }
            }
        }
        for (m, acc) in acc.into_iter().enumerate() {
            for (v, acc) in acc.into_iter().enumerate() {
                simd.store(sums.add(m * BLOCK + v * S::LANES), acc);
            }
        }
    }
}
