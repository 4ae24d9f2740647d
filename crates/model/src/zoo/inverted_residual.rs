//! Inverted residual blocks: few channels are expanded to many, each filtered by itself, and projected to few again.
//!
//! MobileNets from the second on and EfficientNets are a stem, stages of such blocks, and a head. Widths, depths, kernels
//! and which blocks squeeze and excite are read off the tensors; strides and activations are the family's.

mod names;

use names::{block_parts, conv_parts, efficientnet_pytorch_parts, joined, nested, numbered, split, timm_parts};

use super::modules::{Modules, Moves};
use crate::{
    Error,
    graph::{NodeId, Op},
    load::WeightsFile,
};

/// Whose names the modules have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Library {
    /// torchvision: `features.3.conv.0.0`.
    Torchvision,
    /// timm: `blocks.1.0.conv_pw`.
    Timm,
    /// efficientnet_pytorch and efficientnet_lite_pytorch: `_blocks.1._expand_conv`.
    EfficientNetPytorch,
}

/// What a file says of such a network: its blocks, stage by stage.
pub(super) struct Outline {
    pub library: Library,
    pub stages: Vec<Vec<Block>>,
}

/// The modules of one block, in the order they run.
pub(super) struct Block {
    name: String,
    /// The modules in it that hold all parts.
    inner: &'static [&'static str],
    parts: Vec<Part>,
    /// How large the kernel is that filters each channel by itself.
    pub kernel: usize,
    /// What this block puts out.
    pub channels: usize,
    pub squeezes: bool,
}

enum Part {
    Layer(Layer),
    Squeeze(Squeeze),
}

/// A convolution, its batch norm and perhaps its activation: what they are called.
pub(super) struct Layer {
    convolution: String,
    norm: String,
    /// timm's norms contain their activations, so that a norm by itself has another name than its tensors.
    norm_layer: String,
    activation: Option<String>,
    /// What the last of them answers to.
    module: String,
}

/// Squeeze and excitation: the mean of each channel says, through two small layers, by what the channel is multiplied.
///
/// # Reference
/// [Squeeze-and-Excitation Networks](https://arxiv.org/abs/1709.01507), Hu et al., 2017.
struct Squeeze {
    mean: String,
    reduce: String,
    activation: String,
    expand: String,
    gate: String,
    product: String,
    /// What the product answers to.
    module: String,
}

/// What all blocks of a stage have in common and no tensor says.
#[derive(Clone)]
pub(super) struct Style {
    /// Whether maps are padded as TensorFlow does.
    pub same: bool,
    /// What norms add to the variance.
    pub epsilon: f32,
    pub activation: Op,
    /// The activation between the two layers of squeeze and excitation.
    pub squeezed: Op,
    /// The function behind them.
    pub gate: Op,
}

impl Style {
    /// The same with another activation.
    pub fn with_activation(&self, activation: Op) -> Self {
        Self { activation, ..self.clone() }
    }
}

/// Whether a file is called as timm calls what was trained with TensorFlow: `tf_efficientnet_b0`.
pub(super) fn is_from_tensorflow(file: &WeightsFile) -> bool {
    file.stem().split(['_', '-', '.']).any(|part| part == "tf")
}

impl Outline {
    /// What the tensors' names say, or nothing if this is another kind of network.
    pub fn of(file: &WeightsFile) -> Option<Self> {
        let (library, stages): (_, Vec<Vec<String>>) = if file.contains("conv_stem.weight") {
            (Library::Timm, nested(file, "blocks", 0))
        } else if file.contains("_conv_stem.weight") {
            (Library::EfficientNetPytorch, vec![numbered("_blocks", 0..file.count_modules("_blocks"))])
        } else if file.has_module("features.1.0.block") {
            (Library::Torchvision, nested(file, "features", 1))
        } else {
            let is_block =
                |i: &usize| ["conv", "block"].iter().any(|b| file.has_module(&format!("features.{i}.{b}.0")));
            let blocks = (1..).take_while(is_block).count();
            (Library::Torchvision, vec![numbered("features", 1..1 + blocks)])
        };
        let read = |names: Vec<String>| names.into_iter().map(|name| Block::of(file, library, name)).collect();
        let mut stages: Vec<Vec<Block>> = stages.into_iter().map(read).collect();
        if let [blocks] = &mut stages[..] {
            stages = split(std::mem::take(blocks));
        }
        (!stages.is_empty()).then_some(Self { library, stages })
    }

