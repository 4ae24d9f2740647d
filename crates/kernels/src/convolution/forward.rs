//! A convolution as a product: for each output pixel, what lies under its window times the weights.

use super::{Bundles, Weights};
use crate::{
    Cpu, Map, MapMut, Place, Precision, Rectify, WORD, Window,
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
    weights: Packed,
}

impl Forward {
    pub(super) fn new(weights: Weights<'_>, precision: Precision) -> Self {
        let (bundles, window) = (Bundles::new(weights), weights.window);
        let mut packed = Packed::new(precision);
        let mut outputs_before = 0;
        for ([outs, ins], at) in bundles.iter(weights) {
            let bias = |out| weights.bias.map_or(0.0, |bias| bias[outputs_before + out]);
            packed.push(window, [ins, outs], |row, out| at(row / ins, out, row % ins), bias);
            outputs_before += outs;
        }
        Self { bundles, window, weights: packed }
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
