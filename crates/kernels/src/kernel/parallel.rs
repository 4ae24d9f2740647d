//! How a kernel's work is spread over threads: a fixed rule, so that a run repeats, though results are the same however
//! it is spread.

use std::ops::Range;

use rayon::prelude::*;

use super::packed::BLOCK;
use crate::{Cpu, Threads};

/// As many pixels as a core's own cache holds panels of.
pub(crate) const CHUNK: usize = 112;

/// The work of a product, to be split into parts of the same size.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    /// Bundles of channels, which are parts of their own.
    pub(crate) bundles: usize,
    pub(crate) pixels: usize,
    /// How many of them a chunk has at most.
    pub(crate) most: usize,
    /// Blocks of columns.
    pub(crate) blocks: usize,
    pub(crate) depth: usize,
}

/// In how many chunks the pixels fall and in how many stripes the blocks of columns.
#[derive(Clone, Copy)]
pub(crate) struct Split {
    pub(crate) chunks: usize,
    pub(crate) stripes: usize,
}

impl Work {
    /// The split that should be done first.
    pub(crate) fn split(self, cpu: Cpu) -> Split {
        let least = self.pixels.div_ceil(self.most);
        let alone = Split { chunks: least, stripes: 1 };
        let threads = threads(cpu);
        if threads == 1 {
            return alone;
        }
        let candidates = (1..=self.blocks.min(threads)).flat_map(|stripes| {
            // One or two parts for each thread, or as many as there must be.
            let chunks = [1, 2].map(|parts| (parts * threads).div_ceil(stripes * self.bundles).max(least));
            chunks.map(|chunks| Split { chunks: chunks.min(self.pixels), stripes })
        });
        candidates.chain([alone]).min_by_key(|split| self.cycles(*split, threads)).unwrap_or(alone)
    }

    /// About how many cycles it takes until the last thread is done.
    fn cycles(self, split: Split, threads: usize) -> usize {
        let pixels = self.pixels.div_ceil(split.chunks);
        let blocks = self.blocks.div_ceil(split.stripes);
        let tiles = pixels.div_ceil(14);
        // Products of two vectors at once; tiles of few rows wait for weights.
        let products = tiles * pixels.div_ceil(tiles).max(5) * blocks * self.depth;
        let packing = pixels * self.depth / 8;
        // From a cache that is shared, 8 bytes at once.
        let weights = blocks * self.depth * BLOCK / 2;
        let parts = self.bundles * split.chunks * split.stripes;
        let wake = if parts > 1 { 4000 } else { 0 };
        parts.div_ceil(threads) * (products + packing + weights) + wake
    }
}

/// How many threads there are.
fn threads(cpu: Cpu) -> usize {
    match cpu.threads {
        Threads::One => 1,
        Threads::All => rayon::current_num_threads(),
    }
}

/// In how many bands the rows of each image fall.
pub(crate) fn bands(cpu: Cpu, images: usize, rows: usize) -> usize {
    threads(cpu).div_ceil(images).min(rows / 16).max(1)
}

/// In how many bands the rows of each image fall, at least so many, and in how many stripes the blocks of columns.
///
/// `work` counts products, in steps of 32 for each block and pixel.
pub(crate) fn split_bands(
    cpu: Cpu,
    images: usize,
    rows: usize,
    blocks: usize,
    least: usize,
    work: usize,
) -> (usize, usize) {
    // A part takes about 10 µs or more.
    let parts = threads(cpu).min(work / 4096).max(1);
    let bands = parts.div_ceil(images).min(rows / 4).max(least);
    (bands, parts.div_ceil(images * bands).min(blocks))
}

/// Part `part` of `count` things in `parts` that are as equal as can be.
pub(crate) fn share(count: usize, part: usize, parts: usize) -> Range<usize> {
    part * count / parts..(part + 1) * count / parts
}

/// Runs all parts.
pub(crate) fn run(cpu: Cpu, parts: usize, part: impl Fn(usize) + Send + Sync) {
    if parts > 1 && threads(cpu) > 1 {
        (0..parts).into_par_iter().with_max_len(1).for_each(part);
    } else {
        (0..parts).for_each(part);
    }
}
