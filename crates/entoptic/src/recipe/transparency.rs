//! Semi-transparent images: a unit on backgrounds that vary, so that only what matters stays opaque.

use burn::{
    config::Config,
    tensor::{Device, Tensor},
};

use super::{Job, Unit, after, check_images};
use crate::{
    Error,
    chance::{Purpose, draws},
    objective::{Objective, of_param},
    param::{
        Colors, ImageSample, ImageSampleConfig, Param, ValidRgb, image, image_sample, lowres_tensor, sigmoid, stack,
        stack_channels, to_valid_rgb,
    },
    picture::{self, Labels},
    transform::{Transform, standard},
};

/// What stands behind a semi-transparent image: something that is optimized, random noise, or a mixture.
///
/// # Reference
/// `make_bg_func` in Lucid's notebook `appendix/background_experiments`.
#[derive(Config, Debug, PartialEq)]
pub struct Background {
    /// How much of it is noise; the rest is what is optimized.
    #[config(default = 0.5)]
    pub noise_ratio: f64,
    /// The power of its frequency that a wave of the noise is divided by.
    #[config(default = 1.5)]
    pub decay_power: f64,
    /// Standard deviation of the noise's waves where `decay_power` is 1.
    #[config(default = 0.8)]
    pub base_sd: f64,
    /// Whether colors are correlated as in natural images.
    #[config(default = true)]
    pub decorrelate: bool,
    /// What is optimized.
    #[config(default = "Variable::Image { jitter: 0 }")]
    pub variable: Variable,
}

/// What of a background is optimized.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Variable {
    /// An image, seen at a place drawn anew at each step.
    Image {
        /// Within so many pixels.
        jitter: usize,
    },
    /// One color.
    Color,
}

impl Background {
    /// Noise alone.
    pub fn noise(decay_power: f64, base_sd: f64) -> Self {
        Self::new().with_noise_ratio(1.0).with_decay_power(decay_power).with_base_sd(base_sd)
    }

    /// What is optimized alone.
    pub fn of(variable: Variable) -> Self {
        Self::new().with_noise_ratio(0.0).with_base_sd(0.3).with_variable(variable)
    }

    /// The background of an image of `w` pixels.
    pub fn param(&self, w: usize) -> Param {
        let colors = if self.decorrelate { Colors::Decorrelated } else { Colors::Rgb };
        let variable = match self.variable {
            Variable::Image { jitter } => {
                Param::from(image([w + jitter, w + jitter]).with_colors(colors)).jitter(jitter)
            }
            Variable::Color => Param::from(image([5, 5]).with_colors(colors)).crop([3, 3], [1, 1]),
        };
        let noise = ImageSampleConfig::new()
            .with_sd(self.base_sd * sd_at(self.decay_power))
            .with_decay_power(self.decay_power)
            .with_decorrelate(self.decorrelate);
        (1.0 - self.noise_ratio) * variable + self.noise_ratio * image_sample(1, [w, w], &noise)
    }
}

/// What keeps noise about as strong whatever its decay; Lucid's notebook.
fn sd_at(decay_power: f64) -> f64 {
    20f64.powf(1.0 - decay_power)
}

