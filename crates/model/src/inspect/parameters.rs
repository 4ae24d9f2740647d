//! How many numbers a network was trained to have.

use std::collections::HashSet;

use crate::graph::{Graph, Op, Weights};

/// Those of each node, each number counted where it is met first; preprocessing has none.
pub(super) fn of(graph: &Graph) -> Vec<usize> {
    let mut met = HashSet::new();
    let preparation = if graph.preprocessing().is_some() { 1 } else { 0 };
    let nodes = graph.nodes().iter().enumerate();
    let counted = nodes.map(|(id, node)| {
        let new = |weights: &&Weights| id != preparation && met.insert(weights.values().as_ptr());
        weights(&node.op).into_iter().filter(new).map(|weights| weights.values().len()).sum()
    });
    counted.collect()
}

/// The frozen numbers of an operation.
pub(super) fn weights(op: &Op) -> Vec<&Weights> {
    match op {
        Op::Convolution(c) => [Some(&c.weight), c.scale.as_ref(), c.bias.as_ref()].into_iter().flatten().collect(),
        Op::Linear(l) => [Some(&l.weight), l.bias.as_ref()].into_iter().flatten().collect(),
        Op::Affine { scale, shift } => vec![scale, shift],
        Op::LayerNorm { gamma, beta, .. } => vec![gamma, beta],
        Op::Constant(weights) => vec![weights],
        _ => vec![],
    }
}
