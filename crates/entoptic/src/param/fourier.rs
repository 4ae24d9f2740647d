//! The coefficients of waves are the variables; an inverse Fourier transform makes them an image.
//!
//! On the CPU that is a fast transform. It is linear, so elsewhere it is two products with constant matrices: one down
//! the columns (complex to complex), one along the rows (between complex and real).

mod waves;

use std::{
    f64::consts::TAU,
    sync::{Arc, OnceLock},
};

use burn::tensor::{Device, Tensor, TensorData};

use self::waves::Waves;
use super::{DEFAULT_SD, Param, custom, normal};
use crate::{
    chance::{Purpose, draws},
    cpu,
};

/// Images `[n, c, h, w]` made of waves, whose coefficients are drawn with standard deviation 0.01 around 0 and scaled by
/// `1 / frequency`, so that images start out as natural ones do: smooth.
///
/// Values are free, not colors in `0..=1`: see [`to_valid_rgb`](super::to_valid_rgb).
///
/// ```
/// use entoptic::param::{ValidRgb, fft_image, to_valid_rgb};
///
/// let image = to_valid_rgb(fft_image([1, 3, 48, 64]), ValidRgb::new());
/// assert_eq!(image.shape(), [1, 3, 48, 64]);
/// ```
///
/// # Reference
/// `fft_image` in Lucid, `spatial.py`.
pub fn fft_image(shape: [usize; 4]) -> Param {
    param(shape, DEFAULT_SD, 1.0)
}

/// Images `[n, c, h, w]` as [`fft_image`]'s, each of which starts from a seed of its own: it is the same whichever others
/// are in its batch.
///
/// ```
/// use entoptic::param::fft_images_from;
///
/// assert_eq!(fft_images_from(&[7, 8, 9], [3, 48, 64]).shape(), [3, 3, 48, 64]);
/// ```
pub fn fft_images_from(seeds: &[u64], [c, h, w]: [usize; 3]) -> Param {
    let (n, seeds) = (seeds.len(), seeds.to_vec());
    let size = [h, w];
    custom(
        [n, c, h, w],
        move |_, device| {
            let one =
                |&seed: &u64| normal(DEFAULT_SD, variables(c, size), &mut draws(seed, Purpose::Variables), device);
            vec![Tensor::cat(seeds.iter().map(one).collect(), 0)]
        },
        move |device| {
            let map = map(n * c, size, 1.0, device);
            Box::new(move |variables| {
                let each = variables[0].clone().reshape([n, 2, c * h * columns(w)]);
                map(each.swap_dims(0, 1).reshape([-1])).reshape([n, c, h, w])
            })
        },
    )
}

pub(super) fn param(shape @ [n, c, h, w]: [usize; 4], sd: f64, decay_power: f64) -> Param {
    custom(
        shape,
        move |rng, device| vec![normal(sd, variables(n * c, [h, w]), rng, device)],
        move |device| {
            let map = map(n * c, [h, w], decay_power, device);
            Box::new(move |variables| map(variables[0].clone()).reshape(shape))
        },
    )
}

/// Lucid's images are this much fainter than the transform makes them; `fft_image` in `spatial.py` calls it magic.
const LUCID_SCALE: f64 = 1.0 / 4.0;

/// How many variables `planes` planes of `size` `[h, w]` have: real and imaginary parts of half the spectrum.
pub(super) fn variables(planes: usize, [h, w]: [usize; 2]) -> usize {
    2 * planes * h * columns(w)
}

/// The map from a spectrum `[2, planes, h, columns]`, given flat, to planes `[planes, h, w]`.
///
/// # Reference
/// `fft_image` in Lucid, `spatial.py`.
pub fn map(
    planes: usize,
    size @ [h, w]: [usize; 2],
    decay_power: f64,
    device: &Device,
) -> impl Fn(Tensor<1>) -> Tensor<3> + use<> {
    let transform = synthesis(size, scale(size, decay_power), device);
    move |variable| transform(variable.reshape([2, planes, h, columns(w)]))
}