/// A background, what it is called, and whether it works against the unit or for it.
pub type Named = (&'static str, Background, bool);

/// The seven backgrounds of Lucid's first experiment, with whether each is adversarial.
pub fn backgrounds() -> Vec<Named> {
    let whole = || Background::of(Variable::Image { jitter: 0 });
    let offset = || Background::of(Variable::Image { jitter: 128 });
    let color = || Background::of(Variable::Color);
    vec![
        ("adversarial image", whole(), true),
        ("adversarial image, moving", offset(), true),
        ("adversarial color", color(), true),
        ("noise", Background::noise(2.0, 0.1).with_variable(Variable::Color), true),
        ("allied color", color(), false),
        ("allied image, moving", offset(), false),
        ("allied image", whole(), false),
    ]
}

/// The eight backgrounds of Lucid's second experiment, with whether each is adversarial; their names fit a column.
pub fn backgrounds_of_set() -> Vec<Named> {
    let image = |jitter| Background::of(Variable::Image { jitter });
    let color = || Background::of(Variable::Color);
    vec![
        ("adv. image", image(2), true),
        ("adv. moving", image(128), true),
        ("adv. color", color(), true),
        ("strong noise", Background::noise(2.0, 0.4), true),
        ("noise", Background::noise(2.0, 0.1), true),
        ("allied color", color(), false),
        ("allied moving", image(128), false),
        ("allied image", image(2), false),
    ]
}

/// The options of a [`Transparent`] image, with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct TransparentConfig {
    /// Pixels of a side.
    #[config(default = 128)]
    pub size: usize,
    /// How many steps there are.
    #[config(default = 512)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// What stands behind it.
    #[config(default = "Background::noise(2.0, 0.1)")]
    pub background: Background,
    /// Whether the background works against the unit or for it.
    #[config(default = true)]
    pub adversarial: bool,
    /// How much it is discouraged that more or less than [`opaque`](Self::opaque) is.
    #[config(default = 1e4)]
    pub opacity: f64,
    /// How much of the image is to be opaque.
    #[config(default = 0.25)]
    pub opaque: f64,
    /// By how many pixels colors, opacity and background move against each other.
    #[config(default = 2)]
    pub jitter: usize,
    /// What happens to the image before each step.
    #[config(default = "standard()")]
    pub transforms: Transform,
}

/// One image of a unit that is opaque only where that matters.
///
/// # Reference
/// `alpha_experiment` in Lucid's notebook `appendix/background_experiments`; [Differentiable Image
/// Parameterizations](https://distill.pub/2018/differentiable-parameterizations), Mordvintsev et al., 2018.
#[derive(Debug, Clone)]
pub struct Transparent {
    /// `[1, 4, h, w]`.
    pub image: Tensor<4>,
    /// What stood behind it in the end, `[1, 3, h, w]`.
    pub background: Tensor<4>,
}

impl Transparent {
    /// Optimizes image and background.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for an image no larger than `jitter`; as [`Job::render`].
    pub fn render(job: &mut Job<'_>, unit: &Unit, config: &TransparentConfig) -> Result<Self, Error> {
        check(2, config.size, config.jitter, config.opaque)?;
        let experiment = Experiment::new(unit, config);
        job.expect(config.steps);
        let run = after(config.steps, config.seed)?.with_transforms(config.transforms.clone());
        let render = job.render(&experiment.objective, &experiment.flat, &run)?;
        let last = |param: &Param| render.params.get(param).expect("it is a part of what was optimized");
        Ok(Self { image: last(&experiment.image), background: last(&experiment.background) })
    }

    /// How much of the image is opaque, `0..=1`.
    pub fn opaque(&self) -> f32 {
        self.image.clone().narrow(1, 3, 1).mean().into_scalar()
    }

    /// The image on white, on black and on a checkerboard, and its opacity.
    pub fn picture(&self) -> Tensor<4> {
        views(&self.image)
    }
}

/// Images with alpha on white, on black and on a checkerboard, and their opacity: four columns with a row for each.
fn views(images: &Tensor<4>) -> Tensor<4> {
    let [n, _, h, w] = images.dims();
    let device = images.device();
    let plain = |value: f32| Tensor::<4>::full([1, 3, h, w], value, &device);
    let grounds = [plain(1.0), plain(0.0), picture::checkerboard([h, w], &device)];
    let row = |i: usize| {
        let image = images.clone().narrow(0, i, 1);
        let alpha = image.clone().narrow(1, 3, 1).repeat_dim(1, 3);
        let on = grounds.clone().map(|ground| picture::on_background(image.clone(), ground));
        on.into_iter().chain([alpha]).collect::<Vec<_>>()
    };
    let views = Tensor::cat((0..n).flat_map(row).collect(), 0);
    let columns = ["on white", "on black", "on a checkerboard", "opacity"].map(String::from);
    picture::labeled_grid(&views, 4, 4, &Labels { columns: &columns, ..Labels::default() })
}

fn check(count: usize, size: usize, jitter: usize, opaque: f64) -> Result<(), Error> {
    if !(0.0..=1.0).contains(&opaque) {
        return Err(Error::out_of_range("the opaque part", opaque, "it is 0 to 1"));
    }
    check_images(count, size, 8.max(jitter + 1))
}

/// What an image is made of.
struct Experiment {
    image: Param,
    background: Param,
    /// The image on its background, twice: one has the gradient of the image, the other that of the background.
    flat: Param,
    objective: Objective,
}

