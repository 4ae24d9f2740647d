//! Groups of units that respond together.

use burn::{config::Config, tensor::Tensor};
use serde::Serialize;

use super::{Attribution, AttributionConfig, Icons, IconsConfig, Job, Score, check_groups, vectors};
use crate::{
    Error,
    page::{self, Heading, Sheet},
    picture::{self, Labels, hue_to_rgb},
    reducer::{Algorithm, NmfConfig, Reducer},
};

/// The options of [`NeuronGroups`], with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct NeuronGroupsConfig {
    /// How many groups.
    #[config(default = 6)]
    pub groups: usize,
    /// How their icons are made; Lucid's notebook makes them of 80 pixels.
    #[config(default = "IconsConfig::new().with_size(80)")]
    pub icons: IconsConfig,
    /// How scores are attributed to them; Lucid's notebook takes the gradient at the photo alone.
    #[config(default = "AttributionConfig::new().with_points(1)")]
    pub attribution: AttributionConfig,
}

/// A layer's activations on a photo as a sum of a few groups: where each is, what it looks like, and what scores owe to it.
///
/// # Reference
/// [The Building Blocks of Interpretability](https://distill.pub/2018/building-blocks), Olah et al., 2018; Lucid's
/// notebook `building-blocks/NeuronGroups`.
#[derive(Debug, Clone)]
pub struct NeuronGroups {
    /// The photo, `[1, 3, h, w]`.
    pub photo: Tensor<4>,
    /// The layer.
    pub layer: String,
    /// How much of each group is where, `[groups, h, w]`; the groups come in the order of where they peak, from left to
    /// right.
    pub maps: Tensor<3>,
    /// The direction of each group, `[groups, c]`.
    pub directions: Tensor<2>,
    /// What each direction looks like, `[groups, 3, size, size]`.
    pub icons: Tensor<4>,
    /// What each score is called.
    pub names: Vec<String>,
    /// What each score owes to each group, `[scores][groups]`.
    pub effects: Vec<Vec<f32>>,
}

impl NeuronGroups {
    /// Finds the groups of `layer` on `photo` `[1, 3, h, w]`, makes their icons, and attributes `scores` to them.
    ///
    /// Activations below zero, as they are before a ReLU, count as zero.
    ///
    /// # Errors
    /// As [`NmfConfig`], [`Icons::render`] and [`Attribution::of`].
    pub fn render(
        job: &mut Job<'_>,
        photo: &Tensor<4>,
        layer: &str,
        scores: &[Score],
        config: &NeuronGroupsConfig,
    ) -> Result<Self, Error> {
        let (vectors, [rows, columns]) = vectors(job, photo, layer)?;
        check_groups(config.groups, vectors.dims())?;
        let (reducer, factors) = NmfConfig::new(config.groups).fit_transform(vectors.clamp_min(0.0))?;
        let (found, weights) = (reducer.components(), factors.swap_dims(0, 1));
        let order = from_left_to_right(&weights, columns);
        let pick = |rows: &Tensor<2>| Tensor::cat(order.iter().map(|&i| rows.clone().narrow(0, i, 1)).collect(), 0);
        let (directions, weights) = (pick(&found), pick(&weights));
        let effects = match scores {
            [] => Vec::new(),
            scores => {
                let all = Attribution::of(job, photo, layer, scores, &config.attribution)?;
                all.iter().map(|own| effects(own, &directions, &weights)).collect::<Result<_, _>>()?
            }
        };
        let icons = Icons::render(job, layer, &directions, &config.icons)?.images;
        // If the job was ended, some are missing.
        let [made, c, h, w] = icons.dims();
        let icons = match config.groups - made {
            0 => icons,
            missing => Tensor::cat(vec![icons.clone(), Tensor::ones([missing, c, h, w], &icons.device())], 0),
        };
        let names = scores.iter().map(|score| score.name(job.network())).collect::<Result<_, _>>()?;
        let maps = weights.reshape([config.groups, rows, columns]);
        Ok(Self { photo: photo.clone(), layer: layer.into(), maps, directions, icons, names, effects })
    }

