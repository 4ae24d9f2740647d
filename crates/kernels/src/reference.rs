//! The plain loops that say what every kernel means.

mod attention;
mod places;

pub use self::{
    attention::{
        inner_products, layer_norm, layer_norm_gradient, row_softmax, row_softmax_gradient, weighted_sums,
        weighted_sums_transposed,
    },
    places::{pointwise, pointwise_gradient, resample, select, select_gradient},
};
use crate::{
    Dims, Map, MapMut, Passes, PassesMut, Place, Rectify, Weights, Window, norm::LocalResponseNorm, pool::Shares,
};

/// The pixel of `[n, h, w]` under element `[i, j]` of a window at output `[y, x]`, or nothing in the padding.
fn under(dims: Dims, window: Window, place: Place, n: usize, [y, x]: [usize; 2], [i, j]: [usize; 2]) -> Option<usize> {
    let at = |axis: usize, output: usize, element: usize, side: usize| {
        let at = place[axis] + (output * window.stride[axis] + element * window.dilation[axis]) as isize;
        usize::try_from(at).ok().filter(|&at| at < side)
    };
    let (row, column) = (at(0, y, i, dims.h)?, at(1, x, j, dims.w)?);
    Some((n * dims.h + row) * dims.w + column)
}

fn outputs(dims: Dims) -> impl Iterator<Item = (usize, usize, [usize; 2])> {
    let positions = move |n| (0..dims.h).flat_map(move |y| (0..dims.w).map(move |x| (n, [y, x])));
    (0..dims.n).flat_map(positions).enumerate().map(|(pixel, (n, position))| (pixel, n, position))
}

fn elements(window: Window) -> impl Iterator<Item = [usize; 2]> {
    (0..window.size[0]).flat_map(move |i| (0..window.size[1]).map(move |j| [i, j]))
}

fn put(to: &mut f32, x: f32, add: bool) {
    *to = if add { *to + x } else { x };
}

/// See [`Convolution::forward`](crate::Convolution::forward).
pub fn convolution(
    weights: Weights<'_>,
    input: Map<'_>,
    place: Place,
    mut output: MapMut<'_>,
    mut rectify: Option<Rectify<'_>>,
) {
    let Weights { kernel, bias, channels: [outs, ins], groups, window } = weights;
    let (outs_per, ins_per) = (outs / groups, ins / groups);
    for (pixel, n, position) in outputs(output.dims) {
        for o in 0..outs {
            let mut sum = bias.map_or(0.0, |bias| bias[o]);
            for (element, ij) in elements(window).enumerate() {
                let Some(under) = under(input.dims, window, place, n, position, ij) else { continue };
                let x = &input.pixel(under)[o / outs_per * ins_per..];
                for i in 0..ins_per {
                    sum += x[i] * kernel[(o * ins_per + i) * window.area() + element];
                }
            }
            if let Some(Rectify { rectifier, passes, at_corners }) = &mut rectify {
                if let Some(passes) = passes {
                    passes.set(pixel, o, rectifier.passes(sum, *at_corners));
                }
                sum = rectifier.apply(sum);
            }
            output.pixel(pixel)[o] = sum;
        }
    }
}

/// See [`Convolution::input_gradient`](crate::Convolution::input_gradient).
pub fn convolution_gradient(
    weights: Weights<'_>,
    output_gradient: Map<'_>,
    passes: Option<Passes<'_>>,
    place: Place,
    mut input_gradient: MapMut<'_>,
    add: bool,
) {
    let Weights { kernel, channels: [outs, ins], groups, window, .. } = weights;
    let (outs_per, ins_per) = (outs / groups, ins / groups);
    clear(&mut input_gradient, add);
    let dims = input_gradient.dims;
    for (pixel, n, position) in outputs(output_gradient.dims) {
        for o in (0..outs).filter(|&o| passes.is_none_or(|passes| passes.get(pixel, o))) {
            let gradient = output_gradient.pixel(pixel)[o];
            for (element, ij) in elements(window).enumerate() {
                let Some(under) = under(dims, window, place, n, position, ij) else { continue };
                let x = &mut input_gradient.pixel(under)[o / outs_per * ins_per..];
                for i in 0..ins_per {
                    x[i] += gradient * kernel[(o * ins_per + i) * window.area() + element];
                }
            }
        }
    }
}

fn clear(map: &mut MapMut<'_>, add: bool) {
    if !add {
        (0..map.dims.pixels()).for_each(|pixel| map.pixel(pixel).fill(0.0));
    }
}

