//! Lucid's notebook *Semi-transparent Feature Visualization*: a unit on backgrounds that vary.

use burn::tensor::{Device, Tensor};
use entoptic::{
    Error, RenderConfig,
    chance::{Purpose, draws},
    network::{GradientOverrides, Network, zoo},
    objective::{Objective, channel, neuron, of_param},
    param::{
        ImageSample, ImageSampleConfig, Param, ValidRgb, image, image_sample, lowres_tensor, sigmoid, stack,
        stack_channels, to_valid_rgb,
    },
    picture, render,
    transform::{Transform, compose, jitter, random_scale, standard},
};

mod settings;

/// Standard deviation at which noise of this decay is about as strong as without.
fn sd_at(decay_power: f64) -> f64 {
    20f64.powf(1.0 - decay_power)
}

/// Random backgrounds: a row for each decay, with and without the colors of natural images, ever stronger.
fn samples() -> Result<Tensor<4>, Error> {
    let mut chance = draws(0, Purpose::Noise);
    let mut images = Vec::new();
    for decorrelate in [false, true] {
        for decay_power in [1.0, 1.5, 2.0] {
            for n in 0..10 {
                let config = ImageSampleConfig::new()
                    .with_sd(sd_at(decay_power) * f64::from(n) / 20.0)
                    .with_decay_power(decay_power)
                    .with_decorrelate(decorrelate);
                images.push(ImageSample::new(1, [64, 64], &config, &Device::flex()).draw(&mut chance));
            }
        }
    }
    picture::grid(&Tensor::cat(images, 0), 10, 2)
}

/// What stands behind an image: a mixture of noise with something that is optimized.
#[derive(Clone, Copy)]
struct Background {
    noise_ratio: f64,
    decay_power: f64,
    base_sd: f64,
    var_mode: VarMode,
}

#[derive(Clone, Copy)]
enum VarMode {
    /// An image, seen at a place drawn anew within so many pixels.
    Image(usize),
    Color,
}

impl Background {
    fn param(self, w: usize) -> Param {
        let var_img = match self.var_mode {
            VarMode::Image(jitter) => Param::from(image([w + jitter, w + jitter])).jitter(jitter),
            VarMode::Color => Param::from(image([5, 5])).crop([3, 3], [1, 1]),
        };
        let noise =
            ImageSampleConfig::new().with_sd(self.base_sd * sd_at(self.decay_power)).with_decay_power(self.decay_power);
        (1.0 - self.noise_ratio) * var_img + self.noise_ratio * image_sample(1, [w, w], &noise)
    }
}

/// The image on its background, twice: the first has the gradient of the image, the second that of the background.
fn flats(img: &Param, bg: &Param, jitter_n: usize) -> Param {
    let [rgb, alpha, bg] = [img.channels(0..3), img.channels(3..4), bg.clone()].map(|part| part.jitter(jitter_n));
    let (opaque, clear) = (rgb * alpha.clone(), 1.0 - alpha);
    stack([
        opaque.clone() + clear.clone() * bg.clone().stop_gradient(),
        opaque.stop_gradient() + clear.stop_gradient() * bg,
    ])
}

/// A quarter of the image is to be opaque.
fn quarter(img: &Param) -> Objective {
    of_param("a quarter is opaque", &img.channels(3..4), |alpha| -(alpha.mean() - 0.25).powi_scalar(2))
}

/// The notebook, with what its experiments have in common.
struct Notebook {
    network: Network,
    w: usize,
    steps: usize,
}

impl Notebook {
    fn config(&self) -> RenderConfig {
        RenderConfig::new().with_steps(self.steps - 1).with_gradients(GradientOverrides::none())
    }

    /// The image on white beside its background.
    fn alpha_experiment(
        &self,
        (layer, c): (&str, usize),
        bg: Background,
        bg_adv: bool,
        w: usize,
        transforms: Transform,
    ) -> Result<Tensor<4>, Error> {
        let (img, bg) = (Param::from(image([w, w]).with_alpha(true)), bg.param(w));
        let sign = if bg_adv { -1.0 } else { 1.0 };
        let objective = channel(layer, c).batch(0) + sign * channel(layer, c).batch(1) + 1e4 * quarter(&img);
        let config = self.config().with_transforms(transforms);
        let done = render(&self.network, &objective, flats(&img, &bg, 2), &config)?.params;
        let [img, bg] = [&img, &bg].map(|param| done.get(param).expect("it is a part of what was optimized"));
        Ok(Tensor::cat(vec![picture::on_white(img), bg], 3))
    }

