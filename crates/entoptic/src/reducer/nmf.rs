//! Non-negative matrix factorization.

use burn::{
    config::Config,
    tensor::{Device, Tensor},
};
use rand_distr::{Distribution, StandardNormal};

use super::{
    Algorithm, Reducer, check_components, check_fit,
    samples::{Matrix, Samples, to_vectors},
    svd::{Svd, leading},
};
use crate::{
    Error,
    chance::{Purpose, Rng, draws},
};

/// Non-negative matrix factorization: parts, none of them negative, that add up to the activations.
///
/// By coordinate descent on the squared error, as scikit-learn 1.9 does by default.
///
/// # Errors
/// Fitting fails with [`Error::NegativeActivations`] unless [`posneg`](Self::posneg) is set, with
/// [`Error::OutOfRange`] if `k` is 0 or `tolerance` negative, and with [`Error::TooManyComponents`] if `k > min(n, c)`
/// where [`init`](Self::init) says [`Init::Nndsvd`] or [`Init::Nndsvda`].
///
/// # Reference
/// Fast local algorithms for large scale nonnegative matrix and tensor factorizations, Cichocki and Phan, 2009;
/// `NMF` in scikit-learn.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::reducer::{Algorithm, NmfConfig, Reducer};
///
/// let vectors = Tensor::<2>::from_data([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0], [2.0, 4.0, 3.0]], &Device::flex());
/// let (nmf, factors) = NmfConfig::new(2).fit_transform(vectors)?;
/// assert!(nmf.reconstruction_error() < 1e-2);
/// assert_eq!(factors.dims(), [3, 2]);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct NmfConfig {
    /// How many components, `k`.
    pub components: usize,
    /// What descent starts from; if none is said [`Init::Nndsvda`] where there are as many samples and channels as
    /// components, [`Init::Random`] otherwise.
    #[config(default = "None")]
    pub init: Option<Init>,
    /// Descent ends when the projected gradient has shrunk to this part of the first iteration's.
    #[config(default = 1e-4)]
    pub tolerance: f64,
    /// Descent ends after so many passes over all factors and components.
    #[config(default = 200)]
    pub max_iterations: usize,
    /// Whether to accept negative activations, by factoring [`posneg`] of them.
    #[config(default = false)]
    pub posneg: bool,
    /// What all chance comes from.
    #[config(default = 0)]
    pub seed: u64,
}

/// What non-negative factorization starts from.
///
/// # Reference
/// SVD based initialization: a head start for nonnegative matrix factorization, Boutsidis and Gallopoulos, 2008.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Init {
    /// The non-negative parts of singular vectors. Zeros stay zeros, so the result is sparse.
    Nndsvd,
    /// The same, with zeros filled with the activations' mean.
    Nndsvda,
    /// Half-normal draws, scaled to the activations' mean.
    Random,
}

/// The parts of activations, see [`NmfConfig`].
#[derive(Debug, Clone)]
pub struct Nmf {
    config: NmfConfig,
    /// `[k, c]`, or `[k, 2c]` of [`posneg`].
    components: Matrix,
    reconstruction_error: f64,
    iterations: usize,
    device: Device,
}

impl Nmf {
    /// How far the fitted activations are from what their factors stand for: the root of the sum of squares.
    pub fn reconstruction_error(&self) -> f64 {
        self.reconstruction_error
    }

    /// How many passes descent took; it had not settled if they are [`NmfConfig::max_iterations`].
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    fn read(&self, vectors: Tensor<2>) -> Result<Samples, Error> {
        let [_, c] = vectors.dims();
        let sides = if self.config.posneg { 2 } else { 1 };
        if c * sides != self.components.ncols() {
            return Err(Error::WrongChannels { found: c, expected: self.components.ncols() / sides });
        }
        read(vectors, self.config.posneg)
    }
}

impl Algorithm for NmfConfig {
    type Reducer = Nmf;

    fn fit_vectors(&self, vectors: Tensor<2>) -> Result<(Nmf, Tensor<2>), Error> {
        let device = vectors.device();
        let samples = read(vectors, self.posneg)?;
        let (mut factors, mut components) = self.start(&samples)?;
        let transposed = samples.transposed();
        let iterations = self.descend(|| {
            let gradient = pass(&mut factors, &gram(&components), &samples.along(&components));
            gradient + pass(&mut components, &gram(&factors), &transposed.along(&factors))
        });
        let reconstruction_error = samples.distance(&(components.transpose() * &factors));
        let vectors = to_vectors(&factors, &device);
        Ok((Nmf { config: self.clone(), components, reconstruction_error, iterations, device }, vectors))
    }
}

