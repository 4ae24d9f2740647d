//! Winograd's minimal filtering against the plain loops.

mod common;

use common::{Held, MANY, Noise, assert_same_bits, beside, each_isa, same_on_threads};
use entoptic_kernels::{
    Algorithm, Convolution, Dims, Passes, PassesMut, Rectifier, Rectify, Weights, Window, reference, words,
};
use proptest::prelude::*;

const WINDOW: Window = Window { size: [3; 2], stride: [1; 2], dilation: [1; 2] };

#[derive(Debug, Clone)]
struct Case {
    input: Dims,
    output: Dims,
    place: [isize; 2],
    beside: [[usize; 2]; 2],
    has_bias: bool,
    rectifier: Option<(Rectifier, bool)>,
    has_passes: bool,
    add: bool,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let most: usize = if cfg!(miri) { 7 } else { 14 };
    let channels = move || prop_oneof![1..most, most..5 * most];
    let sides = move || [1..most, 1..most];
    let sizes = (1usize..3, sides(), sides(), [-5isize..4, -5isize..4], [channels(), channels()]);
    let rectifier = prop::option::of((prop_oneof![Just(Rectifier::Relu), Just(Rectifier::Relu6)], any::<bool>()));
    let rest = ([beside(), beside()], any::<bool>(), rectifier, any::<bool>(), any::<bool>(), any::<u64>());
    (sizes, rest).prop_map(|((n, [h, w], [rows, columns], place, [ins, outs]), rest)| {
        let (beside, has_bias, rectifier, has_passes, add, seed) = rest;
        let (input, output) = (Dims { n, h, w, c: ins }, Dims { n, h: rows, w: columns, c: outs });
        Case { input, output, place, beside, has_bias, rectifier, has_passes, add, seed }
    })
}

impl Case {
    fn rectify<'a>(&self, bits: &'a mut [u16]) -> Option<Rectify<'a>> {
        let (rectifier, at_corners) = self.rectifier?;
        let passes = if self.has_passes { Some(PassesMut::new(bits, self.output)) } else { None };
        Some(Rectify { rectifier, passes, at_corners })
    }
}

proptest! {
    #![proptest_config(common::cases())]

    #[test]
    fn both_forms_agree_with_plain_sums(case in cases()) {
        let Case { input, output, place, beside, has_bias, rectifier, has_passes, add, seed } = case.clone();
        let mut noise = Noise(seed);
        let kernel = noise.floats(output.c * input.c * 9);
        let bias = noise.floats(output.c);
        let bias = has_bias.then_some(bias.as_slice());
        let weights = Weights { kernel: &kernel, bias, channels: [output.c, input.c], groups: 1, window: WINDOW };
        let from = Held::new(input, beside[0], |count| noise.floats(count));
        let to = Held::new(output, beside[1], |count| noise.floats(count));
        let mut bits = vec![0; words(output)];
        let expected = to.after(|to| reference::convolution(weights, from.map(), place, to, case.rectify(&mut bits)));
        let sums = to.after(|to| reference::convolution(weights, from.map(), place, to, None));
        let passes = noise.bits(output);
        let passes = has_passes.then(|| Passes::new(&passes, output));
        let expected_gradient = from.after(|from| {
            reference::convolution_gradient(weights, to.map(), passes, place, from, add);
        });
        // What should be zero, as it sees only padding, is what rounding leaves of its neighbors.
        let tolerances = [&expected, &expected_gradient].map(|expected| 1e-5 * expected.largest().max(10.0));
        for algorithm in [Algorithm::Winograd2, Algorithm::Winograd4] {
            let convolution = Convolution::new(weights).with_algorithm(algorithm);
            each_isa(|cpu| {
                // What is in the words before does not matter.
                let mut actual_bits = vec![if rectifier.is_some() && has_passes { 0xffff } else { 0 }; words(output)];
                let actual =
                    to.after(|to| convolution.forward(cpu, from.map(), place, to, case.rectify(&mut actual_bits)));
                actual.assert_within(&expected, tolerances[0], cpu.isa);
                if has_passes && rectifier.is_some() {
                    assert_same_bits(&actual_bits, &bits, &sums, tolerances[0], cpu.isa);
                }
                let actual = from.after(|from| convolution.input_gradient(cpu, to.map(), passes, place, from, add));
                actual.assert_within(&expected_gradient, tolerances[1], cpu.isa);
            });
        }
    }
}

#[test]
fn threads_and_chunks_change_no_bit() {
    let mut noise = Noise(1);
    let kernel = noise.floats(40 * 33 * 9);
    let weights = Weights { kernel: &kernel, bias: None, channels: [33, 40], groups: 1, window: WINDOW };
    let (input, output) = [40, 33].map(|c| Dims { n: 3, h: MANY, w: MANY + 9, c }).into();
    let from = Held::new(input, [1, 2], |count| noise.floats(count));
    let to = Held::new(output, [0, 1], |count| noise.floats(count));
    for algorithm in [Algorithm::Winograd2, Algorithm::Winograd4] {
        let convolution = Convolution::new(weights).with_algorithm(algorithm);
        same_on_threads(|cpu| {
            let mut bits = vec![0; words(output)];
            let forward = to.after(|to| {
                let passes = Some(PassesMut::new(&mut bits, output));
                let rectify = Rectify { rectifier: Rectifier::Relu, passes, at_corners: false };
                convolution.forward(cpu, from.map(), [-1; 2], to, Some(rectify));
            });
            let passes = Some(Passes::new(&bits, output));
            let gradient = from.after(|from| convolution.input_gradient(cpu, to.map(), passes, [-1; 2], from, true));
            (forward, bits.clone(), gradient)
        });
    }
}