impl Experiment {
    fn new(unit: &Unit, config: &TransparentConfig) -> Self {
        let image = Param::from(image([config.size; 2]).with_alpha(true));
        let background = config.background.param(config.size);
        let flat = on_background(&image, &background, config.jitter);
        let objective = unit.everywhere().batch(0) + sign(config.adversarial) * unit.everywhere().batch(1)
            - config.opacity * not_as_opaque(&image.channels(3..4), config.opaque);
        Self { image, background, flat, objective }
    }
}

fn sign(adversarial: bool) -> f64 {
    if adversarial { -1.0 } else { 1.0 }
}

/// An image on its background, twice: the first has the gradient of the image, the second that of the background.
fn on_background(image: &Param, background: &Param, jitter: usize) -> Param {
    let [rgb, alpha] = [image.channels(0..3), image.channels(3..4)].map(|part| part.jitter(jitter));
    let background = background.clone().jitter(jitter);
    let (opaque, clear) = (rgb * alpha.clone(), 1.0 - alpha);
    stack([
        opaque.clone() + clear.clone() * background.clone().stop_gradient(),
        opaque.stop_gradient() + clear.stop_gradient() * background,
    ])
}

/// The square of how far the mean of `alpha` is from `opaque`.
fn not_as_opaque(alpha: &Param, opaque: f64) -> Objective {
    of_param("not as opaque", alpha, move |alpha| (alpha.mean() - opaque).powi_scalar(2))
}

/// The options of a [`TransparentSet`], with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct TransparentSetConfig {
    /// Pixels of a side.
    #[config(default = 128)]
    pub size: usize,
    /// How many steps there are.
    #[config(default = 512)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// The weight of what all images share.
    #[config(default = 0.5)]
    pub shared: f64,
    /// How much it is discouraged that more or less than [`opaque`](Self::opaque) is.
    #[config(default = 1e4)]
    pub opacity: f64,
    /// How much of each image is to be opaque.
    #[config(default = 0.25)]
    pub opaque: f64,
    /// By how many pixels colors, opacity and background move against each other.
    #[config(default = 2)]
    pub jitter: usize,
}

/// Images of a unit before several backgrounds, with the same things at the same places.
///
/// # Reference
/// `alpha_experiment_2` in Lucid's notebook `appendix/background_experiments`.
#[derive(Debug, Clone)]
pub struct TransparentSet {
    /// What each background is called.
    pub names: Vec<String>,
    /// `[n, 4, h, w]`, one for each background.
    pub images: Tensor<4>,
    /// Each image on its background, `[n, 3, h - jitter, w - jitter]`.
    pub flat: Tensor<4>,
    /// The backgrounds, `[n, 3, h, w]`.
    pub backgrounds: Tensor<4>,
}

impl TransparentSet {
    /// Optimizes all images and backgrounds at once.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for an image no larger than `jitter`, or no background; as [`Job::render`].
    pub fn render(
        job: &mut Job<'_>,
        unit: &Unit,
        grounds: &[(impl AsRef<str>, Background, bool)],
        config: &TransparentSetConfig,
    ) -> Result<Self, Error> {
        if grounds.is_empty() {
            return Err(Error::out_of_range("the number of backgrounds", 0, "it is 1 or more"));
        }
        check(2 * grounds.len(), config.size, config.jitter, config.opaque)?;
        let program =
            SetProgram::new(unit, grounds.iter().map(|(_, ground, adversarial)| (ground, *adversarial)), config);
        job.expect(config.steps);
        let render = job.render(&program.objective, &program.flat, &after(config.steps, config.seed)?)?;
        let last = |param: &Param| render.params.get(param).expect("it is a part of what was optimized");
        let evens = (0..grounds.len()).map(|i| last(&program.flat).narrow(0, 2 * i, 1)).collect();
        Ok(Self {
            names: grounds.iter().map(|(name, ..)| name.as_ref().to_owned()).collect(),
            images: Tensor::cat(program.images.iter().map(last).collect(), 0),
            flat: Tensor::cat(evens, 0),
            backgrounds: Tensor::cat(program.backgrounds.iter().map(last).collect(), 0),
        })
    }

