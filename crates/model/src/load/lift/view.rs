//! An imported tensor as a view of a node: which factors of the node's channels, rows and columns make each axis.

use crate::graph::{NodeId, Shape};

/// What an [`Atom`] is a factor of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The node's channels.
    Channels,
    /// Its rows.
    Rows,
    /// Its columns.
    Columns,
}

/// A factor of a node's channels, rows or columns: `size` steps of `stride`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Atom {
    /// What it is a factor of.
    pub part: Part,
    /// How many steps; never one.
    pub size: usize,
    /// How far one step goes.
    pub stride: usize,
}

impl Atom {
    /// All channels, rows or columns, in order; one of them is no atom.
    pub fn whole(part: Part, size: usize) -> Vec<Self> {
        (size != 1).then_some(Self { part, size, stride: 1 }).into_iter().collect()
    }
}

/// Where the axes of an image are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Channels first: ONNX, PyTorch.
    Nchw,
    /// Channels last: TensorFlow.
    Nhwc,
}

impl Layout {
    /// The axes of channels, rows and columns.
    pub fn axes(self) -> [usize; 3] {
        match self {
            Self::Nchw => [1, 2, 3],
            Self::Nhwc => [3, 1, 2],
        }
    }
}

/// An imported tensor of one image: a node, and the atoms of each axis, the last running fastest.
///
/// All atoms together are the whole node, each element once. An axis of size 1 has no atoms, so it does not matter where
/// the batch is, nor where a `[c, 1, 1]` has its ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// The node.
    pub node: NodeId,
    /// The atoms of each axis.
    pub axes: Vec<Vec<Atom>>,
}

impl View {
    /// A node as an image `[1, c, h, w]` or `[1, h, w, c]`.
    pub fn image(node: NodeId, shape: Shape, layout: Layout) -> Self {
        let mut axes = vec![Vec::new(); 4];
        let [h, w] = shape.positions();
        let parts = [(Part::Channels, shape.channels()), (Part::Rows, h), (Part::Columns, w)];
        for (axis, (part, size)) in layout.axes().into_iter().zip(parts) {
            axes[axis] = Atom::whole(part, size);
        }
        Self { node, axes }
    }

    /// The same axes of another node of the same shape.
    pub fn of(&self, node: NodeId) -> Self {
        Self { node, axes: self.axes.clone() }
    }

    /// The size of one axis.
    pub fn size(&self, axis: usize) -> usize {
        self.axes[axis].iter().map(|atom| atom.size).product()
    }

    /// The sizes of all axes.
    pub fn dims(&self) -> Vec<usize> {
        (0..self.axes.len()).map(|axis| self.size(axis)).collect()
    }

    /// All atoms, row by row.
    pub fn atoms(&self) -> impl Iterator<Item = Atom> + Clone {
        self.axes.iter().flatten().copied()
    }

    /// The atoms of channels, row by row.
    pub fn channels(&self) -> Vec<Atom> {
        self.atoms().filter(|atom| atom.part == Part::Channels).collect()
    }

    /// The same elements in the same order, with other axes; nothing if an axis would cut an atom.
    pub fn reshaped(&self, dims: &[usize]) -> Option<Self> {
        let mut rest: Vec<Atom> = merge(self.atoms());
        rest.reverse();
        let mut axes = Vec::with_capacity(dims.len());
        for &size in dims {
            let (mut axis, mut left) = (Vec::new(), size);
            while left != 1 {
                let atom = rest.pop()?;
                if left.is_multiple_of(atom.size) {
                    axis.push(atom);
                    left /= atom.size;
                } else if left != 0 && atom.size.is_multiple_of(left) {
                    let inner = Atom { size: atom.size / left, ..atom };
                    axis.push(Atom { size: left, stride: atom.stride * inner.size, ..atom });
                    rest.push(inner);
                    left = 1;
                } else {
                    return None;
                }
            }
            axes.push(axis);
        }
        rest.is_empty().then_some(Self { node: self.node, axes })
    }

