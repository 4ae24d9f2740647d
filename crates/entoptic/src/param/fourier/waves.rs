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

/// Real and imaginary parts of half a spectrum whose columns are transformed, column after column.
struct Columns {
    re: Vec<f32>,
    im: Vec<f32>,
    /// How far the lower half of a column is behind the upper one: each can be read to its end `LANES` at a time.
    half: usize,
    /// How far the next column is.
    stride: usize,
}

impl Waves {
    pub fn new(size @ [h, w]: [usize; 2], magnitudes: &[f32]) -> Self {
        let width = w + w % 2;
        let factors = magnitudes.iter().map(|magnitude| magnitude / (h * width) as f32).collect();
        Self { size, factors, down: Transform::new(h), along: Transform::new(width) }
    }

    /// How many rows the upper half has, which is the larger one, and how many the lower.
    fn halves(&self) -> [usize; 2] {
        let [h, _] = self.size;
        [h.div_ceil(2), h / 2]
    }

    fn columns(&self) -> Columns {
        let half = self.halves()[0].next_multiple_of(LANES);
        // No multiple of a large power of 2, or columns would drive each other from the cache.
        let stride = 2 * half + if half.is_multiple_of(2 * LANES) { 2 * LANES } else { 0 };
        let zeros = vec![0.0; stride * columns(self.size[1])];
        Columns { re: zeros.clone(), im: zeros, half, stride }
    }

    /// Signals to transform, all columns or rows, `LANES` at a time.
    fn signals(length: usize) -> [Vec<Lanes>; 2] {
        [vec![Lanes::ZERO; length], vec![Lanes::ZERO; length]]
    }

    /// The columns of a spectrum, transformed.
    #[inline(always)]
    fn from_spectrum(&self, [re, im]: [&[f32]; 2]) -> Columns {
        let count = columns(self.size[1]);
        let mut columns = self.columns();
        let [mut signals, mut spare] = Self::signals(self.size[0]);
        for first in (0..count).step_by(LANES) {
            for (y, signal) in signals.iter_mut().enumerate() {
                let at = y * count + first;
                if first + LANES <= count {
                    let factors = read(&self.factors, at);
                    *signal = Lanes { re: product(read(re, at), factors), im: product(read(im, at), factors) };
                } else {
                    for lane in 0..count - first {
                        signal.re[lane] = re[at + lane] * self.factors[at + lane];
                        signal.im[lane] = im[at + lane] * self.factors[at + lane];
                    }
                }
            }
            self.down.inverse.transform(&mut signals, &mut spare);
            columns.write(first, LANES.min(count - first), signals.split_at(self.halves()[0]));
        }
        columns
    }

    /// The adjoint of [`from_spectrum`](Self::from_spectrum).
    #[inline(always)]
    fn to_spectrum(&self, columns: &Columns, [re, im]: [&mut [f32]; 2]) {
        let count = self::columns(self.size[1]);
        let [mut signals, mut spare] = Self::signals(self.size[0]);
        for first in (0..count).step_by(LANES) {
            columns.read(first, LANES.min(count - first), signals.split_at_mut(self.halves()[0]));
            self.down.forward.transform(&mut signals, &mut spare);
            for (y, signal) in signals.iter().enumerate() {
                let at = y * count + first;
                if first + LANES <= count {
                    let factors = read(&self.factors, at);
                    write(re, at, product(signal.re, factors));
                    write(im, at, product(signal.im, factors));
                } else {
                    for lane in 0..count - first {
                        re[at + lane] = signal.re[lane] * self.factors[at + lane];
                        im[at + lane] = signal.im[lane] * self.factors[at + lane];
                    }
                }
            }
        }
    }

