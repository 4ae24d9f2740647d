//! Arrays of numbers in files: direction vectors, masks, activations, images.
//!
//! | name | holds | read and written by |
//! | --- | --- | --- |
//! | `.npy` | one array | NumPy |
//! | `.npz` | arrays by name | NumPy |
//! | `.safetensors` | arrays by name | every framework |
//! | `.json` | one array, as lists of lists | everything |
//!
//! Numbers are f32 here and in files we write; f16, bf16, f32, f64, whole numbers of 8 to 64 bits and booleans are read.

mod dtype;
mod json;
mod npy;
mod npz;
mod safetensors;

use std::{collections::BTreeMap, io::Write, path::Path};

use burn::tensor::{Device, Tensor, TensorData};

use crate::{
    Error,
    whole_file::{self, reason},
};

/// The name that an array gets where files need one and there is none, as in NumPy.
const UNNAMED: &str = "arr_0";

/// Numbers in any number of axes.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::{Array, array};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("direction.npy");
/// let direction = Tensor::<1>::from_floats([0.6, 0.0, 0.8], &Device::flex());
/// array::save(&path, &Array::from(direction))?;
/// let direction: Tensor<1> = array::load(&path)?.tensor(&Device::flex())?;
/// assert_eq!(direction.dims(), [3]);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The length of each axis; none for a single number.
    pub shape: Vec<usize>,
    /// The numbers, the last axis varying fastest.
    pub values: Vec<f32>,
}

impl Array {
    /// An array from its shape and its values, the last axis varying fastest.
    ///
    /// # Panics
    /// If there are not as many values as `shape` has places.
    pub fn new(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        let shape = shape.into();
        assert_eq!(shape.iter().product::<usize>(), values.len(), "values of an array of shape {shape:?}");
        Self { shape, values }
    }

    /// The array as a tensor of `D` axes.
    ///
    /// # Errors
    /// [`Error::WrongRank`] if it has another number of axes.
    pub fn tensor<const D: usize>(&self, device: &Device) -> Result<Tensor<D>, Error> {
        if self.shape.len() != D {
            return Err(Error::WrongRank { shape: self.shape.clone(), accepted: format!("{D} would work") });
        }
        Ok(Tensor::from_data(TensorData::new(self.values.clone(), self.shape.clone()), device))
    }
}

impl<const D: usize> From<Tensor<D>> for Array {
    fn from(tensor: Tensor<D>) -> Self {
        let shape = tensor.dims();
        Self::new(shape, tensor.try_into_vec_as().expect("tensors hold f32"))
    }
}

/// What an array's numbers were in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Floating point numbers.
    Real,
    /// Integers of any size.
    Whole,
    /// False and true: 0 and 1.
    Truth,
}

impl Kind {
    /// Which numbers are black and white in pictures: 0 and 1, but 0 and 255 for whole numbers.
    ///
    /// Lucid clips those to 0 and 1 as well, which leaves black and almost black.
    pub fn domain(self) -> [f64; 2] {
        match self {
            Self::Real | Self::Truth => [0.0, 1.0],
            Self::Whole => [0.0, 255.0],
        }
    }
}

/// An array as it was found in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The array.
    pub array: Array,
    /// What its numbers were.
    pub kind: Kind,
}

/// Arrays by name.
pub type Arrays = BTreeMap<String, Array>;

/// Reads the array that a file holds.
///
/// # Errors
/// [`Error::Unreadable`], also for a file that holds several; [`load_all`] reads those.
pub fn load(path: &Path) -> Result<Array, Error> {
    let mut arrays = load_all(path)?;
    match (arrays.len(), arrays.pop_first()) {
        (1, Some((_, array))) => Ok(array),
        (count, _) => {
            let reason = format!("it holds {count} arrays, and one is wanted");
            Err(Error::Unreadable { path: path.to_owned(), reason })
        }
    }
}

/// Reads all arrays of a file by their names; the one of an `.npy` or `.json` file is `arr_0`.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn load_all(path: &Path) -> Result<Arrays, Error> {
    Ok(load_stored(path)?.into_iter().map(|(name, stored)| (name, stored.array)).collect())
}

/// Reads all arrays of a file as [`load_all`] does, and what their numbers were.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn load_stored(path: &Path) -> Result<BTreeMap<String, Stored>, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    let format = Format::of(path).ok_or_else(|| unreadable(Format::ACCEPTED.into()))?;
    let bytes = whole_file::read(path)?;
    let unnamed = |stored: Stored| BTreeMap::from([(UNNAMED.to_owned(), stored)]);
    let arrays = match format {
        Format::Npy => npy::read(&bytes).map(unnamed),
        Format::Npz => npz::read(&bytes),
        Format::Safetensors => safetensors::read(&bytes),
        Format::Json => json::read(&bytes).map(unnamed),
    };
    arrays.map_err(unreadable)
}

/// Writes an array in the format that the file's name asks for; where that wants a name it is `arr_0`.
///
/// # Errors
/// [`Error::Unwritable`]; the file is then as it was.
pub fn save(path: &Path, array: &Array) -> Result<(), Error> {
    save_all(path, &Arrays::from([(UNNAMED.to_owned(), array.clone())]))
}

/// Writes arrays by name, to an `.npz` or `.safetensors` file; a single one fits in any format.
///
/// # Errors
/// [`Error::Unwritable`]; the file is then as it was.
pub fn save_all(path: &Path, arrays: &Arrays) -> Result<(), Error> {
    let unwritable = |reason: String| Error::Unwritable { path: path.to_owned(), reason };
    let format = Format::of(path).ok_or_else(|| unwritable(Format::ACCEPTED.into()))?;
    let single = || match arrays.values().next() {
        Some(array) if arrays.len() == 1 => Ok(array),
        _ => Err(format!("it holds one array, and {} are given; .npz and .safetensors would work", arrays.len())),
    };
    let bytes = match format {
        Format::Npy => single().map(npy::write),
        Format::Npz => npz::write(arrays),
        Format::Safetensors => safetensors::write(arrays),
        Format::Json => single().and_then(json::write),
    };
    let bytes = bytes.map_err(unwritable)?;
    whole_file::write(path, "", |file| file.write_all(&bytes).map_err(|error| reason(&error, "folder")))
}

/// Whether a file's name says that it holds arrays.
pub fn is_array(path: &Path) -> bool {
    Format::of(path).is_some()
}

#[derive(Clone, Copy)]
enum Format {
    Npy,
    Npz,
    Safetensors,
    Json,
}

impl Format {
    const ACCEPTED: &str = "an array's file name ends in .npy, .npz, .safetensors or .json";

    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_ascii_lowercase().to_str()? {
            "npy" => Some(Self::Npy),
            "npz" => Some(Self::Npz),
            "safetensors" => Some(Self::Safetensors),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}
