//! The product of what lies under windows with weights: what convolutions and their gradients come down to.

use std::ops::Range;

use super::{
    packed::{BLOCK, Packed, PackedF32},
    parallel::{self, CHUNK, Split, Work, share},
    scratch::{self, Scratch},
    shared::Shared,
    simd::{Kernel, Simd, first},
    tile::{self, End, Factors, Start, most_rows},
    windows::{self, Pixel, STRIDE, Source},
};
use crate::{Cpu, Place, Rectifier, WORD, Window};

/// For each place of a window its floats times the weights' columns.
pub(crate) struct Product<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) window: Window,
    pub(crate) weights: &'a Packed,
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
    weights: &'a PackedF32,
    bundle: usize,
    pixels: Range<usize>,
    blocks: Range<usize>,
    scratch: &'a mut Scratch,
}

impl Product<'_> {
    /// Computes all results.
    pub(crate) fn run(self, cpu: Cpu) {
        let nothing_to_add = self.window.area() == 0 && self.target.add;
        if self.grid.counts.contains(&0) || nothing_to_add {
            return;
        }
        match self.weights {
            Packed::F32(weights) => self.run_f32(weights, cpu),
            #[cfg(target_arch = "x86_64")]
            Packed::Bf16(proof, weights) => self.run_bf16(*proof, weights, cpu),
        }
    }

    fn run_f32(&self, weights: &[PackedF32], cpu: Cpu) {
        let pixels = self.grid.counts.iter().product();
        let (blocks, depth) = (weights[0].blocks(), weights[0].depth);
        let work = Work { bundles: weights.len(), pixels, most: CHUNK, blocks, depth };
        let Split { chunks, stripes } = work.split(cpu);
        parallel::run(cpu, work.bundles * chunks * stripes, |part| {
            let (bundle, chunk, stripe) = (part / stripes / chunks, part / stripes % chunks, part % stripes);
            let weights = &weights[bundle];
            let (pixels, blocks) = (share(pixels, chunk, chunks), share(weights.blocks(), stripe, stripes));
            scratch::with(|scratch| cpu.isa.run(Part { product: self, weights, bundle, pixels, blocks, scratch }));
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

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { product, weights, bundle, scratch: Scratch { lines, pixels, runs, .. }, .. } = self;
        let window = product.window;
        let source = product.source.bundle(bundle, product.channels[1]);
        product.list_pixels(self.pixels.clone(), pixels);
        // In one go, as the buffer must not move.
        let buffer_len = BLOCK * S::REGISTERS;
        let buffer = scratch::floats(lines, buffer_len + pixels.len() * STRIDE);
        for floats in windows::blocks(window, source.map.dims.c) {
            let (inputs, stride) = if product.reads_in_place() {
                (source.map.values[self.pixels.start * source.map.pitch + floats.start..].as_ptr(), source.map.pitch)
            } else {
                source.list_runs(window, floats.clone(), runs);
                // SAFETY: the floats above; a row for each pixel.
                let panel = unsafe { buffer.add(buffer_len) };
                unsafe { source.pack(simd, window, pixels, runs, panel) };
                (panel.cast_const(), STRIDE)
            };
            let (is_first, is_last) = (floats.start == 0, floats.end == weights.depth);
            for block in self.blocks.clone() {
                let channel = bundle * product.channels[0] + block * BLOCK;
                let columns = (weights.columns - block * BLOCK).min(BLOCK);
                let turn = Turn { columns, is_first, is_last };
                let (start, end) = match product.end::<S>(turn) {
                    Some(end) => (product.start(weights, block, turn), end),
                    None => (Start::Row(weights.start(block, is_first).as_ptr().cast()), End::Buffer(buffer)),
                };
                let tiles = pixels.len().div_ceil(most_rows::<S>());
                // The tiles share in asking for the next block's weights, or those of the next floats.
                let (next_block, next_float) = match block + 1 {
                    next if next < self.blocks.end => (next, floats.start),
                    _ => (self.blocks.start, floats.end),
                };
                let next = weights.rows(next_block, next_float).as_ptr().cast::<f32>();
                let pace = BLOCK.div_ceil(tiles);
                for tile in 0..tiles {
                    let rows = share(pixels.len(), tile, tiles);
                    let target = &product.target;
                    let place = tile::Place {
                        pixels: &pixels[rows.clone()],
                        values: &target.values,
                        pitch: target.pitch,
                        channel,
                    };
                    let factors = Factors {
                        rows: rows.len(),
                        columns,
                        depth: floats.len(),
                        inputs: inputs.wrapping_add(rows.start * stride),
                        stride,
                        weights: weights.rows(block, floats.start).as_ptr().cast(),
                        next: next.wrapping_add(tile * floats.len() * pace),
                        pace,
                    };
                    // SAFETY: the inputs have these rows, the weights a row for each of `floats`; no other part has
                    // the same pixels and blocks.
                    unsafe {
                        tile::multiply(simd, factors, place, start, end);
                        if let End::Buffer(sums) = end {
                            for (row, pixel) in place.pixels.iter().enumerate() {
                                product.finish(simd, sums.add(row * BLOCK), pixel.to, channel, turn);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Which sums are being added up.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    /// How many columns there are of the block.
    pub(crate) columns: usize,
    /// Whether these are the first and the last floats under the window.
    pub(crate) is_first: bool,
    pub(crate) is_last: bool,
}

impl Product<'_> {
    /// Whether what lies under the windows lies already in rows, all equally far apart.
    fn reads_in_place(&self) -> bool {
        let Grid { counts: [_, rows, columns], place, .. } = self.grid;
        let dims = self.source.map.dims;
        let is_pixel_by_pixel = self.window.size == [1, 1] && self.window.stride == [1, 1];
        let is_all = place == [0, 0] && [rows, columns] == [dims.h, dims.w];
        // Rows that are whole pages apart would compete for the same places of the cache.
        let is_spread = !self.source.map.pitch.is_multiple_of(1024);
        self.source.gate.is_none() && is_pixel_by_pixel && is_all && is_spread
    }

    fn start(&self, weights: &PackedF32, block: usize, turn: Turn) -> Start {
        if self.target.add || !turn.is_first {
            Start::There
        } else {
            Start::Row(weights.start(block, true).as_ptr().cast())
        }
    }

    /// Where sums can go straight from registers: whole vectors, and whole words of bits.
    #[inline(always)]
    pub(crate) fn end<S: Simd>(&self, turn: Turn) -> Option<End<'_>> {
        let Target { rectify, ref bits, words, .. } = self.target;
        match rectify {
            _ if !turn.columns.is_multiple_of(S::LANES) => None,
            Some((Rectifier::Relu, at_corners)) if turn.is_last => {
                let has_whole_words = turn.columns.is_multiple_of(WORD) && 2 * S::LANES >= WORD;
                // Above the largest number below zero is what is zero or above it.
                let corner = if at_corners { 0.0_f32.next_down() } else { 0.0 };
                (bits.is_none() || has_whole_words).then_some(End::Relu { corner, bits: bits.as_ref(), words })
            }
            Some((Rectifier::Relu6, _)) if turn.is_last => None,
            _ => Some(End::There),
        }
    }

    /// Adds a pixel's sums to what they belong to, and rectifies the last.
    ///
    /// # Safety
    /// `sums` is a [`BLOCK`]; no other thread uses the place of these channels.
    #[inline(always)]
    pub(crate) unsafe fn finish<S: Simd>(&self, simd: S, sums: *const f32, pixel: usize, channel: usize, turn: Turn) {
        let Turn { columns, is_first, is_last } = turn;
        let target = &self.target;
        let rectify = if is_last { target.rectify } else { None };
        let mut passes = 0;
        // SAFETY: all below is in the channels of this block, of which `columns` are the map's.
        unsafe {
            let to = target.values.at(pixel * target.pitch + channel);
            for lane in (0..columns).step_by(S::LANES) {
                let lanes = first(columns - lane);
                let mut x = simd.load(sums.add(lane));
                if !is_first || target.add {
                    x = simd.add(x, simd.load_bits(to.add(lane), lanes));
                }
                if let Some((rectifier, at_corners)) = rectify {
                    passes |= (rectifier.bits(simd, x, at_corners) & lanes & first(S::LANES)) << lane;
                    x = rectifier.vector(simd, x);
                }
                simd.store_bits(to.add(lane), x, lanes);
            }
            if let (Some(bits), Some(_)) = (&target.bits, rectify) {
                for word in 0..columns.div_ceil(WORD) {
                    *bits.at(pixel * target.words + channel / WORD + word) = (passes >> (word * WORD)) as u16;
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Product<'_> {
    /// The same for some pixels, where sums are whole vectors and, if there are bits, whole words.
    ///
    /// # Safety
    /// As [`finish`](Self::finish), for all `rows`: sums and the pixel they are for.
    #[inline(always)]
    pub(crate) unsafe fn finish_whole<S: Simd>(
        &self,
        simd: S,
        rows: impl Iterator<Item = (*const f32, usize)>,
        channel: usize,
        turn: Turn,
        end: End<'_>,
    ) {
        let (target, adds) = (&self.target, self.target.add || !turn.is_first);
        let (zero, corner) = match end {
            End::Relu { corner, .. } => (simd.splat(0.0), simd.splat(corner)),
            _ => (simd.splat(f32::NEG_INFINITY), simd.splat(0.0)),
        };
        for (sums, pixel) in rows {
            // SAFETY: the caller's.
            unsafe {
                let to = target.values.at(pixel * target.pitch + channel);
                let mut passes = 0;
                for lane in (0..turn.columns).step_by(S::LANES) {
                    let mut x = simd.load(sums.add(lane));
                    if adds {
                        x = simd.add(x, simd.load(to.add(lane)));
                    }
                    passes |= simd.above(x, corner) << lane;
                    simd.store(to.add(lane), simd.at_least(x, zero));
                }
                if let End::Relu { bits: Some(bits), words, .. } = end {
                    for word in 0..turn.columns / WORD {
                        *bits.at(pixel * words + channel / WORD + word) = (passes >> (word * WORD)) as u16;
                    }
                }
            }
        }
    }
}
