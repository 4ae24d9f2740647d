//! What layers answer to photos and noise: numbers that are none, layers that are dead or drown, dead units.

use burn::tensor::Tensor;
use entoptic_network::{
    Wanted,
    graph::{Graph, Node, NodeId, Op},
};
use serde::Serialize;

use super::{Check, Finding, Severity, answers::last, count, finding, size};
use crate::{Error, recipe::Job};

/// What a layer answers to all images it was shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerStatistics {
    /// The layer.
    pub layer: String,
    /// What it computes, such as `relu`.
    pub kind: String,
    /// How many channels it has.
    pub channels: usize,
    /// The root of the mean square of its activations.
    pub rms: f64,
    /// The largest activation, without its sign.
    pub largest: f64,
    /// How many activations are no finite numbers.
    pub not_finite: usize,
    /// How much channels differ from image to image, relative to their size: 0 is the same answer to every image.
    pub varies: f64,
    /// Channels of a ReLU that are zero everywhere on every image.
    pub dead: Vec<usize>,
}

/// Below this share of dead channels a network is as it should be. Measured on three photos and four images of noise:
/// 0.05 % of SqueezeNet's, 0.14 % of GoogLeNet's; 6 % and 5 % where images are 255 times too dark.
const FEW_DEAD: f64 = 0.02;
/// From this share on most pictures are of units that never answer.
const MANY_DEAD: f64 = 0.5;

/// Larger activations leave single precision little room: their squares, in norms and gradients, overflow at 1e19.
const DROWNING: f64 = 1e9;
/// Smaller activations are lost beside any bias.
const VANISHING: f64 = 1e-9;

/// A layer that differs less from one image to another does not see them. Measured: 0.3 at least of SqueezeNet's and
/// GoogLeNet's layers, 0.09 where images are 255 times too dark.
const BLIND: f64 = 0.01;

/// The mean sum of squared probabilities from which on a softmax has a single class for everything, noise too.
/// Measured: 0.35 for SqueezeNet, 0.40 for GoogLeNet.
const DECIDED: f64 = 0.99;

impl LayerStatistics {
    /// Of a layer of probabilities, the mean sum of their squares: 1 for one class, 0.001 for a thousand equal ones.
    fn decided(&self) -> f64 {
        self.rms * self.rms * self.channels as f64
    }
}

/// The layers that have a part in what a network answers in the end; if nobody knows which that is, all.
pub(super) fn used(graph: &Graph, last: Option<&Node>) -> Vec<NodeId> {
    let computed = |&id: &NodeId| !matches!(graph.nodes()[id].op, Op::Input | Op::Constant(_));
    let ids = match last.and_then(|last| graph.find(&last.name).ok()) {
        Some(last) => graph.ancestors(&[last]),
        None => (0..graph.nodes().len()).collect(),
    };
    ids.into_iter().filter(computed).collect()
}

/// Of one layer, what was seen so far.
#[derive(Default)]
struct Seen {
    numbers: usize,
    squares: f64,
    largest: f64,
    not_finite: usize,
    /// Whether a channel was ever above zero.
    on: Vec<bool>,
    /// The mean of each channel, image by image.
    means: Vec<Vec<f64>>,
}

impl Seen {
    fn see(&mut self, values: &[f32], channels: usize) {
        self.on.resize(channels, false);
        let mut means = Vec::with_capacity(channels);
        for (channel, on) in values.chunks_exact((values.len() / channels).max(1)).zip(&mut self.on) {
            let mut sum = 0.0;
            for &value in channel {
                let value = f64::from(value);
                if !value.is_finite() {
                    self.not_finite += 1;
                    continue;
                }
                sum += value;
                self.squares += value * value;
                self.largest = self.largest.max(value.abs());
                *on |= value > 0.0;
            }
            means.push(sum / channel.len() as f64);
        }
        self.numbers += values.len();
        self.means.push(means);
    }

    /// The deviation of channels' means from image to image, and those means: the root of their squares' ratio.
    fn varies(&self) -> f64 {
        let images = self.means.len() as f64;
        let (mut between, mut whole) = (0.0, 0.0);
        for channel in 0..self.on.len() {
            let means = self.means.iter().map(|image| image[channel]);
            let mean = means.clone().sum::<f64>() / images;
            between += means.clone().map(|own| (own - mean).powi(2)).sum::<f64>();
            whole += means.map(|own| own * own).sum::<f64>();
        }
        if whole > 0.0 { (between / whole).sqrt() } else { 0.0 }
    }