    /// How much of each image is opaque, `0..=1`.
    pub fn opaque(&self) -> Vec<f32> {
        let [n, ..] = self.images.dims();
        (0..n).map(|i| self.images.clone().narrow(0, i, 1).narrow(1, 3, 1).mean().into_scalar()).collect()
    }

    /// A column for each background: the image on it, on white, and the background alone.
    pub fn picture(&self) -> Tensor<4> {
        let [n, _, h, w] = self.flat.dims();
        let cropped = |images: Tensor<4>| images.narrow(2, 0, h).narrow(3, 0, w);
        let on_white = cropped(picture::on_white(self.images.clone()));
        let all = Tensor::cat(vec![self.flat.clone(), on_white, cropped(self.backgrounds.clone())], 0);
        let rows = ["as optimized", "on white", "background"].map(String::from);
        picture::labeled_grid(&all, n, 4, &Labels { columns: &self.names, rows: &rows, captions: &[] })
    }
}

/// What a set is made of.
struct SetProgram {
    images: Vec<Param>,
    backgrounds: Vec<Param>,
    flat: Param,
    objective: Objective,
}

impl SetProgram {
    fn new<'a>(
        unit: &Unit,
        grounds: impl Iterator<Item = (&'a Background, bool)>,
        config: &TransparentSetConfig,
    ) -> Self {
        let w = config.size;
        let free = || {
            let levels = [1, 2, 4, 8].map(|k| lowres_tensor([1, 4, w, w], [1, 4, w / k, w / k]));
            levels.into_iter().sum::<Param>() / 4.0
        };
        let shared = free();
        let (mut images, mut backgrounds, mut flat) = (Vec::new(), Vec::new(), Vec::new());
        let mut objective = Objective::from(0.0);
        for (i, (ground, adversarial)) in grounds.enumerate() {
            let own = config.shared * shared.clone() + free();
            let colors = to_valid_rgb(own.channels(0..3), ValidRgb::new());
            let image = stack_channels([colors, sigmoid(own.channels(3..4))]);
            let background = ground.param(w);
            flat.push(on_background(&image, &background, config.jitter));
            let [above, below] = [2 * i, 2 * i + 1];
            let behind = unit.in_the_center().batch(below) + unit.everywhere().batch(below);
            objective = objective + unit.in_the_center().batch(above) + sign(adversarial) * behind
                - config.opacity * not_as_opaque(&image.channels(3..4), config.opaque);
            images.push(image);
            backgrounds.push(background);
        }
        Self { images, backgrounds, flat: stack(flat), objective }
    }
}

/// Random images that backgrounds are drawn from: a row for each decay of their waves, with and without the colors of
/// natural images, ever stronger from left to right.
///
/// # Errors
/// [`Error::OutOfRange`] for samples of fewer than 8 pixels.
///
/// # Reference
/// Lucid's notebook `appendix/background_experiments`.
pub fn sample_sheet(size: usize, seed: u64) -> Result<Tensor<4>, Error> {
    check_images(60, size, 8)?;
    let device = Device::flex();
    let mut chance = draws(seed, Purpose::Noise);
    let (mut images, mut rows) = (Vec::new(), Vec::new());
    for decorrelate in [false, true] {
        for decay_power in [1.0, 1.5, 2.0] {
            rows.push(format!("decay {decay_power}{}", if decorrelate { ", decorrelated" } else { "" }));
            for n in 0..10 {
                let config = ImageSampleConfig::new()
                    .with_sd(sd_at(decay_power) * f64::from(n) / 20.0)
                    .with_decay_power(decay_power)
                    .with_decorrelate(decorrelate);
                images.push(ImageSample::new(1, [size, size], &config, &device).draw(&mut chance));
            }
        }
    }
    let images = Tensor::cat(images, 0);
    Ok(picture::labeled_grid(&images, 10, 2, &Labels { rows: &rows, ..Labels::default() }))
}

#[cfg(test)]
mod tests {
    use entoptic_fixtures::mini_5h;

    use super::*;
    use crate::{
        param::Prepared,
        recipe::test_runs::{few, first, largest, moved},
        render,
    };

    fn unit() -> Unit {
        Unit::from(("mixed4a_pre_relu", 20))
    }

    fn opaque(image: Tensor<4>) -> f32 {
        image.narrow(1, 3, 1).mean().into_scalar()
    }

