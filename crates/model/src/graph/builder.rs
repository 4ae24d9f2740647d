//! Building a graph node by node, every shape checked on the way.

use std::collections::HashMap;

use super::{Convolution, Graph, Linear, Node, NodeId, Op, Shape, Unsupported, Weights, shape::infer};
use crate::Error;

/// Builds a [`Graph`]: each call adds a node and returns its place, to be used as an input of later nodes.
///
/// Constants are folded here: a batch norm or a bias behind a convolution becomes that convolution with another scale and
/// bias, of the same weights. The unfolded convolution stays in the graph as a layer of its own name; nobody pays for it
/// who does not ask for it.
///
/// ```
/// use entoptic_model::graph::{GraphBuilder, Op, Shape, Window};
///
/// let mut graph = GraphBuilder::new([8, 8]);
/// let pooled = graph.add("pool", Op::MaxPool(Window::new(2, 2)), &[graph.input()])?;
/// assert_eq!(graph.shape(pooled), Shape::Map { c: 3, h: 4, w: 4 });
/// let graph = graph.finish();
/// assert_eq!(graph.find("pool")?, pooled);
/// # Ok::<(), entoptic_model::Error>(())
/// ```
pub struct GraphBuilder {
    graph: Graph,
}

impl GraphBuilder {
    /// A graph for RGB images; shapes are checked at `size` `[h, w]`.
    pub fn new(size: [usize; 2]) -> Self {
        Self::with_channels(3, size)
    }

    /// A graph for images of `c` channels; shapes are checked at `size` `[h, w]`.
    pub fn with_channels(c: usize, size: [usize; 2]) -> Self {
        let [h, w] = size;
        let input = Node { name: "input".into(), op: Op::Input, inputs: vec![], shape: Shape::Map { c, h, w } };
        Self {
            graph: Graph {
                nodes: vec![input],
                ids: HashMap::from([("input".into(), 0)]),
                size,
                unsupported: Unsupported::default(),
            },
        }
    }

    /// The images.
    pub fn input(&self) -> NodeId {
        0
    }