    /// The kernel of each stage; a block in which it is missing is still one of them.
    pub fn kernels(&self) -> Vec<usize> {
        self.stages.iter().map(|blocks| blocks.iter().map(|block| block.kernel).max().unwrap_or(1)).collect()
    }

    /// Whether each stage squeezes and excites.
    pub fn squeezes(&self) -> Vec<bool> {
        self.stages.iter().map(|blocks| blocks.iter().any(|block| block.squeezes)).collect()
    }

    /// Adds the stem and all stages; a stage's first block moves by its stride.
    pub fn add(
        &self,
        modules: &mut Modules<'_>,
        image: NodeId,
        stem: &Style,
        stages: &[(usize, Style)],
    ) -> Result<NodeId, Error> {
        let layer = match self.library {
            Library::Torchvision => Layer::torchvision("features.0", true),
            Library::Timm => Layer::timm("", "conv_stem", "bn1", true),
            Library::EfficientNetPytorch => Layer::efficientnet_pytorch("", "_conv_stem", "_bn0", Some("_swish")),
        };
        let mut x = layer.add(modules, image, 2, stem)?;
        for (blocks, (stride, style)) in self.stages.iter().zip(stages) {
            for (i, block) in blocks.iter().enumerate() {
                x = block.add(modules, x, if i == 0 { *stride } else { 1 }, style)?;
            }
            if let (Library::Torchvision | Library::Timm, Some((stage, "0"))) =
                (self.library, blocks[0].name.rsplit_once('.'))
            {
                modules.alias(stage, x);
            }
        }
        match self.library {
            Library::Torchvision => {}
            Library::Timm => modules.alias("blocks", x),
            Library::EfficientNetPytorch => modules.alias("_blocks", x),
        }
        Ok(x)
    }

    /// Adds the widest layer, the mean over all positions and the classes; returns the logits.
    pub fn add_head(&self, modules: &mut Modules<'_>, x: NodeId, style: &Style) -> Result<NodeId, Error> {
        let x = self.head(modules.file).add(modules, x, 1, style)?;
        let x = self.add_mean(modules, x)?;
        let classifier = match self.library {
            Library::Torchvision => "classifier.1",
            Library::Timm => "classifier",
            Library::EfficientNetPytorch => "_fc",
        };
        let logits = modules.linear(classifier, x)?;
        modules.alias("classifier", logits);
        Ok(logits)
    }

    /// The widest layer, behind all blocks.
    pub fn head(&self, file: &WeightsFile) -> Layer {
        match self.library {
            Library::Torchvision => {
                let last = file.count_modules("features").saturating_sub(1);
                Layer::torchvision(&format!("features.{last}"), true)
            }
            Library::Timm => Layer::timm("", "conv_head", "bn2", true),
            Library::EfficientNetPytorch => Layer::efficientnet_pytorch("", "_conv_head", "_bn1", Some("_swish_1")),
        }
    }

    /// Adds the mean over all positions.
    pub fn add_mean(&self, modules: &mut Modules<'_>, x: NodeId) -> Result<NodeId, Error> {
        let (name, others): (_, &[&str]) = match self.library {
            Library::Torchvision => ("avgpool", &["adaptive_avg_pool2d", "flatten"]),
            Library::Timm => ("global_pool.pool", &["global_pool.flatten", "global_pool"]),
            Library::EfficientNetPytorch => ("_avg_pooling", &[]),
        };
        if self.library == Library::Torchvision {
            modules.alias("features", x);
        }
        let mean = modules.graph.add(name, Op::GlobalMean, &[x])?;
        others.iter().for_each(|other| modules.alias(other, mean));
        Ok(mean)
    }
}

impl Block {
    /// What the block called `name` is made of.
    fn of(file: &WeightsFile, library: Library, name: String) -> Self {
        let (inner, parts): (&[_], _) = match library {
            Library::Torchvision if file.has_module(&joined(&name, "conv")) => (&["conv"], conv_parts(file, &name)),
            Library::Torchvision => (&["block", "stochastic_depth"], block_parts(file, &name)),
            Library::Timm => (&[], timm_parts(file, &name)),
            Library::EfficientNetPytorch => (&[], efficientnet_pytorch_parts(file, &name)),
        };
        let kernels: Vec<[usize; 2]> = parts.iter().filter_map(|part| part.kernel(file)).collect();
        let channels = kernels.last().map_or(0, |&[channels, _]| channels);
        let kernel = kernels.iter().map(|&[_, side]| side).max().unwrap_or(1);
        let squeezes = parts.iter().any(|part| matches!(part, Part::Squeeze(_)));
        Self { name, inner, parts, kernel, channels, squeezes }
    }

