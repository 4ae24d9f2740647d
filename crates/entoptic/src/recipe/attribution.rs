//! What a score owes to each position and channel of a layer.

use burn::{
    config::Config,
    tensor::{Tensor, activation::log_softmax},
};
use entoptic_network::{GradientOverrides, MaxPoolOverride, Network, Pass, Wanted};
use serde::Serialize;

use super::{Job, Spritemap, SpritemapConfig};
use crate::{
    Error,
    objective::Class,
    page::{self, Heading, Sheet},
    picture,
};

/// What is attributed: a number that a network's logits make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Score {
    /// The logit of a class.
    Logit(Class),
    /// How much higher the logit of one class is than that of another.
    Difference(Class, Class),
    /// The logarithm of a class's probability.
    LogProbability(Class),
}

impl Score {
    /// Of logits `[n, classes]`: `[n]`.
    fn of(&self, network: &Network, logits: Tensor<2>) -> Result<Tensor<1>, Error> {
        let index = |class: &Class| class.index(&network.description().labels, logits.dims()[1]);
        let logit = |logits: &Tensor<2>, index: usize| logits.clone().narrow(1, index, 1).squeeze_dim(1);
        Ok(match self {
            Self::Logit(class) => logit(&logits, index(class)?),
            Self::Difference(one, other) => logit(&logits, index(one)?) - logit(&logits, index(other)?),
            Self::LogProbability(class) => logit(&log_softmax(logits.clone(), 1), index(class)?),
        })
    }

    /// What it is called.
    pub fn name(&self, network: &Network) -> Result<String, Error> {
        let labels = &network.description().labels;
        let count = logits_shape(network)?;
        let name = |class: &Class| -> Result<String, Error> {
            let index = class.index(labels, count)?;
            Ok(labels.get(index).cloned().unwrap_or_else(|| index.to_string()))
        };
        Ok(match self {
            Self::Logit(class) => name(class)?,
            Self::Difference(one, other) => format!("{} rather than {}", name(one)?, name(other)?),
            Self::LogProbability(class) => format!("probability of {}", name(class)?),
        })
    }
}

/// The options of an [`Attribution`].
#[derive(Config, Debug, PartialEq, Eq)]
pub struct AttributionConfig {
    /// How many points of the way from no activations to those of the photo the gradient is the mean of; with 1 it is
    /// the gradient at the photo's alone. 100 in Lucid's notebook.
    #[config(default = 100)]
    pub points: usize,
    /// Whether the gradients of max pools are those of smooth ones, which do not depend on single winners.
    #[config(default = false)]
    pub smooth: bool,
}

/// What a score owes to each channel of a layer at each position: activations times gradients.
///
/// With several [`points`](AttributionConfig::points) it adds up to what the photo's activations change the score by.
/// Lucid's notebook takes the left ends of equal parts of the way, this their middles, whose sum is more exact.
///
/// # Reference
/// [The Building Blocks of Interpretability](https://distill.pub/2018/building-blocks), Olah et al., 2018; [Integrated
/// Gradients](https://arxiv.org/abs/1703.01365), Sundararajan et al., 2017; Lucid's notebooks `building-blocks/AttrChannel`
/// and `AttrSpatial`.
#[derive(Debug, Clone)]
pub struct Attribution {
    /// The layer.
    pub layer: String,
    /// Of each channel at each position, `[c, h, w]`.
    pub values: Tensor<3>,
    /// The gradient of the score, on average over the way, `[c, h, w]`.
    pub gradients: Tensor<3>,
    /// The score of the photo.
    pub score: f64,
    /// The score where the layer has no activations.
    pub baseline: f64,
}

