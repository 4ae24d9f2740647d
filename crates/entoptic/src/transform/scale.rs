use burn::tensor::Tensor;

use super::geometry::{self, Geometry};
use crate::{band::Resampling, resize};

/// The size that [`scale()`](fn@scale) makes of `size`: the product in single precision, truncated, as Lucid does.
pub fn scaled(size: [usize; 2], factor: f32) -> [usize; 2] {
    size.map(|side| (factor * side as f32) as usize)
}

/// Resizes bilinearly, see [`resize_bilinear_nd`](crate::resize_bilinear_nd).
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[n, c, h', w']`, see [`scaled`]
pub fn scale(images: Tensor<4>, factor: f32) -> Tensor<4> {
    let [_, _, h, w] = images.dims();
    geometry::apply(vec![scaling([h, w], factor)], images)
}

pub(super) fn scaling(size: [usize; 2], factor: f32) -> Geometry {
    let to = scaled(size, factor);
    Geometry::Resampling(Resampling::new(size, [0, 1].map(|axis| resize::band(size[axis], to[axis]))).into())
}
