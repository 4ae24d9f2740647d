//! How a kernel's work is spread over threads.

use rayon::prelude::*;

use crate::{Cpu, Threads};

/// As many pixels as a core's own cache holds panels of.
const CHUNK: usize = 112;

/// In how many parts of the pixels and of the blocks of columns a product falls.
pub(crate) fn split(_cpu: Cpu, pixels: usize, _blocks: usize, _depth: usize) -> (usize, usize) {
    (pixels.div_ceil(CHUNK), 1)
}

/// In how many bands the rows of each image fall.
pub(crate) fn bands(cpu: Cpu, images: usize, rows: usize) -> usize {
    match cpu.threads {
        Threads::One => 1,
        Threads::All => rayon::current_num_threads().div_ceil(images).min(rows / 16).max(1),
    }
}

/// Runs all parts.
pub(crate) fn run(cpu: Cpu, parts: usize, part: impl Fn(usize) + Send + Sync) {
    match cpu.threads {
        Threads::All if parts > 1 => (0..parts).into_par_iter().with_max_len(1).for_each(part),
        _ => (0..parts).for_each(part),
    }
}
