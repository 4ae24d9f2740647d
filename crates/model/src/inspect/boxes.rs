//! What is drawn as one box: a convolution, its batch norm and its ReLU.

use std::collections::{HashMap, hash_map::Entry};

use super::dims;
use crate::graph::{Convolution, Graph, Node, NodeId, Op};

/// Nodes that follow each other and are drawn as one.
#[derive(Debug)]
pub(super) struct Group {
    /// From the first to the last.
    pub nodes: Vec<NodeId>,
    /// What the first computes, and so the color.
    pub color: Color,
    /// The lines of text in it.
    pub lines: [String; 3],
    /// What is said of it to who points at it.
    pub tooltip: String,
    /// The groups that it reads, each once.
    pub inputs: Vec<usize>,
}

/// What a box is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    Image,
    Convolution,
    Linear,
    Pool,
    Norm,
    Attention,
    Join,
    Other,
}

impl Color {
    pub const ALL: [Self; 8] = [
        Self::Image,
        Self::Convolution,
        Self::Linear,
        Self::Pool,
        Self::Norm,
        Self::Attention,
        Self::Join,
        Self::Other,
    ];

    fn of(op: &Op) -> Self {
        match op {
            Op::Input => Self::Image,
            Op::Convolution(_) => Self::Convolution,
            Op::Linear(_) => Self::Linear,
            Op::MaxPool(_) | Op::AveragePool { .. } | Op::AdaptiveAveragePool(_) | Op::GlobalMean => Self::Pool,
            Op::Affine { .. } | Op::LayerNorm { .. } | Op::LocalResponseNorm(_) => Self::Norm,
            Op::Scores { .. } | Op::RowSoftmax | Op::Attend | Op::Tokens | Op::Stack => Self::Attention,
            Op::Concat | Op::Add | Op::Multiply => Self::Join,
            _ => Self::Other,
        }
    }
}

/// All groups, inputs first.
///
/// Layers that only exist to be asked for are left out: convolutions before their batch norm, concats before ReLUs.
pub(super) fn groups(graph: &Graph) -> Vec<Group> {
    let nodes = graph.nodes();
    let mut readers = vec![0; nodes.len()];
    for &input in nodes.iter().flat_map(|node| &node.inputs) {
        readers[input] += 1;
    }
    let unfolded = unfolded(graph);
    let is_whole = |id: NodeId| !unfolded.contains(&Some(id)) && !nodes[id].name.ends_with("_pre_relu");
    let last: Vec<NodeId> = (0..nodes.len()).filter(|&id| readers[id] == 0 && is_whole(id)).collect();
    let has_classes = |&id: &NodeId| nodes[id].shape.positions() == [1, 1];
    // Where a network ends with classes, what else nobody reads is left over from operations seen as one.
    let ends: Vec<NodeId> = match last.iter().any(&has_classes) {
        true => last.into_iter().filter(has_classes).collect(),
        false => last,
    };
    let drawn = graph.ancestors(&ends);
    let mut readers = vec![0; nodes.len()];
    for &id in &drawn {
        nodes[id].inputs.iter().for_each(|&input| readers[input] += 1);
    }

    let mut groups: Vec<Vec<NodeId>> = vec![];
    let mut places = vec![usize::MAX; nodes.len()];
    for id in drawn {
        places[id] = match nodes[id].inputs[..] {
            [before] if readers[before] == 1 && follows(graph, before, id) => places[before],
            _ => groups.len(),
        };
        match groups.get_mut(places[id]) {
            Some(group) => group.push(id),
            None => groups.push(vec![id]),
        }
    }
    let group = |ids: Vec<NodeId>| {
        let (first, last) = (ids[0], ids[ids.len() - 1]);
        let mut inputs: Vec<usize> = nodes[first].inputs.iter().map(|&input| places[input]).collect();
        inputs.sort_unstable();
        inputs.dedup();
        let folded = unfolded[first].map(|id| (id, nodes[id].op.kind(), folded(&nodes[id].op, &nodes[first].op)));
        let own = ids.iter().map(|&id| (id, nodes[id].op.kind()));
        let parts: Vec<(NodeId, String)> = match folded {
            Some((before, kind, norm)) => [(before, kind), (first, norm)].into_iter().chain(own.skip(1)).collect(),
            None => own.collect(),
        };
        let line = |(id, kind): &(NodeId, String)| format!("{}  {}  {kind}", nodes[*id].name, dims(nodes[*id].shape));
        let kinds: Vec<&str> = parts.iter().map(|(_, kind)| kind.as_str()).collect();
        let name = &nodes[parts[0].0].name;
        Group {
            color: Color::of(&nodes[first].op),
            lines: [
                name.strip_suffix("_pre_relu").unwrap_or(name).to_owned(),
                kinds.join(" + "),
                dims(nodes[last].shape),
            ],
            tooltip: parts.iter().map(line).collect::<Vec<_>>().join("\n"),
            nodes: ids,
            inputs,
        }
    };
    groups.into_iter().map(group).collect()
}

/// Whether a node is drawn in the box of the one it reads.
fn follows(graph: &Graph, before: NodeId, id: NodeId) -> bool {
    let [before, op] = [before, id].map(|id| &graph.nodes()[id].op);
    match op {
        Op::Relu | Op::Relu6 | Op::Pointwise(_) => !matches!(before, Op::Input),
        Op::Affine { .. } => !matches!(before, Op::Concat | Op::Add | Op::Multiply | Op::MaxPool(_)),
        Op::Select(_) => matches!(before, Op::Affine { .. } | Op::Input | Op::Concat),
        Op::Softmax | Op::Flatten => !matches!(before, Op::Input | Op::Concat),
        Op::RowSoftmax => matches!(before, Op::Scores { .. }),
        Op::Convolution(_) | Op::MaxPool(_) => matches!(before, Op::Pad { .. }),
        _ => false,
    }
}

/// What a convolution has that the one without it has not.
fn folded(without: &Op, with: &Op) -> String {
    let scaled = |op: &Op| matches!(op, Op::Convolution(Convolution { scale: Some(_), .. }));
    if scaled(with) && !scaled(without) { "batch norm" } else { "bias" }.to_owned()
}

/// For each convolution with its batch norm, and each linear layer with its bias, the one without: of the same weights, read
/// by nobody.
fn unfolded(graph: &Graph) -> Vec<Option<NodeId>> {
    let mut first = HashMap::new();
    let before = |(id, node): (NodeId, &Node)| {
        let weight = match &node.op {
            Op::Convolution(convolution) => &convolution.weight,
            Op::Linear(linear) => &linear.weight,
            _ => return None,
        };
        match first.entry((weight.values().as_ptr(), node.inputs.clone())) {
            Entry::Occupied(entry) => Some(*entry.get()),
            Entry::Vacant(entry) => {
                entry.insert(id);
                None
            }
        }
    };
    graph.nodes().iter().enumerate().map(before).collect()
}
