//! What a network says that it sees.

use burn::tensor::{Tensor, activation::softmax};
use entoptic_network::{
    Network,
    graph::{Node, Op},
};
use serde::Serialize;

use crate::{Error, recipe::Job};

/// What a network sees on a photo.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The photo.
    pub photo: String,
    /// The likeliest class.
    pub label: String,
    /// Its probability.
    pub probability: f64,
    /// At which place of the network's list the first right class stands, counted from 1; nothing if none is known.
    pub place: Option<usize>,
    /// The probability of all right classes together.
    pub right: Option<f64>,
}

/// The layer of a network's classes: of their probabilities, or of numbers that a softmax makes them of.
pub(super) fn last(network: &Network) -> Option<&Node> {
    let graph = network.graph();
    let named = graph.find(&network.description().probabilities).ok().map(|id| &graph.nodes()[id]);
    let is_vector = |node: &&Node| node.shape.positions() == [1, 1] && node.shape.channels() > 1;
    named.or_else(|| graph.nodes().last().filter(is_vector))
}

/// How many classes a network has.
pub(super) fn classes(network: &Network) -> Option<usize> {
    last(network).map(|node| node.shape.channels())
}

/// A class as its network calls it, without synonyms.
pub(super) fn label(network: &Network, class: usize) -> String {
    let label = network.description().labels.get(class).and_then(|label| label.split(',').next());
    label.map_or_else(|| format!("class {class}"), str::to_owned)
}

/// The probability of each class for an image `[1, c, h, w]`; none if the network has no classes.
pub(super) fn probabilities(job: &Job<'_>, image: Tensor<4>) -> Result<Vec<f64>, Error> {
    let Some(node) = last(job.network()) else { return Ok(Vec::new()) };
    let scores: Tensor<2> = job.activations(image, &node.name)?.mean_dim(2).mean_dim(3).flatten(1, 3); // [1, c]
    let probabilities = if matches!(node.op, Op::Softmax) { scores } else { softmax(scores, 1) };
    let probabilities: Vec<f32> = probabilities.try_into_vec_as().expect("probabilities are numbers");
    Ok(probabilities.into_iter().map(f64::from).collect())
}

impl Answer {
    /// What is made of `probabilities`, of which those of `right` are of right classes.
    pub(super) fn of(network: &Network, photo: &str, probabilities: &[f64], right: &[usize]) -> Option<Self> {
        let likeliest = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))?;
        let known = right.iter().filter_map(|&class| probabilities.get(class));
        let best = known.clone().copied().reduce(f64::max);
        Some(Self {
            photo: photo.to_owned(),
            label: label(network, likeliest),
            probability: probabilities[likeliest],
            place: best.map(|best| 1 + probabilities.iter().filter(|&&other| other > best).count()),
            right: best.map(|_| known.sum()),
        })
    }

    /// Whether the likeliest class is right.
    pub fn is_right(&self) -> bool {
        self.place == Some(1)
    }
}

/// How undecided probabilities are, in bits: 0 for one class, 10 for 1024 of the same probability.
pub(super) fn entropy(probabilities: &[f64]) -> f64 {
    probabilities.iter().filter(|&&p| p > 0.0).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use entoptic_network::zoo;

    use super::*;

    #[test]
    fn an_answer_is_as_good_as_the_best_of_its_right_classes() {
        let network = zoo::squeezenet_v1_1();
        let mut probabilities = vec![0.0; 1000];
        (probabilities[285], probabilities[967], probabilities[281]) = (0.3, 0.5, 0.2);
        let answer = Answer::of(&network, "cat", &probabilities, &[281, 285]).unwrap();
        assert_eq!((answer.label.as_str(), answer.place, answer.right), ("espresso", Some(2), Some(0.5)));
        assert!(!answer.is_right() && Answer::of(&network, "cat", &probabilities, &[967]).unwrap().is_right());
        assert_eq!(Answer::of(&network, "cat", &probabilities, &[]).unwrap().place, None);
    }

    #[test]
    fn entropy_is_in_bits() {
        assert_eq!(entropy(&[0.5, 0.5, 0.0]), 1.0);
        assert_eq!(entropy(&[1.0]), 0.0);
    }
}