impl Reducer for Nmf {
    /// The components `[k, c]`; of [`posneg`] activations the positive minus the negative half.
    fn components(&self) -> Tensor<2> {
        to_vectors(&signed(self.components.transpose(), self.config.posneg), &self.device)
    }

    fn transform_vectors(&self, vectors: Tensor<2>) -> Result<Tensor<2>, Error> {
        let device = vectors.device();
        let samples = self.read(vectors)?;
        let [n, _] = samples.dims();
        let mut factors = Matrix::zeros(self.config.components, n);
        let (gram, products) = (gram(&self.components), samples.along(&self.components));
        self.config.descend(|| pass(&mut factors, &gram, &products));
        Ok(to_vectors(&factors, &device))
    }

    fn inverse_vectors(&self, factors: Tensor<2>) -> Result<Tensor<2>, Error> {
        let device = factors.device();
        let factors = Samples::read_with(factors, self.config.components)?;
        let columns = factors.along(&self.components.transpose());
        Ok(to_vectors(&signed(columns, self.config.posneg), &device))
    }
}

impl NmfConfig {
    /// The factors `[k, n]` and components `[k, c]` that descent starts from.
    fn start(&self, samples: &Samples) -> Result<(Matrix, Matrix), Error> {
        let [n, c] = samples.dims();
        let k = self.components;
        if self.tolerance.is_nan() || self.tolerance < 0.0 {
            let value = self.tolerance.to_string();
            return Err(Error::OutOfRange { what: "the tolerance", value, accepted: "it is 0 or more, such as 1e-4" });
        }
        let init = self.init.unwrap_or(if k <= n.min(c) { Init::Nndsvda } else { Init::Random });
        check_components(k)?;
        if init != Init::Random {
            check_fit(k, [n, c])?;
        }
        let mut rng = draws(self.seed, Purpose::Components);
        Ok(match init {
            Init::Random => random(samples, k, &mut rng),
            Init::Nndsvd => nndsvd(leading(samples, k, &mut rng)),
            Init::Nndsvda => {
                let mean = samples.mean_value();
                let filled = |matrix: Matrix| matrix.map(|value| if value == 0.0 { mean } else { value });
                let (factors, components) = nndsvd(leading(samples, k, &mut rng));
                (filled(factors), filled(components))
            }
        })
    }

    /// Repeats a pass, which returns its projected gradient, until that has shrunk enough; how often.
    fn descend(&self, mut pass: impl FnMut() -> f64) -> usize {
        let mut first = None;
        for iteration in 1..=self.max_iterations {
            let gradient = pass();
            if gradient <= self.tolerance * *first.get_or_insert(gradient) || gradient == 0.0 {
                return iteration;
            }
        }
        self.max_iterations
    }
}

/// Channels as their positive and their negative parts, `[max(0, x), max(0, -x)]`.
///
/// # Shapes
/// - activations: `[n, c, ..]`
/// - value: `[n, 2c, ..]`, none negative
pub fn posneg<const D: usize>(activations: Tensor<D>) -> Tensor<D> {
    Tensor::cat(vec![activations.clone().clamp_min(0.0), (-activations).clamp_min(0.0)], 1)
}

/// Columns `[c, n]` of [`posneg`] ones `[2c, n]`.
fn signed(columns: Matrix, posneg: bool) -> Matrix {
    if !posneg {
        return columns;
    }
    let c = columns.nrows() / 2;
    columns.rows(0, c) - columns.rows(c, c)
}

fn read(vectors: Tensor<2>, with_negative: bool) -> Result<Samples, Error> {
    let samples = Samples::read(vectors.clone())?;
    if with_negative {
        return Samples::read(posneg(vectors));
    }
    match samples.smallest() {
        smallest if smallest < 0.0 => Err(Error::NegativeActivations { smallest }),
        _ => Ok(samples),
    }
}

/// `[k, k]` products of the rows of `[k, c]`.
fn gram(rows: &Matrix) -> Matrix {
    rows * rows.transpose()
}

