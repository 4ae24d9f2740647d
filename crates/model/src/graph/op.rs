//! The operations convolutional classifiers are made of.

use std::sync::Arc;

/// Frozen numbers and their shape, row by row.
#[derive(Clone)]
pub struct Weights {
    shape: Vec<usize>,
    values: Arc<Vec<f32>>,
}

impl Weights {
    /// Weights of `shape`.
    ///
    /// # Panics
    /// If the shape and the number of values disagree.
    pub fn new(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        let (shape, values) = (shape.into(), Arc::new(values));
        assert_eq!(shape.iter().product::<usize>(), values.len(), "weights of shape {shape:?}");
        Self { shape, values }
    }

    /// Weights of `shape` that share their memory with others.
    pub(crate) fn shared(shape: Vec<usize>, values: Arc<Vec<f32>>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "weights of shape {shape:?}");
        Self { shape, values }
    }

    /// The size of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values, the last axis running fastest.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The same numbers with so many axes: those of size 1 behind the others are added or left out.
    ///
    /// # Panics
    /// If an axis of another size would have to be left out.
    pub fn with_axes(&self, axes: usize) -> Self {
        let mut shape = self.shape.clone();
        assert!(shape.iter().skip(axes).all(|&size| size == 1), "{shape:?} has more than {axes} axes");
        shape.resize(axes, 1);
        Self { shape, values: self.values.clone() }
    }

    /// The same weights with the second axis (a kernel's input channels) in reverse order.
    ///
    /// A network trained on BGR images so becomes one that reads RGB.
    pub fn reverse_inputs(&self) -> Self {
        let [_, inputs, ..] = self.shape[..] else { panic!("a kernel has two axes or more") };
        let area = self.shape[2..].iter().product();
        let values: Vec<f32> =
            self.values.chunks(inputs * area).flat_map(|output| output.chunks(area).rev().flatten().copied()).collect();
        Self::new(self.shape.clone(), values)
    }

    /// Slices of the first axis alone.
    pub(super) fn select(&self, kept: &[usize]) -> Self {
        let per_output = self.values.len() / self.shape[0];
        let values: Vec<f32> =
            kept.iter().flat_map(|&i| &self.values[i * per_output..(i + 1) * per_output]).copied().collect();
        let shape: Vec<usize> = [kept.len()].into_iter().chain(self.shape[1..].iter().copied()).collect();
        Self::new(shape, values)
    }

    /// What `f` makes of each pair of numbers of two weights of one shape.
    pub(super) fn zip(&self, other: &Self, f: impl Fn(f32, f32) -> f32) -> Self {
        assert_eq!(self.shape, other.shape, "both shapes");
        let values = self.values().iter().zip(other.values()).map(|(&a, &b)| f(a, b)).collect();
        Self::new(self.shape.clone(), values)
    }

    /// Whether both are the same numbers in memory.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values)
    }

    /// Whether both are the same numbers in memory, or both are none.
    pub fn are_same(a: Option<&Self>, b: Option<&Self>) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => a.is(b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }
}

impl std::fmt::Debug for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Weights{:?}", self.shape)
    }
}

/// What surrounds a map before a window slides over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// This many rows and columns on each side.
    Explicit {
        /// Rows above.
        top: usize,
        /// Rows below.
        bottom: usize,
        /// Columns to the left.
        left: usize,
        /// Columns to the right.
        right: usize,
    },
    /// TensorFlow's SAME: as much as makes the output `ceil(input / stride)` large, the odd one below and to the right.
    Same,
}

impl Padding {
    /// No padding (TensorFlow's VALID).
    pub const NONE: Self = Self::all(0);

    /// `n` rows and columns on every side.
    pub const fn all(n: usize) -> Self {
        Self::Explicit { top: n, bottom: n, left: n, right: n }
    }
}

