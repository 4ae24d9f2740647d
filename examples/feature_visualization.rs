//! What the article [Feature Visualization](https://distill.pub/2017/feature-visualization) is about, in one program:
//! objectives, diversity, both ends of a unit, regularization, and images as parameters.

use burn::tensor::{Device, Tensor};
use entoptic::{
    Error, RenderConfig,
    network::{Network, zoo},
    objective::{
        Class, Objective, blur_input_each_step, channel, class_logit, deepdream, diversity, l1, neuron, total_variation,
    },
    param::{self, Colors, Param, Parameterization, image},
    picture, render,
    transform::{PadMode, compose, jitter, none, pad, random_rotate, random_scale, standard},
};

mod settings;

struct Article {
    network: Network,
    config: RenderConfig,
}

impl Article {
    fn show(&self, name: &str, objective: &Objective, param: impl Into<Param>) -> Result<(), Error> {
        self.show_with(name, objective, param, &self.config)
    }

    /// Optimizes, and keeps the images of all thresholds below each other.
    fn show_with(
        &self,
        name: &str,
        objective: &Objective,
        param: impl Into<Param>,
        config: &RenderConfig,
    ) -> Result<(), Error> {
        let render = render(&self.network, objective, param, config)?;
        println!("{name}: {:.4}", render.final_value);
        let images: Vec<Tensor<4>> = render.snapshots.into_iter().map(|snapshot| snapshot.images).collect();
        let columns = images[0].dims()[0].max(images.len());
        picture::save(
            format!("article_{name}.png").as_ref(),
            &picture::grid(&Tensor::cat(images, 0), columns, 4)?,
            None,
        )
    }
}

fn main() -> Result<(), Error> {
    let (w, steps) = settings::size_and_steps(128, 512);
    let article = Article { network: zoo::squeezenet_v1_1(), config: RenderConfig::new().with_steps(steps) };
    let images = |batch: usize| image([w, w]).with_batch(batch);
    let unit = || channel("fire8", 188);

    // Objectives: a neuron, a channel, a layer, a class before the softmax and after it.
    article.show("neuron", &neuron("fire8", 188), images(1))?;
    article.show("channel", &unit(), images(1))?;
    article.show("layer", &deepdream("fire8"), images(1))?;
    article.show("logit", &class_logit("logits", Class::from("zebra")), images(1))?;
    article.show("probability", &class_logit("prob", Class::from("zebra")), images(1))?;

    // Objectives of one layer share its evaluation.
    let several = unit() + 0.5 * neuron("fire8", 476) - 0.1 * channel("fire4", 127);
    assert_eq!(several.layers(), ["fire8", "fire4"]);
    article.show("several", &several, images(1))?;

    // Diversity: four images that differ.
    article.show("diversity", &(unit() - 1e2 * diversity("fire8")), images(4))?;

    // Both ends: what moves it down, and what moves it up.
    let before_relu = || channel("fire8_pre_relu", 188);
    article.show("negative", &(before_relu().batch(1) - before_relu().batch(0)), images(2))?;

    // Regularization: none, penalties, robustness to transforms, and the usual parameterization.
    let plain = article.config.clone().with_thresholds(vec![1, steps / 16, steps / 4]).with_transforms(none());
    let pixels = || image([w / 2, w / 2]).with_parameterization(Parameterization::Pixel).with_colors(Colors::Rgb);
    article.show_with("regularization_none", &unit(), pixels(), &plain)?;
    let penalties = 0.05 * l1("input", 0.5) + 0.25 * total_variation("input") + blur_input_each_step();
    article.show_with("regularization_penalties", &(unit() - penalties), pixels(), &plain)?;
    let robust = compose([
        pad(2, PadMode::Reflect),
        jitter(1),
        random_scale((-10..=10).map(|n| 1.1f64.powf(f64::from(n) / 10.0)).collect::<Vec<_>>()),
        random_rotate((-5..=5).map(f64::from).collect::<Vec<_>>()),
    ]);
    let half = || image([w / 2, w / 2]);
    article.show_with("regularization_transforms", &unit(), half(), &plain.clone().with_transforms(robust))?;
    article.show_with("regularization_all", &unit(), half(), &plain.with_transforms(standard()))?;

    // An image as parameters, and back: frequencies and pixels are two ways to write the same thing.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/cat.png");
    let photo = picture::load_square(file.as_ref(), w, &Device::flex())?;
    for decay_power in [0.0, 1.0, 2.0] {
        let planes = photo.clone().reshape([3, w, w]);
        let spectrum = param::fourier_inverse([w, w], decay_power, &Device::flex())(planes.clone());
        let again = param::fourier(3, [w, w], decay_power, &Device::flex())(spectrum);
        println!("decay {decay_power}: off by {:.1e}", (again - planes).abs().max().into_scalar::<f32>());
    }
    let start = images(1).starting_at(&photo)?;
    article.show_with("from_photo", &unit(), start, &RenderConfig::new().with_steps(steps / 8))
}