/// The way back from planes `[planes, h, w]` to a spectrum, flat, of which [`map`] makes them: where an optimization
/// that starts from a photo begins.
///
/// An odd width has one more column to be found than the planes have; it is half way between the last and the first.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use entoptic::param::{fourier, fourier_inverse};
///
/// let device = Device::flex();
/// let planes = Tensor::<3>::random([3, 20, 31], Distribution::Default, &device);
/// let variable = fourier_inverse([20, 31], 1.0, &device)(planes.clone());
/// let again = fourier(3, [20, 31], 1.0, &device)(variable);
/// assert!((again - planes).abs().max().into_scalar::<f32>() < 1e-4);
/// ```
pub fn inverse(
    size @ [_, w]: [usize; 2],
    decay_power: f64,
    device: &Device,
) -> impl Fn(Tensor<3>) -> Tensor<1> + use<> {
    let scale =
        Tensor::<1>::from_floats(scale(size, decay_power).as_slice(), device).reshape([1, 1, size[0], columns(w)]);
    let transform = transform(size, device);
    move |planes| {
        let planes = match w % 2 {
            0 => planes,
            _ => {
                let seam = (planes.clone().narrow(2, w - 1, 1) + planes.clone().narrow(2, 0, 1)) / 2.0;
                Tensor::cat(vec![planes, seam], 2)
            }
        };
        (transform(planes) / scale.clone()).reshape([-1])
    }
}

/// The inverse transform of half a spectrum `[2, planes, h, columns]`, multiplied by `magnitudes` `[h, columns]`, to
/// planes `[planes, h, w]`.
pub(super) fn synthesis(
    size @ [h, w]: [usize; 2],
    magnitudes: Vec<f32>,
    device: &Device,
) -> impl Fn(Tensor<4>) -> Tensor<3> + use<> {
    let (waves, products, device) = (Arc::new(Waves::new(size, &magnitudes)), OnceLock::new(), device.clone());
    move |spectrum| {
        let [_, planes, _, _] = spectrum.dims();
        match cpu::holds(&spectrum) {
            true => cpu::apply(waves.clone(), spectrum, planes, [planes, h, w]),
            false => products.get_or_init(|| Products::new(size, &magnitudes, &device)).synthesize(spectrum),
        }
    }
}

/// The inverse transform as products with constant matrices.
struct Products {
    /// `[1, 1, h, columns]`.
    magnitudes: Tensor<4>,
    /// `[1, 2h, 2h]`.
    down: Tensor<3>,
    /// `[2 columns, w]`.
    along: Tensor<2>,
}

impl Products {
    fn new([h, w]: [usize; 2], magnitudes: &[f32], device: &Device) -> Self {
        Self {
            magnitudes: Tensor::<1>::from_floats(magnitudes, device).reshape([1, 1, h, columns(w)]),
            down: down(h, Direction::Inverse, device).unsqueeze(),
            along: along(w, device),
        }
    }

    fn synthesize(&self, spectrum: Tensor<4>) -> Tensor<3> {
        let [_, planes, h, columns] = spectrum.dims();
        let spectrum = spectrum * self.magnitudes.clone();
        // Real parts above imaginary ones: [planes, 2h, columns].
        let spectrum = spectrum.permute([1, 0, 2, 3]).reshape([planes, 2 * h, columns]);
        let rows = self.down.clone().matmul(spectrum);
        // Real parts beside imaginary ones: [planes * h, 2 columns].
        let rows = rows.reshape([planes, 2, h, columns]).permute([0, 2, 1, 3]).reshape([planes * h, 2 * columns]);
        let planes_of_rows = rows.matmul(self.along.clone());
        let [_, w] = planes_of_rows.dims();
        planes_of_rows.reshape([planes, h, w])
    }
}

/// The transform of planes `[planes, h, width]`, the width made even, to half their spectrum
/// `[2, planes, h, columns]`.
fn transform([h, w]: [usize; 2], device: &Device) -> impl Fn(Tensor<3>) -> Tensor<4> + use<> {
    let (down, along) = (down(h, Direction::Forward, device).unsqueeze::<3>(), analysis(w, device));
    move |planes| {
        let [planes_count, h, width] = planes.dims();
        let columns = columns(width);
        let rows = planes.reshape([planes_count * h, width]).matmul(along.clone());
        // Real parts above imaginary ones: [planes, 2h, columns].
        let rows = rows.reshape([planes_count, h, 2, columns]).permute([0, 2, 1, 3]);
        let spectrum = down.clone().matmul(rows.reshape([planes_count, 2 * h, columns]));
        spectrum.reshape([planes_count, 2, h, columns]).permute([1, 0, 2, 3])
    }
}

/// How many columns of a real image's spectrum are kept; the others mirror them. An odd width has one more than it
/// needs: Lucid transforms an image that is one pixel wider and crops it.
pub(super) fn columns(w: usize) -> usize {
    w / 2 + 1 + w % 2
}

/// The frequency `[h, columns]` of each coefficient along y and x, in cycles per pixel, negative ones included.
pub(super) fn frequencies([h, w]: [usize; 2]) -> impl Iterator<Item = [f64; 2]> {
    let frequency = |i: usize, n: usize| (if 2 * i < n { i as f64 } else { i as f64 - n as f64 }) / n as f64;
    (0..h).flat_map(move |y| (0..columns(w)).map(move |x| [frequency(y, h), frequency(x, w)]))
}

