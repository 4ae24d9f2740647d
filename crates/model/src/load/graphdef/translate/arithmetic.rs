//! What goes number by number, and what numbers become along axes.

use super::{Cannot, Constant, Inputs, Output, Value, cannot};
use crate::{
    graph::Function,
    load::{
        graphdef::{import::Import, message::NodeDef},
        lift::{Binary, Reduction, Unary},
    },
};

/// Random numbers in `low..high`, as dropout draws them.
#[derive(Debug, Clone)]
pub(in crate::load::graphdef) struct Uniform {
    low: f32,
    high: f32,
}

impl Import {
    pub(super) fn arithmetic(&mut self, op: &str, node: &NodeDef, x: Inputs<'_>) -> Result<Option<Output>, Cannot> {
        if let Some(output) = self.chance(op, x)? {
            return Ok(Some(output));
        }
        let name = &*node.name;
        if let Some(function) = unary(op, node) {
            return self.lift.unary(name, x.value(0)?, function).map(|value| Some(value.into()));
        }
        if let Some((op, swapped)) = binary(op) {
            let (a, b) = if swapped { (1, 0) } else { (0, 1) };
            return self.lift.binary(name, op, x.value(a)?, x.value(b)?).map(|value| Some(value.into()));
        }
        let reduction = match op {
            "Mean" => Some(Reduction::Mean),
            "Sum" => Some(Reduction::Sum),
            "Max" => Some(Reduction::Max),
            "Prod" => Some(Reduction::Product),
            _ => None,
        };
        if let Some(reduction) = reduction {
            let (of, keep) = (x.value(0)?, node.flag("keep_dims", false));
            return self.lift.reduce(name, of, reduction, &x.axes(1, of)?, keep).map(|value| Some(value.into()));
        }
        let value = match op {
            "AddN" => {
                let mut values = x.values(0..x.0.len())?.into_iter();
                let first = values.next().ok_or_else(|| cannot("it adds nothing"))?;
                let last = values.len().saturating_sub(1);
                values.enumerate().try_fold(first, |sum, (i, value)| {
                    let name = if i == last { name.to_owned() } else { format!("{name}_{i}") };
                    self.lift.binary(&name, Binary::Add, &sum, &value)
                })?
            }
            "SquaredDifference" => {
                let difference =
                    self.lift.binary(&format!("{name}_root"), Binary::Subtract, x.value(0)?, x.value(1)?)?;
                self.lift.unary(name, &difference, Unary::Function(Function::Power { exponent: 2.0 }))?
            }
            "Selu" => {
                // Klambauer et al., Self-Normalizing Neural Networks, 2017.
                let (alpha, scale) = (1.673_263_2, 1.050_701);
                let elu =
                    self.lift.unary(&format!("{name}_elu"), x.value(0)?, Unary::Function(Function::Elu { alpha }))?;
                self.lift.binary(name, Binary::Multiply, &elu, &Value::Constant(Constant::scalar(scale)))?
            }
            "Softsign" => {
                let size = self.lift.unary(&format!("{name}_abs"), x.value(0)?, Unary::Function(Function::Abs))?;
                let one = Value::Constant(Constant::scalar(1.0));
                let more = self.lift.binary(&format!("{name}_plus_one"), Binary::Add, &size, &one)?;
                self.lift.binary(name, Binary::Divide, x.value(0)?, &more)?
            }
            "ClipByValue" => {
                let [min, max] = [x.constant(1)?.single(), x.constant(2)?.single()];
                match (min, max) {
                    (Some(min), Some(max)) => self.lift.clip(name, x.value(0)?, min, max)?,
                    _ => return Err(cannot("its limits differ from place to place")),
                }
            }
            "Softmax" => self.lift.softmax(name, x.value(0)?, -1)?,
            "MatMul" | "BatchMatMul" | "BatchMatMulV2" => {
                let [a, b] = match op {
                    "MatMul" => ["transpose_a", "transpose_b"],
                    _ => ["adj_x", "adj_y"],
                };
                let transposed = [node.flag(a, false), node.flag(b, false)];
                self.lift.matmul(name, x.value(0)?, x.value(1)?, transposed)?
            }
            "Select" | "SelectV2" => return self.select(x).map(Some),
            "NotEqual" => {
                let equal = self.lift.binary(name, Binary::Equal, x.value(0)?, x.value(1)?)?;
                self.lift.unary(name, &equal, Unary::Not)?
            }
            _ => return Ok(None),
        };
        Ok(Some(value.into()))
    }

    /// 1 where a number is not zero, 0 elsewhere.
    pub(super) fn not_zero(&mut self, constant: &Constant) -> Result<Constant, Cannot> {
        let zero = self.lift.unary("", &Value::Constant(constant.clone()), Unary::Not)?;
        let not_zero = self.lift.unary("", &zero, Unary::Not)?;
        self.lift.cast(not_zero.constant()?, true)
    }

