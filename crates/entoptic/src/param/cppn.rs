//! Compositional pattern-producing networks: a small network that knows a pixel's place and says its color.

use burn::{
    config::Config,
    tensor::{Device, Tensor, TensorData, activation},
};
use rand_distr::{Distribution, Normal, StandardNormal};

use super::{Param, custom};
use crate::{Error, chance::Rng};

/// The deviation of a standard normal distribution cut off at 2, by which TensorFlow's `variance_scaling` divides.
const TRUNCATED_DEVIATION: f32 = 0.879_625_7;

/// Standard deviation of the first biases. Lucid, `cppn.py`.
const BIAS_SD: f32 = 0.1;

/// What the instance normalization adds to variances. TensorFlow, `contrib/layers`.
const EPSILON: f32 = 1e-6;

/// What happens between layers. All but [`Abs`](Self::Abs) keep mean and variance near 0 and 1, or try to.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum CppnActivation {
    /// `a / 0.67` beside `a² / 0.6`, where `a` is the arc tangent: twice as many channels. Lucid's default.
    Composite,
    /// `a / 0.67` beside `(a² - 0.45) / 0.396`: twice as many channels, and no bias.
    CompositeUnbiased,
    /// `(relu(x) - 0.4) / 0.58`.
    ReluNormalized,
    /// `|x|`: shapes with sharp edges.
    Abs,
}

/// A pattern-producing network: layers of 1x1 convolutions over the coordinates of the pixels.
///
/// The same variables make an image of any size.
///
/// ```
/// use burn::tensor::Device;
/// use entoptic::{
///     chance::{Purpose, draws},
///     param::Cppn,
/// };
///
/// let cppn = Cppn::new();
/// let variables = cppn.variables(&mut draws(0, Purpose::Variables), &Device::flex());
/// assert_eq!(variables.iter().map(|variable| variable.dims()[0]).sum::<usize>(), 8451);
/// assert_eq!(cppn.image(&variables, [64, 64]).dims(), [1, 3, 64, 64]);
/// assert_eq!(cppn.image(&variables, [20, 30]).dims(), [1, 3, 20, 30]);
/// ```
///
/// # Reference
/// `cppn` in Lucid, `cppn.py`; [Differentiable Image
/// Parameterizations](https://distill.pub/2018/differentiable-parameterizations), Mordvintsev et al., 2018.
#[derive(Config, Debug, PartialEq)]
pub struct Cppn {
    /// Channels of the image.
    #[config(default = 3)]
    pub channels: usize,
    /// Channels of each hidden layer, before its activation.
    #[config(default = 24)]
    pub hidden_channels: usize,
    /// Hidden layers.
    #[config(default = 8)]
    pub layers: usize,
    /// What happens between layers.
    #[config(default = "CppnActivation::Composite")]
    pub activation: CppnActivation,
    /// Whether each hidden layer is normalized over the image before its activation.
    #[config(default = false)]
    pub normalize: bool,
}

impl Cppn {
    /// Whether there is such a network.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check(&self) -> Result<(), Error> {
        let counts = [
            ("the number of channels", self.channels, 4096, "it is 1 to 4096"),
            ("the number of hidden channels", self.hidden_channels, 4096, "it is 1 to 4096"),
            ("the number of hidden layers", self.layers, 256, "it is 1 to 256"),
        ];
        match counts.into_iter().find(|&(_, count, most, _)| !(1..=most).contains(&count)) {
            Some((what, count, _, accepted)) => Err(Error::OutOfRange { what, value: count.to_string(), accepted }),
            None => Ok(()),
        }
    }

    /// `batch` images of `size` `[h, w]`, in `0..=1`, which are all the same: they share the variables, as in Lucid.
    ///
    /// ```
    /// use entoptic::param::Cppn;
    ///
    /// assert_eq!(Cppn::new().param(1, [224, 224]).shape(), [1, 3, 224, 224]);
    /// ```
    pub fn param(&self, batch: usize, size @ [h, w]: [usize; 2]) -> Param {
        let shape = [batch, self.channels, h, w];
        let (fresh, network) = (self.clone(), self.clone());
        custom(
            shape,
            move |rng, device| fresh.variables(rng, device),
            move |_| {
                let network = network.clone();
                Box::new(move |variables| network.image(variables, size).expand(shape))
            },
        )
    }

    /// The sizes of the variables, in their order: for each layer its weights `[out, in]` and its biases `[out, 1]`; with
    /// `normalize`, for each hidden layer then an offset `[out, 1]` and a factor `[out, 1]`.
    pub fn shapes(&self) -> Vec<[usize; 2]> {
        self.layout().into_iter().map(Variable::shape).collect()
    }

    /// Fresh variables, each flat.
    ///
    /// Weights have the variance `1 / in` and are cut off at two deviations, biases have a deviation of 0.1; the last
    /// layer's weights are 0, so that the first image has one color.
    pub fn variables(&self, rng: &mut Rng, device: &Device) -> Vec<Tensor<1>> {
        let fresh = |variable: Variable| Tensor::from_floats(variable.fresh(rng).as_slice(), device);
        self.layout().into_iter().map(fresh).collect()
    }

    fn layout(&self) -> Vec<Variable> {
        let out = self.hidden_channels;
        let activated = match self.activation {
            CppnActivation::Composite | CppnActivation::CompositeUnbiased => 2 * out,
            CppnActivation::ReluNormalized | CppnActivation::Abs => out,
        };
        let mut variables = Vec::new();
        for layer in 0..self.layers {
            let inputs = if layer == 0 { 2 } else { activated }; // x and y first
            variables.extend([Variable::Weights { out, inputs }, Variable::Bias { out }]);
            if self.normalize {
                variables.extend([Variable::Offset { out }, Variable::Factor { out }]);
            }
        }
        let out = self.channels;
        variables.extend([Variable::LastWeights { out, inputs: activated }, Variable::Bias { out }]);
        variables
    }

    /// The image that `variables` make, of `size` `[h, w]`: both sides span the same coordinates.
    ///
    /// # Shapes
    /// - variables: as many, and as long, as [`shapes`](Self::shapes) says
    /// - value: `[1, c, h, w]`, in `0..=1`
    ///
    /// # Panics
    /// If the variables are not of this network.
    pub fn image(&self, variables: &[Tensor<1>], [h, w]: [usize; 2]) -> Tensor<4> {
        let shapes = self.shapes();
        assert_eq!(variables.len(), shapes.len(), "these are the variables of another network");
        let device = variables[0].device();
        let mut variables = variables.iter().zip(shapes).map(|(variable, shape)| variable.clone().reshape(shape));
        let mut next = || -> Tensor<2> { variables.next().expect("their number was compared") };

        let mut pixels = coordinates([h, w], &device); // [channels, h * w]
        for _ in 0..self.layers {
            pixels = next().matmul(pixels) + next();
            if self.normalize {
                let (offset, factor) = (next(), next());
                pixels = normalized(pixels) * factor + offset;
            }
            pixels = self.activation.of(pixels);
        }
        activation::sigmoid(next().matmul(pixels) + next()).reshape([1, self.channels, h, w])
    }
}

