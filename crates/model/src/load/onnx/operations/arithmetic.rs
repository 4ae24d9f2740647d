//! What goes number by number.

use super::{Call, Cannot, Known, Lift, Value, cannot};
use crate::{
    graph::Function,
    load::lift::{Binary, Constant, Unary},
};

pub(super) fn apply(lift: &mut Lift, call: &Call, kind: &str) -> Known {
    let float = |name: &str, default: f32| call.float(name).unwrap_or(default);
    let power = |exponent: f32| Unary::Function(Function::Power { exponent });
    let unary = match kind {
        "Relu" => Unary::Relu,
        "LeakyRelu" => Unary::Function(Function::LeakyRelu { slope: float("alpha", 0.01) }),
        "Elu" => Unary::Function(Function::Elu { alpha: float("alpha", 1.0) }),
        "Sigmoid" => Unary::Function(Function::Sigmoid),
        "HardSigmoid" => {
            Unary::Function(Function::HardSigmoid { slope: float("alpha", 0.2), offset: float("beta", 0.5) })
        }
        "HardSwish" => Unary::Function(Function::HardSwish),
        "Tanh" => Unary::Function(Function::Tanh),
        "Erf" => Unary::Function(Function::Erf),
        "Softplus" => Unary::Function(Function::Softplus),
        "Exp" => Unary::Function(Function::Exp),
        "Abs" => Unary::Function(Function::Abs),
        "Gelu" => Unary::Function(match call.text("approximate") {
            Some("tanh") => Function::GeluTanh,
            _ => Function::Gelu,
        }),
        "Sqrt" => power(0.5),
        "Reciprocal" => power(-1.0),
        "Neg" => Unary::Negate,
        "Floor" => Unary::Floor,
        "Ceil" => Unary::Ceil,
        "Round" => Unary::Round,
        "Log" => Unary::Log,
        "Not" => Unary::Not,
        _ => return apply_others(lift, call, kind),
    };
    Some(call.input(0).and_then(|x| lift.unary(&call.name, x, unary)))
}

fn apply_others(lift: &mut Lift, call: &Call, kind: &str) -> Known {
    let binary = match kind {
        "Add" => Binary::Add,
        "Sub" => Binary::Subtract,
        "Mul" => Binary::Multiply,
        "Div" => Binary::Divide,
        "Pow" => Binary::Power,
        "Mod" if call.int("fmod").unwrap_or(0) == 0 => Binary::Modulo,
        "Equal" => Binary::Equal,
        "Less" => Binary::Less,
        "LessOrEqual" => Binary::LessOrEqual,
        "Greater" => return Some(swapped(lift, call, Binary::Less)),
        "GreaterOrEqual" => return Some(swapped(lift, call, Binary::LessOrEqual)),
        "And" => Binary::And,
        "Or" => Binary::Or,
        "Sum" => return Some(chain(lift, call, Binary::Add)),
        "Max" => return Some(chain(lift, call, Binary::Maximum)),
        "Min" => return Some(chain(lift, call, Binary::Minimum)),
        "Clip" => return Some(clip(lift, call)),
        "PRelu" => return Some(parametric_relu(lift, call)),
        "Where" => return Some(choose(lift, call)),
        "Cast" => return Some(cast(lift, call)),
        "Identity" | "Dropout" => return Some(call.input(0).cloned()),
        _ => return None,
    };
    let pair = call.input(0).and_then(|a| Ok((a, call.input(1)?)));
    Some(pair.and_then(|(a, b)| lift.binary(&call.name, binary, a, b)))
}

/// What ONNX Runtime fuses.
pub(super) fn apply_fused(lift: &mut Lift, call: &Call, kind: &str) -> Known {
    let x = match call.input(0) {
        Ok(x) => x.clone(),
        Err(cannot) => return Some(Err(cannot)),
    };
    let biased = match call.optional(1) {
        Some(bias) => lift.binary(&format!("{}_biased", call.name), Binary::Add, &x, bias),
        None => Ok(x),
    };
    let function = match kind {
        "Gelu" | "BiasGelu" => Function::Gelu,
        "FastGelu" => Function::GeluTanh,
        "QuickGelu" => {
            return Some(biased.and_then(|x| {
                let alpha = Value::Constant(Constant::scalar(call.float("alpha").unwrap_or(1.702)));
                let scaled = lift.binary(&format!("{}_scaled", call.name), Binary::Multiply, &x, &alpha)?;
                let gate = lift.unary(&format!("{}_gate", call.name), &scaled, Unary::Function(Function::Sigmoid))?;
                lift.binary(&call.name, Binary::Multiply, &x, &gate)
            }));
        }
        _ => return None,
    };
    Some(biased.and_then(|x| lift.unary(&call.name, &x, Unary::Function(function))))
}

fn swapped(lift: &mut Lift, call: &Call, op: Binary) -> Result<Value, Cannot> {
    lift.binary(&call.name, op, call.input(1)?, call.input(0)?)
}

/// One operation on all inputs, from the first to the last.
fn chain(lift: &mut Lift, call: &Call, op: Binary) -> Result<Value, Cannot> {
    let inputs = call.inputs()?;
    let [first, rest @ ..] = &inputs[..] else { return Err(cannot("it has no inputs")) };
    let mut result = first.clone();
    for (i, next) in rest.iter().enumerate() {
        let name = if i + 1 == rest.len() { call.name.clone() } else { format!("{}_{i}", call.name) };
        result = lift.binary(&name, op, &result, next)?;
    }
    Ok(result)
}

fn clip(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let bound = |name: &str, i: usize, default: f32| match call.optional_constant(i)? {
        Some(constant) => constant.single().ok_or_else(|| cannot(format!("its {name} is not one number"))),
        None => Ok(call.float(name).unwrap_or(default)),
    };
    let (min, max) = (bound("min", 1, f32::NEG_INFINITY)?, bound("max", 2, f32::INFINITY)?);
    lift.clip(&call.name, call.input(0)?, min, max)
}

/// `max(x, 0) + slope min(x, 0)`, as `relu(x) - slope relu(-x)`.
fn parametric_relu(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let (x, slope, name) = (call.input(0)?, call.constant(1)?, &call.name);
    if let Some(slope) = slope.single() {
        return lift.unary(name, x, Unary::Function(Function::LeakyRelu { slope }));
    }
    let negated = lift.unary(&format!("{name}_negated"), x, Unary::Negate)?;
    let below = lift.unary(&format!("{name}_below"), &negated, Unary::Relu)?;
    let sloped = lift.binary(&format!("{name}_sloped"), Binary::Multiply, &below, &Value::Constant(slope.clone()))?;
    let above = lift.unary(&format!("{name}_above"), x, Unary::Relu)?;
    lift.binary(name, Binary::Subtract, &above, &sloped)
}

fn choose(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let (condition, yes, no) = (call.constant(0)?, call.input(1)?, call.input(2)?);
    if let (Value::Constant(yes), Value::Constant(no)) = (yes, no) {
        return lift.choose(condition, yes, no).map(Value::Constant);
    }
    match condition.single() {
        Some(0.0) => Ok(no.clone()),
        Some(_) => Ok(yes.clone()),
        None => Err(cannot("it chooses among layers element by element")),
    }
}

fn cast(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let to_integer = !matches!(call.int("to").unwrap_or(1), 1 | 10 | 11 | 16);
    match call.input(0)? {
        Value::Constant(constant) => lift.cast(constant, to_integer).map(Value::Constant),
        layer if !to_integer => Ok(layer.clone()),
        _ => Err(cannot("it makes whole numbers of a layer")),
    }
}
