//! The numbers of a tensor, in the file or beside it.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Component, Path, PathBuf},
};

use half::{bf16, f16};
use prost::bytes::Bytes;

use super::message::{Entry, Tensor};
use crate::load::lift::{Cannot, Constant, Numbers, cannot, product};

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
    kind: Kind,
    dims: Vec<usize>,
}

/// Numbers as the file has them.
#[derive(Debug)]
pub(super) struct Packed {
    kind: Kind,
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
        Constant::new(self.dims.clone(), self.kind.numbers(&self.bytes))
    }
}

/// A type of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    F32,
    F64,
    F16,
    Bf16,
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
}

impl Kind {
    fn of(data_type: i32) -> Result<Self, Cannot> {
        Ok(match data_type {
            1 => Self::F32,
            2 => Self::U8,
            3 => Self::I8,
            4 => Self::U16,
            5 => Self::I16,
            6 => Self::I32,
            7 => Self::I64,
            9 => Self::Bool,
            10 => Self::F16,
            11 => Self::F64,
            12 => Self::U32,
            13 => Self::U64,
            16 => Self::Bf16,
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

    fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    fn is_integer(self) -> bool {
        !matches!(self, Self::F32 | Self::F64 | Self::F16 | Self::Bf16)
    }

    /// Little-endian numbers.
    fn numbers(self, bytes: &[u8]) -> Numbers {
        fn each<T, const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> std::sync::Arc<Vec<T>> {
            std::sync::Arc::new(bytes.as_chunks().0.iter().map(|&chunk| read(chunk)).collect())
        }
        match self {
            Self::F32 => Numbers::F32(each(bytes, f32::from_le_bytes)),
            Self::F64 => Numbers::F32(each(bytes, |b| f64::from_le_bytes(b) as f32)),
            Self::F16 => Numbers::F32(each(bytes, |b| f16::from_le_bytes(b).to_f32())),
            Self::Bf16 => Numbers::F32(each(bytes, |b| bf16::from_le_bytes(b).to_f32())),
            Self::Bool => Numbers::I64(each(bytes, |[b]: [u8; 1]| (b != 0).into())),
            Self::U8 => Numbers::I64(each(bytes, |[b]: [u8; 1]| b.into())),
            Self::I8 => Numbers::I64(each(bytes, |b| i8::from_le_bytes(b).into())),
            Self::U16 => Numbers::I64(each(bytes, |b| u16::from_le_bytes(b).into())),
            Self::I16 => Numbers::I64(each(bytes, |b| i16::from_le_bytes(b).into())),
            Self::U32 => Numbers::I64(each(bytes, |b| u32::from_le_bytes(b).into())),
            Self::I32 => Numbers::I64(each(bytes, |b| i32::from_le_bytes(b).into())),
            Self::U64 => Numbers::I64(each(bytes, |b| u64::from_le_bytes(b) as i64)),
            Self::I64 => Numbers::I64(each(bytes, i64::from_le_bytes)),
        }
    }
}

/// What a tensor of the file holds.
pub(super) fn hold(tensor: Tensor) -> Held {
    try_hold(tensor).unwrap_or_else(Held::Unusable)
}

fn try_hold(tensor: Tensor) -> Result<Held, Cannot> {
    let kind = Kind::of(tensor.data_type)?;
    let dims: Result<Vec<usize>, _> = tensor.dims.iter().map(|&size| usize::try_from(size)).collect();
    let dims = dims.map_err(|_| cannot("a tensor has a negative size"))?;
    let count = product(&dims)?;
    if tensor.data_location == 1 {
        return External::new(&tensor.external_data, kind, dims).map(Held::External);
    }
    let numbers = if !tensor.raw_data.is_empty() {
        if tensor.raw_data.len() / kind.size() != count || tensor.raw_data.len() % kind.size() != 0 {
            return Err(cannot(format!("{} bytes are no {dims:?}", tensor.raw_data.len())));
        }
        if kind.is_integer() && kind.size() < 8 {
            return Ok(Held::Packed(Packed { kind, dims, bytes: tensor.raw_data }));
        }
        kind.numbers(&tensor.raw_data)
    } else {
        match kind {
            Kind::F32 => Numbers::F32(tensor.float_data.into()),
            Kind::F64 => {
                Numbers::F32(std::sync::Arc::new(tensor.double_data.iter().map(|&value| value as f32).collect()))
            }
            Kind::F16 | Kind::Bf16 => {
                let float = |&bits: &i32| match kind {
                    Kind::F16 => f16::from_bits(bits as u16).to_f32(),
                    _ => bf16::from_bits(bits as u16).to_f32(),
                };
                Numbers::F32(std::sync::Arc::new(tensor.int32_data.iter().map(float).collect()))
            }
            Kind::I64 => Numbers::I64(tensor.int64_data.into()),
            Kind::U64 | Kind::U32 => {
                Numbers::I64(std::sync::Arc::new(tensor.uint64_data.iter().map(|&value| value as i64).collect()))
            }
            _ => Numbers::I64(std::sync::Arc::new(tensor.int32_data.iter().map(|&value| value.into()).collect())),
        }
    };
    Constant::new(dims, numbers).map(Held::Ready)
}

impl External {
    fn new(entries: &[Entry], kind: Kind, dims: Vec<usize>) -> Result<Self, Cannot> {
        let get = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
        let number = |key: &str| match get(key) {
            Some(text) => text.parse().map(Some).map_err(|_| cannot(format!("{key} `{text}` is not a number"))),
            None => Ok(None),
        };
        let location = get("location").ok_or_else(|| cannot("numbers in another file, but in which"))?.to_owned();
        Ok(Self { location, offset: number("offset")?.unwrap_or(0), length: number("length")?, kind, dims })
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// How many bytes they take in the other file.
    pub fn bytes(&self) -> u64 {
        self.count() as u64 * self.kind.size() as u64
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
        let length = self.bytes();
        // Block by block, so that only the numbers themselves are as long as the tensor.
        let mut reader = std::io::BufReader::new(file.take(length));
        let mut block = vec![0; (1 << 16).min(length as usize)];
        let (mut floats, mut integers) = (Vec::new(), Vec::new());
        match self.kind.is_integer() {
            true => integers.reserve_exact(self.count()),
            false => floats.reserve_exact(self.count()),
        }
        let mut left = length as usize;
        while left > 0 {
            let part = &mut block[..left.min(1 << 16)];
            reader.read_exact(part).map_err(|error| self.unreadable(&error))?;
            match self.kind.numbers(part) {
                Numbers::F32(values) => floats.extend_from_slice(&values),
                Numbers::I64(values) => integers.extend_from_slice(&values),
            }
            left -= part.len();
        }
        match self.kind.is_integer() {
            true => Constant::integers(self.dims.clone(), integers),
            false => Constant::floats(self.dims.clone(), floats),
        }
    }
}
