//! Params: what is optimized, and how it becomes an image.

mod algebra;
pub mod color;
mod cppn;
mod fourier;
mod image;
mod lowres;
pub mod maco;
mod parameterization;
mod pixel;
mod prepared;
mod pyramid;
mod sample;
mod texture;
pub mod unit_ball;

use std::{fmt, sync::Arc};

use burn::tensor::{Device, Tensor, TensorData};

pub use self::{
    algebra::{random_choice, sigmoid, stack, stack_channels, to_valid_rgb},
    color::ValidRgb,
    cppn::{Cppn, CppnActivation},
    fourier::{fft_image, fft_images_from, inverse as fourier_inverse, map as fourier},
    image::{Colors, Image, image},
    lowres::{Offset, lowres, lowres_tensor},
    parameterization::{BallNorm, CATALOG, Parameterization},
    pixel::pixel_image,
    prepared::{Prepared, Values},
    pyramid::{laplacian_pyramid, laplacian_pyramid_image, level_sizes},
    sample::{ImageSample, ImageSampleConfig, image_sample},
    texture::bilinearly_sampled_image,
};
use crate::chance::Rng;

/// The free variables of a run, as flat vectors on one device.
pub type Variables = Vec<Tensor<1>>;

/// A differentiable map from a param's own variables to `[n, c, h, w]`.
pub type ImageMap = Box<dyn Fn(&[Tensor<1>]) -> Tensor<4>>;

/// What is optimized: free variables, and the differentiable map from them to images `[n, c, h, w]`.
///
/// Params are values: added, scaled, stacked, sliced, and joined with constants and noise. A clone is the same param, so
/// what is made of it twice shares its variables:
///
/// ```
/// use entoptic::param::{ValidRgb, fft_image, lowres_tensor, stack, to_valid_rgb};
///
/// let shared = lowres_tensor([1, 3, 64, 64], [1, 3, 16, 16]);
/// let images = stack((0..4).map(|_| fft_image([1, 3, 64, 64]) + 2.0 * shared.clone()));
/// let images = to_valid_rgb(images, ValidRgb::new());
/// assert_eq!(images.shape(), [4, 3, 64, 64]);
/// ```
///
/// # Reference
/// [Differentiable Image Parameterizations](https://distill.pub/2018/differentiable-parameterizations), Mordvintsev
/// et al., 2018; `optvis/param` in Lucid.
#[derive(Clone)]
pub struct Param(Arc<Node>);

struct Node {
    shape: [usize; 4],
    inputs: Vec<Param>,
    variables: Option<Box<FirstVariables>>,
    prepare: Box<Prepare>,
}

type FirstVariables = dyn Fn(&mut Rng, &Device) -> Variables + Send + Sync;

/// Puts what stays the same over a run on a device, and returns the map.
type Prepare = dyn Fn(&Device) -> Map + Send + Sync;

/// From own variables, and the params a param is made of, to its value.
type Map = Box<dyn Fn(&[Tensor<1>], &[Tensor<4>], &mut Rng) -> Tensor<4>>;

/// A param of your own: `variables` draws its first variables, `map` prepares the map from them on a device.
///
/// ```
/// use burn::tensor::{Distribution, Tensor};
/// use entoptic::param;
///
/// // A single color, whatever the size.
/// let color = param::custom(
///     [1, 3, 64, 64],
///     |_, device| vec![Tensor::zeros([3], device)],
///     |_| Box::new(|variables| variables[0].clone().reshape([1, 3, 1, 1]).expand([1, 3, 64, 64])),
/// );
/// assert_eq!(color.size(), [64, 64]);
/// ```
pub fn custom(
    shape: [usize; 4],
    variables: impl Fn(&mut Rng, &Device) -> Variables + Send + Sync + 'static,
    map: impl Fn(&Device) -> ImageMap + Send + Sync + 'static,
) -> Param {
    let prepare = move |device: &Device| -> Map {
        let map = map(device);
        Box::new(move |variables, _, _| map(variables))
    };
    Param(Arc::new(Node {
        shape,
        inputs: Vec::new(),
        variables: Some(Box::new(variables)),
        prepare: Box::new(prepare),
    }))
}

/// Images that stay as they are, such as a photo.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::param::{constant, image, stack};
///
/// let photo = Tensor::<4>::full([1, 3, 64, 64], 0.5, &Device::flex());
/// let beside_a_photo = stack([constant(&photo), image([64, 64]).into()]);
/// assert_eq!(beside_a_photo.shape(), [2, 3, 64, 64]);
/// ```
pub fn constant(images: &Tensor<4>) -> Param {
    let data = images.to_data();
    Param::of([], images.dims(), move |device| {
        let images = Tensor::<4>::from_data(data.clone(), device);
        Box::new(move |_, _| images.clone())
    })
}

