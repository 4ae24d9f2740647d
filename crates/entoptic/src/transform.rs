//! Transforms: random changes to the image before each step, so that what is optimized survives them.

mod catalog;
mod choice;
mod collapse_alpha;
mod color_jitter;
mod crop;
mod crop_or_pad;
mod flip;
mod geometry;
mod jitter;
mod noise;
mod normalize_gradient;
mod pad;
mod random_resized_crop;
mod random_rotate;
mod random_scale;
mod rotate;
mod scale;
mod text;
mod window;

use std::mem;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub use self::{
    catalog::CATALOG,
    choice::Choice,
    collapse_alpha::{collapse_alpha, collapse_alpha_random},
    color_jitter::{ColorJitter, color_jitter},
    crop::crop,
    crop_or_pad::{crop_or_pad, crop_or_pad_to},
    flip::flip,
    jitter::jitter,
    noise::noise,
    normalize_gradient::{normalize_gradient, normalized_gradient},
    pad::{PadMode, pad, pad_image},
    random_resized_crop::{random_resized_crop, resized_crop},
    random_rotate::{random_rotate, random_rotate_bilinear},
    random_scale::random_scale,
    rotate::{rotate, rotate_bilinear},
    scale::{scale, scaled},
};
use self::{
    collapse_alpha::CollapseAlpha, crop_or_pad::CropOrPad, flip::Flip, geometry::Geometry, jitter::Jitter,
    noise::Noise, normalize_gradient::NormalizeGradient, pad::Pad, random_resized_crop::RandomResizedCrop,
    random_rotate::RandomRotate, random_scale::RandomScale,
};
use crate::{Error, chance::Rng, notation::Call};

/// Random changes to a batch of images, one after the other; one draw holds for the whole batch.
///
/// Transforms are values, and have a text form that parses back; the [`CATALOG`] lists what it can say:
///
/// ```
/// use entoptic::transform::{Transform, compose, jitter, random_rotate, standard};
///
/// let gentle = compose([jitter(4), random_rotate([-2.0, 0.0, 2.0]), jitter(2)]);
/// assert_eq!(gentle.to_string(), "jitter(4) rotate([-2, 0, 2]) jitter(2)");
/// assert_eq!("jitter(4) rotate([-2, 0, 2]) jitter(2)".parse::<Transform>()?, gentle);
/// assert_eq!(gentle.smallest([128, 128]), [122, 122]);
/// assert_eq!(standard().smallest([128, 128]), [125, 125]);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// `optvis/transform.py` in Lucid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Transform(Vec<Part>);

/// One change, and what is drawn from.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    CollapseAlpha(CollapseAlpha),
    ColorJitter(ColorJitter),
    CropOrPad(CropOrPad),
    Flip(Flip),
    Jitter(Jitter),
    Noise(Noise),
    NormalizeGradient(NormalizeGradient),
    Pad(Pad),
    RandomResizedCrop(RandomResizedCrop),
    RandomRotate(RandomRotate),
    RandomScale(RandomScale),
}

/// What every change can do.
trait Change {
    /// Draws one change to planes of `size` `[h, w]`, if it only moves pixels; otherwise draws nothing.
    fn geometry(&self, _size: [usize; 2], _rng: &mut Rng) -> Option<Geometry> {
        None
    }

    /// Draws one change and applies it to images `[n, c, h, w]`; asked only where there is no [geometry](Self::geometry).
    fn apply(&self, _images: Tensor<4>, _rng: &mut Rng) -> Tensor<4> {
        unreachable!("a change without a geometry says how it is applied")
    }

    /// The smallest and the largest size `[h, w]` that images of `size` can come out with.
    fn sizes(&self, size: [usize; 2]) -> [[usize; 2]; 2] {
        [size; 2]
    }

    /// How many channels images of `c` channels come out with.
    fn channels(&self, c: usize) -> usize {
        c
    }

    /// Whether every draw is possible for images `[n, c, h, w]`.
    fn check(&self, _images: [usize; 4]) -> Result<(), Error> {
        Ok(())
    }

    /// Its text.
    fn write(&self) -> Call;
}

/// One transform after the other.
///
/// ```
/// use entoptic::transform::{compose, flip, jitter};
///
/// assert_eq!(compose([jitter(8), flip()]).to_string(), "jitter(8) flip");
/// ```
pub fn compose(transforms: impl IntoIterator<Item = Transform>) -> Transform {
    Transform(transforms.into_iter().flat_map(|Transform(parts)| parts).collect())
}

