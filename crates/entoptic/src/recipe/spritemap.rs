//! All units of a layer.

use burn::{config::Config, tensor::Tensor};
use serde::Serialize;

use super::{Job, check_images};
use crate::{
    Error, RenderConfig,
    objective::{Objective, channel},
    page::{self, Heading, Sheet},
    param::{ValidRgb, fft_images_from, to_valid_rgb},
    picture::{self, Labels},
};

/// The options of a [`Spritemap`].
#[derive(Config, Debug, PartialEq)]
pub struct SpritemapConfig {
    /// Pixels of a side of each sprite; 110 in Lucid's notebook `building-blocks/SemanticDictionary`.
    #[config(default = 110)]
    pub size: usize,
    /// The last step; 128 in Lucid's `recipes/feature_visualization.py`.
    #[config(default = 128)]
    pub steps: usize,
    /// All chance comes from this number. A unit's sprite depends on it, not on which other units there are.
    #[config(default = 0)]
    pub seed: u64,
    /// Whether the sprites are of what moves the units down instead of up.
    #[config(default = false)]
    pub negative: bool,
}

/// A sprite, a small image, for each of some units of a layer, or for all.
#[derive(Debug, Clone)]
pub struct Spritemap {
    /// The layer.
    pub layer: String,
    /// The channels.
    pub channels: Vec<usize>,
    /// One for each, `[n, 3, size, size]`.
    pub sprites: Tensor<4>,
}

/// How many sprites are optimized at once: enough for all threads, few enough to see some soon.
const GROUP: usize = 32;

/// The columns of a picture of sprites; Lucid's have 16 to 28.
const COLUMNS: usize = 16;

impl Spritemap {
    /// Optimizes a sprite for each of `channels`, or for all of the layer. If the job is ended, those that were begun are
    /// left.
    ///
    /// # Errors
    /// As [`Job::render`]; [`Error::OutOfRange`] for no channel.
    pub fn render(
        job: &mut Job<'_>,
        layer: &str,
        channels: Option<&[usize]>,
        config: &SpritemapConfig,
    ) -> Result<Self, Error> {
        let all: Vec<usize> = match channels {
            Some(channels) => channels.to_vec(),
            None => (0..job.network().shape(layer, [config.size; 2])?.channels()).collect(),
        };
        if all.is_empty() {
            return Err(Error::out_of_range("the number of channels", 0, "it is 1 or more"));
        }
        check_images(GROUP, config.size, 8)?;
        let groups = all.len().div_ceil(GROUP);
        job.expect(groups * (config.steps + 1));
        let sign = if config.negative { -1.0 } else { 1.0 };
        let run = RenderConfig::new().with_steps(config.steps).with_seed(config.seed);
        let (mut channels, mut sprites) = (Vec::new(), Vec::new());
        for group in all.chunks(GROUP) {
            let seeds: Vec<u64> = group.iter().map(|&channel| config.seed.wrapping_add(channel as u64)).collect();
            let images = to_valid_rgb(fft_images_from(&seeds, [3, config.size, config.size]), ValidRgb::new());
            let own = |(image, &unit): (usize, &usize)| sign * channel(layer, unit).batch(image);
            let objective: Objective = group.iter().enumerate().map(own).sum();
            let render = job.render(&objective, images, &run)?;
            sprites.push(render.images().expect("it ended well").clone());
            channels.extend(group);
            if job.is_interrupted() {
                break;
            }
        }
        Ok(Self { layer: layer.into(), channels, sprites: Tensor::cat(sprites, 0) })
    }

    /// All sprites with their channels.
    pub fn picture(&self) -> Tensor<4> {
        let captions: Vec<String> = self.channels.iter().map(ToString::to_string).collect();
        let columns = captions.len().min(COLUMNS);
        picture::labeled_grid(&self.sprites, columns, 4, &Labels { captions: &captions, ..Labels::default() })
    }

    /// A page that shows each sprite with its channel, and opens it large.
    pub fn page(&self, model: &str, heading: &Heading) -> String {
        #[derive(Serialize)]
        struct Data<'a> {
            layer: &'a str,
            model: &'a str,
            units: &'a [usize],
            sprites: Vec<Sheet>,
        }
        let (layer, units) = (&self.layer, &self.channels);
        let data = Data { layer, model, units, sprites: Sheet::several(&self.sprites) };
        page::page(include_str!("../page/spritemap.html"), heading, &data)
    }
}

#[cfg(test)]
mod tests {
    use entoptic_network::zoo;

    use super::*;
    use crate::recipe::test_runs::largest;

    #[test]
    fn a_sprite_is_the_same_whichever_others_there_are() {
        let network = zoo::squeezenet_v1_1();
        let config = SpritemapConfig::new().with_size(32).with_steps(4);
        let map = |channels: Option<&[usize]>| {
            Spritemap::render(&mut Job::new(&network), "fire2/squeeze1x1", channels, &config).unwrap()
        };
        let all = map(None);
        assert_eq!(all.channels, (0..16).collect::<Vec<_>>());
        let some = map(Some(&[3, 11]));
        for (i, channel) in [3, 11].into_iter().enumerate() {
            let [one, other] = [(&all, channel), (&some, i)].map(|(map, i)| map.sprites.clone().narrow(0, i, 1));
            assert_eq!(largest(one - other), 0.0, "{channel}");
        }
        let [one, other] = [0, 1].map(|i| some.sprites.clone().narrow(0, i, 1));
        assert!(largest(one - other) > 0.05);
    }

    #[test]
    fn a_channel_that_is_not_there_is_named() {
        let network = zoo::squeezenet_v1_1();
        let config = SpritemapConfig::new().with_size(32).with_steps(1);
        let map = Spritemap::render(&mut Job::new(&network), "fire2/squeeze1x1", Some(&[3, 99]), &config);
        let error = map.unwrap_err().to_string();
        assert!(error.contains("99") && error.contains("fire2/squeeze1x1"), "{error}");
    }
}
