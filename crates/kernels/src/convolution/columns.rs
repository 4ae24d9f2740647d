//! The gradient of the input of a convolution that has few input channels, such as an image's three.
//!
//! Vectors of so few channels would be nearly empty. So each output pixel's gradient is multiplied with all weights at
//! once, which gives what it contributes to each element under its window, and then added there.

use super::{Bundles, Weights};
use crate::{
    Cpu, Map, MapMut, Passes, Place, Precision, WORD, Window,
    kernel::{
        columns::Scatter,
        packed::Packed,
        parallel::{self, share},
        product::{Grid, Product, Target},
        scratch,
        shared::Shared,
        windows::{Gate, Source},
    },
};

/// How many output pixels are multiplied at once; their contributions fit a core's own cache.
const CHUNK: usize = 56;

/// Output pixels are taken one by one.
const PIXEL: Window = Window { size: [1, 1], stride: [1, 1], dilation: [1, 1] };

/// Weights of an output pixel's contributions.
pub(super) struct Columns {
    window: Window,
    /// A row for each output channel, a column for each float under the window, and more until vectors are full.
    weights: Packed,
    /// How many columns these are.
    columns: usize,
}

impl Columns {
    /// Whether this is the faster way: vectors would be at most half full, and here they are not.
    pub(super) fn suit(weights: Weights<'_>) -> bool {
        weights.groups == 1 && weights.channels[1] <= WORD / 2 && weights.window.area() > 1
    }

    pub(super) fn new(weights: Weights<'_>, precision: Precision) -> Self {
        let window = weights.window;
        let Some(([outs, ins], at)) = Bundles::new(weights).iter(weights).next() else { unreachable!("one group") };
        let used = window.area() * ins;
        let columns = used.next_multiple_of(WORD);
        let at = |out: usize, column: usize| if column < used { at(column / ins, out, column % ins) } else { 0.0 };
        let mut packed = Packed::new(precision);
        packed.push(PIXEL, [outs, columns], at, |_| 0.0);
        Self { window, weights: packed, columns }
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
        let (to, pitch) = (input_gradient.dims, input_gradient.pitch);
        if to.is_empty() {
            return;
        }
        let values = Shared::new(input_gradient.values);
        // Each thread has rows of its own, and computes all contributions to them.
        let bands = parallel::bands(cpu, to.n, to.h);
        parallel::run(cpu, to.n * bands, |part| {
            let (image, rows) = (part / bands, share(to.h, part % bands, bands));
            let scatter = Scatter { window: self.window, place, values: &values, pitch, dims: to, image, rows };
            if !add {
                cpu.isa.run(scatter.clear());
            }
            self.run_rows(cpu, output_gradient, passes, &scatter);
        });
    }

    /// Adds all contributions to some rows of the input's gradient.
    fn run_rows(&self, cpu: Cpu, output_gradient: Map<'_>, passes: Option<Passes<'_>>, scatter: &Scatter<'_>) {
        let (from, outputs) = (output_gradient.dims, scatter.outputs(output_gradient.dims.h));
        let gate = passes.map(|passes| Gate { words: passes.words, pitch: from.c.div_ceil(WORD) });
        // All pixels in one row.
        let mut map = output_gradient;
        (map.dims.n, map.dims.h, map.dims.w) = (1, 1, from.pixels());
        let pitch = self.columns;
        // Always the same pixels at once, so that sums do not depend on which rows these are: several rows, or a part of
        // one.
        let (rows, across) = ((CHUNK / from.w.max(1)).max(1), from.w.div_ceil(CHUNK));
        scratch::with_columns(rows.max(1) * from.w.div_ceil(across.max(1)).max(1) * pitch, |columns| {
            for first in outputs.clone().step_by(rows) {
                let rows = rows.min(outputs.end - first);
                for part in 0..across {
                    let pixels = share(from.w, part, across);
                    let start = (scatter.image * from.h + first) * from.w + pixels.start;
                    let count = rows * pixels.len();
                    let product = Product {
                        source: Source { map, gate },
                        window: PIXEL,
                        weights: &self.weights,
                        channels: [pitch, from.c],
                        grid: Grid {
                            counts: [1, 1, count],
                            place: [0, start as isize],
                            first: [0, 0],
                            step: [1, 1],
                            size: [1, count],
                        },
                        target: Target {
                            values: Shared::new(columns),
                            pitch,
                            add: false,
                            rectify: None,
                            bits: None,
                            words: 0,
                        },
                    };
                    product.run(cpu.alone());
                    for row in 0..rows {
                        let columns = &columns[row * pixels.len() * pitch..];
                        cpu.isa.run(scatter.add(columns, pitch, first + row, pixels.clone()));
                    }
                }
            }
        });
    }
}
