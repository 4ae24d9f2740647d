//! Which part of each node's map is needed: for a neuron no more than its receptive field.

use std::ops::Range;

use crate::graph::{Graph, NodeId, Op, Shape, Window, resolve};

/// Some rows and columns of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

impl Region {
    fn all(shape: Shape) -> Self {
        let [h, w] = shape.positions();
        Self { rows: 0..h, columns: 0..w }
    }

    fn at([y, x]: [usize; 2]) -> Self {
        Self { rows: y..y + 1, columns: x..x + 1 }
    }

    /// The smallest that holds both.
    fn with(&self, other: &Self) -> Self {
        let both = |a: &Range<usize>, b: &Range<usize>| a.start.min(b.start)..a.end.max(b.end);
        Self { rows: both(&self.rows, &other.rows), columns: both(&self.columns, &other.columns) }
    }
}

/// The region of each node that `wanted` nodes need, everywhere or at a position; all nodes are needed for something.
///
/// What goes position by position has the same region as what it reads.
pub(super) fn needed(graph: &Graph, shapes: &[Shape], wanted: &[(NodeId, Option<[usize; 2]>)]) -> Vec<Region> {
    let mut regions: Vec<Option<Region>> = vec![None; shapes.len()];
    for &(id, position) in wanted {
        extend(&mut regions[id], position.map_or(Region::all(shapes[id]), Region::at));
    }
    // Images are given whole.
    extend(&mut regions[0], Region::all(shapes[0]));
    loop {
        let before = regions.clone();
        for (id, node) in graph.nodes().iter().enumerate().rev() {
            for &input in &node.inputs {
                let own = regions[id].clone().expect("every node is needed for something");
                let same_positions = shapes[input].positions() == shapes[id].positions();
                let read = match &node.op {
                    Op::Convolution(c) => under(&own, &c.window, shapes[input]),
                    Op::MaxPool(window) | Op::AveragePool { window, .. } => under(&own, window, shapes[input]),
                    op if is_whole(op) => {
                        extend(&mut regions[id], Region::all(shapes[id]));
                        Region::all(shapes[input])
                    }
                    Op::GlobalMean | Op::Flatten | Op::Linear(_) => Region::all(shapes[input]),
                    Op::Multiply if !same_positions => Region::all(shapes[input]),
                    _ => {
                        extend(&mut regions[input], own);
                        let read = regions[input].clone();
                        regions[id] = read;
                        continue;
                    }
                };
                extend(&mut regions[input], read);
            }
        }
        if regions == before {
            return regions.into_iter().map(|region| region.expect("every node is needed for something")).collect();
        }
    }
}

/// Whether a position may depend on any other, or on one that lies elsewhere: these are computed wholly.
fn is_whole(op: &Op) -> bool {
    let elsewhere =
        matches!(op, Op::AdaptiveAveragePool(_) | Op::ResizeBilinear { .. } | Op::Pad { .. } | Op::Crop { .. });
    elsewhere || matches!(op, Op::Tokens | Op::Stack | Op::Scores { .. } | Op::RowSoftmax | Op::Attend)
}

fn extend(region: &mut Option<Region>, more: Region) {
    *region = Some(match region {
        Some(region) => region.with(&more),
        None => more,
    });
}

/// What of a map lies under a window that slides over the output's `region`.
fn under(region: &Region, window: &Window, input: Shape) -> Region {
    let size = input.positions();
    let extents = resolve(window, size).expect("checked before the network was planned");
    let along = |axis: usize, outputs: &Range<usize>| {
        let (stride, reach) = (window.stride[axis], (window.size[axis] - 1) * window.dilation[axis] + 1);
        let before = extents[axis].before;
        // Where a window lies in the padding alone, the nearest row stands for nothing.
        let start = (outputs.start * stride).saturating_sub(before).min(size[axis] - 1);
        let end = ((outputs.end - 1) * stride + reach).saturating_sub(before).clamp(start + 1, size[axis]);
        start..end
    };
    Region { rows: along(0, &region.rows), columns: along(1, &region.columns) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GraphBuilder, Padding};

    #[test]
    fn a_neuron_needs_its_receptive_field() {
        let same = Window::new(3, 1).padded(Padding::all(1));
        let mut graph = GraphBuilder::new([20, 20]);
        let a = graph.add("a", Op::MaxPool(same), &[0]).unwrap();
        let a = graph.add("a_relu", Op::Relu, &[a]).unwrap();
        let b = graph.add("b", Op::MaxPool(Window::new(2, 2)), &[a]).unwrap();
        let c = graph.add("c", Op::MaxPool(same), &[b]).unwrap();
        let graph = graph.finish();
        let shapes = graph.shapes([20, 20]).unwrap();
        let of = |rows, columns| Region { rows, columns };
        // c at [0, 5] reads rows -1..2 and columns 4..7 of b, so rows 0..4 and columns 8..14 of a.
        let regions = needed(&graph, &shapes, &[(c, Some([0, 5]))]);
        assert_eq!(regions[c], of(0..1, 5..6));
        assert_eq!(regions[b], of(0..2, 4..7));
        assert_eq!(regions[a], of(0..4, 8..14));
        assert_eq!(regions[a - 1], regions[a], "a ReLU goes position by position");
        assert_eq!(regions[0], of(0..20, 0..20), "images are given whole");
    }

    #[test]
    fn two_neurons_need_what_lies_between_them() {
        let mut graph = GraphBuilder::new([9, 9]);
        let a = graph.add("a", Op::MaxPool(Window::new(3, 3)), &[0]).unwrap();
        let b = graph.add("b", Op::MaxPool(Window::new(1, 1)), &[a]).unwrap();
        let graph = graph.finish();
        let shapes = graph.shapes([9, 9]).unwrap();
        let regions = needed(&graph, &shapes, &[(a, Some([0, 1])), (b, Some([2, 0]))]);
        assert_eq!(regions[a], Region { rows: 0..3, columns: 0..2 });
    }
}
