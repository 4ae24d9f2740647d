//! Arrays of numbers with a shape: directions, masks, what NumPy saves.

/// Numbers in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The length of each axis.
    pub shape: Vec<usize>,
    /// The values, the last axis fastest.
    pub values: Vec<f32>,
}
