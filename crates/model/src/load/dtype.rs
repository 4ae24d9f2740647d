//! The types of numbers that files hold, and reading them.

use std::{
    io::{self, Read},
    sync::Arc,
};

use half::{bf16, f16};

use super::lift::Numbers;

/// Bytes read at a time.
const BLOCK: usize = 1 << 16;

/// A type of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dtype {
    /// Real numbers, which are f32 in memory.
    Real(Real),
    /// Whole numbers and booleans, which are i64 in memory.
    Whole(Whole),
}

/// The types of [`Real`], for messages.
pub(super) const REAL_TYPES: &str = "f16, bf16, f32 and f64";

/// A type of real numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Real {
    F16,
    Bf16,
    F32,
    F64,
}

/// A type of whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
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

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    LittleEndian,
    BigEndian,
}

impl Dtype {
    /// How many bytes of a file one number is.
    pub fn size(self) -> usize {
        match self {
            Self::Real(real) => real.size(),
            Self::Whole(whole) => whole.size(),
        }
    }

    /// How many bytes of memory one number is.
    pub fn size_in_memory(self) -> usize {
        match self {
            Self::Real(_) => size_of::<f32>(),
            Self::Whole(_) => size_of::<i64>(),
        }
    }

    /// Little-endian numbers.
    pub fn numbers(self, bytes: &[u8]) -> Numbers {
        match self {
            Self::Real(real) => {
                let mut values = Vec::with_capacity(bytes.len() / real.size());
                real.read(bytes, &mut values);
                Numbers::F32(Arc::new(values))
            }
            Self::Whole(whole) => {
                let mut values = Vec::with_capacity(bytes.len() / whole.size());
                whole.read(bytes, &mut values);
                Numbers::I64(Arc::new(values))
            }
        }
    }

    /// The next `count` little-endian numbers of a reader.
    pub fn numbers_from(self, reader: impl Read, count: usize) -> io::Result<Numbers> {
        match self {
            Self::Real(real) => {
                real.numbers_from(reader, count, ByteOrder::LittleEndian).map(|v| Numbers::F32(v.into()))
            }
            Self::Whole(whole) => {
                let values = by_blocks(reader, count, whole.size(), |block, values| whole.read(block, values));
                values.map(|values| Numbers::I64(values.into()))
            }
        }
    }
}

impl Real {
    /// How many bytes of a file one number is.
    pub fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The number that 16 bits are, of a type that has so many.
    pub fn of_bits(self, bits: u16) -> f32 {
        match self {
            Self::Bf16 => bf16::from_bits(bits).to_f32(),
            _ => f16::from_bits(bits).to_f32(),
        }
    }

    /// The next `count` numbers of a reader.
    pub fn numbers_from(self, reader: impl Read, count: usize, order: ByteOrder) -> io::Result<Vec<f32>> {
        by_blocks(reader, count, self.size(), |block, values| {
            if order == ByteOrder::BigEndian {
                block.chunks_mut(self.size()).for_each(<[u8]>::reverse);
            }
            self.read(block, values);
        })
    }

    fn read(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::F16 => each(bytes, values, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Self::Bf16 => each(bytes, values, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Self::F32 => each(bytes, values, f32::from_le_bytes),
            Self::F64 => each(bytes, values, |bytes| f64::from_le_bytes(bytes) as f32),
        }
    }
}

impl Whole {
    /// How many bytes of a file one number is.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 => 4,
            Self::I64 | Self::U64 => 8,
        }
    }

    fn read(self, bytes: &[u8], values: &mut Vec<i64>) {
        match self {
            Self::Bool => each(bytes, values, |[byte]: [u8; 1]| (byte != 0).into()),
            Self::I8 => each(bytes, values, |bytes| i8::from_le_bytes(bytes).into()),
            Self::U8 => each(bytes, values, |[byte]: [u8; 1]| byte.into()),
            Self::I16 => each(bytes, values, |bytes| i16::from_le_bytes(bytes).into()),
            Self::U16 => each(bytes, values, |bytes| u16::from_le_bytes(bytes).into()),
            Self::I32 => each(bytes, values, |bytes| i32::from_le_bytes(bytes).into()),
            Self::U32 => each(bytes, values, |bytes| u32::from_le_bytes(bytes).into()),
            Self::I64 => each(bytes, values, i64::from_le_bytes),
            Self::U64 => each(bytes, values, |bytes| u64::from_le_bytes(bytes) as i64),
        }
    }
}

fn each<T, const SIZE: usize>(bytes: &[u8], values: &mut Vec<T>, number: impl Fn([u8; SIZE]) -> T) {
    values.extend(bytes.as_chunks().0.iter().copied().map(number));
}

/// The next `count` numbers of `size` bytes each, so that only the numbers themselves are as long as the tensor.
fn by_blocks<T>(
    mut reader: impl Read,
    count: usize,
    size: usize,
    read: impl Fn(&mut [u8], &mut Vec<T>),
) -> io::Result<Vec<T>> {
    let mut values = Vec::with_capacity(count);
    let mut left = count * size;
    let mut block = vec![0; BLOCK.min(left)];
    while left > 0 {
        let block = &mut block[..BLOCK.min(left)];
        reader.read_exact(block)?;
        read(block, &mut values);
        left -= block.len();
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_numbers_are_read_in_either_order() {
        let little: Vec<u8> = (0..40_000).flat_map(|i| (i as f32).to_le_bytes()).collect();
        let big: Vec<u8> = (0..40_000).flat_map(|i| (i as f32).to_be_bytes()).collect();
        let expected: Vec<f32> = (0..40_000).map(|i| i as f32).collect();
        for (bytes, order) in [(little, ByteOrder::LittleEndian), (big, ByteOrder::BigEndian)] {
            assert_eq!(Real::F32.numbers_from(&bytes[..], 40_000, order).unwrap(), expected);
            assert!(Real::F32.numbers_from(&bytes[..], 40_001, order).is_err(), "too short");
        }
        assert_eq!(Real::F16.of_bits(0x3c00), 1.0);
        assert_eq!(Real::Bf16.of_bits(0xbf80), -1.0);
    }

    #[test]
    fn whole_numbers_keep_their_sign() {
        let bytes = [0xff; 8];
        let read = |whole: Whole| {
            let Numbers::I64(values) = Dtype::Whole(whole).numbers(&bytes) else { panic!("whole numbers") };
            (values.len(), values[0])
        };
        assert_eq!(read(Whole::Bool), (8, 1));
        assert_eq!((read(Whole::I8), read(Whole::U8)), ((8, -1), (8, 255)));
        assert_eq!((read(Whole::I16), read(Whole::U16)), ((4, -1), (4, 65_535)));
        assert_eq!((read(Whole::I32), read(Whole::U32)), ((2, -1), (2, i64::from(u32::MAX))));
        assert_eq!(read(Whole::I64), (1, -1));
    }
}
