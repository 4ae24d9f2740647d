//! Products of bf16, with sums of floats.
//!
//! Multiplying is so fast that copying what lies under every window would take most of the time. So some rows of the
//! source are rounded once, with the padding around them, and windows are read from there: under a window, the floats of
//! neighboring elements lie side by side, and from one window to the next it is always as far.

use std::ops::Range;

use super::{
    amx::{self, Tiles},
    packed::{BLOCK, PackedBf16, STEP},
    parallel::{self, share},
    product::{Product, Turn},
    scratch::{self, Scratch},
    simd::{Simd, first},
    tile::for_each_row,
    windows::{Source, Stretches, Tile},
};
use crate::{Avx512, Avx512Bf16, Bf16, Cpu, Dims, WORD, Window};

/// How many windows an AMX tile has.
const TILE: usize = 16;

/// How many bytes of rounded rows a core's own cache is to hold.
const BAND_BYTES: usize = 256 << 10;

/// Instead of a pixel, where a tile has a window that is none of the grid's.
const NONE: usize = usize::MAX;

/// Some rows of the grid in one image and some blocks of columns, for one thread.
struct Part<'a> {
    product: &'a Product<'a>,
    weights: &'a PackedBf16,
    bundle: usize,
    image: usize,
    rows: Range<usize>,
    blocks: Range<usize>,
}

/// Computes all results.
pub(crate) fn run(product: &Product<'_>, proof: Bf16, weights: &[PackedBf16], cpu: Cpu) {
    let [images, rows, columns] = product.grid.counts;
    let blocks = weights[0].blocks();
    let row_bytes = 2 * product.window.stride[0] * product.band_width() * product.channels[1];
    let least = (rows * row_bytes).div_ceil(BAND_BYTES).clamp(1, rows);
    let work = images * rows * columns * blocks * weights[0].steps();
    let (bands, stripes) = parallel::split_bands(cpu, images * weights.len(), rows, blocks, least, work);
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

impl Product<'_> {
    /// How many pixels wide a band is, with padding.
    fn band_width(&self) -> usize {
        let Window { size, stride, dilation } = self.window;
        (self.grid.counts[2] - 1) * stride[1] + size[1].saturating_sub(1) * dilation[1] + 1
    }
}

