//! The discrete Fourier transform of eight signals at a time, which is what vector instructions are good at.
//!
//! # Reference
//! Stockham's self-sorting transform, as in Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992.

use std::{array::from_fn, f64::consts::TAU};

use macerator::{AutoArch, Simd, WithSimd};
use num_complex::Complex32;

/// How many signals.
pub(super) const LANES: usize = 8;

/// One number of each signal.
pub(super) type Numbers = [f32; LANES];

/// One complex number of each signal: a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Lanes {
    pub re: Numbers,
    pub im: Numbers,
}

impl Lanes {
    pub const ZERO: Self = Self { re: [0.0; LANES], im: [0.0; LANES] };

    #[inline(always)]
    fn get(&self, lane: usize) -> Complex32 {
        Complex32::new(self.re[lane], self.im[lane])
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, value: Complex32) {
        [self.re[lane], self.im[lane]] = [value.re, value.im];
    }

    #[inline(always)]
    fn add(&mut self, other: &Self) {
        for lane in 0..LANES {
            self.re[lane] += other.re[lane];
            self.im[lane] += other.im[lane];
        }
    }

    #[inline(always)]
    fn times(&self, factor: Complex32) -> Self {
        let mut product = Self::ZERO;
        for lane in 0..LANES {
            product.set(lane, self.get(lane) * factor);
        }
        product
    }

    /// Real parts for imaginary ones, and the other way round.
    #[inline(always)]
    fn exchanged(&self) -> Self {
        Self { re: self.im, im: self.re }
    }
}

/// Which way a transform goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From a signal to its spectrum.
    Forward,
    /// From a spectrum to its signal, not yet divided by its length.
    Inverse,
}

impl Direction {
    /// The number whose power `i` is the wave of `n` places that goes round once.
    fn root(self, i: usize, n: usize) -> Complex32 {
        // Reduced first: cosines of large angles lose digits.
        let (sin, cos) = (TAU * (i % n) as f64 / n as f64).sin_cos();
        match self {
            Self::Forward => Complex32::new(cos as f32, -sin as f32),
            Self::Inverse => Complex32::new(cos as f32, sin as f32),
        }
    }
}

/// The transform of signals of one length.
#[derive(Debug)]
pub(super) struct Fft {
    stages: Vec<Stage>,
    chirp: Option<Chirp>,
}

/// The largest prime factor of a length that is transformed in stages; they take time in proportion to it.
const LARGEST_RADIX: usize = 31;

impl Fft {
    pub fn new(length: usize, direction: Direction) -> Self {
        match radices(length).iter().all(|&radix| radix <= LARGEST_RADIX) {
            true => Self { stages: stages(length, direction), chirp: None },
            false => {
                let chirp = Chirp::new(length, direction);
                Self { stages: stages(chirp.spectrum.len(), Direction::Forward), chirp: Some(chirp) }
            }
        }
    }

    /// Transforms signals in place; `spare` holds anything before and after.
    pub fn transform(&self, signals: &mut Vec<Lanes>, spare: &mut Vec<Lanes>) {
        AutoArch::new().dispatch(Transform { fft: self, signals, spare });
    }

    #[inline(always)]
    fn transform_with(&self, signals: &mut Vec<Lanes>, spare: &mut Vec<Lanes>) {
        if let Some(chirp) = &self.chirp {
            chirp.begin(signals);
        }
        spare.resize(signals.len(), Lanes::ZERO);
        let passes = if self.chirp.is_some() { 2 } else { 1 };
        for pass in 0..passes {
            for stage in &self.stages {
                stage.apply(signals, spare);
                std::mem::swap(signals, spare);
            }
            match &self.chirp {
                Some(chirp) if pass == 0 => chirp.convolve(signals),
                Some(chirp) => chirp.end(signals),
                None => {}
            }
        }
    }
}

/// A transform, to be compiled for each kind of vector instructions.
struct Transform<'a> {
    fft: &'a Fft,
    signals: &'a mut Vec<Lanes>,
    spare: &'a mut Vec<Lanes>,
}

impl WithSimd for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        self.fft.transform_with(self.signals, self.spare);
    }
}

fn stages(length: usize, direction: Direction) -> Vec<Stage> {
    let (mut rest, mut stride) = (length, 1);
    let stage = |radix: usize| {
        let stage = Stage::new(rest, radix, stride, direction);
        (rest, stride) = (rest / radix, stride * radix);
        stage
    };
    radices(length).into_iter().map(stage).collect()
}

