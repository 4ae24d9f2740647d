//! Regrouping tensors, and making tensors of parts of others.

use super::{Cannot, Constant, Inputs, Output, Value, axis_of, cannot, size};
use crate::load::{
    graphdef::{import::Import, message::NodeDef},
    lift::Binary,
};

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
                let mut reversed = x.value(0)?.clone();
                for axis in x.axes(1, &reversed)? {
                    reversed = self.reverse(name, &reversed, axis)?;
                }
                reversed
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
        let mut sliced = x.value(0)?.clone();
        for axis in 0..dims.len() {
            let start = size(starts[axis])?;
            let count = if counts[axis] == -1 { dims[axis].saturating_sub(start) } else { size(counts[axis])? };
            sliced = self.lift.slice(name, &sliced, axis, start, 1, count)?;
        }
        Ok(sliced)
    }

    fn reverse(&mut self, name: &str, x: &Value, axis: usize) -> Result<Value, Cannot> {
        let size = x.dims()[axis];
        let indices = self.lift.range(size as i64 - 1, -1, -1)?;
        if size == 1 { Ok(x.clone()) } else { self.lift.gather(name, x, axis, &indices) }
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
        let rank = x.value(0)?.dims().len();
        let of_axes = (0..begin.len()).filter(|&i| !has(ellipsis, i) && !has(new_axis, i)).count();
        let skipped = rank.checked_sub(of_axes).ok_or_else(|| cannot("it has more parts than there are axes"))?;
        let mut sliced = x.value(0)?.clone();
        let (mut axis, mut ellipses) = (0, 0);
        for i in 0..begin.len() {
            if has(ellipsis, i) {
                ellipses += 1;
                axis += skipped;
                continue;
            }
            if has(new_axis, i) {
                sliced = self.lift.unsqueeze(&sliced, &[axis])?;
                axis += 1;
                continue;
            }
            let length = sliced.dims().get(axis).copied().ok_or_else(|| cannot("it has more parts than axes"))?;
            if has(shrink, i) {
                let place = axis_of(begin[i], length)?;
                sliced = self.lift.slice(&node.name, &sliced, axis, place, 1, 1)?;
                sliced = self.lift.squeeze(&sliced, &[axis])?;
                continue;
            }
            let begin = if has(begin_mask, i) { None } else { Some(begin[i]) };
            let end = if has(end_mask, i) { None } else { Some(end[i]) };
            sliced = self.part(&node.name, &sliced, axis, [begin, end], steps[i])?;
            axis += 1;
        }
        if ellipses > 1 { Err(cannot("it has several ellipses")) } else { Ok(sliced) }
    }

    /// Python's `begin:end:step` of one axis.
    fn part(
        &mut self,
        name: &str,
        x: &Value,
        axis: usize,
        [begin, end]: [Option<i64>; 2],
        step: i64,
    ) -> Result<Value, Cannot> {
        let length = x.dims()[axis] as i64;
        if step == 0 || step.unsigned_abs() > 1 << 32 {
            return Err(cannot(format!("its step is {step}")));
        }
        let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
        let place = |place: i64| (if place < 0 { place.saturating_add(length) } else { place }).clamp(lowest, highest);
        let (first, behind) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
        let (begin, end) = (begin.map_or(first, place), end.map_or(behind, place));
        let way = if step > 0 { end - begin } else { begin - end };
        let (step_size, forward) = (step.unsigned_abs() as usize, step > 0);
        let count = usize::try_from(way).unwrap_or(0).div_ceil(step_size);
        match forward {
            true => self.lift.slice(name, x, axis, begin as usize, step_size, count),
            false if count == 0 => self.lift.slice(name, x, axis, 0, 1, 0),
            false => {
                let indices = self.lift.range(begin, begin - (step_size * count) as i64, step)?;
                match count {
                    1 => self.lift.slice(name, x, axis, begin as usize, 1, 1),
                    _ => self.lift.gather(name, x, axis, &indices),
                }
            }
        }
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