impl Attribution {
    /// Attributes each of `scores` to `layer` on `photo` `[1, 3, h, w]`.
    ///
    /// # Errors
    /// [`NotTheOnlyWay`](entoptic_network::Error::NotTheOnlyWay) for a layer with branches beside it;
    /// [`NoPositions`](entoptic_network::model::Error::NoPositions); [`Error::NoSuchLabel`]; [`Error::OutOfRange`] for no point;
    /// [`Error::Ended`] if the job is.
    pub fn of(
        job: &mut Job<'_>,
        photo: &Tensor<4>,
        layer: &str,
        scores: &[Score],
        config: &AttributionConfig,
    ) -> Result<Vec<Self>, Error> {
        if config.points == 0 {
            return Err(Error::out_of_range("the number of points", 0, "it is 1 or more"));
        }
        let activations = job.activations(photo.clone(), layer)?;
        let logits = logits(job.network())?;
        let network = job.network();
        let rest = network.after(layer, &logits)?;
        let pool = config.smooth.then_some(MaxPoolOverride::L2);
        let pass = Pass { gradients: GradientOverrides { pool, ..GradientOverrides::none() }, ..Pass::default() };
        let score = |score: &Score, activations: Tensor<4>| -> Result<Tensor<1>, Error> {
            let logits_map = rest.answer(activations, &[Wanted::layer(&logits)], &pass)?.map(&logits)?;
            score.of(network, logits_map.mean_dim(2).mean_dim(3).flatten(1, 3))
        };
        job.expect(scores.len() * config.points);
        let mut attribution = |of: &Score| {
            let mut gradient = activations.zeros_like();
            for point in 0..config.points {
                let along = match config.points {
                    1 => 1.0,
                    points => (point as f64 + 0.5) / points as f64,
                };
                let at = activations.clone().mul_scalar(along).autodiff().require_grad();
                let gradients = score(of, at.clone())?.sum().backward();
                gradient = gradient + at.grad(&gradients).unwrap_or_else(|| activations.zeros_like());
                if !job.advance() {
                    return Err(Error::Ended);
                }
            }
            let gradient = gradient / config.points as f64;
            let values = activations.clone() * gradient.clone();
            let number = |score: Tensor<1>| f64::from(score.into_scalar::<f32>());
            Ok(Self {
                layer: layer.into(),
                values: values.squeeze_dim(0),
                gradients: gradient.squeeze_dim(0),
                score: number(score(of, activations.clone())?),
                baseline: number(score(of, activations.zeros_like())?),
            })
        };
        scores.iter().map(&mut attribution).collect()
    }

    /// Of each channel, all positions together: `[c]`.
    pub fn channels(&self) -> Vec<f32> {
        let [c, h, w] = self.values.dims();
        self.values.clone().reshape([c, h * w]).sum_dim(1).try_into_vec_as().expect("attributions are f32")
    }

    /// Of each position, all channels together, row by row: `[h, w]`.
    pub fn positions(&self) -> Vec<f32> {
        self.values.clone().sum_dim(0).try_into_vec_as().expect("attributions are f32")
    }

    /// Of all together: about `score - baseline`, if it is of many points.
    pub fn sum(&self) -> f64 {
        f64::from(self.values.clone().sum().into_scalar::<f32>())
    }
}

/// How much each position of one layer owes to each of an earlier one: `[h, w, h', w']`, the later layer's positions first.
///
/// It is the gradient of the length of the later layer's activations at a position, times the earlier layer's activations.
///
/// # Errors
/// As [`Attribution::of`].
///
/// # Reference
/// Lucid's notebook `building-blocks/AttrSpatial`.
pub fn spatial_attribution(job: &mut Job<'_>, photo: &Tensor<4>, from: &str, to: &str) -> Result<Tensor<4>, Error> {
    let activations = job.activations(photo.clone(), from)?;
    let [_, _, from_h, from_w] = activations.dims();
    let rest = job.network().after(from, to)?;
    let at = activations.clone().autodiff().require_grad();
    let later = rest.answer(at.clone(), &[Wanted::layer(to)], &Pass::default())?.map(to)?;
    let [_, _, h, w] = later.dims();
    job.expect(h * w);
    let mut all = Vec::with_capacity(h * w);
    for y in 0..h {
        for x in 0..w {
            let wanted = [Wanted::position(to, [y, x])];
            let there = rest.answer(at.clone(), &wanted, &Pass::default())?.position(to, Some([y, x]))?;
            let length = there.powi_scalar(2).sum().add_scalar(1e-12).sqrt();
            let gradient = at.grad(&length.backward()).unwrap_or_else(|| activations.zeros_like());
            all.push((activations.clone() * gradient).sum_dim(1).reshape([1, from_h, from_w]));
            if !job.advance() {
                return Err(Error::Ended);
            }
        }
    }
    Ok(Tensor::cat(all, 0).reshape([h, w, from_h, from_w]))
}