    /// The rows of transformed columns, transformed.
    #[inline(always)]
    fn to_plane(&self, columns: &Columns, plane: &mut [f32]) {
        let ([_, w], [upper, lower]) = (self.size, self.halves());
        let (last, width) = (self::columns(w) - 1, w + w % 2);
        let (above, below) = plane.split_at_mut(upper * w);
        let [mut signals, mut spare] = Self::signals(width);
        for first in (0..upper).step_by(LANES) {
            for k in 0..=last {
                let at = k * columns.stride + first;
                let [a_re, b_re] = [at, at + columns.half].map(|at| read(&columns.re, at));
                if k == 0 || k == last {
                    // These have no mirror image: they are real.
                    signals[k] = Lanes { re: a_re, im: b_re };
                    continue;
                }
                let [a_im, b_im] = [at, at + columns.half].map(|at| read(&columns.im, at));
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
            let [above, below] =
                [above.get_mut(first * w..), below.get_mut(first * w..)].map(Option::unwrap_or_default);
            let [count_above, count_below] = [upper, lower].map(|rows| LANES.min(rows.saturating_sub(first)));
            to_rows(&signals[..w], |signal| &signal.re, above, w, count_above);
            to_rows(&signals[..w], |signal| &signal.im, below, w, count_below);
        }
    }

    /// The adjoint of [`to_plane`](Self::to_plane).
    #[inline(always)]
    fn from_plane(&self, plane: &[f32]) -> Columns {
        let ([_, w], [upper, lower]) = (self.size, self.halves());
        let (last, width) = (columns(w) - 1, w + w % 2);
        let (above, below) = plane.split_at(upper * w);
        let mut columns = self.columns();
        let [mut signals, mut spare] = Self::signals(width);
        for first in (0..upper).step_by(LANES) {
            let [above, below] = [above, below].map(|rows| rows.get(first * w..).unwrap_or_default());
            let [count_above, count_below] = [upper, lower].map(|rows| LANES.min(rows.saturating_sub(first)));
            signals[w..].fill(Lanes::ZERO);
            from_rows(&mut signals[..w], |signal| &mut signal.re, above, w, count_above);
            from_rows(&mut signals[..w], |signal| &mut signal.im, below, w, count_below);
            self.along.forward.transform(&mut signals, &mut spare);
            for k in 0..=last {
                let (wave, mirrored) = (signals[k], signals[(width - k) % width]);
                // Half, for the two parts of a signal; twice, for the two waves that a column stands for.
                let weight = if k == 0 || k == last { 0.5 } else { 1.0 };
                let (mut a, mut b) = (Lanes::ZERO, Lanes::ZERO);
                for i in 0..LANES {
                    a.re[i] = weight * (wave.re[i] + mirrored.re[i]);
                    a.im[i] = weight * (wave.im[i] - mirrored.im[i]);
                    b.re[i] = weight * (wave.im[i] + mirrored.im[i]);
                    b.im[i] = weight * (mirrored.re[i] - wave.re[i]);
                }
                let at = k * columns.stride + first;
                for (half, at) in [(a, at), (b, at + columns.half)] {
                    write(&mut columns.re, at, half.re);
                    write(&mut columns.im, at, half.im);
                }
            }
        }
        columns
    }
}

impl Columns {
    /// The upper and the lower half of `count` columns from `first` on, from signals.
    #[inline(always)]
    fn write(&mut self, first: usize, count: usize, (above, below): (&[Lanes], &[Lanes])) {
        let start = first * self.stride;
        for (signals, start) in [(above, start), (below, start + self.half)] {
            to_rows(signals, |signal| &signal.re, &mut self.re[start..], self.stride, count);
            to_rows(signals, |signal| &signal.im, &mut self.im[start..], self.stride, count);
        }
    }

    #[inline(always)]
    fn read(&self, first: usize, count: usize, (above, below): (&mut [Lanes], &mut [Lanes])) {
        let start = first * self.stride;
        for (signals, start) in [(above, start), (below, start + self.half)] {
            from_rows(signals, |signal| &mut signal.re, &self.re[start..], self.stride, count);
            from_rows(signals, |signal| &mut signal.im, &self.im[start..], self.stride, count);
        }
    }
}

impl Operation<2> for Waves {
    #[inline(always)]
    fn forward(&self, spectrum: [&[f32]; 2], plane: &mut [f32]) {
        self.to_plane(&self.from_spectrum(spectrum), plane);
    }

    #[inline(always)]
    fn backward(&self, _output: &[f32], gradient: &[f32], slope: [&mut [f32]; 2]) {
        self.to_spectrum(&self.from_plane(gradient), slope);
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
            for lane in 0..LANES {
                write(rows, lane * stride + at, numbers[lane]);
            }
        } else {
            for lane in 0..count {
                write(rows, lane * stride + at, numbers[lane]);
            }
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
            for lane in 0..LANES {
                numbers[lane] = read(rows, lane * stride + at);
            }
        } else {
            for lane in 0..count {
                numbers[lane] = read(rows, lane * stride + at);
            }
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
