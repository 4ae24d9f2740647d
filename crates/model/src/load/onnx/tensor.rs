//! The numbers of a tensor, in the file or beside it.

use std::{
    fs::File,
    io::{Seek, SeekFrom},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use prost::bytes::Bytes;

use super::message::{Entry, Tensor};
use crate::load::{
    dtype::{Dtype, Real, Whole},
    lift::{Cannot, Constant, Numbers, cannot, product},
};

/// A tensor until it is used.
#[derive(Debug)]
pub(super) enum Held {
    /// Its numbers.
    Ready(Constant),
    /// Small numbers, which would be longer in memory.
    Packed(Packed),
    /// Where they are in another file.
    External(External),
    /// Why it has none that can be used.
    Unusable(Cannot),
}

impl Held {
    /// The size of each axis, if it has numbers.
    pub fn dims(&self) -> Option<&[usize]> {
        match self {
            Self::Ready(constant) => Some(constant.dims()),
            Self::Packed(packed) => Some(&packed.dims),
            Self::External(external) => Some(&external.dims),
            Self::Unusable(_) => None,
        }
    }
}

/// Numbers in another file.
#[derive(Debug)]
pub(super) struct External {
    location: String,
    offset: u64,
    length: Option<u64>,
    dtype: Dtype,
    dims: Vec<usize>,
}

/// Numbers as the file has them.
#[derive(Debug)]
pub(super) struct Packed {
    dtype: Dtype,
    dims: Vec<usize>,
    bytes: Bytes,
}

impl Packed {
    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// The numbers.
    pub fn read(&self) -> Result<Constant, Cannot> {
        Constant::new(self.dims.clone(), self.dtype.numbers(&self.bytes))
    }
}

/// The type of numbers that ONNX has this number for, `TensorProto.DataType`.
fn dtype(data_type: i32) -> Result<Dtype, Cannot> {
    Ok(match data_type {
        1 => Dtype::Real(Real::F32),
        2 => Dtype::Whole(Whole::U8),
        3 => Dtype::Whole(Whole::I8),
        4 => Dtype::Whole(Whole::U16),
        5 => Dtype::Whole(Whole::I16),
        6 => Dtype::Whole(Whole::I32),
        7 => Dtype::Whole(Whole::I64),
        9 => Dtype::Whole(Whole::Bool),
        10 => Dtype::Real(Real::F16),
        11 => Dtype::Real(Real::F64),
        12 => Dtype::Whole(Whole::U32),
        13 => Dtype::Whole(Whole::U64),
        16 => Dtype::Real(Real::Bf16),
        other => {
            let name = match other {
                8 => "strings",
                14 | 15 => "complex numbers",
                17..=20 => "8-bit floats",
                21 | 22 => "4-bit integers",
                23 => "4-bit floats",
                _ => "numbers of an unknown type",
            };
            return Err(cannot(format!("{name} cannot be read")));
        }
    })
}

/// What a tensor of the file holds.
pub(super) fn hold(tensor: Tensor) -> Held {
    try_hold(tensor).unwrap_or_else(Held::Unusable)
}

fn try_hold(tensor: Tensor) -> Result<Held, Cannot> {
    let dtype = dtype(tensor.data_type)?;
    let dims: Result<Vec<usize>, _> = tensor.dims.iter().map(|&size| usize::try_from(size)).collect();
    let dims = dims.map_err(|_| cannot("a tensor has a negative size"))?;
    let count = product(&dims)?;
    if tensor.data_location == 1 {
        return External::new(&tensor.external_data, dtype, dims).map(Held::External);
    }
    if tensor.raw_data.is_empty() {
        return Constant::new(dims, listed(tensor, dtype)).map(Held::Ready);
    }
    if tensor.raw_data.len() != count * dtype.size() {
        return Err(cannot(format!("{} bytes are no {dims:?}", tensor.raw_data.len())));
    }
    if dtype.size() < dtype.size_in_memory() && matches!(dtype, Dtype::Whole(_)) {
        return Ok(Held::Packed(Packed { dtype, dims, bytes: tensor.raw_data }));
    }
    Constant::new(dims, dtype.numbers(&tensor.raw_data)).map(Held::Ready)
}

/// The numbers of a tensor in the field of their type.
fn listed(tensor: Tensor, dtype: Dtype) -> Numbers {
    match dtype {
        Dtype::Real(Real::F32) => Numbers::F32(tensor.float_data.into()),
        Dtype::Real(Real::F64) => Numbers::F32(converted(&tensor.double_data, |&value| value as f32)),
        Dtype::Real(half) => Numbers::F32(converted(&tensor.int32_data, |&bits| half.of_bits(bits as u16))),
        Dtype::Whole(Whole::I64) => Numbers::I64(tensor.int64_data.into()),
        Dtype::Whole(Whole::U64 | Whole::U32) => Numbers::I64(converted(&tensor.uint64_data, |&value| value as i64)),
        Dtype::Whole(_) => Numbers::I64(converted(&tensor.int32_data, |&value| value.into())),
    }
}

fn converted<A, B>(values: &[A], convert: impl Fn(&A) -> B) -> Arc<Vec<B>> {
    Arc::new(values.iter().map(convert).collect())
}

impl External {
    fn new(entries: &[Entry], dtype: Dtype, dims: Vec<usize>) -> Result<Self, Cannot> {
        let get = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
        let number = |key: &str| match get(key) {
            Some(text) => text.parse().map(Some).map_err(|_| cannot(format!("{key} `{text}` is not a number"))),
            None => Ok(None),
        };
        let location = get("location").ok_or_else(|| cannot("numbers in another file, but in which"))?.to_owned();
        Ok(Self { location, offset: number("offset")?.unwrap_or(0), length: number("length")?, dtype, dims })
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// How many bytes they take in the other file.
    pub fn bytes(&self) -> u64 {
        self.count() as u64 * self.dtype.size() as u64
    }

    /// The file, which is in the folder of the file that names it, or below.
    pub fn path(&self, folder: Option<&Path>) -> Result<PathBuf, Cannot> {
        let location = Path::new(&self.location);
        let stays = location.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !stays || self.location.contains(['\\', ':', '\0']) || self.location.is_empty() {
            return Err(cannot(format!("its weights are at `{}`, outside the folder of the file", self.location)));
        }
        let folder = folder.ok_or_else(|| cannot(format!("its weights are in another file, `{}`", self.location)))?;
        Ok(folder.join(location))
    }

    /// The file at its first number, if it has them all.
    pub fn open(&self, folder: Option<&Path>) -> Result<File, Cannot> {
        let path = self.path(folder)?;
        let mut file = File::open(&path).map_err(|error| self.unreadable(&error))?;
        let whole = file.metadata().map_err(|error| self.unreadable(&error))?.len();
        let (length, location) = (self.bytes(), &self.location);
        if self.length.is_some_and(|said| said != length) {
            return Err(cannot(format!("{:?} bytes of `{location}` are no {:?}", self.length, self.dims)));
        }
        if self.offset.checked_add(length).is_none_or(|end| end > whole) {
            let offset = self.offset;
            return Err(cannot(format!("`{location}` has {whole} bytes, too few for {length} from {offset} on")));
        }
        file.seek(SeekFrom::Start(self.offset)).map_err(|error| self.unreadable(&error))?;
        Ok(file)
    }

    fn unreadable(&self, error: &std::io::Error) -> Cannot {
        cannot(format!("cannot read `{}`: {}", self.location, error.kind()))
    }

    /// The numbers, from a file that [`open`](Self::open) opened.
    pub fn read(&self, file: File) -> Result<Constant, Cannot> {
        let numbers = self.dtype.numbers_from(file, self.count()).map_err(|error| self.unreadable(&error))?;
        Constant::new(self.dims.clone(), numbers)
    }
}
