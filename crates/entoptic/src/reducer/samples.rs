//! The vectors that a reducer reads, and their products.

use burn::tensor::{DType, Device, Tensor, TensorData};
use nalgebra::{DMatrix, DVector};

use crate::Error;

/// A small matrix of a reducer: one column per sample or channel, as components `[k, c]` and factors `[k, n]` are.
pub(super) type Matrix = DMatrix<f64>;

/// Vectors `[n, c]` on the CPU, in double precision.
///
/// Their products are Burn's, which uses the machine's SIMD and threads; what is left is small.
#[derive(Clone)]
pub(super) struct Samples(Tensor<2>);

impl Samples {
    /// Reads vectors `[n, c]` from any device.
    ///
    /// # Errors
    /// [`Error::NoActivations`] if there are none, [`Error::NotFinite`].
    pub(super) fn read(vectors: Tensor<2>) -> Result<Self, Error> {
        let shape = vectors.dims();
        if shape.contains(&0) {
            return Err(Error::NoActivations);
        }
        let values: Vec<f64> = vectors.try_into_vec_as().expect("tensors hold numbers");
        match values.iter().find(|value| !value.is_finite()) {
            Some(&value) => Err(Error::NotFinite { value }),
            None => Ok(Self::new(values, shape)),
        }
    }

    /// Reads vectors `[n, c]` of a known number of channels.
    ///
    /// # Errors
    /// [`Error::WrongChannels`] and those of [`read`](Self::read).
    pub(super) fn read_with(vectors: Tensor<2>, channels: usize) -> Result<Self, Error> {
        match vectors.dims() {
            [_, c] if c == channels => Self::read(vectors),
            [_, found] => Err(Error::WrongChannels { found, expected: channels }),
        }
    }

    fn new(values: Vec<f64>, shape: [usize; 2]) -> Self {
        Self(Tensor::from_data(TensorData::new(values, shape), (&Device::flex(), DType::F64)))
    }

    /// `[n, c]`.
    pub(super) fn dims(&self) -> [usize; 2] {
        self.0.dims()
    }

    /// The samples as channels and the channels as samples, `[c, n]`.
    pub(super) fn transposed(&self) -> Self {
        Self(self.0.clone().transpose())
    }

    /// The samples as columns, `[c, n]`.
    pub(super) fn matrix(&self) -> Matrix {
        let [n, c] = self.dims();
        Matrix::from_vec(c, n, values(self.0.clone()))
    }

    /// The product of every `[c]` of `vectors` `[k, c]` with every sample: `[k, n]`.
    pub(super) fn along(&self, vectors: &Matrix) -> Matrix {
        let [n, _] = self.dims();
        // A matrix by columns is its transpose by rows.
        let columns = Self::new(vectors.as_slice().to_vec(), [vectors.ncols(), vectors.nrows()]);
        Matrix::from_vec(vectors.nrows(), n, values(self.0.clone().matmul(columns.0)))
    }

    /// The mean sample, `[c]`.
    pub(super) fn mean(&self) -> DVector<f64> {
        DVector::from_vec(values(self.0.clone().mean_dim(0)))
    }

    /// The mean of all values.
    pub(super) fn mean_value(&self) -> f64 {
        self.mean().mean()
    }

    /// The smallest of all values.
    pub(super) fn smallest(&self) -> f64 {
        self.0.clone().min().into_scalar()
    }

    /// The samples around `mean` `[c]`.
    pub(super) fn around(&self, mean: &DVector<f64>) -> Self {
        let [_, c] = self.dims();
        Self(self.0.clone() - Self::new(mean.as_slice().to_vec(), [1, c]).0)
    }

    /// Sum of all squares.
    pub(super) fn square_norm(&self) -> f64 {
        (self.0.clone() * self.0.clone()).sum().into_scalar()
    }

    /// How far the samples are from `columns` `[c, n]`: the root of the sum of squared differences.
    pub(super) fn distance(&self, columns: &Matrix) -> f64 {
        let [n, c] = self.dims();
        Self(self.0.clone() - Self::new(columns.as_slice().to_vec(), [n, c]).0).square_norm().sqrt()
    }
}

/// Columns `[c, n]` as vectors `[n, c]` on a device.
pub(super) fn to_vectors(columns: &Matrix, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = columns.iter().map(|&value| value as f32).collect();
    Tensor::from_data(TensorData::new(values, [columns.ncols(), columns.nrows()]), device)
}

fn values(tensor: Tensor<2>) -> Vec<f64> {
    tensor.try_into_vec_as().expect("samples hold f64")
}