/// The layer that a network's probabilities are the softmax of.
fn logits(network: &Network) -> Result<String, Error> {
    let (graph, description) = (network.graph(), network.description());
    if !description.logits.is_empty() {
        return Ok(description.logits.clone());
    }
    let node = &graph.nodes()[graph.find(description.classes()?)?];
    Ok(match (&node.op, &node.inputs[..]) {
        (entoptic_network::graph::Op::Softmax, &[logits]) => graph.nodes()[logits].name.clone(),
        _ => node.name.clone(),
    })
}

/// How many classes a network has.
fn logits_shape(network: &Network) -> Result<usize, Error> {
    Ok(network.shape(&logits(network)?, network.graph().size())?.channels())
}

/// What some scores owe to a layer, as pictures and a page show it.
#[derive(Debug, Clone)]
pub struct AttributionFigure {
    /// The photo, `[1, 3, h, w]`.
    pub photo: Tensor<4>,
    /// What each score is called.
    pub names: Vec<String>,
    /// One for each score.
    pub attributions: Vec<Attribution>,
    /// The channels with the strongest attributions, up or down.
    pub sprites: Spritemap,
}

impl AttributionFigure {
    /// Attributes `scores`, and makes sprites of the `top` channels that matter most to each, up and down.
    ///
    /// # Errors
    /// As [`Attribution::of`] and [`Spritemap::render`].
    pub fn render(
        job: &mut Job<'_>,
        photo: &Tensor<4>,
        layer: &str,
        scores: &[Score],
        config: &AttributionConfig,
        top: usize,
        sprites: &SpritemapConfig,
    ) -> Result<Self, Error> {
        let attributions = Attribution::of(job, photo, layer, scores, config)?;
        let mut channels: Vec<usize> = attributions.iter().flat_map(|own| strongest(&own.channels(), top)).collect();
        channels.sort_unstable();
        channels.dedup();
        let names = scores.iter().map(|score| score.name(job.network())).collect::<Result<_, _>>()?;
        let sprites = Spritemap::render(job, layer, Some(&channels), sprites)?;
        Ok(Self { photo: photo.clone(), names, attributions, sprites })
    }

    /// For each score the photo, gray, with where it comes from: orange for it, blue against it.
    pub fn picture(&self) -> Tensor<4> {
        let overlay = |attribution: &Attribution| {
            let [_, rows, columns] = attribution.values.dims();
            picture::heat_overlay(&self.photo, &attribution.positions(), [rows, columns])
        };
        let overlays = self.attributions.iter().map(overlay);
        let images = Tensor::cat([self.photo.clone()].into_iter().chain(overlays).collect(), 0);
        let captions: Vec<String> = ["photo".to_owned()].into_iter().chain(self.names.iter().cloned()).collect();
        let labels = picture::Labels { captions: &captions, ..picture::Labels::default() };
        picture::labeled_grid(&images, captions.len().min(4), 4, &labels)
    }

    /// A page with channels and positions, on which one can point at both.
    pub fn page(&self, heading: &Heading) -> String {
        #[derive(Serialize)]
        struct Channel {
            unit: usize,
            value: Vec<f32>,
            sprite: Option<usize>,
            map: Vec<f32>,
        }
        #[derive(Serialize)]
        struct Data<'a> {
            photo: String,
            photo_size: [usize; 2],
            layer: &'a str,
            classes: &'a [String],
            rows: usize,
            columns: usize,
            channels: Vec<Channel>,
            sprites: Vec<Sheet>,
            spatial: Vec<Vec<f32>>,
        }
        let [_, rows, columns] = self.attributions[0].values.dims();
        let values: Vec<Vec<f32>> = self.attributions.iter().map(Attribution::channels).collect();
        let channel = |(sprite, &unit): (usize, &usize)| Channel {
            unit,
            value: values.iter().map(|values| values[unit]).collect(),
            sprite: Some(sprite),
            map: {
                let map = self.attributions[0].values.clone().narrow(0, unit, 1);
                map.try_into_vec_as().expect("attributions are f32")
            },
        };
        let mut channels: Vec<Channel> = self.sprites.channels.iter().enumerate().map(channel).collect();
        channels.sort_by(|a, b| b.value[0].total_cmp(&a.value[0]));
        let [_, _, h, w] = self.photo.dims();
        let data = Data {
            photo: page::photo(&self.photo),
            photo_size: [h, w],
            layer: &self.sprites.layer,
            classes: &self.names,
            rows,
            columns,
            channels,
            sprites: Sheet::several(&self.sprites.sprites),
            spatial: self.attributions.iter().map(Attribution::positions).collect(),
        };
        page::page(include_str!("../page/attribution.html"), heading, &data)
    }
}