/// A window that slides over a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub size: [usize; 2],
    /// How far it moves down and to the right.
    pub stride: [usize; 2],
    /// The distance between neighboring elements of the window, down and to the right.
    pub dilation: [usize; 2],
    /// What surrounds the map.
    pub padding: Padding,
    /// Whether a last window that hangs over the edge counts (Caffe, and PyTorch's `ceil_mode`).
    pub ceil: bool,
}

impl Window {
    /// A square window of side `size` that moves by `stride`, without padding.
    pub const fn new(size: usize, stride: usize) -> Self {
        Self { size: [size; 2], stride: [stride; 2], dilation: [1; 2], padding: Padding::NONE, ceil: false }
    }

    /// The same window on a map padded like this.
    pub const fn padded(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// The same window, dilated.
    pub const fn dilated(self, dilation: usize) -> Self {
        Self { dilation: [dilation; 2], ..self }
    }

    /// The same window; the last one may hang over the edge.
    pub const fn ceil(self) -> Self {
        Self { ceil: true, ..self }
    }
}

/// A convolution with frozen weights.
#[derive(Debug, Clone)]
pub struct Convolution {
    /// `[out, in / groups, kh, kw]`.
    pub weight: Weights,
    /// `[out]`: the factor of each output, of a batch norm behind the convolution; weights are not copied for it.
    pub scale: Option<Weights>,
    /// `[out]`.
    pub bias: Option<Weights>,
    /// The window; its size is the kernel's.
    pub window: Window,
    /// Into how many groups the channels fall; as many as channels for a depthwise convolution.
    pub groups: usize,
}

impl Convolution {
    /// The weights with each output's scale in them; the same numbers in memory where there is none.
    pub fn scaled_weight(&self) -> Weights {
        let Some(scale) = &self.scale else { return self.weight.clone() };
        let per_output = self.weight.values().len() / scale.values().len().max(1);
        let outputs = self.weight.values().chunks(per_output.max(1)).zip(scale.values());
        let values = outputs.flat_map(|(output, scale)| output.iter().map(move |v| v * scale)).collect();
        Weights::new(self.weight.shape(), values)
    }
}

/// A fully connected layer with frozen weights.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: Weights,
    /// `[out]`.
    pub bias: Option<Weights>,
}

/// Local response normalization over channels: `x / (k + a Σ x²)^beta`, the sum over `size` neighboring channels.
///
/// # Reference
/// [ImageNet classification with deep convolutional neural networks](https://papers.nips.cc/paper/4824),
/// Krizhevsky et al., 2012.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalResponseNorm {
    /// How many channels the sum runs over, an odd number.
    pub size: usize,
    /// The factor of the sum; see [`LocalResponseNorm::caffe`].
    pub alpha: f32,
    /// The exponent.
    pub beta: f32,
    /// The offset.
    pub k: f32,
}

impl LocalResponseNorm {
    /// As Caffe and PyTorch write it: `alpha` is divided by `size`.
    pub fn caffe(size: usize, alpha: f32, beta: f32, k: f32) -> Self {
        Self { size, alpha: alpha / size as f32, beta, k }
    }

    /// As TensorFlow writes it: the sum runs over `2 depth_radius + 1` channels, `alpha` is its factor.
    pub fn tensorflow(depth_radius: usize, alpha: f32, beta: f32, bias: f32) -> Self {
        Self { size: 2 * depth_radius + 1, alpha, beta, k: bias }
    }
}

