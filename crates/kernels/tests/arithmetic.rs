//! Arithmetic, means and softmax against their plain loops.

mod common;

use common::{Held, MANY, Noise, beside, dims, each_isa, same_on_threads};
use entoptic_kernels::{
    Dims, Isa, Map, MapMut,
    arithmetic::{add, affine, copy, multiply, multiply_sum},
    mean::{global_mean, global_mean_gradient},
    reference,
    softmax::{softmax, softmax_gradient},
};
use proptest::prelude::*;

#[test]
fn softmax_of_equal_logits_is_uniform() {
    let dims = Dims { n: 1, h: 1, w: 2, c: 2 };
    each_isa(|cpu| {
        let mut output = [0.0; 4];
        // The second by ln 3.
        let input = [500.0, 500.0, 0.0, 3f32.ln()];
        softmax(cpu, Map::dense(&input, dims), MapMut::dense(&mut output, dims));
        let close =
            output.iter().zip([0.5, 0.5, 0.25, 0.75]).all(|(actual, expected)| (actual - expected).abs() < 1e-6);
        assert!(close, "{output:?}");
    });
}

proptest! {
    #![proptest_config(common::cases())]

    #[test]
    fn kernels_agree(dims in dims(), beside in [beside(), beside(), beside()], adds: bool, shifts: bool, seed: u64) {
        let mut noise = Noise(seed);
        let image = Dims { h: 1, w: 1, ..dims };
        let a = &Held::new(dims, beside[0], |count| noise.floats(count));
        let b = &Held::new(dims, beside[1], |count| noise.floats(count));
        let each = &Held::new(image, beside[1], |count| noise.floats(count));
        let to = &Held::new(dims, beside[2], |count| noise.floats(count));
        let to_each = &Held::new(image, beside[2], |count| noise.floats(count));
        let (scale, shift) = (noise.floats(dims.c), noise.floats(dims.c));
        let shift = shifts.then_some(shift.as_slice());
        let check = |expected: Held, isa: Isa, actual: Held| actual.assert_close(&expected, 1e-5, isa);
        each_isa(|cpu| {
            let expected = to.after(|to| reference::combine(a.map(), to, |x, _| x));
            check(expected, cpu.isa, to.after(|to| copy(cpu, a.map(), to)));
            let expected = to.after(|to| reference::combine(a.map(), to, |x, y| x + y));
            check(expected, cpu.isa, to.after(|to| add(cpu, a.map(), to)));
            for b in [b, each] {
                let expected = to.after(|to| reference::multiply(a.map(), b.map(), to, adds));
                check(expected, cpu.isa, to.after(|to| multiply(cpu, a.map(), b.map(), to, adds)));
            }
            let expected = to_each.after(|to| reference::multiply_sum(a.map(), b.map(), to, adds));
            check(expected, cpu.isa, to_each.after(|to| multiply_sum(cpu, a.map(), b.map(), to, adds)));
            let expected = to.after(|to| reference::affine(a.map(), &scale, shift, to, adds));
            check(expected, cpu.isa, to.after(|to| affine(cpu, a.map(), &scale, shift, to, adds)));
            let expected = to_each.after(|to| reference::global_mean(a.map(), to));
            check(expected, cpu.isa, to_each.after(|to| global_mean(cpu, a.map(), to)));
            let expected = to.after(|to| reference::global_mean_gradient(each.map(), to, adds));
            check(expected, cpu.isa, to.after(|to| global_mean_gradient(cpu, each.map(), to, adds)));
            let expected = to.after(|to| reference::softmax(a.map(), to));
            check(expected, cpu.isa, to.after(|to| softmax(cpu, a.map(), to)));
            let expected = to.after(|to| reference::softmax_gradient(a.map(), b.map(), to, adds));
            check(expected, cpu.isa, to.after(|to| softmax_gradient(cpu, a.map(), b.map(), to, adds)));
        });
    }
}

#[test]
fn memory_behind_a_map_is_not_touched() {
    // The map ends with its last pixel's channels, and the slice does not.
    let dims = Dims { n: 1, h: 2, w: 2, c: 3 };
    each_isa(|cpu| {
        let mut output = [9.0; 20];
        add(cpu, Map::dense(&[1.0; 20], dims), MapMut::dense(&mut output, dims));
        assert_eq!(output, [[10.0; 12].as_slice(), &[9.0; 8]].concat()[..], "{}", cpu.isa);
    });
}

#[test]
fn threads_change_no_bit() {
    let dims = Dims { n: 3, h: MANY, w: MANY + 1, c: 70 };
    let image = Dims { h: 1, w: 1, ..dims };
    let mut noise = Noise(1);
    for beside in [[0, 0], [1, 2]] {
        let a = Held::new(dims, beside, |count| noise.floats(count));
        let each = Held::new(image, beside, |count| noise.floats(count));
        same_on_threads(|cpu| {
            let sum = a.after(|to| add(cpu, a.map(), to));
            let product = a.after(|to| multiply(cpu, a.map(), each.map(), to, true));
            let products = each.after(|to| multiply_sum(cpu, a.map(), a.map(), to, true));
            (sum, product, products, a.after(|to| global_mean_gradient(cpu, each.map(), to, false)))
        });
    }
}
