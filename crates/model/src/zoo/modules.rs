//! Graphs built of modules as PyTorch names them: a layer's tensors are `<module>.weight` and so on.

use crate::{
    Error, Preprocessing,
    graph::{BatchNorm, Convolution, GraphBuilder, Linear, NodeId, Op, Padding, Weights, Window},
    load::WeightsFile,
};

/// A graph under construction, and the file its weights are taken from.
///
/// Channels are as many as the tensors say; a node is named as its module.
pub(super) struct Modules<'a> {
    pub file: &'a WeightsFile,
    pub graph: GraphBuilder,
}

/// How a kernel moves over a map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moves {
    pub stride: usize,
    pub padding: Padding,
    pub dilation: usize,
}

impl Moves {
    /// By `stride` places, on a map padded so that a kernel of this side keeps its size at stride 1 (PyTorch's usual).
    pub const fn centered(kernel: usize, stride: usize) -> Self {
        Self { stride, padding: Padding::all(kernel / 2), dilation: 1 }
    }

    /// By `stride` places, padded as TensorFlow does.
    pub const fn same(stride: usize) -> Self {
        Self { stride, padding: Padding::Same, dilation: 1 }
    }

    /// By `stride` places, without padding.
    pub const fn valid(stride: usize) -> Self {
        Self { stride, padding: Padding::NONE, dilation: 1 }
    }
}

impl<'a> Modules<'a> {
    /// A graph for images of `size` `[h, w]`, and the node of its prepared images.
    pub fn new(file: &'a WeightsFile, size: [usize; 2], preprocessing: Preprocessing) -> Result<(Self, NodeId), Error> {
        let mut graph = GraphBuilder::new(size);
        let image = preprocessing.add(&mut graph)?;
        Ok((Self { file, graph }, image))
    }

    /// Adds a convolution, with its bias if the file has one; as many groups as the kernel's channels ask for.
    pub fn convolution(&mut self, module: &str, x: NodeId, moves: Moves) -> Result<NodeId, Error> {
        let weight = self.weight::<4>(module)?;
        let [_, per_group, kh, kw] = *weight.shape() else { unreachable!("four axes were asked for") };
        let Moves { stride, padding, dilation } = moves;
        let window =
            Window { size: [kh, kw], stride: [stride; 2], dilation: [dilation; 2], padding, ..Window::new(1, 1) };
        let groups = self.graph.shape(x).channels() / per_group.max(1);
        let convolution = Convolution { bias: self.bias(module, &weight)?, weight, scale: None, window, groups };
        self.graph.add(module, Op::Convolution(convolution), &[x])
    }

    /// Adds a batch norm, folded into the convolution before it.
    pub fn batch_norm(&mut self, module: &str, x: NodeId, epsilon: f32) -> Result<NodeId, Error> {
        let c = self.graph.shape(x).channels();
        let take = |part: &str| Ok::<_, Error>(self.file.take(&format!("{module}.{part}"), &[c])?.values().to_vec());
        let norm = BatchNorm {
            gamma: take("weight")?,
            beta: take("bias")?,
            mean: take("running_mean")?,
            variance: take("running_var")?,
            epsilon,
        };
        self.graph.batch_norm(module, x, &norm)
    }

    /// Adds a fully connected layer; at each position of a map it is a convolution.
    pub fn linear(&mut self, module: &str, x: NodeId) -> Result<NodeId, Error> {
        let weight = self.weight::<2>(module)?;
        let bias = self.bias(module, &weight)?;
        match self.graph.shape(x).dims().len() {
            1 => self.graph.add(module, Op::Linear(Linear { weight, bias }), &[x]),
            _ => {
                let weight = weight.with_axes(4);
                let convolution = Convolution { weight, scale: None, bias, window: Window::new(1, 1), groups: 1 };
                self.graph.add(module, Op::Convolution(convolution), &[x])
            }
        }
    }

    /// Adds a layer norm over the channels of each position.
    pub fn layer_norm(&mut self, module: &str, x: NodeId, epsilon: f32) -> Result<NodeId, Error> {
        let (gamma, c) = (self.weight::<1>(module)?, self.graph.shape(x).channels());
        let beta = self.file.take(&format!("{module}.bias"), &[c])?;
        self.graph.add(module, Op::LayerNorm { gamma, beta, epsilon }, &[x])
    }

    /// Adds the class probabilities behind the logits, and returns their layer's name.
    pub fn probabilities(&mut self, logits: NodeId) -> Result<String, Error> {
        let name = "probabilities";
        self.graph.add(name, Op::Softmax, &[logits])?;
        Ok(name.to_owned())
    }

    fn weight<const D: usize>(&self, module: &str) -> Result<Weights, Error> {
        self.file.take_any::<D>(&format!("{module}.weight"))
    }

    fn bias(&self, module: &str, weight: &Weights) -> Result<Option<Weights>, Error> {
        let name = format!("{module}.bias");
        self.file.contains(&name).then(|| self.file.take(&name, &weight.shape()[..1])).transpose()
    }
}
