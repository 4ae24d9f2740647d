use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};

use super::Step;
use crate::{
    Error,
    array::{self, Array},
    notation::{Argument, Value},
    param::Param,
    picture,
};

/// Numbers that an objective is given: a direction, an image, a mask.
///
/// In an objective's text they are lists in brackets, such as `[0.5, 0, -1]`, or the name of a file in quotes, which is
/// read by [`Objective::load`](super::Objective::load).
///
/// ```
/// use std::path::Path;
///
/// use entoptic::objective::{Given, Objective, direction};
///
/// let numbers = direction("conv1", [0.5, -1.0], 0.0);
/// assert_eq!("direction(conv1, [0.5, -1])".parse::<Objective>()?, numbers);
/// let file = direction("conv1", Given::File("direction.npy".into()), 0.0);
/// assert_eq!("direction(conv1, \"direction.npy\")".parse::<Objective>()?, file);
/// assert_eq!(direction("conv1", Path::new("direction.npy"), 0.0), file);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// The numbers themselves.
    Array(Array),
    /// A file with them: an array, or a picture.
    File(PathBuf),
    /// What a param is at each step.
    Param(Param),
}

impl Given {
    pub(super) fn param(&self) -> Option<&Param> {
        match self {
            Self::Param(param) => Some(param),
            _ => None,
        }
    }

    /// Reads the file, if it is one.
    pub(super) fn load(&mut self, folder: &Path) -> Result<(), Error> {
        if let Self::File(path) = self {
            let path = folder.join(path);
            let array = match array::is_array(&path) {
                true => array::load(&path)?,
                false => picture::load(&path, &Device::flex())?.into(),
            };
            *self = Self::Array(array);
        }
        Ok(())
    }

    /// As `[n, c, h, w]`: a vector `[c]` and vectors `[n, c]` have one position, `[c, h, w]` is one image's.
    pub(super) fn tensor(&self, step: &Step<'_>) -> Result<Tensor<4>, Error> {
        let Array { shape, values } = match self {
            Self::Param(param) => return Ok(step.param(param)),
            Self::Array(array) => array,
            Self::File(path) => return Err(Error::NotLoaded { path: path.clone() }),
        };
        let shape = match shape[..] {
            [c] => [1, c, 1, 1],
            [n, c] => [n, c, 1, 1],
            [c, h, w] => [1, c, h, w],
            [n, c, h, w] => [n, c, h, w],
            _ => return Err(Error::shape("what an objective is given", shape, "has one to four axes")),
        };
        Ok(Tensor::from_data(TensorData::new(values.clone(), shape), &step.device()))
    }
}

impl From<Array> for Given {
    fn from(array: Array) -> Self {
        Self::Array(array)
    }
}

impl From<Vec<f32>> for Given {
    fn from(values: Vec<f32>) -> Self {
        Self::Array(Array { shape: vec![values.len()], values })
    }
}

impl<const N: usize> From<[f32; N]> for Given {
    fn from(values: [f32; N]) -> Self {
        values.to_vec().into()
    }
}

impl<const D: usize> From<&Tensor<D>> for Given {
    fn from(tensor: &Tensor<D>) -> Self {
        let values = tensor.clone().inner().try_into_vec_as::<f32>().expect("tensors hold f32");
        Self::Array(Array { shape: tensor.dims().to_vec(), values })
    }
}

impl From<&Path> for Given {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&Param> for Given {
    fn from(param: &Param) -> Self {
        Self::Param(param.clone())
    }
}

impl Argument for Given {
    const FORM: &'static str = "numbers in brackets or the name of a file in quotes";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Name(path) => Some(Self::File(path.into())),
            list => Array::from_value(list).map(Self::Array),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Array(array) => array.to_value(),
            Self::File(path) => Value::Name(path.to_string_lossy().into_owned()),
            Self::Param(_) => Value::Name("a param".into()),
        }
    }
}
