use burn::tensor::Tensor;

use super::window::window;

/// The part of `size` `[h, w]` that starts at `offset` `[y, x]`.
///
/// # Shapes
/// - images: `[n, c, h', w']`
/// - value: `[n, c, h, w]`
///
/// # Panics
/// If it is not all there.
pub fn crop(images: Tensor<4>, offset @ [y, x]: [usize; 2], size @ [h, w]: [usize; 2]) -> Tensor<4> {
    let [_, _, from_h, from_w] = images.dims();
    assert!(y + h <= from_h && x + w <= from_w, "{h}x{w} pixels from {y}, {x} on are not within {from_h}x{from_w}");
    window(images, offset.map(usize::cast_signed), size, 0.0)
}
