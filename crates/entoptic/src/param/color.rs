//! Colors that vary independently of each other, as natural images' do along three axes.

use burn::tensor::{Device, Tensor};

/// Square root of ImageNet's color correlation: rows are R, G, B, columns the uncorrelated axes. Lucid, `color.py`.
pub const COLOR_CORRELATION_SVD_SQRT: [[f32; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

/// The matrix `[3, 3]` that makes RGB of uncorrelated colors: the square root of the color correlation, divided by the
/// norm of its longest column.
///
/// # Reference
/// `_linear_decorrelate_color` in Lucid, `color.py`.
pub fn decorrelation(device: &Device) -> Tensor<2> {
    let norms = (0..3).map(|axis| COLOR_CORRELATION_SVD_SQRT.iter().map(|row| row[axis].powi(2)).sum::<f32>().sqrt());
    let longest = norms.fold(0.0, f32::max);
    Tensor::from_floats(COLOR_CORRELATION_SVD_SQRT.map(|row| row.map(|v| v / longest)), device)
}

/// The colors of each pixel multiplied by `matrix` `[3, 3]`.
///
/// # Shapes
/// - colors: `[n, 3, h, w]`
/// - value: `[n, 3, h, w]`
pub fn mix(colors: Tensor<4>, matrix: Tensor<2>) -> Tensor<4> {
    let [n, c, h, w] = colors.dims();
    matrix.unsqueeze::<3>().matmul(colors.reshape([n, c, h * w])).reshape([n, c, h, w])
}
