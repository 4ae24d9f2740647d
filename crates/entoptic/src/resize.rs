//! Bilinear resizing by the rule of TensorFlow 1, along any axes.

use burn::tensor::{Device, Tensor, TensorData};

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
    let mut shape = tensor.dims();
    let from = shape[axis];
    if from == to {
        return tensor;
    }
    let weights = interpolation(from, to, &tensor.device());
    let [outer, inner] = [&shape[..axis], &shape[axis + 1..]].map(|axes| axes.iter().product::<usize>());
    shape[axis] = to;
    match inner {
        1 => tensor.reshape([outer, from]).matmul(weights.transpose()).reshape(shape),
        _ => weights.unsqueeze::<3>().matmul(tensor.reshape([outer, from, inner])).reshape(shape),
    }
}

/// The weights `[to, from]` with which each output reads its two nearest inputs.
fn interpolation(from: usize, to: usize, device: &Device) -> Tensor<2> {
    assert!(from > 0, "nothing cannot be resized to {to}");
    let step = from as f32 / to as f32;
    let mut weights = vec![0.0; to * from];
    for (i, row) in weights.chunks_mut(from).enumerate() {
        let source = i as f32 * step;
        let below = (source as usize).min(from - 1);
        let above = (below + 1).min(from - 1);
        let fraction = source - below as f32;
        row[below] += 1.0 - fraction;
        row[above] += fraction;
    }
    Tensor::from_data(TensorData::new(weights, [to, from]), device)
}