    /// One of two tensors where a condition holds, the other elsewhere; of layers, everywhere the same one.
    fn select(&mut self, x: Inputs<'_>) -> Result<Output, Cannot> {
        let condition = x.constant(0)?;
        if let (Ok(yes), Ok(no)) = (x.constant(1), x.constant(2)) {
            return self.lift.choose(condition, yes, no).map(Output::from);
        }
        let conditions = match condition.single() {
            Some(condition) => vec![condition as i64],
            None => condition.to_integers()?,
        };
        let holds = conditions.iter().filter(|&&condition| condition != 0).count();
        match holds {
            0 => x.get(2).cloned(),
            _ if holds == conditions.len() => x.get(1).cloned(),
            _ => Err(cannot("it takes some numbers from one layer and some from another")),
        }
    }

    /// Operations on random numbers whose result does not depend on chance in the end: dropout that keeps everything.
    fn chance(&self, op: &str, x: Inputs<'_>) -> Result<Option<Output>, Cannot> {
        if op == "RandomUniform" {
            return Ok(Some(Output::Uniform(Uniform { low: 0.0, high: 1.0 })));
        }
        let number = |output: &Output| match output {
            Output::Value(Value::Constant(constant)) => constant.single(),
            _ => None,
        };
        let (uniform, other, is_first) = match x.0 {
            [Output::Uniform(uniform)] => (uniform, 0.0, true),
            [Output::Uniform(uniform), other] => match number(other) {
                Some(number) => (uniform, number, true),
                None => return Ok(None),
            },
            [other, Output::Uniform(uniform)] => match number(other) {
                Some(number) => (uniform, number, false),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let &Uniform { low, high } = uniform;
        let interval = |low: f32, high: f32| Ok(Some(Output::Uniform(Uniform { low, high })));
        // One number stands for all of them: it spreads over whatever they are computed with.
        let certain = match op {
            "Add" | "AddV2" => return interval(low + other, high + other),
            "Sub" if is_first => return interval(low - other, high - other),
            "Mul" if other >= 0.0 => return interval(low * other, high * other),
            "Floor" if high.ceil() - low.floor() == 1.0 => Some(low.floor()),
            "GreaterEqual" if is_first && low >= other => Some(1.0),
            "GreaterEqual" if is_first && high <= other => Some(0.0),
            "Less" if is_first && high <= other => Some(1.0),
            _ => None,
        };
        match certain {
            Some(number) => Ok(Some(Output::number(number))),
            None => Err(cannot("it depends on chance")),
        }
    }
}

fn unary(op: &str, node: &NodeDef) -> Option<Unary> {
    let power = |exponent| Unary::Function(Function::Power { exponent });
    Some(match op {
        "Relu" => Unary::Relu,
        "Relu6" => Unary::Relu6,
        "Neg" => Unary::Negate,
        "Elu" => Unary::Function(Function::Elu { alpha: 1.0 }),
        "LeakyRelu" => Unary::Function(Function::LeakyRelu { slope: node.float("alpha", 0.2) }),
        "Sigmoid" => Unary::Function(Function::Sigmoid),
        "Tanh" => Unary::Function(Function::Tanh),
        "Softplus" => Unary::Function(Function::Softplus),
        "Exp" => Unary::Function(Function::Exp),
        "Abs" => Unary::Function(Function::Abs),
        "Erf" => Unary::Function(Function::Erf),
        "Square" => power(2.0),
        "Sqrt" => power(0.5),
        "Rsqrt" => power(-0.5),
        "Reciprocal" | "Inv" => power(-1.0),
        "Floor" => Unary::Floor,
        "Ceil" => Unary::Ceil,
        "Round" | "Rint" => Unary::Round,
        "Log" => Unary::Log,
        "LogicalNot" => Unary::Not,
        _ => return None,
    })
}

/// An operation on two tensors, and whether they change places.
fn binary(op: &str) -> Option<(Binary, bool)> {
    Some(match op {
        "Add" | "AddV2" => (Binary::Add, false),
        "Sub" => (Binary::Subtract, false),
        "Mul" => (Binary::Multiply, false),
        "RealDiv" | "Div" => (Binary::Divide, false),
        "FloorDiv" => (Binary::FloorDivide, false),
        "FloorMod" => (Binary::Modulo, false),
        "Maximum" => (Binary::Maximum, false),
        "Minimum" => (Binary::Minimum, false),
        "Pow" => (Binary::Power, false),
        "Equal" => (Binary::Equal, false),
        "Less" => (Binary::Less, false),
        "LessEqual" => (Binary::LessOrEqual, false),
        "Greater" => (Binary::Less, true),
        "GreaterEqual" => (Binary::LessOrEqual, true),
        "LogicalAnd" => (Binary::And, false),
        "LogicalOr" => (Binary::Or, false),
        _ => return None,
    })
}
