//! All that a layer tells apart, laid out so that what is alike is close.

mod layout;

use std::collections::BTreeMap;

use burn::{
    config::Config,
    tensor::{Tensor, TensorData},
};
use nalgebra::DMatrix;
use rand::seq::index;
use serde::Serialize;

use self::layout::layout;
use super::{Icons, IconsConfig, Job};
use crate::{
    Error,
    chance::{Purpose, draws},
    page::{self, Heading, Sheet},
};

/// The options of an [`ActivationAtlas`], with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct ActivationAtlasConfig {
    /// How many cells a side has; 10 in Lucid's recipe, 20 in its notebook.
    #[config(default = 20)]
    pub grid: usize,
    /// How many activations a cell has at least; 10 in Lucid's notebook.
    #[config(default = 10)]
    pub least: usize,
    /// How many activations are laid out at most, as many of each photo; 100 000 in Lucid.
    #[config(default = 100_000)]
    pub most: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// How many neighbors of an activation it is to be close to; 20 in Lucid's notebook.
    #[config(default = 20)]
    pub neighbors: usize,
    /// How close alike activations may be in the layout; 0.01 in Lucid's notebook.
    #[config(default = 0.01)]
    pub min_dist: f64,
    /// Whether directions make up for channels that are active together, as in Lucid's notebook but not in its recipe: that
    /// wants very many activations.
    #[config(default = false)]
    pub whiten: bool,
    /// How icons are made.
    #[config(default = "IconsConfig::new().with_steps(512).with_attempts(1).with_cossim_pow(4.0)")]
    pub icons: IconsConfig,
}

/// One cell of an atlas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// The column.
    pub x: usize,
    /// The row.
    pub y: usize,
    /// How many activations there are.
    pub count: usize,
    /// What the network takes most of their photos for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// Activations of many photos, laid out by UMAP so that what is alike is close, and averaged in the cells of a grid, with an
/// icon for each.
///
/// # Reference
/// [Activation Atlas](https://distill.pub/2019/activation-atlas), Carter et al., 2019; `recipes/activation_atlas` in Lucid and
/// its notebook `activation-atlas-simple`, where the layout's first axis runs down.
#[derive(Debug, Clone)]
pub struct ActivationAtlas {
    /// The layer.
    pub layer: String,
    /// How many cells a side has.
    pub grid: usize,
    /// Where each activation is, `[x, y]` in `0..=1`.
    pub layout: Vec<[f32; 2]>,
    /// The cells with enough activations, row by row.
    pub cells: Vec<Cell>,
    /// One for each cell, `[n, 3, size, size]`, or fewer if the job was ended.
    pub icons: Tensor<4>,
}

/// Activations of photos, to be laid out.
#[derive(Debug, Clone)]
pub struct Collected {
    /// `[n, c]`.
    pub vectors: Tensor<2>,
    /// What the network takes the photo of each for.
    pub labels: Vec<Option<String>>,
}

impl Collected {
    /// Collects activations of `layer` on photos `[1, 3, h, w]`, of which there are `count`: at all positions, or at as many
    /// of each, drawn by chance, as make `most` together.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for no photo; as [`Job::answer`], and what `photos` says.
    pub fn collect(
        job: &mut Job<'_>,
        photos: impl IntoIterator<Item = Result<Tensor<4>, Error>>,
        count: usize,
        layer: &str,
        config: &ActivationAtlasConfig,
    ) -> Result<Self, Error> {
        let probabilities = job.network().description().classes()?.to_owned();
        let names = job.network().description().labels.clone();
        let mut chance = draws(config.seed, Purpose::Positions);
        let (mut vectors, mut labels) = (Vec::new(), Vec::new());
        job.network().shape(layer, [config.icons.size; 2])?;
        job.expect(count);
        for photo in photos {
            let wanted = [layer, &probabilities].map(entoptic_network::Wanted::layer);
            let answers = job.answer(photo?, &wanted)?;
            let activations = answers.map(layer)?;
            let [_, c, h, w] = activations.dims();
            let each = (config.most / count.max(1)).clamp(1, h * w);
            let chosen: Vec<i64> = index::sample(&mut chance, h * w, each).iter().map(|i| i as i64).collect();
            let chosen =
                Tensor::<1, burn::tensor::Int>::from_data(TensorData::new(chosen, [each]), &activations.device());
            vectors.push(activations.reshape([c, h * w]).swap_dims(0, 1).select(0, chosen));
            let class = answers.map(&probabilities)?.flatten::<1>(0, 3).argmax(0).into_scalar::<i64>();
            labels.extend(std::iter::repeat_n(names.get(class as usize).cloned(), each));
            if !job.advance() {
                break;
            }
        }
        if vectors.is_empty() {
            return Err(Error::out_of_range("the number of photos", 0, "it is 1 or more"));
        }
        Ok(Self { vectors: Tensor::cat(vectors, 0), labels })
    }
}

