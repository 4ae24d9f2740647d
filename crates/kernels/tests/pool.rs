//! Pools against their plain loops.

mod common;

use common::{Held, MANY, Noise, Slide, beside, each_isa, same_on_threads, slide};
use entoptic_kernels::{
    Dims, Map, MapMut, Window,
    pool::{self, Shares},
    reference,
};
use proptest::prelude::*;

#[test]
fn winners_are_the_first_of_the_largest() {
    // One window of 2 × 2 over each of three channels: a tie, what is no number, and nothing that is larger than padding.
    let nan = f32::NAN;
    let input = [[1.0, 2.0, f32::NEG_INFINITY], [5.0, nan, f32::NEG_INFINITY]];
    let input =
        [input, [[5.0, nan, f32::NEG_INFINITY], [0.0, 9.0, f32::NEG_INFINITY]]].as_flattened().as_flattened().to_vec();
    let window = Window { size: [2; 2], stride: [2; 2], dilation: [1; 2] };
    let (from, to) = (Dims { n: 1, h: 2, w: 2, c: 3 }, Dims { n: 1, h: 1, w: 1, c: 3 });
    each_isa(|cpu| {
        let (mut output, mut winners) = ([0.0; 3], [9; 3]);
        let (input, result) = (Map::dense(&input, from), MapMut::dense(&mut output, to));
        pool::max_pool(cpu, window, [0, 0], input, result, Some(&mut winners));
        assert!(output[0] == 5.0 && output[1].is_nan() && output[2] == f32::NEG_INFINITY, "{output:?}");
        assert_eq!(winners, [1, 1, 0]);
        // With the first row in the padding.
        let (mut output, mut winners) = ([0.0; 3], [9; 3]);
        pool::max_pool(cpu, window, [-1, 0], input, MapMut::dense(&mut output, to), Some(&mut winners));
        assert!(output[0] == 5.0 && output[1].is_nan() && output[2] == f32::NEG_INFINITY, "{output:?}");
        assert_eq!(winners, [3, 3, 2]);
    });
}

#[test]
fn gradients_go_to_winners() {
    // Two windows of 1 × 2, one element apart, over three pixels; both may win the second.
    let window = Window { size: [1, 2], stride: [1; 2], dilation: [1; 2] };
    let (from, to) = (Dims { n: 1, h: 1, w: 3, c: 1 }, Dims { n: 1, h: 1, w: 2, c: 1 });
    let gradient = [10.0, 100.0];
    for (winners, add, expected) in
        [([1, 0], false, [0.0, 110.0, 0.0]), ([0, 1], false, [10.0, 0.0, 100.0]), ([0, 0], true, [11.0, 102.0, 3.0])]
    {
        each_isa(|cpu| {
            let mut result = [1.0, 2.0, 3.0];
            let (gradient, input) = (Map::dense(&gradient, to), MapMut::dense(&mut result, from));
            pool::max_pool_gradient(cpu, window, [0, 0], &winners, gradient, input, add);
            assert_eq!(result, expected, "{}", cpu.isa);
        });
    }
}

/// What a mean over all elements, or over those that are no padding, divides by.
fn shares(slide: Slide, padding_counts: bool) -> [Vec<f32>; 2] {
    let Slide { window, place, input, output } = slide;
    [(0, input.h, output.h), (1, input.w, output.w)].map(|(axis, inputs, outputs)| {
        let counts = |output: usize, element: usize| {
            let at = place[axis] + (output * window.stride[axis] + element * window.dilation[axis]) as isize;
            padding_counts || (0..inputs as isize).contains(&at)
        };
        let count = |output| (0..window.size[axis]).filter(|&element| counts(output, element)).count();
        (0..outputs).map(|output| 1.0 / count(output).max(1) as f32).collect()
    })
}

