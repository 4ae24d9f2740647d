//! Colors that vary independently of each other, as natural images' do along three axes.

use burn::{
    config::Config,
    tensor::{Device, Tensor, activation},
};

use super::Param;

/// How free values become colors.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub struct ValidRgb {
    /// Whether they stand for uncorrelated colors, see [`decorrelation`].
    #[config(default = true)]
    pub decorrelate: bool,
}

/// Free values `[n, 3, h, w]` as RGB in `0..=1`.
///
/// # Reference
/// `to_valid_rgb` in Lucid, `color.py`.
pub fn to_valid_rgb(free: Param, colors: ValidRgb) -> Param {
    let shape = free.shape();
    sigmoid(match colors.decorrelate {
        true => Param::of([free], shape, |device| {
            let matrix = decorrelation(device);
            Box::new(move |inputs, _| mix(inputs[0].clone(), matrix.clone()))
        }),
        false => free,
    })
}

pub(super) fn sigmoid(free: Param) -> Param {
    let shape = free.shape();
    free.map(shape, activation::sigmoid)
}

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
