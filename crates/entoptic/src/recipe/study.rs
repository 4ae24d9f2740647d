//! A unit as the article *Feature Visualization* looks at one.

use burn::{config::Config, tensor::Tensor};

use super::{Job, Unit, check_images};
use crate::{
    Error, RenderConfig,
    objective::{blur_input_each_step, diversity, l1, total_variation},
    param::{Colors, Param, Parameterization, image},
    picture::{self, Labels},
    transform::{PadMode, Transform, compose, jitter, none, pad, random_rotate, random_scale, standard},
};

/// The options of a [`Study`].
#[derive(Config, Debug, PartialEq)]
pub struct StudyConfig {
    /// Pixels of a side; where regularization is compared, half of it, as in Lucid's notebook.
    #[config(default = 128)]
    pub size: usize,
    /// The last step.
    #[config(default = 512)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// How many diverse images.
    #[config(default = 4)]
    pub diverse: usize,
    /// How much they are to differ; Lucid's tutorial.
    #[config(default = 100.0)]
    pub diversity: f64,
}

/// What moves a unit down and up, how many different things move it up, and what each regularization does for its image.
///
/// # Reference
/// [Feature Visualization](https://distill.pub/2017/feature-visualization), Olah et al., 2017; Lucid's notebooks
/// `feature-visualization/negative_neurons`, `neuron_diversity` and `regularization`.
#[derive(Debug, Clone)]
pub struct Study {
    /// The unit.
    pub unit: Unit,
    /// What moves it down most, and up, `[2, 3, h, w]`.
    pub ends: Tensor<4>,
    /// Images that differ, `[n, 3, h, w]`.
    pub diverse: Tensor<4>,
    /// For each regularization its name, and the image after each of [`kept`](Self::kept).
    pub regularized: Vec<(&'static str, Vec<Tensor<4>>)>,
    /// The steps after which images were kept.
    pub kept: Vec<usize>,
}

impl Study {
    /// Makes all its images, or as many as there is time for.
    ///
    /// # Errors
    /// [`Error::BatchTooSmall`] for fewer than two diverse images; [`Error::OutOfRange`] for images of fewer than 16 pixels;
    /// as [`Job::render`].
    pub fn render(job: &mut Job<'_>, unit: &Unit, config: &StudyConfig) -> Result<Self, Error> {
        let w = config.size;
        check_images(config.diverse, w, 16)?;
        let ways = regularizations(unit, w / 2);
        job.expect((2 + ways.len()) * (config.steps + 1));
        let run = RenderConfig::new().with_steps(config.steps).with_seed(config.seed);
        for (_, objective, param, transforms) in &ways {
            job.check(objective, param, &run.clone().with_transforms(transforms.clone()))?;
        }

        // Below zero a ReLU has no slope.
        let before = format!("{}_pre_relu", unit.layer);
        let known = job.network().graph().find(&before).is_ok();
        let layer = if known { &before } else { &unit.layer };
        let raw = Unit::from((layer, unit.channel)).everywhere();
        let ends = job.render(&(raw.clone().batch(1) - raw.batch(0)), image([w, w]).with_batch(2), &run)?;
        let ends = ends.images().expect("it ended well").clone();

        let differing = unit.everywhere() - config.diversity * diversity(&unit.layer);
        let mut diverse = ends.clone().narrow(0, 1, 1);
        if !job.is_interrupted() {
            let render = job.render(&differing, image([w, w]).with_batch(config.diverse), &run)?;
            diverse = render.images().expect("it ended well").clone();
        }

        let mut kept = vec![1, config.steps / 16, config.steps / 4, config.steps];
        kept.retain(|&step| step > 0);
        kept.dedup();
        let mut regularized = Vec::new();
        for (name, objective, param, transforms) in ways {
            if job.is_interrupted() {
                break;
            }
            let run = run.clone().with_transforms(transforms).with_thresholds(kept.clone());
            let images = job.render(&objective, param, &run)?.snapshots;
            regularized.push((name, images.into_iter().map(|snapshot| snapshot.images).collect()));
        }
        Ok(Self { unit: unit.clone(), ends, diverse, regularized, kept })
    }

    /// What moves it down, and what moves it up.
    pub fn ends_picture(&self) -> Tensor<4> {
        let captions = ["lowest", "highest"].map(String::from);
        picture::labeled_grid(&self.ends, 2, 4, &Labels { captions: &captions, ..Labels::default() })
    }

    /// The images that differ.
    pub fn diverse_picture(&self) -> Tensor<4> {
        let [n, ..] = self.diverse.dims();
        picture::grid(&self.diverse, n, 4).expect("there are images")
    }

    /// A row for each regularization, a column for each step; nothing if none was begun.
    pub fn regularized_picture(&self) -> Option<Tensor<4>> {
        let blank = self.regularized.first()?.1.first()?.ones_like();
        let row = |images: &Vec<Tensor<4>>| {
            let missing = self.kept.len().saturating_sub(images.len());
            let images = images.iter().take(self.kept.len()).cloned();
            images.chain(std::iter::repeat_n(blank.clone(), missing)).collect::<Vec<_>>()
        };
        let images = Tensor::cat(self.regularized.iter().flat_map(|(_, images)| row(images)).collect(), 0);
        let rows: Vec<String> = self.regularized.iter().map(|(name, _)| (*name).to_owned()).collect();
        let columns: Vec<String> = self.kept.iter().map(|step| format!("{step}")).collect();
        Some(picture::labeled_grid(
            &images,
            self.kept.len(),
            4,
            &Labels { rows: &rows, columns: &columns, captions: &[] },
        ))
    }
}

type Way = (&'static str, crate::objective::Objective, Param, Transform);

/// Lucid's notebook `feature-visualization/regularization`.
fn regularizations(unit: &Unit, w: usize) -> Vec<Way> {
    let pixels = || Param::from(image([w, w]).with_parameterization(Parameterization::Pixel).with_colors(Colors::Rgb));
    let whole = || Param::from(image([w, w]));
    let penalties = 0.05 * l1("input", 0.5) + 0.25 * total_variation("input") + blur_input_each_step();
    let scales: Vec<f64> = (-10..=10).map(|n| 1.1f64.powf(f64::from(n) / 10.0)).collect();
    let angles: Vec<f64> = (-5..=5).map(f64::from).collect();
    let robust = compose([pad(2, PadMode::Reflect), jitter(1), random_scale(scales), random_rotate(angles)]);
    vec![
        ("none", unit.everywhere(), pixels(), none()),
        ("penalties", unit.everywhere() - penalties, pixels(), none()),
        ("transforms", unit.everywhere(), pixels(), robust),
        ("all there is", unit.everywhere(), whole(), standard()),
    ]
}