/// No transform.
///
/// ```
/// use entoptic::transform::{compose, none};
///
/// assert_eq!(compose([none(), none()]), none());
/// ```
pub fn none() -> Transform {
    compose([])
}

/// Lucid's `standard_transforms`: pad 12, jitter 8, scale 0.90 to 1.10, rotate by -10 to 10 degrees, jitter 4.
///
/// ```
/// use entoptic::transform::{Transform, standard};
///
/// assert_eq!("standard".parse::<Transform>()?, standard());
/// # Ok::<(), entoptic::Error>(())
/// ```
pub fn standard() -> Transform {
    compose([
        pad(12, PadMode::Constant(0.5)),
        jitter(8),
        random_scale((0..11).map(|i| 1.0 + (f64::from(i) - 5.0) / 50.0).collect::<Choice>()),
        random_rotate((-10..=10).chain([0; 5]).map(f64::from).collect::<Choice>()),
        jitter(4),
    ])
}

impl Transform {
    /// Draws one change of each part and applies it.
    ///
    /// The parts draw in their order, and each as often and in the order that its own documentation says.
    ///
    /// # Shapes
    /// - images: `[n, c, h, w]`
    /// - value: `[n, c', h', w']`, see [`channels`](Self::channels)
    ///
    /// # Panics
    /// If [`check`](Self::check) refuses such images.
    pub fn apply(&self, images: Tensor<4>, rng: &mut Rng) -> Tensor<4> {
        let [_, _, h, w] = images.dims();
        let (mut images, mut size, mut maps) = (images, [h, w], Vec::new());
        for change in self.changes() {
            if let Some(map) = change.geometry(size, rng) {
                [_, size] = map.sizes();
                maps.push(map);
                continue;
            }
            images = change.apply(geometry::apply(mem::take(&mut maps), images), rng);
            let [_, _, h, w] = images.dims();
            size = [h, w];
        }
        geometry::apply(maps, images)
    }

    /// The smallest size `[h, w]` that images of `size` can come out with.
    pub fn smallest(&self, size: [usize; 2]) -> [usize; 2] {
        self.changes().fold(size, |size, change| change.sizes(size)[0])
    }

    /// How many channels images of `c` channels come out with.
    ///
    /// ```
    /// use entoptic::transform::{collapse_alpha_random, standard};
    ///
    /// assert_eq!(standard().channels(4), 4);
    /// assert_eq!(collapse_alpha_random(0.5).channels(4), 3);
    /// ```
    pub fn channels(&self, c: usize) -> usize {
        self.changes().fold(c, |c, change| change.channels(c))
    }

    /// Whether every draw leaves something of `images` `[n, c, h, w]`, and does not make too much of them.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check(&self, [n, mut c, h, w]: [usize; 4]) -> Result<(), Error> {
        let [mut smallest, mut largest] = [[h, w]; 2];
        for change in self.changes() {
            let [h, w] = smallest;
            change.check([n, c, h, w])?;
            c = change.channels(c);
            [smallest, largest] = [change.sizes(smallest)[0], change.sizes(largest)[1]];
            if largest.iter().any(|&side| side > MAX_SIDE) {
                let [h, w] = largest;
                return Err(Error::out_of_range("a transformed image", format!("{h}x{w}"), "16384x16384 is the most"));
            }
        }
        Ok(())
    }

    fn changes(&self) -> impl Iterator<Item = &dyn Change> {
        self.0.iter().map(Part::change)
    }
}

/// Twice the largest image that a param makes.
const MAX_SIDE: usize = 16384;

impl Part {
    fn change(&self) -> &dyn Change {
        match self {
            Self::CollapseAlpha(change) => change,
            Self::ColorJitter(change) => change,
            Self::CropOrPad(change) => change,
            Self::Flip(change) => change,
            Self::Jitter(change) => change,
            Self::Noise(change) => change,
            Self::NormalizeGradient(change) => change,
            Self::Pad(change) => change,
            Self::RandomResizedCrop(change) => change,
            Self::RandomRotate(change) => change,
            Self::RandomScale(change) => change,
        }
    }
}

impl From<Part> for Transform {
    fn from(part: Part) -> Self {
        Self(vec![part])
    }
}

/// Whether `value`, which is called `what`, is a number of at least 0.
fn check_amount(what: &'static str, value: f64) -> Result<(), Error> {
    match value.is_finite() && value >= 0.0 {
        true => Ok(()),
        false => Err(Error::out_of_range(what, value, "it is a number of 0 or more")),
    }
}
