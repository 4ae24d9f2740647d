//! Penalties that blur a little at each step.

use burn::tensor::{Device, Tensor, TensorData, module::conv2d, ops::ConvOptions};

use super::{INPUT, Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// Half the sum of the squared differences between the images and the same images blurred, which do not move.
///
/// To optimize `-k` times this is to replace the images by `(1 - k) * images + k * blurred` at each step.
///
/// **Sign**: positive, a penalty to subtract.
///
/// ```
/// use entoptic::objective::{Objective, blur_input_each_step, channel};
///
/// let smooth = channel("fire5", 20) - 0.1 * blur_input_each_step();
/// assert_eq!("fire5:20 - 0.1*blur_input_each_step()".parse::<Objective>()?, smooth);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[1]`
///
/// # Reference
/// `objectives.blur_input_each_step` in Lucid.
pub fn blur_input_each_step() -> Objective {
    Objective::of(Blur { channels: Channels::All })
}

/// Half the sum of the squared differences between the images' opacity and the same blurred, which does not move.
///
/// **Sign**: positive, a penalty to subtract.
///
/// ```
/// use entoptic::objective::{Objective, blur_alpha_each_step};
///
/// assert_eq!("blur_alpha_each_step()".parse::<Objective>()?, blur_alpha_each_step());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - images: `[n, 4, h, w]`, with alpha
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::WrongShape`] for images without alpha.
///
/// # Reference
/// `objectives.blur_alpha_each_step` in Lucid.
pub fn blur_alpha_each_step() -> Objective {
    Objective::of(Blur { channels: Channels::Alpha })
}

pub(super) const INPUT_ENTRY: Entry<Objective> = Entry {
    name: "blur_input_each_step",
    usage: "blur_input_each_step",
    about: "Half the sum of the squared differences between the images and the same images blurred, which do not move.",
    example: "fire5:20 - 0.1*blur_input_each_step()",
    read: |_| Ok(blur_input_each_step()),
};

pub(super) const ALPHA_ENTRY: Entry<Objective> = Entry {
    name: "blur_alpha_each_step",
    usage: "blur_alpha_each_step",
    about: "Half the sum of the squared differences between the images' opacity and the same blurred, which does not move.",
    example: "fire5:20 - 0.1*blur_alpha_each_step()",
    read: |_| Ok(blur_alpha_each_step()),
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Blur {
    channels: Channels,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Channels {
    All,
    Alpha,
}

/// The width of the blur in pixels; Lucid, `objectives.py`.
const WIDTH: usize = 3;

/// The channel of opacity.
const ALPHA: usize = 3;

impl Measure for Blur {
    fn layers(&self) -> Vec<&str> {
        vec![INPUT]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let images = step.map(INPUT)?;
        let [_, c, _, _] = images.dims();
        let images = match self.channels {
            Channels::All => images,
            Channels::Alpha if c <= ALPHA => {
                return Err(Error::shape("the image", &images.dims(), "has a fourth channel, alpha"));
            }
            Channels::Alpha => images.narrow(1, ALPHA, 1),
        };
        let blurred = blur(images.clone(), WIDTH).detach();
        Ok((images - blurred).powi_scalar(2).sum().mul_scalar(0.5))
    }

    fn write(&self) -> Call {
        Call::new(match self.channels {
            Channels::All => INPUT_ENTRY.name,
            Channels::Alpha => ALPHA_ENTRY.name,
        })
    }
}

/// Each pixel's weighted mean with its neighbors in a square of `width` pixels, whose outermost count half; pixels
/// outside the image do not count.
///
/// # Reference
/// `_tf_blur` in Lucid, `objectives.py`.
pub(super) fn blur(images: Tensor<4>, width: usize) -> Tensor<4> {
    let [_, c, h, w] = images.dims();
    let device = images.device();
    let weighted = |images: Tensor<4>, channels: usize| {
        let options = ConvOptions::new([1, 1], [width / 2, width / 2], [1, 1], channels);
        conv2d(images, kernel(width, channels, &device), None, options)
    };
    let counted = weighted(Tensor::ones([1, 1, h, w], &device), 1);
    weighted(images, c) / counted
}

fn kernel(width: usize, channels: usize, device: &Device) -> Tensor<4> {
    let inside = |i: usize| (1..width - 1).contains(&i);
    let weight = |i: usize| if inside(i / width) && inside(i % width) { 1.0f32 } else { 0.5 };
    let weights: Vec<f32> = (0..channels * width * width).map(|i| weight(i % (width * width))).collect();
    Tensor::from_data(TensorData::new(weights, [channels, 1, width, width]), device)
}