    fn statistics(self, node: &Node) -> LayerStatistics {
        let rectifies = matches!(node.op, Op::Relu | Op::Relu6);
        LayerStatistics {
            layer: node.name.clone(),
            kind: node.op.kind(),
            channels: self.on.len(),
            rms: (self.squares / self.numbers.max(1) as f64).sqrt(),
            varies: self.varies(),
            dead: (0..self.on.len()).filter(|&channel| rectifies && !self.on[channel]).collect(),
            largest: self.largest,
            not_finite: self.not_finite,
        }
    }
}

/// Shows images to a network, and looks at all layers that have a part in its answer.
pub(super) fn measure(job: &mut Job<'_>, images: &[Tensor<4>]) -> Result<Vec<LayerStatistics>, Error> {
    let network = job.network();
    let nodes = network.graph().nodes();
    let used = used(network.graph(), last(network));
    let wanted: Vec<Wanted> = used.iter().map(|&id| Wanted::layer(&nodes[id].name)).collect();
    let mut seen: Vec<Seen> = used.iter().map(|_| Seen::default()).collect();
    for image in images {
        // One at a time: all layers of a large network take some hundred megabytes.
        let answer = job.answer(image.clone(), &wanted)?;
        for (&id, seen) in used.iter().zip(&mut seen) {
            let map = answer.map(&nodes[id].name)?;
            let channels = map.dims()[1];
            seen.see(&map.try_into_vec_as::<f32>().expect("activations are f32"), channels);
        }
        if !job.advance() {
            return Err(Error::Ended);
        }
    }
    Ok(used.into_iter().zip(seen).map(|(id, seen)| seen.statistics(&nodes[id])).collect())
}

/// Whether all is finite, and what each layer answers. `shown` says what the images were.
pub(super) fn findings(graph: &Graph, layers: &[LayerStatistics], shown: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let wrong = |measured: String, advice: String| finding(Check::Layers, Severity::Wrong, measured, Some(advice));
    if let Some(node) = graph.nodes().iter().find(|node| broken_weights(&node.op) > 0) {
        findings.push(wrong(
            format!("{} of the weights of `{}` are no finite numbers", broken_weights(&node.op), node.name),
            "the file is damaged, or its training diverged: get it anew".into(),
        ));
    }
    if let Some(first) = layers.iter().find(|layer| layer.not_finite > 0) {
        let broken = layers.iter().filter(|layer| layer.not_finite > 0).count();
        findings.push(wrong(
            format!(
                "activations of {} are no finite numbers on {shown}, first those of `{}` ({})",
                count(broken, "layer"),
                first.layer,
                first.kind
            ),
            format!("layers before `{}` can be rendered; from it on something is wrong with the weights", first.layer),
        ));
    }
    if !findings.is_empty() {
        return findings;
    }
    if let Some(silent) = layers.iter().find(|layer| layer.largest == 0.0) {
        findings.push(wrong(
            format!("`{}` ({}) is zero everywhere on {shown}", silent.layer, silent.kind),
            "what depends on it alone cannot be rendered: look at its weights, and at the range of values".into(),
        ));
    }
    let by = |key: fn(&LayerStatistics) -> f64, worst: fn(f64, f64) -> bool| {
        let probabilities = |layer: &&LayerStatistics| !layer.kind.contains("softmax") && layer.largest > 0.0;
        layers.iter().filter(probabilities).reduce(|a, b| if worst(key(b), key(a)) { b } else { a })
    };
    let (Some(largest), Some(smallest), Some(blindest)) = (
        by(|layer| layer.rms, |a, b| a > b),
        by(|layer| layer.rms, |a, b| a < b),
        by(|layer| layer.varies, |a, b| a < b),
    ) else {
        return findings;
    };
    if largest.rms > DROWNING {
        findings.push(finding(
            Check::Layers,
            Severity::Warning,
            format!(
                "activations of `{}` are as large as {:.1e}, {:.1e} on average",
                largest.layer, largest.largest, largest.rms
            ),
            Some("they explode on the way: is a normalization missing, or the range of values too large?".into()),
        ));
    }
    if smallest.rms < VANISHING {
        findings.push(finding(
            Check::Layers,
            Severity::Warning,
            format!("activations of `{}` are {:.1e} on average", smallest.layer, smallest.rms),
            Some("they vanish on the way: is the range of values too small, or a normalization wrong?".into()),
        ));
    }
    if blindest.varies < BLIND {
        findings.push(finding(
            Check::Layers,
            Severity::Warning,
            format!(
                "`{}` answers almost the same to every image: it varies by {:.0e}",
                blindest.layer, blindest.varies
            ),
            Some("what it sees is too small beside its biases: is the range of values too small?".into()),
        ));
    }
    if let Some(saturated) = layers.iter().find(|layer| layer.kind == "softmax" && layer.decided() > DECIDED) {
        findings.push(finding(
            Check::Layers,
            Severity::Warning,
            format!(
                "`{}` is saturated: it is sure of one class on {shown}, however little there is to see",
                saturated.layer
            ),
            Some("is the range of values too large, or does something multiply the logits?".into()),
        ));
    }
    if findings.is_empty() {
        let measured = format!(
            "all numbers of {} are finite on {shown}; their size is {} (`{}`) to {} (`{}`)",
            count(layers.len(), "layer"),
            size(smallest.rms),
            smallest.layer,
            size(largest.rms),
            largest.layer,
        );
        findings.push(finding(Check::Layers, Severity::Fine, measured, None));
    }
    findings
}

