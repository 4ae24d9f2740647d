//! Photos in which a network sees more and more of what it knows.

use burn::{config::Config, tensor::Tensor};

use super::{Job, after};
use crate::{Error, objective::Objective, optimizer::AdamConfig, param::image, picture, transform::jitter};

/// The options of a [`DeepDream`].
#[derive(Config, Debug, PartialEq)]
pub struct DeepDreamConfig {
    /// How many sizes the image is optimized at, the smallest first; 6 in Lucid's notebook.
    #[config(default = 6)]
    pub octaves: usize,
    /// How much larger each size is than the one before; 1.5 in Lucid's notebook.
    #[config(default = 1.5)]
    pub scale: f64,
    /// How many steps there are at each size; 50 in Lucid's notebook.
    #[config(default = 50)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// The learning rate of Adam; larger ones leave less of the photo.
    #[config(default = 0.02)]
    pub rate: f64,
}

/// An image at several sizes, each run starting where the one before ended, enlarged.
///
/// Waves are optimized, as everywhere here, which does for the gradient what the Laplacian pyramid of Lucid's notebook does:
/// large shapes move as easily as fine ones.
///
/// # Reference
/// [Inceptionism](https://research.google/blog/inceptionism-going-deeper-into-neural-networks), Mordvintsev et al., 2015;
/// Lucid's notebook `appendix/infinite_patterns`.
#[derive(Debug, Clone)]
pub struct DeepDream {
    /// `[1, 3, h, w]`.
    pub image: Tensor<4>,
}

/// The shortest side that is optimized, in pixels: about what the layers that people dream of see at once.
const SHORTEST: usize = 64;

/// How far the image is shifted at each step, at most, in pixels: what keeps the tiling of strides from showing.
const SHIFT: usize = 16;

impl DeepDream {
    /// Dreams on `photo` `[1, 3, h, w]`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for no octave or step, or a scale that is not above 1; as [`Job::render`].
    pub fn render(
        job: &mut Job<'_>,
        photo: &Tensor<4>,
        objective: &Objective,
        config: &DeepDreamConfig,
    ) -> Result<Self, Error> {
        if config.octaves == 0 || config.steps == 0 {
            return Err(Error::out_of_range("the number of octaves and of their steps", 0, "it is 1 or more"));
        }
        if config.scale.is_nan() || config.scale <= 1.0 {
            return Err(Error::out_of_range("the scale of octaves", config.scale, "it is above 1, such as 1.5"));
        }
        let [_, _, h, w] = photo.dims();
        image([h, w]).check()?;
        let mut sizes: Vec<[usize; 2]> = (0..config.octaves)
            .map(|octave| [h, w].map(|side| (side as f64 / config.scale.powi(octave as i32)).round() as usize))
            .filter(|size| size[0].min(size[1]) >= SHORTEST.min(h).min(w))
            .collect();
        sizes.reverse();
        job.expect(sizes.len() * config.steps);
        let run = after(config.steps, config.seed)?;
        let run = run.with_optimizer(AdamConfig::new().with_learning_rate(config.rate).into());
        // What has been dreamt, without the photo.
        let mut dream: Option<Tensor<4>> = None;
        for (octave, size) in sizes.iter().enumerate() {
            let seen = picture::resize(photo, *size)?;
            let start = match dream {
                Some(dream) => (seen.clone() + picture::resize(&dream, *size)?).clamp(0.0, 1.0),
                None => seen.clone(),
            };
            let shift = SHIFT.min(size[0] / 8).min(size[1] / 8);
            let run = run.clone().with_seed(config.seed.wrapping_add(octave as u64)).with_transforms(jitter(shift));
            let render = job.render(objective, image(*size).starting_at(&inside(start))?, &run)?;
            dream = Some(render.images().expect("it ended well").clone() - seen);
            if job.is_interrupted() {
                break;
            }
        }
        let dream = picture::resize(&dream.expect("there is an octave"), [h, w])?;
        Ok(Self { image: (photo.clone() + dream).clamp(0.0, 1.0) })
    }
}

/// Colors that a sigmoid can reach without being flat there.
fn inside(image: Tensor<4>) -> Tensor<4> {
    image.clamp(0.02, 0.98)
}