    /// Where each group is, its largest value 1, with its color.
    fn colored(&self) -> Vec<(Vec<f32>, [f32; 3])> {
        let [groups, _, _] = self.maps.dims();
        let map = |i: usize| {
            let map: Vec<f32> = self.maps.clone().narrow(0, i, 1).try_into_vec_as().expect("maps are f32");
            let largest = map.iter().fold(f32::MIN_POSITIVE, |largest, &value| largest.max(value));
            let color = hue_to_rgb(360.0 * i as f64 / groups as f64, true).map(|value| value as f32);
            (map.into_iter().map(|value| value / largest).collect::<Vec<f32>>(), color)
        };
        (0..groups).map(map).collect()
    }

    /// The photo with all groups over it, and the icon of each above its map, with what the first score owes to it.
    pub fn picture(&self) -> Tensor<4> {
        let [groups, rows, columns] = self.maps.dims();
        let [.., side] = self.icons.dims();
        let small = picture::resize(&self.photo, [side, side]).expect("an icon has a size");
        let colored = self.colored();
        let blank = picture::colored_overlay(&small, &colored, [rows, columns]);
        let alone =
            colored.iter().map(|own| picture::colored_overlay(&small, std::slice::from_ref(own), [rows, columns]));
        let all = Tensor::cat([small.clone(), self.icons.clone(), blank].into_iter().chain(alone).collect(), 0);
        let effect = |i: usize| self.effects.first().map_or(String::new(), |effects| format!("{:+.2}", effects[i]));
        let none = || std::iter::once(String::new());
        let captions: Vec<String> =
            (0..=groups).map(|_| String::new()).chain(none()).chain((0..groups).map(effect)).collect();
        let captions = if self.effects.is_empty() { &[][..] } else { &captions };
        picture::labeled_grid(&all, groups + 1, 4, &Labels { captions, ..Labels::default() })
    }

    /// A page on which one can point at groups.
    pub fn page(&self, heading: &Heading) -> String {
        #[derive(Serialize)]
        struct Group {
            color: String,
            map: Vec<f32>,
            effects: Vec<f32>,
        }
        #[derive(Serialize)]
        struct Data<'a> {
            photo: String,
            photo_size: [usize; 2],
            layer: &'a str,
            rows: usize,
            columns: usize,
            classes: &'a [String],
            groups: Vec<Group>,
            icons: Sheet,
        }
        let group = |(i, (map, color)): (usize, (Vec<f32>, [f32; 3]))| {
            let [r, g, b] = color.map(|value| (value.clamp(0.0, 1.0) * 255.0) as u8);
            let effects = self.effects.iter().map(|effects| effects[i]).collect();
            Group { color: format!("#{r:02x}{g:02x}{b:02x}"), map, effects }
        };
        let ([_, _, h, w], [_, rows, columns]) = (self.photo.dims(), self.maps.dims());
        let data = Data {
            photo: page::photo(&self.photo),
            photo_size: [h, w],
            layer: &self.layer,
            rows,
            columns,
            classes: &self.names,
            groups: self.colored().into_iter().enumerate().map(group).collect(),
            icons: Sheet::new(&self.icons),
        };
        page::page(include_str!("../page/neuron_groups.html"), heading, &data)
    }
}

/// The groups in the order of the columns where they are strongest.
fn from_left_to_right(weights: &Tensor<2>, columns: usize) -> Vec<usize> {
    let [groups, positions] = weights.dims();
    let weights: Vec<f32> = weights.clone().try_into_vec_as().expect("weights are f32");
    let peak = |group: &usize| {
        let own = &weights[group * positions..][..positions];
        (0..positions).max_by(|&a, &b| own[a].total_cmp(&own[b])).unwrap_or(0) % columns
    };
    let mut order: Vec<usize> = (0..groups).collect();
    order.sort_by_key(peak);
    order
}

/// What a score owes to each group: the gradient along its direction, as much of it as there is at each position.
fn effects(attribution: &Attribution, directions: &Tensor<2>, weights: &Tensor<2>) -> Result<Vec<f32>, Error> {
    let [c, h, w] = attribution.gradients.dims();
    let gradients = attribution.gradients.clone().reshape([c, h * w]);
    let along = directions.clone().matmul(gradients); // [groups, positions]
    Ok((along * weights.clone()).sum_dim(1).try_into_vec_as().expect("effects are f32"))
}
