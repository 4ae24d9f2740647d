//! The plain loops of what transformers compute beside products.

use super::put;
use crate::{Dims, Map, MapMut};

/// A weight for each head, of a query and a key: where it is in `[n, queries, keys]`, and the pixels of both.
fn pairs(weights: Dims) -> impl Iterator<Item = [usize; 3]> {
    let Dims { h: queries, w: keys, .. } = weights;
    (0..weights.pixels()).map(move |pair| {
        let (image, key) = (pair / (queries * keys), pair % keys);
        [pair, pair / keys, image * keys + key]
    })
}

/// Which channels of a pixel a head has.
fn channels(head: usize, heads: usize, all: usize) -> std::ops::Range<usize> {
    let each = all / heads;
    head * each..(head + 1) * each
}

/// See [`attention::inner_products`](crate::attention::inner_products).
pub fn inner_products(scale: f32, a: Map<'_>, b: Map<'_>, mut output: MapMut<'_>, add: bool) {
    let heads = output.dims.c;
    for [pair, query, key] in pairs(output.dims) {
        for (head, to) in output.pixel(pair).iter_mut().enumerate() {
            let channels = channels(head, heads, a.dims.c);
            let product: f32 = channels.map(|c| a.pixel(query)[c] * b.pixel(key)[c]).sum();
            put(to, scale * product, add);
        }
    }
}

/// See [`attention::weighted_sums`](crate::attention::weighted_sums).
pub fn weighted_sums(scale: f32, weights: Map<'_>, b: Map<'_>, mut output: MapMut<'_>, add: bool) {
    clear(output.reborrow(), add);
    for [pair, query, key] in pairs(weights.dims) {
        accumulate(scale, weights.pixel(pair), b.pixel(key), output.pixel(query));
    }
}

/// See [`attention::weighted_sums_transposed`](crate::attention::weighted_sums_transposed).
pub fn weighted_sums_transposed(scale: f32, weights: Map<'_>, a: Map<'_>, mut output: MapMut<'_>, add: bool) {
    clear(output.reborrow(), add);
    for [pair, query, key] in pairs(weights.dims) {
        accumulate(scale, weights.pixel(pair), a.pixel(query), output.pixel(key));
    }
}

fn clear(mut output: MapMut<'_>, add: bool) {
    if !add {
        (0..output.dims.pixels()).for_each(|pixel| output.pixel(pixel).fill(0.0));
    }
}

fn accumulate(scale: f32, weights: &[f32], from: &[f32], to: &mut [f32]) {
    for (head, weight) in weights.iter().enumerate() {
        channels(head, weights.len(), from.len()).for_each(|c| to[c] += scale * weight * from[c]);
    }
}

/// See [`attention::row_softmax`](crate::attention::row_softmax).
pub fn row_softmax(input: Map<'_>, mut output: MapMut<'_>) {
    let Dims { w, c, .. } = input.dims;
    for row in (0..input.dims.pixels()).step_by(w.max(1)) {
        for c in 0..c {
            let largest = (row..row + w).map(|x| input.pixel(x)[c]).fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = (row..row + w).map(|x| (input.pixel(x)[c] - largest).exp()).sum();
            (row..row + w).for_each(|x| output.pixel(x)[c] = (input.pixel(x)[c] - largest).exp() / sum);
        }
    }
}

/// See [`attention::row_softmax_gradient`](crate::attention::row_softmax_gradient).
pub fn row_softmax_gradient(output: Map<'_>, output_gradient: Map<'_>, mut input_gradient: MapMut<'_>, add: bool) {
    let Dims { w, c, .. } = output.dims;
    for row in (0..output.dims.pixels()).step_by(w.max(1)) {
        for c in 0..c {
            let mean: f32 = (row..row + w).map(|x| output.pixel(x)[c] * output_gradient.pixel(x)[c]).sum();
            for x in row..row + w {
                let gradient = output.pixel(x)[c] * (output_gradient.pixel(x)[c] - mean);
                put(&mut input_gradient.pixel(x)[c], gradient, add);
            }
        }
    }
}

/// See [`layer_norm::layer_norm`](crate::layer_norm::layer_norm).
pub fn layer_norm(gamma: &[f32], beta: &[f32], epsilon: f32, input: Map<'_>, mut output: MapMut<'_>) {
    for pixel in 0..input.dims.pixels() {
        let normal = normalized(input.pixel(pixel), epsilon);
        for (c, y) in output.pixel(pixel).iter_mut().enumerate() {
            *y = normal[c] * gamma[c] + beta[c];
        }
    }
}

/// See [`layer_norm::layer_norm_gradient`](crate::layer_norm::layer_norm_gradient).
pub fn layer_norm_gradient(
    gamma: &[f32],
    epsilon: f32,
    input: Map<'_>,
    output_gradient: Map<'_>,
    mut input_gradient: MapMut<'_>,
    add: bool,
) {
    let count = input.dims.c as f32;
    for pixel in 0..input.dims.pixels() {
        let (x, y) = (input.pixel(pixel), normalized(input.pixel(pixel), epsilon));
        let scaled: Vec<f32> = output_gradient.pixel(pixel).iter().zip(gamma).map(|(g, gamma)| g * gamma).collect();
        let mean = scaled.iter().sum::<f32>() / count;
        let along = scaled.iter().zip(&y).map(|(g, y)| g * y).sum::<f32>() / count;
        for (c, to) in input_gradient.pixel(pixel).iter_mut().enumerate() {
            put(to, (scaled[c] - mean - y[c] * along) / deviation(x, epsilon), add);
        }
    }
}

fn normalized(x: &[f32], epsilon: f32) -> Vec<f32> {
    let mean = x.iter().sum::<f32>() / x.len() as f32;
    x.iter().map(|x_c| (x_c - mean) / deviation(x, epsilon)).collect()
}

fn deviation(x: &[f32], epsilon: f32) -> f32 {
    let mean = x.iter().sum::<f32>() / x.len() as f32;
    (x.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / x.len() as f32 + epsilon).sqrt()
}