/// What stages split signals of a length into: odd prime factors, then fours as long as that is possible.
fn radices(length: usize) -> Vec<usize> {
    let (mut rest, mut radices) = (length, Vec::new());
    for radix in (3..).step_by(2).take_while(|radix| radix * radix <= length).chain([4, 2]) {
        while rest.is_multiple_of(radix) {
            radices.push(radix);
            rest /= radix;
        }
    }
    radices.extend(Some(rest).filter(|&rest| rest > 1));
    radices
}

/// One step of the transform: signals of `radix * parts` become `radix` times as many of `parts`, `stride` of which are
/// interleaved.
#[derive(Debug)]
struct Stage {
    radix: usize,
    stride: usize,
    /// The powers of the root of `radix`.
    roots: Vec<Complex32>,
    /// What the outputs are multiplied by, `[parts, radix]`.
    twiddles: Vec<Complex32>,
}

impl Stage {
    fn new(length: usize, radix: usize, stride: usize, direction: Direction) -> Self {
        let parts = length / radix;
        let roots = (0..radix).map(|i| direction.root(i, radix)).collect();
        let twiddle = |part: usize| (0..radix).map(move |k| direction.root(part * k, length));
        Self { radix, stride, roots, twiddles: (0..parts).flat_map(twiddle).collect() }
    }

    #[inline(always)]
    fn apply(&self, from: &[Lanes], to: &mut [Lanes]) {
        let two = |[a, b]: [Complex32; 2]| [a + b, a - b];
        let quarter = self.roots.get(1).map_or(0.0, |root| root.im);
        let four = |[a, b, c, d]: [Complex32; 4]| {
            let ([even, even_turned], [odd, odd_turned]) = ([a + c, a - c], [b + d, b - d]);
            let odd_turned = turned(odd_turned) * quarter;
            [even + odd, even_turned + odd_turned, even - odd, even_turned - odd_turned]
        };
        // The outputs of the last stage are multiplied by 1.
        let is_last = self.twiddles.len() == self.radix;
        match (self.radix, is_last) {
            (2, true) => self.butterflies::<2, true>(from, to, two),
            (2, false) => self.butterflies::<2, false>(from, to, two),
            (4, true) => self.butterflies::<4, true>(from, to, four),
            (4, false) => self.butterflies::<4, false>(from, to, four),
            (3, _) => self.butterflies::<3, false>(from, to, |x| odd(x, &self.roots)),
            (5, _) => self.butterflies::<5, false>(from, to, |x| odd(x, &self.roots)),
            (7, _) => self.butterflies::<7, false>(from, to, |x| odd(x, &self.roots)),
            _ => self.sums(from, to),
        }
    }

    /// With a formula for the transform of `RADIX` numbers.
    #[inline(always)]
    fn butterflies<const RADIX: usize, const IS_LAST: bool>(
        &self,
        from: &[Lanes],
        to: &mut [Lanes],
        transform: impl Fn([Complex32; RADIX]) -> [Complex32; RADIX],
    ) {
        let distance = from.len() / RADIX;
        let blocks = to.chunks_exact_mut(RADIX * self.stride).zip(self.twiddles.as_chunks::<RADIX>().0);
        for (part, (block, twiddles)) in blocks.enumerate() {
            for place in 0..self.stride {
                let inputs: [&Lanes; RADIX] = from_fn(|i| &from[self.stride * part + place + distance * i]);
                let mut outputs = [Lanes::ZERO; RADIX];
                for lane in 0..LANES {
                    let transformed = transform(inputs.map(|input| input.get(lane)));
                    for i in 0..RADIX {
                        outputs[i].set(lane, if IS_LAST { transformed[i] } else { transformed[i] * twiddles[i] });
                    }
                }
                for (i, output) in outputs.into_iter().enumerate() {
                    block[self.stride * i + place] = output;
                }
            }
        }
    }

    /// By the definition.
    #[inline(always)]
    fn sums(&self, from: &[Lanes], to: &mut [Lanes]) {
        let (radix, stride) = (self.radix, self.stride);
        let distance = from.len() / radix;
        let blocks = to.chunks_exact_mut(radix * stride).zip(self.twiddles.chunks_exact(radix));
        for (part, (block, twiddles)) in blocks.enumerate() {
            for (k, &twiddle) in twiddles.iter().enumerate() {
                for place in 0..stride {
                    let mut sum = Lanes::ZERO;
                    for i in 0..radix {
                        let (input, root) = (&from[stride * part + place + distance * i], self.roots[i * k % radix]);
                        sum.add(&input.times(root));
                    }
                    block[stride * k + place] = sum.times(twiddle);
                }
            }
        }
    }
}

