use burn::tensor::Tensor;

use super::{Change, Part, Transform, check_amount};
use crate::{
    Error,
    chance::Rng,
    notation::{Call, Entry},
    param::{ImageSample, ImageSampleConfig},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "collapse_alpha_random",
    usage: "collapse_alpha_random(sd=0.5)",
    about: "Lays images with an alpha channel on random images as smooth as natural ones.",
    example: "collapse_alpha_random(0.5)",
    read: |arguments| Ok(collapse_alpha_random(arguments.optional("sd")?.unwrap_or(DEFAULT_SD))),
};

/// Of the waves' coefficients; Lucid, `transform.py`.
const DEFAULT_SD: f64 = 0.5;

/// Lays images with an alpha channel on random images as smooth as natural ones.
///
/// What is transparent must then look right on any background, so that the objective decides what is opaque. Images
/// without a fourth channel pass as they are.
///
/// It draws the backgrounds' spectra `[2, n, 3, h, columns]` of standard deviation `sd`, in that order; 0.5 in Lucid.
/// See [`collapse_alpha`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::{
///     chance::{Purpose, draws},
///     transform::collapse_alpha_random,
/// };
///
/// let images = Tensor::<4>::zeros([2, 4, 32, 48], &Device::flex());
/// let laid = collapse_alpha_random(0.5).apply(images, &mut draws(0, Purpose::Transforms));
/// assert_eq!(laid.dims(), [2, 3, 32, 48]);
/// ```
///
/// # Reference
/// `transform.collapse_alpha_random` in Lucid.
pub fn collapse_alpha_random(sd: f64) -> Transform {
    Part::CollapseAlpha(CollapseAlpha { sd }).into()
}

/// Images laid on `backgrounds`: `rgb * alpha + (1 - alpha) * background`.
///
/// # Shapes
/// - images: `[n, 4, h, w]`, alpha last
/// - backgrounds: `[n, 3, h, w]`
/// - value: `[n, 3, h, w]`
pub fn collapse_alpha(images: Tensor<4>, backgrounds: Tensor<4>) -> Tensor<4> {
    let (rgb, alpha) = (images.clone().narrow(1, 0, 3), images.narrow(1, 3, 1));
    rgb * alpha.clone() + (1.0 - alpha) * backgrounds
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct CollapseAlpha {
    sd: f64,
}

impl Change for CollapseAlpha {
    fn apply(&self, images: Tensor<4>, rng: &mut Rng) -> Tensor<4> {
        let [n, c, h, w] = images.dims();
        if c != 4 {
            return images;
        }
        let config = ImageSampleConfig::new().with_sd(self.sd);
        let backgrounds = ImageSample::new(n, [h, w], &config, &images.device()).draw(rng);
        collapse_alpha(images, backgrounds)
    }

    fn channels(&self, c: usize) -> usize {
        if c == 4 { 3 } else { c }
    }

    fn check(&self, _images: [usize; 4]) -> Result<(), Error> {
        check_amount("the backgrounds' standard deviation", self.sd)
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.sd)
    }
}