/// The channels with the `top` highest and the `top` lowest values.
fn strongest(values: &[f32], top: usize) -> Vec<usize> {
    let mut channels: Vec<usize> = (0..values.len()).collect();
    channels.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let top = top.min(channels.len());
    let lowest = channels[channels.len() - top..].to_vec();
    channels.truncate(top);
    channels.extend(lowest);
    channels
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use entoptic_network::zoo;

    use super::*;

    fn photo() -> Tensor<4> {
        let path = format!("{}/../../fixtures/images/cat.png", env!("CARGO_MANIFEST_DIR"));
        picture::load_square(path.as_ref(), 224, &Device::flex()).unwrap()
    }

    fn difference() -> Score {
        Score::Difference("Egyptian cat".into(), "espresso".into())
    }

    #[test]
    fn attributions_add_up_to_what_the_layer_changes_the_score_by() {
        let network = zoo::squeezenet_v1_1();
        for layer in ["fire5", "fire8"] {
            let job = &mut Job::new(&network);
            let config = AttributionConfig::new();
            let of = Attribution::of(job, &photo(), layer, &[difference()], &config).unwrap().remove(0);
            let change = of.score - of.baseline;
            assert!(change > 1.0, "{change}");
            assert!((of.sum() / change - 1.0).abs() < 0.05, "{layer}: {} of {change}", of.sum());
            let channels: f32 = of.channels().iter().sum();
            let positions: f32 = of.positions().iter().sum();
            assert!((channels - positions).abs() < 1e-2 * channels.abs());
        }
    }

    #[test]
    fn a_single_point_is_the_gradient_at_the_photo() {
        let network = zoo::squeezenet_v1_1();
        let job = &mut Job::new(&network);
        let one = AttributionConfig::new().with_points(1);
        let of = Attribution::of(job, &photo(), "fire8", &[difference()], &one).unwrap().remove(0);
        let activations = job.activations(photo(), "fire8").unwrap();
        let step = 1e-2;
        let rest = network.after("fire8", "logits").unwrap();
        let score = |activations: Tensor<4>| -> f64 {
            let logits = rest.activations(activations, &["logits"]).unwrap().map("logits").unwrap();
            f64::from(difference().of(&network, logits.flatten(1, 3)).unwrap().into_scalar::<f32>())
        };
        // Along the activations themselves the slope is the sum.
        let [more, less] = [1.0 + step, 1.0 - step].map(|factor| score(activations.clone() * factor));
        let slope = (more - less) / (2.0 * step);
        assert!((of.sum() / slope - 1.0).abs() < 0.02, "{} and {slope}", of.sum());
    }

    #[test]
    fn a_later_position_owes_most_to_where_it_looks() {
        let network = zoo::squeezenet_v1_1();
        let effects = spatial_attribution(&mut Job::new(&network), &photo(), "fire5", "fire7").unwrap();
        let [h, w, from_h, from_w] = effects.dims();
        let of = |y: usize, x: usize| -> Vec<f32> {
            effects.clone().narrow(0, y, 1).narrow(1, x, 1).try_into_vec_as().unwrap()
        };
        for (y, x) in [(1, 1), (h / 2, w / 2), (h - 2, 1)] {
            let own = of(y, x);
            let strongest = (0..own.len()).max_by(|&a, &b| own[a].abs().total_cmp(&own[b].abs())).unwrap();
            let (row, column) =
                ((strongest / from_w) as f64 / from_h as f64, (strongest % from_w) as f64 / from_w as f64);
            assert!((row - y as f64 / h as f64).abs() < 0.25 && (column - x as f64 / w as f64).abs() < 0.25);
        }
    }

    #[test]
    fn what_cannot_be_attributed_says_why() {
        let network = zoo::squeezenet_v1_1();
        let error = |layer: &str, score: Score| {
            let of = Attribution::of(&mut Job::new(&network), &photo(), layer, &[score], &AttributionConfig::new());
            of.unwrap_err().to_string()
        };
        let branch = error("fire8/expand1x1", difference());
        assert!(branch.contains("other branches") && branch.contains("`fire8`"), "{branch}");
        assert!(error("fire8", Score::Logit("espreso".into())).contains("`espresso`"));
        assert!(error("fire8", Score::Logit(1000.into())).contains("1000"));
        assert!(error("logits", difference()).contains("no positions"));
    }
}
