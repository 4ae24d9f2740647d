//! What layers make of a photo: feature inversion, and caricatures.

use burn::{config::Config, tensor::Tensor};

use super::{Job, after};
use crate::{
    Error,
    objective::{Objective, dot_compare},
    param::{Param, constant, image, stack},
    picture::{self, Labels},
    transform::{compose, crop_or_pad_to, standard},
};

/// The options of a [`Caricature`], with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct CaricatureConfig {
    /// How many steps there are.
    #[config(default = 512)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// The power of the cosine between the photo's activations and the image's that their dot product is multiplied by:
    /// with 0 what stands out is exaggerated most.
    #[config(default = 0.0)]
    pub cossim_pow: f64,
}

/// For each of some layers an image with whatever excites it on a photo, exaggerated.
///
/// # Reference
/// `recipes/caricature.py` in Lucid, where it is also called `feature_inversion`.
#[derive(Debug, Clone)]
pub struct Caricature {
    /// The photo, `[1, 3, h, w]`.
    pub photo: Tensor<4>,
    /// The layers.
    pub layers: Vec<String>,
    /// One for each layer, `[n, 3, h, w]`.
    pub images: Tensor<4>,
}

impl Caricature {
    /// Optimizes all images at once, each of the size of `photo` `[1, 3, h, w]`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for no layer; as [`Job::render`].
    pub fn render(
        job: &mut Job<'_>,
        photo: &Tensor<4>,
        layers: &[impl AsRef<str>],
        config: &CaricatureConfig,
    ) -> Result<Self, Error> {
        let [_, _, h, w] = photo.dims();
        let layers: Vec<String> = layers.iter().map(|layer| layer.as_ref().to_owned()).collect();
        if layers.is_empty() {
            return Err(Error::out_of_range("the number of layers", 0, "it is 1 or more"));
        }
        let images = image([h, w]).with_batch(layers.len());
        images.check()?;
        let images = Param::from(images);
        let like = |(i, layer): (usize, &String)| dot_compare(layer, config.cossim_pow).batch(i + 1);
        let objective: Objective = layers.iter().enumerate().map(like).sum();
        let run = after(config.steps, config.seed)?.with_transforms(compose([standard(), crop_or_pad_to([h, w])]));
        job.expect(config.steps);
        let render = job.render(&objective, stack([constant(photo), images.clone()]), &run)?;
        let images = render.params.get(&images).expect("they are a part of what was optimized");
        Ok(Self { photo: photo.clone(), layers, images })
    }

    /// The photo, and the image of each layer.
    pub fn picture(&self) -> Tensor<4> {
        let all = Tensor::cat(vec![self.photo.clone(), self.images.clone()], 0);
        let captions: Vec<String> = ["photo".to_owned()].into_iter().chain(self.layers.iter().cloned()).collect();
        let columns = captions.len().min(6);
        picture::labeled_grid(&all, columns, 4, &Labels { captions: &captions, ..Labels::default() })
    }
}
