//! The sum of an image's waves, and its adjoint, as fast Fourier transforms.

use super::{
    columns,
    fft::{Direction, Fft, LANES, Lanes, Numbers},
};
use crate::cpu::Operation;

/// From real and imaginary parts `[h, columns]` of a plane's spectrum to the plane `[h, w]`.
///
/// Columns are transformed first, then rows: two at a time, one of the upper and one of the lower half, as the real and
/// the imaginary part of one signal.
#[derive(Debug)]
pub(super) struct Waves {
    size: [usize; 2],
    /// What each coefficient is multiplied by, `[h, columns]`.
    factors: Vec<f32>,
    down: Transform,
    along: Transform,
}

/// A transform and its adjoint.
#[derive(Debug)]
struct Transform {
    inverse: Fft,
    forward: Fft,
}

impl Transform {
    fn new(length: usize) -> Self {
        Self { inverse: Fft::new(length, Direction::Inverse), forward: Fft::new(length, Direction::Forward) }
    }
}

/// Real and imaginary parts of half a spectrum whose columns are transformed, one column after the other. The halves of
/// a column are some numbers apart, so that each can be read to its end `LANES` at a time.
struct Columns {
    re: Vec<f32>,
    im: Vec<f32>,
    half: usize,
    stride: usize,
}

impl Waves {
    pub fn new(size @ [h, w]: [usize; 2], magnitudes: &[f32]) -> Self {
        let width = w + w % 2;
        let factors = magnitudes.iter().map(|magnitude| magnitude / (h * width) as f32).collect();
        Self { size, factors, down: Transform::new(h), along: Transform::new(width) }
    }

    /// How many rows the upper half has, which is the larger one.
    fn upper(&self) -> usize {
        self.size[0].div_ceil(2)
    }

    fn columns(&self) -> Columns {
        let half = self.upper().next_multiple_of(LANES);
        // No multiple of a large power of 2, or columns would drive each other from the cache.
        let stride = 2 * half + if half.is_multiple_of(2 * LANES) { 2 * LANES } else { 0 };
        let zeros = vec![0.0; stride * columns(self.size[1])];
        Columns { re: zeros.clone(), im: zeros, half, stride }
    }

    /// `LANES` columns of a spectrum from `first` on, or as many as are left, multiplied by their factors.
    #[inline(always)]
    fn read_columns(&self, [re, im]: [&[f32]; 2], first: usize, signals: &mut [Lanes]) {
        let columns = columns(self.size[1]);
        for (y, signal) in signals.iter_mut().enumerate() {
            let at = y * columns + first;
            if first + LANES <= columns {
                let factors = read(&self.factors, at);
                *signal = Lanes { re: product(read(re, at), factors), im: product(read(im, at), factors) };
            } else {
                for lane in 0..columns - first {
                    signal.re[lane] = re[at + lane] * self.factors[at + lane];
                    signal.im[lane] = im[at + lane] * self.factors[at + lane];
                }
            }
        }
    }

    /// The way back.
    #[inline(always)]
    fn write_columns(&self, signals: &[Lanes], first: usize, [re, im]: [&mut [f32]; 2]) {
        let columns = columns(self.size[1]);
        for (y, signal) in signals.iter().enumerate() {
            let at = y * columns + first;
            if first + LANES <= columns {
                let factors = read(&self.factors, at);
                write(re, at, product(signal.re, factors));
                write(im, at, product(signal.im, factors));
            } else {
                for lane in 0..columns - first {
                    re[at + lane] = signal.re[lane] * self.factors[at + lane];
                    im[at + lane] = signal.im[lane] * self.factors[at + lane];
                }
            }
        }
    }
}