/// See [`pool::max_pool`](crate::pool::max_pool).
pub fn max_pool(window: Window, place: Place, input: Map<'_>, mut output: MapMut<'_>, mut winners: Option<&mut [u8]>) {
    let dims = output.dims;
    for (pixel, n, position) in outputs(dims) {
        for c in 0..dims.c {
            let mut largest: Option<(f32, usize)> = None;
            for (element, ij) in elements(window).enumerate() {
                let Some(under) = under(input.dims, window, place, n, position, ij) else { continue };
                let x = input.pixel(under)[c];
                // What is no number wins, and stays.
                if largest.is_none_or(|(largest, _)| x > largest || x.is_nan() && !largest.is_nan()) {
                    largest = Some((x, element));
                }
            }
            // Over nothing but padding.
            let (largest, winner) = largest.unwrap_or((f32::NEG_INFINITY, 0));
            output.pixel(pixel)[c] = largest;
            if let Some(winners) = &mut winners {
                winners[pixel * dims.c + c] = winner as u8;
            }
        }
    }
}

/// See [`pool::max_pool_gradient`](crate::pool::max_pool_gradient).
pub fn max_pool_gradient(
    window: Window,
    place: Place,
    winners: &[u8],
    output_gradient: Map<'_>,
    mut input_gradient: MapMut<'_>,
    add: bool,
) {
    clear(&mut input_gradient, add);
    let (dims, c) = (input_gradient.dims, output_gradient.dims.c);
    for (pixel, n, position) in outputs(output_gradient.dims) {
        for (element, ij) in elements(window).enumerate() {
            let Some(under) = under(dims, window, place, n, position, ij) else { continue };
            for c in (0..c).filter(|c| usize::from(winners[pixel * output_gradient.dims.c + c]) == element) {
                input_gradient.pixel(under)[c] += output_gradient.pixel(pixel)[c];
            }
        }
    }
}

/// See [`pool::average_pool`](crate::pool::average_pool).
pub fn average_pool(window: Window, place: Place, shares: Shares<'_>, input: Map<'_>, mut output: MapMut<'_>) {
    for (pixel, n, position @ [y, x]) in outputs(output.dims) {
        for c in 0..output.dims.c {
            let under = elements(window).filter_map(|ij| under(input.dims, window, place, n, position, ij));
            let sum: f32 = under.map(|under| input.pixel(under)[c]).sum();
            output.pixel(pixel)[c] = sum * (shares.rows[y] * shares.columns[x]);
        }
    }
}

/// See [`pool::average_pool_gradient`](crate::pool::average_pool_gradient).
pub fn average_pool_gradient(
    window: Window,
    place: Place,
    shares: Shares<'_>,
    output_gradient: Map<'_>,
    mut input_gradient: MapMut<'_>,
    add: bool,
) {
    clear(&mut input_gradient, add);
    let dims = input_gradient.dims;
    for (pixel, n, position @ [y, x]) in outputs(output_gradient.dims) {
        for under in elements(window).filter_map(|ij| under(dims, window, place, n, position, ij)) {
            let gradients = output_gradient.pixel(pixel);
            for (to, gradient) in input_gradient.pixel(under).iter_mut().zip(gradients) {
                *to += gradient * (shares.rows[y] * shares.columns[x]);
            }
        }
    }
}

/// See [`pool::l2_pool_gradient`](crate::pool::l2_pool_gradient).
#[allow(clippy::too_many_arguments, reason = "as the kernel")]
pub fn l2_pool_gradient(
    window: Window,
    place: Place,
    shares: Shares<'_>,
    epsilon: f32,
    input: Map<'_>,
    output_gradient: Map<'_>,
    mut input_gradient: MapMut<'_>,
    add: bool,
) {
    clear(&mut input_gradient, add);
    for (pixel, n, position @ [y, x]) in outputs(output_gradient.dims) {
        let share = shares.rows[y] * shares.columns[x];
        for c in 0..input.dims.c {
            let under = || elements(window).filter_map(|ij| under(input.dims, window, place, n, position, ij));
            let squares = share * under().map(|under| input.pixel(under)[c].powi(2)).sum::<f32>();
            let sizes = share * under().map(|under| input.pixel(under)[c].abs()).sum::<f32>() + epsilon;
            let gradient = output_gradient.pixel(pixel)[c] * share;
            for under in under() {
                let x = input.pixel(under)[c];
                let sign = if x == 0.0 { 0.0 } else { x.signum() };
                input_gradient.pixel(under)[c] += gradient * (2.0 * x / sizes - squares * sign / (sizes * sizes));
            }
        }
    }
}

