use half::{bf16, f16};

/// A type of number that PyTorch stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// `torch.float16`
    F16,
    /// `torch.bfloat16`
    Bf16,
    /// `torch.float32`
    F32,
    /// `torch.float64`
    F64,
    /// Integers, truth values and whatever else is not read.
    Other {
        /// As in `torch.int64`.
        name: &'static str,
        /// Bytes of one number.
        size: usize,
    },
}

/// The type of numbers in a storage of each class.
const STORAGES: &[(&str, Dtype)] = &[
    ("HalfStorage", Dtype::F16),
    ("BFloat16Storage", Dtype::Bf16),
    ("FloatStorage", Dtype::F32),
    ("DoubleStorage", Dtype::F64),
    ("BoolStorage", other("bool", 1)),
    ("CharStorage", other("int8", 1)),
    ("ByteStorage", other("uint8", 1)),
    ("UntypedStorage", other("uint8", 1)),
    ("ShortStorage", other("int16", 2)),
    ("IntStorage", other("int32", 4)),
    ("LongStorage", other("int64", 8)),
    ("ComplexFloatStorage", other("complex64", 8)),
    ("ComplexDoubleStorage", other("complex128", 16)),
];

const fn other(name: &'static str, size: usize) -> Dtype {
    Dtype::Other { name, size }
}

impl Dtype {
    /// The type of numbers in a storage of this class.
    pub(super) fn of_storage(class: &str) -> Option<Self> {
        STORAGES.iter().find(|(known, _)| *known == class).map(|&(_, dtype)| dtype)
    }

    /// Bytes of one number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other { size, .. } => size,
        }
    }

    /// How to read such numbers.
    pub(super) fn decoder(self) -> Result<Decoder, String> {
        Ok(match self {
            Self::F16 => |bytes, values| each(bytes, values, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Self::Bf16 => |bytes, values| each(bytes, values, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Self::F32 => |bytes, values| each(bytes, values, f32::from_le_bytes),
            Self::F64 => |bytes, values| each(bytes, values, |bytes| f64::from_le_bytes(bytes) as f32),
            Self::Other { name, .. } => return Err(format!("it holds {name}; f16, bf16, f32 and f64 can be read")),
        })
    }
}

/// Adds numbers, little endian, to values.
pub(super) type Decoder = fn(&[u8], &mut Vec<f32>);

fn each<const SIZE: usize>(bytes: &[u8], values: &mut Vec<f32>, number: impl Fn([u8; SIZE]) -> f32) {
    values.extend(bytes.as_chunks().0.iter().copied().map(number));
}
