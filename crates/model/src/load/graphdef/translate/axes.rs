//! Regrouping tensors, and making tensors of parts of others.

use super::{Cannot, Constant, Inputs, Output, Value, axis_of, cannot, size};
use crate::load::{
    graphdef::{import::Import, message::NodeDef},
    lift::Binary,
};

/// What is taken of one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    start: usize,
    step: usize,
    count: usize,
    /// Whether steps go towards the first.
    backwards: bool,
}

impl Part {
    /// Python's `begin:end:step` of an axis.
    fn of(length: usize, begin: Option<i64>, end: Option<i64>, step: i64) -> Result<Self, Cannot> {
        if step == 0 || step.unsigned_abs() > 1 << 32 {
            return Err(cannot(format!("its step is {step}")));
        }
        let length = length as i64;
        let backwards = step < 0;
        let (lowest, highest) = if backwards { (-1, length - 1) } else { (0, length) };
        let place = |place: i64| (if place < 0 { place.saturating_add(length) } else { place }).clamp(lowest, highest);
        let (first, behind) = if backwards { (highest, lowest) } else { (lowest, highest) };
        let (begin, end) = (begin.map_or(first, place), end.map_or(behind, place));
        let way = if backwards { begin - end } else { end - begin };
        let step = step.unsigned_abs() as usize;
        let count = usize::try_from(way).unwrap_or(0).div_ceil(step);
        Ok(Self { start: usize::try_from(begin).unwrap_or(0), step, count, backwards })
    }
}

impl Import {
    pub(super) fn axes(&mut self, op: &str, node: &NodeDef, x: Inputs<'_>) -> Result<Option<Vec<Output>>, Cannot> {
        let name = &*node.name;
        let value = match op {
            "Shape" => Value::Constant(self.lift.shape_of(self.shaped(x.get(0)?)?)),
            "ShapeN" => {
                let shapes = x.0.iter().map(|input| Ok(self.lift.shape_of(self.shaped(input)?).into()));
                return shapes.collect::<Result<_, _>>().map(Some);
            }
            "Rank" => Value::Constant(Constant::integers(vec![], vec![x.value(0)?.dims().len() as i64])?),
            "Size" => {
                let size = x.value(0)?.dims().iter().product::<usize>();
                Value::Constant(Constant::integers(vec![], vec![size as i64])?)
            }
            "Reshape" => self.lift.reshape(x.value(0)?, &x.integers(1)?, false)?,
            "Squeeze" => {
                let of = x.value(0)?;
                let axes = match node.integers("squeeze_dims").or(node.integers("axis")) {
                    Some(axes) => super::axes(axes, of)?,
                    None => (0..of.dims().len()).filter(|&axis| of.dims()[axis] == 1).collect(),
                };
                self.lift.squeeze(of, &axes)?
            }
            "ExpandDims" => {
                let of = x.value(0)?;
                let axis = axis_of(x.integer(1)?, of.dims().len() + 1)?;
                self.lift.unsqueeze(of, &[axis])?
            }
            "Transpose" => {
                let order = x.integers(1)?.into_iter().map(size).collect::<Result<Vec<_>, _>>()?;
                self.lift.transpose(x.value(0)?, &order)?
            }
            "Concat" => self.concat(name, &x.values(1..x.0.len())?, x.integer(0)?)?,
            "ConcatV2" => {
                let last = x.0.len().saturating_sub(1);
                self.concat(name, &x.values(0..last)?, x.integer(last)?)?
            }
            "Pack" => {
                let values = x.values(0..x.0.len())?;
                let rank = values.first().map_or(0, |value| value.dims().len());
                let axis = axis_of(node.integer("axis", 0), rank + 1)?;
                let values: Vec<Value> =
                    values.iter().map(|value| self.lift.unsqueeze(value, &[axis])).collect::<Result<_, _>>()?;
                self.concat(name, &values, axis as i64)?
            }
            "Unpack" => {
                let of = x.value(0)?;
                let axis = axis_of(node.integer("axis", 0), of.dims().len())?;
                let sizes = vec![1; of.dims()[axis].min(1 << 16)];
                let parts = self.split(name, of, axis, &sizes)?;
                let parts = parts.iter().map(|part| self.lift.squeeze(part, &[axis]).map(Output::from));
                return parts.collect::<Result<_, _>>().map(Some);
            }
            "Split" => {
                let of = x.value(1)?;
                let axis = x.axis(0, of)?;
                let parts = size(node.integer("num_split", 1))?;
                let whole = of.dims()[axis];
                if parts == 0 || whole % parts != 0 {
                    return Err(cannot(format!("{whole} does not split into {parts} parts")));
                }
                let parts = self.split(name, of, axis, &vec![whole / parts; parts])?;
                return Ok(Some(parts.into_iter().map(Output::from).collect()));
            }
            "SplitV" => {
                let of = x.value(0)?;
                let axis = x.axis(2, of)?;
                let sizes = x.integers(1)?;
                let known: i64 = sizes.iter().filter(|&&size| size >= 0).fold(0, |sum, &size| sum.saturating_add(size));
                let rest = (of.dims()[axis] as i64).saturating_sub(known);
                let sizes = sizes.into_iter().map(|part| size(if part == -1 { rest } else { part }));
                let parts = self.split(name, of, axis, &sizes.collect::<Result<Vec<_>, _>>()?)?;
                return Ok(Some(parts.into_iter().map(Output::from).collect()));
            }
            "Slice" => self.slice(name, x)?,
            "StridedSlice" => self.strided_slice(node, x)?,
            "Gather" | "GatherV2" => {
                let of = x.value(0)?;
                let axis = if x.0.len() > 2 { x.axis(2, of)? } else { axis_of(0, of.dims().len())? };
                self.lift.gather(name, of, axis, x.constant(1)?)?
            }
            "ReverseV2" => {
                let axes = x.axes(1, x.value(0)?)?;
                self.reverse(name, x.value(0)?, &axes)?
            }
            "Pad" | "PadV2" => {
                let value = if op == "PadV2" { x.constant(2)?.single() } else { Some(0.0) };
                let value = value.ok_or_else(|| cannot("its border is of several numbers"))?;
                let sizes = x.integers(1)?.into_iter().map(size).collect::<Result<Vec<_>, _>>()?;
                self.lift.pad(name, x.value(0)?, sizes.as_chunks().0, value)?
            }
            "Fill" => {
                let dims = x.integers(0)?.into_iter().map(size).collect::<Result<Vec<_>, _>>()?;
                Value::Constant(self.lift.fill(x.constant(1)?, &dims)?)
            }
            "ZerosLike" | "OnesLike" => {
                let number = Constant::scalar(if op == "OnesLike" { 1.0 } else { 0.0 });
                Value::Constant(self.lift.fill(&number, &x.value(0)?.dims())?)
            }
            "Range" => self.range(x)?,
            "Tile" => self.tile(name, x.value(0)?, &x.integers(1)?)?,
            "BroadcastTo" => {
                let dims = x.integers(1)?.into_iter().map(size).collect::<Result<Vec<_>, _>>()?;
                self.lift.expand(x.value(0)?, &dims)?
            }
            _ => return Ok(None),
        };
        Ok(Some(vec![value.into()]))
    }