impl ActivationAtlas {
    /// Lays out what was collected of `layer`, and makes an icon for each cell.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for too few activations, for no cell, and if no cell has enough; [`Error::Ended`] if the
    /// job is before there is an icon; as [`Icons::render`].
    pub fn render(
        job: &mut Job<'_>,
        layer: &str,
        collected: &Collected,
        config: &ActivationAtlasConfig,
    ) -> Result<Self, Error> {
        let [n, _] = collected.vectors.dims();
        if config.grid == 0 {
            return Err(Error::out_of_range("the number of cells of a side", 0, "it is 1 or more"));
        }
        if n <= config.neighbors || config.neighbors < 2 {
            let accepted = "there are more activations than neighbors of each, and 2 neighbors or more";
            return Err(Error::out_of_range("the number of activations", n, accepted));
        }
        let places = layout(job, &collected.vectors, config.neighbors, config.min_dist, config.seed)?;
        if job.is_interrupted() {
            return Err(Error::Ended);
        }
        let layout = normalized(places);
        let mut binned: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        for (i, &[x, y]) in layout.iter().enumerate() {
            let [x, y] = [x, y].map(|at| ((at * config.grid as f32) as usize).min(config.grid - 1));
            binned.entry((y, x)).or_default().push(i);
        }
        binned.retain(|_, own| own.len() >= config.least.max(1));
        if binned.is_empty() {
            let accepted = "a cell has that many; fewer, or a coarser grid, would do";
            return Err(Error::out_of_range("the least number of activations of a cell", config.least, accepted));
        }
        let mean = |own: &Vec<usize>| {
            let own: Vec<i64> = own.iter().map(|&i| i as i64).collect();
            let count = own.len();
            let device = collected.vectors.device();
            let chosen = Tensor::<1, burn::tensor::Int>::from_data(TensorData::new(own, [count]), &device);
            collected.vectors.clone().select(0, chosen).mean_dim(0)
        };
        let directions = Tensor::cat(binned.values().map(mean).collect(), 0);
        let cells = binned.iter().map(|(&(y, x), own)| {
            let label = most_frequent(own.iter().filter_map(|&i| collected.labels[i].as_deref()));
            Cell { x, y, count: own.len(), label: label.map(str::to_owned) }
        });
        let cells: Vec<Cell> = cells.collect();
        let directions = match config.whiten.then(|| inverse_covariance(&collected.vectors)).flatten() {
            Some(inverse) => directions.matmul(inverse),
            None => directions,
        };
        let icons = Icons::render(job, layer, &directions, &config.icons)?.images;
        Ok(Self { layer: layer.into(), grid: config.grid, layout, cells, icons })
    }

    /// The icons in their places, on white.
    pub fn picture(&self) -> Tensor<4> {
        let [n, c, h, w] = self.icons.dims();
        let white = Tensor::<4>::ones([1, c, self.grid * h, self.grid * w], &self.icons.device());
        self.cells.iter().take(n).enumerate().fold(white, |canvas, (i, cell)| {
            let [top, left] = [cell.y * h, cell.x * w];
            canvas.slice_assign([0..1, 0..c, top..top + h, left..left + w], self.icons.clone().narrow(0, i, 1))
        })
    }

    /// A page to wander about on.
    pub fn page(&self, heading: &Heading) -> String {
        #[derive(Serialize)]
        struct Data<'a> {
            grid: usize,
            cells: &'a [Cell],
            icons: Vec<Sheet>,
        }
        let [n, ..] = self.icons.dims();
        let data = Data { grid: self.grid, cells: &self.cells[..n], icons: Sheet::several(&self.icons) };
        page::page(include_str!("../page/activation_atlas.html"), heading, &data)
    }
}

/// What is cut off of a layout on each side, in percent, and what is added again; Lucid, `recipes/activation_atlas/layout.py`.
const OUTLIERS: f64 = 0.01;
const MARGIN: f32 = 0.1;

/// A layout in `0..=1`, without outliers.
fn normalized(mut layout: Vec<[f32; 2]>) -> Vec<[f32; 2]> {
    for axis in 0..2 {
        let mut sorted: Vec<f32> = layout.iter().map(|at| at[axis]).collect();
        sorted.sort_by(f32::total_cmp);
        let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part).round() as usize];
        let (low, high) = (at(OUTLIERS), at(1.0 - OUTLIERS));
        let low = low - MARGIN * (high - low);
        let high = high + MARGIN * (high - low);
        let extent = (high - low).max(f32::MIN_POSITIVE);
        for place in &mut layout {
            place[axis] = (place[axis].clamp(low, high) - low) / extent;
        }
    }
    layout
}

fn most_frequent<'a>(words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts.into_iter().max_by_key(|&(_, count)| count).map(|(word, _)| word)
}

/// The inverse of the uncentered covariance of vectors `[n, c]`: `[c, c]`.
///
/// To the diagonal is added as much of its mean as there are channels for each vector, and a thousandth at least: of few
/// vectors the covariance is mostly chance, whose inverse would point to what is rarest. Lucid has 100 000.
fn inverse_covariance(vectors: &Tensor<2>) -> Option<Tensor<2>> {
    let [n, c] = vectors.dims();
    let covariance = vectors.clone().transpose().matmul(vectors.clone()) / n as f64;
    let values: Vec<f64> = covariance.try_into_vec_as().expect("activations are f32");
    let mut matrix = DMatrix::from_vec(c, c, values);
    let ridge = (c as f64 / n as f64).max(1e-3) * matrix.trace() / c as f64;
    for i in 0..c {
        matrix[(i, i)] += ridge;
    }
    let inverse = matrix.cholesky()?.inverse();
    let values: Vec<f32> = inverse.iter().map(|&value| value as f32).collect();
    Some(Tensor::from_data(TensorData::new(values, [c, c]), &vectors.device()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_cut_to_where_most_of_it_is() {
        let mut layout: Vec<[f32; 2]> = (0..200).map(|i| [i as f32, -2.0 * i as f32]).collect();
        layout[0] = [-1e6, 1e6];
        let normalized = normalized(layout);
        assert!(normalized.iter().flatten().all(|at| (0.0..=1.0).contains(at)));
        let [x, y] = normalized[100];
        assert!((x - 0.5).abs() < 0.05 && (y - 0.5).abs() < 0.05, "{x}, {y}");
    }

    #[test]
    fn the_most_frequent_word_is_a_cells_label() {
        assert_eq!(most_frequent(["cat", "dog", "cat"].into_iter()), Some("cat"));
        assert_eq!(most_frequent(std::iter::empty()), None);
    }
}
