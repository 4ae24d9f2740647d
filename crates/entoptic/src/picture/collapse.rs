//! Many channels shown as colors: each channel has its hue, and where several are active together it is white.

use std::f64::consts::FRAC_PI_2;

use burn::tensor::Tensor;

use super::load::channels_first;

/// Red, yellow, green, cyan, blue and magenta: every 60 degrees of the color wheel.
const HUES: [[f64; 3]; 6] =
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [1.0, 0.0, 1.0]];

/// Keeps black from being divided by zero. Lucid, `misc/io/collapse_channels.py`.
const EPSILON: f64 = 1e-4;

/// The color of an angle on the color wheel, as a vector of length 1: 0 is red, 120 green, 240 blue.
///
/// With `warp`, colors move away from red, green and blue, around which they look alike; equal steps then look more
/// equal.
///
/// ```
/// let [red, green, blue] = entoptic::picture::hue_to_rgb(60.0, true);
/// assert!((red - green).abs() < 1e-12 && blue == 0.0);
/// ```
///
/// # Reference
/// `hue_to_rgb` in Lucid, `misc/io/collapse_channels.py`.
pub fn hue_to_rgb(degrees: f64, warp: bool) -> [f64; 3] {
    let sector = degrees.rem_euclid(360.0) / 60.0;
    // The remainder of a tiny negative angle rounds to a whole turn.
    let before = sector.floor() as usize % 6;
    let way = sector - sector.floor();
    let way = match (warp, before % 2) {
        (false, _) => way,
        (true, 0) => (way * FRAC_PI_2).sin(),
        (true, _) => 1.0 - ((1.0 - way) * FRAC_PI_2).sin(),
    };
    let [from, to] = [before, (before + 1) % 6].map(|hue| unit(HUES[hue]));
    unit([0, 1, 2].map(|i| (1.0 - way) * from[i] + way * to[i]))
}

/// Colors for values of any number of channels, which vary fastest: `[.., channels]` to `[.., 3]`.
///
/// Channel `i` of `k` has the hue at `360 i / k` degrees; what is active beside the strongest channel adds white; the
/// color is as long as the channels' values are. If any value is negative, the negative parts are channels of their own.
///
/// # Panics
/// If `values` are no whole number of `channels`.
///
/// # Reference
/// `collapse_channels` in Lucid, `misc/io/collapse_channels.py`.
pub fn collapse(values: &[f64], channels: usize) -> Vec<f64> {
    assert!(channels > 0 && values.len().is_multiple_of(channels), "every position has all {channels} channels");
    let signed = values.iter().any(|value| *value < 0.0);
    let hues = if signed { 2 * channels } else { channels };
    let hues: Vec<[f64; 3]> = (0..hues).map(|i| hue_to_rgb(360.0 * i as f64 / hues as f64, true)).collect();
    let negative = |values: &[f64]| values.iter().map(|value| (-value).max(0.0)).collect::<Vec<_>>();
    let colors = values.chunks_exact(channels).flat_map(|values| match signed {
        true => {
            let positive = values.iter().map(|value| value.max(0.0));
            color(&positive.chain(negative(values)).collect::<Vec<_>>(), &hues)
        }
        false => color(values, &hues),
    });
    colors.collect()
}

/// The color of one position, from values none of which is negative.
fn color(values: &[f64], hues: &[[f64; 3]]) -> [f64; 3] {
    let sum: f64 = values.iter().sum();
    let white = sum - values.iter().copied().fold(0.0, f64::max);
    let hue = |i: usize| values.iter().zip(hues).map(|(value, hue)| value * hue[i]).sum::<f64>();
    let rgb = [0, 1, 2].map(|i| hue(i) + white);
    let scale = norm(values) / (EPSILON + norm(&rgb));
    rgb.map(|value| value * scale)
}

/// Colors for images or activations of any number of channels, computed in f64 on the CPU.
///
/// It looks at all of a batch to say whether there are negative values. Nothing is differentiated through it.
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[n, 3, h, w]`, not clipped
///
/// # Reference
/// `collapse_channels` in Lucid, `misc/io/collapse_channels.py`.
pub fn collapse_channels(images: &Tensor<4>) -> Tensor<4> {
    let [n, c, h, w] = images.dims();
    let values = images.clone().permute([0, 2, 3, 1]).try_into_vec_as::<f32>().expect("images hold f32");
    let colors = collapse(&values.into_iter().map(f64::from).collect::<Vec<_>>(), c);
    channels_first(colors.into_iter().map(|value| value as f32).collect(), [n, h, w, 3], &images.device())
}

fn unit(color: [f64; 3]) -> [f64; 3] {
    let length = norm(&color);
    color.map(|value| value / length)
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}
