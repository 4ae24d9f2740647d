//! Sums of a few neighbors along an axis: what resizing is made of.

use std::{array::from_fn, sync::Arc};

use burn::tensor::{Device, Tensor, TensorData};

use crate::cpu::{self, Operation};

/// A linear map of the numbers along an axis, each output a sum of neighbors: a matrix that is zero but for a band.
#[derive(Debug, Clone)]
pub(crate) struct Band {
    /// How many numbers there are, and how many outputs.
    from: usize,
    to: usize,
    /// How many neighbors each output is a sum of.
    width: usize,
    /// How much of the first neighbor each output has, then of the second, and so on: `[width, to]`.
    weights: Vec<f32>,
    runs: Vec<Run>,
}

/// Outputs side by side, the first neighbors of which lie side by side too.
#[derive(Debug, Clone, Copy)]
struct Run {
    output: usize,
    neighbor: usize,
    length: usize,
}

impl Band {
    /// Each output lies between two of the numbers, at `place(i)`; before the first and behind the last they stay the same.
    ///
    /// # Panics
    /// If there are no numbers.
    pub fn linear(from: usize, to: usize, place: impl Fn(usize) -> f64) -> Self {
        assert!(from > 0, "nothing cannot be resized to {to}");
        let entries = (0..to).flat_map(|output| {
            let place = place(output).clamp(0.0, (from - 1) as f64);
            let below = place as usize;
            let fraction = (place - below as f64) as f32;
            [(output, below, 1.0 - fraction), (output, (below + 1).min(from - 1), fraction)]
        });
        Self::new([to, from], entries.filter(|&(_, _, weight)| weight != 0.0).collect())
    }

    /// The matrix `[to, from]` of these entries: row, column and weight.
    fn new([to, from]: [usize; 2], entries: Vec<(usize, usize, f32)>) -> Self {
        let (mut first, mut last) = (vec![usize::MAX; to], vec![0; to]);
        for &(output, number, _) in &entries {
            first[output] = first[output].min(number);
            last[output] = last[output].max(number);
        }
        let width = first.iter().zip(&last).map(|(first, last)| (last + 1).saturating_sub(*first)).max().unwrap_or(0);
        // The last outputs read before their first number, with a weight of nothing, rather than behind the last.
        first.iter_mut().for_each(|first| *first = (*first).min(from - width));

        let mut weights = vec![0.0; width * to];
        for (output, number, weight) in entries {
            weights[(number - first[output]) * to + output] += weight;
        }
        let mut runs: Vec<Run> = Vec::new();
        for (output, neighbor) in first.into_iter().enumerate() {
            match runs.last_mut() {
                Some(run) if run.neighbor + run.length == neighbor => run.length += 1,
                _ => runs.push(Run { output, neighbor, length: 1 }),
            }
        }
        Self { from, to, width, weights, runs }
    }

