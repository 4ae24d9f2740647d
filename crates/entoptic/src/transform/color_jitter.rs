use burn::{
    config::Config,
    tensor::{Device, Tensor},
};
use rand::RngExt;

use super::{Change, Part, Transform, check_amount};
use crate::{
    Error,
    chance::Rng,
    notation::{Call, Entry},
    param::color::mix,
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "color_jitter",
    usage: "color_jitter(brightness=0, contrast=0, saturation=0, hue=0)",
    about: "Changes brightness, contrast, saturation and hue at random.",
    example: "color_jitter(0.1, 0.1, 0.2, 10)",
    read: |arguments| {
        Ok(color_jitter(ColorJitter {
            brightness: arguments.optional("brightness")?.unwrap_or(0.0),
            contrast: arguments.optional("contrast")?.unwrap_or(0.0),
            saturation: arguments.optional("saturation")?.unwrap_or(0.0),
            hue: arguments.optional("hue")?.unwrap_or(0.0),
        }))
    },
};

/// How much [`color_jitter`] changes; 0 is not at all.
#[derive(Config, Debug, PartialEq)]
pub struct ColorJitter {
    /// Colors are multiplied by a number in `1 - brightness ..= 1 + brightness`.
    #[config(default = 0.0)]
    pub brightness: f64,
    /// Distances from the image's mean luma are multiplied by a number in `1 - contrast ..= 1 + contrast`.
    #[config(default = 0.0)]
    pub contrast: f64,
    /// Distances from a pixel's own luma are multiplied by a number in `1 - saturation ..= 1 + saturation`.
    #[config(default = 0.0)]
    pub saturation: f64,
    /// Colors are turned about the grays by an angle in `-hue ..= hue` degrees.
    #[config(default = 0.0)]
    pub hue: f64,
}

/// Changes brightness, contrast, saturation and hue at random.
///
/// It draws the four in this order and applies them in it, with `y` the luma `0.299 r + 0.587 g + 0.114 b`:
///
/// - brightness: `rgb * b`
/// - contrast: `m + (rgb - m) * k`, where `m` is the mean of `y` over the image
/// - saturation: `y + (rgb - y) * s`
/// - hue: `rgb` turned about the axis `(1, 1, 1)`, on which the grays lie
///
/// All of it is linear in the image, and so differentiable; colors are not clipped to `0..=1`. Images of fewer than
/// three channels pass as they are, and so do channels behind the third.
///
/// ```
/// use entoptic::transform::{ColorJitter, color_jitter};
///
/// let jitter = color_jitter(ColorJitter::new().with_brightness(0.2).with_hue(15.0));
/// assert_eq!(jitter.to_string(), "color_jitter(brightness=0.2, hue=15)");
/// ```
pub fn color_jitter(amounts: ColorJitter) -> Transform {
    Part::ColorJitter(amounts).into()
}

/// The luma of red, green and blue: ITU-R BT.601.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

impl Change for ColorJitter {
    fn apply(&self, images: Tensor<4>, rng: &mut Rng) -> Tensor<4> {
        let mut draw = |middle: f64, amount: f64| rng.random_range(middle - amount..=middle + amount) as f32;
        let (brightness, contrast) = (draw(1.0, self.brightness), draw(1.0, self.contrast));
        let (saturation, hue) = (draw(1.0, self.saturation), draw(0.0, self.hue));
        let [_, c, _, _] = images.dims();
        if c < 3 {
            return images;
        }
        let device = images.device();
        let rgb = images.clone().narrow(1, 0, 3) * brightness;
        let mean = mix(rgb.clone(), luma(&device)).mean_dims(&[2, 3]); // [n, 3, 1, 1]
        let rgb = mean.clone() + (rgb - mean) * contrast;
        let rgb = mix(rgb, hue_matrix(hue, &device).matmul(saturation_matrix(saturation, &device)));
        match c {
            3 => rgb,
            _ => Tensor::cat(vec![rgb, images.narrow(1, 3, c - 3)], 1),
        }
    }

    fn check(&self, _images: [usize; 4]) -> Result<(), Error> {
        check_amount("the jitter of brightness", self.brightness)?;
        check_amount("the jitter of contrast", self.contrast)?;
        check_amount("the jitter of saturation", self.saturation)?;
        check_amount("the jitter of hue", self.hue)
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name)
            .unless(&0.0, "brightness", &self.brightness)
            .unless(&0.0, "contrast", &self.contrast)
            .unless(&0.0, "saturation", &self.saturation)
            .unless(&0.0, "hue", &self.hue)
    }
}

/// The matrix `[3, 3]` that makes a color gray.
fn luma(device: &Device) -> Tensor<2> {
    Tensor::from_floats([LUMA; 3], device)
}

fn saturation_matrix(factor: f32, device: &Device) -> Tensor<2> {
    luma(device) * (1.0 - factor) + Tensor::eye(3, device) * factor
}

/// The rotation about `(1, 1, 1)`, by Rodrigues' formula.
fn hue_matrix(degrees: f32, device: &Device) -> Tensor<2> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (mean, turn) = ((1.0 - cos) / 3.0, sin / 3.0f32.sqrt());
    let [own, next, last] = [mean + cos, mean - turn, mean + turn];
    Tensor::from_floats([[own, next, last], [last, own, next], [next, last, own]], device)
}
