//! Convolutions by 3×3 windows with fewer products, and their gradients, which are such convolutions too.

use std::sync::OnceLock;

use super::Weights;
use crate::{
    Cpu, Dims, Map, MapMut, Passes, Place, Rectify, WORD, Window,
    kernel::{
        packed::PackedF32,
        product::Target,
        shared::Shared,
        windows::{Gate, Source},
        winograd::{Filtering, Form},
    },
};

/// Weights as seen at each point, of each form that has been used.
#[derive(Default)]
pub(super) struct Winograd {
    forward: [OnceLock<PackedF32>; 2],
    gradient: [OnceLock<PackedF32>; 2],
}

/// Whether a convolution can be computed so.
pub(super) fn suits(weights: Weights<'_>) -> bool {
    weights.groups == 1 && weights.window == Window { size: [3; 2], stride: [1; 2], dilation: [1; 2] }
}

/// The form that computes a convolution to a map of this size fastest, if any is faster than plain products.
///
/// What it costs is counted in products. Plain ones are 9 for each pixel and pair of channels; a weight is used for all
/// pixels, but to fetch it takes as long as some products. Forms need fewer products, more weights, and transforms.
///
/// Only the size of one image counts: an image's results are the same alone and among others.
///
/// Time as a part of that of plain products, as measured and as the rule has it: forward, one image, one core with
/// AVX-512 (Xeon, Emerald Rapids), weights not in the core's own cache; medians of 60 pairs.
///
/// | channels | side | F2 | rule | F4 | rule |
/// | --- | --- | --- | --- | --- | --- |
/// | 64 → 192 | 32 | 0.51 | 0.51 | 0.36 | 0.35 |
/// | 96 → 128 | 16 | 0.59 | 0.56 | 0.50 | 0.50 |
/// | 128 → 192 | 20 | 0.50 | 0.52 | 0.40 | 0.42 |
/// | 96 → 208 | 8 | 0.70 | 0.74 | 0.88 | 1.02 |
/// | 160 → 320 | 8 | 0.69 | 0.73 | 0.99 | 1.01 |
/// | 160 → 320 | 10 | 0.58 | 0.65 | 0.75 | 0.88 |
/// | 192 → 384 | 4 | 1.01 | 1.12 | 1.90 | 2.13 |
/// | 16 → 64 | 31 | 0.81 | 0.68 | 0.55 | 0.48 |
/// | 32 → 128 | 15 | 0.68 | 0.68 | 0.56 | 0.61 |
/// | 64 → 256 | 7 | 0.78 | 0.92 | 0.87 | 1.27 |
///
/// The gradient's are the same within a tenth, and so are those of AVX2, of two threads and, but for the smallest maps,
/// of four images.
pub(super) fn best_form([outputs, inputs]: [usize; 2], Dims { h, w, .. }: Dims) -> Option<Form> {
    // Fewer channels leave most of each vector empty.
    if outputs.min(inputs) < 8 {
        return None;
    }
    let cost = |count: usize, products: usize, transforms: [usize; 2]| {
        let [of_inputs, of_outputs] = transforms;
        products * (count + WEIGHT) * outputs * inputs + count * (of_inputs * inputs + of_outputs * outputs)
    };
    let form = |form: Form, transforms: [usize; 2]| {
        let tiles = h.div_ceil(form.outputs()) * w.div_ceil(form.outputs());
        (cost(tiles, form.points(), transforms), Some(form))
    };
    let ways = [(cost(h * w, 9, [0, 0]), None), form(Form::F2, [90, 80]), form(Form::F4, [300, 260])];
    ways.into_iter().min_by_key(|(cost, _)| *cost).and_then(|(_, form)| form)
}

/// How many products it takes as long as to fetch a weight.
const WEIGHT: usize = 16;

