use burn::{
    config::Config,
    tensor::{Tensor, TensorData},
};

use super::{INPUT, Objective, Step, blur::blur, measure::Measure};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// Minus what is not plain at the images' borders: squared differences from the blurred images, and from a gray.
///
/// What counts as border is what lies within `width` pixels of an edge, unless a mask is given with
/// [`Objective::masked`], which says it instead.
///
/// **Sign**: negative already, a penalty to add.
///
/// ```
/// use entoptic::objective::{BoundaryConfig, Objective, channel, penalize_boundary_complexity};
///
/// let framed = channel("fire5", 20) + penalize_boundary_complexity(BoundaryConfig::new().with_width(5));
/// assert_eq!("fire5:20 + penalize_boundary_complexity(width=5)".parse::<Objective>()?, framed);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[1]`
///
/// # Reference
/// `objectives.penalize_boundary_complexity` in Lucid.
pub fn penalize_boundary_complexity(config: BoundaryConfig) -> Objective {
    Objective::of(config)
}

/// The options of [`penalize_boundary_complexity`].
#[derive(Config, Debug, Copy, PartialEq)]
pub struct BoundaryConfig {
    /// Pixels from the edge that count as border.
    #[config(default = 20)]
    pub width: usize,
    /// The gray, from 0 to 1.
    #[config(default = 0.5)]
    pub gray: f64,
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "penalize_boundary_complexity",
    usage: "penalize_boundary_complexity(width=20, gray=0.5)",
    about: "Minus what is not plain at the images' borders: squared differences from the blurred images, and from a gray.",
    example: "fire5:20 + 0.01*penalize_boundary_complexity(width=5)",
    read: |arguments| {
        let default = BoundaryConfig::new();
        let width = arguments.optional("width")?.unwrap_or(default.width);
        let gray = arguments.optional("gray")?.unwrap_or(default.gray);
        Ok(penalize_boundary_complexity(BoundaryConfig { width, gray }))
    },
};

pub(super) type Boundary = BoundaryConfig;

/// The blur's width in pixels, and how much the gray counts beside it; Lucid, `objectives.py`.
const BLUR_WIDTH: usize = 5;
const GRAY_WEIGHT: f64 = 0.8;

impl Measure for Boundary {
    fn layers(&self) -> Vec<&str> {
        vec![INPUT]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let images = step.unmasked().map(INPUT)?;
        let [_, _, h, w] = images.dims();
        let plain = blur(images.clone(), BLUR_WIDTH);
        let differences = (plain - images.clone()).powi_scalar(2)
            + images.sub_scalar(self.gray).powi_scalar(2).mul_scalar(GRAY_WEIGHT);
        let counted = match step.mask() {
            Some(mask) => mask.apply(differences)?,
            None => {
                let border = TensorData::new(border(h, w, self.width), [1, 1, h, w]);
                differences * Tensor::from_data(border, &step.device())
            }
        };
        Ok(-counted.sum())
    }

    fn write(&self) -> Call {
        let default = BoundaryConfig::new();
        Call::new(ENTRY.name).unless(&default.width, "width", &self.width).unless(&default.gray, "gray", &self.gray)
    }
}

/// One within `width` pixels of an edge, zero elsewhere.
fn border(h: usize, w: usize, width: usize) -> Vec<f32> {
    let inside = |i: usize, side: usize| i >= width && i + width < side;
    (0..h * w).map(|i| if inside(i / w, h) && inside(i % w, w) { 0.0 } else { 1.0 }).collect()
}
