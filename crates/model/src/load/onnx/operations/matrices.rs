//! Products, norms and means.

use super::{Call, Cannot, Known, Lift, Value, cannot};
use crate::load::lift::{Binary, Constant, Reduction, axis_of};

pub(super) fn apply(lift: &mut Lift, call: &Call, kind: &str) -> Known {
    Some(match kind {
        "MatMul" => call.input(0).and_then(|a| lift.matmul(&call.name, a, call.input(1)?, [false; 2])),
        "Gemm" => gemm(lift, call),
        "Einsum" => einsum(lift, call),
        "LayerNormalization" => layer_norm(lift, call),
        "Softmax" => softmax(lift, call),
        "ReduceMean" => reduce(lift, call, Reduction::Mean),
        "ReduceSum" => reduce(lift, call, Reduction::Sum),
        "ReduceMax" => reduce(lift, call, Reduction::Max),
        "ReduceProd" => reduce(lift, call, Reduction::Product),
        _ => return None,
    })
}

fn gemm(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let (a, b, c) = (call.input(0)?, call.input(1)?, call.optional(2));
    let is_set = |name: &str| call.int(name).unwrap_or(0) != 0;
    let [alpha, beta] = ["alpha", "beta"].map(|name| call.float(name).unwrap_or(1.0));
    let is_plain = alpha == 1.0 && beta == 1.0 && !is_set("transA");
    if let (Value::Layer(x), Value::Constant(matrix), true) = (a, b, is_plain)
        && x.axes.len() == 2
        && matrix.dims().len() == 2
    {
        let matrix = if is_set("transB") { matrix.transposed(&[1, 0]) } else { matrix.clone() };
        let bias = c.map(Value::constant).transpose()?;
        if bias.is_none_or(|bias| bias.len() == matrix.dims()[1]) {
            return lift.linear(&call.name, x, 1, &matrix, bias);
        }
    }
    let number = |value: f32| Value::Constant(Constant::scalar(value));
    let part = |part: &str| format!("{}_{part}", call.name);
    let product = lift.matmul(&part("product"), a, b, [is_set("transA"), is_set("transB")])?;
    let scaled = lift.binary(&part("scaled"), Binary::Multiply, &product, &number(alpha))?;
    match c {
        Some(c) => {
            let c = lift.binary(&part("bias"), Binary::Multiply, c, &number(beta))?;
            lift.binary(&call.name, Binary::Add, &scaled, &c)
        }
        None => Ok(scaled),
    }
}

/// A product of two tensors whose letters say which axes are summed: as a matrix product of their axes regrouped.
fn einsum(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let equation: String = call.text("equation").unwrap_or("").chars().filter(|c| !c.is_whitespace()).collect();
    let unknown = || cannot(format!("`{equation}` is not a product of two matrices"));
    let (inputs, output) = equation.split_once("->").ok_or_else(unknown)?;
    let (first, second) = inputs.split_once(',').ok_or_else(unknown)?;
    let letters = |text: &str| -> Result<Vec<char>, Cannot> {
        let letters: Vec<char> = text.chars().collect();
        let repeats = (1..letters.len()).any(|i| letters[..i].contains(&letters[i]));
        if repeats || letters.len() > 8 || !letters.iter().all(char::is_ascii_alphabetic) {
            Err(unknown())
        } else {
            Ok(letters)
        }
    };
    let (first, second, output) = (letters(first)?, letters(second)?, letters(output)?);
    let (a, b) = (call.input(0)?, call.input(1)?);
    let (dims_a, dims_b) = (a.dims(), b.dims());
    if dims_a.len() != first.len() || dims_b.len() != second.len() {
        return Err(unknown());
    }
    let in_both = |&&letter: &&char| first.contains(&letter) && second.contains(&letter);
    let is_out = |&&letter: &&char| output.contains(&letter);
    let batch: Vec<char> = output.iter().filter(in_both).copied().collect();
    let summed: Vec<char> = first.iter().filter(|c| in_both(c) && !is_out(c)).copied().collect();
    let rows: Vec<char> = output.iter().filter(|c| first.contains(c) && !second.contains(c)).copied().collect();
    let columns: Vec<char> = output.iter().filter(|c| second.contains(c) && !first.contains(c)).copied().collect();
    if first.len() != batch.len() + rows.len() + summed.len()
        || second.len() != batch.len() + summed.len() + columns.len()
        || output.len() != batch.len() + rows.len() + columns.len()
    {
        return Err(unknown());
    }
    let size = |letter: char| match first.iter().position(|&other| other == letter) {
        Some(axis) => dims_a[axis],
        None => dims_b[second.iter().position(|&other| other == letter).expect("a letter of either")],
    };
    let product = |letters: &[char]| letters.iter().map(|&letter| size(letter) as i64).product::<i64>();
    let order = |from: &[char], to: [&[char]; 3]| -> Vec<usize> {
        to.concat().iter().map(|letter| from.iter().position(|other| other == letter).expect("counted above")).collect()
    };
    let sizes = |letters: &[char]| -> Vec<i64> { letters.iter().map(|&letter| size(letter) as i64).collect() };
    let arrange = |lift: &mut Lift, value: &Value, from: &[char], to: [&[char]; 3]| {
        let value = lift.transpose(value, &order(from, to))?;
        let dims = [sizes(&batch), vec![product(to[1]), product(to[2])]].concat();
        lift.reshape(&value, &dims, false)
    };
    let a = arrange(lift, a, &first, [&batch, &rows, &summed])?;
    let b = arrange(lift, b, &second, [&batch, &summed, &columns])?;
    let result = lift.matmul(&call.name, &a, &b, [false; 2])?;
    let result = lift.reshape(&result, &[sizes(&batch), sizes(&rows), sizes(&columns)].concat(), false)?;
    let have = [&batch[..], &rows, &columns].concat();
    lift.transpose(&result, &order(&have, [&output, &[], &[]]))
}

fn layer_norm(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let rank = x.dims().len();
    let axes: Vec<usize> = (call.axis(-1, rank)?..rank).collect();
    let epsilon = call.float("epsilon").unwrap_or(1e-5);
    lift.layer_norm(&call.name, x, &axes, call.optional_constant(1)?, call.optional_constant(2)?, epsilon)
}

fn softmax(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let rank = x.dims().len();
    // Before version 13 all axes from this one on were taken together.
    let axes: Vec<usize> = match call.opset < 13 {
        true => (call.axis(1, rank)?..rank).collect(),
        false => vec![call.axis(-1, rank)?],
    };
    lift.softmax_over(&call.name, x, &axes)
}

fn reduce(lift: &mut Lift, call: &Call, reduction: Reduction) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let rank = x.dims().len();
    let axes = call.integers("axes", 1)?.unwrap_or_default();
    if axes.is_empty() && call.int("noop_with_empty_axes").unwrap_or(0) != 0 {
        return Ok(x.clone());
    }
    let axes: Vec<usize> = match axes.is_empty() {
        true => (0..rank).collect(),
        false => axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<_, _>>()?,
    };
    lift.reduce(&call.name, x, reduction, &axes, call.int("keepdims").unwrap_or(1) != 0)
}