/// Moves each entry of `columns` `[k, n]` to where the squared error is smallest, one after the other, and returns the
/// sum of the gradients that they had.
///
/// `gram` `[k, k]` are the other matrix' products with itself, `products` `[k, n]` those with the samples.
fn pass(columns: &mut Matrix, gram: &Matrix, products: &Matrix) -> f64 {
    let mut violation = 0.0;
    for (mut column, products) in columns.column_iter_mut().zip(products.column_iter()) {
        for i in 0..column.len() {
            let gradient = gram.column(i).dot(&column) - products[i];
            // At 0 an entry can only grow.
            violation += if column[i] == 0.0 { gradient.min(0.0).abs() } else { gradient.abs() };
            if gram[(i, i)] != 0.0 {
                column[i] = (column[i] - gradient / gram[(i, i)]).max(0.0);
            }
        }
    }
    violation
}

/// Entries of the singular vectors' parts that count as 0; scikit-learn's.
const NEGLIGIBLE: f64 = 1e-6;

/// For each pair of singular vectors, the positive or the negative parts of both, whichever is more.
fn nndsvd(svd: Svd) -> (Matrix, Matrix) {
    let Svd { values, mut left, mut right } = svd;
    for (i, &value) in values.iter().enumerate() {
        let part = |matrix: &Matrix, sign: f64| matrix.row(i).map(|entry| (sign * entry).max(0.0));
        // The first pair has one sign, up to rounding.
        let (u, v) = if i == 0 {
            (left.row(i).abs(), right.row(i).abs())
        } else {
            let size = |sign: f64| part(&left, sign).norm() * part(&right, sign).norm();
            let sign = if size(1.0) > size(-1.0) { 1.0 } else { -1.0 };
            (part(&left, sign), part(&right, sign))
        };
        let (length, width) = (u.norm(), v.norm());
        let scale = |norm: f64| if norm == 0.0 { 0.0 } else { (value * length * width).sqrt() / norm };
        left.set_row(i, &(u * scale(length)));
        right.set_row(i, &(v * scale(width)));
    }
    let cleaned = |matrix: Matrix| matrix.map(|entry| if entry < NEGLIGIBLE { 0.0 } else { entry });
    (cleaned(left), cleaned(right))
}

fn random(samples: &Samples, k: usize, rng: &mut Rng) -> (Matrix, Matrix) {
    let [n, c] = samples.dims();
    let scale = (samples.mean_value() / k as f64).sqrt();
    let mut draw = |columns| {
        Matrix::from_fn(k, columns, |_, _| {
            let value: f64 = StandardNormal.sample(rng);
            scale * value.abs()
        })
    };
    let components = draw(c);
    (draw(n), components)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_ends_at_the_smallest_error_of_each_entry() {
        // One sample (4, 3), components (2, 0) and (0, 1): factors 2 and 3, gradients -8 and -3 at 0.
        let components = Matrix::from_row_slice(2, 2, &[2.0, 0.0, 0.0, 1.0]);
        let products = Matrix::from_row_slice(2, 1, &[8.0, 3.0]);
        let mut factors = Matrix::zeros(2, 1);
        assert_eq!(pass(&mut factors, &gram(&components), &products), 11.0);
        assert_eq!(factors.as_slice(), [2.0, 3.0]);
        assert_eq!(pass(&mut factors, &gram(&components), &products), 0.0);
    }

    #[test]
    fn nndsvd_keeps_the_larger_part_of_both_vectors() {
        // The second pair's positive parts are (0.6) and (0.8), product 0.48; the negative ones 0.8 and 0.6, equal.
        let svd = Svd {
            values: vec![4.0, 1.0],
            left: Matrix::from_row_slice(2, 2, &[-0.6, -0.8, 0.8, -0.6]),
            right: Matrix::from_row_slice(2, 2, &[-0.8, -0.6, 0.6, -0.8]),
        };
        let (factors, components) = nndsvd(svd);
        let expected = Matrix::from_row_slice(2, 2, &[1.2, 1.6, 0.0, 0.48f64.sqrt()]);
        assert!((factors - expected).amax() < 1e-12);
        let expected = Matrix::from_row_slice(2, 2, &[1.6, 1.2, 0.0, 0.48f64.sqrt()]);
        assert!((components - expected).amax() < 1e-12);
    }
}
