//! Channel reducers: a few components in place of many channels, such as neuron groups.
//!
//! A layer's activations at one position are a vector `[c]`. A reducer finds `k` components `[k, c]`, directions that
//! many of these vectors are made of, and says of each vector how much of each component is in it: its factors `[k]`.
//! Activations `[n, c, h, w]` become factors `[n, k, h, w]`, and back.
//!
//! | algorithm | components | factors |
//! | --- | --- | --- |
//! | [`NmfConfig`] | none is negative: parts that add up | how much of each part, 0 or more |
//! | [`PcaConfig`] | orthogonal, by falling variance | positions along them, around the mean |
//! | [`IcaConfig`] | of independent signals | the signals, around 0, variance 1 |
//! | [`KMeansConfig`] | means of clusters | 1 for the vector's cluster, 0 for the others |
//!
//! ```
//! use burn::tensor::{Device, Distribution, Tensor};
//! use entoptic::reducer::{Algorithm, NmfConfig, Reducer};
//!
//! let activations = Tensor::<4>::random([1, 24, 8, 8], Distribution::Uniform(0.0, 1.0), &Device::flex());
//! let (reducer, groups) = NmfConfig::new(6).fit_transform(activations.clone())?;
//! assert_eq!(groups.dims(), [1, 6, 8, 8]);
//! assert_eq!(reducer.components().dims(), [6, 24]);
//! assert_eq!(reducer.inverse(groups)?.dims(), activations.dims());
//! # Ok::<(), entoptic::Error>(())
//! ```
//!
//! # Reference
//! `misc/channel_reducer.py` in Lucid; [The Building Blocks of
//! Interpretability](https://distill.pub/2018/building-blocks), Olah et al., 2018.

mod ica;
mod k_means;
mod nmf;
mod pca;
mod samples;
mod svd;

use burn::tensor::Tensor;

pub use self::{
    ica::{Ica, IcaConfig},
    k_means::{KMeans, KMeansConfig},
    nmf::{Init, Nmf, NmfConfig, posneg},
    pca::{Pca, PcaConfig},
};
use crate::Error;

/// A way to find components.
///
/// Only [`fit_vectors`](Self::fit_vectors) has to be written for a new one.
pub trait Algorithm {
    /// What was found.
    type Reducer: Reducer;

    /// Finds components, and the factors of the vectors that they were found in.
    ///
    /// # Shapes
    /// - vectors: `[n, c]`
    /// - factors: `[n, k]`
    ///
    /// # Errors
    /// As the algorithm says; [`Error::NotFinite`] and [`Error::NoActivations`] for all of those here.
    fn fit_vectors(&self, vectors: Tensor<2>) -> Result<(Self::Reducer, Tensor<2>), Error>;

    /// Finds components.
    ///
    /// # Shapes
    /// - activations: `[n, c, ..]`, such as `[n, c]` or `[n, c, h, w]`
    ///
    /// # Errors
    /// Those of [`fit_vectors`](Self::fit_vectors).
    fn fit<const D: usize>(&self, activations: Tensor<D>) -> Result<Self::Reducer, Error> {
        self.fit_transform(activations).map(|(reducer, _)| reducer)
    }

    /// Finds components, and the factors of the activations that they were found in.
    ///
    /// # Shapes
    /// - activations: `[n, c, ..]`, such as `[n, c]` or `[n, c, h, w]`
    /// - factors: `[n, k, ..]`
    ///
    /// # Errors
    /// Those of [`fit_vectors`](Self::fit_vectors).
    fn fit_transform<const D: usize>(&self, activations: Tensor<D>) -> Result<(Self::Reducer, Tensor<D>), Error> {
        let shape = activations.dims();
        let (reducer, factors) = self.fit_vectors(to_vectors(activations))?;
        Ok((reducer, from_vectors(factors, shape)))
    }
}

/// Components, and the map between activations and factors.
///
/// Computed on the CPU in double precision; gradients are not recorded.
pub trait Reducer {
    /// The components `[k, c]`, directions in activation space.
    fn components(&self) -> Tensor<2>;