/// See [`norm::local_response_norm`](crate::norm::local_response_norm).
pub fn local_response_norm(norm: LocalResponseNorm, input: Map<'_>, mut output: MapMut<'_>) {
    for pixel in 0..input.dims.pixels() {
        let (x, y) = (input.pixel(pixel), output.pixel(pixel));
        for c in 0..x.len() {
            y[c] = x[c] * scale(norm, x, c).powf(-norm.beta);
        }
    }
}

fn neighbors(norm: LocalResponseNorm, c: usize, channels: usize) -> std::ops::Range<usize> {
    c.saturating_sub(norm.size / 2)..(c + norm.size / 2 + 1).min(channels)
}

fn scale(norm: LocalResponseNorm, x: &[f32], c: usize) -> f32 {
    norm.k + norm.alpha * x[neighbors(norm, c, x.len())].iter().map(|x| x * x).sum::<f32>()
}

/// See [`norm::local_response_norm_gradient`](crate::norm::local_response_norm_gradient).
pub fn local_response_norm_gradient(
    norm: LocalResponseNorm,
    input: Map<'_>,
    output_gradient: Map<'_>,
    mut input_gradient: MapMut<'_>,
    add: bool,
) {
    for pixel in 0..input.dims.pixels() {
        let (x, g, to) = (input.pixel(pixel), output_gradient.pixel(pixel), input_gradient.pixel(pixel));
        for c in 0..x.len() {
            let through_scale: f32 = neighbors(norm, c, x.len())
                .map(|other| g[other] * x[other] * scale(norm, x, other).powf(-norm.beta - 1.0))
                .sum();
            let own = g[c] * scale(norm, x, c).powf(-norm.beta);
            put(&mut to[c], own - 2.0 * norm.alpha * norm.beta * x[c] * through_scale, add);
        }
    }
}

/// See [`rectify::rectify`](crate::rectify::rectify).
pub fn rectify(input: Map<'_>, mut output: MapMut<'_>, rectify: Rectify<'_>, mut saturated: Option<PassesMut<'_>>) {
    let Rectify { rectifier, mut passes, at_corners } = rectify;
    for pixel in 0..input.dims.pixels() {
        for (c, &x) in input.pixel(pixel).iter().enumerate() {
            output.pixel(pixel)[c] = rectifier.apply(x);
            if let Some(passes) = &mut passes {
                passes.set(pixel, c, rectifier.passes(x, at_corners));
            }
            if let Some(saturated) = &mut saturated {
                saturated.set(pixel, c, x > 6.0);
            }
        }
    }
}

/// See [`rectify::block`](crate::rectify::block).
pub fn block(mut gradient: MapMut<'_>, passes: Passes<'_>) {
    for pixel in 0..gradient.dims.pixels() {
        for (c, gradient) in gradient.pixel(pixel).iter_mut().enumerate() {
            if !passes.get(pixel, c) {
                *gradient = 0.0;
            }
        }
    }
}

/// See [`rectify::redirect`](crate::rectify::redirect).
pub fn redirect(gradient: Map<'_>, mut passes: PassesMut<'_>, saturated: Option<Passes<'_>>) {
    let (dims, pixels) = (gradient.dims, gradient.dims.h * gradient.dims.w);
    for image in 0..dims.n {
        let activations =
            || (image * pixels..(image + 1) * pixels).flat_map(|pixel| (0..dims.c).map(move |c| (pixel, c)));
        let gradient = |(pixel, c): (usize, usize)| gradient.pixel(pixel)[c];
        // The square, as in Lucid: a gradient whose square is too small for a float counts as none.
        let speaks = |&at: &(usize, usize)| passes.as_passes().get(at.0, at.1) && gradient(at).powi(2) != 0.0;
        if activations().any(|at| speaks(&at)) {
            continue;
        }
        for at @ (pixel, c) in activations() {
            let falls_further = gradient(at) > 0.0;
            let rises_further = gradient(at) < 0.0;
            let blocked = match saturated {
                Some(saturated) if saturated.get(pixel, c) => rises_further,
                _ => falls_further && !passes.as_passes().get(pixel, c),
            };
            passes.set(pixel, c, !blocked);
        }
    }
}

/// For `copy` and `add` in [`arithmetic`](crate::arithmetic): `with` of the input and what the output holds.
pub fn combine(input: Map<'_>, mut output: MapMut<'_>, with: impl Fn(f32, f32) -> f32) {
    for pixel in 0..input.dims.pixels() {
        for (y, &x) in output.pixel(pixel).iter_mut().zip(input.pixel(pixel)) {
            *y = with(x, *y);
        }
    }
}

