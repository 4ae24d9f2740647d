//! Recipes: runs arranged so that they show more than one image does.
//!
//! | recipe | shows |
//! | --- | --- |
//! | [`InteractionGrid`] | every unit combined with every other |
//! | [`ActivationGrid`] | what a layer makes of a photo, at each position |
//! | [`Interpolation`] | the way from one unit to another |
//! | [`Transparent`] | a unit on all backgrounds: what of the image matters |
//! | [`Caricature`] | what layers make of a photo as a whole |
//! | [`Study`] | both ends of a unit, diverse examples, and regularizations compared |
//! | [`Spritemap`] | all units of a layer |
//! | [`SemanticDictionary`] | the units that respond most at each position of a photo |
//! | [`AttributionFigure`] | what a class owes to positions and channels |
//! | [`NeuronGroups`] | units that respond together on a photo |
//! | [`ActivationAtlas`] | all that a layer tells apart |
//! | [`DeepDream`] | a photo that becomes what a network sees in it |
//! | [`StyleTransfer`] | one picture in the style of another |
//!
//! A recipe has options with Lucid's defaults, runs in a [`Job`], and leaves images and a picture of them:
//!
//! ```
//! use entoptic::{
//!     network::zoo,
//!     recipe::{InteractionGrid, InteractionGridConfig, Job, Unit},
//! };
//!
//! let network = zoo::squeezenet_v1_1();
//! let units = [Unit::from(("fire4", 127)), Unit::from(("fire4", 10))];
//! let config = InteractionGridConfig::new().with_size(32).with_steps(2);
//! let grid = InteractionGrid::render(&mut Job::new(&network), &units, &config)?;
//! assert_eq!(grid.images.dims(), [4, 3, 32, 32]);
//! # Ok::<(), entoptic::Error>(())
//! ```

mod activation_atlas;
mod activation_grid;
mod attribution;
mod caricature;
mod deep_dream;
mod icons;
mod interaction_grid;
mod interpolation;
mod job;
mod neuron_groups;
mod semantic_dictionary;
mod spritemap;
mod study;
mod style_transfer;
#[cfg(test)]
mod test_runs;
mod transparency;
mod unit;

use burn::tensor::Tensor;
use entoptic_network::{GradientOverrides, model};

pub use self::{
    activation_atlas::{ActivationAtlas, ActivationAtlasConfig, Cell, Collected},
    activation_grid::{ActivationGrid, ActivationGridConfig},
    attribution::{Attribution, AttributionConfig, AttributionFigure, Score, spatial_attribution},
    caricature::{Caricature, CaricatureConfig},
    deep_dream::{DeepDream, DeepDreamConfig},
    icons::{Icons, IconsConfig},
    interaction_grid::{InteractionGrid, InteractionGridConfig},
    interpolation::{Interpolation, InterpolationConfig, Shared},
    job::{Job, Moment},
    neuron_groups::{NeuronGroups, NeuronGroupsConfig},
    semantic_dictionary::{SemanticDictionary, SemanticDictionaryConfig},
    spritemap::{Spritemap, SpritemapConfig},
    study::{Study, StudyConfig},
    style_transfer::{StyleTransfer, StyleTransferConfig},
    transparency::{
        Background, Transparent, TransparentConfig, TransparentSet, TransparentSetConfig, Variable, backgrounds,
        backgrounds_of_set, sample_sheet,
    },
    unit::Unit,
};
use crate::{Error, RenderConfig, param::image};

/// Runs of so many steps, with the gradients of ReLUs as they are: a loop over Lucid's `make_vis_T`.
fn after(steps: usize, seed: u64) -> Result<RenderConfig, Error> {
    let last = steps.checked_sub(1);
    let last = last.ok_or_else(|| Error::out_of_range("the number of steps", steps, "it is 1 or more"))?;
    Ok(RenderConfig::new().with_steps(last).with_seed(seed).with_gradients(GradientOverrides::none()))
}

/// A layer's activations on a photo `[1, 3, h, w]` as a vector for each position, `[rows * columns, c]`, and how many rows
/// and columns there are.
fn vectors(job: &Job<'_>, photo: &Tensor<4>, layer: &str) -> Result<(Tensor<2>, [usize; 2]), Error> {
    let activations = job.activations(photo.clone(), layer)?;
    let [_, c, rows, columns] = activations.dims();
    if [rows, columns] == [1, 1] {
        return Err(model::Error::NoPositions { layer: layer.into() }.into());
    }
    Ok((activations.permute([0, 2, 3, 1]).reshape([rows * columns, c]), [rows, columns]))
}

/// That a run can have so many images of `size` pixels a side, of which there are `least` or more.
fn check_images(count: usize, size: usize, least: usize) -> Result<(), Error> {
    let too_small = "it is 8 pixels or more, and 16 where images share coarse layouts";
    match size < least {
        true => Err(Error::out_of_range("the size of the images", size, too_small)),
        false => image([size, size]).with_batch(count).check(),
    }
}

/// That vectors of so many positions and channels can be so many groups.
fn check_groups(groups: usize, [positions, channels]: [usize; 2]) -> Result<(), Error> {
    let (most, of) = if positions < channels { (positions, "positions") } else { (channels, "channels") };
    match groups > most {
        true => Err(Error::TooManyComponents { components: groups, most, of }),
        false => Ok(()),
    }
}
