use crate::load::dtype::Real;

/// The type of numbers in a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageType {
    /// Real numbers.
    Real(Real),
    /// Integers, truth values and whatever else is not read.
    Other {
        /// As in `torch.int64`.
        name: &'static str,
        /// Bytes of one number.
        size: usize,
    },
}

/// The type of numbers in a storage of each class.
const STORAGES: &[(&str, StorageType)] = &[
    ("HalfStorage", StorageType::Real(Real::F16)),
    ("BFloat16Storage", StorageType::Real(Real::Bf16)),
    ("FloatStorage", StorageType::Real(Real::F32)),
    ("DoubleStorage", StorageType::Real(Real::F64)),
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

const fn other(name: &'static str, size: usize) -> StorageType {
    StorageType::Other { name, size }
}

impl StorageType {
    /// The type of numbers in a storage of this class.
    pub(super) fn of_class(class: &str) -> Option<Self> {
        STORAGES.iter().find(|(known, _)| *known == class).map(|&(_, found)| found)
    }

    /// Bytes of one number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Real(real) => real.size(),
            Self::Other { size, .. } => size,
        }
    }
}
