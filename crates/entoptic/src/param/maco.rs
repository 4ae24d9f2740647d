//! Images whose spectrum is as strong as natural images' everywhere: only the phases of its waves are free.
//!
//! The magnitudes are a fit, [`imagenet_magnitudes`], because the measured file that packages carry has no licence (see
//! `docs/architecture.md`); [`map`] takes measured ones.

use std::f32::consts::TAU;

use burn::tensor::{Device, Tensor, TensorData};
use rand_distr::{Distribution, Uniform};

use super::{
    Param,
    color::{Squash, to_valid_rgb},
    custom, fourier,
};
use crate::chance::Rng;

/// Logarithms of ImageNet's mean magnitudes, for each of the uncorrelated colors of
/// [`decorrelation`](super::color::decorrelation): `a + b l + c l² + d (r(x) + r(y)) + e (r(x)² + r(y)²)`, where `l` is
/// the binary logarithm of the frequency in cycles per pixel and `r(v) = ln(1 - 2 |v|)` of the one along an axis, how
/// far a photo that was resized has faded.
///
/// A least-squares fit to the mean spectrum of 512x512 photos that the authors published, made by
/// `data/fit_magnitudes.py`: the mean difference below half the Nyquist frequency is 7 % of a magnitude.
const IMAGENET_MAGNITUDES: [[f64; 5]; 3] = [
    [4.151_021, -0.725_776_1, 0.010_787_70, 1.220_398, -0.044_933_41],
    [4.080_908, -0.759_454_2, 0.008_117_263, 1.512_804, -0.001_785_038],
    [4.317_104, -0.638_048_9, 0.015_875_73, 1.465_919, -0.009_688_44],
];

/// The side of the images that [`IMAGENET_MAGNITUDES`] were measured on.
const MEASURED_SIDE: f64 = 512.0;

/// Added to deviations before they divide. Xplique, `maco.py`.
const EPSILON: f32 = 1e-5;

/// `batch` images of `size` `[h, w]`, in `0..=1`, whose magnitudes are [`imagenet_magnitudes`] and whose phases are free.
///
/// Phases are angles: a learning rate of 0.2 suits them better than 0.05.
///
/// ```
/// use entoptic::param::maco;
///
/// assert_eq!(maco::param(1, [64, 64]).shape(), [1, 3, 64, 64]);
/// ```
///
/// # Reference
/// As [`map`].
pub fn param(batch: usize, size @ [h, w]: [usize; 2]) -> Param {
    custom(
        [batch, 3, h, w],
        move |rng, device| vec![phases(batch, size, rng, device)],
        move |device| {
            let map = map(batch, size, imagenet_magnitudes(size, device));
            Box::new(move |variables| map(variables[0].clone()))
        },
    )
}

/// The map from phases `[n, 3, h, columns]` in radians, given flat, to images whose spectrum has these phases and
/// `magnitudes` `[3, h, columns]`, columns being `w / 2 + 1`, and one more if the width is odd.
///
/// The image is shifted and scaled to mean 0 and deviation 1, so that only ratios of magnitudes matter, then to RGB by
/// [`to_valid_rgb`].
///
/// ```
/// use burn::tensor::Device;
/// use entoptic::{
///     chance::{Purpose, draws},
///     param::maco,
/// };
///
/// let (size, device) = ([48, 64], Device::flex());
/// let phases = maco::phases(2, size, &mut draws(0, Purpose::Variables), &device);
/// let images = maco::map(2, size, maco::imagenet_magnitudes(size, &device))(phases);
/// assert_eq!(images.dims(), [2, 3, 48, 64]);
/// ```
///
/// # Panics
/// If `magnitudes` are of another size.
///
/// # Reference
/// [Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained
/// Optimization](https://arxiv.org/abs/2306.06805), Fel et al., 2023. Its implementation in Xplique also standardizes
/// the phases, here they are what they are.
pub fn map(batch: usize, size: [usize; 2], magnitudes: Tensor<3>) -> impl Fn(Tensor<1>) -> Tensor<4> {
    let planes = planes(batch, size, magnitudes);
    move |phases| {
        let colors = planes(phases);
        let centered = colors.clone() - mean(colors);
        let deviation = mean(centered.clone() * centered.clone()).sqrt();
        to_valid_rgb(centered / (deviation + EPSILON), true, Squash::Sigmoid)
    }
}

/// The waves of [`map`] added up: uncorrelated colors `[n, 3, h, w]`.
fn planes(batch: usize, size @ [h, w]: [usize; 2], magnitudes: Tensor<3>) -> impl Fn(Tensor<1>) -> Tensor<4> {
    let columns = fourier::columns(w);
    assert_eq!(magnitudes.dims(), [3, h, columns], "there is a magnitude for each phase");
    let transform = fourier::synthesis(size, vec![1.0; h * columns], &magnitudes.device());
    let magnitudes = magnitudes.unsqueeze::<4>();
    move |phases| {
        let phases = phases.reshape([batch, 3, h, columns]);
        let part = |part: Tensor<4>| (part * magnitudes.clone()).reshape([1, batch * 3, h, columns]);
        let spectrum = Tensor::cat(vec![part(phases.clone().cos()), part(phases.sin())], 0);
        transform(spectrum).reshape([batch, 3, h, w])
    }
}

/// Fresh phases for [`map`], flat, each as likely as any other.
pub fn phases(batch: usize, [h, w]: [usize; 2], rng: &mut Rng, device: &Device) -> Tensor<1> {
    let count = batch * 3 * h * fourier::columns(w);
    let circle = Uniform::new(-TAU / 2.0, TAU / 2.0).expect("a circle is finite");
    let values: Vec<f32> = circle.sample_iter(rng).take(count).collect();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// The mean magnitudes `[3, h, columns]` of ImageNet's spectrum in uncorrelated colors, for images of `size` `[h, w]`:
/// what a wave of so many cycles per pixel has. The mean color, of which a smaller image has no measured one, is taken
/// for a wave half as long as the longest side has.
pub fn imagenet_magnitudes(size @ [h, w]: [usize; 2], device: &Device) -> Tensor<3> {
    let faded = |frequency: f64| (1.0 - 2.0 * frequency.abs()).max(1.0 / MEASURED_SIDE).ln();
    let lowest = 0.5 / h.max(w) as f64;
    let magnitude = |[a, b, c, d, e]: [f64; 5], [y, x]: [f64; 2]| {
        let octave = y.hypot(x).max(lowest).log2();
        let (y, x) = (faded(y), faded(x));
        (a + b * octave + c * octave * octave + d * (y + x) + e * (y * y + x * x)).exp() as f32
    };
    let magnitudes: Vec<f32> = IMAGENET_MAGNITUDES
        .into_iter()
        .flat_map(|color| fourier::frequencies(size).map(move |frequency| magnitude(color, frequency)))
        .collect();
    Tensor::from_data(TensorData::new(magnitudes, [3, h, fourier::columns(w)]), device)
}

/// The mean of each image, `[n, 1, 1, 1]`.
fn mean(images: Tensor<4>) -> Tensor<4> {
    images.mean_dim(1).mean_dim(2).mean_dim(3)
}
