//! Sums of a few numbers along one axis: what resizing is made of.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use crate::cpu::{self, Operation};

/// Which numbers along an axis each output is made of, and how much of each.
#[derive(Debug)]
pub(crate) struct Taps {
    /// How many numbers there are.
    from: usize,
    /// How many outputs.
    to: usize,
    /// As many for each output, one output after the other.
    taps: Vec<Tap>,
}

/// Some of one number.
#[derive(Debug, Clone, Copy, Default)]
struct Tap {
    number: u32,
    weight: f32,
}

impl Taps {
    /// Each output is made of the taps of a row.
    fn new(from: usize, rows: Vec<Vec<Tap>>) -> Self {
        let most = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let filled = |row: &Vec<Tap>| (0..most).map(|i| row.get(i).copied().unwrap_or_default()).collect::<Vec<_>>();
        Self { from, to: rows.len(), taps: rows.iter().flat_map(filled).collect() }
    }

    /// Each output lies between two numbers: at `place(i)`, but not before the first or behind the last.
    pub fn linear(from: usize, to: usize, place: impl Fn(usize) -> f64) -> Self {
        assert!(from > 0, "nothing cannot be resized to {to}");
        let row = |i: usize| {
            let place = place(i).clamp(0.0, (from - 1) as f64);
            let below = place as usize;
            let fraction = (place - below as f64) as f32;
            let tap = |number: usize, weight| Tap { number: number as u32, weight };
            vec![tap(below, 1.0 - fraction), tap((below + 1).min(from - 1), fraction)]
        };
        Self::new(from, (0..to).map(row).collect())
    }

    /// The outputs along an axis.
    ///
    /// # Panics
    /// If the axis has another length.
    pub fn apply<const D: usize>(self, tensor: Tensor<D>, axis: usize) -> Tensor<D> {
        let mut shape = tensor.dims();
        assert_eq!(shape[axis], self.from, "axis {axis} of {shape:?}");
        let [outer, inner] = [&shape[..axis], &shape[axis + 1..]].map(|axes| axes.iter().product::<usize>());
        shape[axis] = self.to;
        if cpu::holds(&tensor) {
            // A part is a plane, also where the axis runs along its rows.
            let parts = if inner == 1 { shape[..axis.saturating_sub(1)].iter().product() } else { outer };
            let adjoint = self.transposed();
            return cpu::apply(Arc::new(Sums { taps: self, adjoint, inner }), tensor, parts, shape);
        }
        let matrix = self.matrix(&tensor.device());
        match inner {
            1 => tensor.reshape([outer, self.from]).matmul(matrix.transpose()).reshape(shape),
            _ => matrix.unsqueeze::<3>().matmul(tensor.reshape([outer, self.from, inner])).reshape(shape),
        }
    }

    /// How many taps each output has.
    fn count(&self) -> usize {
        self.taps.len() / self.to.max(1)
    }

    /// The taps of each output.
    fn rows(&self) -> impl Iterator<Item = &[Tap]> {
        self.taps.chunks_exact(self.count().max(1))
    }

    /// From outputs back to numbers.
    fn transposed(&self) -> Self {
        let mut rows = vec![Vec::new(); self.from];
        for (output, row) in (0..).zip(self.rows()) {
            for tap in row.iter().filter(|tap| tap.weight != 0.0) {
                rows[tap.number as usize].push(Tap { number: output, ..*tap });
            }
        }
        Self::new(self.to, rows)
    }

    /// The weights `[to, from]`.
    fn matrix(&self, device: &Device) -> Tensor<2> {
        let mut matrix = vec![0.0; self.to * self.from];
        for (weights, row) in matrix.chunks_exact_mut(self.from).zip(self.rows()) {
            for tap in row {
                weights[tap.number as usize] += tap.weight;
            }
        }
        Tensor::from_data(TensorData::new(matrix, [self.to, self.from]), device)
    }

    /// The outputs, which hold zeros, of numbers of which `inner` lie side by side at each place.
    #[inline(always)]
    fn sum(&self, inner: usize, numbers: &[f32], outputs: &mut [f32]) {
        if inner > 1 {
            for (outputs, row) in outputs.chunks_exact_mut(inner).zip(self.rows()) {
                for tap in row.iter().filter(|tap| tap.weight != 0.0) {
                    let numbers = &numbers[tap.number as usize * inner..][..inner];
                    for (output, number) in outputs.iter_mut().zip(numbers) {
                        *output += tap.weight * number;
                    }
                }
            }
            return;
        }
        // How many there are of each is known to the compiler for the usual numbers.
        match self.count() {
            2 => sum_each(self.taps.as_chunks::<2>().0, numbers, outputs),
            3 => sum_each(self.taps.as_chunks::<3>().0, numbers, outputs),
            _ => sum_each(self.rows(), numbers, outputs),
        }
    }
}

#[inline(always)]
fn sum_each<'a, R: IntoIterator<Item = &'a Tap>>(
    rows: impl IntoIterator<Item = R>,
    numbers: &[f32],
    outputs: &mut [f32],
) {
    for (output, row) in outputs.iter_mut().zip(rows) {
        for tap in row {
            *output += tap.weight * numbers[tap.number as usize];
        }
    }
}

/// [`Taps`] on the CPU.
#[derive(Debug)]
struct Sums {
    taps: Taps,
    adjoint: Taps,
    /// How many numbers lie side by side at each place of the axis.
    inner: usize,
}

impl Operation for Sums {
    #[inline(always)]
    fn forward(&self, [input]: [&[f32]; 1], output: &mut [f32]) {
        let (from, to) = (self.taps.from * self.inner, self.taps.to * self.inner);
        for (numbers, outputs) in input.chunks_exact(from).zip(output.chunks_exact_mut(to)) {
            self.taps.sum(self.inner, numbers, outputs);
        }
    }

    #[inline(always)]
    fn backward(&self, _output: &[f32], gradient: &[f32], [slope]: [&mut [f32]; 1]) {
        let (from, to) = (self.taps.from * self.inner, self.taps.to * self.inner);
        for (numbers, outputs) in gradient.chunks_exact(to).zip(slope.chunks_exact_mut(from)) {
            self.adjoint.sum(self.inner, numbers, outputs);
        }
    }
}