/// Magnitudes `[h, columns]` for unit coefficients.
fn scale(size @ [h, w]: [usize; 2], decay_power: f64) -> Vec<f32> {
    let lowest = 1.0 / w.max(h) as f64;
    let energy = ((w * h) as f64).sqrt();
    frequencies(size).map(|[y, x]| (energy / y.hypot(x).max(lowest).powf(decay_power) * LUCID_SCALE) as f32).collect()
}

/// Which way a transform goes: from a signal to its spectrum, or back.
enum Direction {
    Forward,
    Inverse,
}

/// The transform down columns of `h` complex numbers, real parts above imaginary ones: `[2h, 2h]`.
fn down(h: usize, direction: Direction, device: &Device) -> Tensor<2> {
    let (sign, divisor) = match direction {
        Direction::Forward => (-1.0, 1.0),
        Direction::Inverse => (1.0, h as f64),
    };
    let mut matrix = vec![0.0f32; 4 * h * h];
    for y in 0..h {
        for k in 0..h {
            // The product is reduced first: cosines of large angles lose digits.
            let (sin, cos) = (TAU * ((y * k) % h) as f64 / h as f64).sin_cos();
            let (sin, cos) = ((sign * sin / divisor) as f32, (cos / divisor) as f32);
            matrix[y * 2 * h + k] = cos;
            matrix[y * 2 * h + h + k] = -sin;
            matrix[(h + y) * 2 * h + k] = sin;
            matrix[(h + y) * 2 * h + h + k] = cos;
        }
    }
    Tensor::from_data(TensorData::new(matrix, [2 * h, 2 * h]), device)
}

/// The inverse transform along rows of half a spectrum, real parts beside imaginary ones, to `w` real numbers:
/// `[2 columns, w]`.
fn along(w: usize, device: &Device) -> Tensor<2> {
    let columns = columns(w);
    let width = w + w % 2;
    let mut matrix = vec![0.0f32; 2 * columns * w];
    for k in 0..columns {
        // All columns but the first and the last stand for their mirror image too.
        let weight = if k == 0 || k == columns - 1 { 1.0 } else { 2.0 } / width as f64;
        for x in 0..w {
            let (sin, cos) = (TAU * ((x * k) % width) as f64 / width as f64).sin_cos();
            matrix[k * w + x] = (weight * cos) as f32;
            matrix[(columns + k) * w + x] = (-weight * sin) as f32;
        }
    }
    Tensor::from_data(TensorData::new(matrix, [2 * columns, w]), device)
}

/// The transform along rows of real numbers, the width made even, to half a spectrum, real parts beside imaginary ones:
/// `[width, 2 columns]`.
fn analysis(w: usize, device: &Device) -> Tensor<2> {
    let columns = columns(w);
    let width = w + w % 2;
    let mut matrix = vec![0.0f32; width * 2 * columns];
    for x in 0..width {
        for k in 0..columns {
            let (sin, cos) = (TAU * ((x * k) % width) as f64 / width as f64).sin_cos();
            matrix[x * 2 * columns + k] = cos as f32;
            matrix[x * 2 * columns + columns + k] = -sin as f32;
        }
    }
    Tensor::from_data(TensorData::new(matrix, [width, 2 * columns]), device)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use entoptic_fixtures::{assert_close, value_and_gradient};

    use super::*;

    #[test]
    fn the_fast_transform_is_the_products_and_so_is_its_gradient() {
        let device = Device::flex().autodiff();
        let sizes = [[1, 1], [1, 2], [2, 1], [3, 5], [8, 8], [9, 16], [16, 9], [17, 30], [33, 20], [37, 41], [64, 50]];
        for (size @ [h, w], planes) in sizes.into_iter().zip([3, 1, 2].into_iter().cycle()) {
            let magnitudes: Vec<f32> = (0..h * columns(w)).map(|i| 1.0 + (0.7 * i as f32).sin() / 2.0).collect();
            let products = Products::new(size, &magnitudes, &device);
            let spectrum = Tensor::<4>::random([2, planes, h, columns(w)], Distribution::Default, &device);
            let g = Tensor::<3>::random([planes, h, w], Distribution::Default, &device);
            let (expected, slope) = value_and_gradient(spectrum.clone(), g.clone(), |x| products.synthesize(x));
            let (value, gradient) = value_and_gradient(spectrum, g, synthesis(size, magnitudes, &device));
            assert_close(&format!("{size:?}"), value, expected, 2e-6);
            assert_close(&format!("{size:?}"), gradient, slope, 2e-6);
        }
    }
}