    /// The shape of a node at the graph's own size.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.graph.nodes[id].shape
    }

    /// A node that was added before.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.graph.nodes[id]
    }

    /// Whether a node is called `name` or answers to it.
    pub(crate) fn is_taken(&self, name: &str) -> bool {
        self.graph.ids.contains_key(name)
    }

    /// What the file has that the graph is made of, and the graph has not.
    pub(crate) fn unsupported(&mut self, unsupported: Unsupported) {
        self.graph.unsupported = unsupported;
    }

    /// The names of the nodes so far.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.graph.nodes.iter().map(|node| node.name.as_str())
    }

    /// Adds a node.
    ///
    /// # Errors
    /// [`Error::Shape`] names the node and its input shapes; [`Error::DuplicateNode`] a name that is taken.
    pub fn add(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> Result<NodeId, Error> {
        let shapes: Vec<Shape> = inputs.iter().map(|&id| self.shape(id)).collect();
        let shape = infer(name, &op, &shapes)?;
        let id = self.graph.nodes.len();
        if self.graph.ids.insert(name.to_owned(), id).is_some() {
            return Err(Error::DuplicateNode { node: name.to_owned() });
        }
        self.graph.nodes.push(Node { name: name.to_owned(), op, inputs: inputs.to_vec(), shape });
        Ok(id)
    }

    /// Adds `op` as `<name>_pre_relu` and its ReLU as `name`.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_relu(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> Result<NodeId, Error> {
        let pre = self.add(&format!("{name}_pre_relu"), op, inputs)?;
        self.add(name, Op::Relu, &[pre])
    }

    /// Adds `x + bias` per channel, folded into a convolution or linear layer before it.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn bias(&mut self, name: &str, x: NodeId, bias: Weights) -> Result<NodeId, Error> {
        let scale = Weights::new(bias.shape(), vec![1.0; bias.values().len()]);
        self.affine(name, x, scale, bias)
    }

    /// Adds `(x - mean) / sqrt(variance + epsilon) * gamma + beta` per channel, folded into a convolution or linear
    /// layer before it.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    ///
    /// # Reference
    /// [Batch Normalization](https://arxiv.org/abs/1502.03167), Ioffe and Szegedy, 2015.
    pub fn batch_norm(&mut self, name: &str, x: NodeId, norm: &BatchNorm) -> Result<NodeId, Error> {
        let BatchNorm { gamma, beta, mean, variance, epsilon } = norm;
        let c = self.shape(x).channels();
        let scale: Vec<f32> = variance.iter().zip(gamma).map(|(v, g)| g / (v + epsilon).sqrt()).collect();
        let shift: Vec<f32> = beta.iter().zip(mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
        if [gamma.len(), beta.len(), mean.len(), variance.len()] != [c; 4] {
            return Err(Error::Shape {
                node: name.to_owned(),
                kind: "batch norm".into(),
                inputs: self.shape(x).to_string(),
                reason: format!(
                    "gamma, beta, mean and variance have {}, {}, {} and {} channels",
                    gamma.len(),
                    beta.len(),
                    mean.len(),
                    variance.len()
                ),
            });
        }
        self.affine(name, x, Weights::new([c], scale), Weights::new([c], shift))
    }

    /// Adds `x * scale + shift` per channel, folded into a convolution, linear layer or layer norm before it.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn affine(&mut self, name: &str, x: NodeId, scale: Weights, shift: Weights) -> Result<NodeId, Error> {
        let channels = self.shape(x).channels();
        if scale.values().len() != channels || shift.values().len() != channels {
            return self.add(name, Op::Affine { scale, shift }, &[x]);
        }
        let inputs = |graph: &Self| graph.graph.nodes[x].inputs.clone();
        let is_one = scale.values().iter().all(|&s| s == 1.0);
        match self.graph.nodes[x].op.clone() {
            Op::Convolution(c) => {
                let bias = Some(times_plus(c.bias.as_ref(), &scale, shift));
                let scale = match c.scale {
                    Some(first) if is_one => Some(first),
                    Some(first) => Some(first.zip(&scale, |first, second| first * second)),
                    None => (!is_one).then_some(scale),
                };
                self.add(name, Op::Convolution(Convolution { scale, bias, ..c }), &inputs(self))
            }
            Op::Linear(l) if is_one => {
                let bias = Some(times_plus(l.bias.as_ref(), &scale, shift));
                self.add(name, Op::Linear(Linear { bias, ..l }), &inputs(self))
            }
            Op::LayerNorm { gamma, beta, epsilon } => {
                let gamma = gamma.zip(&scale, |g, s| g * s);
                let beta = times_plus(Some(&beta), &scale, shift);
                self.add(name, Op::LayerNorm { gamma, beta, epsilon }, &inputs(self))
            }
            _ => self.add(name, Op::Affine { scale, shift }, &[x]),
        }
    }

    /// Lets the node called `name` answer to `other` too, unless a node of that name exists.
    pub fn alias(&mut self, other: &str, name: &str) {
        if let Some(&id) = self.graph.ids.get(name) {
            self.graph.ids.entry(other.to_owned()).or_insert(id);
        }
    }

    /// The graph as it is.
    pub(super) fn into_graph(self) -> Graph {
        self.graph
    }

    /// The finished graph.
    ///
    /// A concat of ReLUs gets a sibling `<name>_pre_relu`: the concat of what its ReLUs read, as Lucid adds to
    /// InceptionV1 after loading it (`InceptionV1.py`).
    pub fn finish(mut self) -> Graph {
        for id in 0..self.graph.nodes.len() {
            let Node { name, op: Op::Concat, inputs, .. } = &self.graph.nodes[id] else { continue };
            let name = format!("{name}_pre_relu");
            let before_relu: Option<Vec<NodeId>> = inputs
                .iter()
                .map(|&input| match self.graph.nodes[input].op {
                    Op::Relu | Op::Relu6 => Some(self.graph.nodes[input].inputs[0]),
                    _ => None,
                })
                .collect();
            if let (Some(inputs), false) = (before_relu, self.graph.ids.contains_key(&name)) {
                self.add(&name, Op::Concat, &inputs).expect("a ReLU keeps its input's shape");
            }
        }
        self.graph
    }
}

/// `bias * scale + shift`.
fn times_plus(bias: Option<&Weights>, scale: &Weights, shift: Weights) -> Weights {
    match bias {
        Some(bias) => bias.zip(scale, |b, s| b * s).zip(&shift, |b, t| b + t),
        None => shift,
    }
}

