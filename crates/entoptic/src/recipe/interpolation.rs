//! The way from one unit to another, with the same things at the same places.

use burn::{config::Config, tensor::Tensor};

use super::{Job, Unit, check_images};
use crate::{
    Error, RenderConfig,
    objective::{Objective, alignment, channel_interpolate},
    param::{Param, ValidRgb, fft_image, image, lowres_tensor, to_valid_rgb},
    picture::{self, Labels},
};

/// What the frames of an [`Interpolation`] share.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Shared {
    /// Nothing: each frame is an image by itself.
    Nothing,
    /// Everything: all frames are the same image.
    Everything,
    /// A coarse image, and there is nothing else.
    Coarse,
    /// Coarse images of the first frame and the last, between which the others blend, and there is nothing else.
    CoarseBlend,
    /// Coarse images of several kinds beside a fine one that each frame has of its own: frames align.
    Layouts,
}

/// The options of an [`Interpolation`], with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct InterpolationConfig {
    /// Pixels of a side.
    #[config(default = 128)]
    pub size: usize,
    /// How many frames there are.
    #[config(default = 6)]
    pub frames: usize,
    /// The last step.
    #[config(default = 512)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// What the frames share.
    #[config(default = "Shared::Layouts")]
    pub shared: Shared,
    /// Layers in whose activations neighboring frames are to be alike.
    #[config(default = "Vec::new()")]
    pub align: Vec<String>,
    /// How much.
    #[config(default = 0.1)]
    pub alignment: f64,
    /// How much less frames count that are one further apart.
    #[config(default = 5.0)]
    pub decay_ratio: f64,
}

/// Frames from one unit to another.
///
/// # Reference
/// Lucid's notebook `differentiable-parameterizations/aligned_interpolation`.
#[derive(Debug, Clone)]
pub struct Interpolation {
    /// `[t, 3, h, w]`.
    pub frames: Tensor<4>,
    /// The objective of the frames, without transforms.
    pub value: f64,
}

/// Frames of a second, in an animation of few: Lucid's show six in 1.5 seconds.
const FRAMES_PER_SECOND: f64 = 4.0;

impl Interpolation {
    /// Optimizes all frames at once.
    ///
    /// # Errors
    /// [`Error::BatchTooSmall`] for fewer than two frames; as [`Job::render`].
    pub fn render(
        job: &mut Job<'_>,
        from: impl Into<Unit>,
        to: impl Into<Unit>,
        config: &InterpolationConfig,
    ) -> Result<Self, Error> {
        let (from, to) = (from.into(), to.into());
        if config.frames < 2 {
            return Err(Error::BatchTooSmall { objective: "channel_interpolate", batch: config.frames, needed: 2 });
        }
        let between = channel_interpolate((from.layer, from.channel), (to.layer, to.channel));
        let alike: Objective = config.align.iter().map(|layer| alignment(layer, config.decay_ratio)).sum();
        let objective = if config.align.is_empty() { between } else { between + config.alignment * alike };
        job.expect(config.steps + 1);
        let run = RenderConfig::new().with_steps(config.steps).with_seed(config.seed);
        let render = job.render(&objective, param(config)?, &run)?;
        Ok(Self { frames: render.images().expect("it ended well").clone(), value: render.final_value })
    }

    /// The frames side by side, as a sprite sheet: `[1, 3, h, t * w]`.
    pub fn sprites(&self) -> Tensor<4> {
        let [t, ..] = self.frames.dims();
        picture::grid(&self.frames, t, 0).expect("there are frames")
    }

    /// A contact sheet: each frame with what it is of.
    pub fn picture(&self) -> Tensor<4> {
        let [t, ..] = self.frames.dims();
        let captions: Vec<String> = (0..t).map(|i| format!("{:.0}%", 100.0 * i as f64 / (t - 1) as f64)).collect();
        picture::labeled_grid(&self.frames, t, 4, &Labels { captions: &captions, ..Labels::default() })
    }

    /// The frames there and back, for an animation that loops: `[2 * t - 2, 3, h, w]`, and how many of them make a second.
    pub fn there_and_back(&self) -> (Tensor<4>, f64) {
        let [t, ..] = self.frames.dims();
        let back = self.frames.clone().narrow(0, 1, t - 1).flip([0]);
        let looped = match t {
            2 => self.frames.clone(),
            _ => Tensor::cat(vec![self.frames.clone(), back.narrow(0, 1, t - 2)], 0),
        };
        (looped, FRAMES_PER_SECOND.max(t as f64 / 4.0))
    }
}