/// A function of each number by itself. ReLUs are operations of their own, for their gradients can be overridden.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x sigmoid(x)`, also called swish.
    Silu,
    /// `min(max(slope x + offset, 0), 1)`.
    HardSigmoid {
        /// 1/6 in PyTorch, 0.2 in ONNX unless it says otherwise.
        slope: f32,
        /// A half.
        offset: f32,
    },
    /// `x min(max(x / 6 + 1/2, 0), 1)`.
    HardSwish,
    /// `x Φ(x)`, with the error function.
    Gelu,
    /// As [`Gelu`](Self::Gelu), approximated by a hyperbolic tangent.
    GeluTanh,
    /// `x`, or `alpha (exp(x) - 1)` below 0.
    Elu {
        /// The limit far below 0, without its sign.
        alpha: f32,
    },
    /// `x`, or `slope x` below 0.
    LeakyRelu {
        /// The slope below 0.
        slope: f32,
    },
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `min(max(x, min), max)`.
    Clip {
        /// The smallest value.
        min: f32,
        /// The largest value.
        max: f32,
    },
    /// The error function.
    Erf,
    /// `exp(x)`.
    Exp,
    /// `|x|`.
    Abs,
    /// `x^exponent`: squares, roots, one over x.
    Power {
        /// The exponent.
        exponent: f32,
    },
}

/// How places of a resized map lie on the map it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Pixels are areas, their centers at a half (PyTorch's default, TensorFlow's `half_pixel_centers`).
    HalfPixel,
    /// Pixels are points, the corners of both maps are the same (`align_corners`).
    AlignCorners,
    /// Place `i` lies at `i` times the ratio of sizes (TensorFlow 1's default).
    Asymmetric,
}

/// What a node computes.
#[derive(Debug, Clone)]
pub enum Op {
    /// The images, RGB in `0..=1`.
    Input,
    /// The same numbers for every image, `[c, h, w]` or `[c]`: a class token, an embedding of positions.
    Constant(Weights),
    /// `x * scale + shift` per channel: preprocessing, a lone bias, a batch norm that could not be folded.
    Affine {
        /// `[c]`.
        scale: Weights,
        /// `[c]`.
        shift: Weights,
    },
    /// A convolution.
    Convolution(Convolution),
    /// A fully connected layer, on a vector.
    Linear(Linear),
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// A function of each number by itself.
    Pointwise(Function),
    /// The largest value under each window; padding never wins.
    MaxPool(Window),
    /// The mean under each window.
    AveragePool {
        /// The window.
        window: Window,
        /// Whether padding counts as zeros (Caffe, PyTorch's default) or not at all (TensorFlow).
        count_padding: bool,
    },
    /// The mean over areas that split the map into `[h, w]` parts, as equal as can be (PyTorch's adaptive pool).
    AdaptiveAveragePool([usize; 2]),
    /// Local response normalization.
    LocalResponseNorm(LocalResponseNorm),
    /// At each position `(x - mean) / sqrt(variance + epsilon) * gamma + beta` over the channels.
    ///
    /// # Reference
    /// [Layer Normalization](https://arxiv.org/abs/1607.06450), Ba et al., 2016.
    LayerNorm {
        /// `[c]`.
        gamma: Weights,
        /// `[c]`.
        beta: Weights,
        /// What is added to the variance.
        epsilon: f32,
    },
    /// The inputs' channels one after the other.
    Concat,
    /// The sum of the inputs.
    Add,
    /// The product of the inputs; a `[c, 1, 1]` or `[c]` input scales each channel of the other.
    Multiply,
    /// These channels of the input, in this order.
    Select(Arc<[usize]>),
    /// The map with a border of this value around it.
    Pad {
        /// Rows above and below.
        rows: [usize; 2],
        /// Columns to the left and to the right.
        columns: [usize; 2],
        /// What the border holds.
        value: f32,
    },
    /// A part of the map.
    Crop {
        /// The first row and column.
        origin: [usize; 2],
        /// Height and width.
        size: [usize; 2],
    },
    /// The map at another size, interpolated linearly between its four neighbors.
    ResizeBilinear {
        /// The new height and width.
        size: [usize; 2],
        /// Where the new places lie.
        sampling: Sampling,
    },
    /// All positions in one column, row by row: `[c, h w, 1]`. A transformer's tokens are such a map.
    Tokens,
    /// The inputs' rows, one below the other.
    Stack,
    /// Attention's scores: for each head the inner products of the first input's positions (queries) with the second's
    /// (keys), times `scale`; `[heads, queries, keys]`. Each head has its share of the channels, in order.
    Scores {
        /// How many heads.
        heads: usize,
        /// What products are multiplied by, usually one over the root of a head's channels.
        scale: f32,
    },
    /// Softmax over each row, channel by channel: scores become attention.
    RowSoftmax,
    /// For each query the sum of values weighted by attention: of `[heads, queries, keys]` and `[c, keys, 1]` it is
    /// `[c, queries, 1]`.
    Attend,
    /// A map as one vector, `[c, h, w]` in that order.
    Flatten,
    /// The mean of each channel over all positions, as a vector.
    GlobalMean,
    /// Softmax over channels.
    Softmax,
}

