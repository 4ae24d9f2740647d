//! Clusters around means.

use burn::{
    config::Config,
    tensor::{Device, Tensor},
};
use nalgebra::DVector;
use rand::RngExt;
use rand_distr::{Distribution, weighted::WeightedAliasIndex};

use super::{
    Algorithm, Reducer, check_components,
    samples::{Matrix, Samples, to_vectors},
};
use crate::{
    Error,
    chance::{Purpose, Rng, draws},
};

/// K-means: clusters of activations, each around its mean.
///
/// A vector's factors are 1 for the nearest mean and 0 for the others, rather than distances: so the clusters can be
/// used as neuron groups are, more is more alike, and the inverse is the closest vector that the components can make.
///
/// # Errors
/// Fitting fails with [`Error::OutOfRange`] if `k` or `restarts` is 0, with [`Error::TooManyComponents`] if `k > n`.
///
/// # Reference
/// Least squares quantization in PCM, Lloyd, 1982; k-means++: the advantages of careful seeding, Arthur and
/// Vassilvitskii, 2007.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::reducer::{Algorithm, KMeansConfig};
///
/// let vectors = Tensor::<2>::from_data([[0.0, 0.1], [5.0, 5.0], [0.1, 0.0], [5.1, 5.0]], &Device::flex());
/// let (k_means, clusters) = KMeansConfig::new(2).fit_transform(vectors)?;
/// let rows: Vec<f32> = clusters.try_into_vec_as().unwrap();
/// assert_eq!(rows[0..2], rows[4..6]);
/// assert_ne!(rows[0..2], rows[2..4]);
/// assert!((k_means.inertia() - 0.015).abs() < 1e-6);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct KMeansConfig {
    /// How many clusters, `k`.
    pub components: usize,
    /// How often to start anew; the tightest clusters are kept.
    #[config(default = 10)]
    pub restarts: usize,
    /// Each start ends after so many moves of the means, if vectors still change their cluster then.
    #[config(default = 300)]
    pub max_iterations: usize,
    /// What all chance comes from.
    #[config(default = 0)]
    pub seed: u64,
}

/// The clusters of activations, see [`KMeansConfig`].
#[derive(Debug, Clone)]
pub struct KMeans {
    /// `[k, c]`.
    means: Matrix,
    inertia: f64,
    device: Device,
}

impl KMeans {
    /// How tight the clusters are: the sum over the fitted vectors of their squared distance to the nearest mean.
    pub fn inertia(&self) -> f64 {
        self.inertia
    }
}

impl Algorithm for KMeansConfig {
    type Reducer = KMeans;

    fn fit_vectors(&self, vectors: Tensor<2>) -> Result<(KMeans, Tensor<2>), Error> {
        let device = vectors.device();
        let samples = Samples::read(vectors)?;
        let [n, _] = samples.dims();
        check_components(self.components)?;
        if self.components > n {
            return Err(Error::TooManyComponents { components: self.components, most: n, of: "samples" });
        }
        let columns = Columns::new(samples);
        let mut rng = draws(self.seed, Purpose::Components);
        let starts = (0..self.restarts).map(|_| columns.clusters(self, &mut rng));
        let Some(best) = starts.min_by(|a, b| a.inertia().total_cmp(&b.inertia())) else {
            return Err(Error::out_of_range("restarts", 0, "they are 1 or more"));
        };
        let factors = to_vectors(&one_hot(&best.nearest, self.components), &device);
        Ok((KMeans { inertia: best.inertia(), means: best.means, device }, factors))
    }
}

impl Reducer for KMeans {
    /// The means of the clusters, `[k, c]`.
    fn components(&self) -> Tensor<2> {
        to_vectors(&self.means.transpose(), &self.device)
    }

    fn transform_vectors(&self, vectors: Tensor<2>) -> Result<Tensor<2>, Error> {
        let device = vectors.device();
        let columns = Columns::new(Samples::read_with(vectors, self.means.ncols())?);
        let (nearest, _) = columns.nearest(&self.means);
        Ok(to_vectors(&one_hot(&nearest, self.means.nrows()), &device))
    }

