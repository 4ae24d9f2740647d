//! Nodes that put a map into the form that an operation wants.

use super::{
    Cannot, Lift, cannot,
    view::{Atom, Layout, Part, View, merge},
};
use crate::graph::{Op, Shape};

/// A form that a map can be put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Tokens,
    Vector,
}

impl Lift {
    /// The view of a map `[c, t, 1]` whose positions are in one column.
    pub(super) fn tokens(&mut self, view: &View) -> Result<View, Cannot> {
        match self.shape(view) {
            Shape::Map { w: 1, .. } => Ok(view.clone()),
            Shape::Map { w, .. } => self.in_form(view, Form::Tokens, |atom| match atom.part {
                Part::Rows => Atom { stride: atom.stride * w, ..atom },
                Part::Columns => Atom { part: Part::Rows, ..atom },
                Part::Channels => atom,
            }),
            Shape::Vector { .. } => Err(cannot("a vector has no positions")),
        }
    }

    /// The view of a vector, `[c, h, w]` in that order.
    pub(super) fn vector(&mut self, view: &View) -> Result<View, Cannot> {
        match self.shape(view) {
            Shape::Vector { .. } => Ok(view.clone()),
            Shape::Map { h, w, .. } => self.in_form(view, Form::Vector, |atom| {
                let stride = match atom.part {
                    Part::Channels => atom.stride * h * w,
                    Part::Rows => atom.stride * w,
                    Part::Columns => atom.stride,
                };
                Atom { part: Part::Channels, stride, ..atom }
            }),
        }
    }

    fn in_form(&mut self, view: &View, form: Form, atom: impl Fn(Atom) -> Atom) -> Result<View, Cannot> {
        let node = match self.forms.get(&(view.node, form)) {
            Some(&node) => node,
            None => {
                let name = &self.graph.node(view.node).name;
                let (name, op) = match form {
                    Form::Tokens => (format!("{name}_tokens"), Op::Tokens),
                    Form::Vector => (format!("{name}_vector"), Op::Flatten),
                };
                let node = self.add(&name, op, &[view.node])?;
                self.forms.insert((view.node, form), node);
                node
            }
        };
        let axes = view.axes.iter().map(|axis| axis.iter().map(|&a| atom(a)).collect()).collect();
        Ok(View { node, axes })
    }

    /// The same view of a node whose channels are in the order of `order`, which are all atoms of its channels.
    pub(super) fn arranged(&mut self, view: &View, order: &[Atom]) -> Result<View, Cannot> {
        if merge(order.iter().copied()).iter().all(|atom| atom.stride == 1) {
            return Ok(view.clone());
        }
        self.spend(2 * self.shape(view).channels())?;
        let selected: Vec<usize> = offsets(order);
        let name = format!("{}_arranged", self.graph.node(view.node).name);
        let node = self.add(&name, Op::Select(selected.into()), &[view.node])?;
        let mut strides = vec![1; order.len()];
        for i in (1..order.len()).rev() {
            strides[i - 1] = strides[i] * order[i].size;
        }
        let new_stride = |atom: Atom| {
            let place = order.iter().position(|other| *other == atom).expect("all atoms of channels are in the order");
            strides[place]
        };
        let axes = view.axes.iter().map(|axis| {
            let atoms = axis.iter().map(|&atom| match atom.part {
                Part::Channels => Atom { stride: new_stride(atom), ..atom },
                _ => atom,
            });
            merge(atoms)
        });
        Ok(View { axes: axes.collect(), node })
    }

    /// The view with all channels on `axis`, in order.
    pub(super) fn with_channels_on(&mut self, view: &View, axis: usize) -> Result<View, Cannot> {
        let atoms = &view.axes[axis];
        if !self.channels_fill(view, axis) {
            let dims = view.dims();
            return Err(cannot(format!("axis {axis} of {dims:?} is not the channels")));
        }
        self.arranged(view, &atoms.clone())
    }

    /// Whether an axis is all channels, in whatever order.
    pub(super) fn channels_fill(&self, view: &View, axis: usize) -> bool {
        view.axes[axis].iter().all(|atom| atom.part == Part::Channels) && view.size(axis) == self.shape(view).channels()
    }

    /// The view as a map whose axes are those of `layout`.
    pub(super) fn map(&mut self, view: &View, layout: Layout) -> Result<View, Cannot> {
        let dims = view.dims();
        if view.axes.len() != 4 || dims[0] != 1 {
            return Err(cannot(format!("{dims:?} is not an image")));
        }
        let [channels, rows, columns] = layout.axes();
        let view = self.with_channels_on(view, channels)?;
        let [h, w] = self.shape(&view).positions();
        let in_order = merge(view.axes[rows].iter().copied()) == Atom::whole(Part::Rows, h)
            && merge(view.axes[columns].iter().copied()) == Atom::whole(Part::Columns, w);
        match in_order {
            true => Ok(view),
            false => Err(cannot(format!("the positions of {dims:?} come from tokens or other axes"))),
        }
    }
}

/// For each element, row by row over `atoms`, its place.
pub(super) fn offsets(atoms: &[Atom]) -> Vec<usize> {
    let (dims, strides): (Vec<usize>, Vec<usize>) = atoms.iter().map(|atom| (atom.size, atom.stride)).unzip();
    super::constant::places(&dims, &strides).collect()
}
