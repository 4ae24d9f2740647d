//! How a kernel's work is spread over threads: a fixed rule, so that a run repeats, though results are the same however
//! it is spread.

use std::ops::Range;

use super::{packed::BLOCK, team};
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
        self.split_over(threads(cpu))
    }

    fn split_over(self, threads: usize) -> Split {
        let least = self.pixels.div_ceil(self.most);
        let alone = Split { chunks: least, stripes: 1 };
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
pub(super) fn threads(cpu: Cpu) -> usize {
    match cpu.threads {
        Threads::One => 1,
        Threads::All => rayon::current_num_threads(),
    }
}

/// In how many bands the rows of each image fall.
pub(crate) fn bands(cpu: Cpu, images: usize, rows: usize) -> usize {
    threads(cpu).div_ceil(images).min(rows / 16).max(1)
}

/// Part `part` of `count` things in `parts` that are as equal as can be.
pub(crate) fn share(count: usize, part: usize, parts: usize) -> Range<usize> {
    part * count / parts..(part + 1) * count / parts
}

/// Runs all parts.
pub(crate) fn run(cpu: Cpu, parts: usize, part: impl Fn(usize) + Sync) {
    if parts > 1 && threads(cpu) > 1 {
        team::run(parts, part);
    } else {
        (0..parts).for_each(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much sooner it is done than by one thread.
    fn speed_up(work: Work, threads: usize) -> f32 {
        work.cycles(work.split_over(1), 1) as f32 / work.cycles(work.split_over(threads), threads) as f32
    }

    #[test]
    fn large_and_small_maps_keep_all_threads_busy() {
        // GoogLeNet's 3×3 convolutions on maps of 32×32, 8×8 and 4×4.
        let large = Work { bundles: 1, pixels: 1024, most: CHUNK, blocks: 6, depth: 576 };
        let small = Work { bundles: 1, pixels: 64, most: CHUNK, blocks: 7, depth: 864 };
        let smallest = Work { bundles: 1, pixels: 16, most: CHUNK, blocks: 12, depth: 1728 };
        for (threads, least) in [(2, 1.7), (8, 5.0)] {
            for work in [large, small, smallest] {
                let speed_up = speed_up(work, threads);
                assert!(speed_up > least && speed_up <= threads as f32, "{speed_up} by {threads} threads");
            }
        }
    }

    #[test]
    fn what_takes_less_than_waking_a_thread_is_done_by_one() {
        let Split { chunks, stripes } =
            Work { bundles: 1, pixels: 16, most: CHUNK, blocks: 2, depth: 64 }.split_over(8);
        assert_eq!([chunks, stripes], [1, 1]);
    }
}