    fn inverse_vectors(&self, factors: Tensor<2>) -> Result<Tensor<2>, Error> {
        let device = factors.device();
        let factors = Samples::read_with(factors, self.means.nrows())?;
        Ok(to_vectors(&factors.along(&self.means.transpose()), &device))
    }
}

/// Samples, in the forms that distances and means are computed from.
struct Columns {
    samples: Samples,
    transposed: Samples,
    /// `[c, n]`.
    matrix: Matrix,
    /// `[n]`.
    square_norms: DVector<f64>,
}

struct Clusters {
    means: Matrix,
    nearest: Vec<usize>,
    /// Squared, of each sample to the nearest mean.
    distances: Vec<f64>,
}

impl Clusters {
    fn inertia(&self) -> f64 {
        self.distances.iter().sum()
    }
}

impl Columns {
    fn new(samples: Samples) -> Self {
        let matrix = samples.matrix();
        let square_norms = DVector::from_iterator(matrix.ncols(), matrix.column_iter().map(|v| v.norm_squared()));
        Self { transposed: samples.transposed(), samples, matrix, square_norms }
    }

    /// One start of Lloyd's algorithm.
    fn clusters(&self, config: &KMeansConfig, rng: &mut Rng) -> Clusters {
        let mut means = self.spread(config.components, rng);
        let (mut nearest, mut distances) = self.nearest(&means);
        for _ in 0..config.max_iterations {
            means = self.means(&nearest, &distances, config.components);
            let before = nearest;
            (nearest, distances) = self.nearest(&means);
            if nearest == before {
                break;
            }
        }
        Clusters { means, nearest, distances }
    }

    /// First means `[k, c]` by k-means++: samples, each drawn the likelier the further it is from those before it.
    fn spread(&self, k: usize, rng: &mut Rng) -> Matrix {
        let [n, c] = self.samples.dims();
        let mut means = Matrix::zeros(k, c);
        let mut distances = vec![f64::INFINITY; n];
        for i in 0..k {
            let chosen = match WeightedAliasIndex::new(distances.clone()) {
                Ok(weighted) => weighted.sample(rng),
                // The first, or all samples are means already.
                Err(_) => rng.random_range(0..n),
            };
            means.set_row(i, &self.matrix.column(chosen).transpose());
            let (_, to_it) = self.nearest(&means.rows(i, 1).into_owned());
            distances.iter_mut().zip(to_it).for_each(|(distance, to_it)| *distance = distance.min(to_it));
        }
        means
    }

    /// Of each sample, the nearest of `means` `[k, c]` and the squared distance to it.
    fn nearest(&self, means: &Matrix) -> (Vec<usize>, Vec<f64>) {
        let products = self.samples.along(means); // [k, n]
        let square_norms: Vec<f64> = means.row_iter().map(|mean| mean.norm_squared()).collect();
        let nearest = products.column_iter().zip(&self.square_norms).map(|(products, square_norm)| {
            let distances =
                products.iter().zip(&square_norms).map(|(product, mean)| square_norm - 2.0 * product + mean);
            let (i, distance) = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are means");
            (i, distance.max(0.0))
        });
        nearest.unzip()
    }

    /// The mean of each cluster, `[k, c]`; one without members gets the sample furthest from its own mean.
    fn means(&self, nearest: &[usize], distances: &[f64], k: usize) -> Matrix {
        let mut means = self.transposed.along(&one_hot(nearest, k));
        let mut furthest: Vec<usize> = (0..distances.len()).collect();
        furthest.sort_by(|&a, &b| distances[a].total_cmp(&distances[b]));
        for i in 0..k {
            match nearest.iter().filter(|&&cluster| cluster == i).count() {
                0 => {
                    let sample = furthest.pop().expect("there are no more clusters than samples");
                    means.set_row(i, &self.matrix.column(sample).transpose());
                }
                members => means.row_mut(i).unscale_mut(members as f64),
            }
        }
        means
    }
}

/// `[k, n]`: 1 where sample `n` is in cluster `k`, 0 elsewhere.
fn one_hot(nearest: &[usize], k: usize) -> Matrix {
    Matrix::from_fn(k, nearest.len(), |i, sample| f64::from(nearest[sample] == i))
}
