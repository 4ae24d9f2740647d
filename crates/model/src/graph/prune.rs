//! The part of a graph that some channels of some nodes need.

use super::{Convolution, Graph, Linear, Node, NodeId, Op, Unsupported, Weights};

/// Channels of a node, or all of them.
pub type Channels = (NodeId, Option<Vec<usize>>);

/// A graph without the nodes, branches and channels that nobody asked for.
pub struct Pruned {
    /// What is left.
    pub graph: Graph,
    /// For each of its nodes, the node it was.
    pub origins: Vec<NodeId>,
    /// For each of its nodes, which channels of the node it was are left, if not all are.
    pub channels: Vec<Option<Vec<usize>>>,
}

impl Pruned {
    /// Where a node of the whole graph is.
    ///
    /// # Panics
    /// If it was pruned away.
    pub fn place(&self, origin: NodeId) -> NodeId {
        self.origins.binary_search(&origin).expect("what is wanted is not pruned away")
    }
}

impl Graph {
    /// What `wanted` channels of nodes need.
    ///
    /// Channels are left out backwards from the end, up to the operations that mix them.
    pub fn prune(&self, wanted: &[Channels]) -> Pruned {
        let channels = needed_channels(self, wanted);
        let mut places = vec![None; self.nodes.len()];
        let (mut nodes, mut origins) = (Vec::new(), Vec::new());
        for (id, node) in self.nodes.iter().enumerate() {
            if channels[id] == Needed::None {
                continue;
            }
            places[id] = Some(nodes.len());
            // A branch of a concat that nobody asked for is not there.
            let inputs = node.inputs.iter().filter_map(|&input| places[input]).collect();
            let (op, shape) = match &channels[id] {
                Needed::Some(kept) => (select_outputs(&node.op, kept), node.shape.with_channels(kept.len())),
                _ => (node.op.clone(), node.shape),
            };
            nodes.push(Node { name: node.name.clone(), op, inputs, shape });
            origins.push(id);
        }
        let ids = nodes.iter().enumerate().map(|(id, node)| (node.name.clone(), id)).collect();
        let channels = origins
            .iter()
            .map(|&origin| match &channels[origin] {
                Needed::Some(kept) => Some(kept.clone()),
                _ => None,
            })
            .collect();
        Pruned { graph: Graph { nodes, ids, size: self.size, unsupported: Unsupported::default() }, origins, channels }
    }
}

/// Which channels of a node are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Needed {
    None,
    /// In order.
    Some(Vec<usize>),
    All,
}

impl Needed {
    /// The channels, if not all.
    ///
    /// # Panics
    /// If there are none.
    fn kept(&self) -> Option<Vec<usize>> {
        match self {
            Self::None => unreachable!("asked of a node that nobody needs"),
            Self::Some(kept) => Some(kept.clone()),
            Self::All => None,
        }
    }

    fn with(&mut self, more: Option<Vec<usize>>, channels: usize) {
        let Some(mut kept) = more else {
            *self = Self::All;
            return;
        };
        match self {
            Self::All => return,
            Self::Some(known) => kept.append(known),
            Self::None => {}
        }
        kept.sort_unstable();
        kept.dedup();
        *self = match kept.len() {
            0 => Self::None,
            n if n == channels => Self::All,
            _ => Self::Some(kept),
        };
    }
}

fn needed_channels(graph: &Graph, wanted: &[Channels]) -> Vec<Needed> {
    let mut needed = vec![Needed::None; graph.nodes.len()];
    for (id, channels) in wanted {
        needed[*id].with(channels.clone(), graph.nodes[*id].shape.channels());
    }
    // What goes channel by channel has the channels that it reads: a second reader of an input adds to both.
    loop {
        let before = needed.clone();
        for (id, node) in graph.nodes.iter().enumerate().rev() {
            if needed[id] == Needed::None {
                continue;
            }
            if !takes_fewer_outputs(&node.op) {
                needed[id] = Needed::All;
            }
            let mut first = 0;
            for &input in &node.inputs {
                let (channels, own) = (graph.nodes[input].shape.channels(), graph.nodes[id].shape.channels());
                match &node.op {
                    Op::Concat => {
                        let read = needed[id].kept().map(|kept| {
                            let part = kept.iter().filter(|&&c| (first..first + channels).contains(&c));
                            part.map(|c| c - first).collect()
                        });
                        needed[input].with(read, channels);
                        if needed[input] != Needed::None {
                            let all = || (0..channels).collect();
                            let written: Vec<usize> = needed[input].kept().unwrap_or_else(all);
                            needed[id].with(Some(written.into_iter().map(|c| c + first).collect()), own);
                        }
                        first += channels;
                    }
                    op if keeps_channels_apart(op) => {
                        let kept = needed[id].kept();
                        needed[input].with(kept, channels);
                        let kept = needed[input].kept();
                        needed[id].with(kept, own);
                    }
                    _ => needed[input].with(None, channels),
                }
            }
        }
        if needed == before {
            break;
        }
    }
    // The image is always there.
    needed[0] = Needed::All;
    needed
}

fn is_depthwise(c: &Convolution) -> bool {
    c.groups > 1 && c.weight.shape()[..2] == [c.groups, 1]
}

