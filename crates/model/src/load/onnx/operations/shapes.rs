//! Regrouping tensors, making tensors of parts of others, and computing their sizes.

use super::{Call, Cannot, Known, Lift, Value, cannot};
use crate::load::{
    lift::{Constant, axis_of},
    onnx::tensor::{Held, hold},
};

pub(super) fn apply(lift: &mut Lift, call: &Call, kind: &str) -> Known {
    Some(match kind {
        "Reshape" => reshape(lift, call),
        "Flatten" => flatten(lift, call),
        "Transpose" => transpose(lift, call),
        "Squeeze" => squeeze(lift, call),
        "Unsqueeze" => unsqueeze(lift, call),
        "Concat" => concat(lift, call),
        "Slice" => slice(lift, call),
        "Gather" => gather(lift, call),
        "Pad" => pad(lift, call),
        "Expand" => expand(lift, call),
        "Constant" => constant(call),
        "ConstantOfShape" => constant_of_shape(lift, call),
        "Shape" => shape(lift, call),
        "Size" => call.input(0).map(|x| Value::Constant(size_of(x))),
        "Range" => range(lift, call),
        _ => return None,
    })
}

fn axes(values: &[i64], rank: usize) -> Result<Vec<usize>, Cannot> {
    values.iter().map(|&axis| axis_of(axis, rank)).collect()
}

fn sizes(values: &[i64]) -> Result<Vec<usize>, Cannot> {
    let size = |&size: &i64| usize::try_from(size).map_err(|_| cannot(format!("{values:?} are no sizes")));
    values.iter().map(size).collect()
}

fn reshape(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let dims = call.integers("shape", 1)?.ok_or_else(|| cannot("it has no shape"))?;
    lift.reshape(call.input(0)?, &dims, call.int("allowzero").unwrap_or(0) == 0)
}

fn flatten(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let dims = x.dims();
    // The axis may be one past the last.
    let axis = axis_of(call.int("axis").unwrap_or(1), dims.len() + 1).or_else(|_| call.axis(1, dims.len()))?;
    let axis = if call.int("axis").unwrap_or(1) < 0 { call.axis(1, dims.len())? } else { axis };
    let product = |dims: &[usize]| dims.iter().product::<usize>() as i64;
    lift.reshape(x, &[product(&dims[..axis]), product(&dims[axis..])], false)
}

fn transpose(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let rank = x.dims().len();
    let order = match call.ints("perm") {
        Some(order) => axes(order, rank)?,
        None => (0..rank).rev().collect(),
    };
    lift.transpose(x, &order)
}

fn squeeze(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let dims = x.dims();
    let axes = match call.integers("axes", 1)? {
        Some(values) => axes(&values, dims.len())?,
        None => (0..dims.len()).filter(|&axis| dims[axis] == 1).collect(),
    };
    lift.squeeze(x, &axes)
}

fn unsqueeze(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let values = call.integers("axes", 1)?.ok_or_else(|| cannot("it has no axes"))?;
    let axes = axes(&values, x.dims().len() + values.len())?;
    lift.unsqueeze(x, &axes)
}

fn concat(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let inputs = call.inputs()?;
    let rank = call.input(0)?.dims().len();
    // Before version 4 it had a default.
    lift.concat(&call.name, &inputs, call.axis(1, rank)?)
}

pub(super) fn split(lift: &mut Lift, call: &Call) -> Result<Vec<Value>, Cannot> {
    let x = call.input(0)?;
    let dims = x.dims();
    let axis = call.axis(0, dims.len())?;
    let outputs = call.node.output.len();
    let parts = match call.integers("split", 1)? {
        Some(parts) => sizes(&parts)?,
        None => {
            // The last part is smaller where they cannot be the same.
            let part = dims[axis].div_ceil(outputs.max(1));
            (0..outputs).map(|i| part.min(dims[axis].saturating_sub(i * part))).collect()
        }
    };
    if parts.len() != outputs || parts.iter().fold(0usize, |sum, &part| sum.saturating_add(part)) != dims[axis] {
        return Err(cannot(format!("its {outputs} parts {parts:?} are not {}", dims[axis])));
    }
    let mut start = 0;
    let mut values = Vec::with_capacity(outputs);
    for (i, &part) in parts.iter().enumerate() {
        let name = match (outputs, call.node.output[i].as_str()) {
            (1, _) | (_, "") => call.name.clone(),
            (_, output) => call.sibling(output),
        };
        values.push(lift.slice(&name, x, axis, start, 1, part)?);
        start += part;
    }
    Ok(values)
}

