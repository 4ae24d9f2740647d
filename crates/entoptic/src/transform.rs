//! Transforms: random, differentiable changes to the image before each step, so that what is optimized survives them.

mod crop;
mod pad;
mod rotate;
mod scale;

use burn::tensor::Tensor;
use rand::RngExt;
use serde::{Deserialize, Serialize};

pub use self::{
    crop::crop,
    pad::{PadMode, pad as pad_image},
    rotate::rotate,
    scale::{scale, scaled},
};
use crate::{Error, chance::Rng};

/// A random change to a batch of images; one draw holds for the whole batch.
///
/// ```
/// use entoptic::transform::{compose, jitter, random_rotate, standard};
///
/// let gentle = compose([jitter(4), random_rotate([-2.0, 0.0, 2.0]), jitter(2)]);
/// assert_eq!(gentle.smallest([128, 128]), [122, 122]);
/// assert_eq!(standard().smallest([128, 128]), [125, 125]);
/// ```
///
/// # Reference
/// `optvis/transform.py` in Lucid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// See [`pad`].
    Pad {
        /// Pixels on each side.
        width: usize,
        /// What they hold.
        mode: PadMode,
    },
    /// See [`jitter`].
    Jitter(usize),
    /// See [`random_scale`].
    RandomScale(Vec<f64>),
    /// See [`random_rotate`].
    RandomRotate(Vec<f64>),
    /// See [`compose`].
    Compose(Vec<Transform>),
}

/// Adds `width` pixels on each side.
pub fn pad(width: usize, mode: PadMode) -> Transform {
    Transform::Pad { width, mode }
}

/// Crops to `d` pixels less in height and width, at a random place.
pub fn jitter(d: usize) -> Transform {
    Transform::Jitter(d)
}

/// Resizes by one of `scales`, each as likely; see [`scale()`](fn@scale) for how.
pub fn random_scale(scales: impl IntoIterator<Item = f64>) -> Transform {
    Transform::RandomScale(scales.into_iter().collect())
}

/// Rotates about the center by one of `degrees`, each as likely; see [`rotate`] for how.
///
/// Lucid converts degrees with 3.14 for π; here π is π.
pub fn random_rotate(degrees: impl IntoIterator<Item = f64>) -> Transform {
    Transform::RandomRotate(degrees.into_iter().collect())
}

/// One transform after the other.
pub fn compose(transforms: impl IntoIterator<Item = Transform>) -> Transform {
    Transform::Compose(transforms.into_iter().collect())
}

/// No transform.
pub fn none() -> Transform {
    compose([])
}

/// Lucid's `standard_transforms`: pad 12, jitter 8, scale 0.90 to 1.10, rotate by -10 to 10 degrees, jitter 4.
pub fn standard() -> Transform {
    compose([
        pad(12, PadMode::Constant(0.5)),
        jitter(8),
        random_scale((0..11).map(|i| 1.0 + (f64::from(i) - 5.0) / 50.0)),
        random_rotate((-10..=10).chain([0; 5]).map(f64::from)),
        jitter(4),
    ])
}

impl Transform {
    /// Draws one change and applies it.
    ///
    /// # Shapes
    /// - images: `[n, c, h, w]`
    /// - value: `[n, c, h', w']`
    pub fn apply(&self, images: Tensor<4>, rng: &mut Rng) -> Tensor<4> {
        let [_, _, h, w] = images.dims();
        match self {
            Self::Pad { width, mode } => {
                let mode = match mode {
                    PadMode::Uniform => PadMode::Constant(rng.random()),
                    mode => *mode,
                };
                pad_image(images, *width, mode)
            }
            Self::Jitter(d) => {
                let offset = [rng.random_range(0..=*d), rng.random_range(0..=*d)];
                crop(images, offset, [h - d, w - d])
            }
            Self::RandomScale(scales) => scale(images, scales[rng.random_range(0..scales.len())] as f32),
            Self::RandomRotate(degrees) => {
                rotate(images, degrees[rng.random_range(0..degrees.len())].to_radians() as f32)
            }
            Self::Compose(transforms) => {
                transforms.iter().fold(images, |images, transform| transform.apply(images, rng))
            }
        }
    }

    /// The smallest size `[h, w]` that an image of `size` can come out with.
    pub fn smallest(&self, size @ [h, w]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Pad { width, .. } => [h + 2 * width, w + 2 * width],
            Self::Jitter(d) => [h.saturating_sub(*d), w.saturating_sub(*d)],
            Self::RandomScale(scales) => {
                let smallest = scales.iter().copied().fold(f64::INFINITY, f64::min);
                scaled(size, smallest as f32)
            }
            Self::RandomRotate(_) => size,
            Self::Compose(transforms) => transforms.iter().fold(size, |size, transform| transform.smallest(size)),
        }
    }

    /// Whether every draw leaves something of an image of `size` `[h, w]`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check(&self, size @ [h, w]: [usize; 2]) -> Result<(), Error> {
        let wrong = |what, value: String, accepted| Err(Error::OutOfRange { what, value, accepted });
        match self {
            Self::Pad { width, mode } if !mode.fits(*width, size) => {
                wrong("the padding", width.to_string(), "it mirrors at most what the image holds")
            }
            Self::Jitter(d) if *d >= h.min(w) => wrong("the jitter", d.to_string(), "it is less than the image's side"),
            Self::RandomScale(scales) if scales.is_empty() => {
                wrong("the list of scales", "empty".into(), "it holds one or more")
            }
            Self::RandomScale(scales) if scales.iter().any(|s| !s.is_finite()) || self.smallest(size).contains(&0) => {
                wrong("a scale", format!("{scales:?}"), "it leaves one pixel or more")
            }
            Self::RandomRotate(degrees) if degrees.is_empty() || degrees.iter().any(|d| !d.is_finite()) => {
                wrong("the list of angles", format!("{degrees:?}"), "it holds one or more numbers")
            }
            Self::Compose(transforms) => transforms
                .iter()
                .try_fold(size, |size, transform| transform.check(size).map(|()| transform.smallest(size)))
                .map(|_| ()),
            _ => Ok(()),
        }
    }
}
