//! What the tests of all kernels share.
#![allow(dead_code, reason = "no test needs all of it")]

use entoptic_kernels::{Cpu, Dims, Isa, Map, MapMut, Passes, PassesMut, Place, Threads, WORD, Window, words};
use proptest::prelude::*;

/// Calls with each instruction set that this CPU has; `tests/convolution.rs` says which it has not.
pub fn each_isa(mut check: impl FnMut(Cpu)) {
    Isa::present().into_iter().for_each(|isa| check(Cpu { isa, threads: Threads::One }));
}

/// How many rows and columns make enough work for several threads.
pub const MANY: usize = if cfg!(miri) { 7 } else { 41 };

/// Checks that many threads compute the very same as one.
pub fn same_on_threads<T: PartialEq + Send>(compute: impl Fn(Cpu) -> T + Sync) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("three threads");
    each_isa(|cpu| {
        let alone = compute(cpu);
        let together = pool.install(|| compute(Cpu { threads: Threads::All, ..cpu }));
        assert!(alone == together, "{} on one thread and on three", cpu.isa);
    });
}

/// Numbers from -1 to 1 that are not in order.
#[derive(Debug)]
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }

    /// Few different numbers, zero among them.
    pub fn steps(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next() * 2.5).round() / 2.0).collect()
    }

    pub fn bits(&mut self, dims: Dims) -> Vec<u16> {
        let mut words = vec![0; words(dims)];
        let mut passes = PassesMut::new(&mut words, dims);
        for pixel in 0..dims.pixels() {
            (0..dims.c).for_each(|c| passes.set(pixel, c, self.next() > 0.0));
        }
        words
    }
}

/// A map in memory, between other channels of the same pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    values: Vec<f32>,
    dims: Dims,
    /// How many channels are before and behind the map's own.
    beside: [usize; 2],
}

impl Held {
    pub fn new(dims: Dims, beside: [usize; 2], values: impl FnOnce(usize) -> Vec<f32>) -> Self {
        let values = values(dims.pixels() * (beside[0] + dims.c + beside[1]));
        Self { values, dims, beside }
    }

    fn pitch(&self) -> usize {
        self.beside[0] + self.dims.c + self.beside[1]
    }

    pub fn dims(&self) -> Dims {
        self.dims
    }

    pub fn map(&self) -> Map<'_> {
        Map::new(&self.values[self.start()..], self.dims, self.pitch())
    }

    pub fn map_mut(&mut self) -> MapMut<'_> {
        let (start, pitch) = (self.start(), self.pitch());
        MapMut::new(&mut self.values[start..], self.dims, pitch)
    }

    fn start(&self) -> usize {
        self.beside[0].min(self.values.len())
    }

    /// What it becomes.
    pub fn after(&self, change: impl FnOnce(MapMut<'_>)) -> Self {
        let mut after = self.clone();
        change(after.map_mut());
        after
    }

    /// Checks that it is as expected to a part of the largest number, and that the channels beside it are untouched.
    pub fn assert_close(&self, expected: &Self, tolerance: f32, isa: Isa) {
        self.assert_within(expected, tolerance * expected.largest(), isa);
    }

    /// The largest number without its sign.
    pub fn largest(&self) -> f32 {
        self.values.iter().map(|x| x.abs()).filter(|x| x.is_finite()).fold(0.0, f32::max)
    }

    /// Checks that no number is farther from what is expected, and that the channels beside it are untouched.
    pub fn assert_within(&self, expected: &Self, tolerance: f32, isa: Isa) {
        for (i, (actual, expected)) in self.values.iter().zip(&expected.values).enumerate() {
            let channel = i % self.pitch();
            let is_own = (self.beside[0]..self.beside[0] + self.dims.c).contains(&channel);
            let is_close = match is_own {
                true => (actual - expected).abs() <= tolerance || actual == expected,
                false => actual.to_bits() == expected.to_bits(),
            };
            let is_as_little_a_number = actual.is_nan() && expected.is_nan();
            assert!(
                is_close || is_as_little_a_number,
                "{isa}: {actual} at pixel {}, channel {channel} of {:?} with {:?} beside; expected {expected}",
                i / self.pitch(),
                self.dims,
                self.beside
            );
        }
    }
}

/// Checks that bits of a rectifier are as expected, but where sums are so near a corner that rounding decides.
pub fn assert_same_bits(actual: &[u16], expected: &[u16], sums: &Held, tolerance: f32, isa: Isa) {
    let dims = sums.dims;
    let [actual_bits, expected_bits] = [actual, expected].map(|words| Passes::new(words, dims));
    for pixel in 0..dims.pixels() {
        for (c, x) in sums.map().pixel(pixel).iter().enumerate() {
            let is_at_corner = x.abs().min((x - 6.0).abs()) <= tolerance;
            let is_same = actual_bits.get(pixel, c) == expected_bits.get(pixel, c);
            assert!(is_same || is_at_corner, "{isa}: the bit of {x} at pixel {pixel}, channel {c} of {dims:?}");
        }
    }
    let behind = |words: &[u16]| {
        words
            .iter()
            .zip(1..)
            .filter(|(_, word)| word % dims.c.div_ceil(WORD) == 0)
            .all(|(word, _)| dims.c.is_multiple_of(WORD) || word >> (dims.c % WORD) == 0)
    };
    assert!(behind(actual), "{isa}: bits behind the last channel of {dims:?}");
}

/// A window over an input, and the output's size.
#[derive(Debug, Clone, Copy)]
pub struct Slide {
    pub window: Window,
    pub place: Place,
    pub input: Dims,
    pub output: Dims,
}

/// How many cases are tried: few where an interpreter looks for undefined behavior.
pub fn cases() -> ProptestConfig {
    ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, ..ProptestConfig::default() }
}

pub fn dims() -> impl Strategy<Value = Dims> {
    let most: usize = if cfg!(miri) { 4 } else { 9 };
    (1usize..3, 1..most, 1..most, channels()).prop_map(|(n, h, w, c)| Dims { n, h, w, c })
}

/// Some for each way through a kernel: several vectors, one, and part of one.
pub fn channels() -> impl Strategy<Value = usize> {
    let most: usize = if cfg!(miri) { 26 } else { 140 };
    prop_oneof![1usize..24, 24..most / 2 + 12, most - 20..most]
}

pub fn beside() -> impl Strategy<Value = [usize; 2]> {
    [0usize..4, 0usize..4]
}

pub fn slide() -> impl Strategy<Value = Slide> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    let window =
        (pair(1..5), pair(1..4), pair(1..3)).prop_map(|(size, stride, dilation)| Window { size, stride, dilation });
    (window, [-4isize..4, -4isize..4], dims(), pair(1..8)).prop_map(|(window, place, input, [h, w])| Slide {
        window,
        place,
        input,
        output: Dims { h, w, ..input },
    })
}
