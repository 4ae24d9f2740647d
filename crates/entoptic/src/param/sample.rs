//! Random images as smooth as natural ones: backgrounds for what is partly transparent.

use burn::{
    config::Config,
    tensor::{Device, Tensor, TensorData},
};
use rand_distr::{Distribution, StandardNormal};

use super::{
    Param,
    color::{Squash, to_valid_rgb},
    fourier,
};
use crate::chance::Rng;

/// What random images are like.
#[derive(Config, Debug, PartialEq)]
pub struct ImageSampleConfig {
    /// Standard deviation of the waves' coefficients.
    #[config(default = 0.01)]
    pub sd: f64,
    /// The power of its frequency that a wave is divided by; more is smoother.
    #[config(default = 1.0)]
    pub decay_power: f64,
    /// Whether colors are correlated as in natural images, see [`decorrelation`](super::color::decorrelation).
    #[config(default = true)]
    pub decorrelate: bool,
}

/// `batch` random images of `size` `[h, w]`, drawn anew at each step: a background that what is partly transparent must
/// stand out from.
///
/// ```
/// use entoptic::param::{ImageSampleConfig, Param, image, image_sample};
///
/// let image = Param::from(image([64, 64]).with_alpha(true));
/// let (colors, alpha) = (image.channels(0..3), image.channels(3..4));
/// let background = image_sample(1, [64, 64], &ImageSampleConfig::new().with_sd(0.2));
/// assert_eq!(colors.blend(alpha, background).shape(), [1, 3, 64, 64]);
/// ```
///
/// # Reference
/// `image_sample` in Lucid, `random.py`.
pub fn image_sample(batch: usize, size @ [h, w]: [usize; 2], config: &ImageSampleConfig) -> Param {
    let config = config.clone();
    Param::of([], [batch, 3, h, w], move |device| {
        let sample = ImageSample::new(batch, size, &config, device);
        Box::new(move |_, chance| sample.draw(chance))
    })
}

/// Random images of one size; every draw is another one.
///
/// ```
/// use burn::tensor::Device;
/// use entoptic::{
///     chance::{Purpose, draws},
///     param::{ImageSample, ImageSampleConfig},
/// };
///
/// let sample = ImageSample::new(2, [32, 48], &ImageSampleConfig::new().with_sd(0.2), &Device::flex());
/// let mut chance = draws(0, Purpose::Transforms);
/// let (one, other) = (sample.draw(&mut chance), sample.draw(&mut chance));
/// assert_eq!(one.dims(), [2, 3, 32, 48]);
/// assert!((one - other).abs().max().into_scalar::<f32>() > 0.1);
/// ```
///
/// # Reference
/// `image_sample` in Lucid, `random.py`.
pub struct ImageSample {
    batch: usize,
    size: [usize; 2],
    config: ImageSampleConfig,
    planes: Box<dyn Fn(Tensor<1>) -> Tensor<3> + Send + Sync>,
    device: Device,
}

impl ImageSample {
    /// `batch` images of `size` `[h, w]` at a time.
    pub fn new(batch: usize, size: [usize; 2], config: &ImageSampleConfig, device: &Device) -> Self {
        let planes = Box::new(fourier::map(batch * 3, size, config.decay_power, device));
        Self { batch, size, config: config.clone(), planes, device: device.clone() }
    }

    /// New images, `[n, 3, h, w]` in `0..=1`.
    pub fn draw(&self, rng: &mut Rng) -> Tensor<4> {
        let count = fourier::variables(self.batch * 3, self.size);
        let noise: Vec<f32> = StandardNormal.sample_iter(rng).take(count).collect();
        self.image(Tensor::from_data(TensorData::new(noise, [count]), &self.device))
    }

    /// The images of given noise of unit variance: a spectrum `[2, n, 3, h, columns]`, flat, real parts first.
    pub fn image(&self, noise: Tensor<1>) -> Tensor<4> {
        let [h, w] = self.size;
        let colors = (self.planes)(noise * self.config.sd).reshape([self.batch, 3, h, w]);
        to_valid_rgb(colors, self.config.decorrelate, Squash::Sigmoid)
    }
}