impl CppnActivation {
    /// What follows `x` `[channels, positions]`.
    fn of(self, x: Tensor<2>) -> Tensor<2> {
        let composite = |x: Tensor<2>, mean: f32, deviation: f32| {
            let a = x.atan();
            let square = a.clone() * a.clone();
            Tensor::cat(vec![a / 0.67, (square - mean) / deviation], 0)
        };
        match self {
            Self::Composite => composite(x, 0.0, 0.6),
            Self::CompositeUnbiased => composite(x, 0.45, 0.396),
            Self::ReluNormalized => (activation::relu(x) - 0.4) / 0.58,
            Self::Abs => x.abs(),
        }
    }
}

/// What one variable is.
#[derive(Debug, Clone, Copy)]
enum Variable {
    Weights { out: usize, inputs: usize },
    LastWeights { out: usize, inputs: usize },
    Bias { out: usize },
    Offset { out: usize },
    Factor { out: usize },
}

impl Variable {
    fn shape(self) -> [usize; 2] {
        match self {
            Self::Weights { out, inputs } | Self::LastWeights { out, inputs } => [out, inputs],
            Self::Bias { out } | Self::Offset { out } | Self::Factor { out } => [out, 1],
        }
    }

    fn fresh(self, rng: &mut Rng) -> Vec<f32> {
        let count = self.shape().iter().product();
        match self {
            Self::Weights { inputs, .. } => weights(inputs, rng).take(count).collect(),
            Self::Bias { .. } => {
                let normal = Normal::new(0.0, BIAS_SD).expect("a standard deviation is finite");
                normal.sample_iter(rng).take(count).collect()
            }
            Self::LastWeights { .. } | Self::Offset { .. } => vec![0.0; count],
            Self::Factor { .. } => vec![1.0; count],
        }
    }
}

/// Weights of a layer with `inputs` inputs, without end.
fn weights(inputs: usize, rng: &mut Rng) -> impl Iterator<Item = f32> {
    let sd = 1.0 / (inputs as f32).sqrt() / TRUNCATED_DEVIATION;
    StandardNormal.sample_iter(rng).filter(|draw: &f32| draw.abs() < 2.0).map(move |draw| draw * sd)
}

/// x and y `[2, h * w]` of each pixel, with unit deviation along a side (of infinitely many pixels).
fn coordinates([h, w]: [usize; 2], device: &Device) -> Tensor<2> {
    let at = |i: usize, side: usize| match side {
        1 => 0.0,
        _ => 3f32.sqrt() * (2.0 * i as f32 / (side - 1) as f32 - 1.0),
    };
    let x = (0..h * w).map(|pixel| at(pixel % w, w));
    let y = (0..h * w).map(|pixel| at(pixel / w, h));
    Tensor::from_data(TensorData::new(x.chain(y).collect::<Vec<f32>>(), [2, h * w]), device)
}

/// Each channel of `x` `[channels, positions]` with mean 0 and variance 1.
fn normalized(x: Tensor<2>) -> Tensor<2> {
    let centered = x.clone() - x.mean_dim(1);
    let variance = (centered.clone() * centered.clone()).mean_dim(1);
    centered / (variance + EPSILON).sqrt()
}
