//! Rectifiers against their plain loops.

mod common;

use common::{Held, MANY, Noise, beside, dims, each_isa, same_on_threads};
use entoptic_kernels::{
    Dims, Map, Passes, PassesMut, Rectifier, Rectify,
    rectify::{block, rectify, redirect},
    reference, words,
};
use proptest::prelude::*;

#[test]
fn what_is_no_number_stays_none() {
    let dims = Dims { n: 1, h: 1, w: 1, c: 5 };
    let input = Held::new(dims, [0; 2], |_| vec![f32::NAN, -1.0, 7.0, 6.0, 0.0]);
    each_isa(|cpu| {
        for (rectifier, at_corners, largest, passing) in [
            (Rectifier::Relu, false, 7.0, 0b01100),
            (Rectifier::Relu, true, 7.0, 0b11100),
            (Rectifier::Relu6, false, 6.0, 0b00000),
            (Rectifier::Relu6, true, 6.0, 0b11000),
        ] {
            let (mut bits, mut above) = ([0xffff], [0xffff]);
            let output = input.after(|output| {
                let passes = Some(PassesMut::new(&mut bits, dims));
                let saturated = Some(PassesMut::new(&mut above, dims));
                rectify(cpu, input.map(), output, Rectify { rectifier, passes, at_corners }, saturated);
            });
            let values = output.map().pixel(0);
            assert!(values[0].is_nan() && values[1..] == [0.0, largest, 6.0, 0.0], "{}: {values:?}", cpu.isa);
            assert_eq!((bits, above), ([passing], [0b00100]), "{} {rectifier:?} {at_corners}", cpu.isa);
        }
    });
}

#[test]
fn only_silent_images_are_redirected() {
    // Three images of two channels: in the first a gradient passes, in the second its square is no number that floats
    // have, in the third the only ones that are not zero are blocked.
    let dims = Dims { n: 3, h: 1, w: 1, c: 2 };
    let gradient = [1.0, 2.0, 1e-30, 3.0, -1.0, 4.0];
    each_isa(|cpu| {
        let mut bits = [0b01, 0b01, 0b00];
        redirect(cpu, Map::dense(&gradient, dims), PassesMut::new(&mut bits, dims), None);
        assert_eq!(bits, [0b01, 0b01, 0b01], "{}", cpu.isa);
        // Where a unit is saturated, what would raise it further is blocked, and not what lowers it.
        let mut bits = [0b01, 0b01, 0b00];
        let saturated = Passes::new(&[0b11, 0b11, 0b11], dims);
        redirect(cpu, Map::dense(&gradient, dims), PassesMut::new(&mut bits, dims), Some(saturated));
        assert_eq!(bits, [0b01, 0b11, 0b10], "{}", cpu.isa);
    });
}

fn rectifiers() -> impl Strategy<Value = (Rectifier, bool)> {
    (prop_oneof![Just(Rectifier::Relu), Just(Rectifier::Relu6)], any::<bool>())
}

proptest! {
    #![proptest_config(common::cases())]

    #[test]
    fn rectifiers_agree(
        (rectifier, at_corners) in rectifiers(),
        dims in dims(),
        beside in [beside(), beside()],
        seed: u64,
    ) {
        let mut noise = Noise(seed);
        // With both corners.
        let input = Held::new(dims, beside[0], |count| noise.steps(count).iter().map(|x| 6.0 * x).collect());
        let before = Held::new(dims, beside[1], |count| noise.floats(count));
        let [mut bits, mut above] = [(); 2].map(|()| vec![0; words(dims)]);
        let expected = before.after(|output| {
            let passes = Some(PassesMut::new(&mut bits, dims));
            let saturated = Some(PassesMut::new(&mut above, dims));
            reference::rectify(input.map(), output, Rectify { rectifier, passes, at_corners }, saturated);
        });
        each_isa(|cpu| {
            let [mut actual_bits, mut actual_above] = [(); 2].map(|()| vec![0xffff; words(dims)]);
            let actual = before.after(|output| {
                let passes = Some(PassesMut::new(&mut actual_bits, dims));
                let saturated = Some(PassesMut::new(&mut actual_above, dims));
                rectify(cpu, input.map(), output, Rectify { rectifier, passes, at_corners }, saturated);
            });
            actual.assert_close(&expected, 0.0, cpu.isa);
            assert_eq!((actual_bits, actual_above), (bits.clone(), above.clone()), "{}", cpu.isa);
            let actual = before.after(|output| {
                rectify(cpu, input.map(), output, Rectify { rectifier, passes: None, at_corners }, None);
            });
            actual.assert_close(&expected, 0.0, cpu.isa);
        });
    }

    #[test]
    fn gradients_agree(
        dims in dims(),
        beside in beside(),
        saturates: bool,
        loudness in prop_oneof![Just(0.0f32), Just(1e-30), Just(1.0)],
        seed: u64,
    ) {
        let mut noise = Noise(seed);
        let before = noise.bits(dims);
        // In most images, gradients that pass are zero or nearly.
        let mut gradient = Held::new(dims, beside, |count| noise.steps(count));
        for pixel in 0..dims.pixels() {
            for c in 0..dims.c {
                if Passes::new(&before, dims).get(pixel, c) {
                    gradient.map_mut().pixel(pixel)[c] *= loudness;
                }
            }
        }
        let saturated = noise.bits(dims);
        let saturated = saturates.then(|| Passes::new(&saturated, dims));
        let mut expected = before.clone();
        reference::redirect(gradient.map(), PassesMut::new(&mut expected, dims), saturated);
        let expected_gradient = gradient.after(|gradient| reference::block(gradient, Passes::new(&expected, dims)));
        each_isa(|cpu| {
            let mut actual = before.clone();
            redirect(cpu, gradient.map(), PassesMut::new(&mut actual, dims), saturated);
            assert_eq!(actual, expected, "{}", cpu.isa);
            let actual_gradient = gradient.after(|gradient| block(cpu, gradient, Passes::new(&actual, dims)));
            actual_gradient.assert_close(&expected_gradient, 0.0, cpu.isa);
        });
    }
}

#[test]
fn threads_change_no_bit() {
    let dims = Dims { n: 3, h: MANY, w: MANY + 1, c: 40 };
    let mut noise = Noise(1);
    let input = Held::new(dims, [1, 2], |count| noise.steps(count));
    let before = noise.bits(dims);
    same_on_threads(|cpu| {
        let [mut bits, mut above] = [(); 2].map(|()| vec![0; words(dims)]);
        let output = input.after(|output| {
            let passes = Some(PassesMut::new(&mut bits, dims));
            let saturated = Some(PassesMut::new(&mut above, dims));
            let how = Rectify { rectifier: Rectifier::Relu6, passes, at_corners: false };
            rectify(cpu, input.map(), output, how, saturated);
        });
        let mut redirected = vec![0; words(dims)];
        redirect(cpu, input.map(), PassesMut::new(&mut redirected, dims), None);
        (output, bits, above, redirected, input.after(|gradient| block(cpu, gradient, Passes::new(&before, dims))))
    });
}