/// What `draw` makes, anew at each step.
///
/// ```
/// use burn::tensor::Tensor;
/// use entoptic::param::{Param, drawn, image};
/// use rand::RngExt;
///
/// // As much light as chance wills.
/// let light = drawn([1, 1, 1, 1], |chance, device| Tensor::full([1, 1, 1, 1], chance.random_range(0.5..1.0), device));
/// let lit = light * Param::from(image([64, 64]));
/// assert_eq!(lit.shape(), [1, 3, 64, 64]);
/// ```
pub fn drawn(shape: [usize; 4], draw: impl Fn(&mut Rng, &Device) -> Tensor<4> + Send + Sync + 'static) -> Param {
    let draw = Arc::new(draw);
    Param::of([], shape, move |device| {
        let (draw, device) = (draw.clone(), device.clone());
        Box::new(move |_, chance| draw(chance, &device))
    })
}

impl Param {
    /// A function of other params, and of chance.
    fn of(
        inputs: impl IntoIterator<Item = Param>,
        shape: [usize; 4],
        prepare: impl Fn(&Device) -> Box<dyn Fn(&[Tensor<4>], &mut Rng) -> Tensor<4>> + Send + Sync + 'static,
    ) -> Self {
        let prepare = move |device: &Device| -> Map {
            let map = prepare(device);
            Box::new(move |_, inputs, chance| map(inputs, chance))
        };
        Self(Arc::new(Node {
            shape,
            inputs: inputs.into_iter().collect(),
            variables: None,
            prepare: Box::new(prepare),
        }))
    }

    /// The same param, whose first variable starts as `first`, flat.
    fn with_first(self, first: Tensor<1>) -> Self {
        let first = first.to_data();
        let Node { shape, variables, prepare, .. } = Arc::into_inner(self.0).expect("nobody else has it yet");
        let others = variables.expect("a param with variables");
        let variables = move |rng: &mut Rng, device: &Device| {
            let mut variables = others(rng, device);
            variables[0] = Tensor::from_data(first.clone(), device);
            variables
        };
        Self(Arc::new(Node { shape, inputs: Vec::new(), variables: Some(Box::new(variables)), prepare }))
    }

    /// A differentiable function of it.
    ///
    /// ```
    /// use entoptic::param;
    ///
    /// // Ten channels seen as three: the mean square of each third.
    /// let ten = param::fft_image([1, 10, 64, 64]);
    /// let third = |i: usize| move |x: burn::tensor::Tensor<4>| x.narrow(1, 3 * i, 3).powi_scalar(2).mean_dim(1);
    /// let rgb = param::stack_channels((0..3).map(|i| ten.clone().map([1, 1, 64, 64], third(i))));
    /// assert_eq!(rgb.shape(), [1, 3, 64, 64]);
    /// ```
    pub fn map(self, shape: [usize; 4], function: impl Fn(Tensor<4>) -> Tensor<4> + Send + Sync + 'static) -> Self {
        let function = Arc::new(function);
        Self::of([self], shape, move |_| {
            let function = function.clone();
            Box::new(move |inputs, _| function(inputs[0].clone()))
        })
    }

    /// A differentiable function of it and of chance, drawn anew at each step.
    ///
    /// ```
    /// use entoptic::param::{Param, image};
    /// use rand::RngExt;
    ///
    /// // Left or right, whichever comes.
    /// let half = Param::from(image([64, 64])).map_by_chance([1, 3, 64, 32], |images, chance| {
    ///     let left = if chance.random() { 0 } else { 32 };
    ///     images.narrow(3, left, 32)
    /// });
    /// assert_eq!(half.size(), [64, 32]);
    /// ```
    pub fn map_by_chance(
        self,
        shape: [usize; 4],
        function: impl Fn(Tensor<4>, &mut Rng) -> Tensor<4> + Send + Sync + 'static,
    ) -> Self {
        let function = Arc::new(function);
        Self::of([self], shape, move |_| {
            let function = function.clone();
            Box::new(move |inputs, chance| function(inputs[0].clone(), chance))
        })
    }

    /// `[n, c, h, w]`.
    pub fn shape(&self) -> [usize; 4] {
        self.0.shape
    }

    /// The images' height and width in pixels.
    pub fn size(&self) -> [usize; 2] {
        let [_, _, h, w] = self.shape();
        [h, w]
    }

    /// How many images there are.
    pub fn batch(&self) -> usize {
        self.shape()[0]
    }
}

/// Whether they are the same param, variables and all.
impl PartialEq for Param {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Param({:?})", self.shape())
    }
}

impl From<&Param> for Param {
    fn from(param: &Param) -> Self {
        param.clone()
    }
}

/// Standard deviation of first variables; Lucid, `spatial.py`.
const DEFAULT_SD: f64 = 0.01;

/// `count` draws of a normal distribution around 0.
pub(crate) fn normal(sd: f64, count: usize, rng: &mut Rng, device: &Device) -> Tensor<1> {
    use rand_distr::Distribution;
    let normal = rand_distr::Normal::new(0.0, sd as f32).expect("a standard deviation is finite");
    let values: Vec<f32> = normal.sample_iter(rng).take(count).collect();
    Tensor::from_data(TensorData::new(values, [count]), device)
}
