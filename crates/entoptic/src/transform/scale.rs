use burn::tensor::Tensor;

use crate::resize_bilinear_nd;

/// The size that [`scale()`](fn@scale) makes of `size`: the product in single precision, truncated, as Lucid does.
pub fn scaled(size: [usize; 2], factor: f32) -> [usize; 2] {
    size.map(|side| (factor * side as f32) as usize)
}

/// Resizes bilinearly, see [`resize_bilinear_nd`].
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[n, c, h', w']`, see [`scaled`]
pub fn scale(images: Tensor<4>, factor: f32) -> Tensor<4> {
    let [n, c, h, w] = images.dims();
    let [to_h, to_w] = scaled([h, w], factor);
    resize_bilinear_nd(images, [n, c, to_h, to_w])
}