    /// The factors of vectors.
    ///
    /// # Shapes
    /// - vectors: `[n, c]`
    /// - factors: `[n, k]`
    ///
    /// # Errors
    /// [`Error::WrongChannels`] if `c` is not what it was fitted to, [`Error::NotFinite`], [`Error::NoActivations`].
    fn transform_vectors(&self, vectors: Tensor<2>) -> Result<Tensor<2>, Error>;

    /// The vectors that factors stand for.
    ///
    /// # Shapes
    /// - factors: `[n, k]`
    /// - vectors: `[n, c]`
    ///
    /// # Errors
    /// [`Error::WrongChannels`] if `k` is not the number of components, [`Error::NotFinite`],
    /// [`Error::NoActivations`].
    fn inverse_vectors(&self, factors: Tensor<2>) -> Result<Tensor<2>, Error>;

    /// The factors of activations.
    ///
    /// # Shapes
    /// - activations: `[n, c, ..]`, such as `[n, c]` or `[n, c, h, w]`
    /// - factors: `[n, k, ..]`
    ///
    /// # Errors
    /// Those of [`transform_vectors`](Self::transform_vectors).
    fn transform<const D: usize>(&self, activations: Tensor<D>) -> Result<Tensor<D>, Error> {
        let shape = activations.dims();
        Ok(from_vectors(self.transform_vectors(to_vectors(activations))?, shape))
    }

    /// The activations that factors stand for.
    ///
    /// # Shapes
    /// - factors: `[n, k, ..]`
    /// - activations: `[n, c, ..]`
    ///
    /// # Errors
    /// Those of [`inverse_vectors`](Self::inverse_vectors).
    fn inverse<const D: usize>(&self, factors: Tensor<D>) -> Result<Tensor<D>, Error> {
        let shape = factors.dims();
        Ok(from_vectors(self.inverse_vectors(to_vectors(factors))?, shape))
    }
}

/// `[n, c, ..]` as one vector per position, `[positions, c]`.
fn to_vectors<const D: usize>(activations: Tensor<D>) -> Tensor<2> {
    const { assert!(D >= 2, "activations have channels on their second axis") };
    activations.movedim(1, D - 1).flatten(0, D - 2)
}

/// One vector per position, `[positions, k]`, as `[n, k, ..]`; `shape` is `[n, _, ..]`.
fn from_vectors<const D: usize>(vectors: Tensor<2>, shape: [usize; D]) -> Tensor<D> {
    let [_, k] = vectors.dims();
    let mut moved = shape;
    moved[1..].rotate_left(1);
    moved[D - 1] = k;
    vectors.reshape(moved).movedim(D - 1, 1)
}

/// That at least one component is asked for.
fn check_components(components: usize) -> Result<(), Error> {
    match components {
        0 => Err(Error::out_of_range("the number of components", 0, "it is 1 or more")),
        _ => Ok(()),
    }
}

/// That `[n, c]` samples can have so many singular vectors.
fn check_fit(components: usize, [n, c]: [usize; 2]) -> Result<(), Error> {
    let (most, of) = if n < c { (n, "samples") } else { (c, "channels") };
    if components > most { Err(Error::TooManyComponents { components, most, of }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn vectors_are_those_of_positions_in_reading_order() {
        let values: Vec<f32> = (0..12).map(|v| v as f32).collect();
        let activations = Tensor::<4>::from_data(TensorData::new(values, [1, 3, 2, 2]), &Device::flex());
        let vectors = to_vectors(activations.clone());
        let rows = vec![0.0, 4.0, 8.0, 1.0, 5.0, 9.0, 2.0, 6.0, 10.0, 3.0, 7.0, 11.0];
        assert_eq!(vectors.clone().try_into_vec_as::<f32>().unwrap(), rows);
        from_vectors(vectors, [1, 99, 2, 2]).into_data().assert_eq(&activations.into_data(), true);
    }
}