/// The transform of an odd number of numbers, of which those as far from the first share their products.
#[inline(always)]
fn odd<const RADIX: usize>(x: [Complex32; RADIX], roots: &[Complex32]) -> [Complex32; RADIX] {
    let mut transformed = [x[0]; RADIX];
    for i in 1..=RADIX / 2 {
        transformed[0] += x[i] + x[RADIX - i];
        for k in 1..=RADIX / 2 {
            let root = roots[i * k % RADIX];
            let (even, odd) = ((x[i] + x[RADIX - i]) * root.re, turned(x[i] - x[RADIX - i]) * root.im);
            transformed[k] += even + odd;
            transformed[RADIX - k] += even - odd;
        }
    }
    transformed
}

/// Times i.
#[inline(always)]
fn turned(x: Complex32) -> Complex32 {
    Complex32::new(-x.im, x.re)
}

/// The transform of signals of any length as a convolution with a wave that becomes faster and faster, by transforms of a
/// longer one.
///
/// # Reference
/// [A linear filtering approach to the computation of discrete Fourier transform](https://doi.org/10.1109/TAU.1970.1162132),
/// Bluestein, 1970.
#[derive(Debug)]
struct Chirp {
    /// What signals and their transforms are multiplied by.
    chirp: Vec<Complex32>,
    /// The transform of what they are convolved with, divided by its length.
    spectrum: Vec<Complex32>,
}

impl Chirp {
    fn new(length: usize, direction: Direction) -> Self {
        // Half a turn times i^2 / length.
        let chirp: Vec<_> = (0..length).map(|i| direction.root(i * i % (2 * length), 2 * length)).collect();
        let longer = (2 * length - 1).next_power_of_two();
        let mut wave = vec![Lanes::ZERO; longer];
        for (i, chirp) in chirp.iter().enumerate() {
            wave[i].set(0, chirp.conj());
            wave[(longer - i) % longer].set(0, chirp.conj());
        }
        Fft::new(longer, Direction::Forward).transform(&mut wave, &mut Vec::new());
        Self { chirp, spectrum: wave.iter().map(|wave| wave.get(0) / longer as f32).collect() }
    }

    #[inline(always)]
    fn begin(&self, signals: &mut Vec<Lanes>) {
        for (signal, &chirp) in signals.iter_mut().zip(&self.chirp) {
            *signal = signal.times(chirp);
        }
        signals.resize(self.spectrum.len(), Lanes::ZERO);
    }

    /// With real and imaginary parts exchanged, the transform is its own inverse.
    #[inline(always)]
    fn convolve(&self, signals: &mut [Lanes]) {
        for (signal, &spectrum) in signals.iter_mut().zip(&self.spectrum) {
            *signal = signal.times(spectrum).exchanged();
        }
    }

    #[inline(always)]
    fn end(&self, signals: &mut Vec<Lanes>) {
        signals.truncate(self.chirp.len());
        for (signal, &chirp) in signals.iter_mut().zip(&self.chirp) {
            *signal = signal.exchanged().times(chirp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        for length in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 22, 31, 36, 37, 49, 74, 97, 100, 120, 128, 227] {
            for direction in [Direction::Forward, Direction::Inverse] {
                let value = |place: usize, lane: usize| {
                    let angle = (1.3 * (place * (lane + 1)) as f32 + 0.7 * lane as f32).sin_cos();
                    Complex32::new(angle.0, angle.1 * 0.5)
                };
                let mut signals = vec![Lanes::ZERO; length];
                for (place, signal) in signals.iter_mut().enumerate() {
                    (0..LANES).for_each(|lane| signal.set(lane, value(place, lane)));
                }
                Fft::new(length, direction).transform(&mut signals, &mut vec![Lanes::ZERO; length]);
                for (k, found) in signals.iter().enumerate() {
                    for lane in 0..LANES {
                        let term = |place: usize| value(place, lane) * direction.root(place * k, length);
                        let expected: Complex32 = (0..length).map(term).sum();
                        let difference = (found.get(lane) - expected).norm_sqr().sqrt();
                        assert!(difference < 2e-6 * length as f32, "{length} {direction:?} {k}: off by {difference}");
                    }
                }
            }
        }
    }
}