impl Operation<2> for Waves {
    #[inline(always)]
    fn forward(&self, spectrum: [&[f32]; 2], plane: &mut [f32]) {
        let ([h, w], upper) = (self.size, self.upper());
        let (columns, width) = (columns(w), w + w % 2);
        let Columns { mut re, mut im, half, stride } = self.columns();

        let (mut signals, mut spare) = (vec![Lanes::ZERO; h], vec![Lanes::ZERO; h]);
        for first in (0..columns).step_by(LANES) {
            self.read_columns(spectrum, first, &mut signals);
            self.down.inverse.transform(&mut signals, &mut spare);
            let (count, start) = (LANES.min(columns - first), first * stride);
            let (above, below) = signals.split_at(upper);
            for (signals, start) in [(above, start), (below, start + half)] {
                to_rows(signals, |signal| &signal.re, &mut re[start..], stride, count);
                to_rows(signals, |signal| &signal.im, &mut im[start..], stride, count);
            }
        }

        let (mut signals, mut spare) = (vec![Lanes::ZERO; width], vec![Lanes::ZERO; width]);
        let (above, below) = plane.split_at_mut(upper * w);
        for first in (0..upper).step_by(LANES) {
            for k in 0..columns {
                let at = k * stride + first;
                let [a_re, b_re] = [read(&re, at), read(&re, at + half)];
                if k == 0 || k == columns - 1 {
                    // These have no mirror image: they are real.
                    signals[k] = Lanes { re: a_re, im: b_re };
                    continue;
                }
                let [a_im, b_im] = [read(&im, at), read(&im, at + half)];
                let (mut wave, mut mirrored) = (Lanes::ZERO, Lanes::ZERO);
                for i in 0..LANES {
                    wave.re[i] = a_re[i] - b_im[i];
                    wave.im[i] = a_im[i] + b_re[i];
                    mirrored.re[i] = a_re[i] + b_im[i];
                    mirrored.im[i] = b_re[i] - a_im[i];
                }
                signals[k] = wave;
                signals[width - k] = mirrored;
            }
            self.along.inverse.transform(&mut signals, &mut spare);
            let [count_above, count_below] = [upper, h - upper].map(|rows| LANES.min(rows.saturating_sub(first)));
            to_rows(&signals[..w], |signal| &signal.re, &mut above[first * w..], w, count_above);
            if count_below > 0 {
                to_rows(&signals[..w], |signal| &signal.im, &mut below[first * w..], w, count_below);
            }
        }
    }

    #[inline(always)]
    fn backward(&self, _output: &[f32], gradient: &[f32], [slope_re, slope_im]: [&mut [f32]; 2]) {
        let ([h, w], upper) = (self.size, self.upper());
        let (columns, width) = (columns(w), w + w % 2);
        let Columns { mut re, mut im, half, stride } = self.columns();

        let (mut signals, mut spare) = (vec![Lanes::ZERO; width], vec![Lanes::ZERO; width]);
        let (above, below) = gradient.split_at(upper * w);
        for first in (0..upper).step_by(LANES) {
            let [count_above, count_below] = [upper, h - upper].map(|rows| LANES.min(rows.saturating_sub(first)));
            let below = below.get(first * w..).unwrap_or_default();
            signals[w..].fill(Lanes::ZERO);
            from_rows(&mut signals[..w], |signal| &mut signal.re, &above[first * w..], w, count_above);
            from_rows(&mut signals[..w], |signal| &mut signal.im, below, w, count_below);
            self.along.forward.transform(&mut signals, &mut spare);
            for k in 0..columns {
                let (wave, mirrored) = (signals[k], signals[(width - k) % width]);
                // Half, for the two parts of a signal; twice, for the two waves that a column stands for.
                let weight = if k == 0 || k == columns - 1 { 0.5 } else { 1.0 };
                let (mut a, mut b) = (Lanes::ZERO, Lanes::ZERO);
                for i in 0..LANES {
                    a.re[i] = weight * (wave.re[i] + mirrored.re[i]);
                    a.im[i] = weight * (wave.im[i] - mirrored.im[i]);
                    b.re[i] = weight * (wave.im[i] + mirrored.im[i]);
                    b.im[i] = weight * (mirrored.re[i] - wave.re[i]);
                }
                let at = k * stride + first;
                write(&mut re, at, a.re);
                write(&mut im, at, a.im);
                write(&mut re, at + half, b.re);
                write(&mut im, at + half, b.im);
            }
        }

        let (mut signals, mut spare) = (vec![Lanes::ZERO; h], vec![Lanes::ZERO; h]);
        for first in (0..columns).step_by(LANES) {
            let (count, start) = (LANES.min(columns - first), first * stride);
            let (above, below) = signals.split_at_mut(upper);
            for (signals, start) in [(above, start), (below, start + half)] {
                from_rows(signals, |signal| &mut signal.re, &re[start..], stride, count);
                from_rows(signals, |signal| &mut signal.im, &im[start..], stride, count);
            }
            self.down.forward.transform(&mut signals, &mut spare);
            self.write_columns(&signals, first, [&mut *slope_re, &mut *slope_im]);
        }
    }
}

