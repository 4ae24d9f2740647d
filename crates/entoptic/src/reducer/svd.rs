//! The leading singular vectors of samples.

use rand_distr::{Distribution, StandardNormal};

use super::samples::{Matrix, Samples};
use crate::chance::Rng;

/// `samples ≈ leftᵀ · diag(values) · right`: the closest that `k` components can come.
///
/// Of each row of `right`, the entry furthest from 0 is positive; so the signs do not depend on how it was computed.
pub(super) struct Svd {
    /// Singular values, falling.
    pub(super) values: Vec<f64>,
    /// `[k, n]`, rows orthonormal.
    pub(super) left: Matrix,
    /// `[k, c]`, rows orthonormal.
    pub(super) right: Matrix,
}

/// The first `k` singular values and vectors, `k <= min(n, c)`.
///
/// A small part of a large matrix is found by iteration from a random subspace.
///
/// # Reference
/// [Finding structure with randomness](https://arxiv.org/abs/0909.4061), Halko, Martinsson and Tropp, 2011, algorithm
/// 4.4.
pub(super) fn leading(samples: &Samples, k: usize, rng: &mut Rng) -> Svd {
    let [n, c] = samples.dims();
    let width = k + OVERSAMPLING;
    let svd = if width * ITERATION_PAYS < n.min(c) { iterated(samples, width, k, rng) } else { exact(samples) };
    oriented(svd, k)
}

/// More directions than asked for, so that the last ones converge too; the value of the paper and of scikit-learn.
const OVERSAMPLING: usize = 10;

/// Iteration is the faster when the subspace is narrower than a third of the matrix.
const ITERATION_PAYS: usize = 3;

/// How little the singular values change when iteration ends, relative to the largest. The vectors' error is about the
/// root of theirs, which then is that of `f32`.
const SETTLED: f64 = 1e-13;

/// SqueezeNet's activations of a photo settle in 10 to 16; noise, whose directions are all alike, takes longest.
const MAX_ITERATIONS: usize = 100;

fn exact(samples: &Samples) -> Svd {
    let svd = samples.matrix().svd(true, true);
    let right = svd.u.expect("asked for").transpose();
    Svd { values: svd.singular_values.as_slice().to_vec(), left: svd.v_t.expect("asked for"), right }
}

fn iterated(samples: &Samples, width: usize, k: usize, rng: &mut Rng) -> Svd {
    let [_, c] = samples.dims();
    let transposed = samples.transposed();
    let random = Matrix::from_fn(width, c, |_, _| StandardNormal.sample(rng));
    let mut basis = orthonormal(&samples.along(&random)); // [width, n]
    let mut previous = vec![0.0; k];
    for _ in 0..MAX_ITERATIONS {
        let (values, rotation, right) = small(transposed.along(&basis)); // right: [width, c]
        let change = values.iter().zip(&previous).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if change <= SETTLED * values[0] {
            return Svd { values, left: rotation.transpose() * basis, right };
        }
        previous = values[..k].to_vec();
        basis = orthonormal(&samples.along(&right));
    }
    let (values, rotation, right) = small(transposed.along(&basis));
    Svd { values, left: rotation.transpose() * basis, right }
}

/// Singular values, left vectors `[rows, rows]` and right vectors `[rows, columns]`.
fn small(matrix: Matrix) -> (Vec<f64>, Matrix, Matrix) {
    let svd = matrix.svd(true, true);
    (svd.singular_values.as_slice().to_vec(), svd.u.expect("asked for"), svd.v_t.expect("asked for"))
}

/// Orthonormal rows that span the same.
fn orthonormal(rows: &Matrix) -> Matrix {
    rows.transpose().qr().q().transpose()
}

fn oriented(svd: Svd, k: usize) -> Svd {
    let Svd { mut values, left, right } = svd;
    let (mut left, mut right) = (left.rows(0, k).into_owned(), right.rows(0, k).into_owned());
    values.truncate(k);
    for row in 0..k {
        if right.row(row)[right.row(row).iamax_full().1] < 0.0 {
            left.row_mut(row).neg_mut();
            right.row_mut(row).neg_mut();
        }
    }
    Svd { values, left, right }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::*;
    use crate::chance::{Purpose, draws};

    fn samples(matrix: &Matrix) -> Samples {
        let [c, n] = [matrix.nrows(), matrix.ncols()];
        let values = TensorData::new(matrix.as_slice().to_vec(), [n, c]);
        Samples::read(Tensor::from_data(values, (&Device::flex(), burn::tensor::DType::F64))).unwrap()
    }

    /// A matrix `[c, n]` with known singular values, all others 0.
    fn known(c: usize, n: usize, values: &[f64], rng: &mut Rng) -> Matrix {
        let mut random = |rows: usize, columns| Matrix::from_fn(rows, columns, |_, _| StandardNormal.sample(&mut *rng));
        let (left, right) = (orthonormal(&random(values.len(), n)), orthonormal(&random(values.len(), c)));
        right.transpose() * Matrix::from_diagonal(&values.to_vec().into()) * left
    }

    #[test]
    fn both_ways_find_known_singular_values_and_vectors() {
        let mut rng = draws(0, Purpose::Components);
        let expected: Vec<f64> = (0..30).map(|i| 0.8f64.powi(i)).collect();
        for [c, n] in [[30, 40], [40, 30], [90, 200], [200, 90]] {
            let matrix = known(c, n, &expected, &mut rng);
            let svd = leading(&samples(&matrix), 4, &mut rng);
            for (found, expected) in svd.values.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-12, "{c}x{n}: {found} is not {expected}");
            }
            // Each vector maps to the other, so both are right.
            let mapped = &svd.right * &matrix;
            let scaled = Matrix::from_diagonal(&svd.values.clone().into()) * &svd.left;
            assert!((mapped - scaled).amax() < 1e-6, "{c}x{n}");
            assert!((&svd.left * svd.left.transpose() - Matrix::identity(4, 4)).amax() < 1e-10, "{c}x{n}");
        }
    }

    #[test]
    fn missing_rank_gives_zeros() {
        let mut rng = draws(0, Purpose::Components);
        for [c, n] in [[10, 20], [120, 100]] {
            let svd = leading(&samples(&known(c, n, &[3.0, 2.0], &mut rng)), 4, &mut rng);
            assert!((svd.values[0] - 3.0).abs() < 1e-10 && (svd.values[1] - 2.0).abs() < 1e-10);
            assert!(svd.values[2] < 1e-10 && svd.values[3] < 1e-10);
        }
    }

    #[test]
    fn the_entry_furthest_from_zero_is_positive() {
        let svd = leading(
            &samples(&Matrix::from_row_slice(2, 2, &[-3.0, 0.0, 0.0, 2.0])),
            2,
            &mut draws(0, Purpose::Components),
        );
        assert!((svd.right - Matrix::identity(2, 2)).amax() < 1e-12);
        assert!((svd.left - Matrix::from_row_slice(2, 2, &[-1.0, 0.0, 0.0, 1.0])).amax() < 1e-12);
    }
}