    /// What has a shape, though perhaps no certain numbers.
    fn shaped<'a>(&self, output: &'a Output) -> Result<&'a Value, Cannot> {
        super::value(output)
    }

    fn concat(&mut self, name: &str, values: &[Value], axis: i64) -> Result<Value, Cannot> {
        let rank = values.first().map_or(0, |value| value.dims().len());
        self.lift.concat(name, values, axis_of(axis, rank)?)
    }

    /// Parts of these sizes along an axis.
    fn split(&mut self, name: &str, x: &Value, axis: usize, sizes: &[usize]) -> Result<Vec<Value>, Cannot> {
        let mut start: usize = 0;
        let mut parts = Vec::with_capacity(sizes.len());
        for (i, &count) in sizes.iter().enumerate() {
            let name = if i == 0 { name.to_owned() } else { format!("{name}:{i}") };
            parts.push(self.lift.slice(&name, x, axis, start, 1, count)?);
            start = start.saturating_add(count);
        }
        Ok(parts)
    }

    fn slice(&mut self, name: &str, x: Inputs<'_>) -> Result<Value, Cannot> {
        let (starts, counts) = (x.integers(1)?, x.integers(2)?);
        let dims = x.value(0)?.dims();
        if starts.len() != dims.len() || counts.len() != dims.len() {
            return Err(cannot(format!("it does not say what it takes of {dims:?}")));
        }
        let part = |axis: usize| {
            let start = size(starts[axis])?;
            let count = if counts[axis] == -1 { dims[axis].saturating_sub(start) } else { size(counts[axis])? };
            Ok(Part { start, step: 1, count, backwards: false })
        };
        let parts = (0..dims.len()).map(part).collect::<Result<Vec<_>, Cannot>>()?;
        self.parts(name, x.value(0)?, &parts)
    }

    /// A part of each axis; whatever takes the last of them is called `name`.
    fn parts(&mut self, name: &str, x: &Value, parts: &[Part]) -> Result<Value, Cannot> {
        let dims = x.dims();
        let is_whole = |&axis: &usize| parts[axis] == Part { start: 0, step: 1, count: dims[axis], backwards: false };
        let taken: Vec<usize> = (0..dims.len()).filter(|axis| !is_whole(axis)).collect();
        let mut taken_of = x.clone();
        for (i, &axis) in taken.iter().enumerate() {
            let name = if i + 1 == taken.len() { name.to_owned() } else { format!("{name}_axis{axis}") };
            let Part { start, step, count, backwards } = parts[axis];
            taken_of = match backwards && count > 1 {
                false => self.lift.slice(&name, &taken_of, axis, start, step, count)?,
                true => {
                    let (start, step) = (start as i64, step as i64);
                    let indices = self.lift.range(start, start - step * count as i64, -step)?;
                    self.lift.gather(&name, &taken_of, axis, &indices)?
                }
            };
        }
        Ok(taken_of)
    }

    fn reverse(&mut self, name: &str, x: &Value, axes: &[usize]) -> Result<Value, Cannot> {
        let part = |(axis, count): (usize, usize)| match axes.contains(&axis) {
            true => Part { start: count.saturating_sub(1), step: 1, count, backwards: true },
            false => Part { start: 0, step: 1, count, backwards: false },
        };
        let parts: Vec<Part> = x.dims().into_iter().enumerate().map(part).collect();
        self.parts(name, x, &parts)
    }

    /// Python's `x[begin:end:step, ...]`.
    fn strided_slice(&mut self, node: &NodeDef, x: Inputs<'_>) -> Result<Value, Cannot> {
        let [begin, end, steps] = [x.integers(1)?, x.integers(2)?, x.integers(3)?];
        if begin.len() != end.len() || begin.len() != steps.len() || begin.len() > 32 {
            return Err(cannot("its begin, end and steps are not of one length"));
        }
        let mask = |name: &str| node.integer(name, 0);
        let [begin_mask, end_mask, ellipsis, new_axis, shrink] =
            ["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"].map(mask);
        let has = |mask: i64, i: usize| mask >> i & 1 == 1;
        let dims = x.value(0)?.dims();
        let whole = |axis: usize| Part { start: 0, step: 1, count: dims[axis], backwards: false };
        let of_axes = (0..begin.len()).filter(|&i| !has(ellipsis, i) && !has(new_axis, i)).count();
        let skipped = dims.len().checked_sub(of_axes).ok_or_else(|| cannot("it has more parts than there are axes"))?;
        // What is taken of each axis; which of them then go, and where new ones come, counted among those that stay.
        let (mut parts, mut gone, mut new, mut stay) = (Vec::new(), Vec::new(), Vec::new(), 0);
        let mut ellipses = false;
        for i in 0..begin.len() {
            let axis = parts.len();
            if has(ellipsis, i) {
                if std::mem::replace(&mut ellipses, true) {
                    return Err(cannot("it has several ellipses"));
                }
                stay += skipped;
                parts.extend((axis..axis + skipped).map(whole));
            } else if has(new_axis, i) {
                new.push(stay);
                stay += 1;
            } else if axis >= dims.len() {
                return Err(cannot("it has more parts than there are axes"));
            } else if has(shrink, i) {
                parts.push(Part { start: axis_of(begin[i], dims[axis])?, step: 1, count: 1, backwards: false });
                gone.push(axis);
            } else {
                let begin = (!has(begin_mask, i)).then_some(begin[i]);
                let end = (!has(end_mask, i)).then_some(end[i]);
                parts.push(Part::of(dims[axis], begin, end, steps[i])?);
                stay += 1;
            }
        }
        parts.extend((parts.len()..dims.len()).map(whole));
        let taken = self.parts(&node.name, x.value(0)?, &parts)?;
        let taken = self.lift.squeeze(&taken, &gone)?;
        self.lift.unsqueeze(&taken, &new)
    }

    fn range(&mut self, x: Inputs<'_>) -> Result<Value, Cannot> {
        let is_integer = (0..3).all(|i| x.constant(i).is_ok_and(Constant::is_integer));
        if is_integer {
            return self.lift.range(x.integer(0)?, x.integer(1)?, x.integer(2)?).map(Value::Constant);
        }
        let numbers = (0..3).map(|i| x.constant(i)?.single().ok_or_else(|| cannot("it takes three numbers")));
        let &[start, end, step] = &numbers.collect::<Result<Vec<_>, Cannot>>()?[..] else { unreachable!("three") };
        let count = f64::from(end - start) / f64::from(step);
        if !(0.0..65536.0).contains(&count) {
            return Err(cannot(format!("a range from {start} to {end} in steps of {step}")));
        }
        let indices = self.lift.range(0, count.ceil() as i64, 1)?;
        let indices = Value::Constant(self.lift.cast(&indices, false)?);
        let number = |number: f32| Value::Constant(Constant::scalar(number));
        let scaled = self.lift.binary("", Binary::Multiply, &indices, &number(step))?;
        self.lift.binary("", Binary::Add, &scaled, &number(start))
    }

    /// Repeated so many times along each axis.
    fn tile(&mut self, name: &str, x: &Value, times: &[i64]) -> Result<Value, Cannot> {
        if times.len() != x.dims().len() {
            return Err(cannot(format!("it does not say how often {:?} is repeated", x.dims())));
        }
        let mut tiled = x.clone();
        for (axis, &times) in times.iter().enumerate().filter(|(_, times)| **times != 1) {
            let times = size(times)?;
            if times == 0 || times > 1 << 12 {
                return Err(cannot(format!("it repeats {times} times")));
            }
            match (&tiled, tiled.dims()[axis]) {
                (Value::Constant(_), 1) => {
                    let mut dims = tiled.dims();
                    dims[axis] = times;
                    tiled = self.lift.expand(&tiled, &dims)?;
                }
                _ => tiled = self.lift.concat(name, &vec![tiled; times], axis)?,
            }
        }
        Ok(tiled)
    }
}
