use half::{bf16, f16};

use super::{Array, Kind, Stored};

/// A type of number that files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    Bf16,
    F32,
    F64,
}

impl Dtype {
    /// An array of this type from its bytes, little endian, the last axis varying fastest.
    pub fn array(self, shape: Vec<usize>, bytes: &[u8]) -> Result<Stored, String> {
        let places = shape.iter().try_fold(1usize, |places, side| places.checked_mul(*side));
        match places.and_then(|places| places.checked_mul(self.size())) {
            Some(size) if size == bytes.len() => {
                Ok(Stored { array: Array::new(shape, self.values(bytes)), kind: self.kind() })
            }
            _ => Err(format!("{} bytes are not an array of shape {shape:?}; it may be cut off", bytes.len())),
        }
    }

    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 | Self::Bf16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Bool => Kind::Truth,
            Self::F16 | Self::Bf16 | Self::F32 | Self::F64 => Kind::Real,
            _ => Kind::Whole,
        }
    }

    /// The nearest f32 of each number.
    fn values(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Bool => each(bytes, |[byte]| f32::from(byte != 0)),
            Self::I8 => each(bytes, |bytes| f32::from(i8::from_le_bytes(bytes))),
            Self::U8 => each(bytes, |bytes| f32::from(u8::from_le_bytes(bytes))),
            Self::I16 => each(bytes, |bytes| f32::from(i16::from_le_bytes(bytes))),
            Self::U16 => each(bytes, |bytes| f32::from(u16::from_le_bytes(bytes))),
            Self::I32 => each(bytes, |bytes| i32::from_le_bytes(bytes) as f32),
            Self::U32 => each(bytes, |bytes| u32::from_le_bytes(bytes) as f32),
            Self::I64 => each(bytes, |bytes| i64::from_le_bytes(bytes) as f32),
            Self::U64 => each(bytes, |bytes| u64::from_le_bytes(bytes) as f32),
            Self::F16 => each(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Self::Bf16 => each(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F64 => each(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        }
    }
}

fn each<const SIZE: usize>(bytes: &[u8], number: impl Fn([u8; SIZE]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<SIZE>().0.iter().copied().map(number).collect()
}

/// Values as f32, little endian.
pub fn bytes(array: &Array) -> Vec<u8> {
    array.values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
