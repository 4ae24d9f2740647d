//! Exponentials and what is made of them, in plain arithmetic of which the compiler makes vectors of any instruction set.
//!
//! Relative to the largest of its values, or to the value itself for `exp`, each is right to about 2e-7.

/// `exp(x)`: a power of two times a polynomial on half an octave to each side.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Beyond these, the result is 0 or infinite in single precision.
    let x = x.clamp(-87.3, 88.7);
    // Adding 1.5 * 2^23 rounds to a whole number, which then is in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, of which the first is exact in few bits (Cody and Waite, 1980).
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    // Taylor's series to the sixth power: its rest is below 1e-7 for |r| <= ln(2) / 2.
    let tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let y = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * tail)));
    let scale = (shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits());
    y * f32::from_bits(scale)
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    // Near 0 the quotient would lose what is left of small numbers.
    let y = exp(2.0 * x.abs().min(10.0));
    let small = x * (1.0 - x * x * (1.0 / 3.0 - x * x * (2.0 / 15.0 - x * x * (17.0 / 315.0))));
    let large = ((y - 1.0) / (y + 1.0)).copysign(x);
    if x.abs() < 0.1 { small } else { large }
}

/// The error function, by Abramowitz and Stegun's formula 7.1.26, right to 1.5e-7.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let polynomial = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    (1.0 - polynomial * exp(-a * a)).copysign(x)
}

/// The natural logarithm of a positive number.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    x.ln()
}

/// `x^exponent`.
#[inline(always)]
pub(crate) fn power(x: f32, exponent: f32) -> f32 {
    match exponent {
        0.0 => 1.0,
        1.0 => x,
        2.0 => x * x,
        3.0 => x * x * x,
        0.5 => x.sqrt(),
        -0.5 => 1.0 / x.sqrt(),
        -1.0 => 1.0 / x,
        -2.0 => 1.0 / (x * x),
        _ => x.powf(exponent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, relative: bool) -> f64 {
        let errors = (-40_000..40_000).map(|i| i as f32 * 5e-4).map(|x| {
            let (actual, exact) = (f64::from(f(x)), exact(f64::from(x)));
            (actual - exact).abs() / if relative { exact.abs() } else { 1.0 }
        });
        errors.fold(0.0, f64::max)
    }

    #[test]
    fn functions_are_right_to_single_precision() {
        let errors = [
            worst(exp, f64::exp, true),
            worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), true),
            worst(tanh, f64::tanh, false),
        ];
        assert!(errors.iter().all(|&error| error < 4e-7), "{errors:?}");
        // Values of the error function from Abramowitz and Stegun, table 7.1.
        for (x, y) in [(0.0, 0.0), (0.5, 0.520_499_9), (1.0, 0.842_700_8), (2.0, 0.995_322_3), (-1.0, -0.842_700_8)] {
            assert!((erf(x) - y).abs() < 3e-7, "erf({x}) is {}, not {y}", erf(x));
        }
        assert_eq!([exp(-200.0) < 1e-37, exp(0.0) == 1.0, exp(100.0) > 1e38], [true; 3]);
    }
}
