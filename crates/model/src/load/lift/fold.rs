//! What is computed from constants alone, sizes above all.

use super::{Binary, Cannot, Constant, Lift, Reduction, Unary, cannot, constant::places, product};
use crate::graph::Function;

impl Lift {
    pub(super) fn fold_binary(&mut self, op: Binary, a: &Constant, b: &Constant) -> Result<Constant, Cannot> {
        let dims = broadcast_dims(a.dims(), b.dims())?;
        self.spend(2 * product(&dims)?)?;
        let (a, b) = (a.broadcast(&dims)?, b.broadcast(&dims)?);
        let pairs = places(&dims, a.strides()).zip(places(&dims, b.strides()));
        let compares = matches!(op, Binary::Equal | Binary::Less | Binary::LessOrEqual | Binary::And | Binary::Or);
        if a.is_integer() && b.is_integer() {
            let values = pairs.map(|(i, j)| integers(op, a.integer_at(i), b.integer_at(j)));
            let values = values.collect::<Option<Vec<i64>>>().ok_or_else(|| cannot("sizes overflow"))?;
            return Constant::integers(dims.clone(), values);
        }
        let values = pairs.map(|(i, j)| floats(op, a.at(i), b.at(j)));
        match compares {
            true => Constant::integers(dims.clone(), values.map(|value| value as i64).collect()),
            false => Constant::floats(dims.clone(), values.collect()),
        }
    }

    /// `yes` where `condition` is not zero, `no` elsewhere.
    pub fn choose(&mut self, condition: &Constant, yes: &Constant, no: &Constant) -> Result<Constant, Cannot> {
        let dims = broadcast_dims(&broadcast_dims(condition.dims(), yes.dims())?, no.dims())?;
        self.spend(2 * product(&dims)?)?;
        let [condition, yes, no] = [condition, yes, no].map(|constant| constant.broadcast(&dims));
        let (condition, yes, no) = (condition?, yes?, no?);
        let each =
            places(&dims, condition.strides()).zip(places(&dims, yes.strides()).zip(places(&dims, no.strides())));
        match yes.is_integer() && no.is_integer() {
            true => {
                let pick = |(c, (y, n))| if condition.at(c) != 0.0 { yes.integer_at(y) } else { no.integer_at(n) };
                Constant::integers(dims.clone(), each.map(pick).collect())
            }
            false => {
                let pick = |(c, (y, n))| if condition.at(c) != 0.0 { yes.at(y) } else { no.at(n) };
                Constant::floats(dims.clone(), each.map(pick).collect())
            }
        }
    }

    /// `value`, one number, everywhere in a tensor of shape `dims`.
    pub fn fill(&mut self, value: &Constant, dims: &[usize]) -> Result<Constant, Cannot> {
        match value.len() {
            1 => self.regroup(value, vec![])?.broadcast(dims),
            n => Err(cannot(format!("it fills with {n} numbers"))),
        }
    }

    /// The whole numbers from `start` on in steps of `step`, as long as they are before `end`.
    pub fn range(&mut self, start: i64, end: i64, step: i64) -> Result<Constant, Cannot> {
        if step == 0 {
            return Err(cannot("a range has no steps"));
        }
        let (way, step_size) = if step > 0 {
            (end as i128 - start as i128, step)
        } else {
            (start as i128 - end as i128, -step.max(-i64::MAX))
        };
        let count = if way <= 0 { 0 } else { (way + step_size as i128 - 1) / step_size as i128 };
        let count = usize::try_from(count).map_err(|_| cannot("a range is too long"))?;
        self.spend(count.saturating_mul(2))?;
        Constant::integers(vec![count], (0..count as i64).map(|i| start + i * step).collect())
    }

    /// As real or whole numbers.
    pub fn cast(&mut self, constant: &Constant, to_integer: bool) -> Result<Constant, Cannot> {
        if constant.is_integer() != to_integer {
            self.spend(2 * constant.stored())?;
        }
        Ok(constant.cast(to_integer))
    }
}

