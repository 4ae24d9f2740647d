//! Products of bf16, with sums of floats.
//!
//! Multiplying is so fast that copying what lies under every window would take most of the time. So some rows of the
//! source are rounded once, with the padding around them, and windows are read from there: under a window, the floats of
//! neighboring elements lie side by side, and from one window to the next it is always as far.

mod amx;
mod band;
mod dots;
mod packed;

use std::ops::Range;

use self::{amx::Tiles, band::NONE, dots::Dots};
pub(crate) use self::{band::Lists, packed::PackedBf16};
use super::{
    packed::BLOCK,
    parallel::{self, share, threads},
    product::{Grid, Product, Turn},
    scratch::{self, Scratch},
    tile::most_rows,
    windows::Source,
};
use crate::{Avx512, Avx512Bf16, Bf16, Cpu, Dims};

/// How many windows an AMX tile has.
const TILE: usize = 16;

/// How many bytes of rounded rows a core's own cache is to hold.
const BAND_BYTES: usize = 256 << 10;

/// Some rows of the grid in one image and some blocks of columns, for one thread.
struct Part<'a> {
    product: &'a Product<'a>,
    weights: &'a PackedBf16,
    bundle: usize,
    image: usize,
    rows: Range<usize>,
    blocks: Range<usize>,
}

impl Product<'_> {
    /// Computes all results.
    pub(super) fn run_bf16(mut self, proof: Bf16, weights: &[PackedBf16], cpu: Cpu) {
        self.fold();
        let product = &self;
        let [images, rows, columns] = product.grid.counts;
        let blocks = weights[0].blocks();
        let row_bytes = 2 * product.window.stride[0] * product.band_width() * product.channels[1];
        let least = (rows * row_bytes).div_ceil(BAND_BYTES).clamp(1, rows);
        let work = images * rows * columns * blocks * weights[0].steps();
        let (bands, stripes) = split(cpu, images * weights.len(), rows, blocks, least, work);
        parallel::run(cpu, weights.len() * images * bands * stripes, |part| {
            let (stripe, part) = (part % stripes, part / stripes);
            let (band, part) = (part % bands, part / bands);
            let (image, bundle) = (part % images, part / images);
            let weights = &weights[bundle];
            let (rows, blocks) = (share(rows, band, bands), share(weights.blocks(), stripe, stripes));
            let part = Part { product, weights, bundle, image, rows, blocks };
            scratch::with(|scratch| match proof {
                // SAFETY: these proofs exist only where the CPU has the instructions.
                Bf16::Amx(proof) => unsafe { part.run_amx(proof.avx512_bf16(), &Tiles::new(proof), scratch) },
                Bf16::Avx512(proof) => unsafe { part.run_avx512(proof, scratch) },
            });
        });
    }

    /// Puts all images in one column, if windows are single pixels.
    fn fold(&mut self) {
        let (Grid { counts: [n, h, w], place, step, size, .. }, dims) = (self.grid, self.source.map.dims);
        let is_pixel_by_pixel = self.window.size == [1, 1] && self.window.stride == [1, 1] && place == [0, 0];
        let is_all = [h, w] == [dims.h, dims.w] && [h, w] == size && step == [1, 1];
        if is_pixel_by_pixel && is_all {
            self.source.map.dims = Dims { n: 1, h: n * h * w, w: 1, c: dims.c };
            self.grid = Grid { counts: [1, n * h * w, 1], size: [n * h * w, 1], ..self.grid };
        }
    }
}

impl Part<'_> {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,avx512bf16")]
    fn run_amx(self, proof: Avx512Bf16, tiles: &Tiles, scratch: &mut Scratch) {
        let Scratch { lines, band, lists, .. } = scratch;
        let channels = self.source().map.dims.c;
        self.list(TILE, true, lists);
        let band = self.round(proof, band, &lists.tiles);
        let sums = scratch::floats(lines, 2 * TILE * BLOCK);
        let stride = self.product.window.stride[1] * channels;
        for block in self.blocks.clone() {
            let start = self.weights.start(block).as_ptr().cast();
            let weights = self.weights.rows(block).as_ptr().cast();
            for (pair, targets) in lists.tiles.chunks(2).zip(lists.targets.chunks(2 * TILE)) {
                // SAFETY: the band has room for whole tiles, and a step behind the last window; the weights have rows
                // for all steps.
                unsafe {
                    let from = [pair[0], pair[pair.len() - 1]].map(|tile| band.add(tile.from).cast_const());
                    amx::multiply(tiles, &from[..pair.len()], stride, &lists.steps, weights, start, sums);
                    self.finish(proof.avx512(), block, sums, targets);
                }
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,avx512bf16")]
    fn run_avx512(self, proof: Avx512Bf16, scratch: &mut Scratch) {
        let Scratch { lines, band, lists, .. } = scratch;
        let channels = self.source().map.dims.c;
        self.list(most_rows::<Avx512>(), false, lists);
        let band = self.round(proof, band, &lists.tiles);
        let sums = scratch::floats(lines, TILE * BLOCK);
        for block in self.blocks.clone() {
            for (tile, targets) in lists.tiles.iter().zip(lists.targets.chunks(TILE)) {
                // SAFETY: as with AMX.
                unsafe {
                    let dots = Dots {
                        windows: band.add(tile.from).cast_const(),
                        stride: self.product.window.stride[1] * channels,
                        steps: &lists.steps,
                        weights: self.weights.rows(block).as_ptr().cast(),
                        start: self.weights.start(block).as_ptr().cast(),
                    };
                    dots.multiply(proof, tile.rows, sums);
                    self.finish(proof.avx512(), block, sums, targets);
                }
            }
        }
    }

    fn source(&self) -> Source<'_> {
        self.product.source.bundle(self.bundle, self.product.channels[1])
    }

    /// # Safety
    /// `sums` has a [`BLOCK`] for each target; no other thread writes there.
    #[inline(always)]
    unsafe fn finish(&self, simd: Avx512, block: usize, sums: *const f32, targets: &[usize]) {
        let channel = self.bundle * self.product.channels[0] + block * BLOCK;
        let columns = (self.weights.columns - block * BLOCK).min(BLOCK);
        let turn = Turn { columns, is_first: true, is_last: true };
        let rows = targets.iter().enumerate().filter(|(_, target)| **target != NONE);
        let rows = rows.map(|(row, target)| (sums.wrapping_add(row * BLOCK), *target));
        // SAFETY: the caller's.
        unsafe {
            match self.product.end::<Avx512>(turn) {
                Some(end) => self.product.finish_whole(simd, rows, channel, turn, end),
                // No closure: it would be compiled without the instructions.
                None => {
                    for (sums, target) in rows {
                        self.product.finish(simd, sums, target, channel, turn);
                    }
                }
            }
        }
    }
}

/// In how many bands the rows of each image fall, at least so many, and in how many stripes the blocks of columns.
///
/// `work` counts products, in steps of 32 for each block and pixel.
fn split(cpu: Cpu, images: usize, rows: usize, blocks: usize, least: usize, work: usize) -> (usize, usize) {
    // A part takes about 10 µs or more.
    let parts = threads(cpu).min(work / 4096).max(1);
    let bands = parts.div_ceil(images).min(rows / 4).max(least);
    (bands, parts.div_ceil(images * bands).min(blocks))
}