    /// Each output, and its first neighbor.
    #[inline(always)]
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.runs.iter().flat_map(|run| (0..run.length).map(|i| (run.output + i, run.neighbor + i)))
    }

    /// The entries that are not zero: row, column and weight.
    fn entries(&self) -> impl Iterator<Item = (usize, usize, f32)> {
        let entries = self.places().flat_map(move |(output, neighbor)| {
            (0..self.width).map(move |i| (output, neighbor + i, self.weights[i * self.to + output]))
        });
        entries.filter(|&(_, _, weight)| weight != 0.0)
    }

    fn transposed(&self) -> Self {
        Self::new([self.from, self.to], self.entries().map(|(row, column, weight)| (column, row, weight)).collect())
    }

    fn matrix(&self, device: &Device) -> Tensor<2> {
        let mut matrix = vec![0.0; self.to * self.from];
        self.entries().for_each(|(row, column, weight)| matrix[row * self.from + column] = weight);
        Tensor::from_data(TensorData::new(matrix, [self.to, self.from]), device)
    }

    /// The outputs of a row of numbers.
    #[inline(always)]
    fn along_row(&self, numbers: &[f32], outputs: &mut [f32]) {
        // The compiler knows the usual widths.
        match self.width {
            2 => self.along_row_of::<2>(numbers, outputs),
            3 => self.along_row_of::<3>(numbers, outputs),
            width => {
                outputs.fill(0.0);
                for Run { output, neighbor, length } in self.runs.iter().copied() {
                    for i in 0..width {
                        let (numbers, weights) = (&numbers[neighbor + i..], &self.weights[i * self.to + output..]);
                        for ((output, number), weight) in
                            outputs[output..][..length].iter_mut().zip(numbers).zip(weights)
                        {
                            *output += weight * number;
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn along_row_of<const WIDTH: usize>(&self, numbers: &[f32], outputs: &mut [f32]) {
        for Run { output, neighbor, length } in self.runs.iter().copied() {
            let numbers: [&[f32]; WIDTH] = from_fn(|i| &numbers[neighbor + i..][..length]);
            let weights: [&[f32]; WIDTH] = from_fn(|i| &self.weights[i * self.to + output..][..length]);
            for (place, output) in outputs[output..][..length].iter_mut().enumerate() {
                *output = 0.0;
                for i in 0..WIDTH {
                    *output += weights[i][place] * numbers[i][place];
                }
            }
        }
    }

    /// The output that is a sum of rows of `plane`.
    #[inline(always)]
    fn of_rows(&self, output: usize, neighbor: usize, plane: &[f32], row: &mut [f32]) {
        row.fill(0.0);
        for i in 0..self.width {
            let weight = self.weights[i * self.to + output];
            let numbers = &plane[(neighbor + i) * row.len()..][..row.len()];
            for (output, number) in row.iter_mut().zip(numbers) {
                *output += weight * number;
            }
        }
    }
}

/// Planes with a map along each axis, if there is one.
///
/// # Shapes
/// - planes: `[planes, h, w]`
/// - value: `[planes, h', w']`
pub(crate) fn resample(planes: Tensor<3>, bands: [Option<Band>; 2]) -> Tensor<3> {
    let [count, h, w] = planes.dims();
    let map = Resampling::new([h, w], bands);
    let [_, [to_h, to_w]] = map.sizes();
    match cpu::holds(&planes) {
        true => cpu::apply(Arc::new(map), planes, count, [count, to_h, to_w]),
        false => map.of(planes),
    }
}

/// A map along each axis of planes.
#[derive(Debug, Clone)]
pub(crate) struct Resampling {
    sizes: [[usize; 2]; 2],
    /// Along columns of a plane, and along its rows.
    bands: [Option<Band>; 2],
    adjoint: [Option<Band>; 2],
}

impl Resampling {
    pub fn new(size @ [h, w]: [usize; 2], bands: [Option<Band>; 2]) -> Self {
        let to = |axis: usize| bands[axis].as_ref().map_or(size[axis], |band| band.to);
        let adjoint = [0, 1].map(|axis| bands[axis].as_ref().map(Band::transposed));
        Self { sizes: [[h, w], [to(0), to(1)]], bands, adjoint }
    }

    /// The size `[h, w]` of planes before and after.
    pub fn sizes(&self) -> [[usize; 2]; 2] {
        self.sizes
    }

    pub fn is_identity(&self) -> bool {
        self.bands.iter().all(Option::is_none)
    }

    /// Of planes `[planes, h, w]`, in Burn's operations.
    pub fn of(&self, planes: Tensor<3>) -> Tensor<3> {
        let ([count, h, w], [rows, columns]) = (planes.dims(), &self.bands);
        let device = planes.device();
        let planes = match columns {
            Some(band) => {
                let sums = planes.reshape([count * h, w]).matmul(band.matrix(&device).transpose());
                sums.reshape([count, h, band.to])
            }
            None => planes,
        };
        match rows {
            Some(band) => band.matrix(&device).unsqueeze::<3>().matmul(planes),
            None => planes,
        }
    }
}

impl Operation for Resampling {
    #[inline(always)]
    fn forward(&self, [plane]: [&[f32]; 1], output: &mut [f32]) {
        let [[_, w], [_, to_w]] = self.sizes;
        resample_plane(&self.bands, plane, w, output, to_w);
    }

    #[inline(always)]
    fn backward(&self, _output: &[f32], gradient: &[f32], [slope]: [&mut [f32]; 1]) {
        let [[_, w], [_, to_w]] = self.sizes;
        resample_plane(&self.adjoint, gradient, to_w, slope, w);
    }
}

#[inline(always)]
fn resample_plane([rows, columns]: &[Option<Band>; 2], plane: &[f32], w: usize, output: &mut [f32], to_w: usize) {
    match (rows, columns) {
        (Some(rows), Some(columns)) => {
            let mut sum = vec![0.0; w];
            for (y, neighbor) in rows.places() {
                rows.of_rows(y, neighbor, plane, &mut sum);
                columns.along_row(&sum, &mut output[y * to_w..][..to_w]);
            }
        }
        (Some(rows), None) => {
            for (y, neighbor) in rows.places() {
                rows.of_rows(y, neighbor, plane, &mut output[y * w..][..w]);
            }
        }
        (None, Some(columns)) => {
            for (numbers, outputs) in plane.chunks_exact(w).zip(output.chunks_exact_mut(to_w)) {
                columns.along_row(numbers, outputs);
            }
        }
        (None, None) => output.copy_from_slice(plane),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use entoptic_fixtures::{assert_close, value_and_gradient};

    use super::*;

    #[test]
    fn outputs_are_sums_of_neighbors() {
        // From 3 numbers to 5 that lie at 0, 0.6, 1.2, 1.8 and 2.4, behind the last.
        let band = Band::linear(3, 5, |i| i as f64 * 0.6);
        assert_eq!(band.width, 2);
        let found: Vec<f32> = band.matrix(&Device::flex()).try_into_vec_as().unwrap();
        let expected = [[1.0, 0.0, 0.0], [0.4, 0.6, 0.0], [0.0, 0.8, 0.2], [0.0, 0.2, 0.8], [0.0, 0.0, 1.0]];
        assert!(found.iter().zip(expected.as_flattened()).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        let transposed = band.transposed().matrix(&Device::flex());
        assert_close("transposed", transposed, band.matrix(&Device::flex()).transpose(), 0.0);
    }

    #[test]
    fn planes_are_resampled_as_by_products_with_matrices() {
        let device = Device::flex().autodiff();
        let random = |shape: [usize; 3]| Tensor::<3>::random(shape, Distribution::Default, &device);
        for (from, to, step, start) in [
            ([20, 33], [22, 36], 0.91, 0.0),
            ([20, 33], [18, 29], 1.13, 0.0),
            ([7, 5], [30, 31], 0.2, -0.5),
            ([40, 41], [9, 8], 4.7, 0.3),
            ([1, 2], [3, 1], 0.5, 0.1),
        ] {
            let band = |axis: usize| Some(Band::linear(from[axis], to[axis], |i| start + step * i as f64));
            for bands in [[band(0), band(1)], [band(0), None], [None, band(1)], [None, None]] {
                let map = Resampling::new(from, bands.clone());
                let [[h, w], [to_h, to_w]] = map.sizes();
                let (x, g) = (random([3, h, w]), random([3, to_h, to_w]));
                let (expected, slope) = value_and_gradient(x.clone(), g.clone(), |x| map.of(x) * 1.0);
                let (value, gradient) = value_and_gradient(x, g, |x| resample(x, bands.clone()) * 1.0);
                assert_close(&format!("{from:?} to {to:?}"), value, expected, 1e-6);
                assert_close(&format!("{to:?} to {from:?}"), gradient, slope, 1e-6);
            }
        }
    }
}
