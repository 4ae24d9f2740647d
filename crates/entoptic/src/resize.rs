//! Bilinear resizing by the rule of TensorFlow 1, along any axes.

use burn::tensor::Tensor;

use crate::taps::Taps;

/// Resizes linearly along every axis: number `i` of a resized axis is read at `i * from / to`, without half-pixel
/// centers, clamped at the last one.
///
/// Along the batch that blends: from 2 images to 6 the weights of the second are 0, 1/3, 2/3, 1, 1, 1.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::resize_bilinear_nd;
///
/// let two = Tensor::<1>::from_floats([0.0, 3.0], &Device::flex());
/// let six = resize_bilinear_nd(two, [6]);
/// assert_eq!(six.try_into_vec_as::<f32>().unwrap(), [0.0, 1.0, 2.0, 3.0, 3.0, 3.0]);
/// ```
///
/// # Shapes
/// - tensor: any
/// - value: `shape`
///
/// # Panics
/// If an axis is empty and shall not be.
///
/// # Reference
/// `resize_bilinear_nd.py` in Lucid; `tf.image.resize_bilinear` of TensorFlow 1.
pub fn resize_bilinear_nd<const D: usize>(tensor: Tensor<D>, shape: [usize; D]) -> Tensor<D> {
    (0..D).rev().fold(tensor, |tensor, axis| resize_axis(tensor, axis, shape[axis]))
}

fn resize_axis<const D: usize>(tensor: Tensor<D>, axis: usize, to: usize) -> Tensor<D> {
    let from = tensor.dims()[axis];
    if from == to {
        return tensor;
    }
    let step = from as f32 / to as f32;
    Taps::linear(from, to, |i| f64::from(i as f32 * step)).apply(tensor, axis)
}
