//! A photo in the style of another picture.

use burn::{config::Config, tensor::Tensor};

use super::{Job, after};
use crate::{
    Error,
    objective::{Objective, StyleConfig, StyleTarget, custom, style},
    param::{Param, constant, image, stack},
};

/// The options of a [`StyleTransfer`], with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct StyleTransferConfig {
    /// How many steps there are.
    #[config(default = 512)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// How much the content counts beside the style.
    #[config(default = 100.0)]
    pub content: f64,
    /// Whether the image starts at the photo instead of noise.
    #[config(default = false)]
    pub from_photo: bool,
}

/// What is on one picture, as another one looks.
///
/// # Reference
/// [Differentiable Image Parameterizations](https://distill.pub/2018/differentiable-parameterizations), Mordvintsev et al.,
/// 2018; Lucid's notebook `style_transfer_2d`; [Image Style Transfer Using Convolutional Neural
/// Networks](https://openaccess.thecvf.com/content_cvpr_2016/html/Gatys_Image_Style_Transfer_CVPR_2016_paper.html), Gatys et
/// al., 2016.
#[derive(Debug, Clone)]
pub struct StyleTransfer {
    /// `[1, 3, h, w]`.
    pub image: Tensor<4>,
}

/// The places in the batch.
const IMAGE: usize = 0;
const CONTENT: usize = 1;
const STYLE: usize = 2;

impl StyleTransfer {
    /// Optimizes an image with the activations of `content` `[1, 3, h, w]` at `content_layers` and the style of `look`
    /// `[1, 3, h', w']` at `style_layers`; `look` is as large or larger, and another part of it is looked at in each step.
    ///
    /// # Errors
    /// [`Error::WrongShape`] for a style picture that is smaller; [`Error::OutOfRange`] for no style layer; as [`Job::render`].
    pub fn render(
        job: &mut Job<'_>,
        content: &Tensor<4>,
        look: &Tensor<4>,
        content_layers: &[String],
        style_layers: &[String],
        config: &StyleTransferConfig,
    ) -> Result<Self, Error> {
        let ([_, _, h, w], shape @ [_, _, look_h, look_w]) = (content.dims(), look.dims());
        if look_h < h || look_w < w {
            return Err(Error::shape("the style picture", &shape, &format!("is {h} x {w} or larger, as the photo is")));
        }
        if style_layers.is_empty() {
            return Err(Error::out_of_range("the number of style layers", 0, "it is 1 or more"));
        }
        let start = image([h, w]);
        start.check()?;
        let made = if config.from_photo { start.starting_at(content)? } else { Param::from(start) };
        let crop = move |look: Tensor<4>, chance: &mut crate::chance::Rng| {
            use rand::RngExt;
            let [y, x] = [chance.random_range(0..=look_h - h), chance.random_range(0..=look_w - w)];
            look.narrow(2, y, h).narrow(3, x, w)
        };
        let look = constant(look).map_by_chance([1, 3, h, w], crop);
        let styles: Objective = style_layers
            .iter()
            .map(|layer| style(layer, StyleTarget::Image(STYLE), StyleConfig::new()).batch(IMAGE))
            .sum();
        let contents: Objective = content_layers.iter().map(|layer| apart(layer)).sum();
        let objective = -1.0 * styles - config.content * contents;
        job.expect(config.steps);
        let run = after(config.steps, config.seed)?;
        let render = job.render(&objective, stack([made.clone(), constant(content), look]), &run)?;
        Ok(Self { image: render.params.get(&made).expect("it is a part of what was optimized") })
    }
}

/// How far the image's activations are from the photo's, on average.
fn apart(layer: &str) -> Objective {
    let name = layer.to_owned();
    custom(format!("content({layer})"), [layer], move |step| {
        let activations = step.map(&name)?;
        let [image, photo] = [IMAGE, CONTENT].map(|place| activations.clone().narrow(0, place, 1));
        Ok((image - photo.detach()).abs().mean())
    })
}