/// See [`arithmetic::multiply`](crate::arithmetic::multiply).
pub fn multiply(a: Map<'_>, b: Map<'_>, mut output: MapMut<'_>, add: bool) {
    for pixel in 0..a.dims.pixels() {
        let b = b.pixel(pixel * b.dims.pixels() / a.dims.pixels());
        for ((y, a), b) in output.pixel(pixel).iter_mut().zip(a.pixel(pixel)).zip(b) {
            put(y, a * b, add);
        }
    }
}

/// See [`arithmetic::multiply_sum`](crate::arithmetic::multiply_sum).
pub fn multiply_sum(a: Map<'_>, b: Map<'_>, mut output: MapMut<'_>, add: bool) {
    let pixels = a.dims.h * a.dims.w;
    for image in 0..a.dims.n {
        for c in 0..a.dims.c {
            let sum = (0..pixels).map(|p| a.pixel(image * pixels + p)[c] * b.pixel(image * pixels + p)[c]).sum();
            put(&mut output.pixel(image)[c], sum, add);
        }
    }
}

/// See [`arithmetic::affine`](crate::arithmetic::affine).
pub fn affine(input: Map<'_>, scale: &[f32], shift: Option<&[f32]>, mut output: MapMut<'_>, add: bool) {
    for pixel in 0..input.dims.pixels() {
        for (c, x) in input.pixel(pixel).iter().enumerate() {
            put(&mut output.pixel(pixel)[c], x * scale[c] + shift.map_or(0.0, |shift| shift[c]), add);
        }
    }
}

/// See [`mean::global_mean`](crate::mean::global_mean).
pub fn global_mean(input: Map<'_>, mut output: MapMut<'_>) {
    let pixels = input.dims.h * input.dims.w;
    for image in 0..input.dims.n {
        for (c, y) in output.pixel(image).iter_mut().enumerate() {
            *y = (0..pixels).map(|p| input.pixel(image * pixels + p)[c]).sum::<f32>() / pixels as f32;
        }
    }
}

/// See [`mean::global_mean_gradient`](crate::mean::global_mean_gradient).
pub fn global_mean_gradient(output_gradient: Map<'_>, mut input_gradient: MapMut<'_>, add: bool) {
    let pixels = input_gradient.dims.h * input_gradient.dims.w;
    for pixel in 0..input_gradient.dims.pixels() {
        let gradient = output_gradient.pixel(pixel / pixels);
        for (to, gradient) in input_gradient.pixel(pixel).iter_mut().zip(gradient) {
            put(to, gradient / pixels as f32, add);
        }
    }
}

/// See [`softmax::softmax`](crate::softmax::softmax).
pub fn softmax(input: Map<'_>, mut output: MapMut<'_>) {
    for pixel in 0..input.dims.pixels() {
        let (x, y) = (input.pixel(pixel), output.pixel(pixel));
        let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - largest).exp());
        let sum: f32 = y.iter().sum();
        y.iter_mut().for_each(|y| *y /= sum);
    }
}

/// See [`softmax::softmax_gradient`](crate::softmax::softmax_gradient).
pub fn softmax_gradient(output: Map<'_>, output_gradient: Map<'_>, mut input_gradient: MapMut<'_>, add: bool) {
    for pixel in 0..output.dims.pixels() {
        let (y, g) = (output.pixel(pixel), output_gradient.pixel(pixel));
        let mean: f32 = y.iter().zip(g).map(|(y, g)| y * g).sum();
        for ((to, y), g) in input_gradient.pixel(pixel).iter_mut().zip(y).zip(g) {
            put(to, y * (g - mean), add);
        }
    }
}

/// See [`planes::to_planes`](crate::planes::to_planes).
pub fn to_planes(map: Map<'_>, planes: &mut [f32], add: bool) {
    let Dims { h, w, c, .. } = map.dims;
    assert_eq!(planes.len(), map.dims.len());
    for pixel in 0..map.dims.pixels() {
        let (n, position) = (pixel / (h * w), pixel % (h * w));
        for (channel, &x) in map.pixel(pixel).iter().enumerate() {
            put(&mut planes[(n * c + channel) * h * w + position], x, add);
        }
    }
}

/// See [`planes::from_planes`](crate::planes::from_planes).
pub fn from_planes(planes: &[f32], mut map: MapMut<'_>, add: bool) {
    let Dims { h, w, c, .. } = map.dims;
    assert_eq!(planes.len(), map.dims.len());
    for pixel in 0..map.dims.pixels() {
        let (n, position) = (pixel / (h * w), pixel % (h * w));
        for (channel, x) in map.pixel(pixel).iter_mut().enumerate() {
            put(x, planes[(n * c + channel) * h * w + position], add);
        }
    }
}
