//! Params: what is optimized, and how it becomes an image.

pub mod color;
mod cppn;
mod fourier;
mod lowres;
pub mod maco;
mod pixel;
mod pyramid;
mod sample;
mod texture;
pub mod unit_ball;

use burn::{
    config::Config,
    tensor::{Device, Tensor, TensorData, activation},
};
use rand_distr::{Distribution, Normal};

pub use self::{
    cppn::{Cppn, CppnActivation},
    fourier::{inverse as fourier_inverse, map as fourier},
    lowres::{Offset, lowres},
    pyramid::{laplacian_pyramid, level_sizes},
    sample::{ImageSample, ImageSampleConfig},
    texture::bilinearly_sampled_image,
};
use crate::{Error, chance::Rng};

/// The free variables of a run, as flat vectors on one device.
pub type Variables = Vec<Tensor<1>>;

/// A differentiable map from variables to images `[n, c, h, w]`, in `0..=1`.
pub type ImageMap = Box<dyn Fn(&[Tensor<1>]) -> Tensor<4>>;

/// A parameterization: variables, and the map from them to images.
pub trait Param {
    /// Fresh variables.
    fn variables(&self, rng: &mut Rng, device: &Device) -> Variables;

    /// The map from variables on `device` to the images they stand for; it owns what stays the same over a run.
    fn map(&self, device: &Device) -> ImageMap;

    /// The images' size `[h, w]`.
    fn size(&self) -> [usize; 2];

    /// How many images there are.
    fn batch(&self) -> usize;
}

/// What a variable of an [`Image`] is a coefficient of.
#[derive(Config, Debug, PartialEq)]
pub enum Basis {
    /// Waves, each scaled by `1 / frequency^decay_power` so that images start out as natural ones do: smooth.
    Fourier {
        /// 1 in Lucid; more is smoother.
        decay_power: f64,
    },
    /// Single pixels.
    Pixel,
}

/// A batch of RGB images, each free of the others.
///
/// ```
/// use burn::tensor::Device;
/// use entoptic::{
///     chance::{Purpose, draws},
///     param::{self, Param},
/// };
///
/// let device = Device::flex();
/// let param = param::image([48, 64]).with_batch(2);
/// let variables = param.variables(&mut draws(0, Purpose::Variables), &device);
/// let image = param.map(&device);
/// assert_eq!(image(&variables).dims(), [2, 3, 48, 64]);
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct Image {
    /// Height and width in pixels.
    pub size: [usize; 2],
    /// How many images.
    #[config(default = 1)]
    pub batch: usize,
    /// What the variables are coefficients of.
    #[config(default = "Basis::Fourier { decay_power: 1.0 }")]
    pub basis: Basis,
    /// Standard deviation of the first variables.
    #[config(default = 0.01)]
    pub sd: f64,
    /// Whether variables stand for uncorrelated colors, see [`color::decorrelation`].
    #[config(default = true)]
    pub decorrelate: bool,
}

/// Images of `size` `[h, w]` in the Fourier basis with decorrelated colors, as Lucid's `param.image`.
///
/// # Reference
/// `optvis/param/images.py` in Lucid.
pub fn image(size: [usize; 2]) -> Image {
    Image::new(size)
}

impl Image {
    /// Whether such images can be made.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check(&self) -> Result<(), Error> {
        let wrong =
            |what, value: &dyn ToString, accepted| Err(Error::OutOfRange { what, value: value.to_string(), accepted });
        if self.size.contains(&0) {
            return wrong("the image size", &self.size[0].min(self.size[1]), "it is 1 pixel or more");
        }
        if self.batch == 0 {
            return wrong("the batch", &0, "it is 1 image or more");
        }
        let pixels = self.size.iter().try_fold(self.batch, |pixels, &side| pixels.checked_mul(side));
        if pixels.is_none_or(|pixels| pixels > MAX_PIXELS) || self.size.iter().any(|&side| side > MAX_SIDE) {
            let [h, w] = self.size;
            let value = format!("{} of {h}x{w}", self.batch);
            return wrong("the images", &value, "8192x8192 is the most, for one of them and for all together");
        }
        match self.basis {
            Basis::Fourier { decay_power } if !decay_power.is_finite() => {
                wrong("the decay power", &decay_power, "it is a number such as 1 or 1.5")
            }
            _ => Ok(()),
        }
    }
}

/// The largest side for which the constant matrices of the Fourier basis stay below a gigabyte.
const MAX_SIDE: usize = 8192;

/// What fits in memory on large machines, variables and optimizer together: some gigabytes before the network.
const MAX_PIXELS: usize = MAX_SIDE * MAX_SIDE;

impl Param for Image {
    fn variables(&self, rng: &mut Rng, device: &Device) -> Variables {
        let count = match self.basis {
            Basis::Fourier { .. } => fourier::variables(self.batch * 3, self.size),
            Basis::Pixel => pixel::variables(self.batch * 3, self.size),
        };
        let normal = Normal::new(0.0, self.sd as f32).expect("a standard deviation is finite");
        let values: Vec<f32> = normal.sample_iter(rng).take(count).collect();
        vec![Tensor::from_data(TensorData::new(values, [count]), device)]
    }

    fn map(&self, device: &Device) -> ImageMap {
        let Self { size: size @ [h, w], batch, decorrelate, .. } = *self;
        let planes: Box<dyn Fn(Tensor<1>) -> Tensor<3>> = match self.basis {
            Basis::Fourier { decay_power } => Box::new(fourier::map(batch * 3, size, decay_power, device)),
            Basis::Pixel => Box::new(pixel::map(batch * 3, size)),
        };
        let decorrelation = decorrelate.then(|| color::decorrelation(device));
        Box::new(move |variables| {
            let [variable] = variables else { panic!("an image has one variable") };
            let colors = planes(variable.clone()).reshape([batch, 3, h, w]);
            activation::sigmoid(match &decorrelation {
                Some(matrix) => color::mix(colors, matrix.clone()),
                None => colors,
            })
        })
    }

    fn size(&self) -> [usize; 2] {
        self.size
    }

    fn batch(&self) -> usize {
        self.batch
    }
}
