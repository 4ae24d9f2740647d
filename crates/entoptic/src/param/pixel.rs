//! Every pixel is a variable.

use burn::tensor::Tensor;

use super::{DEFAULT_SD, Param, custom, normal};

/// Images `[n, c, h, w]` whose every pixel is a variable, drawn with standard deviation 0.01 around 0.
///
/// Values are free, not colors in `0..=1`: see [`to_valid_rgb`](super::to_valid_rgb).
///
/// ```
/// use entoptic::param::{ValidRgb, pixel_image, to_valid_rgb};
///
/// let image = to_valid_rgb(pixel_image([1, 3, 48, 64]), ValidRgb::new());
/// assert_eq!(image.shape(), [1, 3, 48, 64]);
/// ```
///
/// # Reference
/// `pixel_image` in Lucid, `spatial.py`.
pub fn pixel_image(shape: [usize; 4]) -> Param {
    param(shape, DEFAULT_SD)
}

pub(super) fn param(shape @ [n, c, h, w]: [usize; 4], sd: f64) -> Param {
    custom(
        shape,
        move |rng, device| vec![normal(sd, variables(n * c, [h, w]), rng, device)],
        move |_| {
            let map = map(n * c, [h, w]);
            Box::new(move |variables| map(variables[0].clone()).reshape(shape))
        },
    )
}

/// How many variables `planes` planes of `size` `[h, w]` have.
pub(super) fn variables(planes: usize, [h, w]: [usize; 2]) -> usize {
    planes * h * w
}

/// The map to planes `[planes, h, w]`.
pub(super) fn map(planes: usize, [h, w]: [usize; 2]) -> impl Fn(Tensor<1>) -> Tensor<3> {
    move |variable| variable.reshape([planes, h, w])
}
