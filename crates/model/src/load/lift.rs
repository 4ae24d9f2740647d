//! What all imported computation graphs share: their tensors, of any rank and layout, become a [`Graph`] of maps and vectors.
//!
//! A file's reshapes and transposes are no nodes. A tensor is a [`View`] of a node: its axes are factors of the node's
//! channels, rows and columns. Only where an operation wants its operand otherwise is a node added that puts it so.
//! What is computed from constants alone is a [`Constant`], sizes above all.
//!
//! Front-ends call a method for each operation of a file, in order. A method that answers [`Cannot`] has an operation that
//! no graph can express; [`Lift::mark_unsupported`] takes note, and the rest goes on.

mod arrange;
mod constant;
mod convolution;
mod elementwise;
mod fold;
mod known;
mod matmul;
mod normalize;
mod parts;
mod view;

use std::collections::HashMap;

pub(crate) use constant::{Constant, MOST_AXES, Numbers, product};
pub(crate) use elementwise::{Binary, Unary};
pub(crate) use normalize::Reduction;
#[cfg(test)]
pub(crate) use view::Part;
pub(crate) use view::{Layout, View};

use crate::{
    Error, Preprocessing,
    graph::{Graph, GraphBuilder, Node, NodeId, Op, Shape, Unsupported, Weights},
};
use known::Known;

/// A graph has no more nodes than this, several times what the largest networks have.
pub(crate) const MOST_NODES: usize = 1 << 15;

/// An operation that cannot be expressed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cannot {
    /// Why, for people.
    pub reason: String,
}

/// That it cannot be done, for this reason.
pub(crate) fn cannot(reason: impl Into<String>) -> Cannot {
    Cannot { reason: reason.into() }
}

impl From<Error> for Cannot {
    fn from(error: Error) -> Self {
        match error {
            Error::Shape { kind, inputs, reason, .. } => cannot(format!("{kind} cannot take {inputs}: {reason}")),
            error => cannot(error.to_string()),
        }
    }
}

/// An imported tensor.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// The same numbers for every image.
    Constant(Constant),
    /// What a node computes.
    Layer(View),
}

impl Value {
    /// The size of each axis.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Self::Constant(constant) => constant.dims().to_vec(),
            Self::Layer(view) => view.dims(),
        }
    }

    /// The numbers, where an operation takes only constants.
    pub fn constant(&self) -> Result<&Constant, Cannot> {
        match self {
            Self::Constant(constant) => Ok(constant),
            Self::Layer(_) => Err(cannot("it takes numbers that depend on the image")),
        }
    }

    /// The view, where an operation makes sense for layers only.
    fn layer(&self) -> Result<&View, Cannot> {
        match self {
            Self::Layer(view) => Ok(view),
            Self::Constant(_) => Err(cannot("it takes constants")),
        }
    }
}

/// An axis counted from the front, or from the back if it is negative.
pub(crate) fn axis_of(axis: i64, rank: usize) -> Result<usize, Cannot> {
    let counted = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    counted
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|&axis| axis < rank)
        .ok_or_else(|| cannot(format!("there is no axis {axis} of {rank}")))
}

/// Builds the graph of a file.
pub(crate) struct Lift {
    graph: GraphBuilder,
    /// How many nodes are the image and its preprocessing.
    image: usize,
    /// How many numbers may still be stored beside those of the file.
    allowance: usize,
    /// How often a name was wanted.
    names: HashMap<String, usize>,
    /// Nodes put in another form, and the node that does so.
    forms: HashMap<(NodeId, arrange::Form), NodeId>,
    /// What some nodes are known to be.
    known: HashMap<NodeId, Known>,
    unsupported: Unsupported,
}

impl Lift {
    /// A graph of images of `c` channels and `size` `[h, w]`, made of a file that holds `numbers` numbers.
    ///
    /// About as many may be stored beside them, where operations want weights in another order.
    pub fn new(c: usize, size: [usize; 2], numbers: usize) -> Result<Self, Cannot> {
        product(&[c, size[0], size[1]])?;
        if c * size[0] * size[1] == 0 {
            return Err(cannot("an image has no size"));
        }
        Ok(Self {
            graph: GraphBuilder::with_channels(c, size),
            image: 1,
            allowance: numbers.saturating_add(1 << 18),
            names: HashMap::new(),
            forms: HashMap::new(),
            known: HashMap::new(),
            unsupported: Unsupported::default(),
        })
    }

    /// The image as the file's input tensor, preprocessed.
    pub fn image(&mut self, layout: Layout, preprocessing: Option<&Preprocessing>) -> Result<Value, Error> {
        let node = match preprocessing {
            Some(preprocessing) => preprocessing.add(&mut self.graph)?,
            None => self.graph.input(),
        };
        self.image = node + 1;
        Ok(Value::Layer(View::image(node, self.graph.shape(node), layout)))
    }