    #[test]
    fn about_a_quarter_becomes_opaque_on_every_background() {
        let network = mini_5h();
        let offset = Background::of(Variable::Image { jitter: 8 });
        let mixed = Background::new().with_base_sd(0.4);
        for (name, background, adversarial) in
            backgrounds().into_iter().chain([("offset", offset, true), ("mixed", mixed, false)])
        {
            let config = TransparentConfig::new()
                .with_size(32)
                .with_steps(60)
                .with_background(background)
                .with_adversarial(adversarial);
            let made = Transparent::render(&mut Job::new(&network), &unit(), &config).unwrap();
            assert!((made.opaque() - 0.25).abs() < 0.1, "{name}: {}", made.opaque());
            assert_eq!(made.background.dims(), [1, 3, 32, 32], "{name}");
            assert_eq!(made.image.dims(), [1, 4, 32, 32], "{name}");
        }
    }

    #[test]
    fn the_image_moves_for_its_own_sake_and_the_background_for_its_own() {
        let network = mini_5h();
        let config = TransparentConfig::new().with_size(32).with_background(Background::of(Variable::Color));
        let Experiment { image, background, flat, .. } = Experiment::new(&unit(), &config);
        let of_image = render(&network, &unit().everywhere().batch(0), &flat, &few(3)).unwrap();
        assert!(moved(&of_image, &flat, &image) > 0.0);
        assert_eq!(moved(&of_image, &flat, &background), 0.0);
        let of_background = render(&network, &-unit().everywhere().batch(1), &flat, &few(3)).unwrap();
        assert_eq!(moved(&of_background, &flat, &image), 0.0);
        assert!(moved(&of_background, &flat, &background) > 0.0);
        assert!(of_background.final_value > of_background.values[0], "it works against the unit");
    }

    #[test]
    fn noise_is_another_at_each_step_and_a_color_is_the_same_everywhere() {
        let noise = Background::noise(2.0, 0.1).param(32);
        let (prepared, variables) = Prepared::new([&noise], &Device::flex(), &mut draws(0, Purpose::Variables));
        let mut chance = draws(0, Purpose::Noise);
        let [one, other] = [0, 1].map(|_| prepared.evaluate(&variables, &mut chance).get(&noise).unwrap());
        assert!(largest(one - other) > 0.05);
        let param = Background::of(Variable::Color).param(32);
        let color = first(&param, &param);
        assert!(largest(color.clone() - color.narrow(2, 0, 1).narrow(3, 0, 1)) < 1e-6);
    }

    #[test]
    fn images_of_a_set_move_what_they_share() {
        let network = mini_5h();
        let config = TransparentSetConfig::new().with_size(32).with_steps(40);
        let grounds = &backgrounds_of_set()[..3];
        let set = TransparentSet::render(&mut Job::new(&network), &unit(), grounds, &config).unwrap();
        assert_eq!(set.images.dims(), [3, 4, 32, 32]);
        assert_eq!(set.flat.dims(), [3, 3, 30, 30]);
        let program = SetProgram::new(&unit(), grounds.iter().map(|(_, ground, sign)| (ground, *sign)), &config);
        for (i, image) in program.images.iter().enumerate() {
            let (before, after) = (opaque(first(&program.flat, image)), opaque(set.images.clone().narrow(0, i, 1)));
            assert!((after - 0.25).abs() < 0.5 * (before - 0.25).abs(), "from {before} to {after}");
        }
        // The last image alone moves all of them.
        let of_last = render(&network, &unit().in_the_center().batch(4), &program.flat, &few(3)).unwrap();
        assert!(moved(&of_last, &program.flat, &program.images[0]) > 0.0);
    }

    #[test]
    fn bad_options_are_refused() {
        let network = mini_5h();
        let refused = |config: TransparentConfig| {
            Transparent::render(&mut Job::new(&network), &unit(), &config).unwrap_err().to_string()
        };
        assert_eq!(refused(TransparentConfig::new().with_opaque(1.5)), "the opaque part cannot be 1.5; it is 0 to 1");
        assert_eq!(
            refused(TransparentConfig::new().with_size(4)),
            "the size of the images cannot be 4; it is 8 pixels or more, and 16 where images share coarse layouts"
        );
        assert_eq!(refused(TransparentConfig::new().with_steps(0)), "the number of steps cannot be 0; it is 1 or more");
    }
}
