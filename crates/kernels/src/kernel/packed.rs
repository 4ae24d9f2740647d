//! Weights in the order in which products read them.

#[cfg(target_arch = "x86_64")]
use super::bf16::PackedBf16;
use super::scratch::{LINE, Line};
use crate::{Precision, Window};

/// How many output channels lie side by side.
pub(crate) const BLOCK: usize = 32;

/// What is multiplied with the floats under a window, for each bundle of channels.
pub(crate) enum Packed {
    F32(Vec<PackedF32>),
    #[cfg(target_arch = "x86_64")]
    Bf16(crate::Bf16, Vec<PackedBf16>),
}

/// Weights `[depth, columns]` as `[columns / BLOCK][depth][BLOCK]`, with zeros behind the last column.
pub(crate) struct PackedF32 {
    lines: Vec<Line<f32>>,
    starts: Starts,
    pub(crate) depth: usize,
    pub(crate) columns: usize,
}

/// What sums start from.
pub(super) struct Starts {
    /// The bias of each block, and zeros.
    lines: Vec<Line<f32>>,
}

impl Packed {
    pub(crate) fn new(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32(Vec::new()),
            #[cfg(target_arch = "x86_64")]
            Precision::Bf16(proof) => Self::Bf16(proof, Vec::new()),
            #[cfg(not(target_arch = "x86_64"))]
            Precision::Bf16(_) => unreachable!("no proof of bf16 exists here"),
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
            #[cfg(target_arch = "x86_64")]
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

impl Starts {
    pub(super) fn new(columns: usize, bias: impl Fn(usize) -> f32) -> Self {
        let mut lines = vec![Line([0.0; LINE]); (columns.div_ceil(BLOCK) + 1) * (BLOCK / LINE)];
        for column in 0..columns {
            lines[column / LINE].0[column % LINE] = bias(column);
        }
        Self { lines }
    }

    pub(super) fn of(&self, block: usize) -> &[Line<f32>] {
        &self.lines[block * (BLOCK / LINE)..][..BLOCK / LINE]
    }
}