    /// Lets the node behind `value` answer to `name`, if the value is that node's map, perhaps regrouped.
    pub fn alias(&mut self, name: &str, value: &Value) {
        if let Value::Layer(view) = value
            && view.is_map()
            && !name.is_empty()
        {
            let node = self.graph.node(view.node).name.clone();
            self.graph.alias(name, &node);
        }
    }

    /// Whether a layer is called `name` or answers to it.
    pub fn is_taken(&self, name: &str) -> bool {
        self.graph.is_taken(name)
    }

    /// The name of the node that `value` is a view of.
    pub fn node_of(&self, value: &Value) -> Option<&Node> {
        match value {
            Value::Layer(view) => Some(self.graph.node(view.node)),
            Value::Constant(_) => None,
        }
    }

    /// The layer of probabilities that a network ends with, and that of scores before it, given its outputs.
    pub fn ends(&self, outputs: &[&Value]) -> (Option<String>, Option<String>) {
        for node in outputs.iter().filter_map(|value| self.node_of(value)) {
            if let Op::Softmax = node.op {
                let scores = self.graph.node(node.inputs[0]).name.clone();
                return (Some(node.name.clone()), Some(scores));
            }
        }
        let scores =
            outputs.iter().filter_map(|value| self.node_of(value)).find(|node| node.shape.positions() == [1, 1]);
        (None, scores.map(|node| node.name.clone()))
    }

    /// The sizes of a value, as a constant: those of the graph's own image size.
    pub fn shape_of(&self, value: &Value) -> Constant {
        Constant::sizes(&value.dims())
    }

    /// Takes note that an operation of this kind is not there, nor are the layers `names` that it would have been.
    pub fn mark_unsupported<'a>(&mut self, names: impl Iterator<Item = &'a str>, kind: &str, reason: &str) {
        self.unsupported.add(kind, reason);
        self.mark_behind(names);
    }

    /// Takes note that the layers `names` depend on one that is not there.
    pub fn mark_behind<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names.filter(|name| !name.is_empty()) {
            self.unsupported.add_layer(name);
        }
    }

    /// Whether there is a layer beside the image.
    pub fn has_layers(&self) -> bool {
        self.graph.names().nth(self.image).is_some()
    }

    /// What could not be lifted so far.
    pub fn unsupported(&self) -> &Unsupported {
        &self.unsupported
    }

    /// The finished graph.
    pub fn finish(mut self) -> Graph {
        self.graph.unsupported(self.unsupported);
        self.graph.finish()
    }

    fn shape(&self, view: &View) -> Shape {
        self.graph.shape(view.node)
    }

    fn op(&self, node: NodeId) -> &Op {
        &self.graph.node(node).op
    }

    /// Accounts for numbers that are stored beside the file's.
    pub(crate) fn spend(&mut self, numbers: usize) -> Result<(), Cannot> {
        self.allowance = self
            .allowance
            .checked_sub(numbers)
            .ok_or_else(|| cannot("the file would unfold to far more numbers than it holds"))?;
        Ok(())
    }

    /// A name for a new node: `wanted`, or one like it if that is taken.
    fn unused(&mut self, wanted: &str) -> Result<String, Cannot> {
        let wanted = if wanted.is_empty() { "unnamed" } else { wanted };
        self.spend(wanted.len() / 2 + 16)?;
        if !self.graph.is_taken(wanted) {
            return Ok(wanted.to_owned());
        }
        let count = self.names.entry(wanted.to_owned()).or_insert(1);
        loop {
            *count += 1;
            let name = format!("{wanted}_{count}");
            if !self.graph.is_taken(&name) {
                return Ok(name);
            }
        }
    }

    /// Adds a node, called `name` if nothing else is.
    fn add(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> Result<NodeId, Cannot> {
        if self.graph.names().len() >= MOST_NODES {
            return Err(cannot(format!("the graph would have more than {MOST_NODES} nodes")));
        }
        let name = self.unused(name)?;
        let node = self.graph.add(&name, op, inputs)?;
        self.checked(node)
    }

    /// The node, if its output is of a size that can be computed.
    fn checked(&self, node: NodeId) -> Result<NodeId, Cannot> {
        match product(&self.graph.shape(node).dims())? {
            0 => Err(cannot("nothing is left of the map")),
            _ => Ok(node),
        }
    }

    /// Weights of the shape `shape` from a constant of the same product; copied only if it is not row by row.
    fn weights(&mut self, constant: &Constant, shape: impl Into<Vec<usize>>) -> Result<Weights, Cannot> {
        if !constant.is_packed() || constant.is_integer() {
            self.spend(constant.len())?;
        }
        Ok(constant.packed().into_weights(shape.into()))
    }
}