    /// Whether this is the node's map, or one regrouped: its channels in order, and its positions in order.
    ///
    /// Where the channels stand among the positions is a matter of layout.
    pub fn is_map(&self) -> bool {
        let in_order = |atoms: Vec<Atom>| {
            let merged = merge(atoms.into_iter());
            merged.iter().all(|atom| atom.stride == 1) && merged.is_sorted_by_key(|atom| atom.part)
        };
        in_order(self.channels()) && in_order(self.atoms().filter(|atom| atom.part != Part::Channels).collect())
    }
}

/// The same atoms, neighbors that make one factor merged.
pub(crate) fn merge(atoms: impl Iterator<Item = Atom>) -> Vec<Atom> {
    let mut merged: Vec<Atom> = Vec::new();
    for atom in atoms {
        match merged.last_mut() {
            Some(last) if last.part == atom.part && last.stride == atom.size * atom.stride => {
                *last = Atom { size: last.size * atom.size, ..atom };
            }
            _ => merged.push(atom),
        }
    }
    merged
}

/// Two lists of atoms of the same product, split until their sizes agree one by one.
pub(crate) fn refine(a: &[Atom], b: &[Atom]) -> Option<Vec<(Atom, Atom)>> {
    let reversed = |atoms: &[Atom]| -> Vec<Atom> { atoms.iter().rev().copied().collect() };
    let (mut a, mut b, mut pairs) = (reversed(a), reversed(b), Vec::new());
    while let (Some(mut x), Some(mut y)) = (a.pop(), b.pop()) {
        let split = |atom: &mut Atom, outer: usize, rest: &mut Vec<Atom>| {
            let inner = Atom { size: atom.size / outer, ..*atom };
            *atom = Atom { size: outer, stride: atom.stride * inner.size, ..*atom };
            rest.push(inner);
        };
        if x.size > y.size && x.size.is_multiple_of(y.size) {
            split(&mut x, y.size, &mut a);
        } else if y.size > x.size && y.size.is_multiple_of(x.size) {
            split(&mut y, x.size, &mut b);
        } else if x.size != y.size {
            return None;
        }
        pairs.push((x, y));
    }
    (a.is_empty() && b.is_empty()).then_some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: Shape = Shape::Map { c: 12, h: 4, w: 5 };

    #[test]
    fn regrouping_and_back_is_the_same() {
        let image = View::image(7, MAP, Layout::Nchw);
        let flat = image.reshaped(&[1, 240]).unwrap();
        assert_eq!(flat.dims(), [1, 240]);
        assert_eq!(flat.reshaped(&[1, 12, 4, 5]), Some(image.clone()));
        assert_eq!(image.reshaped(&[3, 4, 20]).unwrap().axes[1], [Atom { part: Part::Channels, size: 4, stride: 1 }]);
        assert_eq!(image.reshaped(&[16, 15]), None, "an axis would cut rows and columns");
    }

    #[test]
    fn shuffled_channels_are_another_map() {
        let mut groups = View::image(7, MAP, Layout::Nchw).reshaped(&[1, 3, 4, 4, 5]).unwrap();
        assert!(groups.is_map());
        groups.axes.swap(1, 2);
        assert!(!groups.is_map());
        assert!(View::image(7, MAP, Layout::Nhwc).is_map());
    }

    #[test]
    fn refining_splits_both() {
        let atom = |size, stride| Atom { part: Part::Rows, size, stride };
        let pairs = refine(&[atom(6, 1)], &[atom(2, 3), atom(3, 1)]).unwrap();
        assert_eq!(pairs, [(atom(2, 3), atom(2, 3)), (atom(3, 1), atom(3, 1))]);
        assert_eq!(refine(&[atom(6, 1)], &[atom(4, 1)]), None);
    }
}
