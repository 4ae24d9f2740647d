//! Weights of bf16 in the order in which products read them.

use crate::{
    Window,
    kernel::{
        packed::{BLOCK, Starts},
        scratch::{LINE, Line},
    },
};

/// How many products are added up at once.
pub(super) const STEP: usize = 32;

/// Weights `[depth, columns]` as `[columns / BLOCK][steps][STEP / 2][BLOCK][2]`: the two of a pair lie side by side. The
/// floats of each of the window's [`Stretches`] are steps of their own, with zeros behind the last.
pub(crate) struct PackedBf16 {
    lines: Vec<Line<u32>>,
    starts: Starts,
    /// Of each block.
    steps: usize,
    pub(super) columns: usize,
}

/// The floats under a window as runs that lie side by side in a row of the source: rows of the window, or single
/// elements if they are farther apart.
#[derive(Clone, Copy)]
pub(super) struct Stretches {
    /// Elements of the window in each.
    pub(super) elements: usize,
    /// Runs from left to right, and of all rows.
    across: usize,
    pub(super) count: usize,
}

impl Stretches {
    pub(super) fn new(window: Window) -> Self {
        let [rows, columns] = window.size;
        let elements = if window.dilation[1] == 1 { columns } else { 1 };
        let across = if elements == 1 { columns } else { 1 };
        Self { elements, across, count: if elements == 0 { 0 } else { rows * across } }
    }

    /// The element of the window that a run begins with.
    pub(super) fn first(self, run: usize) -> [usize; 2] {
        [run / self.across, run % self.across]
    }
}

impl PackedBf16 {
    pub(crate) fn new(
        window: Window,
        channels: usize,
        columns: usize,
        at: impl Fn(usize, usize) -> f32,
        bias: impl Fn(usize) -> f32,
    ) -> Self {
        let runs = Stretches::new(window);
        let depth = runs.elements * channels;
        let steps = runs.count * depth.div_ceil(STEP);
        let mut lines = vec![Line([0; LINE]); columns.div_ceil(BLOCK) * steps * (STEP / 2) * (BLOCK / LINE)];
        for column in 0..columns {
            let (block, lane) = (column / BLOCK, column % BLOCK);
            for row in 0..runs.count * depth {
                let (run, k) = (row / depth, row % depth);
                let step = (block * runs.count + run) * depth.div_ceil(STEP) + k / STEP;
                let line = (step * (STEP / 2) + k % STEP / 2) * (BLOCK / LINE) + lane / LINE;
                lines[line].0[lane % LINE] |= u32::from(rounded(at(row, column))) << (k % 2 * 16);
            }
        }
        Self { lines, starts: Starts::new(columns, bias), steps, columns }
    }

    /// How many blocks the columns are.
    pub(super) fn blocks(&self) -> usize {
        self.columns.div_ceil(BLOCK)
    }

    /// How many steps there are to each block.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// All rows of a block.
    pub(super) fn rows(&self, block: usize) -> &[Line<u32>] {
        let len = self.steps * (STEP / 2) * (BLOCK / LINE);
        &self.lines[block * len..][..len]
    }

    /// What the sums of a block start from.
    pub(super) fn start(&self, block: usize) -> &[Line<f32>] {
        self.starts.of(block)
    }
}

/// To the nearest bf16, to the even one of two that are equally near.
fn rounded(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() { 0x7fc0 } else { ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16 }
}
