use burn::tensor::Tensor;

/// The part of `size` `[h, w]` that starts at `offset` `[y, x]`.
///
/// # Shapes
/// - images: `[n, c, h', w']`
/// - value: `[n, c, h, w]`
pub fn crop(images: Tensor<4>, [y, x]: [usize; 2], [h, w]: [usize; 2]) -> Tensor<4> {
    images.narrow(2, y, h).narrow(3, x, w)
}
