//! What transformers and mobile networks compute beside convolutions, against its plain loops.

mod common;

use common::{Held, MANY, Noise, beside, dims, each_isa, same_on_threads};
use entoptic_kernels::{
    Dims,
    attention::{inner_products, row_softmax, row_softmax_gradient, weighted_sums, weighted_sums_transposed},
    layer_norm::{layer_norm, layer_norm_gradient},
    pointwise::{Function, pointwise, pointwise_gradient},
    reference,
    resample::{Taps, resample},
    select::{select, select_gradient},
};
use proptest::prelude::*;

const FUNCTIONS: [Function; 16] = [
    Function::Sigmoid,
    Function::Tanh,
    Function::Silu,
    Function::HardSigmoid { slope: 0.2, offset: 0.5 },
    Function::HardSwish,
    Function::Gelu,
    Function::GeluTanh,
    Function::Elu { alpha: 1.5 },
    Function::LeakyRelu { slope: 0.1 },
    Function::Softplus,
    Function::Clip { min: -0.3, max: 0.4 },
    Function::Erf,
    Function::Exp,
    Function::Abs,
    Function::Power { exponent: 2.0 },
    Function::Power { exponent: 3.0 },
];

/// Places of an axis with a few taps each, some with none.
fn taps(outputs: usize, inputs: usize, noise: &mut Noise) -> Taps {
    let place = |noise: &mut Noise| ((noise.next() * 0.5 + 0.5) * inputs as f32) as usize % inputs.max(1);
    let count = |noise: &mut Noise| if inputs == 0 { 0 } else { (noise.next() * 2.0 + 2.0) as usize };
    let taps = |noise: &mut Noise| (0..count(noise)).map(|_| (place(noise), noise.next())).collect();
    Taps::new((0..outputs).map(|_| taps(noise)).collect(), inputs)
}