/// Which units are dead.
pub(super) fn dead_units(layers: &[LayerStatistics], shown: &str) -> Vec<Finding> {
    let relus: Vec<_> = layers.iter().filter(|layer| layer.kind.starts_with("relu")).collect();
    let (dead, units) =
        relus.iter().fold((0, 0), |(dead, units), layer| (dead + layer.dead.len(), units + layer.channels));
    let share = |layer: &LayerStatistics| layer.dead.len() as f64 / layer.channels.max(1) as f64;
    let Some(worst) = relus.iter().max_by(|a, b| share(a).total_cmp(&share(b))) else {
        return vec![finding(Check::DeadUnits, Severity::Fine, "there are no ReLUs that could be dead".into(), None)];
    };
    if dead == 0 {
        let measured = format!("all {units} units of {} answer to something on {shown}", count(relus.len(), "ReLU"));
        return vec![finding(Check::DeadUnits, Severity::Fine, measured, None)];
    }
    let measured = format!(
        "{dead} of {} in {} answer to nothing on {shown}; most in `{}`: {} of {}",
        count(units, "unit"),
        count(relus.len(), "ReLU"),
        worst.layer,
        worst.dead.len(),
        worst.channels,
    );
    let severity = match (dead as f64 / units as f64, share(worst)) {
        (all, _) if all >= MANY_DEAD => Severity::Warning,
        (all, worst) if all >= FEW_DEAD || worst >= MANY_DEAD => Severity::Remark,
        _ => Severity::Fine,
    };
    let few: Vec<String> = worst.dead.iter().take(5).map(|channel| format!("`{}:{channel}`", worst.layer)).collect();
    let advice = format!(
        "a unit that stays gray may be one of them, such as {}: render what it reads, as in `{}_pre_relu:{}`, or \
         another; more photos tell better which are dead",
        few.join(" "),
        worst.layer,
        worst.dead[0]
    );
    vec![finding(Check::DeadUnits, severity, measured, (severity > Severity::Fine).then_some(advice))]
}

/// How many of an operation's weights are no finite numbers.
fn broken_weights(op: &Op) -> usize {
    let weights = match op {
        Op::Convolution(c) => vec![Some(&c.weight), c.scale.as_ref(), c.bias.as_ref()],
        Op::Linear(l) => vec![Some(&l.weight), l.bias.as_ref()],
        Op::Affine { scale, shift } => vec![Some(scale), Some(shift)],
        Op::LayerNorm { gamma, beta, .. } => vec![Some(gamma), Some(beta)],
        Op::Constant(values) => vec![Some(values)],
        _ => Vec::new(),
    };
    weights.into_iter().flatten().flat_map(|weights| weights.values()).filter(|value| !value.is_finite()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_of_all_images() {
        let mut seen = Seen::default();
        seen.see(&[3.0, 1.0, 0.0, 0.0], 2);
        seen.see(&[1.0, f32::NAN, 0.0, -4.0], 2);
        assert_eq!((seen.largest, seen.not_finite, seen.squares), (4.0, 1, 27.0));
        assert_eq!(seen.on, [true, false]);
        assert_eq!(seen.means, [[2.0, 0.0], [0.5, -2.0]]);
        // Channel means 2 and 0.5, 0 and -2: deviations 0.75 and 1, squares 0.5625 * 2 + 1 * 2 of 4 + 0.25 + 4.
        assert!((seen.varies() - (3.125f64 / 8.25).sqrt()).abs() < 1e-12);
    }
}