/// The frozen numbers of a batch norm, one per channel.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    /// The scale after normalizing.
    pub gamma: Vec<f32>,
    /// The offset after normalizing.
    pub beta: Vec<f32>,
    /// The running mean.
    pub mean: Vec<f32>,
    /// The running variance.
    pub variance: Vec<f32>,
    /// What is added to the variance.
    pub epsilon: f32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Window;

    fn convolution(outputs: usize, inputs: usize) -> Op {
        Op::Convolution(Convolution {
            weight: Weights::new([outputs, inputs, 1, 1], vec![2.0; outputs * inputs]),
            scale: None,
            bias: None,
            window: Window::new(1, 1),
            groups: 1,
        })
    }

    #[test]
    fn a_batch_norm_folds_into_the_convolution_before_it() {
        let mut builder = GraphBuilder::new([2, 2]);
        let conv = builder.add("conv", convolution(1, 3), &[0]).unwrap();
        let norm =
            BatchNorm { gamma: vec![3.0], beta: vec![5.0], mean: vec![7.0], variance: vec![0.75], epsilon: 0.25 };
        let folded = builder.batch_norm("bn", conv, &norm).unwrap();
        let graph = builder.finish();
        let Op::Convolution(c) = &graph.nodes()[folded].op else { panic!("not folded") };
        assert_eq!(c.weight.values(), [2.0; 3], "the weights are those of the convolution");
        assert_eq!(c.scale.as_ref().unwrap().values(), [3.0]);
        assert_eq!(c.bias.as_ref().unwrap().values(), [5.0 - 21.0]);
        assert_eq!(graph.nodes()[folded].inputs, [0]);
    }

    #[test]
    fn a_scale_and_shift_fold_into_the_layer_norm_before_them() {
        let weights = |values: &[f32]| Weights::new([values.len()], values.to_vec());
        let mut builder = GraphBuilder::with_channels(2, [1, 1]);
        let norm = Op::LayerNorm { gamma: weights(&[2.0, 3.0]), beta: weights(&[1.0, -1.0]), epsilon: 0.5 };
        let norm = builder.add("norm", norm, &[0]).unwrap();
        let folded = builder.affine("folded", norm, weights(&[5.0, 7.0]), weights(&[10.0, 20.0])).unwrap();
        let Op::LayerNorm { gamma, beta, epsilon } = &builder.node(folded).op else { panic!("not folded") };
        assert_eq!((gamma.values(), beta.values(), *epsilon), (&[10.0, 21.0][..], &[15.0, 13.0][..], 0.5));
        assert_eq!(builder.node(folded).inputs, [0]);
    }

    #[test]
    fn a_concat_of_relus_has_a_sibling_before_them() {
        let mut builder = GraphBuilder::new([2, 2]);
        let a = builder.add_relu("a", convolution(2, 3), &[0]).unwrap();
        let b = builder.add_relu("b", convolution(4, 3), &[0]).unwrap();
        builder.add("both", Op::Concat, &[a, b]).unwrap();
        let graph = builder.finish();
        let pre = graph.find("both_pre_relu").unwrap();
        assert_eq!(graph.nodes()[pre].inputs, [graph.find("a_pre_relu").unwrap(), graph.find("b_pre_relu").unwrap()]);
        assert_eq!(graph.nodes()[pre].shape, Shape::Map { c: 6, h: 2, w: 2 });
    }

    #[test]
    fn only_ancestors_are_listed() {
        let mut builder = GraphBuilder::new([2, 2]);
        let a = builder.add_relu("a", convolution(2, 3), &[0]).unwrap();
        builder.add_relu("b", convolution(4, 3), &[0]).unwrap();
        assert_eq!(builder.finish().ancestors(&[a]), [0, 1, 2]);
    }

    #[test]
    fn a_wrong_channel_count_names_the_node() {
        let mut builder = GraphBuilder::new([2, 2]);
        let error = builder.add("conv9", convolution(2, 5), &[0]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "node `conv9` (convolution 1x1) cannot take [3, 2, 2]: its kernel takes 5 channels in each of 1 groups"
        );
    }
}
