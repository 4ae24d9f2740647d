//! Colors that vary independently of each other, as natural images' do along three axes, and how they become RGB.

mod sigmoid;

use burn::{
    config::Config,
    tensor::{Device, Tensor},
};

pub(crate) use self::sigmoid::sigmoid;
use self::sigmoid::sigmoid_of_mixed;
use super::unit_ball::constrain_l_inf;
use crate::cpu;

/// Square root of ImageNet's color correlation: rows are R, G, B, columns the uncorrelated axes. Lucid, `color.py`.
pub const COLOR_CORRELATION_SVD_SQRT: [[f32; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

/// ImageNet's mean R, G, B. Lucid, `color.py`.
pub const COLOR_MEAN: [f32; 3] = [0.48, 0.46, 0.41];

/// Half a step of 8-bit color: no photo is known better, and the logit of 0 and 1 is infinite.
const DARKEST: f32 = 0.5 / 256.0;

/// How unbounded numbers become colors in `0..=1`.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Squash {
    /// `1 / (1 + exp(-t))`: 0 is gray.
    Sigmoid,
    /// The number itself, cut off at 0 and 1; see [`constrain_l_inf`] for the gradient there.
    Clip,
}

/// How the free values of a param become colors, see [`to_valid_rgb`](super::to_valid_rgb).
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub struct ValidRgb {
    /// Whether they stand for uncorrelated colors, see [`decorrelation`].
    #[config(default = true)]
    pub decorrelate: bool,
    /// What keeps them between 0 and 1.
    #[config(default = "Squash::Sigmoid")]
    pub squash: Squash,
}

/// Valid RGB of unbounded numbers.
///
/// With `decorrelate` the three channels stand for uncorrelated colors, see [`decorrelation`]; clipped ones are then
/// relative to [`COLOR_MEAN`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::param::color::{Squash, to_valid_rgb};
///
/// let nothing = Tensor::<4>::zeros([1, 3, 2, 2], &Device::flex());
/// let gray = to_valid_rgb(nothing, true, Squash::Sigmoid);
/// assert_eq!(gray.mean().into_scalar::<f32>(), 0.5);
/// ```
///
/// # Shapes
/// - t: `[n, 3, h, w]`
/// - value: `[n, 3, h, w]`, in `0..=1`
///
/// # Reference
/// `to_valid_rgb` in Lucid, `color.py`.
pub fn to_valid_rgb(t: Tensor<4>, decorrelate: bool, squash: Squash) -> Tensor<4> {
    if decorrelate && squash == Squash::Sigmoid && cpu::holds(&t) {
        return sigmoid_of_mixed(t, decorrelation_matrix());
    }
    let device = t.device();
    let colors = if decorrelate { mix(t, decorrelation(&device)) } else { t };
    match squash {
        Squash::Sigmoid => sigmoid(colors),
        Squash::Clip => {
            let colors = if decorrelate { colors + mean(&device) } else { colors };
            constrain_l_inf(colors * 2.0 - 1.0) / 2.0 + 0.5
        }
    }
}

/// Numbers that [`to_valid_rgb`] makes `rgb` of: where an optimization that starts from a photo begins.
///
/// A sigmoid reaches neither 0 nor 1; colors are moved half an 8-bit step away from them first.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use entoptic::param::color::{Squash, from_valid_rgb, to_valid_rgb};
///
/// let photo = Tensor::<4>::random([1, 3, 4, 4], Distribution::Uniform(0.1, 0.9), &Device::flex());
/// let again = to_valid_rgb(from_valid_rgb(photo.clone(), true, Squash::Sigmoid), true, Squash::Sigmoid);
/// assert!((again - photo).abs().max().into_scalar::<f32>() < 1e-5);
/// ```
///
/// # Shapes
/// - rgb: `[n, 3, h, w]`, in `0..=1`
/// - value: `[n, 3, h, w]`
pub fn from_valid_rgb(rgb: Tensor<4>, decorrelate: bool, squash: Squash) -> Tensor<4> {
    let device = rgb.device();
    let colors = match squash {
        Squash::Sigmoid => {
            let rgb = rgb.clamp(DARKEST, 1.0 - DARKEST);
            rgb.clone().log() - (-rgb).log1p()
        }
        Squash::Clip if decorrelate => rgb - mean(&device),
        Squash::Clip => rgb,
    };
    if decorrelate { mix(colors, correlation(&device)) } else { colors }
}

/// The matrix `[3, 3]` that makes RGB of uncorrelated colors: the square root of the color correlation, divided by the
/// norm of its longest column.
///
/// # Reference
/// `_linear_decorrelate_color` in Lucid, `color.py`.
pub fn decorrelation(device: &Device) -> Tensor<2> {
    Tensor::from_floats(decorrelation_matrix(), device)
}

fn decorrelation_matrix() -> [[f32; 3]; 3] {
    let norms = (0..3).map(|axis| COLOR_CORRELATION_SVD_SQRT.iter().map(|row| row[axis].powi(2)).sum::<f32>().sqrt());
    let longest = norms.fold(0.0, f32::max);
    COLOR_CORRELATION_SVD_SQRT.map(|row| row.map(|v| v / longest))
}

/// The matrix `[3, 3]` that makes uncorrelated colors of RGB: the inverse of [`decorrelation`].
pub fn correlation(device: &Device) -> Tensor<2> {
    let rows: Vec<f32> = decorrelation(device).try_into_vec_as().expect("a matrix holds f32");
    let at = |row: usize, column: usize| f64::from(rows[row % 3 * 3 + column % 3]);
    // Taken cyclically, a minor has its cofactor's sign.
    let cofactor = |row: usize, column: usize| {
        at(row + 1, column + 1) * at(row + 2, column + 2) - at(row + 1, column + 2) * at(row + 2, column + 1)
    };
    let determinant: f64 = (0..3).map(|column| at(0, column) * cofactor(0, column)).sum();
    let inverse = [0, 1, 2].map(|row| [0, 1, 2].map(|column| (cofactor(column, row) / determinant) as f32));
    Tensor::from_floats(inverse, device)
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

/// [`COLOR_MEAN`] as one pixel, `[1, 3, 1, 1]`.
fn mean(device: &Device) -> Tensor<4> {
    Tensor::<1>::from_floats(COLOR_MEAN, device).reshape([1, 3, 1, 1])
}