#[inline(always)]
fn read(numbers: &[f32], at: usize) -> Numbers {
    *numbers[at..].first_chunk().expect("there is one for each lane")
}

#[inline(always)]
fn write(numbers: &mut [f32], at: usize, values: Numbers) {
    *numbers[at..].first_chunk_mut().expect("there is one for each lane") = values;
}

#[inline(always)]
fn product(mut a: Numbers, b: Numbers) -> Numbers {
    for lane in 0..LANES {
        a[lane] *= b[lane];
    }
    a
}

#[inline(always)]
fn transposed(numbers: [Numbers; LANES]) -> [Numbers; LANES] {
    let mut transposed = numbers;
    for i in 0..LANES {
        for lane in 0..LANES {
            transposed[lane][i] = numbers[i][lane];
        }
    }
    transposed
}

/// Writes one part of the signals of the first `count` lanes as rows that are `stride` apart.
#[inline(always)]
fn to_rows(signals: &[Lanes], part: impl Fn(&Lanes) -> &Numbers, rows: &mut [f32], stride: usize, count: usize) {
    let (blocks, rest) = signals.as_chunks::<LANES>();
    for (block, at) in blocks.iter().zip((0..).step_by(LANES)) {
        let mut numbers = [[0.0; LANES]; LANES];
        for i in 0..LANES {
            numbers[i] = *part(&block[i]);
        }
        let numbers = transposed(numbers);
        if count == LANES {
            (0..LANES).for_each(|lane| write(rows, lane * stride + at, numbers[lane]));
        } else {
            (0..count).for_each(|lane| write(rows, lane * stride + at, numbers[lane]));
        }
    }
    for (signal, at) in rest.iter().zip(LANES * blocks.len()..) {
        for lane in 0..count {
            rows[lane * stride + at] = part(signal)[lane];
        }
    }
}

/// Reads one part of the signals of the first `count` lanes from rows that are `stride` apart; the others are zero.
#[inline(always)]
fn from_rows(
    signals: &mut [Lanes],
    part: impl Fn(&mut Lanes) -> &mut Numbers,
    rows: &[f32],
    stride: usize,
    count: usize,
) {
    let (blocks, rest) = signals.as_chunks_mut::<LANES>();
    let start = LANES * blocks.len();
    for (block, at) in blocks.iter_mut().zip((0..).step_by(LANES)) {
        let mut numbers = [[0.0; LANES]; LANES];
        if count == LANES {
            (0..LANES).for_each(|lane| numbers[lane] = read(rows, lane * stride + at));
        } else {
            (0..count).for_each(|lane| numbers[lane] = read(rows, lane * stride + at));
        }
        let numbers = transposed(numbers);
        for i in 0..LANES {
            *part(&mut block[i]) = numbers[i];
        }
    }
    for (signal, at) in rest.iter_mut().zip(start..) {
        let numbers = part(signal);
        *numbers = [0.0; LANES];
        for lane in 0..count {
            numbers[lane] = rows[lane * stride + at];
        }
    }
}
