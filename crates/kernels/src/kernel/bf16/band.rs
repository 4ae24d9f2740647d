//! Rows of a map rounded to bf16 with the padding around them, and where windows are found in them.

use super::{
    Part, TILE,
    packed::{STEP, Stretches},
};
use crate::{
    Avx512Bf16, Dims, WORD, Window,
    kernel::{
        parallel::share,
        product::Product,
        scratch::{self, Line},
        simd::{Simd, first},
    },
};

/// Instead of a pixel, where a tile has a window that is none of the grid's.
pub(super) const NONE: usize = usize::MAX;

/// Windows whose sums are added up together.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// Where in the band the first begins.
    pub(super) from: usize,
    pub(super) rows: usize,
}

/// Lists that a thread keeps from one product to the next.
pub(crate) struct Lists {
    pub(super) tiles: Vec<Tile>,
    /// The pixels that results of each tile go to, [`TILE`] entries for each.
    pub(super) targets: Vec<usize>,
    /// Where in the band, in bytes from where a window begins, each step of its products begins.
    pub(super) steps: Vec<usize>,
}

impl Lists {
    pub(crate) const fn new() -> Self {
        Self { tiles: Vec::new(), targets: Vec::new(), steps: Vec::new() }
    }
}

impl Product<'_> {
    /// How many pixels wide a band is, with padding.
    pub(super) fn band_width(&self) -> usize {
        let Window { size, stride, dilation } = self.window;
        (self.grid.counts[2] - 1) * stride[1] + size[1].saturating_sub(1) * dilation[1] + 1
    }
}

impl Part<'_> {
    /// Lists all steps, and tiles of up to `most` windows with the pixels that results go to.
    ///
    /// A tile is windows of one row of the grid, or of several rows if there is nothing between them. If it `may_run_on`,
    /// it may also have what lies between, where that takes fewer tiles.
    pub(super) fn list(&self, most: usize, may_run_on: bool, Lists { tiles, targets, steps }: &mut Lists) {
        self.list_steps(steps);
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
    fn list_steps(&self, steps: &mut Vec<usize>) {
        let channels = self.source().map.dims.c;
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
    pub(super) fn round(&self, proof: Avx512Bf16, band: &mut Vec<Line<f32>>, tiles: &[Tile]) -> *mut u16 {
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