/// What is optimized.
fn param(config: &InterpolationConfig) -> Result<Param, Error> {
    let (n, w) = (config.frames, config.size);
    let least = match config.shared {
        Shared::Nothing | Shared::Everything => 8,
        _ => 16,
    };
    check_images(n, w, least)?;
    let shape = [n, 3, w, w];
    let coarse = |count: usize, k: usize| lowres_tensor(shape, [count, 3, w / k, w / k]);
    let free = match config.shared {
        Shared::Nothing => return Ok(image([w, w]).with_batch(n).into()),
        Shared::Everything => coarse(1, 1),
        Shared::Coarse => coarse(1, 16),
        Shared::CoarseBlend => coarse(2, 16),
        Shared::Layouts => {
            let shared = [(1, 2), (1, 4), (1, 8), (2, 8), (1, 16), (2, 16)].map(|(count, k)| coarse(count, k));
            fft_image(shape) + shared.into_iter().sum::<Param>()
        }
    };
    Ok(to_valid_rgb(free, ValidRgb::new()))
}

#[cfg(test)]
mod tests {
    use entoptic_fixtures::{assert_close, mini_5h};

    use super::*;
    use crate::{
        objective::channel,
        recipe::test_runs::{first, largest},
        render::value_of,
    };

    const FROM: (&str, usize) = ("mixed4a_pre_relu", 20);
    const TO: (&str, usize) = ("mixed4a_pre_relu", 7);

    fn frames(config: &InterpolationConfig) -> Interpolation {
        Interpolation::render(&mut Job::new(&mini_5h()), FROM, TO, config).unwrap()
    }

    fn small() -> InterpolationConfig {
        InterpolationConfig::new().with_size(32).with_steps(24)
    }

    /// How much a frame differs from the next, next to how much it differs from gray.
    fn change(frames: &Tensor<4>) -> f32 {
        let [n, ..] = frames.dims();
        let differences = frames.clone().narrow(0, 1, n - 1) - frames.clone().narrow(0, 0, n - 1);
        let mean = |tensor: Tensor<4>| -> f32 { tensor.abs().mean().into_scalar() };
        mean(differences) / mean(frames.clone() - 0.5)
    }

    #[test]
    fn a_named_interpolation_is_the_one_written_out() {
        let terms = (0..5).map(|i| {
            let weight = i as f64 / 4.0;
            let [from, to] = [FROM, TO].map(|(layer, c)| channel(layer, c).batch(i));
            (1.0 - weight) * from + weight * to
        });
        let param = Param::from(image([32, 32]).with_batch(5).with_sd(0.5));
        let images = first(&param, &param);
        let value = |objective: &Objective| value_of(&mini_5h(), objective, images.clone()).unwrap();
        assert_close("interpolation", value(&terms.sum()), value(&channel_interpolate(FROM, TO)), 1e-5);
    }

    #[test]
    fn frames_that_share_everything_are_the_same() {
        let shared = frames(&small().with_shared(Shared::Everything).with_steps(8)).frames;
        let each = |i: usize| shared.clone().narrow(0, i, 1);
        assert!((1..6).all(|i| largest(each(i) - each(0)) == 0.0));
    }

    #[test]
    fn coarse_frames_blend_as_lucids_do() {
        let param = param(&small().with_shared(Shared::CoarseBlend)).unwrap();
        let blended = first(&param, &param);
        // Before the sigmoid they blend with weights 0, 1/3, 2/3, 1, 1, 1.
        let each = |i: usize| blended.clone().narrow(0, i, 1);
        assert_eq!(largest(each(3) - each(5)), 0.0);
        let between = largest(each(1) - (each(0) * 2.0 / 3.0 + each(3) / 3.0));
        assert!(between < 1e-3 && largest(each(0) - each(3)) > 1e-3, "{between}");
    }

    #[test]
    fn sharing_aligns_frames_and_asking_for_it_aligns_them_more() {
        let apart = frames(&small().with_shared(Shared::Nothing));
        let shared = frames(&small());
        assert!(change(&shared.frames) < 0.8 * change(&apart.frames));
        let layers = ["mixed3b", "mixed4a"].map(String::from);
        let aligned = frames(&small().with_align(layers.to_vec()));
        let alike: Objective = layers.iter().map(|layer| alignment(layer, 5.0)).sum();
        let value = |frames: &Tensor<4>| -> f32 { value_of(&mini_5h(), &alike, frames.clone()).unwrap().into_scalar() };
        assert!(value(&aligned.frames) > value(&shared.frames));
    }

    #[test]
    fn an_animation_goes_there_and_back_without_standing_still() {
        let interpolation = frames(&small().with_steps(1));
        let (looped, _) = interpolation.there_and_back();
        assert_eq!(looped.dims()[0], 10);
        let each = |i: usize| looped.clone().narrow(0, i, 1);
        assert_eq!(largest(each(4) - each(6)), 0.0);
        assert_eq!(largest(each(1) - each(9)), 0.0);
        assert_eq!(interpolation.sprites().dims(), [1, 3, 32, 6 * 32]);
    }
}
