//! Tensors that vary slowly: a small one, resized.

use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::{DEFAULT_SD, Param, custom, normal};
use crate::resize_bilinear_nd;

/// How far the content of one axis is shifted towards its end; what comes in at the start mirrors what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offset {
    /// Not at all. Lucid's `None`, `False` and 0.
    #[default]
    None,
    /// By half of what one number of the small tensor covers, rounded down, so that it is centered there. Lucid's `True`.
    Half,
    /// By this many places. A number in Lucid, which rounds fractions towards 0.
    By(usize),
}

impl Offset {
    /// The shift in places of an axis that is resized from `from` to `to`.
    pub fn places(self, from: usize, to: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Half => to / (2 * from),
            Self::By(places) => places,
        }
    }
}

/// Images made of fewer numbers `underlying` `[n, c, h, w]`, drawn with standard deviation 0.01 around 0, by
/// interpolating along each axis in which they are fewer.
///
/// The batch is an axis like the others: from one image to six makes them the same, from two to six blends them.
///
/// ```
/// use entoptic::param::{ValidRgb, fft_image, lowres_tensor, to_valid_rgb};
///
/// // Six images that share what is large in them.
/// let shared = lowres_tensor([6, 3, 64, 64], [1, 3, 8, 8]) + lowres_tensor([6, 3, 64, 64], [2, 3, 4, 4]);
/// let images = to_valid_rgb(fft_image([6, 3, 64, 64]) + shared, ValidRgb::new());
/// assert_eq!(images.batch(), 6);
/// ```
///
/// # Panics
/// If an axis is empty.
///
/// # Reference
/// `lowres_tensor` in Lucid, `lowres.py`; with offsets it is [`lowres`] in a [`custom`](super::custom) param.
pub fn lowres_tensor(shape: [usize; 4], underlying: [usize; 4]) -> Param {
    param(shape, underlying, DEFAULT_SD)
}

pub(super) fn param(shape: [usize; 4], underlying: [usize; 4], sd: f64) -> Param {
    assert!(!shape.contains(&0) && !underlying.contains(&0), "images have a number or more along each axis");
    custom(
        shape,
        move |rng, device| vec![normal(sd, underlying.iter().product(), rng, device)],
        move |_| Box::new(move |variables| lowres(variables[0].clone().reshape(underlying), shape, [Offset::None; 4])),
    )
}

/// `small`, resized to `shape` and shifted by an offset along each axis.
///
/// The batch is an axis like the others: from one image to six makes them the same, from two to six blends them.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::param::{Offset, lowres};
///
/// let small = Tensor::<1>::from_floats([0.0, 2.0], &Device::flex());
/// let plain = lowres(small.clone(), [4], [Offset::None]);
/// assert_eq!(plain.try_into_vec_as::<f32>().unwrap(), [0.0, 1.0, 2.0, 2.0]);
/// let centered = lowres(small, [4], [Offset::Half]);
/// assert_eq!(centered.try_into_vec_as::<f32>().unwrap(), [0.0, 0.0, 1.0, 2.0]);
/// ```
///
/// # Shapes
/// - small: any
/// - value: `shape`
///
/// # Panics
/// If an offset is larger than its axis: there is then not enough to mirror.
///
/// # Reference
/// `lowres_tensor` in Lucid, `lowres.py`.
pub fn lowres<const D: usize>(small: Tensor<D>, shape: [usize; D], offsets: [Offset; D]) -> Tensor<D> {
    let from = small.dims();
    let large = resize_bilinear_nd(small, shape);
    (0..D).fold(large, |large, axis| shift(large, axis, offsets[axis].places(from[axis], shape[axis])))
}

/// `tensor` moved along an axis by `places`; the start is filled with its mirror image, the first number repeated.
fn shift<const D: usize>(tensor: Tensor<D>, axis: usize, places: usize) -> Tensor<D> {
    let side = tensor.dims()[axis];
    assert!(places <= side, "{side} places cannot be mirrored {places} wide");
    if places == 0 {
        return tensor;
    }
    let sources: Vec<i64> = (0..places).rev().chain(0..side - places).map(|place| place as i64).collect();
    let device = tensor.device().without_autodiff();
    tensor.select(axis, Tensor::<1, Int>::from_data(TensorData::new(sources, [side]), &device))
}
