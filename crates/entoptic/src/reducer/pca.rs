//! Principal component analysis.

use burn::{
    config::Config,
    tensor::{Device, Tensor, TensorData},
};
use nalgebra::DVector;

use super::{
    Algorithm, Reducer, check_components, check_fit,
    samples::{Matrix, Samples, to_vectors},
    svd::leading,
};
use crate::{
    Error,
    chance::{Purpose, draws},
};

/// Principal component analysis: the orthogonal directions along which activations vary most.
///
/// Of each component the entry furthest from 0 is positive, as in scikit-learn.
///
/// # Errors
/// Fitting fails with [`Error::OutOfRange`] if `k` is 0, with [`Error::TooManyComponents`] if `k > min(n, c)`.
///
/// # Reference
/// Probabilistic principal component analysis, Tipping and Bishop, 1999; `PCA` in scikit-learn.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::reducer::{Algorithm, PcaConfig, Reducer};
///
/// let vectors = Tensor::<2>::from_data([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]], &Device::flex());
/// let pca = PcaConfig::new(1).fit(vectors)?;
/// let component: Vec<f32> = pca.components().try_into_vec_as().unwrap();
/// assert!((component[0] - 0.6).abs() < 1e-6 && (component[1] - 0.8).abs() < 1e-6);
/// assert!((pca.explained_variance_ratio()[0] - 1.0).abs() < 1e-6);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct PcaConfig {
    /// How many components, `k`.
    pub components: usize,
    /// What all chance comes from: the subspace that the search for few of many components starts from.
    #[config(default = 0)]
    pub seed: u64,
}

/// The principal components of activations, see [`PcaConfig`].
#[derive(Debug, Clone)]
pub struct Pca {
    mean: DVector<f64>,
    /// `[k, c]`, rows orthonormal.
    components: Matrix,
    explained_variance: Vec<f64>,
    explained_variance_ratio: Vec<f64>,
    device: Device,
}

impl Pca {
    /// The mean vector `[c]`.
    pub fn mean(&self) -> Tensor<1> {
        let values: Vec<f32> = self.mean.iter().map(|&value| value as f32).collect();
        Tensor::from_data(TensorData::new(values, [self.mean.len()]), &self.device)
    }

    /// The variance along each component, `[k]`.
    pub fn explained_variance(&self) -> &[f64] {
        &self.explained_variance
    }

    /// The part of all variance along each component, `[k]`; 0 where nothing varies.
    pub fn explained_variance_ratio(&self) -> &[f64] {
        &self.explained_variance_ratio
    }
}

impl Algorithm for PcaConfig {
    type Reducer = Pca;

    fn fit_vectors(&self, vectors: Tensor<2>) -> Result<(Pca, Tensor<2>), Error> {
        let device = vectors.device();
        let samples = Samples::read(vectors)?;
        let [n, _] = samples.dims();
        check_components(self.components)?;
        check_fit(self.components, samples.dims())?;
        let mean = samples.mean();
        let centered = samples.around(&mean);
        let svd = leading(&centered, self.components, &mut draws(self.seed, Purpose::Components));
        let all = centered.square_norm();
        let squares = svd.values.iter().map(|value| value * value);
        let factors = to_vectors(&(Matrix::from_diagonal(&svd.values.clone().into()) * svd.left), &device);
        let pca = Pca {
            mean,
            components: svd.right,
            explained_variance: squares.clone().map(|square| square / (n.max(2) - 1) as f64).collect(),
            explained_variance_ratio: squares.map(|square| if all == 0.0 { 0.0 } else { square / all }).collect(),
            device,
        };
        Ok((pca, factors))
    }
}

impl Reducer for Pca {
    fn components(&self) -> Tensor<2> {
        to_vectors(&self.components.transpose(), &self.device)
    }

    fn transform_vectors(&self, vectors: Tensor<2>) -> Result<Tensor<2>, Error> {
        let device = vectors.device();
        let samples = Samples::read_with(vectors, self.mean.len())?;
        Ok(to_vectors(&samples.around(&self.mean).along(&self.components), &device))
    }

    fn inverse_vectors(&self, factors: Tensor<2>) -> Result<Tensor<2>, Error> {
        let device = factors.device();
        let factors = Samples::read_with(factors, self.components.nrows())?;
        let mut columns = factors.along(&self.components.transpose());
        columns.column_iter_mut().for_each(|mut column| column += &self.mean);
        Ok(to_vectors(&columns, &device))
    }
}