proptest! {
    #![proptest_config(common::cases())]

    #[test]
    fn max_pools_and_gradients_agree(slide in slide(), beside in [beside(), beside()], add: bool, seed: u64) {
        let Slide { window, place, input, output } = slide;
        let mut noise = Noise(seed);
        // With ties.
        let from = Held::new(input, beside[0], |count| noise.steps(count));
        let to = Held::new(output, beside[1], |count| noise.floats(count));
        let mut expected_winners = vec![0; output.len()];
        let winners = Some(expected_winners.as_mut_slice());
        let expected = to.after(|to| reference::max_pool(window, place, from.map(), to, winners));
        let gradient = to.clone();
        let expected_gradient = from.after(|from| {
            reference::max_pool_gradient(window, place, &expected_winners, gradient.map(), from, add);
        });
        each_isa(|cpu| {
            let mut winners = vec![77; output.len()];
            let actual = to.after(|to| pool::max_pool(cpu, window, place, from.map(), to, Some(&mut winners)));
            actual.assert_close(&expected, 0.0, cpu.isa);
            assert_eq!(winners, expected_winners, "{}", cpu.isa);
            let actual = to.after(|to| pool::max_pool(cpu, window, place, from.map(), to, None));
            actual.assert_close(&expected, 0.0, cpu.isa);
            let actual = from.after(|from| {
                pool::max_pool_gradient(cpu, window, place, &winners, gradient.map(), from, add);
            });
            actual.assert_close(&expected_gradient, 1e-6, cpu.isa);
        });
    }

    #[test]
    fn average_pools_and_gradients_agree(
        slide in slide(),
        beside in [beside(), beside()],
        padding_counts: bool,
        add: bool,
        seed: u64,
    ) {
        let Slide { window, place, input, output } = slide;
        let mut noise = Noise(seed);
        let from = Held::new(input, beside[0], |count| noise.floats(count));
        let to = Held::new(output, beside[1], |count| noise.floats(count));
        let [rows, columns] = shares(slide, padding_counts);
        let shares = Shares { rows: &rows, columns: &columns };
        let expected = to.after(|to| reference::average_pool(window, place, shares, from.map(), to));
        let expected_gradient = from.after(|from| {
            reference::average_pool_gradient(window, place, shares, to.map(), from, add);
        });
        each_isa(|cpu| {
            let actual = to.after(|to| pool::average_pool(cpu, window, place, shares, from.map(), to));
            actual.assert_close(&expected, 1e-5, cpu.isa);
            let actual = from.after(|from| {
                pool::average_pool_gradient(cpu, window, place, shares, to.map(), from, add);
            });
            actual.assert_close(&expected_gradient, 1e-5, cpu.isa);
        });
    }

    #[test]
    fn gradients_of_l2_pools_agree(slide in slide(), beside in [beside(), beside(), beside()], add: bool, seed: u64) {
        let Slide { window, place, input, output } = slide;
        let mut noise = Noise(seed);
        // With zeros, which have no sign.
        let from = Held::new(input, beside[0], |count| noise.steps(count));
        let gradient = Held::new(output, beside[1], |count| noise.floats(count));
        let before = Held::new(input, beside[2], |count| noise.floats(count));
        let [rows, columns] = shares(slide, true);
        let shares = Shares { rows: &rows, columns: &columns };
        let expected = before.after(|to| {
            reference::l2_pool_gradient(window, place, shares, 0.1, from.map(), gradient.map(), to, add);
        });
        each_isa(|cpu| {
            let actual = before.after(|to| {
                pool::l2_pool_gradient(cpu, window, place, shares, 0.1, from.map(), gradient.map(), to, add);
            });
            actual.assert_close(&expected, 1e-5, cpu.isa);
        });
    }
}

#[test]
fn threads_change_no_bit() {
    let window = Window { size: [3; 2], stride: [2; 2], dilation: [1; 2] };
    let side = (MANY + 2) / 2;
    let (from, to) = (Dims { n: 2, h: MANY, w: MANY, c: 70 }, Dims { n: 2, h: side, w: side, c: 70 });
    let slide = Slide { window, place: [-1; 2], input: from, output: to };
    let mut noise = Noise(1);
    let (input, gradient) = (noise.steps(from.len()), noise.floats(to.len()));
    let (input, gradient) = (Map::dense(&input, from), Map::dense(&gradient, to));
    let [rows, columns] = shares(slide, false);
    let shares = Shares { rows: &rows, columns: &columns };
    let empty = |dims, beside| Held::new(dims, beside, |count| vec![0.5; count]);
    same_on_threads(|cpu| {
        let mut winners = vec![0; to.len()];
        let largest = empty(to, [1, 0]).after(|to| pool::max_pool(cpu, window, [-1; 2], input, to, Some(&mut winners)));
        let won = empty(from, [0, 1])
            .after(|from| pool::max_pool_gradient(cpu, window, [-1; 2], &winners, gradient, from, true));
        (largest, winners, won)
    });
    same_on_threads(|cpu| {
        let mean = empty(to, [0, 2]).after(|to| pool::average_pool(cpu, window, [-1; 2], shares, input, to));
        let mean_gradient = empty(from, [1, 1])
            .after(|from| pool::average_pool_gradient(cpu, window, [-1; 2], shares, gradient, from, false));
        let l2_gradient = empty(from, [1, 1]).after(|from| {
            pool::l2_pool_gradient(cpu, window, [-1; 2], shares, 0.1, input, gradient, from, false);
        });
        (mean, mean_gradient, l2_gradient)
    });
}
