//! `1 / (1 + exp(-t))`, of mixed colors or of each number for itself.

use std::sync::Arc;

use burn::tensor::{Tensor, activation};

use crate::cpu::{self, Operation};

/// The sigmoid of each number.
///
/// # Shapes
/// - t and value: `[n, c, h, w]`
pub(crate) fn sigmoid(t: Tensor<4>) -> Tensor<4> {
    let shape @ [n, c, _, _] = t.dims();
    match cpu::holds(&t) {
        true => cpu::apply(Arc::new(Sigmoid), t, n * c, shape),
        false => activation::sigmoid(t),
    }
}

/// The sigmoid of the colors of each pixel multiplied by `matrix`, on the CPU.
///
/// # Shapes
/// - t and value: `[n, 3, h, w]`
pub(super) fn sigmoid_of_mixed(t: Tensor<4>, matrix: [[f32; 3]; 3]) -> Tensor<4> {
    let shape @ [n, _, _, _] = t.dims();
    cpu::apply(Arc::new(SigmoidOfMixed { matrix }), t, n, shape)
}

#[derive(Debug)]
struct Sigmoid;

impl Operation for Sigmoid {
    const READS_OUTPUT: bool = true;

    #[inline(always)]
    fn forward(&self, [input]: [&[f32]; 1], output: &mut [f32]) {
        for (y, &t) in output.iter_mut().zip(input) {
            *y = logistic(t);
        }
    }

    #[inline(always)]
    fn backward(&self, output: &[f32], gradient: &[f32], [slope]: [&mut [f32]; 1]) {
        for ((slope, &y), &gradient) in slope.iter_mut().zip(output).zip(gradient) {
            *slope = gradient * y * (1.0 - y);
        }
    }
}

#[derive(Debug)]
struct SigmoidOfMixed {
    matrix: [[f32; 3]; 3],
}

impl Operation for SigmoidOfMixed {
    const READS_OUTPUT: bool = true;

    #[inline(always)]
    fn forward(&self, [input]: [&[f32]; 1], output: &mut [f32]) {
        let [r, g, b] = planes(input);
        let length = r.len();
        for (y, [m_r, m_g, m_b]) in output.chunks_exact_mut(length).zip(self.matrix) {
            for (((y, r), g), b) in y.iter_mut().zip(r).zip(g).zip(b) {
                *y = logistic(m_r * r + m_g * g + m_b * b);
            }
        }
    }

    #[inline(always)]
    fn backward(&self, output: &[f32], gradient: &[f32], [slope]: [&mut [f32]; 1]) {
        let ([y_r, y_g, y_b], [g_r, g_g, g_b]) = (planes(output), planes(gradient));
        let length = y_r.len();
        let column = |i: usize| self.matrix.map(|row| row[i]);
        for (slope, [m_r, m_g, m_b]) in slope.chunks_exact_mut(length).zip([0, 1, 2].map(column)) {
            let (y, gradient) = (y_r.iter().zip(y_g).zip(y_b), g_r.iter().zip(g_g).zip(g_b));
            for (slope, (((y_r, y_g), y_b), ((g_r, g_g), g_b))) in slope.iter_mut().zip(y.zip(gradient)) {
                let through = |y: f32, gradient: f32| gradient * y * (1.0 - y);
                *slope = m_r * through(*y_r, *g_r) + m_g * through(*y_g, *g_g) + m_b * through(*y_b, *g_b);
            }
        }
    }
}

#[inline(always)]
fn planes(pixels: &[f32]) -> [&[f32]; 3] {
    let length = pixels.len() / 3;
    let (r, rest) = pixels.split_at(length);
    let (g, b) = rest.split_at(length);
    [r, g, b]
}

/// `1 / (1 + exp(-t))` without a branch, to 3e-7 of itself.
#[inline(always)]
fn logistic(t: f32) -> f32 {
    // Beyond, the exponential leaves the range of single precision, and the value has long been 0 or 1.
    let x = (-t).clamp(-87.0, 87.0);
    // exp(x) = 2^n exp(r), |r| <= ln(2) / 2. Adding 1.5 * 2^23 rounds to a whole number and leaves it in the lowest bits.
    let shifted = x * std::f32::consts::LOG2_E + ROUNDING;
    let n = shifted - ROUNDING;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    // Taylor's series.
    let series = 1.0 / 5040.0;
    let series = series * r + 1.0 / 720.0;
    let series = series * r + 1.0 / 120.0;
    let series = series * r + 1.0 / 24.0;
    let series = series * r + 1.0 / 6.0;
    let series = series * r + 0.5;
    let series = series * r + 1.0;
    let series = series * r + 1.0;
    let power = f32::from_bits(shifted.to_bits().wrapping_sub(ROUNDING.to_bits()).wrapping_add(127) << 23);
    1.0 / (1.0 + series * power)
}

const ROUNDING: f32 = 12_582_912.0;

/// The natural logarithm of 2 in two parts; products of the first with whole numbers below 2^9 are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};
    use entoptic_fixtures::{assert_close, value_and_gradient};

    use super::{super::mix, *};

    #[test]
    fn colors_are_mixed_as_by_a_product_with_the_matrix() {
        let device = Device::flex().autodiff();
        let matrix = [[0.3, -2.0, 0.7], [1.1, 0.2, -0.4], [-0.6, 0.9, 1.3]];
        for shape in [[1, 3, 1, 1], [2, 3, 5, 7], [3, 3, 16, 17]] {
            let [x, g] = [(); 2].map(|()| Tensor::<4>::random(shape, Distribution::Normal(0.0, 3.0), &device));
            let in_burn = |x: Tensor<4>| activation::sigmoid(mix(x, Tensor::from_floats(matrix, &device)));
            let (expected, slope) = value_and_gradient(x.clone(), g.clone(), in_burn);
            let (value, gradient) = value_and_gradient(x.clone(), g.clone(), |x| sigmoid_of_mixed(x, matrix));
            assert_close("mixed", value, expected, 1e-6);
            assert_close("mixed", gradient, slope, 2e-6);
            let (expected, slope) = value_and_gradient(x.clone(), g.clone(), activation::sigmoid);
            let (value, gradient) = value_and_gradient(x, g, sigmoid);
            assert_close("each", value, expected, 1e-6);
            assert_close("each", gradient, slope, 2e-6);
        }
    }

    #[test]
    fn the_logistic_function_is_exact_to_rounding() {
        let largest = (-120_000..=120_000).map(|i| i as f32 * 1e-3).map(|t| {
            let exact = 1.0 / (1.0 + (-f64::from(t)).exp());
            // What single precision cannot hold is as good as 0.
            (f64::from(logistic(t)) - exact).abs() / exact.max(f64::from(f32::MIN_POSITIVE) * 1e7)
        });
        let largest = largest.fold(0.0, f64::max);
        assert!(largest < 3e-7, "{largest}");
        assert_eq!([logistic(0.0), logistic(f32::INFINITY)], [0.5, 1.0]);
        assert!(logistic(f32::NEG_INFINITY) < 1e-37 && logistic(f32::NAN).is_nan());
    }
}
