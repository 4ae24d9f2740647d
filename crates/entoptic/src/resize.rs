//! Bilinear resizing by the rule of TensorFlow 1, along any axes.

use burn::tensor::Tensor;

use crate::band::{Band, resample};

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
    // The last two axes are those of planes; each axis before them is the first one of planes of all that comes after.
    let last = D.saturating_sub(2);
    let resized = resize_planes(tensor, last, shape);
    (0..last).rev().fold(resized, |tensor, axis| resize_planes(tensor, axis, shape))
}

/// Resizes an axis, and the one behind it if that is the last.
fn resize_planes<const D: usize>(tensor: Tensor<D>, axis: usize, shape: [usize; D]) -> Tensor<D> {
    let from = tensor.dims();
    let [planes, inner] = [&from[..axis], &from[axis + 1..]].map(|axes| axes.iter().product::<usize>());
    let columns = (axis + 2 == D).then(|| band(inner, shape[D - 1])).flatten();
    let rows = band(from[axis], shape[axis]);
    if rows.is_none() && columns.is_none() {
        return tensor;
    }
    let mut to = from;
    to[axis] = shape[axis];
    if columns.is_some() {
        to[axis + 1] = shape[axis + 1];
    }
    resample(tensor.reshape([planes, from[axis], inner]), [rows, columns]).reshape(to)
}

/// The map along an axis, if its length changes.
pub(crate) fn band(from: usize, to: usize) -> Option<Band> {
    let step = from as f32 / to as f32;
    (from != to).then(|| Band::linear(from, to, |i| f64::from(i as f32 * step)))
}
