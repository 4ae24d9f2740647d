//! What the machine has, and what it can do at most.

use std::{
    array, fs,
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use pulp::{Arch, Simd, WithSimd};

/// So many threads, or as many as there are cores.
pub fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from)
}

/// PyTorch's threads wait for each other, so its times suffer most from whatever else runs.
pub fn warn_if_busy() {
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|load| load.split(' ').next()?.parse::<f64>().ok());
    if let Some(load) = load.filter(|&load| load > 0.5) {
        eprintln!("warning: the machine is busy, its load is {load}; the times will say little");
    }
}

/// The f32 operations per second of so many threads that do nothing but multiply and add in registers.
pub fn f32_peak(threads: usize) -> f64 {
    let rounds = 1 << 22;
    let fastest = (0..12).map(|_| time(threads, rounds)).min().expect("there are rounds");
    let lanes = Arch::new().dispatch(Lanes);
    2.0 * (lanes * CHAINS * rounds * threads) as f64 / fastest.as_secs_f64()
}

fn time(threads: usize, rounds: usize) -> Duration {
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| black_box(Arch::new().dispatch(Chains { rounds })));
        }
    });
    started.elapsed()
}

/// How many floats a register holds.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// Enough independent chains to hide a fused multiply-add's latency: 4 cycles, two of them a cycle.
const CHAINS: usize = 12;

struct Chains {
    rounds: usize,
}

impl WithSimd for Chains {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let [factor, summand] = [0.5, 1.0].map(|v| simd.splat_f32s(black_box(v)));
        let mut sums: [S::f32s; CHAINS] = array::from_fn(|i| simd.splat_f32s(i as f32));
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, factor, summand);
            }
        }
        sums.iter().map(|&sum| simd.reduce_sum_f32s(sum)).sum()
    }
}
