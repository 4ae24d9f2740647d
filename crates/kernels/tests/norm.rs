//! Local response normalization against its plain loops.

mod common;

use common::{Held, MANY, Noise, beside, dims, each_isa, same_on_threads};
use entoptic_kernels::{
    Dims, Map, MapMut,
    norm::{LocalResponseNorm, local_response_norm, local_response_norm_gradient},
    reference,
};
use proptest::prelude::*;

#[test]
fn neighbors_are_summed() {
    // With alpha 1, k 1 and three channels: scales 6, 15, 14 of the squares 1, 4, 9.
    let norm = LocalResponseNorm { size: 3, alpha: 1.0, beta: 0.5, k: 1.0 };
    let dims = Dims { n: 1, h: 1, w: 1, c: 3 };
    let expected = [1.0 / 6f32.sqrt(), 2.0 / 15f32.sqrt(), 3.0 / 14f32.sqrt()];
    each_isa(|cpu| {
        let mut output = [0.0; 3];
        let input = [1.0, 2.0, 3.0];
        local_response_norm(cpu, norm, Map::dense(&input, dims), MapMut::dense(&mut output, dims));
        let close = output.iter().zip(expected).all(|(actual, expected)| (actual - expected).abs() < 1e-6);
        assert!(close, "{}: {output:?}, not {expected:?}", cpu.isa);
    });
}

#[test]
fn gradients_are_the_slopes() {
    let norm = LocalResponseNorm { size: 5, alpha: 0.3, beta: 0.75, k: 1.5 };
    let dims = Dims { n: 1, h: 1, w: 1, c: 9 };
    let mut noise = Noise(3);
    let (input, weights) = (noise.floats(9), noise.floats(9));
    // Of the weighted sum of outputs, in double precision.
    let value = |x: &[f64]| -> f64 {
        let scale = |c: usize| {
            let squares: f64 = x[c.saturating_sub(2)..(c + 3).min(9)].iter().map(|x| x * x).sum();
            f64::from(norm.k) + f64::from(norm.alpha) * squares
        };
        (0..9).map(|c| f64::from(weights[c]) * x[c] * scale(c).powf(-f64::from(norm.beta))).sum()
    };
    let at = |c: usize, step: f64| {
        let mut x: Vec<f64> = input.iter().map(|&x| f64::from(x)).collect();
        x[c] += step;
        value(&x)
    };
    each_isa(|cpu| {
        let mut gradient = [0.0; 9];
        let (x, g) = (Map::dense(&input, dims), Map::dense(&weights, dims));
        local_response_norm_gradient(cpu, norm, x, g, MapMut::dense(&mut gradient, dims), false);
        for (c, actual) in gradient.into_iter().enumerate() {
            let slope = (at(c, 1e-5) - at(c, -1e-5)) / 2e-5;
            assert!((f64::from(actual) - slope).abs() < 1e-6, "{}: {actual} at {c}, not {slope}", cpu.isa);
        }
    });
}

#[test]
fn what_overflows_becomes_zero() {
    // As `x / inf` is.
    let norm = LocalResponseNorm { size: 5, alpha: 1.0, beta: 0.75, k: 1.0 };
    let dims = Dims { n: 1, h: 1, w: 1, c: 4 };
    each_isa(|cpu| {
        let mut output = [9.0; 4];
        local_response_norm(cpu, norm, Map::dense(&[1.0, 1e20, 1.0, 2.0], dims), MapMut::dense(&mut output, dims));
        assert!(output.iter().all(|x| x.abs() < 1e-8), "{}: {output:?}", cpu.isa);
    });
}

fn norms() -> impl Strategy<Value = LocalResponseNorm> {
    let size = prop_oneof![Just(5usize), (0usize..12).prop_map(|half| 2 * half + 1)];
    let beta = prop_oneof![Just(0.5f32), Just(0.75), 0.1f32..2.0];
    let k = prop_oneof![Just(1.0f32), 0.5f32..3.0];
    (size, 1e-5f32..1.0, beta, k).prop_map(|(size, alpha, beta, k)| LocalResponseNorm { size, alpha, beta, k })
}

proptest! {
    #![proptest_config(common::cases())]

    #[test]
    fn kernels_agree(
        norm in norms(),
        dims in dims(),
        beside in [beside(), beside(), beside()],
        add: bool,
        scale in prop_oneof![Just(1.0f32), Just(100.0)],
        seed: u64,
    ) {
        let mut noise = Noise(seed);
        let input = Held::new(dims, beside[0], |count| noise.floats(count).iter().map(|x| x * scale).collect());
        let gradient = Held::new(dims, beside[1], |count| noise.floats(count));
        let before = Held::new(dims, beside[2], |count| noise.floats(count));
        let expected = before.after(|to| reference::local_response_norm(norm, input.map(), to));
        let expected_gradient = before
            .after(|to| reference::local_response_norm_gradient(norm, input.map(), gradient.map(), to, add));
        each_isa(|cpu| {
            let actual = before.after(|to| local_response_norm(cpu, norm, input.map(), to));
            actual.assert_close(&expected, 2e-6, cpu.isa);
            let actual = before
                .after(|to| local_response_norm_gradient(cpu, norm, input.map(), gradient.map(), to, add));
            actual.assert_close(&expected_gradient, 5e-6, cpu.isa);
        });
    }
}

#[test]
fn threads_change_no_bit() {
    let norm = LocalResponseNorm { size: 5, alpha: 0.1, beta: 0.75, k: 1.0 };
    let dims = Dims { n: 2, h: MANY, w: MANY, c: 70 };
    let mut noise = Noise(1);
    let (input, gradient) = (noise.floats(dims.len()), noise.floats(dims.len()));
    let (input, gradient) = (Map::dense(&input, dims), Map::dense(&gradient, dims));
    let empty = Held::new(dims, [1, 2], |count| vec![0.5; count]);
    same_on_threads(|cpu| {
        let output = empty.after(|to| local_response_norm(cpu, norm, input, to));
        (output, empty.after(|to| local_response_norm_gradient(cpu, norm, input, gradient, to, true)))
    });
}
