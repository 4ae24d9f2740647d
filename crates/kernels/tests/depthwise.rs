//! Depthwise convolutions against the plain loops.

mod common;

use common::{Held, MANY, Noise, Slide, assert_same_bits, beside, each_isa, same_on_threads, slide};
use entoptic_kernels::{Convolution, Dims, Passes, PassesMut, Rectifier, Rectify, Weights, Window, reference, words};
use proptest::prelude::*;

fn weights<'a>(kernel: &'a [f32], bias: Option<&'a [f32]>, channels: usize, window: Window) -> Weights<'a> {
    Weights { kernel, bias, channels: [channels; 2], groups: channels, window }
}

proptest! {
    #![proptest_config(common::cases())]

    #[test]
    fn kernels_agree(
        slide in slide(),
        beside in [beside(), beside()],
        has_bias: bool,
        rectifier in prop::option::of((prop_oneof![Just(Rectifier::Relu), Just(Rectifier::Relu6)], any::<bool>())),
        has_passes: bool,
        add: bool,
        seed: u64,
    ) {
        let Slide { window, place, input, output } = slide;
        let mut noise = Noise(seed);
        let kernel = noise.floats(input.c * window.area());
        let bias = noise.floats(input.c);
        let weights = weights(&kernel, has_bias.then_some(&bias), input.c, window);
        let from = Held::new(input, beside[0], |count| noise.floats(count));
        let to = Held::new(output, beside[1], |count| noise.floats(count));
        let mut bits = vec![0; words(output)];
        let expected = to.after(|to| {
            let rectify = rectifier.map(|(rectifier, at_corners)| Rectify {
                rectifier,
                passes: has_passes.then(|| PassesMut::new(&mut bits, output)),
                at_corners,
            });
            reference::convolution(weights, from.map(), place, to, rectify);
        });
        let sums = to.after(|to| reference::convolution(weights, from.map(), place, to, None));
        let passes = noise.bits(output);
        let passes = has_passes.then(|| Passes::new(&passes, output));
        let expected_gradient = from.after(|from| {
            reference::convolution_gradient(weights, to.map(), passes, place, from, add);
        });
        let convolution = Convolution::new(weights);
        each_isa(|cpu| {
            // What is in the words before does not matter.
            let mut actual_bits = vec![if rectifier.is_some() && has_passes { 0xffff } else { 0 }; words(output)];
            let actual = to.after(|to| {
                let rectify = rectifier.map(|(rectifier, at_corners)| Rectify {
                    rectifier,
                    passes: has_passes.then(|| PassesMut::new(&mut actual_bits, output)),
                    at_corners,
                });
                convolution.forward(cpu, from.map(), place, to, rectify);
            });
            actual.assert_close(&expected, 1e-5, cpu.isa);
            if has_passes && rectifier.is_some() {
                assert_same_bits(&actual_bits, &bits, &sums, 1e-5 * sums.largest(), cpu.isa);
            }
            let actual = from.after(|from| convolution.input_gradient(cpu, to.map(), passes, place, from, add));
            actual.assert_close(&expected_gradient, 1e-5, cpu.isa);
        });
    }
}

#[test]
fn threads_change_no_bit() {
    let window = Window { size: [3; 2], stride: [2, 1], dilation: [1, 2] };
    let (input, output) = (Dims { n: 2, h: MANY, w: MANY, c: 40 }, Dims { n: 2, h: MANY / 2, w: MANY, c: 40 });
    let mut noise = Noise(1);
    let kernel = noise.floats(input.c * window.area());
    let convolution = Convolution::new(weights(&kernel, None, input.c, window));
    let from = Held::new(input, [1, 2], |count| noise.floats(count));
    let to = Held::new(output, [0, 1], |count| noise.floats(count));
    same_on_threads(|cpu| {
        let mut bits = vec![0; words(output)];
        let forward = to.after(|to| {
            let passes = Some(PassesMut::new(&mut bits, output));
            let rectify = Rectify { rectifier: Rectifier::Relu6, passes, at_corners: false };
            convolution.forward(cpu, from.map(), [-1, -2], to, Some(rectify));
        });
        let passes = Some(Passes::new(&bits, output));
        let gradient = from.after(|from| convolution.input_gradient(cpu, to.map(), passes, [-1, -2], from, true));
        (forward, bits.clone(), gradient)
    });
}
