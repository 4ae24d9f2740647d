//! Graphs built of modules as PyTorch names them: a layer's tensors are `<module>.weight` and so on.

use super::architecture::Built;
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
        let bias = self.bias(&format!("{module}."), &weight)?;
        let convolution = Convolution { bias, weight, scale: None, window, groups };
        self.graph.add(module, Op::Convolution(convolution), &[x])
    }

    /// Adds a convolution by `stride` places, on a map padded so that its kernel keeps the size at stride 1.
    pub fn centered(&mut self, module: &str, x: NodeId, stride: usize) -> Result<NodeId, Error> {
        let kernel = match self.file.shape(&format!("{module}.weight")) {
            Some(&[_, _, kh, kw]) => [kh, kw],
            _ => [1, 1], // What is missing or wrong is said where it is read.
        };
        let [rows, columns] = kernel.map(|k| k / 2);
        let padding = Padding::Explicit { top: rows, bottom: rows, left: columns, right: columns };
        self.convolution(module, x, Moves { stride, padding, dilation: 1 })
    }

    /// Adds a batch norm, folded into the convolution before it.
    pub fn batch_norm(&mut self, module: &str, x: NodeId, epsilon: f32) -> Result<NodeId, Error> {
        self.batch_norm_as(module, module, x, epsilon)
    }

    /// Adds the batch norm of `module` as the layer `name`: a module may be norm and activation together.
    pub fn batch_norm_as(&mut self, name: &str, module: &str, x: NodeId, epsilon: f32) -> Result<NodeId, Error> {
        let c = self.graph.shape(x).channels();
        let take = |part: &str| Ok::<_, Error>(self.file.take(&format!("{module}.{part}"), &[c])?.values().to_vec());
        let norm = BatchNorm {
            gamma: take("weight")?,
            beta: take("bias")?,
            mean: take("running_mean")?,
            variance: take("running_var")?,
            epsilon,
        };
        self.graph.batch_norm(name, x, &norm)
    }

    /// Adds a fully connected layer, of a vector also if it is stored as a 1x1 convolution; at each position of a map it
    /// is a convolution.
    pub fn linear(&mut self, module: &str, x: NodeId) -> Result<NodeId, Error> {
        self.linear_of(module, &format!("{module}."), x)
    }

    /// Adds the fully connected layer `name` of the tensors `<prefix>weight` and `<prefix>bias`.
    pub fn linear_of(&mut self, name: &str, prefix: &str, x: NodeId) -> Result<NodeId, Error> {
        let tensor = format!("{prefix}weight");
        let weight = match self.file.shape(&tensor) {
            Some(&[outputs, inputs, _, _]) => self.file.take(&tensor, &[outputs, inputs, 1, 1])?.with_axes(2),
            _ => self.file.take_any::<2>(&tensor)?,
        };
        let bias = self.bias(prefix, &weight)?;
        match self.graph.shape(x).dims().len() {
            1 => self.graph.add(name, Op::Linear(Linear { weight, bias }), &[x]),
            _ => {
                let weight = weight.with_axes(4);
                let convolution = Convolution { weight, scale: None, bias, window: Window::new(1, 1), groups: 1 };
                self.graph.add(name, Op::Convolution(convolution), &[x])
            }
        }
    }

    /// Adds a factor of each channel, `tensor`, as the layer `name`; it is folded into the layer before it.
    pub fn scale(&mut self, name: &str, tensor: &str, x: NodeId) -> Result<NodeId, Error> {
        let c = self.graph.shape(x).channels();
        let shape: &[usize] = match self.file.shape(tensor) {
            Some([_, 1, 1]) => &[c, 1, 1],
            _ => &[c],
        };
        let scale = self.file.take(tensor, shape)?.with_axes(1);
        self.graph.affine(name, x, scale, Weights::new([c], vec![0.0; c]))
    }

    /// Adds a layer norm over the channels of each position.
    pub fn layer_norm(&mut self, module: &str, x: NodeId, epsilon: f32) -> Result<NodeId, Error> {
        let (gamma, c) = (self.weight::<1>(module)?, self.graph.shape(x).channels());
        let beta = self.file.take(&format!("{module}.bias"), &[c])?;
        self.graph.add(module, Op::LayerNorm { gamma, beta, epsilon }, &[x])
    }

    /// Adds a ReLU called `name`; what it reads answers to `<name>_pre_relu`.
    pub fn relu(&mut self, name: &str, x: NodeId) -> Result<NodeId, Error> {
        self.activation(name, Op::Relu, x)
    }

    /// Adds an activation called `name`; what a ReLU reads answers to `<name>_pre_relu`.
    pub fn activation(&mut self, name: &str, activation: Op, x: NodeId) -> Result<NodeId, Error> {
        if let Op::Relu | Op::Relu6 = activation {
            self.alias(&format!("{name}_pre_relu"), x);
        }
        self.graph.add(name, activation, &[x])
    }

    /// Lets node `x` answer to `name` too, such as to the module that it is the last operation of.
    pub fn alias(&mut self, name: &str, x: NodeId) {
        let node = self.graph.names().nth(x).expect("a node of this graph").to_owned();
        self.graph.alias(name, &node);
    }

    /// Adds the class probabilities behind the logits, and returns their layer's name.
    pub fn probabilities(&mut self, logits: NodeId) -> Result<String, Error> {
        let name = "probabilities";
        self.graph.add(name, Op::Softmax, &[logits])?;
        Ok(name.to_owned())
    }

    /// Adds a classifier's usual end: the mean of each channel called `pool`, which is also what `flatten` makes of it,
    /// then the fully connected layer `module`.
    pub fn classify(&mut self, pool: &str, module: &str, x: NodeId) -> Result<NodeId, Error> {
        let x = self.graph.add(pool, Op::GlobalMean, &[x])?;
        self.alias("flatten", x);
        self.linear(module, x)
    }

    /// The network whose last layer is `logits`.
    pub fn finish(mut self, logits: NodeId) -> Result<Built, Error> {
        let probabilities = self.probabilities(logits)?;
        Ok(Built { graph: self.graph.finish(), probabilities })
    }

    /// The network, which knows no classes.
    pub fn finish_without_classes(self) -> Built {
        Built { graph: self.graph.finish(), probabilities: String::new() }
    }

    fn weight<const D: usize>(&self, module: &str) -> Result<Weights, Error> {
        self.file.take_any::<D>(&format!("{module}.weight"))
    }

    fn bias(&self, prefix: &str, weight: &Weights) -> Result<Option<Weights>, Error> {
        let name = format!("{prefix}bias");
        self.file.contains(&name).then(|| self.file.take(&name, &weight.shape()[..1])).transpose()
    }
}
