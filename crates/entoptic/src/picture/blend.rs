//! Pictures laid on each other.

use burn::tensor::{Device, Tensor, TensorData};

use super::resize;
use crate::Error;

/// An image with alpha laid on white, as a browser shows it: `alpha * rgb + (1 - alpha)`.
///
/// # Shapes
/// - image: `[n, 4, h, w]`, in `0..=1`
/// - value: `[n, 3, h, w]`
///
/// # Panics
/// If there are not four channels.
pub fn on_white(image: Tensor<4>) -> Tensor<4> {
    let white = Tensor::ones([1, 1, 1, 1], &image.device());
    on_background(image, white)
}

/// An image with alpha laid on a background: `alpha * rgb + (1 - alpha) * background`.
///
/// # Shapes
/// - image: `[n, 4, h, w]`, in `0..=1`
/// - background: `[n, 3, h, w]`, or with 1 for what is the same everywhere
/// - value: `[n, 3, h, w]`
///
/// # Panics
/// If there are not four channels.
pub fn on_background(image: Tensor<4>, background: Tensor<4>) -> Tensor<4> {
    let [rgb, alpha] = split(image);
    rgb * alpha.clone() + (1.0 - alpha) * background
}

/// How many squares of a checkerboard a side has, and how bright they are; Lucid's notebook
/// `differentiable-parameterizations/transparency`.
const SQUARES: usize = 8;
const BRIGHTNESS: [f32; 2] = [0.95, 0.6];

/// A checkerboard of eight squares a side, as what is transparent is often shown on.
///
/// # Shapes
/// - value: `[1, 3, h, w]`
pub fn checkerboard([h, w]: [usize; 2], device: &Device) -> Tensor<4> {
    let square = |y: usize, x: usize| BRIGHTNESS[(y * SQUARES / h + x * SQUARES / w) % 2];
    let values = (0..h).flat_map(|y| (0..w).map(move |x| square(y, x))).collect();
    Tensor::<4>::from_data(TensorData::new(values, [1, 1, h, w]), device).repeat_dim(1, 3)
}

/// An image with alpha laid on a pale copy of itself, in linear light: what is transparent stays recognizable.
///
/// The background is `amount_background * rgb + (1 - amount_background)`; Lucid's amount is 0.333, its gamma 2.2.
///
/// # Shapes
/// - image: `[n, 4, h, w]`, in `0..=1`
/// - value: `[n, 3, h, w]`
///
/// # Panics
/// If there are not four channels.
///
/// # Reference
/// `soft_alpha_blend` in Lucid, `misc/ndimage_utils.py`.
pub fn soft_alpha_blend(image: Tensor<4>, amount_background: f32, gamma: f32) -> Tensor<4> {
    let [rgb, alpha] = split(image);
    let background = rgb.clone() * amount_background + (1.0 - amount_background);
    let light: Tensor<4> = alpha.clone() * rgb.powf_scalar(gamma) + (1.0 - alpha) * background.powf_scalar(gamma);
    light.powf_scalar(1.0 / gamma)
}

/// `foreground` laid on `background`, resized to `width_ratio` of its width.
///
/// `position` `[y, x]` says where in the space that is left over: `[0, 0]` is the top left corner, `[1, 1]` the bottom
/// right one. Lucid's ratio is 0.25, its position `[0, 0]`.
///
/// # Shapes
/// - background: `[n, c, h, w]`
/// - foreground: `[n, c, h', w']`
/// - value: `[n, c, h, w]`
///
/// # Errors
/// [`Error::OutOfRange`] for a ratio or a position that is not in `0..=1`, and where the foreground would be higher
/// than the background or less than a pixel.
///
/// # Panics
/// If the two differ in images or channels.
///
/// # Reference
/// `composite` in Lucid, `misc/ndimage_utils.py`.
pub fn composite(
    background: Tensor<4>,
    foreground: &Tensor<4>,
    width_ratio: f64,
    position: [f64; 2],
) -> Result<Tensor<4>, Error> {
    let fraction = |what: &'static str, value: f64| match (0.0..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(Error::OutOfRange { what, value: value.to_string(), accepted: "it is 0 to 1" }),
    };
    let width_ratio = fraction("a foreground's part of the width", width_ratio)?;
    let [y, x] = [fraction("a position", position[0])?, fraction("a position", position[1])?];
    let [n, c, h, w] = background.dims();
    let [foreground_n, foreground_c, foreground_h, foreground_w] = foreground.dims();
    assert_eq!([n, c], [foreground_n, foreground_c], "images and channels of background and foreground");
    let width = (width_ratio * w as f64) as usize;
    let height = (width as f64 * foreground_h as f64 / foreground_w as f64).round() as usize;
    if height > h {
        return Err(Error::OutOfRange {
            what: "a foreground's height",
            value: height.to_string(),
            accepted: "it is at most the background's; a smaller part of the width would do",
        });
    }
    let foreground = resize(foreground, [height, width])?;
    let top = (y * (h - height) as f64) as usize;
    let left = (x * (w - width) as f64) as usize;
    Ok(background.slice_assign([0..n, 0..c, top..top + height, left..left + width], foreground))
}

/// RGB and alpha apart: `[n, 3, h, w]` and `[n, 1, h, w]`.
fn split(image: Tensor<4>) -> [Tensor<4>; 2] {
    assert_eq!(image.dims()[1], 4, "an image with alpha has four channels");
    [image.clone().narrow(1, 0, 3), image.narrow(1, 3, 1)]
}
