//! Independent component analysis.

use burn::{
    config::Config,
    tensor::{Device, Tensor, TensorData},
};
use nalgebra::DVector;
use rand_distr::{Distribution, StandardNormal};

use super::{
    Algorithm, Reducer, check_components, check_fit,
    samples::{Matrix, Samples, to_vectors},
    svd::{Svd, leading},
};
use crate::{
    Error,
    chance::{Purpose, draws},
};

/// Independent component analysis: the mixed signals that activations are sums of, as FastICA finds them.
///
/// All components at once, by the logarithm of the hyperbolic cosine. Factors have mean 0 and variance 1. Of each
/// component the entry furthest from 0 is positive; their order depends on the seed.
///
/// # Errors
/// Fitting fails with [`Error::OutOfRange`] if `k` is 0, with [`Error::TooManyComponents`] if it is more than the
/// directions in which the activations vary.
///
/// # Reference
/// Fast and robust fixed-point algorithms for independent component analysis, Hyvärinen, 1999; `FastICA` in
/// scikit-learn.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use entoptic::reducer::{Algorithm, IcaConfig};
///
/// let sources = Tensor::<2>::random([500, 2], Distribution::Uniform(0.0, 1.0), &Device::flex());
/// let mixed = sources.matmul(Tensor::from_data([[1.0, 2.0, 0.5], [1.0, -1.0, 1.0]], &Device::flex()));
/// let (_, signals) = IcaConfig::new(2).fit_transform(mixed)?;
/// assert_eq!(signals.dims(), [500, 2]);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct IcaConfig {
    /// How many components, `k`.
    pub components: usize,
    /// Iteration ends when no component's cosine with the one before it is further from 1.
    #[config(default = 1e-4)]
    pub tolerance: f64,
    /// Iteration ends after so many steps.
    #[config(default = 200)]
    pub max_iterations: usize,
    /// What all chance comes from.
    #[config(default = 0)]
    pub seed: u64,
}

/// The independent components of activations, see [`IcaConfig`].
#[derive(Debug, Clone)]
pub struct Ica {
    mean: DVector<f64>,
    /// `[k, c]`: from activations to signals.
    unmixing: Matrix,
    /// `[c, k]`: from signals to activations.
    mixing: Matrix,
    iterations: usize,
    device: Device,
}

impl Ica {
    /// The mean vector `[c]`.
    pub fn mean(&self) -> Tensor<1> {
        let values: Vec<f32> = self.mean.iter().map(|&value| value as f32).collect();
        Tensor::from_data(TensorData::new(values, [self.mean.len()]), &self.device)
    }

    /// How each signal enters the activations, `[k, c]`: what [`inverse`](Reducer::inverse) adds up.
    pub fn mixing(&self) -> Tensor<2> {
        to_vectors(&self.mixing, &self.device)
    }

    /// How many steps it took; it had not settled if they are [`IcaConfig::max_iterations`].
    pub fn iterations(&self) -> usize {
        self.iterations
    }
}

impl Algorithm for IcaConfig {
    type Reducer = Ica;

    fn fit_vectors(&self, vectors: Tensor<2>) -> Result<(Ica, Tensor<2>), Error> {
        let device = vectors.device();
        let samples = Samples::read(vectors)?;
        let [n, _] = samples.dims();
        let k = self.components;
        check_components(k)?;
        check_fit(k, samples.dims())?;
        let mean = samples.mean();
        let mut rng = draws(self.seed, Purpose::Components);
        let Svd { values, left, right } = leading(&samples.around(&mean), k, &mut rng);
        check_rank(&values)?;
        let white = left * (n as f64).sqrt(); // [k, n], uncorrelated, variance 1
        let start = Matrix::from_fn(k, k, |_, _| StandardNormal.sample(&mut rng));
        let (rotation, iterations) = self.rotation(&white, start);
        let scale = DVector::from_vec(values) / (n as f64).sqrt();
        let mut ica = Ica {
            mean,
            unmixing: &rotation * Matrix::from_diagonal(&scale.map(f64::recip)) * &right,
            mixing: right.transpose() * Matrix::from_diagonal(&scale) * rotation.transpose(),
            iterations,
            device: device.clone(),
        };
        let mut signals = rotation * white;
        for i in 0..k {
            let row = ica.unmixing.row(i);
            if row[row.iamax_full().1] < 0.0 {
                ica.unmixing.row_mut(i).neg_mut();
                ica.mixing.column_mut(i).neg_mut();
                signals.row_mut(i).neg_mut();
            }
        }
        Ok((ica, to_vectors(&signals, &device)))
    }
}

impl Reducer for Ica {
    /// The components `[k, c]` whose products with activations, less their mean, are the signals.
    fn components(&self) -> Tensor<2> {
        to_vectors(&self.unmixing.transpose(), &self.device)
    }

    fn transform_vectors(&self, vectors: Tensor<2>) -> Result<Tensor<2>, Error> {
        let device = vectors.device();
        let samples = Samples::read_with(vectors, self.mean.len())?;
        Ok(to_vectors(&samples.around(&self.mean).along(&self.unmixing), &device))
    }

    fn inverse_vectors(&self, factors: Tensor<2>) -> Result<Tensor<2>, Error> {
        let device = factors.device();
        let factors = Samples::read_with(factors, self.unmixing.nrows())?;
        let mut columns = factors.along(&self.mixing);
        columns.column_iter_mut().for_each(|mut column| column += &self.mean);
        Ok(to_vectors(&columns, &device))
    }
}

impl IcaConfig {
    /// The rotation `[k, k]` after which white samples `[k, n]` are least like noise, and the steps it took.
    fn rotation(&self, white: &Matrix, start: Matrix) -> (Matrix, usize) {
        let n = white.ncols() as f64;
        let mut rotation = decorrelated(start);
        for iteration in 1..=self.max_iterations {
            let signals = (&rotation * white).map(f64::tanh); // the derivative of log cosh
            let slopes = DVector::from_iterator(
                signals.nrows(),
                signals.row_iter().map(|row| row.iter().map(|tanh| 1.0 - tanh * tanh).sum::<f64>() / n),
            );
            let next = &signals * white.transpose() / n - Matrix::from_diagonal(&slopes) * &rotation;
            let next = decorrelated(next);
            let turned = next.row_iter().zip(rotation.row_iter()).map(|(a, b)| (a.dot(&b).abs() - 1.0).abs());
            let turned = turned.fold(0.0, f64::max);
            rotation = next;
            if turned < self.tolerance {
                return (rotation, iteration);
            }
        }
        (rotation, self.max_iterations)
    }
}

/// The closest matrix with orthonormal rows, `(M Mᵀ)^-½ M`.
fn decorrelated(matrix: Matrix) -> Matrix {
    let svd = matrix.svd(true, true);
    svd.u.expect("asked for") * svd.v_t.expect("asked for")
}

/// That the activations vary along every component by more than the rounding of `f32`.
fn check_rank(values: &[f64]) -> Result<(), Error> {
    let least = values[0] * f64::from(f32::EPSILON);
    let most = values.iter().filter(|&&value| value > least).count();
    if most < values.len() {
        return Err(Error::TooManyComponents { components: values.len(), most, of: "directions that vary" });
    }
    Ok(())
}
