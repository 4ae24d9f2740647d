//! Weights in the order in which the product reads them.

use super::scratch::{LINE, Line};

/// How many output channels lie side by side.
pub(crate) const BLOCK: usize = 32;

/// Weights `[depth, columns]` as `[columns / BLOCK][depth][BLOCK]`, with zeros behind the last column.
pub(crate) struct Packed {
    lines: Vec<Line<f32>>,
    /// For each block, and zeros.
    bias: Vec<Line<f32>>,
    pub(crate) depth: usize,
    pub(crate) columns: usize,
}

impl Packed {
    /// The weights that `at(row, column)` tells, and what is added to each column's products.
    pub(crate) fn new(
        depth: usize,
        columns: usize,
        at: impl Fn(usize, usize) -> f32,
        bias: impl Fn(usize) -> f32,
    ) -> Self {
        let mut lines = vec![Line([0.0; LINE]); columns.div_ceil(BLOCK) * depth * (BLOCK / LINE)];
        let mut biases = vec![Line([0.0; LINE]); (columns.div_ceil(BLOCK) + 1) * (BLOCK / LINE)];
        for column in 0..columns {
            let (block, lane) = (column / BLOCK, column % BLOCK);
            biases[column / LINE].0[column % LINE] = bias(column);
            for row in 0..depth {
                lines[(block * depth + row) * (BLOCK / LINE) + lane / LINE].0[lane % LINE] = at(row, column);
            }
        }
        Self { lines, bias: biases, depth, columns }
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
        let block = if is_first { block } else { self.blocks() };
        &self.bias[block * (BLOCK / LINE)..][..BLOCK / LINE]
    }
}
