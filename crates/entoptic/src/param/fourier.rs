//! The coefficients of waves are the variables; an inverse Fourier transform makes them an image.
//!
//! The inverse transform is linear, so it is two products with constant matrices: one down the columns (complex to
//! complex), one along the rows (complex to real). That is differentiable on every device, and for the sizes people
//! render it costs less than the network.

use std::f64::consts::TAU;

use burn::tensor::{Device, Tensor, TensorData};

use super::{DEFAULT_SD, Param, custom, normal};

/// Images `[n, c, h, w]` made of waves, whose coefficients are drawn with standard deviation 0.01 around 0 and scaled by
/// `1 / frequency`, so that images start out as natural ones do: smooth.
///
/// Values are free, not colors in `0..=1`: see [`to_valid_rgb`](super::to_valid_rgb).
///
/// # Reference
/// `fft_image` in Lucid, `spatial.py`.
pub fn fft_image(shape: [usize; 4]) -> Param {
    param(shape, DEFAULT_SD, 1.0)
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
    let columns = columns(w);
    let scale = Tensor::<4>::from_data(TensorData::new(scale(size, decay_power), [1, 1, h, columns]), device);
    let (down, along) = (down(h, device).unsqueeze::<3>(), along(w, device));
    move |variable| {
        let spectrum = variable.reshape([2, planes, h, columns]) * scale.clone();
        // Real parts above imaginary ones: [planes, 2h, columns].
        let spectrum = spectrum.permute([1, 0, 2, 3]).reshape([planes, 2 * h, columns]);
        let rows = down.clone().matmul(spectrum);
        // Real parts beside imaginary ones: [planes * h, 2 columns].
        let rows = rows.reshape([planes, 2, h, columns]).permute([0, 2, 1, 3]).reshape([planes * h, 2 * columns]);
        rows.matmul(along.clone()).reshape([planes, h, w])
    }
}

/// How many columns of a real image's spectrum are kept; the others mirror them. An odd width has one more than it
/// needs: Lucid transforms an image that is one pixel wider and crops it.
fn columns(w: usize) -> usize {
    w / 2 + 1 + w % 2
}

/// Magnitudes `[h, columns]` for unit coefficients.
fn scale([h, w]: [usize; 2], decay_power: f64) -> Vec<f32> {
    let frequency = |i: usize, n: usize| (if 2 * i < n { i as f64 } else { i as f64 - n as f64 }) / n as f64;
    let lowest = 1.0 / w.max(h) as f64;
    let energy = ((w * h) as f64).sqrt();
    (0..h)
        .flat_map(|y| (0..columns(w)).map(move |x| frequency(y, h).hypot(frequency(x, w))))
        .map(|frequency| (energy / frequency.max(lowest).powf(decay_power) * LUCID_SCALE) as f32)
        .collect()
}

/// The inverse transform down columns of `h` complex numbers, real parts above imaginary ones: `[2h, 2h]`.
fn down(h: usize, device: &Device) -> Tensor<2> {
    let mut matrix = vec![0.0f32; 4 * h * h];
    for y in 0..h {
        for k in 0..h {
            // The product is reduced first: cosines of large angles lose digits.
            let (sin, cos) = (TAU * ((y * k) % h) as f64 / h as f64).sin_cos();
            let (sin, cos) = ((sin / h as f64) as f32, (cos / h as f64) as f32);
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
