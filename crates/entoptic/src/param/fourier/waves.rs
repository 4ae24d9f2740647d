//! The sum of an image's waves, and its adjoint, as fast Fourier transforms.

use std::{fmt, sync::Arc};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner, num_complex::Complex32};

use super::columns;
use crate::cpu::Operation;

/// From real and imaginary parts `[h, columns]` of a plane's spectrum to the plane `[h, w]`: columns are transformed
/// first, then rows.
pub(super) struct Waves {
    size: [usize; 2],
    /// What each coefficient is multiplied by, `[h, columns]`.
    factors: Vec<f32>,
    down: Arc<dyn Fft<f32>>,
    along: Arc<dyn ComplexToReal<f32>>,
    adjoint_down: Arc<dyn Fft<f32>>,
    adjoint_along: Arc<dyn RealToComplex<f32>>,
}

impl Waves {
    pub fn new(size @ [h, w]: [usize; 2], magnitudes: &[f32]) -> Self {
        let width = w + w % 2;
        let (mut complex, mut real) = (FftPlanner::new(), RealFftPlanner::new());
        Self {
            size,
            // Both transforms come without their divisors.
            factors: magnitudes.iter().map(|magnitude| magnitude / (h * width) as f32).collect(),
            down: complex.plan_fft_inverse(h),
            along: real.plan_fft_inverse(width),
            adjoint_down: complex.plan_fft_forward(h),
            adjoint_along: real.plan_fft_forward(width),
        }
    }

    /// Rows of one pixel more than the plane's if those are odd.
    fn row(&self) -> Vec<f32> {
        self.along.make_output_vec()
    }
}

impl Operation<2> for Waves {
    #[inline(always)]
    fn forward(&self, [re, im]: [&[f32]; 2], plane: &mut [f32]) {
        let [h, w] = self.size;
        let columns = columns(w);
        let mut spectrum = transposed([h, columns], |i| Complex32::new(re[i], im[i]) * self.factors[i]);
        self.down.process(&mut spectrum);
        let mut rows = transposed([columns, h], |i| spectrum[i]);
        let (mut row, mut scratch) = (self.row(), self.along.make_scratch_vec());
        for (waves, pixels) in rows.chunks_exact_mut(columns).zip(plane.chunks_exact_mut(w)) {
            // These have no mirror image: they are real.
            [waves[0].im, waves[columns - 1].im] = [0.0; 2];
            self.along.process_with_scratch(waves, &mut row, &mut scratch).expect("buffers of its own lengths");
            pixels.copy_from_slice(&row[..w]);
        }
    }

    #[inline(always)]
    fn backward(&self, _output: &[f32], gradient: &[f32], [slope_re, slope_im]: [&mut [f32]; 2]) {
        let [h, w] = self.size;
        let columns = columns(w);
        let mut rows = vec![Complex32::ZERO; h * columns];
        let (mut row, mut scratch) = (self.row(), self.adjoint_along.make_scratch_vec());
        for (waves, gradient) in rows.chunks_exact_mut(columns).zip(gradient.chunks_exact(w)) {
            row[..w].copy_from_slice(gradient);
            row[w..].fill(0.0);
            self.adjoint_along.process_with_scratch(&mut row, waves, &mut scratch).expect("buffers of its own lengths");
            // All columns but the first and the last stand for their mirror image too.
            waves[1..columns - 1].iter_mut().for_each(|wave| *wave *= 2.0);
        }
        let mut spectrum = transposed([h, columns], |i| rows[i]);
        self.adjoint_down.process(&mut spectrum);
        let spectrum = transposed([columns, h], |i| spectrum[i]);
        let slopes = slope_re.iter_mut().zip(slope_im);
        for ((wave, factor), (re, im)) in spectrum.iter().zip(&self.factors).zip(slopes) {
            [*re, *im] = [wave.re * factor, wave.im * factor];
        }
    }
}

impl fmt::Debug for Waves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waves").field("size", &self.size).finish_non_exhaustive()
    }
}

/// The matrix `[columns, rows]` whose transpose `[rows, columns]` holds `number(i)` at place `i`.
#[inline(always)]
fn transposed([rows, columns]: [usize; 2], number: impl Fn(usize) -> Complex32) -> Vec<Complex32> {
    /// Complex numbers in a cache line: as many columns are written side by side.
    const BLOCK: usize = 8;
    let mut transposed = vec![Complex32::ZERO; rows * columns];
    for first in (0..columns).step_by(BLOCK) {
        let last = columns.min(first + BLOCK);
        for row in 0..rows {
            for column in first..last {
                transposed[column * rows + row] = number(row * columns + column);
            }
        }
    }
    transposed
}
