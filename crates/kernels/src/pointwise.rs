//! Functions of each activation by itself, and their gradients.

use crate::{
    Cpu, Map, MapMut,
    pixelwise::{Operand, pixelwise},
    transcendental::{erf, exp, ln, power, sigmoid, tanh},
};

/// A function of each activation by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x sigmoid(x)`.
    Silu,
    /// `min(max(slope x + offset, 0), 1)`.
    HardSigmoid {
        /// How steep it is between its limits.
        slope: f32,
        /// Its value at 0.
        offset: f32,
    },
    /// `x min(max(x / 6 + 1/2, 0), 1)`.
    HardSwish,
    /// `x (1 + erf(x / sqrt(2))) / 2`.
    Gelu,
    /// `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³))) / 2`.
    GeluTanh,
    /// `x`, or `alpha (exp(x) - 1)` below 0.
    Elu {
        /// The limit far below 0, without its sign.
        alpha: f32,
    },
    /// `x`, or `slope x` below 0.
    LeakyRelu {
        /// The slope below 0.
        slope: f32,
    },
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `min(max(x, min), max)`.
    Clip {
        /// The smallest value.
        min: f32,
        /// The largest value.
        max: f32,
    },
    /// The error function.
    Erf,
    /// `exp(x)`.
    Exp,
    /// `|x|`.
    Abs,
    /// `x^exponent`, of numbers above 0 unless the exponent is whole.
    Power {
        /// The exponent.
        exponent: f32,
    },
}

/// The function of each float of `input`.
///
/// # Panics
/// If sizes disagree.
pub fn pointwise(cpu: Cpu, function: Function, input: Map<'_>, output: MapMut<'_>) {
    assert_eq!(input.dims, output.dims, "input and output");
    let input = [Operand::new(input, output.dims)];
    // One loop for each function, so that the compiler makes vectors of it.
    macro_rules! each {
        ($($function:pat => $value:expr),* $(,)?) => {
            match function {
                $($function => pixelwise(cpu, input, output, #[inline(always)] |_, [x]| $value(x)),)*
            }
        };
    }
    each! {
        Function::Sigmoid => sigmoid,
        Function::Tanh => tanh,
        Function::Silu => |x: f32| x * sigmoid(x),
        Function::HardSigmoid { slope, offset } => |x: f32| (slope * x + offset).clamp(0.0, 1.0),
        Function::HardSwish => |x: f32| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        Function::Gelu => |x: f32| x * normal(x),
        Function::GeluTanh => |x: f32| 0.5 * x * (1.0 + tanh(gelu_argument(x))),
        Function::Elu { alpha } => |x: f32| if x > 0.0 { x } else { alpha * (exp(x) - 1.0) },
        Function::LeakyRelu { slope } => |x: f32| if x > 0.0 { x } else { slope * x },
        Function::Softplus => |x: f32| x.max(0.0) + ln(1.0 + exp(-x.abs())),
        Function::Clip { min, max } => |x: f32| x.clamp(min, max),
        Function::Erf => erf,
        Function::Exp => exp,
        Function::Abs => f32::abs,
        Function::Power { exponent } => |x: f32| power(x, exponent),
    }
}

/// The gradient of its input.
///
/// # Panics
/// If sizes disagree.
pub fn pointwise_gradient(
    cpu: Cpu,
    function: Function,
    input: Map<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    let dims = input_gradient.dims;
    assert_eq!(input.dims, dims, "input and its gradient");
    assert_eq!(output_gradient.dims, dims, "output and its gradient");
    let operands = [input, output_gradient].map(|map| Operand::new(map, dims));
    macro_rules! each {
        ($($function:pat => $slope:expr),* $(,)?) => {
            match function {
                $($function if add => {
                    pixelwise(cpu, operands, input_gradient, #[inline(always)] |before, [x, g]| before + g * $slope(x));
                }
                $function => pixelwise(cpu, operands, input_gradient, #[inline(always)] |_, [x, g]| g * $slope(x)),)*
            }
        };
    }
    let inside = |x: f32, min: f32, max: f32| if x > min && x < max { 1.0 } else { 0.0 };
    each! {
        Function::Sigmoid => |x: f32| { let y = sigmoid(x); y * (1.0 - y) },
        Function::Tanh => |x: f32| { let y = tanh(x); 1.0 - y * y },
        Function::Silu => |x: f32| { let y = sigmoid(x); y * (1.0 + x * (1.0 - y)) },
        Function::HardSigmoid { slope, offset } => |x: f32| slope * inside(slope * x + offset, 0.0, 1.0),
        Function::HardSwish => |x: f32| (x / 6.0 + 0.5).clamp(0.0, 1.0) + x / 6.0 * inside(x, -3.0, 3.0),
        Function::Gelu => |x: f32| normal(x) + x * exp(-0.5 * x * x) * DENSITY,
        Function::GeluTanh => |x: f32| {
            let y = tanh(gelu_argument(x));
            0.5 * (1.0 + y) + 0.5 * x * (1.0 - y * y) * SQRT_2_OVER_PI * (1.0 + 3.0 * 0.044715 * x * x)
        },
        Function::Elu { alpha } => |x: f32| if x > 0.0 { 1.0 } else { alpha * exp(x) },
        Function::LeakyRelu { slope } => |x: f32| if x > 0.0 { 1.0 } else { slope },
        Function::Softplus => sigmoid,
        Function::Clip { min, max } => |x: f32| inside(x, min, max),
        Function::Erf => |x: f32| exp(-x * x) * 2.0 * DENSITY * std::f32::consts::SQRT_2,
        Function::Exp => exp,
        Function::Abs => |x: f32| if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { 0.0 },
        Function::Power { exponent } => |x: f32| exponent * power(x, exponent - 1.0),
    }
}

/// `1 / sqrt(2 pi)`: the normal distribution's density at 0.
const DENSITY: f32 = 0.398_942_3;

/// `sqrt(2 / pi)`; Hendrycks and Gimpel, 2016.
const SQRT_2_OVER_PI: f32 = 0.797_884_6;

/// The normal distribution's share below `x`.
#[inline(always)]
fn normal(x: f32) -> f32 {
    0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[inline(always)]
fn gelu_argument(x: f32) -> f32 {
    SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)
}
