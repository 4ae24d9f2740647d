//! The discrete Fourier transform of eight signals at a time, which is what vector instructions are good at.
//!
//! # Reference
//! Stockham's self-sorting transform, as in Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992.

use std::f64::consts::TAU;

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

/// The transform of signals of one length; the larger its prime factors, the slower.
#[derive(Debug)]
pub(super) struct Fft {
    stages: Vec<Stage>,
}

impl Fft {
    pub fn new(length: usize, direction: Direction) -> Self {
        let mut stages = Vec::new();
        let (mut rest, mut stride) = (length, 1);
        while rest > 1 {
            let radix = radix(rest);
            stages.push(Stage::new(rest, radix, stride, direction));
            (rest, stride) = (rest / radix, stride * radix);
        }
        Self { stages }
    }

    /// Transforms signals in place; `spare` is as long and holds anything before and after.
    #[inline(always)]
    pub fn transform(&self, signals: &mut Vec<Lanes>, spare: &mut Vec<Lanes>) {
        for stage in &self.stages {
            stage.apply(signals, spare);
            std::mem::swap(signals, spare);
        }
    }
}

/// Into how many parts signals of a length are split: 4 where that is possible, as it takes the fewest products.
fn radix(length: usize) -> usize {
    match length {
        _ if length.is_multiple_of(4) => 4,
        _ => (2..)
            .find(|&radix| length.is_multiple_of(radix) || radix * radix > length)
            .map_or(length, |radix| if length.is_multiple_of(radix) { radix } else { length }),
    }
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
            // Times i or -i.
            let odd_turned = Complex32::new(-quarter * odd_turned.im, quarter * odd_turned.re);
            [even + odd, even_turned + odd_turned, even - odd, even_turned - odd_turned]
        };
        // The outputs of the last stage are multiplied by 1.
        let is_last = self.twiddles.len() == self.radix;
        match (self.radix, is_last) {
            (2, true) => self.butterflies::<2, true>(from, to, two),
            (2, false) => self.butterflies::<2, false>(from, to, two),
            (4, true) => self.butterflies::<4, true>(from, to, four),
            (4, false) => self.butterflies::<4, false>(from, to, four),
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
                let inputs: [&Lanes; RADIX] = std::array::from_fn(|i| &from[self.stride * part + place + distance * i]);
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
                        for lane in 0..LANES {
                            sum.set(lane, sum.get(lane) + input.get(lane) * root);
                        }
                    }
                    let output = &mut block[stride * k + place];
                    for lane in 0..LANES {
                        output.set(lane, sum.get(lane) * twiddle);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        for length in [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 22, 36, 49, 97, 100, 120, 128] {
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
