//! Images that are a texture seen through coordinates, such as a surface's.

use burn::tensor::{Int, Tensor};

/// A texture read bilinearly at `uv` in `0..=1`: `u` from left to right, `v` from bottom to top, repeated beyond.
///
/// Differentiable with respect to both. The centers of texels are at half-integer multiples of a texel, as in OpenGL
/// (`GL_LINEAR`, `GL_REPEAT`).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::param::bilinearly_sampled_image;
///
/// let device = Device::flex();
/// let texture = Tensor::<4>::from_floats([[[[0.0, 1.0], [2.0, 3.0]]]], &device);
/// // The center of the texel on the lower left, and the middle of all four.
/// let uv = Tensor::<3>::from_floats([[[0.25, 0.25], [0.5, 0.5]]], &device);
/// let image = bilinearly_sampled_image(texture, uv);
/// assert_eq!(image.try_into_vec_as::<f32>().unwrap(), [2.0, 1.5]);
/// ```
///
/// # Shapes
/// - texture: `[n, c, th, tw]`
/// - uv: `[h, w, 2]`
/// - value: `[n, c, h, w]`
///
/// # Reference
/// `bilinearly_sampled_image` in Lucid, `spatial.py`.
pub fn bilinearly_sampled_image(texture: Tensor<4>, uv: Tensor<3>) -> Tensor<4> {
    let [n, c, th, tw] = texture.dims();
    let [h, w, two] = uv.dims();
    assert_eq!(two, 2, "coordinates are pairs");
    let [u, v] = [0, 1].map(|axis| uv.clone().narrow(2, axis, 1).reshape([h * w]));
    let columns = Corners::new(u * tw as f32 - 0.5, tw);
    let rows = Corners::new((-v + 1.0) * th as f32 - 0.5, th);

    let texels = texture.reshape([n, c, th * tw]);
    let read = |row: &Tensor<1, Int>, column: &Tensor<1, Int>| {
        texels.clone().select(2, row.clone() * tw as i64 + column.clone())
    };
    let [right, lower] = [columns.fraction, rows.fraction].map(|fraction| fraction.reshape([1, 1, h * w]));
    let between =
        |first: Tensor<3>, second: Tensor<3>, fraction: &Tensor<3>| first.clone() + (second - first) * fraction.clone();
    let [above, below] =
        [&rows.first, &rows.second].map(|row| between(read(row, &columns.first), read(row, &columns.second), &right));
    between(above, below, &lower).reshape([n, c, h, w])
}

/// The two texels of one axis around each point, and how far the point is from the first to the second.
struct Corners {
    first: Tensor<1, Int>,
    second: Tensor<1, Int>,
    fraction: Tensor<1>,
}

impl Corners {
    fn new(place: Tensor<1>, side: usize) -> Self {
        let below = place.clone().floor();
        let side = side as f32;
        let repeated = |texel: Tensor<1>| (texel.clone() - (texel / side).floor() * side).int();
        Self { first: repeated(below.clone()), second: repeated(below.clone() + 1.0), fraction: place - below }
    }
}
