//! What lies under windows, copied together so that a product can read it from one place.

use std::ops::Range;

use super::simd::{Simd, first};
use crate::{Map, WORD, Window};

/// How many floats a row of the panel has at most; the cache holds the rows of a tile.
pub(crate) const DEPTH: usize = 448;

/// From one row of a panel to the next: an odd number of cache lines, or the rows of a tile compete for few places in
/// the cache; behind the last float of a row is room for a whole vector.
pub(crate) const STRIDE: usize = DEPTH + WORD;

/// A map under a window, and where its values count.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) map: Map<'a>,
    pub(crate) gate: Option<Gate<'a>>,
}

/// The bits of [`Passes`](crate::Passes); a map's first channel may be any multiple of [`WORD`] there.
#[derive(Clone, Copy)]
pub(crate) struct Gate<'a> {
    pub(crate) words: &'a [u16],
    /// Words from one pixel to the next.
    pub(crate) pitch: usize,
}

/// Where a window stands.
#[derive(Clone, Copy)]
pub(crate) struct Pixel {
    /// The first pixel of its image.
    pub(crate) image: isize,
    /// Under its first element.
    pub(crate) row: isize,
    pub(crate) column: isize,
    /// The pixel its result is for.
    pub(crate) to: usize,
}

/// Floats under a window that lie side by side in the map as in the panel.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// Where in the panel's row.
    at: usize,
    len: usize,
    /// Rows and columns from the window's first element.
    row: isize,
    column: isize,
    /// How many neighboring pixels it runs over.
    pixels: usize,
    /// From the first channel under the window's first element, in floats and in words.
    float: isize,
    word: isize,
}

/// Where block `block` of `blocks` begins in the floats under a window: at a multiple of [`WORD`] channels.
fn cut(window: Window, channels: usize, block: usize, blocks: usize) -> usize {
    let depth = window.area() * channels;
    let at = block * depth / blocks;
    if block == blocks { depth } else { at - at % channels % WORD }
}

/// The floats under a window, in blocks that a panel holds.
pub(crate) fn blocks(window: Window, channels: usize) -> impl Iterator<Item = Range<usize>> {
    let blocks = (window.area() * channels).div_ceil(DEPTH - WORD).max(1);
    (0..blocks).map(move |block| cut(window, channels, block, blocks)..cut(window, channels, block + 1, blocks))
}