/// The shape over which two shapes spread.
pub(crate) fn broadcast_dims(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Cannot> {
    let rank = a.len().max(b.len());
    let of = |dims: &[usize], axis: usize| (axis + dims.len()).checked_sub(rank).map_or(1, |place| dims[place]);
    (0..rank)
        .map(|axis| match (of(a, axis), of(b, axis)) {
            (x, y) if x == y => Ok(x),
            (1, size) | (size, 1) => Ok(size),
            _ => Err(cannot(format!("{a:?} and {b:?} do not spread over each other"))),
        })
        .collect()
}

fn integers(op: Binary, a: i64, b: i64) -> Option<i64> {
    match op {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Divide => a.checked_div(b),
        Binary::Maximum => Some(a.max(b)),
        Binary::Minimum => Some(a.min(b)),
        Binary::Power => a.checked_pow(u32::try_from(b).ok()?),
        Binary::FloorDivide => a.checked_div_euclid(b).filter(|_| b > 0),
        Binary::Modulo => a.checked_rem_euclid(b).filter(|_| b > 0),
        Binary::Equal => Some((a == b).into()),
        Binary::Less => Some((a < b).into()),
        Binary::LessOrEqual => Some((a <= b).into()),
        Binary::And => Some((a != 0 && b != 0).into()),
        Binary::Or => Some((a != 0 || b != 0).into()),
    }
}

fn floats(op: Binary, a: f32, b: f32) -> f32 {
    let truth = |truth: bool| f32::from(u8::from(truth));
    match op {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Maximum => a.max(b),
        Binary::Minimum => a.min(b),
        Binary::Power => a.powf(b),
        Binary::FloorDivide => (a / b).floor(),
        Binary::Modulo => a - b * (a / b).floor(),
        Binary::Equal => truth(a == b),
        Binary::Less => truth(a < b),
        Binary::LessOrEqual => truth(a <= b),
        Binary::And => truth(a != 0.0 && b != 0.0),
        Binary::Or => truth(a != 0.0 || b != 0.0),
    }
}

/// A function of each number of a constant.
pub(super) fn unary(function: Unary, constant: &Constant) -> Result<Constant, Cannot> {
    let (dims, places) = (constant.dims().to_vec(), places(constant.dims(), constant.strides()));
    if constant.is_integer() {
        let integer: fn(i64) -> i64 = match function {
            Unary::Relu => |x| x.max(0),
            Unary::Negate => i64::wrapping_neg,
            Unary::Floor | Unary::Ceil | Unary::Round => |x| x,
            Unary::Not => |x| (x == 0).into(),
            Unary::Function(Function::Abs) => i64::wrapping_abs,
            _ => return Err(cannot("it is for real numbers")),
        };
        return Constant::integers(dims, places.map(|place| integer(constant.integer_at(place))).collect());
    }
    let float = |x: f32| {
        Some(match function {
            Unary::Relu => x.max(0.0),
            Unary::Relu6 => x.max(0.0).min(6.0),
            Unary::Negate => -x,
            Unary::Floor => x.floor(),
            Unary::Ceil => x.ceil(),
            Unary::Round => x.round_ties_even(),
            Unary::Log => x.ln(),
            Unary::Function(Function::Power { exponent: 0.5 }) => x.sqrt(),
            Unary::Function(Function::Power { exponent }) => x.powf(exponent),
            Unary::Function(Function::Exp) => x.exp(),
            Unary::Function(Function::Abs) => x.abs(),
            Unary::Function(Function::Tanh) => x.tanh(),
            Unary::Function(Function::Sigmoid) => 1.0 / (1.0 + (-x).exp()),
            Unary::Function(Function::Clip { min, max }) => x.max(min).min(max),
            Unary::Not | Unary::Function(_) => return None,
        })
    };
    let values = places.map(|place| float(constant.at(place))).collect::<Option<Vec<f32>>>();
    Constant::floats(dims, values.ok_or_else(|| cannot("it is not computed of constants"))?)
}

/// Constants one after the other along an axis.
pub(super) fn concat(constants: &[&Constant], axis: usize) -> Result<Constant, Cannot> {
    let mut dims = constants[0].dims().to_vec();
    dims[axis] = constants.iter().map(|constant| constant.dims()[axis]).sum();
    product(&dims)?;
    let packed: Vec<Constant> = constants.iter().map(|constant| constant.packed()).collect();
    let outer: usize = dims[..axis].iter().product();
    let rows = packed.iter().map(|constant| if outer == 0 { 0 } else { constant.len() / outer });
    let rows: Vec<usize> = rows.collect();
    let in_order = || {
        let pieces =
            (0..outer).flat_map(|i| packed.iter().zip(&rows).map(move |(constant, &row)| (constant, i * row, row)));
        pieces.flat_map(|(constant, start, row)| (start..start + row).map(move |place| (constant, place)))
    };
    match packed.iter().all(Constant::is_integer) {
        true => Constant::integers(dims, in_order().map(|(constant, place)| constant.integer_at(place)).collect()),
        false => Constant::floats(dims, in_order().map(|(constant, place)| constant.at(place)).collect()),
    }
}

/// Numbers along `axes` reduced to one.
pub(super) fn reduce(
    reduction: Reduction,
    constant: &Constant,
    axes: &[usize],
    keep: bool,
) -> Result<Constant, Cannot> {
    let rank = constant.dims().len();
    let order: Vec<usize> = (0..rank).filter(|axis| !axes.contains(axis)).chain(axes.iter().copied()).collect();
    let arranged = constant.transposed(&order);
    let size: usize = axes.iter().map(|&axis| constant.dims()[axis]).product();
    if size == 0 {
        return Err(cannot("there is nothing to reduce"));
    }
    let dims: Vec<usize> = (0..rank)
        .filter(|axis| keep || !axes.contains(axis))
        .map(|axis| if axes.contains(&axis) { 1 } else { constant.dims()[axis] })
        .collect();
    let values: Vec<f32> = places(arranged.dims(), arranged.strides()).map(|place| arranged.at(place)).collect();
    let reduced = values.chunks(size).map(|chunk| match reduction {
        Reduction::Mean => chunk.iter().sum::<f32>() / size as f32,
        Reduction::Sum => chunk.iter().sum(),
        Reduction::Max => chunk.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        Reduction::Product => chunk.iter().product(),
    });
    let reduced: Vec<f32> = reduced.collect();
    let reduced = Constant::floats(dims, reduced)?;
    Ok(reduced.cast(constant.is_integer() && reduction != Reduction::Mean))
}
