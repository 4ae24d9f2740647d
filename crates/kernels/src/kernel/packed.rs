//! Weights in the order in which products read them.

use super::{
    scratch::{LINE, Line},
    windows::Stretches,
};
use crate::{Bf16, Precision, Window};

/// How many output channels lie side by side.
pub(crate) const BLOCK: usize = 32;

/// How many products of bf16 are added up at once.
pub(crate) const STEP: usize = 32;

/// What is multiplied with the floats under a window, for each bundle of channels.
pub(crate) enum Packed {
    F32(Vec<PackedF32>),
    Bf16(Bf16, Vec<PackedBf16>),
}

/// Weights `[depth, columns]` as `[columns / BLOCK][depth][BLOCK]`, with zeros behind the last column.
pub(crate) struct PackedF32 {
    lines: Vec<Line<f32>>,
    starts: Starts,
    pub(crate) depth: usize,
    pub(crate) columns: usize,
}

/// Weights `[depth, columns]` as `[columns / BLOCK][steps][STEP / 2][BLOCK][2]`: the two of a pair lie side by side. The
/// floats of each of the window's [`Stretches`] are steps of their own, with zeros behind the last.
pub(crate) struct PackedBf16 {
    lines: Vec<Line<u32>>,
    starts: Starts,
    /// Of each block.
    steps: usize,
    pub(crate) columns: usize,
}

/// What sums start from.
struct Starts {
    /// The bias of each block, and zeros.
    lines: Vec<Line<f32>>,
}

impl Packed {
    pub(crate) fn new(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32(Vec::new()),
            Precision::Bf16(proof) => Self::Bf16(proof, Vec::new()),
        }
    }

    /// Adds a bundle: `at(row, column)` tells the weight of a float under the window, counted over elements and
    /// `channels`, for one of the `columns` of results.
    pub(crate) fn push(
        &mut self,
        window: Window,
        [channels, columns]: [usize; 2],
        at: impl Fn(usize, usize) -> f32,
        bias: impl Fn(usize) -> f32,
    ) {
        match self {
            Self::F32(bundles) => bundles.push(PackedF32::new(window.area() * channels, columns, at, bias)),
            Self::Bf16(_, bundles) => bundles.push(PackedBf16::new(window, channels, columns, at, bias)),
        }
    }
}

impl PackedF32 {
    /// The weights that `at(row, column)` tells, and what is added to each column's sums.
    pub(crate) fn new(
        depth: usize,
        columns: usize,
        at: impl Fn(usize, usize) -> f32,
        bias: impl Fn(usize) -> f32,
    ) -> Self {
        let mut lines = vec![Line([0.0; LINE]); columns.div_ceil(BLOCK) * depth * (BLOCK / LINE)];
        for column in 0..columns {
            let (block, lane) = (column / BLOCK, column % BLOCK);
            for row in 0..depth {
                lines[(block * depth + row) * (BLOCK / LINE) + lane / LINE].0[lane % LINE] = at(row, column);
            }
        }
        Self { lines, starts: Starts::new(columns, bias), depth, columns }
    }

    /// How many blocks the columns are.
    pub(crate) fn blocks(&self) -> usize {
        self.columns.div_ceil(BLOCK)
    }

    /// Row `row` of a block and all behind it.
    pub(crate) fn rows(&self, block: usize, row: usize) -> &[Line<f32>] {
        &self.lines[(block * self.depth + row) * (BLOCK / LINE)..(block + 1) * self.depth * (BLOCK / LINE)]
    }

    /// What the sums of a block start from: the bias, and zeros for the later of them.
    pub(crate) fn start(&self, block: usize, is_first: bool) -> &[Line<f32>] {
        self.starts.of(if is_first { block } else { self.blocks() })
    }
}

impl PackedBf16 {
    fn new(
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
    pub(crate) fn blocks(&self) -> usize {
        self.columns.div_ceil(BLOCK)
    }

    /// How many steps there are to each block.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// All rows of a block.
    pub(crate) fn rows(&self, block: usize) -> &[Line<u32>] {
        let len = self.steps * (STEP / 2) * (BLOCK / LINE);
        &self.lines[block * len..][..len]
    }

    /// What the sums of a block start from.
    pub(crate) fn start(&self, block: usize) -> &[Line<f32>] {
        self.starts.of(block)
    }
}

/// To the nearest bf16, to the even one of two that are equally near.
fn rounded(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() { 0x7fc0 } else { ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16 }
}

impl Starts {
    fn new(columns: usize, bias: impl Fn(usize) -> f32) -> Self {
        let mut lines = vec![Line([0.0; LINE]); (columns.div_ceil(BLOCK) + 1) * (BLOCK / LINE)];
        for column in 0..columns {
            lines[column / LINE].0[column % LINE] = bias(column);
        }
        Self { lines }
    }

    fn of(&self, block: usize) -> &[Line<f32>] {
        &self.lines[block * (BLOCK / LINE)..][..BLOCK / LINE]
    }
}