/// Whether channel `c` of the output depends on channel `c` of the inputs alone.
fn keeps_channels_apart(op: &Op) -> bool {
    match op {
        Op::Affine { .. } | Op::Relu | Op::Relu6 | Op::Pointwise(_) | Op::Add | Op::Multiply => true,
        Op::MaxPool(_) | Op::AveragePool { .. } | Op::AdaptiveAveragePool(_) | Op::GlobalMean => true,
        Op::Pad { .. } | Op::Crop { .. } | Op::ResizeBilinear { .. } => true,
        Op::Tokens | Op::Stack | Op::RowSoftmax | Op::Constant(_) => true,
        Op::Convolution(c) => is_depthwise(c),
        Op::Input | Op::Linear(_) | Op::Concat | Op::Select(_) => false,
        Op::LocalResponseNorm(_) | Op::LayerNorm { .. } | Op::Flatten | Op::Softmax => false,
        Op::Scores { .. } | Op::Attend => false,
    }
}

/// Whether some outputs can be computed without the others.
fn takes_fewer_outputs(op: &Op) -> bool {
    match op {
        Op::Convolution(c) if c.groups == 1 => true,
        Op::Linear(_) | Op::Concat | Op::Select(_) => true,
        op => keeps_channels_apart(op),
    }
}

fn select_outputs(op: &Op, kept: &[usize]) -> Op {
    let select = |weights: &Weights| weights.select(kept);
    match op {
        Op::Convolution(c) => Op::Convolution(Convolution {
            weight: select(&c.weight),
            scale: c.scale.as_ref().map(select),
            bias: c.bias.as_ref().map(select),
            window: c.window,
            groups: if is_depthwise(c) { kept.len() } else { c.groups },
        }),
        Op::Linear(l) => Op::Linear(Linear { weight: select(&l.weight), bias: l.bias.as_ref().map(select) }),
        Op::Affine { scale, shift } => Op::Affine { scale: select(scale), shift: select(shift) },
        Op::Constant(values) => Op::Constant(select(values)),
        Op::Select(channels) => Op::Select(kept.iter().map(|&c| channels[c]).collect()),
        op => op.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GraphBuilder, Shape, Window};

    fn pointwise(outputs: usize, inputs: usize) -> Op {
        let values: Vec<f32> = (0..outputs * inputs).map(|i| i as f32).collect();
        let weight = Weights::new([outputs, inputs, 1, 1], values);
        Op::Convolution(Convolution { weight, scale: None, bias: None, window: Window::new(1, 1), groups: 1 })
    }

    /// `image → a, b → both → pool`, and `image → unasked`.
    fn branches() -> Graph {
        let mut graph = GraphBuilder::new([4, 4]);
        let a = graph.add_relu("a", pointwise(2, 3), &[0]).unwrap();
        let b = graph.add_relu("b", pointwise(4, 3), &[0]).unwrap();
        graph.add("unasked", pointwise(5, 3), &[0]).unwrap();
        let both = graph.add("both", Op::Concat, &[a, b]).unwrap();
        graph.add("pool", Op::MaxPool(Window::new(2, 2)), &[both]).unwrap();
        graph.finish()
    }

    fn names(pruned: &Pruned) -> Vec<&str> {
        pruned.graph.nodes().iter().map(|node| node.name.as_str()).collect()
    }

    #[test]
    fn of_a_concat_only_the_asked_branch_and_channel_are_left() {
        let graph = branches();
        let pool = graph.find("pool").unwrap();
        let pruned = graph.prune(&[(pool, Some(vec![3]))]);
        assert_eq!(names(&pruned), ["input", "b_pre_relu", "b", "both", "pool"]);
        let place = pruned.place(graph.find("b_pre_relu").unwrap());
        let Op::Convolution(c) = &pruned.graph.nodes()[place].op else { panic!("it stays a convolution") };
        // Channel 3 of the concat is channel 1 of b.
        assert_eq!((c.weight.shape(), c.weight.values()), ([1, 3, 1, 1].as_slice(), [3.0, 4.0, 5.0].as_slice()));
        assert_eq!(pruned.channels[pruned.place(pool)], Some(vec![3]));
        assert_eq!(pruned.graph.shapes([4, 4]).unwrap()[pruned.place(pool)], Shape::Map { c: 1, h: 2, w: 2 });
    }

    #[test]
    fn what_is_asked_twice_has_all_that_either_needs() {
        let graph = branches();
        let (b, pool) = (graph.find("b").unwrap(), graph.find("pool").unwrap());
        let pruned = graph.prune(&[(b, None), (pool, Some(vec![0]))]);
        assert_eq!(pruned.channels[pruned.place(pool)], Some(vec![0, 2, 3, 4, 5]));
        assert_eq!(pruned.channels[pruned.place(b)], None);
    }

    #[test]
    fn whole_layers_keep_their_weights() {
        let graph = branches();
        let pruned = graph.prune(&[(graph.find("both").unwrap(), None)]);
        let weight = |graph: &Graph| match &graph.nodes()[graph.find("b_pre_relu").unwrap()].op {
            Op::Convolution(c) => c.weight.clone(),
            _ => panic!("it is a convolution"),
        };
        assert!(weight(&pruned.graph).is(&weight(&graph)));
        assert!(pruned.channels.iter().all(Option::is_none));
    }
}