impl Part<'_> {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,avx512bf16")]
    fn run_amx(self, proof: Avx512Bf16, tiles: &Tiles, scratch: &mut Scratch) {
        let Scratch { lines, band, steps, tiles: list, targets, .. } = scratch;
        let channels = self.source().map.dims.c;
        self.list_tiles(TILE, true, list, targets);
        let band = self.round(proof, band, list);
        self.list_steps(channels, steps);
        let sums = scratch::floats(lines, 2 * TILE * BLOCK);
        let stride = self.product.window.stride[1] * channels;
        for block in self.blocks.clone() {
            let start = self.weights.start(block).as_ptr().cast::<f32>();
            let rows = self.weights.rows(block).as_ptr().cast::<u8>();
            for (pair, targets) in list.chunks(2).zip(targets.chunks(2 * TILE)) {
                // SAFETY: the band has room for whole tiles, a run and a step behind their last window; the weights
                // have rows for all steps.
                unsafe {
                    let from = [pair[0], pair[pair.len() - 1]].map(|tile| band.add(tile.from).cast_const());
                    amx::multiply(tiles, &from[..pair.len()], stride, steps, rows, start, sums);
                    self.finish(proof.avx512(), block, sums, targets);
                }
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,avx512bf16")]
    fn run_avx512(self, proof: Avx512Bf16, scratch: &mut Scratch) {
        let Scratch { lines, band, steps, tiles, targets, .. } = scratch;
        let channels = self.source().map.dims.c;
        self.list_tiles(14, false, tiles, targets);
        let band = self.round(proof, band, tiles);
        self.list_steps(channels, steps);
        let sums = scratch::floats(lines, TILE * BLOCK);
        for block in self.blocks.clone() {
            for (tile, targets) in tiles.iter().zip(targets.chunks(TILE)) {
                // SAFETY: as with AMX.
                unsafe {
                    let dots = Dots {
                        windows: band.add(tile.from).cast_const(),
                        stride: self.product.window.stride[1] * channels,
                        steps,
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

    /// Lists tiles of up to `most` windows, and for each the pixels that results go to, [`TILE`] entries for each.
    ///
    /// A tile is windows of one row of the grid, or of several rows if there is nothing between them. If it `may_run_on`,
    /// it may also have what lies between, where that takes fewer tiles.
    fn list_tiles(&self, most: usize, may_run_on: bool, tiles: &mut Vec<Tile>, targets: &mut Vec<usize>) {
        let Product { window, ref grid, .. } = *self.product;
        let (columns, width, channels) = (grid.counts[2], self.product.band_width(), self.source().map.dims.c);
        let target = |y: usize, x: usize| {
            let row = self.image * grid.size[0] + grid.first[0] + (self.rows.start + y) * grid.step[0];
            row * grid.size[1] + grid.first[1] + x * grid.step[1]
        };
        tiles.clear();
        targets.clear();
        // Windows from one row of the grid to the next, if all in between were windows.
        let row = window.stride[0] * width;
        let windows = (self.rows.len() - 1) * row + columns;
        let (count, across) = (windows.div_ceil(most), columns.div_ceil(most));
        let has_none_between = row == columns;
        let runs_on = has_none_between || may_run_on && count < self.rows.len() * across;
        if runs_on && window.stride[1] == 1 {
            let (mut y, mut x) = (0, 0);
            for tile in 0..count {
                let part = share(windows, tile, count);
                tiles.push(Tile { from: part.start * channels, rows: part.len() });
                for _ in part.clone() {
                    targets.push(if x < columns { target(y, x) } else { NONE });
                    x += 1;
                    if x == row {
                        (x, y) = (0, y + 1);
                    }
                }
                targets.resize(tiles.len() * TILE, NONE);
            }
            return;
        }
        for y in 0..self.rows.len() {
            for tile in 0..across {
                let part = share(columns, tile, across);
                let from = (y * row + part.start * window.stride[1]) * channels;
                tiles.push(Tile { from, rows: part.len() });
                targets.extend(part.map(|x| target(y, x)));
                targets.resize(tiles.len() * TILE, NONE);
            }
        }
    }

    /// Lists where in the band, in bytes from where a window begins, each step of its products begins.
    fn list_steps(&self, channels: usize, steps: &mut Vec<usize>) {
        let (runs, dilation) = (Stretches::new(self.product.window), self.product.window.dilation);
        steps.clear();
        for run in 0..runs.count {
            let [i, j] = runs.first(run);
            let first = (i * dilation[0] * self.product.band_width() + j * dilation[1]) * channels;
            steps.extend((0..runs.elements * channels).step_by(STEP).map(|at| (first + at) * size_of::<u16>()));
        }
    }

    /// Rounds the rows under the windows, with the padding around them.
    #[inline(always)]
    fn round(&self, proof: Avx512Bf16, band: &mut Vec<scratch::Line<f32>>, tiles: &[Tile]) -> *mut u16 {
        let Product { window, ref grid, .. } = *self.product;
        let source = self.source();
        let Dims { h, w, c, .. } = source.map.dims;
        let width = self.product.band_width();
        let span = window.size[0].saturating_sub(1) * window.dilation[0];
        let height = (self.rows.len() - 1) * window.stride[0] + span + 1;
        // Windows that are none of the grid's read behind the last row, and a run's last step behind its end.
        let last_tile = tiles.iter().map(|tile| tile.from).max().unwrap_or(0);
        let reach = last_tile + TILE * window.stride[1] * c + (span + 1) * width * c + STEP + WORD;
        let len = reach.max(height * width * c + STEP + WORD);
        let band = scratch::floats(band, len.div_ceil(2)).cast::<u16>();

        let left = (-grid.place[1]).clamp(0, width as isize) as usize;
        let first_column = grid.place[1].max(0) as usize;
        let columns = w.saturating_sub(first_column).min(width - left);
        // Pixels that lie side by side, and their bits too, are rounded in one go.
        let is_dense = source.map.pitch == c && source.gate.is_none_or(|gate| gate.pitch * WORD == c);
        let (runs, run_len) = if is_dense { (usize::from(columns > 0), columns * c) } else { (columns, c) };
        for y in 0..height {
            let row = grid.place[0] + (self.rows.start * window.stride[0] + y) as isize;
            // SAFETY: the rows are in the band, and behind each is room for a vector; the source has the pixels.
            unsafe {
                let to = band.add(y * width * c);
                if row < 0 || row >= h as isize {
                    clear(proof, to, width * c);
                    continue;
                }
                clear(proof, to, left * c);
                let pixel = (self.image * h + row as usize) * w + first_column;
                for run in 0..runs {
                    let from = source.map.values.as_ptr().add((pixel + run) * source.map.pitch);
                    let words = source.gate.map(|gate| gate.words.as_ptr().add((pixel + run) * gate.pitch));
                    round(proof, from, words, run_len, to.add((left + run) * c));
                }
                clear(proof, to.add((left + columns) * c), (width - left - columns) * c);
            }
        }
        // SAFETY: there is room for a step. Its weights are zero, but what is no number times zero is none.
        unsafe { clear(proof, band.add(height * width * c), STEP) };
        band
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
                None => rows.for_each(|(sums, target)| self.product.finish(simd, sums, target, channel, turn)),
            }
        }
    }
}

/// Writes zeros, and up to a vector more.
///
/// # Safety
/// There is room.
#[inline(always)]
unsafe fn clear(proof: Avx512Bf16, to: *mut u16, len: usize) {
    for at in (0..len).step_by(WORD) {
        // SAFETY: the caller's.
        unsafe { proof.store_rounded(to.add(at), proof.avx512().splat(0.0)) };
    }
}

/// Rounds floats, or zeros where a bit is 0, and writes up to a vector of zeros behind them.
///
/// # Safety
/// There are as many floats and bits, and room.
#[inline(always)]
unsafe fn round(proof: Avx512Bf16, from: *const f32, words: Option<*const u16>, len: usize, to: *mut u16) {
    let simd = proof.avx512();
    for at in (0..len).step_by(WORD) {
        let lanes = first(len - at);
        // SAFETY: the caller's.
        unsafe {
            let bits = words.map_or(lanes, |words| lanes & u32::from(*words.add(at / WORD)));
            proof.store_rounded(to.add(at), simd.load_bits(from.add(at), bits));
        }
    }
}

/// The products of a tile's windows with a block of weights, in vectors.
struct Dots<'a> {
    windows: *const u16,
    /// From one window to the next.
    stride: usize,
    steps: &'a [usize],
    weights: *const u32,
    start: *const f32,
}

impl Dots<'_> {
    /// # Safety
    /// All is there; there is a [`BLOCK`] of sums for each of the rows, at most 14.
    #[inline(always)]
    unsafe fn multiply(&self, proof: Avx512Bf16, rows: usize, sums: *mut f32) {
        macro_rules! with_rows {
            ($($count:literal)*) => {
                match rows {
                    // SAFETY: the caller's.
                    $($count => unsafe { self.multiply_rows::<$count>(proof, sums) },)*
                    _ => unreachable!("a tile of {rows} rows"),
                }
            };
        }
        with_rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
    }

    #[allow(clippy::needless_range_loop, reason = "rows and vectors are counted alike")]
    #[inline(always)]
    unsafe fn multiply_rows<const ROWS: usize>(&self, proof: Avx512Bf16, to: *mut f32) {
        let simd = proof.avx512();
        // SAFETY: the caller's.
        unsafe {
            let start = [simd.load(self.start), simd.load(self.start.add(16))];
            let mut sums = [start; ROWS];
            let mut weights = self.weights;
            for step in self.steps {
                let windows = self.windows.byte_add(*step).cast::<u32>();
                for pair in 0..STEP / 2 {
                    let weight = [weights, weights.add(16)];
                    for_each_row!(ROWS, row, {
                        let x = windows.add(pair).byte_add(row * self.stride * 2).read_unaligned();
                        for vector in 0..2 {
                            sums[row][vector] = proof.add_products(sums[row][vector], x, weight[vector]);
                        }
                    });
                    weights = weights.add(BLOCK);
                }
            }
            for_each_row!(ROWS, row, {
                for vector in 0..2 {
                    simd.store(to.add(row * BLOCK + vector * 16), sums[row][vector]);
                }
            });
        }
    }
}