impl Winograd {
    /// As [`Convolution::forward`](super::Convolution::forward).
    #[allow(clippy::too_many_arguments, reason = "as there, and how")]
    pub(super) fn forward(
        &self,
        form: Form,
        weights: Weights<'_>,
        cpu: Cpu,
        input: Map<'_>,
        place: Place,
        output: MapMut<'_>,
        rectify: Option<Rectify<'_>>,
    ) {
        let [outs, ins] = weights.channels;
        let seen = self.forward[form as usize].get_or_init(|| {
            let at = |element: usize, input: usize, out: usize| weights.kernel[(out * ins + input) * 9 + element];
            pack(form, [ins, outs], at, |out| weights.bias.map_or(0.0, |bias| bias[out]))
        });
        let (rectify, bits) = match rectify {
            Some(Rectify { rectifier, passes, at_corners }) => (Some((rectifier, at_corners)), passes),
            None => (None, None),
        };
        let dims = output.dims;
        let target = Target {
            values: Shared::new(output.values),
            pitch: output.pitch,
            add: false,
            rectify,
            bits: bits.map(|bits| Shared::new(bits.words)),
            words: outs.div_ceil(WORD),
        };
        Filtering { form, source: Source { map: input, gate: None }, place, weights: seen, target, dims }.run(cpu);
    }

    /// As [`Convolution::input_gradient`](super::Convolution::input_gradient).
    #[allow(clippy::too_many_arguments, reason = "as there, and how")]
    pub(super) fn input_gradient(
        &self,
        form: Form,
        weights: Weights<'_>,
        cpu: Cpu,
        output_gradient: Map<'_>,
        passes: Option<Passes<'_>>,
        place: Place,
        input_gradient: MapMut<'_>,
        add: bool,
    ) {
        let [outs, ins] = weights.channels;
        let seen = self.gradient[form as usize].get_or_init(|| {
            // The window reversed.
            let at = |element: usize, out: usize, input: usize| weights.kernel[(out * ins + input) * 9 + 8 - element];
            pack(form, [outs, ins], at, |_| 0.0)
        });
        let gate = passes.map(|passes| Gate { words: passes.words, pitch: outs.div_ceil(WORD) });
        let source = Source { map: output_gradient, gate };
        let dims = input_gradient.dims;
        let target = Target {
            values: Shared::new(input_gradient.values),
            pitch: input_gradient.pitch,
            add,
            rectify: None,
            bits: None,
            words: 0,
        };
        let place = place.map(|place| -2 - place);
        Filtering { form, source, place, weights: seen, target, dims }.run(cpu);
    }
}

/// Packs the weights of windows as seen at each point; `at` tells them by element, channel read and channel written.
fn pack(
    form: Form,
    [from, to]: [usize; 2],
    at: impl Fn(usize, usize, usize) -> f32,
    bias: impl Fn(usize) -> f32,
) -> PackedF32 {
    let points = form.points();
    let mut seen = vec![0.0; points * from * to];
    for channel in 0..from {
        for column in 0..to {
            let window = [0, 1, 2].map(|i| [0, 1, 2].map(|j| f64::from(at(3 * i + j, channel, column))));
            for (point, weight) in form.window(window).enumerate() {
                seen[(point * from + channel) * to + column] = weight as f32;
            }
        }
    }
    PackedF32::new(points * from, to, |row, column| seen[row * to + column], bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_takes_what_was_measured_to_be_fastest() {
        let form = |inputs, outputs, side| best_form([outputs, inputs], Dims { n: 1, h: side, w: side, c: outputs });
        for (inputs, outputs, side) in [(64, 192, 32), (96, 128, 16), (128, 192, 20), (16, 64, 31), (32, 128, 15)] {
            assert_eq!(form(inputs, outputs, side), Some(Form::F4), "{inputs} to {outputs} channels at {side}");
        }
        for (inputs, outputs, side) in [(96, 208, 8), (160, 320, 8), (160, 320, 10), (48, 192, 7), (64, 256, 7)] {
            assert_eq!(form(inputs, outputs, side), Some(Form::F2), "{inputs} to {outputs} channels at {side}");
        }
        for (inputs, outputs, side) in [(192, 384, 4), (192, 384, 5), (3, 64, 128), (64, 3, 128)] {
            assert_eq!(form(inputs, outputs, side), None, "{inputs} to {outputs} channels at {side}");
        }
    }
}