    /// Adds the block. The first kernel that sees more than one place moves by `stride`.
    fn add(&self, modules: &mut Modules<'_>, x: NodeId, stride: usize, style: &Style) -> Result<NodeId, Error> {
        let (mut y, mut left) = (x, stride);
        for part in &self.parts {
            y = match part {
                Part::Layer(layer) => {
                    let sees_more = layer.kernel(modules.file).is_some_and(|[_, side]| side > 1);
                    let stride = if sees_more { std::mem::replace(&mut left, 1) } else { 1 };
                    layer.add(modules, y, stride, style)?
                }
                Part::Squeeze(squeeze) => squeeze.add(modules, y, style)?,
            };
        }
        for inner in self.inner {
            modules.alias(&joined(&self.name, inner), y);
        }
        if stride == 1 && modules.graph.shape(x) == modules.graph.shape(y) {
            y = modules.graph.add(&joined(&self.name, "add"), Op::Add, &[y, x])?;
        }
        modules.alias(&self.name, y);
        Ok(y)
    }
}

impl Part {
    fn kernel(&self, file: &WeightsFile) -> Option<[usize; 2]> {
        match self {
            Part::Layer(layer) => layer.kernel(file),
            Part::Squeeze(_) => None,
        }
    }
}

impl Layer {
    /// `<module>.0` and so on.
    pub fn torchvision(module: &str, activated: bool) -> Self {
        let norm = format!("{module}.1");
        let activation = activated.then(|| format!("{module}.2"));
        Self {
            convolution: format!("{module}.0"),
            norm_layer: norm.clone(),
            norm,
            activation,
            module: module.to_owned(),
        }
    }

    /// `<block>.<norm>` is norm and activation together; by themselves they are called as in PyTorch's traces.
    pub fn timm(block: &str, convolution: &str, norm: &str, activated: bool) -> Self {
        let norm = joined(block, norm);
        let (norm_layer, activation) = match activated {
            true => (format!("{norm}.batch_norm"), Some(format!("{norm}.act"))),
            false => (norm.clone(), None),
        };
        Self { convolution: joined(block, convolution), module: norm.clone(), norm, norm_layer, activation }
    }

    fn efficientnet_pytorch(block: &str, convolution: &str, norm: &str, activation: Option<&str>) -> Self {
        let norm = joined(block, norm);
        let activation = activation.map(|activation| joined(block, activation));
        Self {
            convolution: joined(block, convolution),
            module: norm.clone(),
            norm_layer: norm.clone(),
            norm,
            activation,
        }
    }

    /// How many channels it puts out, and how large its kernel is.
    pub fn kernel(&self, file: &WeightsFile) -> Option<[usize; 2]> {
        match *file.shape(&format!("{}.weight", self.convolution))? {
            [channels, _, side, _] => Some([channels, side]),
            _ => None,
        }
    }

    pub fn add(&self, modules: &mut Modules<'_>, x: NodeId, stride: usize, style: &Style) -> Result<NodeId, Error> {
        let x = match style.same {
            true => modules.convolution(&self.convolution, x, Moves::same(stride))?,
            false => modules.centered(&self.convolution, x, stride)?,
        };
        let mut x = modules.batch_norm_as(&self.norm_layer, &self.norm, x, style.epsilon)?;
        if let Some(activation) = &self.activation {
            x = modules.activation(activation, style.activation.clone(), x)?;
        }
        modules.alias(&self.module, x);
        Ok(x)
    }
}

impl Squeeze {
    fn add(&self, modules: &mut Modules<'_>, x: NodeId, style: &Style) -> Result<NodeId, Error> {
        let mean = modules.graph.add(&self.mean, Op::GlobalMean, &[x])?;
        let y = modules.linear(&self.reduce, mean)?;
        let y = modules.activation(&self.activation, style.squeezed.clone(), y)?;
        let y = modules.linear(&self.expand, y)?;
        let y = modules.graph.add(&self.gate, style.gate.clone(), &[y])?;
        let y = modules.graph.add(&self.product, Op::Multiply, &[x, y])?;
        modules.alias(&self.module, y);
        Ok(y)
    }
}
