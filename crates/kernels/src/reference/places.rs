//! The plain loops of what takes numbers from other places, or each by itself.

use super::put;
use crate::{Map, MapMut, pointwise::Function, resample::Taps};

/// See [`select::select`](crate::select::select).
pub fn select(channels: &[usize], input: Map<'_>, mut output: MapMut<'_>) {
    for pixel in 0..output.dims.pixels() {
        channels.iter().enumerate().for_each(|(to, &from)| output.pixel(pixel)[to] = input.pixel(pixel)[from]);
    }
}

/// See [`select::select_gradient`](crate::select::select_gradient).
pub fn select_gradient(channels: &[usize], output_gradient: Map<'_>, mut input_gradient: MapMut<'_>, add: bool) {
    for pixel in 0..input_gradient.dims.pixels() {
        for c in 0..input_gradient.dims.c {
            let picked = channels.iter().zip(output_gradient.pixel(pixel)).filter(|(picked, _)| **picked == c);
            put(&mut input_gradient.pixel(pixel)[c], picked.map(|(_, gradient)| gradient).sum(), add);
        }
    }
}

/// See [`resample::resample`](crate::resample::resample).
pub fn resample(rows: &Taps, columns: &Taps, input: Map<'_>, mut output: MapMut<'_>, add: bool) {
    let (from, n) = (input.dims, input.dims.n);
    let mut to = 0;
    for image in 0..n {
        for down in rows.iter() {
            for across in columns.iter() {
                for c in 0..from.c {
                    let at = |y: usize, x: usize| input.pixel((image * from.h + y) * from.w + x)[c];
                    let row = |&(y, weight): &(usize, f32)| {
                        weight * across.iter().map(|&(x, weight)| weight * at(y, x)).sum::<f32>()
                    };
                    put(&mut output.pixel(to)[c], down.iter().map(row).sum(), add);
                }
                to += 1;
            }
        }
    }
}

/// See [`pointwise::pointwise`](crate::pointwise::pointwise).
pub fn pointwise(function: Function, input: Map<'_>, mut output: MapMut<'_>) {
    for pixel in 0..input.dims.pixels() {
        for (y, &x) in output.pixel(pixel).iter_mut().zip(input.pixel(pixel)) {
            *y = value(function, f64::from(x)) as f32;
        }
    }
}

/// See [`pointwise::pointwise_gradient`](crate::pointwise::pointwise_gradient): the slope between two points nearby.
pub fn pointwise_gradient(
    function: Function,
    input: Map<'_>,
    output_gradient: Map<'_>,
    mut input_gradient: MapMut<'_>,
    add: bool,
) {
    const STEP: f64 = 1e-8;
    for pixel in 0..input.dims.pixels() {
        for (c, to) in input_gradient.pixel(pixel).iter_mut().enumerate() {
            let x = f64::from(input.pixel(pixel)[c]);
            let slope = (value(function, x + STEP) - value(function, x - STEP)) / (2.0 * STEP);
            put(to, output_gradient.pixel(pixel)[c] * slope as f32, add);
        }
    }
}

fn value(function: Function, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match function {
        Function::Sigmoid => sigmoid(x),
        Function::Tanh => x.tanh(),
        Function::Silu => x * sigmoid(x),
        Function::HardSigmoid { slope, offset } => (f64::from(slope) * x + f64::from(offset)).clamp(0.0, 1.0),
        Function::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        Function::Gelu => x * 0.5 * (1.0 + erf(x / 2f64.sqrt())),
        Function::GeluTanh => {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }
        Function::Elu { alpha } if x < 0.0 => f64::from(alpha) * x.exp_m1(),
        Function::LeakyRelu { slope } if x < 0.0 => f64::from(slope) * x,
        Function::Elu { .. } | Function::LeakyRelu { .. } => x,
        Function::Softplus => x.exp().ln_1p(),
        Function::Clip { min, max } => x.clamp(f64::from(min), f64::from(max)),
        Function::Erf => erf(x),
        Function::Exp => x.exp(),
        Function::Abs => x.abs(),
        Function::Power { exponent } => x.powf(f64::from(exponent)),
    }
}

/// The error function by its Taylor series, which converges fast where it is not yet 1.
fn erf(x: f64) -> f64 {
    if x.abs() > 5.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}