impl Function {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Silu => "silu",
            Self::HardSigmoid { .. } => "hard sigmoid",
            Self::HardSwish => "hard swish",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu (tanh)",
            Self::Elu { .. } => "elu",
            Self::LeakyRelu { .. } => "leaky relu",
            Self::Softplus => "softplus",
            Self::Clip { .. } => "clip",
            Self::Erf => "erf",
            Self::Exp => "exp",
            Self::Abs => "abs",
            Self::Power { .. } => "power",
        }
    }
}

impl Op {
    /// A short name for people, such as `convolution 3x3/2`.
    pub fn kind(&self) -> String {
        let window = |name: &str, w: &Window| {
            let [kh, kw] = w.size;
            match w.stride {
                [1, 1] => format!("{name} {kh}x{kw}"),
                [s, _] => format!("{name} {kh}x{kw}/{s}"),
            }
        };
        match self {
            Op::Input => "image".into(),
            Op::Affine { .. } => "affine".into(),
            Op::Convolution(c) if c.groups > 1 => window("grouped convolution", &c.window),
            Op::Convolution(c) => window("convolution", &c.window),
            Op::Linear(_) => "linear".into(),
            Op::Relu => "relu".into(),
            Op::Relu6 => "relu6".into(),
            Op::Constant(_) => "constant".into(),
            Op::Pointwise(function) => function.name().into(),
            Op::AdaptiveAveragePool([h, w]) => format!("adaptive average pool to {h}x{w}"),
            Op::LayerNorm { .. } => "layer norm".into(),
            Op::Select(_) => "select channels".into(),
            Op::Pad { .. } => "pad".into(),
            Op::Crop { .. } => "crop".into(),
            Op::ResizeBilinear { size: [h, w], .. } => format!("resize to {h}x{w}"),
            Op::Tokens => "tokens".into(),
            Op::Stack => "stack".into(),
            Op::Scores { heads, .. } => format!("attention scores of {heads} heads"),
            Op::RowSoftmax => "attention".into(),
            Op::Attend => "attend".into(),
            Op::MaxPool(w) => window("max pool", w),
            Op::AveragePool { window: w, .. } => window("average pool", w),
            Op::LocalResponseNorm(_) => "local response norm".into(),
            Op::Concat => "concat".into(),
            Op::Add => "add".into(),
            Op::Multiply => "multiply".into(),
            Op::Flatten => "flatten".into(),
            Op::GlobalMean => "global mean".into(),
            Op::Softmax => "softmax".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reversing_inputs_swaps_channels_and_keeps_kernels() {
        let bgr = Weights::new([2, 3, 1, 2], (0..12).map(|v| v as f32).collect::<Vec<_>>());
        let rgb = bgr.reverse_inputs();
        assert_eq!(rgb.values(), [4., 5., 2., 3., 0., 1., 10., 11., 8., 9., 6., 7.]);
        assert_eq!(rgb.reverse_inputs().values(), bgr.values());
    }

    #[test]
    fn kinds_name_kernel_and_stride() {
        assert_eq!(Op::MaxPool(Window::new(3, 2)).kind(), "max pool 3x3/2");
        assert_eq!(Op::MaxPool(Window::new(3, 1)).kind(), "max pool 3x3");
    }
}
