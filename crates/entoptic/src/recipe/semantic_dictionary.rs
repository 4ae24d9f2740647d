//! The units that respond most at each position of a photo.

use burn::{config::Config, tensor::Tensor};
use serde::Serialize;

use super::{Job, Spritemap, SpritemapConfig, vectors};
use crate::{
    Error,
    page::{self, Heading, Sheet},
    picture::{self, Labels},
};

/// The options of a [`SemanticDictionary`].
#[derive(Config, Debug, PartialEq)]
pub struct SemanticDictionaryConfig {
    /// How many units of each position are told; 4 in Lucid's notebook.
    #[config(default = 4)]
    pub top: usize,
    /// How the units' sprites are made.
    #[config(default = "SpritemapConfig::new()")]
    pub sprites: SpritemapConfig,
}

/// A photo's positions, each with the units that respond most there.
///
/// # Reference
/// [The Building Blocks of Interpretability](https://distill.pub/2018/building-blocks), Olah et al., 2018; Lucid's
/// notebook `building-blocks/SemanticDictionary`.
#[derive(Debug, Clone)]
pub struct SemanticDictionary {
    /// The photo, `[1, 3, h, w]`.
    pub photo: Tensor<4>,
    /// The layer's rows and columns.
    pub positions: [usize; 2],
    /// For each position, row by row, its channels and their activations, the strongest first.
    pub entries: Vec<Vec<(usize, f32)>>,
    /// The sprites of all channels that occur.
    pub sprites: Spritemap,
}

impl SemanticDictionary {
    /// Finds the strongest units of each position, and makes their sprites.
    ///
    /// # Errors
    /// [`NoPositions`](entoptic_network::model::Error::NoPositions) for a layer without; [`Error::OutOfRange`] for no unit of each
    /// position; as [`Spritemap::render`].
    pub fn render(
        job: &mut Job<'_>,
        photo: &Tensor<4>,
        layer: &str,
        config: &SemanticDictionaryConfig,
    ) -> Result<Self, Error> {
        if config.top == 0 {
            return Err(Error::out_of_range("the number of units of each position", 0, "it is 1 or more"));
        }
        let (vectors, positions) = vectors(job, photo, layer)?;
        let [_, c] = vectors.dims();
        let values: Vec<f32> = vectors.try_into_vec_as().expect("activations are f32");
        let strongest = |activations: &[f32]| {
            let mut channels: Vec<(usize, f32)> = activations.iter().copied().enumerate().collect();
            channels.sort_by(|a, b| b.1.total_cmp(&a.1));
            channels.retain(|&(_, activation)| activation > 0.0);
            channels.truncate(config.top);
            channels
        };
        let entries: Vec<Vec<(usize, f32)>> = values.chunks_exact(c).map(strongest).collect();
        let mut channels: Vec<usize> = entries.iter().flatten().map(|&(channel, _)| channel).collect();
        channels.sort_unstable();
        channels.dedup();
        let sprites = Spritemap::render(job, layer, Some(&channels), &config.sprites)?;
        Ok(Self { photo: photo.clone(), positions, entries, sprites })
    }

    /// The photo's strongest units all over, with how many positions they are among the strongest of.
    pub fn picture(&self) -> Tensor<4> {
        let count = |channel: usize| self.entries.iter().flatten().filter(|&&(other, _)| other == channel).count();
        let known = self.sprites.channels.iter().enumerate();
        let mut counted: Vec<(usize, usize, usize)> = known.map(|(i, &channel)| (count(channel), channel, i)).collect();
        counted.sort_by_key(|&(count, channel, _)| (std::cmp::Reverse(count), channel));
        counted.truncate(SHOWN);
        let [.., side] = self.sprites.sprites.dims();
        let photo = picture::resize(&self.photo, [side, side]).expect("a sprite has a size");
        let sprites = counted.iter().map(|&(_, _, i)| self.sprites.sprites.clone().narrow(0, i, 1));
        let images = Tensor::cat([photo].into_iter().chain(sprites).collect(), 0);
        let captions: Vec<String> = ["photo".into()]
            .into_iter()
            .chain(counted.iter().map(|(count, channel, _)| format!("{channel} ({count}x)")))
            .collect();
        picture::labeled_grid(&images, captions.len().min(8), 4, &Labels { captions: &captions, ..Labels::default() })
    }

    /// A page on which one can point at positions.
    pub fn page(&self, heading: &Heading) -> String {
        #[derive(Serialize)]
        struct Data<'a> {
            photo: String,
            photo_size: [usize; 2],
            layer: &'a str,
            rows: usize,
            columns: usize,
            cells: &'a [Vec<(usize, f32)>],
            units: &'a [usize],
            sprites: Vec<Sheet>,
        }
        let ([_, _, h, w], [rows, columns]) = (self.photo.dims(), self.positions);
        let data = Data {
            photo: page::photo(&self.photo),
            photo_size: [h, w],
            layer: &self.sprites.layer,
            rows,
            columns,
            cells: &self.entries,
            units: &self.sprites.channels,
            sprites: Sheet::several(&self.sprites.sprites),
        };
        page::page(include_str!("../page/semantic_dictionary.html"), heading, &data)
    }
}

/// How many units the picture shows.
const SHOWN: usize = 23;
