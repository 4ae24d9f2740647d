//! Which of a network's layers are worth showing.

use super::{super::Output, is_map};
use crate::graph::{Graph, NodeId, Op};

/// The most layers that are shown.
const MOST: usize = 40;

/// With fewer places where branches meet, a network is a chain, and its activations are shown.
const FEW: usize = 4;

/// Layers from the image on, and what they are.
///
/// They are the ends of blocks, where branches meet again and nothing goes past: the sums of ResNets and transformers, the
/// concats of Inceptions. Where there are few of these, as in DenseNets and NASNets, all places where branches meet;
/// in chains, such as VGG, what comes out of activations.
pub(super) fn worth_showing(graph: &Graph, output: &Output) -> (Vec<String>, String) {
    let nodes = graph.nodes();
    let is_sibling = |id: NodeId| nodes[id].name.ends_with("_pre_relu");
    let scores = output.logits.as_ref().or(output.probabilities.as_ref()).and_then(|name| graph.find(name).ok());
    let end = scores.or_else(|| (0..nodes.len()).rev().find(|&id| !is_sibling(id))).unwrap_or(0);
    let ancestors = graph.ancestors(&[end]);
    // Not the image put together again, nor tokens that are given their positions.
    let is_layer = |id: NodeId| {
        let constant = |&input: &NodeId| matches!(nodes[input].op, Op::Constant(_));
        let shape = nodes[id].shape;
        is_map(shape)
            && shape.channels() > graph.channels()
            && !is_sibling(id)
            && !nodes[id].inputs.iter().any(constant)
    };
    let joins: Vec<NodeId> = ancestors
        .iter()
        .copied()
        .filter(|&id| {
            let node = &nodes[id];
            let different = node.inputs.iter().any(|input| *input != node.inputs[0]);
            matches!(node.op, Op::Add | Op::Concat) && different && is_layer(id)
        })
        .collect();
    let unavoidable: Vec<NodeId> =
        graph.bottlenecks(end).into_iter().filter_map(|name| graph.find(name).ok()).collect();
    let blocks: Vec<NodeId> = joins.iter().copied().filter(|id| unavoidable.contains(id)).collect();
    let (chosen, reason) = if blocks.len() >= FEW {
        (blocks, "the ends of blocks")
    } else if joins.len() >= FEW {
        (joins, "where branches meet")
    } else {
        let activation = |op: &Op| matches!(op, Op::Relu | Op::Relu6 | Op::Pointwise(_));
        let active = ancestors.iter().copied().filter(|&id| activation(&nodes[id].op) && is_map(nodes[id].shape));
        (active.collect(), "what comes out of activations")
    };
    let chosen: Vec<NodeId> = chosen.into_iter().map(|id| rectified(graph, &ancestors, id)).collect();
    let aliases = graph.aliases();
    let names = spread(&chosen).map(|id| block(&nodes[id].name, &aliases[id]).to_owned()).collect();
    (names, reason.into())
}

/// At most [`MOST`] of these, evenly, the last one among them.
fn spread(ids: &[NodeId]) -> impl Iterator<Item = NodeId> {
    let (n, most) = (ids.len(), ids.len().min(MOST));
    (1..=most).map(move |i| ids[i * n / most - 1])
}

/// The ReLU behind a sum, if that alone reads it: a block ends with it.
fn rectified(graph: &Graph, ancestors: &[NodeId], id: NodeId) -> NodeId {
    let mut readers = ancestors.iter().filter(|&&reader| graph.nodes()[reader].inputs.contains(&id));
    match (readers.next(), readers.next()) {
        (Some(&reader), None) if matches!(graph.nodes()[reader].op, Op::Relu | Op::Relu6) => reader,
        _ => id,
    }
}

/// What people call a node that ends a block: the shortest other name that its own starts with, as `layer1.0` of
/// `layer1.0.relu_1`.
fn block<'a>(name: &'a str, aliases: &[&'a str]) -> &'a str {
    let whole = |alias: &&&str| name.strip_prefix(**alias).is_some_and(|rest| rest.starts_with(['.', '/']));
    aliases.iter().filter(whole).min_by_key(|alias| alias.len()).copied().unwrap_or(name)
}
