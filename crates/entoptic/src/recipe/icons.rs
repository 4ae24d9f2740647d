//! Small images of directions in activation space.

use burn::{config::Config, tensor::Tensor};

use super::{Job, after, check_images};
use crate::{
    Error, RenderConfig,
    objective::{BoundaryConfig, WhitenedConfig, direction_neuron_s, penalize_boundary_complexity},
    param::image,
    picture,
    render::value_of,
    transform::{
        PadMode, Transform, collapse_alpha_random, compose, crop_or_pad_to, jitter, pad, random_rotate, random_scale,
    },
};

/// The options of [`Icons`], with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct IconsConfig {
    /// Pixels of a side.
    #[config(default = 80)]
    pub size: usize,
    /// How many steps there are.
    #[config(default = 128)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// How many times each icon is made, from another start; the one that shows its direction best is kept.
    #[config(default = 3)]
    pub attempts: usize,
    /// The power of the cosine between the direction and the activations that is asked for.
    #[config(default = 2.0)]
    pub cossim_pow: f64,
    /// Whether what does not matter is left transparent, to be shown pale.
    #[config(default = false)]
    pub alpha: bool,
    /// How many icons are optimized at once.
    #[config(default = 32)]
    pub at_once: usize,
}

/// An icon for each of some directions: what excites them in the center of a small image.
///
/// # Reference
/// `render_icons` in Lucid, `recipes/activation_atlas/render.py`.
#[derive(Debug, Clone)]
pub struct Icons {
    /// `[n, 3, size, size]`: fewer than directions if the job was ended.
    pub images: Tensor<4>,
}

/// How complex the outermost pixels may be; Lucid, `recipes/activation_atlas/render.py`.
const BOUNDARY: usize = 5;

/// How much of what is transparent is shown, so that it stays recognizable; the same file.
const LEAST_ALPHA: f64 = 0.2;

impl Icons {
    /// Optimizes an icon for each of `directions` `[n, c]`.
    ///
    /// Only where they point counts. In Lucid their length does, too: it is a factor of what is called a cosine there, and
    /// directions that are short beside a layer's activations leave icons gray.
    ///
    /// # Errors
    /// As [`Job::render`]; [`Error::OutOfRange`] for no direction, attempt, step or icon at once.
    pub fn render(job: &mut Job<'_>, layer: &str, directions: &Tensor<2>, config: &IconsConfig) -> Result<Self, Error> {
        let [n, c] = directions.dims();
        for (what, number) in [
            ("the number of directions", n),
            ("the number of attempts", config.attempts),
            ("the number of icons at once", config.at_once),
        ] {
            if number == 0 {
                return Err(Error::out_of_range(what, 0, "it is 1 or more"));
            }
        }
        let w = config.size;
        check_images(config.at_once, w, 8)?;
        job.expect(n.div_ceil(config.at_once) * config.attempts * config.steps);
        let run = after(config.steps, config.seed)?.with_transforms(transforms(w, config.alpha));
        // The objective is a mean over channels: of such a length it is the activations' part along the direction.
        let lengths = directions.clone().powi_scalar(2).sum_dim(1).sqrt().clamp_min(f32::MIN_POSITIVE);
        let directions = directions.clone() / lengths * c as f64;
        let mut images = Vec::new();
        for first in (0..n).step_by(config.at_once) {
            let count = config.at_once.min(n - first);
            let goals = directions.clone().narrow(0, first, count);
            let toward = |goal: Tensor<2>| {
                direction_neuron_s(layer, &goal, WhitenedConfig::new().with_cossim_pow(config.cossim_pow))
            };
            let boundary = penalize_boundary_complexity(BoundaryConfig::new().with_width(BOUNDARY));
            let objective = count as f64 * toward(goals.clone()) + boundary;
            // Of each direction its best attempt so far, and how good it is.
            let mut best: Vec<(f32, Tensor<4>)> = Vec::new();
            for attempt in 0..config.attempts {
                let start = image([w, w]).with_batch(count).with_alpha(config.alpha);
                let run = RenderConfig { seed: run.seed.wrapping_add(attempt as u64), ..run.clone() };
                let render = job.render(&objective, start, &run)?;
                let made = shown(render.images().expect("it ended well").clone());
                for i in 0..count {
                    let (one, goal) = (made.clone().narrow(0, i, 1), goals.clone().narrow(0, i, 1));
                    let value = match config.attempts {
                        1 => 0.0,
                        _ => {
                            value_of(job.networks().clone(), &toward(goal.reshape([1, c])), one.clone())?.into_scalar()
                        }
                    };
                    match best.get_mut(i) {
                        Some(known) if value > known.0 => *known = (value, one),
                        Some(_) => {}
                        None => best.push((value, one)),
                    }
                }
                if job.is_interrupted() {
                    break;
                }
            }
            images.extend(best.into_iter().map(|(_, image)| image));
            if job.is_interrupted() {
                break;
            }
        }
        Ok(Self { images: Tensor::cat(images, 0) })
    }
}

/// An icon as it is shown: what is transparent is pale.
fn shown(icons: Tensor<4>) -> Tensor<4> {
    match icons.dims()[1] {
        4 => {
            let alpha = icons.clone().narrow(1, 3, 1) * (1.0 - LEAST_ALPHA) + LEAST_ALPHA;
            picture::on_white(Tensor::cat(vec![icons.narrow(1, 0, 3), alpha], 1))
        }
        _ => icons,
    }
}

/// Lucid's, `render_icons` in `recipes/activation_atlas/render.py`.
fn transforms(w: usize, alpha: bool) -> Transform {
    let scales: Vec<f64> = (20..40).map(|n| 0.998f64.powi(n)).collect();
    let ranges = [-20..20, -10..10, -5..5].into_iter().flatten().chain([0; 5]);
    let angles: Vec<f64> = ranges.map(f64::from).collect();
    let all = [
        pad(16, PadMode::Constant(0.5)),
        jitter(4),
        jitter(4),
        jitter(8),
        jitter(8),
        jitter(8),
        random_scale(scales),
        random_rotate(angles),
        jitter(2),
        crop_or_pad_to([w, w]),
    ];
    compose(all.into_iter().chain(alpha.then(|| collapse_alpha_random(0.5))))
}
