//! A convolution as a product: for each output pixel, what lies under its window times the weights.

use super::{Bundles, Weights};
use crate::{
    Cpu, Map, MapMut, Place, Rectify, WORD, Window,
    kernel::{
        packed::Packed,
        product::{Grid, Product, Target},
        shared::Shared,
        windows::Source,
    },
};

/// Weights for the way from input to output.
pub(super) struct Forward {
    bundles: Bundles,
    window: Window,
    /// Of each bundle.
    weights: Vec<Packed>,
}

impl Forward {
    pub(super) fn new(weights: Weights<'_>) -> Self {
        let bundles = Bundles::new(weights);
        let mut outputs_before = 0;
        let pack = bundles.iter(weights).map(|([outs, ins], at)| {
            let first = outputs_before;
            outputs_before += outs;
            let bias = |out| weights.bias.map_or(0.0, |bias| bias[first + out]);
            Packed::new(weights.window.area() * ins, outs, |row, out| at(row / ins, out, row % ins), bias)
        });
        Self { bundles, window: weights.window, weights: pack.collect() }
    }

    pub(super) fn run(&self, cpu: Cpu, input: Map<'_>, place: Place, output: MapMut<'_>, rectify: Option<Rectify<'_>>) {
        let dims = output.dims;
        let [outs, ins] = self.bundles.channels();
        let (rectifier, bits) = match rectify {
            Some(Rectify { rectifier, passes, at_corners }) => (Some((rectifier, at_corners)), passes),
            None => (None, None),
        };
        let product = Product {
            source: Source { map: input, gate: None },
            window: self.window,
            weights: &self.weights,
            channels: [outs, ins],
            grid: Grid { counts: [dims.n, dims.h, dims.w], place, first: [0, 0], step: [1, 1], size: [dims.h, dims.w] },
            target: Target {
                pitch: output.pitch,
                values: Shared::new(output.values),
                add: false,
                rectify: rectifier,
                bits: bits.map(|bits| Shared::new(bits.words)),
                words: dims.c.div_ceil(WORD),
            },
        };
        product.run(cpu);
    }
}
