//! Regrouping tensors, and making tensors of parts of others.

use super::{
    Cannot, Constant, Lift, Value, View, axis_of, cannot,
    constant::MOST_INDICES,
    product,
    view::{Atom, Part, merge},
};
use crate::graph::{Op, Shape, Weights, Window};

impl Lift {
    /// The axes in another order.
    pub fn transpose(&self, x: &Value, order: &[usize]) -> Result<Value, Cannot> {
        let rank = x.dims().len();
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..rank) {
            return Err(cannot(format!("{order:?} is no order of {rank} axes")));
        }
        Ok(match x {
            Value::Constant(constant) => Value::Constant(constant.transposed(order)),
            Value::Layer(view) => Value::Layer(View {
                node: view.node,
                axes: order.iter().map(|&axis| view.axes[axis].clone()).collect(),
            }),
        })
    }

    /// The same elements with other axes; one of them may be -1, which takes what is left, and with `zero_copies` a 0 is
    /// the size that the axis had.
    pub fn reshape(&mut self, x: &Value, dims: &[i64], zero_copies: bool) -> Result<Value, Cannot> {
        let from = x.dims();
        let wrong = || cannot(format!("{from:?} cannot become {dims:?}"));
        let mut wanted = Vec::with_capacity(dims.len());
        let mut rest = None;
        for (axis, &size) in dims.iter().enumerate() {
            wanted.push(match size {
                -1 if rest.is_none() => {
                    rest = Some(axis);
                    1
                }
                0 if zero_copies => *from.get(axis).ok_or_else(wrong)?,
                size => usize::try_from(size).map_err(|_| wrong())?,
            });
        }
        let (all, known) = (product(&from)?, product(&wanted)?);
        if let Some(axis) = rest {
            if known == 0 || all % known != 0 {
                return Err(wrong());
            }
            wanted[axis] = all / known;
        }
        if product(&wanted)? != all {
            return Err(wrong());
        }
        match x {
            Value::Constant(constant) => self.regroup(constant, wanted).map(Value::Constant),
            Value::Layer(view) => {
                if let Some(view) = view.reshaped(&wanted) {
                    return Ok(Value::Layer(view));
                }
                // An axis cuts rows, columns or channels: as a vector they are one.
                let flat = self.vector(view)?;
                flat.reshaped(&wanted).map(Value::Layer).ok_or_else(wrong)
            }
        }
    }

    pub(super) fn regroup(&mut self, constant: &Constant, dims: Vec<usize>) -> Result<Constant, Cannot> {
        if !constant.is_packed() {
            self.spend(constant.len())?;
        }
        Ok(constant.packed().regrouped(dims))
    }

    /// Without these axes, which have size 1.
    pub fn squeeze(&self, x: &Value, axes: &[usize]) -> Result<Value, Cannot> {
        let dims = x.dims();
        if let Some(axis) = axes.iter().find(|&&axis| dims.get(axis) != Some(&1)) {
            return Err(cannot(format!("axis {axis} of {dims:?} is not 1")));
        }
        let mut x = x.clone();
        for axis in (0..dims.len()).rev().filter(|axis| axes.contains(axis)) {
            match &mut x {
                Value::Constant(constant) => *constant = constant.clone().without_axis(axis),
                Value::Layer(view) => drop(view.axes.remove(axis)),
            }
        }
        Ok(x)
    }

    /// With axes of size 1 where the result has them.
    pub fn unsqueeze(&self, x: &Value, axes: &[usize]) -> Result<Value, Cannot> {
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        axes.dedup();
        let rank = x.dims().len() + axes.len();
        if rank > super::MOST_AXES || axes.last().is_some_and(|&axis| axis >= rank) {
            return Err(cannot(format!("{rank} axes do not have {axes:?}")));
        }
        let mut x = x.clone();
        for &axis in &axes {
            match &mut x {
                Value::Constant(constant) => *constant = constant.clone().with_axis(axis),
                Value::Layer(view) => view.axes.insert(axis, vec![]),
            }
        }
        Ok(x)
    }

    /// Axes of size 1 repeated until the shape is `dims`, from the last axis on; a 1 there keeps what is.
    pub fn expand(&mut self, x: &Value, dims: &[usize]) -> Result<Value, Cannot> {
        let from = x.dims();
        let rank = from.len().max(dims.len());
        let of = |dims: &[usize], axis: usize| match (axis + dims.len()).checked_sub(rank) {
            Some(place) => dims[place],
            None => 1,
        };
        let wanted: Vec<usize> = (0..rank)
            .map(|axis| match (of(&from, axis), of(dims, axis)) {
                (size, 1) => size,
                (_, size) => size,
            })
            .collect();
        match x {
            Value::Constant(constant) => constant.broadcast(&wanted).map(Value::Constant),
            Value::Layer(view) if product(&wanted)? == product(&from)? => {
                let mut view = view.clone();
                while view.axes.len() < rank {
                    view.axes.insert(0, vec![]);
                }
                match view.dims() == wanted {
                    true => Ok(Value::Layer(view)),
                    false => Err(cannot(format!("{from:?} does not spread over {wanted:?}"))),
                }
            }
            Value::Layer(_) => Err(cannot(format!("it repeats a layer {from:?} to {wanted:?}"))),
        }
    }

    /// `count` elements along an axis, from `start` in steps of `step`.
    pub fn slice(
        &mut self,
        name: &str,
        x: &Value,
        axis: usize,
        start: usize,
        step: usize,
        count: usize,
    ) -> Result<Value, Cannot> {
        let dims = x.dims();
        let Some(&size) = dims.get(axis) else { return Err(cannot(format!("{dims:?} has no axis {axis}"))) };
        let fits = match count {
            0 => true,
            _ => (count - 1).checked_mul(step).and_then(|way| way.checked_add(start)).is_some_and(|last| last < size),
        };
        if !fits || step == 0 {
            return Err(cannot(format!("{dims:?} has no {count} elements from {start} on in steps of {step}")));
        }
        let view = match x {
            Value::Constant(constant) => return Ok(Value::Constant(constant.sliced(axis, start, step, count))),
            Value::Layer(view) => view,
        };
        if (start, count) == (0, size) {
            return Ok(x.clone());
        }
        if count == 0 {
            return Err(cannot("it leaves nothing"));
        }
        let part = match view.axes[axis].first().map(|atom| atom.part) {
            Some(part) => part,
            None => return Ok(x.clone()),
        };
        if part == Part::Channels {
            self.spend(2 * count)?;
            let indices: Vec<usize> = (0..count).map(|i| start + i * step).collect();
            return self.select(name, view, axis, &indices).map(Value::Layer);
        }
        self.crop(name, view, axis, start, step, count).map(Value::Layer)
    }

    /// These elements of an axis of channels.
    fn select(&mut self, name: &str, view: &View, axis: usize, indices: &[usize]) -> Result<View, Cannot> {
        let atoms = view.axes[axis].clone();
        if atoms.iter().any(|atom| atom.part != Part::Channels) {
            return Err(cannot(format!("axis {axis} of {:?} has channels and positions", view.dims())));
        }
        let c = self.shape(view).channels();
        if self.channels_fill(view, axis) {
            self.spend(2 * c)?;
            let channels = super::arrange::offsets(&atoms);
            let selected: Vec<usize> = indices.iter().map(|&i| channels[i]).collect();
            let node = self.add(name, Op::Select(selected.into()), &[view.node])?;
            let mut view = view.of(node);
            view.axes[axis] = Atom::whole(Part::Channels, indices.len());
            return Ok(view);
        }
        let mut view = view.clone();
        if merge(atoms.iter().copied()).len() > 1 {
            let others = view.axes.iter().enumerate().filter(|&(other, _)| other != axis);
            let others = others.flat_map(|(_, axis)| axis).copied().filter(|atom| atom.part == Part::Channels);
            let order: Vec<Atom> = atoms.into_iter().chain(others).collect();
            view = self.arranged(&view, &order)?;
        }
        let [Atom { size, stride, .. }] = merge(view.axes[axis].iter().copied())[..] else {
            return Err(cannot("its channels are apart"));
        };
        self.spend(2 * c / size * indices.len())?;
        let selected: Vec<usize> = (0..c / (size * stride))
            .flat_map(|outer| indices.iter().map(move |i| (outer * size + i) * stride))
            .flat_map(|first| first..first + stride)
            .collect();
        let node = self.add(name, Op::Select(selected.into()), &[view.node])?;
        let mut view = view.of(node);
        for atom in view.axes.iter_mut().flatten().filter(|atom| atom.part == Part::Channels && atom.stride > stride) {
            atom.stride = atom.stride / size * indices.len();
        }
        view.axes[axis].clear();
        if indices.len() > 1 {
            view.axes[axis].push(Atom { part: Part::Channels, size: indices.len(), stride });
        }
        Ok(view)
    }

    /// These rows, columns or tokens.
    fn crop(
        &mut self,
        name: &str,
        view: &View,
        axis: usize,
        start: usize,
        step: usize,
        count: usize,
    ) -> Result<View, Cannot> {
        let size = view.size(axis);
        let mut view = view.clone();
        if view.axes[axis].iter().any(|atom| atom.part != view.axes[axis][0].part) {
            view = self.tokens(&view)?;
        }
        let [h, w] = self.shape(&view).positions();
        let atoms = merge(view.axes[axis].iter().copied());
        let (vertical, whole) = match atoms.first().map(|atom| atom.part) {
            Some(Part::Rows) => (true, Atom::whole(Part::Rows, h)),
            Some(Part::Columns) => (false, Atom::whole(Part::Columns, w)),
            _ => return Err(cannot("it cuts through channels and positions")),
        };
        if atoms != whole {
            return Err(cannot(format!("axis {axis} of {:?} is a part of the rows or columns", view.dims())));
        }
        let reach = (count - 1) * step + 1;
        let mut node = view.node;
        if reach != size {
            let (origin, size) = match vertical {
                true => ([start, 0], [reach, w]),
                false => ([0, start], [h, reach]),
            };
            let name = if step == 1 { name.to_owned() } else { format!("{name}_crop") };
            node = self.add(&name, Op::Crop { origin, size }, &[node])?;
        }
        if step > 1 && count > 1 {
            // A window of one element that moves by `step`.
            let stride = if vertical { [step, 1] } else { [1, step] };
            node = self.add(name, Op::MaxPool(Window { stride, ..Window::new(1, 1) }), &[node])?;
        }
        let part = if vertical { Part::Rows } else { Part::Columns };
        let mut view = view.of(node);
        view.axes[axis] = Atom::whole(part, count);
        Ok(view)
    }

    /// The elements of an axis with these indices, whose axes take the place of that axis.
    pub fn gather(&mut self, name: &str, x: &Value, axis: usize, indices: &Constant) -> Result<Value, Cannot> {
        let dims = x.dims();
        let Some(&size) = dims.get(axis) else { return Err(cannot(format!("{dims:?} has no axis {axis}"))) };
        let places: Vec<usize> =
            indices.to_integers()?.into_iter().map(|index| axis_of(index, size)).collect::<Result<_, _>>()?;
        let taken = self.take(name, x, axis, &places)?;
        let wanted = [&dims[..axis], indices.dims(), &dims[axis + 1..]].concat();
        product(&wanted)?;
        let wanted: Vec<i64> = wanted.into_iter().map(|size| size as i64).collect();
        self.reshape(&taken, &wanted, false)
    }

    /// The elements of an axis at `places`, in this order.
    fn take(&mut self, name: &str, x: &Value, axis: usize, places: &[usize]) -> Result<Value, Cannot> {
        let &[first, ref rest @ ..] = places else { return Err(cannot("it takes nothing")) };
        let step = rest.first().map_or(Some(1), |second| second.checked_sub(first)).unwrap_or(0);
        if step > 0 && places.windows(2).all(|pair| pair[0].checked_add(step) == Some(pair[1])) {
            return self.slice(name, x, axis, first, step, places.len());
        }
        match x {
            Value::Layer(view) if view.axes[axis].iter().all(|atom| atom.part == Part::Channels) => {
                self.spend(2 * places.len())?;
                self.select(name, view, axis, places).map(Value::Layer)
            }
            Value::Layer(_) => Err(cannot("it puts positions in another order")),
            Value::Constant(constant) => {
                let part = |&place: &usize| Value::Constant(constant.sliced(axis, place, 1, 1));
                let parts: Vec<Value> = places.iter().map(part).collect();
                self.concat(name, &parts, axis)
            }
        }
    }

    /// The inputs one after the other along an axis.
    pub fn concat(&mut self, name: &str, xs: &[Value], axis: usize) -> Result<Value, Cannot> {
        let [first, ..] = xs else { return Err(cannot("there is nothing to put together")) };
        let dims = first.dims();
        if axis >= dims.len() {
            return Err(cannot(format!("{dims:?} has no axis {axis}")));
        }
        let others = |dims: &[usize]| -> Vec<usize> { [&dims[..axis], &dims[axis + 1..]].concat() };
        for x in xs {
            if x.dims().len() != dims.len() || others(&x.dims()) != others(&dims) {
                return Err(cannot(format!("{dims:?} and {:?} do not fit beside each other", x.dims())));
            }
        }
        if let Some(constants) = xs.iter().map(|x| x.constant().ok()).collect::<Option<Vec<_>>>() {
            let total = constants.iter().map(|constant| constant.len()).sum();
            self.spend(total)?;
            return super::fold::concat(&constants, axis).map(Value::Constant);
        }
        if let [only] = xs {
            return Ok(only.clone());
        }
        let views: Vec<&View> = xs.iter().filter_map(|x| x.layer().ok()).collect();
        let along: Vec<Atom> = views.iter().flat_map(|view| &view.axes[axis]).copied().collect();
        let has_channels = |view: &&&View| view.axes[axis].iter().any(|atom| atom.part == Part::Channels);
        if along.iter().any(|atom| atom.part != Part::Channels) {
            self.stack(name, xs, axis).map(Value::Layer)
        } else if views.iter().any(|view| has_channels(&view)) || self.shape(views[0]).channels() == 1 {
            self.concat_channels(name, xs, axis).map(Value::Layer)
        } else if views[0].dims().len() == 3 {
            // One token each.
            self.stack(name, xs, axis).map(Value::Layer)
        } else {
            self.concat_groups(name, xs, axis).map(Value::Layer)
        }
    }

    /// Layers one after the other along their channels.
    fn concat_channels(&mut self, name: &str, xs: &[Value], axis: usize) -> Result<View, Cannot> {
        let model = xs.iter().find_map(|x| x.layer().ok()).expect("one of them is a layer").clone();
        let mut views = Vec::with_capacity(xs.len());
        for x in xs {
            views.push(match x {
                Value::Layer(view) => self.with_channels_on(view, axis)?,
                Value::Constant(constant) => self.constant_as(name, constant, &model, axis)?,
            });
        }
        if views.iter().any(|view| matches!(self.shape(view), Shape::Vector { .. })) {
            views = views.iter().map(|view| self.vector(view)).collect::<Result<_, _>>()?;
        } else if views.iter().any(|view| self.shape(view).positions() != self.shape(&views[0]).positions()) {
            views = views.iter().map(|view| self.tokens(view)).collect::<Result<_, _>>()?;
        }
        self.same_positions(&views, axis)?;
        let nodes: Vec<usize> = views.iter().map(|view| view.node).collect();
        let node = self.add(name, Op::Concat, &nodes)?;
        let Value::Layer(view) = self.rechanneled(&views[0], axis, node) else { unreachable!() };
        Ok(view)
    }

    /// Layers one after the other along an axis that they have only one place on: it becomes the outer factor of channels.
    fn concat_groups(&mut self, name: &str, xs: &[Value], axis: usize) -> Result<View, Cannot> {
        let mut views = Vec::with_capacity(xs.len());
        for x in xs {
            let view = x.layer()?;
            views.push(self.arranged(view, &view.channels())?);
        }
        self.same_positions(&views, axis)?;
        if views.iter().any(|view| view.channels() != views[0].channels()) {
            return Err(cannot("it puts layers together whose channels are grouped differently"));
        }
        let nodes: Vec<usize> = views.iter().map(|view| view.node).collect();
        let stride = self.shape(&views[0]).channels();
        let mut view = views[0].of(self.add(name, Op::Concat, &nodes)?);
        view.axes[axis] = vec![Atom { part: Part::Channels, size: xs.len(), stride }];
        Ok(view)
    }

    fn same_positions(&self, views: &[View], axis: usize) -> Result<(), Cannot> {
        let positions = |view: &View| -> Vec<Vec<Atom>> {
            let others = view.axes.iter().enumerate().filter(|&(other, _)| other != axis);
            others.map(|(_, atoms)| merge(atoms.iter().copied().filter(|atom| atom.part != Part::Channels))).collect()
        };
        match views.iter().all(|view| positions(view) == positions(&views[0])) {
            true => Ok(()),
            false => Err(cannot("it puts layers together whose positions are in other orders")),
        }
    }

    /// Layers one below the other, along rows or tokens.
    fn stack(&mut self, name: &str, xs: &[Value], axis: usize) -> Result<View, Cannot> {
        let is_tokens = xs.iter().filter_map(|x| x.layer().ok()).all(|view| {
            let others = view.axes.iter().enumerate().filter(|&(other, _)| other != axis);
            others.flat_map(|(_, atoms)| atoms).all(|atom| atom.part == Part::Channels)
        });
        let model = xs.iter().find_map(|x| x.layer().ok()).expect("one of them is a layer").clone();
        let mut views = Vec::with_capacity(xs.len());
        for x in xs {
            views.push(match x {
                Value::Layer(view) => {
                    let view = self.arranged(view, &view.channels())?;
                    let view = self.map_of_vector(&view)?;
                    if is_tokens { self.tokens(&view)? } else { view }
                }
                Value::Constant(constant) => self.constant_as(name, constant, &model, axis)?,
            });
        }
        for view in &views {
            let [h, _] = self.shape(view).positions();
            if merge(view.axes[axis].iter().copied()) != Atom::whole(Part::Rows, h) {
                return Err(cannot("it puts layers together along a part of their positions"));
            }
        }
        let others = |view: &View| -> Vec<Vec<Atom>> {
            let others = view.axes.iter().enumerate().filter(|&(other, _)| other != axis);
            others.map(|(_, atoms)| merge(atoms.iter().copied())).collect()
        };
        if views.iter().any(|view| others(view) != others(&views[0])) {
            return Err(cannot("it puts layers together whose axes are in other orders"));
        }
        let nodes: Vec<usize> = views.iter().map(|view| view.node).collect();
        let mut view = views[0].of(self.add(name, Op::Stack, &nodes)?);
        view.axes[axis] = Atom::whole(Part::Rows, self.shape(&view).positions()[0]);
        Ok(view)
    }

    /// A constant as a node beside layers such as `model`, which it differs from on `axis` only.
    ///
    /// Its channels are where those of `model` are, in order; along `axis` it has tokens or rows, or channels.
    fn constant_as(&mut self, name: &str, constant: &Constant, model: &View, axis: usize) -> Result<View, Cannot> {
        let dims = constant.dims().to_vec();
        let along_channels = self.channels_fill(model, axis) && self.shape(model).channels() > 1;
        let part_of = |other: usize| match other {
            _ if other == axis && along_channels => Some(Part::Channels),
            _ if other == axis => Some(Part::Rows),
            _ => {
                let mut parts = model.axes[other].iter().map(|atom| atom.part);
                let first = parts.next();
                first.filter(|_| parts.all(|part| Some(part) == first))
            }
        };
        // [c, h, w]: all axes of channels, then of rows, then of columns.
        let mut order = Vec::new();
        let mut sizes = [1; 3];
        let mut axes = vec![Vec::new(); dims.len()];
        for (place, part) in [Part::Channels, Part::Rows, Part::Columns].into_iter().enumerate() {
            let members: Vec<usize> =
                (0..dims.len()).filter(|&other| dims[other] > 1 && part_of(other) == Some(part)).collect();
            let mut stride = 1;
            for &member in members.iter().rev() {
                axes[member] = vec![Atom { part, size: dims[member], stride }];
                stride *= dims[member];
            }
            sizes[place] = stride;
            order.extend(members);
        }
        if sizes.iter().product::<usize>() != constant.len() {
            return Err(cannot(format!("constants {dims:?} do not fit beside layers {:?}", model.dims())));
        }
        order.extend((0..dims.len()).filter(|&other| dims[other] == 1));
        let arranged = constant.transposed(&order);
        let is_vector = matches!(self.shape(model), Shape::Vector { .. }) && sizes[1..] == [1, 1] && along_channels;
        let shape = if is_vector { vec![sizes[0]] } else { sizes.to_vec() };
        let values: Weights = self.weights(&arranged, shape)?;
        let node = self.add(&format!("{name}_constant"), Op::Constant(values), &[])?;
        Ok(View { node, axes })
    }

    /// `value` before and after each axis.
    pub fn pad(&mut self, name: &str, x: &Value, pads: &[[usize; 2]], value: f32) -> Result<Value, Cannot> {
        let dims = x.dims();
        if pads.len() != dims.len() || pads.iter().flatten().any(|&pad| pad > MOST_INDICES) {
            return Err(cannot(format!("{dims:?} cannot have a border of {pads:?}")));
        }
        let view = x.layer()?;
        let mut view = view.clone();
        let (mut rows, mut columns) = ([0; 2], [0; 2]);
        let mut channels = None;
        for (axis, &pad) in pads.iter().enumerate().filter(|(_, pad)| **pad != [0, 0]) {
            let [h, w] = self.shape(&view).positions();
            let atoms = merge(view.axes[axis].iter().copied());
            if self.channels_fill(&view, axis) && channels.is_none() {
                channels = Some((axis, pad));
            } else if atoms == Atom::whole(Part::Rows, h) && h > 1 {
                rows = pad;
            } else if atoms == Atom::whole(Part::Columns, w) && w > 1 {
                columns = pad;
            } else {
                return Err(cannot(format!("it pads axis {axis} of {dims:?}, a part of its channels or positions")));
            }
        }
        if rows != [0, 0] || columns != [0, 0] {
            let part = if channels.is_some() { format!("{name}_positions") } else { name.to_owned() };
            let node = self.add(&part, Op::Pad { rows, columns, value }, &[view.node])?;
            let [h, w] = self.graph.shape(node).positions();
            view.node = node;
            for atoms in &mut view.axes {
                match atoms.first().map(|atom| atom.part) {
                    Some(Part::Rows) if rows != [0, 0] => *atoms = Atom::whole(Part::Rows, h),
                    Some(Part::Columns) if columns != [0, 0] => *atoms = Atom::whole(Part::Columns, w),
                    _ => {}
                }
            }
        }
        if let Some((axis, [before, after])) = channels {
            // Any channel, times nothing, plus the value.
            view = self.with_channels_on(&view, axis)?;
            let c = self.shape(&view).channels();
            let total = before + c + after;
            self.spend(6 * total)?;
            let inside = |channel: usize| (before..before + c).contains(&channel);
            let selected: Vec<usize> = (0..total).map(|i| if inside(i) { i - before } else { 0 }).collect();
            let padded = self.add(&format!("{name}_selected"), Op::Select(selected.into()), &[view.node])?;
            let scale = (0..total).map(|i| if inside(i) { 1.0 } else { 0.0 }).collect();
            let shift = (0..total).map(|i| if inside(i) { 0.0 } else { value }).collect();
            let op = Op::Affine { scale: Weights::new([total], scale), shift: Weights::new([total], shift) };
            let node = self.add(name, op, &[padded])?;
            return Ok(self.rechanneled(&view, axis, node));
        }
        Ok(Value::Layer(view))
    }
}
