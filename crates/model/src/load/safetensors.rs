//! Named tensors from a safetensors file, checked as they are taken.

use std::{
    borrow::Cow,
    fs, io,
    path::{Path, PathBuf},
};

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

use crate::{Error, graph::Weights};

/// The bytes of a safetensors file and where they came from.
pub struct WeightsFile {
    path: PathBuf,
    bytes: Cow<'static, [u8]>,
}

impl WeightsFile {
    /// Reads a whole file.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if it cannot be read or is no safetensors file, whole and consistent.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable =
            |error: io::Error| Error::Unreadable { path: path.to_owned(), reason: error.kind().to_string() };
        let bytes = fs::read(path).map_err(unreadable)?;
        Self::from_bytes(path.to_owned(), bytes.into())
    }

    /// A file that is part of the program, `name` standing for its path in messages.
    pub(crate) fn embedded(name: &str, bytes: &'static [u8]) -> Self {
        Self::from_bytes(name.into(), bytes.into()).expect("embedded weights are whole")
    }

    fn from_bytes(path: PathBuf, bytes: Cow<'static, [u8]>) -> Result<Self, Error> {
        if let Err(error) = SafeTensors::deserialize(&bytes) {
            return Err(Error::Unreadable { path, reason: format!("not a whole safetensors file ({error})") });
        }
        Ok(Self { path, bytes })
    }

    /// The file's SHA-256, in hexadecimal.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, tensor: &str) -> bool {
        self.tensors().tensor(tensor).is_ok()
    }

    /// The tensor `name`, as f32, if its shape is `expected`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::WrongTensor`], or [`Error::Unreadable`] for a type of number that is not
    /// f16, bf16, f32 or f64.
    pub fn take(&self, name: &str, expected: &[usize]) -> Result<Weights, Error> {
        let tensors = self.tensors();
        let Ok(view) = tensors.tensor(name) else {
            return Err(Error::MissingTensor { path: self.path.clone(), tensor: name.to_owned() });
        };
        if view.shape() != expected {
            return Err(Error::WrongTensor {
                path: self.path.clone(),
                tensor: name.to_owned(),
                found: view.shape().to_vec(),
                expected: expected.to_vec(),
            });
        }
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => numbers(view.data(), f32::from_le_bytes),
            Dtype::F16 => numbers(view.data(), |bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => numbers(view.data(), |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Dtype::F64 => numbers(view.data(), |bytes| f64::from_le_bytes(bytes) as f32),
            other => {
                let reason = format!("tensor `{name}` holds {other:?}; f16, bf16, f32 and f64 can be read");
                return Err(Error::Unreadable { path: self.path.clone(), reason });
            }
        };
        Ok(Weights::new(expected, values))
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).expect("checked when the file was read")
    }
}

fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&chunk| read(chunk)).collect()
}