impl Source<'_> {
    /// The channels of one bundle, if all have so many but the last.
    pub(crate) fn bundle(mut self, bundle: usize, channels: usize) -> Self {
        let before = bundle * channels;
        if !self.map.dims.is_empty() {
            self.map.values = &self.map.values[before..];
            self.gate = self.gate.map(|gate| Gate { words: &gate.words[before / WORD..], ..gate });
        }
        self.map.dims.c = channels.min(self.map.dims.c - before);
        self
    }

    /// Lists what is to be copied for the floats `block` under a window.
    pub(crate) fn list_runs(&self, window: Window, block: Range<usize>, runs: &mut Vec<Run>) {
        runs.clear();
        let (channels, width) = (self.map.dims.c, self.map.dims.w as isize);
        let words = self.gate.map_or(0, |gate| gate.pitch);
        let dense = self.map.pitch == channels && self.gate.is_none_or(|gate| gate.pitch * WORD == channels);
        let mut at = block.start;
        while at < block.end {
            let (element, channel) = (at / channels, at % channels);
            let len = (channels - channel).min(block.end - at);
            let [i, j] = [element / window.size[1], element % window.size[1]];
            let (row, column) = ((i * window.dilation[0]) as isize, (j * window.dilation[1]) as isize);
            match runs.last_mut() {
                Some(run) if dense && len == channels && run.joins(row, column, channels) => {
                    run.len += len;
                    run.pixels += 1;
                }
                _ => runs.push(Run {
                    at: at - block.start,
                    len,
                    row,
                    column,
                    pixels: 1,
                    float: (row * width + column) * self.map.pitch as isize + channel as isize,
                    word: (row * width + column) * words as isize + (channel / WORD) as isize,
                }),
            }
            at += len;
        }
    }

    /// Copies the runs under each window to its row of the panel.
    ///
    /// # Safety
    /// `panel` has room for [`STRIDE`] floats for each pixel.
    #[inline(always)]
    pub(crate) unsafe fn pack<S: Simd>(
        &self,
        simd: S,
        window: Window,
        pixels: &[Pixel],
        runs: &[Run],
        panel: *mut f32,
    ) {
        let span = [0, 1].map(|axis| ((window.size[axis].max(1) - 1) * window.dilation[axis]) as isize);
        let (h, w) = (self.map.dims.h as isize, self.map.dims.w as isize);
        for (index, pixel) in pixels.iter().enumerate() {
            // SAFETY: as promised.
            let to = unsafe { panel.add(index * STRIDE) };
            let inside = pixel.row >= 0 && pixel.row + span[0] < h && pixel.column >= 0 && pixel.column + span[1] < w;
            let origin = pixel.image + pixel.row * w + pixel.column;
            if inside {
                for run in runs {
                    // SAFETY: the whole window is in the map; a run ends where the next begins or at most a vector
                    // before the row's end.
                    unsafe { self.copy(simd, origin, run, 0..run.len, to) };
                }
            } else {
                for run in runs {
                    let (row, column) = (pixel.row + run.row, pixel.column + run.column);
                    let within = |x: isize| x.clamp(0, run.pixels as isize) as usize;
                    let pixels = if (0..h).contains(&row) { within(-column)..within(w - column) } else { 0..0 };
                    let channels = run.len / run.pixels;
                    let floats = pixels.start * channels..pixels.end.max(pixels.start) * channels;
                    // SAFETY: `floats` are those in the map.
                    unsafe {
                        clear(simd, to.add(run.at), floats.start);
                        if !floats.is_empty() {
                            self.copy(simd, origin, run, floats.clone(), to);
                        }
                        clear(simd, to.add(run.at + floats.end), run.len - floats.end);
                    }
                }
            }
        }
    }

    /// Copies part of a run, and writes up to a vector of anything behind it.
    ///
    /// # Safety
    /// The part is in the map; `to` has room.
    #[inline(always)]
    unsafe fn copy<S: Simd>(&self, simd: S, origin: isize, run: &Run, part: Range<usize>, to: *mut f32) {
        let float = origin * self.map.pitch as isize + run.float + part.start as isize;
        // SAFETY: as promised.
        let (from, to) = unsafe { (self.map.values.as_ptr().offset(float), to.add(run.at + part.start)) };
        let len = part.len();
        let Some(gate) = self.gate else {
            // SAFETY: as promised.
            return unsafe { copy(simd, from, len, to) };
        };
        let word = origin * gate.pitch as isize + run.word + (part.start / WORD) as isize;
        // SAFETY: a run of several pixels has whole words of channels, and so has a part of it; the others start at
        // a whole word.
        unsafe { copy_gated(simd, from, gate.words.as_ptr().offset(word), len, to) };
    }
}

impl Run {
    /// Whether the whole pixel at this row and column follows in the map too.
    fn joins(&self, row: isize, column: isize, channels: usize) -> bool {
        self.row == row && self.column + self.pixels as isize == column && self.len == self.pixels * channels
    }
}

/// # Safety
/// `to` has room for a vector more than `len`.
#[inline(always)]
unsafe fn clear<S: Simd>(simd: S, to: *mut f32, len: usize) {
    for at in (0..len).step_by(S::LANES) {
        // SAFETY: as promised.
        unsafe { simd.store(to.add(at), simd.splat(0.0)) };
    }
}

/// # Safety
/// As [`clear`], and `from` has `len` floats.
#[inline(always)]
unsafe fn copy<S: Simd>(simd: S, from: *const f32, len: usize, to: *mut f32) {
    let mut at = 0;
    while at + S::LANES <= len {
        // SAFETY: as promised.
        unsafe { simd.store(to.add(at), simd.load(from.add(at))) };
        at += S::LANES;
    }
    if at < len {
        // SAFETY: as promised.
        unsafe { simd.store(to.add(at), simd.load_bits(from.add(at), first(len - at))) };
    }
}

/// # Safety
/// As [`copy`], `words` has a bit for each float, and `to` has room for a whole word.
#[inline(always)]
unsafe fn copy_gated<S: Simd>(simd: S, from: *const f32, words: *const u16, len: usize, to: *mut f32) {
    let mut start = 0;
    // SAFETY: as promised.
    unsafe {
        while start < len {
            let word = u32::from(*words.add(start / WORD));
            // Bits behind the last channel should be 0; none but these lanes are read, even if they are not.
            let bits = if start + WORD <= len { word } else { word & first(len - start) };
            let mut lane = 0;
            while lane < WORD {
                simd.store(to.add(start + lane), simd.load_bits(from.wrapping_add(start + lane), bits >> lane));
                lane += S::LANES;
            }
            start += WORD;
        }
    }
}
