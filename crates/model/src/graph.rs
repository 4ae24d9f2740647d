//! The network as data: named nodes, each one operation on the outputs of earlier nodes.

mod after;
mod builder;
mod op;
mod prepared;
mod prune;
mod resized;
mod shape;
mod taps;
mod unsupported;

use std::collections::HashMap;

pub use builder::{BatchNorm, GraphBuilder};
pub use op::{Convolution, Function, Linear, LocalResponseNorm, Op, Padding, Sampling, Weights, Window};
pub use prune::{Channels, Pruned};
pub use shape::{Extent, Shape, counted, resolve};
pub use unsupported::{Unsupported, UnsupportedOperation};

use crate::{Error, error::nearest};

/// The smallest image that a network takes is not looked for beyond this side, in pixels.
const LARGEST_TRIED: usize = 1024;

/// The place of a node in its graph; inputs always come before the nodes that use them.
pub type NodeId = usize;

/// One operation, its name and the nodes it reads.
#[derive(Debug, Clone)]
pub struct Node {
    /// What the node is called; every node is a layer that can be asked for by this name.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// The nodes whose outputs it reads, in the order the operation wants them.
    pub inputs: Vec<NodeId>,
    /// The shape of its output for an image of the graph's own size.
    pub shape: Shape,
}

/// A frozen network: named nodes in an order in which they can be computed.
///
/// Graphs are made by a [`GraphBuilder`], which checks every shape. The first node is `input`, the image.
#[derive(Debug, Clone)]
pub struct Graph {
    nodes: Vec<Node>,
    ids: HashMap<String, NodeId>,
    size: [usize; 2],
    unsupported: Unsupported,
}

impl Graph {
    /// All nodes, inputs before the nodes that read them.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The image size `[h, w]` for which [`Node::shape`] holds.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// How many channels an image has.
    pub fn channels(&self) -> usize {
        self.nodes[0].shape.channels()
    }

    /// What the file that the graph was made of has, and the graph has not.
    pub fn unsupported(&self) -> &Unsupported {
        &self.unsupported
    }

    /// The node called `name`, or by one of the other names it answers to.
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`] with the nearest names, or [`Error::UnsupportedLayer`] for one that needs an operation
    /// which the graph lacks.
    pub fn find(&self, name: &str) -> Result<NodeId, Error> {
        self.ids.get(name).copied().ok_or_else(|| match self.unsupported.contains(name) {
            true => Error::UnsupportedLayer {
                layer: name.to_owned(),
                operations: self.unsupported.operations(),
                usable: self
                    .nodes
                    .iter()
                    .rev()
                    .filter(|node| !matches!(node.op, Op::Constant(_)))
                    .take(3)
                    .map(|node| node.name.clone())
                    .collect(),
            },
            false => Error::NoSuchLayer {
                layer: name.to_owned(),
                nearest: nearest(name, self.nodes.iter().map(|node| node.name.as_str())),
            },
        })
    }

    /// The names that each node answers to beside its own, sorted.
    pub(crate) fn aliases(&self) -> Vec<Vec<&str>> {
        let mut aliases = vec![vec![]; self.nodes.len()];
        for (name, &id) in &self.ids {
            if *name != self.nodes[id].name {
                aliases[id].push(name.as_str());
            }
        }
        aliases.iter_mut().for_each(|names| names.sort_unstable());
        aliases
    }

    /// The nodes that `wanted` need, themselves included, inputs first.
    pub fn ancestors(&self, wanted: &[NodeId]) -> Vec<NodeId> {
        let mut needed = vec![false; self.nodes.len()];
        for &id in wanted {
            needed[id] = true;
        }
        for id in (0..self.nodes.len()).rev() {
            if needed[id] {
                for &input in &self.nodes[id].inputs {
                    needed[input] = true;
                }
            }
        }
        (0..self.nodes.len()).filter(|&id| needed[id]).collect()
    }

    /// The shape of node `id` for images of `size` `[h, w]`.
    ///
    /// # Errors
    /// [`Error::ImageTooSmall`] with the smallest square size that works, or [`Error::Shape`] when a part of the
    /// network takes another size only.
    pub fn shape_at(&self, id: NodeId, size: [usize; 2]) -> Result<Shape, Error> {
        self.infer(id, size).map_err(|error| {
            let longest = self.size[0].max(self.size[1]).min(LARGEST_TRIED);
            let larger = (1..=longest).find(|&side| self.infer(id, [side, side]).is_ok());
            match larger {
                Some(smallest) if size[0] < smallest || size[1] < smallest => {
                    Error::ImageTooSmall { layer: self.nodes[id].name.clone(), size, smallest }
                }
                _ => error,
            }
        })
    }

    /// The size of images that node `id` is computed of when they are of `size` `[h, w]`: that size, or the graph's own
    /// where a part of the network takes no other.
    pub fn fitting(&self, id: NodeId, size: [usize; 2]) -> [usize; 2] {
        if self.infer(id, size).is_ok() { size } else { self.only_size(id).unwrap_or(size) }
    }

    /// The size `[h, w]` of images that node `id` is computed of, if a part of the network takes no other.
    pub fn only_size(&self, id: NodeId) -> Option<[usize; 2]> {
        let takes = |size| self.infer(id, size).is_ok();
        let [h, w] = self.size;
        // Not even larger ones by a stride of most networks, which no rounding of a pool lets through.
        (!takes([h + 32, w + 32]) && takes([h, w])).then_some(self.size)
    }

    fn infer(&self, id: NodeId, size: [usize; 2]) -> Result<Shape, Error> {
        let shapes = self.infer_all(&self.ancestors(&[id]), size)?;
        Ok(shapes[id].expect("a node is its own ancestor"))
    }

    /// The shapes of all nodes for images of `size` `[h, w]`.
    pub fn shapes(&self, size: [usize; 2]) -> Result<Vec<Shape>, Error> {
        let all: Vec<NodeId> = (0..self.nodes.len()).collect();
        Ok(self.infer_all(&all, size)?.into_iter().map(|shape| shape.expect("all were asked for")).collect())
    }

    /// The shapes of `ids`, which come with all they need, inputs first.
    fn infer_all(&self, ids: &[NodeId], [h, w]: [usize; 2]) -> Result<Vec<Option<Shape>>, Error> {
        let mut shapes = vec![None; self.nodes.len()];
        for &id in ids {
            let node = &self.nodes[id];
            let inputs: Vec<Shape> =
                node.inputs.iter().map(|&input| shapes[input].expect("inputs come first")).collect();
            shapes[id] = Some(match node.op {
                Op::Input => Shape::Map { c: self.channels(), h, w },
                _ => shape::infer(&node.name, &node.op, &inputs)?,
            });
        }
        Ok(shapes)
    }
}