    /// One unit on all backgrounds.
    fn test(&self, unit: (&str, usize)) -> Result<Tensor<4>, Error> {
        let bg = |var_mode| Background { noise_ratio: 0.0, decay_power: 1.5, base_sd: 0.3, var_mode };
        let noise = Background { noise_ratio: 1.0, decay_power: 2.0, base_sd: 0.1, var_mode: VarMode::Color };
        let backgrounds = [
            (bg(VarMode::Image(0)), true),
            (bg(VarMode::Image(128)), true),
            (bg(VarMode::Color), true),
            (noise, true),
            (bg(VarMode::Color), false),
            (bg(VarMode::Image(128)), false),
            (bg(VarMode::Image(0)), false),
        ];
        let on = |(bg, adv)| self.alpha_experiment(unit, bg, adv, self.w, standard());
        picture::grid(&Tensor::cat(backgrounds.into_iter().map(on).collect::<Result<_, _>>()?, 0), 1, 4)
    }

    /// Images that share a part of their parameters: as they were optimized, on white, and their backgrounds.
    fn alpha_experiment_2(&self, (layer, c): (&str, usize), shared_param_coef: f64) -> Result<Tensor<4>, Error> {
        let w = self.w;
        let bg = |var_mode| Background { noise_ratio: 0.0, decay_power: 1.5, base_sd: 0.3, var_mode };
        let noise = |base_sd| Background { noise_ratio: 1.0, decay_power: 2.0, base_sd, var_mode: VarMode::Image(0) };
        let bg_list = [
            (true, bg(VarMode::Image(2))),
            (true, bg(VarMode::Image(128))),
            (true, bg(VarMode::Color)),
            (true, noise(0.4)),
            (true, noise(0.1)),
            (false, bg(VarMode::Color)),
            (false, bg(VarMode::Image(128))),
            (false, bg(VarMode::Image(2))),
        ];
        let make_param = || {
            let levels = [1, 2, 4, 8].map(|k| lowres_tensor([1, 4, w, w], [1, 4, w / k, w / k]));
            levels.into_iter().sum::<Param>() / 4.0
        };
        let shared_param = make_param();
        let (mut fgs, mut bgs, mut all, mut objective) = (vec![], vec![], vec![], Objective::from(0.0));
        for (n, (adv, bg)) in bg_list.into_iter().enumerate() {
            let fg = shared_param_coef * shared_param.clone() + make_param();
            let rgb = to_valid_rgb(fg.channels(0..3), ValidRgb::new());
            let (fg, bg) = (stack_channels([rgb, sigmoid(fg.channels(3..4))]), bg.param(w));
            all.push(flats(&fg, &bg, 2));
            let behind = neuron(layer, c).batch(2 * n + 1) + channel(layer, c).batch(2 * n + 1);
            let sign = if adv { -1.0 } else { 1.0 };
            objective = objective + neuron(layer, c).batch(2 * n) + sign * behind + 1e4 * quarter(&fg);
            fgs.push(fg);
            bgs.push(bg);
        }
        let done = render(&self.network, &objective, stack(all.clone()), &self.config())?.params;
        let last = |param: &Param| done.get(param).expect("it is a part of what was optimized").narrow(0, 0, 1);
        let same_size = |image: Tensor<4>| image.narrow(2, 0, w - 2).narrow(3, 0, w - 2);
        let on_white = fgs.iter().map(|fg| same_size(picture::on_white(last(fg))));
        let behind = bgs.iter().map(|bg| same_size(last(bg)));
        picture::grid(&Tensor::cat(all.iter().map(last).chain(on_white).chain(behind).collect(), 0), 8, 4)
    }
}

fn main() -> Result<(), Error> {
    let (w, steps) = settings::size_and_steps(128, 512);
    let notebook = Notebook { network: zoo::squeezenet_v1_1(), w, steps };
    let save = |name: &str, image: Tensor<4>| picture::save(format!("transparent_{name}.png").as_ref(), &image, None);
    save("samples", samples()?)?;

    let noise = Background { noise_ratio: 1.0, decay_power: 1.5, base_sd: 0.4, var_mode: VarMode::Image(0) };
    let scale = random_scale([0.95, 0.98, 1.0, 1.02, 1.05]);
    let transforms = compose([jitter(8), jitter(8), jitter(8), scale, jitter(8)]);
    save("together", notebook.alpha_experiment(("fire8", 188), noise, false, 2 * w, transforms)?)?;

    for (layer, c) in [("fire8", 188), ("fire5", 165), ("fire7", 200)] {
        save(&format!("{layer}_{c}"), notebook.test((layer, c))?)?;
    }
    for (unit, shared_param_coef) in [
        (("fire5", 165), 0.0),
        (("fire5", 165), 0.5),
        (("fire8", 188), 0.5),
        (("fire8", 188), 0.0),
        (("fire8", 188), 1.0),
    ] {
        let name = format!("{}_{}_shared_{shared_param_coef}", unit.0, unit.1);
        save(&name, notebook.alpha_experiment_2(unit, shared_param_coef)?)?;
    }
    Ok(())
}