fn slice(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let mut x = call.input(0)?.clone();
    let dims = x.dims();
    let starts = call.integers("starts", 1)?.ok_or_else(|| cannot("it has no starts"))?;
    let ends = call.integers("ends", 2)?.ok_or_else(|| cannot("it has no ends"))?;
    let which = match call.integers("axes", 3)? {
        Some(values) => axes(&values, dims.len())?,
        None => (0..starts.len().min(dims.len())).collect(),
    };
    let steps = call.integers("steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [starts.len(), ends.len(), steps.len()] != [which.len(); 3] {
        return Err(cannot("its starts, ends and axes are not as many"));
    }
    for (i, &axis) in which.iter().enumerate() {
        let size = x.dims()[axis] as i64;
        let step = steps[i];
        let clamp = |place: i64, low: i64, high: i64| {
            let place = if place < 0 { place.saturating_add(size) } else { place };
            place.clamp(low, high)
        };
        let name = if i + 1 == which.len() { call.name.clone() } else { format!("{}_{i}", call.name) };
        if step > 0 {
            let (start, end) = (clamp(starts[i], 0, size), clamp(ends[i], 0, size));
            let count = (end - start).max(0).cast_unsigned().div_ceil(step.cast_unsigned());
            let start = if count == 0 { 0 } else { start };
            x = lift.slice(&name, &x, axis, start as usize, step as usize, count as usize)?;
        } else if step < 0 {
            let (start, end) = (clamp(starts[i], -1, size - 1), clamp(ends[i], -1, size - 1));
            let count = (start - end).max(0).cast_unsigned().div_ceil(step.unsigned_abs());
            let places = (0..count as i64).map(|i| start + i.saturating_mul(step)).collect::<Vec<_>>();
            let places = Constant::integers(vec![places.len()], places)?;
            x = lift.gather(&name, &x, axis, &places)?;
        } else {
            return Err(cannot("its step is 0"));
        }
    }
    Ok(x)
}

fn gather(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let axis = call.axis(0, x.dims().len())?;
    lift.gather(&call.name, x, axis, call.constant(1)?)
}

fn pad(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let rank = x.dims().len();
    let mode = call.text("mode").unwrap_or("constant");
    if mode != "constant" {
        return Err(cannot(format!("its mode is `{mode}`; only `constant` is known")));
    }
    let attribute = if call.opset < 2 { "paddings" } else { "pads" };
    let pads = sizes(&call.integers(attribute, 1)?.ok_or_else(|| cannot("it has no pads"))?)?;
    let value = match call.optional_constant(2)? {
        Some(constant) => constant.single().ok_or_else(|| cannot("its value is not one number"))?,
        None => call.float("value").unwrap_or(0.0),
    };
    let which = match call.integers("", 3)? {
        Some(values) => axes(&values, rank)?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * which.len() {
        return Err(cannot(format!("its pads are {pads:?}")));
    }
    let mut each = vec![[0; 2]; rank];
    for (i, &axis) in which.iter().enumerate() {
        each[axis] = [pads[i], pads[which.len() + i]];
    }
    lift.pad(&call.name, x, &each, value)
}

fn expand(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    lift.expand(call.input(0)?, &sizes(&call.constant(1)?.to_integers()?)?)
}

fn constant(call: &Call) -> Result<Value, Cannot> {
    let constant = if let Some(tensor) = call.tensor("value") {
        held(hold(tensor.clone()))?
    } else if let Some(value) = call.float("value_float") {
        Constant::scalar(value)
    } else if let Some(value) = call.int("value_int") {
        Constant::integers(vec![], vec![value])?
    } else if let Some(values) = call.floats("value_floats") {
        Constant::floats(vec![values.len()], values.to_vec())?
    } else if let Some(values) = call.ints("value_ints") {
        Constant::integers(vec![values.len()], values.to_vec())?
    } else {
        return Err(cannot("it holds no numbers"));
    };
    Ok(Value::Constant(constant))
}

fn held(held: Held) -> Result<Constant, Cannot> {
    match held {
        Held::Ready(constant) => Ok(constant),
        Held::Packed(packed) if packed.count() <= 1 << 16 => packed.read(),
        Held::Packed(_) => Err(cannot("it holds many whole numbers")),
        Held::Unusable(cannot) => Err(cannot),
        Held::External(_) => Err(cannot("its numbers are in another file")),
    }
}

fn constant_of_shape(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let value = match call.tensor("value") {
        Some(tensor) => held(hold(tensor.clone()))?,
        None => Constant::scalar(0.0),
    };
    lift.fill(&value, &sizes(&call.constant(0)?.to_integers()?)?).map(Value::Constant)
}

fn shape(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let rank = x.dims().len() as i64;
    let place = |place: i64| (if place < 0 { place.saturating_add(rank) } else { place }).clamp(0, rank) as usize;
    let (start, end) = (place(call.int("start").unwrap_or(0)), place(call.int("end").unwrap_or(rank)));
    let all = Value::Constant(lift.shape_of(x));
    lift.slice(&call.name, &all, 0, start.min(end), 1, end.saturating_sub(start))
}

fn size_of(x: &Value) -> Constant {
    let count = x.dims().iter().product::<usize>() as i64;
    Constant::integers(vec![], vec![count]).expect("one number is one number")
}

fn range(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let number = |i: usize| {
        let constant = call.constant(i)?;
        match constant.to_integers()?[..] {
            [one] if constant.is_integer() => Ok(one),
            _ => Err(cannot("its numbers are not whole")),
        }
    };
    lift.range(number(0)?, number(1)?, number(2)?).map(Value::Constant)
}
