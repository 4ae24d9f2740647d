//! The gradient of a convolution's input as products.
//!
//! Row `Y` of the input lies under element `i` of the window at output row `y` where `Y = place + stride y + dilation i`.
//! So input rows with the same remainder of `Y - place` by the stride, a phase, lie under the same elements, and from
//! one row of a phase to the next the outputs move by one: each phase is a convolution of the output's gradient with
//! stride 1, by those elements in reverse. So it is with columns.

use super::{Bundles, Weights};
use crate::{
    Cpu, Map, MapMut, Passes, Place, Precision, WORD, Window,
    kernel::{
        packed::Packed,
        product::{Grid, Product, Target},
        shared::Shared,
        windows::{Gate, Source},
    },
};

/// Weights for the way from the output's gradient to the input's.
pub(super) struct Phases {
    bundles: Bundles,
    window: Window,
    /// Of each remainder of rows and of columns.
    weights: Vec<Packed>,
}

/// The elements of a window that hit one phase, along one axis.
#[derive(Clone, Copy)]
struct Elements {
    count: usize,
    /// The last of them, which the reversed window has first.
    last: usize,
    /// From one to the next.
    step: usize,
    /// How far apart the outputs are that two neighbors read.
    dilation: usize,
}

impl Elements {
    fn new(window: Window, axis: usize, remainder: usize) -> Self {
        let (stride, dilation) = (window.stride[axis], window.dilation[axis]);
        let hits = |i: &usize| i * dilation % stride == remainder;
        let step = (1..=stride).find(|step| step * dilation % stride == 0).unwrap_or(stride);
        Self {
            count: (0..window.size[axis]).filter(hits).count(),
            last: (0..window.size[axis]).rev().find(hits).unwrap_or(0),
            step,
            dilation: step * dilation / stride,
        }
    }

    /// The window that these of rows and columns are.
    fn window(of: [Self; 2]) -> Window {
        Window {
            size: of.map(|elements| elements.count),
            stride: [1, 1],
            dilation: of.map(|elements| elements.dilation),
        }
    }
}

impl Phases {
    pub(super) fn new(weights: Weights<'_>, precision: Precision) -> Self {
        let (bundles, window) = (Bundles::new(weights), weights.window);
        let pack = |remainders: [usize; 2]| {
            let elements @ [rows, columns] = [0, 1].map(|axis| Elements::new(window, axis, remainders[axis]));
            let mut packed = Packed::new(precision);
            for ([outs, ins], at) in bundles.iter(weights) {
                let at = |row: usize, input: usize| {
                    let (element, out) = (row / outs, row % outs);
                    let i = rows.last - element / columns.count * rows.step;
                    let j = columns.last - element % columns.count * columns.step;
                    at(i * window.size[1] + j, out, input)
                };
                packed.push(Elements::window(elements), [outs, ins], at, |_| 0.0);
            }
            packed
        };
        Self { bundles, window, weights: remainders(window).map(pack).collect() }
    }

    pub(super) fn run(
        &self,
        cpu: Cpu,
        output_gradient: Map<'_>,
        passes: Option<Passes<'_>>,
        place: Place,
        input_gradient: MapMut<'_>,
        add: bool,
    ) {
        let (to, window) = (input_gradient.dims, self.window);
        let [outs, ins] = self.bundles.channels();
        let gate = passes.map(|passes| Gate { words: passes.words, pitch: passes.dims.c.div_ceil(WORD) });
        for (remainders, weights) in remainders(window).zip(&self.weights) {
            let elements = [0, 1].map(|axis| Elements::new(window, axis, remainders[axis]));
            // The first row and column of the phase, and the output's under the reversed window there.
            let stride = window.stride.map(|stride| stride as isize);
            let first = [0, 1].map(|axis| (remainders[axis] as isize + place[axis]).rem_euclid(stride[axis]));
            let from = [0, 1].map(|axis| {
                let hit = elements[axis].last * window.dilation[axis];
                (first[axis] - place[axis] - hit as isize).div_euclid(stride[axis])
            });
            let first = first.map(|first| first as usize);
            let product = Product {
                source: Source { map: output_gradient, gate },
                window: Elements::window(elements),
                weights,
                channels: [ins, outs],
                grid: Grid {
                    counts: [
                        to.n,
                        to.h.saturating_sub(first[0]).div_ceil(window.stride[0]),
                        to.w.saturating_sub(first[1]).div_ceil(window.stride[1]),
                    ],
                    place: from,
                    first,
                    step: window.stride,
                    size: [to.h, to.w],
                },
                target: Target {
                    pitch: input_gradient.pitch,
                    values: Shared::new(input_gradient.values),
                    add,
                    rectify: None,
                    bits: None,
                    words: 0,
                },
            };
            product.run(cpu);
        }
    }
}

/// All remainders by the window's stride, of rows and columns.
fn remainders(window: Window) -> impl Iterator<Item = [usize; 2]> {
    (0..window.stride[0]).flat_map(move |row| (0..window.stride[1]).map(move |column| [row, column]))
}