proptest! {
    #![proptest_config(common::cases())]

    #[test]
    fn functions_norms_and_picked_channels_agree(
        dims in dims(), beside in [beside(), beside(), beside()], adds: bool, seed: u64,
    ) {
        let mut noise = Noise(seed);
        // Functions bend beside the range from -1 to 1, too.
        let wide = Held::new(dims, beside[0], |count| noise.floats(count).iter().map(|x| 4.0 * x + 0.013).collect());
        let g = Held::new(dims, beside[1], |count| noise.floats(count));
        let to = Held::new(dims, beside[2], |count| noise.floats(count));
        let (gamma, beta) = (noise.floats(dims.c), noise.floats(dims.c));
        let picked: Vec<usize> = (0..dims.c + 2).map(|i| (i * 7 + 3) % dims.c.max(1)).take_while(|_| dims.c > 0).collect();
        let some = Held::new(Dims { c: picked.len(), ..dims }, beside[1], |count| noise.floats(count));
        each_isa(|cpu| {
            for function in FUNCTIONS {
                let expected = to.after(|to| reference::pointwise(function, wide.map(), to));
                to.after(|to| pointwise(cpu, function, wide.map(), to)).assert_close(&expected, 1e-5, cpu.isa);
                let expected = to.after(|to| reference::pointwise_gradient(function, wide.map(), g.map(), to, adds));
                let actual = to.after(|to| pointwise_gradient(cpu, function, wide.map(), g.map(), to, adds));
                actual.assert_close(&expected, 1e-4, cpu.isa);
            }
            let expected = to.after(|to| reference::layer_norm(&gamma, &beta, 1e-3, wide.map(), to));
            let actual = to.after(|to| layer_norm(cpu, &gamma, &beta, 1e-3, wide.map(), to));
            actual.assert_close(&expected, 1e-4, cpu.isa);
            let expected =
                to.after(|to| reference::layer_norm_gradient(&gamma, 1e-3, wide.map(), g.map(), to, adds));
            let actual = to.after(|to| layer_norm_gradient(cpu, &gamma, 1e-3, wide.map(), g.map(), to, adds));
            actual.assert_close(&expected, 1e-3, cpu.isa);
            let expected = some.after(|to| reference::select(&picked, wide.map(), to));
            some.after(|to| select(cpu, &picked, wide.map(), to)).assert_close(&expected, 0.0, cpu.isa);
            let expected = to.after(|to| reference::select_gradient(&picked, some.map(), to, adds));
            let actual = to.after(|to| select_gradient(cpu, &picked, some.map(), to, adds));
            actual.assert_close(&expected, 1e-6, cpu.isa);
        });
    }

    #[test]
    fn attention_agrees(
        [n, queries, keys, heads, each] in [1..3usize, 1..7, 1..7, 1..4, 1..20], beside in [beside(), beside(), beside()],
        adds: bool, seed: u64,
    ) {
        let mut noise = Noise(seed);
        let tokens = |h: usize| Dims { n, h, w: 1, c: heads * each };
        let q = Held::new(tokens(queries), beside[0], |count| noise.floats(count));
        let k = Held::new(tokens(keys), beside[1], |count| noise.floats(count));
        let pairs = Dims { n, h: queries, w: keys, c: heads };
        let scores = Held::new(pairs, beside[2], |count| noise.floats(count));
        let g = Held::new(pairs, beside[0], |count| noise.floats(count));
        each_isa(|cpu| {
            let expected = scores.after(|to| reference::inner_products(0.7, q.map(), k.map(), to, adds));
            let actual = scores.after(|to| inner_products(cpu, 0.7, q.map(), k.map(), to, adds));
            actual.assert_close(&expected, 1e-5, cpu.isa);
            let expected = q.after(|to| reference::weighted_sums(0.7, scores.map(), k.map(), to, adds));
            let actual = q.after(|to| weighted_sums(cpu, 0.7, scores.map(), k.map(), to, adds));
            actual.assert_close(&expected, 1e-5, cpu.isa);
            let expected = k.after(|to| reference::weighted_sums_transposed(0.7, scores.map(), q.map(), to, adds));
            let actual = k.after(|to| weighted_sums_transposed(cpu, 0.7, scores.map(), q.map(), to, adds));
            actual.assert_close(&expected, 1e-5, cpu.isa);
            let expected = g.after(|to| reference::row_softmax(scores.map(), to));
            g.after(|to| row_softmax(cpu, scores.map(), to)).assert_close(&expected, 1e-5, cpu.isa);
            let expected = g.after(|to| reference::row_softmax_gradient(scores.map(), g.map(), to, adds));
            let actual = g.after(|to| row_softmax_gradient(cpu, scores.map(), g.map(), to, adds));
            actual.assert_close(&expected, 1e-5, cpu.isa);
        });
    }

    #[test]
    fn resampled_maps_agree_and_their_gradients_are_transposed(
        from in dims(), [h, w] in [1..9usize, 1..9], beside in [beside(), beside()], adds: bool, seed: u64,
    ) {
        let mut noise = Noise(seed);
        let to = Dims { h, w, ..from };
        let (rows, columns) = (taps(h, from.h, &mut noise), taps(w, from.w, &mut noise));
        let input = Held::new(from, beside[0], |count| noise.floats(count));
        let output = Held::new(to, beside[1], |count| noise.floats(count));
        each_isa(|cpu| {
            let expected = output.after(|to| reference::resample(&rows, &columns, input.map(), to, adds));
            let actual = output.after(|to| resample(cpu, &rows, &columns, input.map(), to, adds));
            actual.assert_close(&expected, 1e-5, cpu.isa);
        });
        // <A x, y> = <x, A' y>.
        let product = |a: &Held, b: &Held| {
            let pixels = (0..a.dims().pixels()).map(|i| (a.map().pixel(i), b.map().pixel(i)));
            pixels.flat_map(|(a, b)| a.iter().zip(b)).map(|(a, b)| f64::from(a * b)).sum::<f64>()
        };
        let forward = output.after(|to| reference::resample(&rows, &columns, input.map(), to, false));
        let back = [rows.transposed(), columns.transposed()];
        let backward = input.after(|to| reference::resample(&back[0], &back[1], output.map(), to, false));
        let (there, here) = (product(&forward, &output), product(&input, &backward));
        prop_assert!((there - here).abs() < 1e-4 * (1.0 + there.abs()), "{there} and {here}");
    }
}

#[test]
fn threads_change_no_bit() {
    let mut noise = Noise(1);
    let tokens = Dims { n: 2, h: 5 * MANY, w: 1, c: 24 };
    let pairs = Dims { h: 5 * MANY, w: 5 * MANY, c: 3, ..tokens };
    let a = Held::new(tokens, [1, 2], |count| noise.floats(count));
    let weights = Held::new(pairs, [0, 0], |count| noise.floats(count));
    same_on_threads(|cpu| {
        let scores = weights.after(|to| inner_products(cpu, 0.5, a.map(), a.map(), to, true));
        let attention = weights.after(|to| row_softmax(cpu, scores.map(), to));
        let sums = a.after(|to| weighted_sums(cpu, 1.0, attention.map(), a.map(), to, true));
        let transposed = a.after(|to| weighted_sums_transposed(cpu, 1.0, attention.map(), a.map(), to, false));
        let gradient = weights.after(|to| row_softmax_gradient(cpu, attention.map(), scores.map(), to, true));
        let wide = weights.after(|to| pointwise(cpu, Function::Gelu, weights.map(), to));
        (sums, transposed, gradient, wide)
    });
}
