//! safetensors: a header that says where in the file each tensor is, then their bytes.

use std::{
    collections::BTreeMap,
    io::{Read, Seek, SeekFrom},
    sync::Mutex,
};

use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};

use super::{
    dtype::{ByteOrder, REAL_TYPES, Real},
    weights::{Source, Tensors},
};

/// A safetensors file.
pub(super) struct Safetensors {
    source: Mutex<Box<dyn Source>>,
    tensors: BTreeMap<String, TensorInfo>,
    /// Where in the file the tensors' bytes start.
    start: u64,
}

/// A header of more is none: the format's own limit, 100 MB.
const LARGEST_HEADER: u64 = 100_000_000;

impl Safetensors {
    /// Reads the header.
    pub fn open(mut source: impl Source + 'static) -> Result<Self, String> {
        let broken = |why: &str| format!("not a whole safetensors file ({why})");
        let io = |error: std::io::Error| broken(&error.kind().to_string());
        let length = source.seek(SeekFrom::End(0)).map_err(io)?;
        source.rewind().map_err(io)?;
        let mut prefix = [0; 8];
        source.read_exact(&mut prefix).map_err(|_| broken("it is shorter than its header"))?;
        let header = u64::from_le_bytes(prefix);
        if header > LARGEST_HEADER || header.saturating_add(8) > length {
            return Err(broken("its header would be longer than the file"));
        }
        let mut bytes = Vec::new();
        source.by_ref().take(header).read_to_end(&mut bytes).map_err(io)?;
        let metadata: Metadata = serde_json::from_slice(&bytes).map_err(|error| broken(&error.to_string()))?;
        let start = header + 8;
        if metadata.data_len() as u64 != length - start {
            return Err(broken("its tensors would be longer or shorter than the file"));
        }
        let tensors = metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        Ok(Self { source: Mutex::new(Box::new(source)), tensors, start })
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }
}

impl Tensors for Safetensors {
    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.tensors.iter().map(|(name, info)| (name.clone(), info.shape.clone())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, String> {
        let TensorInfo { dtype, shape, data_offsets: (first, last) } = &self.tensors[name];
        let mut source = self.source.lock().expect("no thread panics while it reads");
        source.seek(SeekFrom::Start(self.start + *first as u64)).map_err(|error| error.to_string())?;
        let bytes = source.as_mut().take((last - first) as u64);
        let real = match dtype {
            Dtype::F16 => Real::F16,
            Dtype::BF16 => Real::Bf16,
            Dtype::F32 => Real::F32,
            Dtype::F64 => Real::F64,
            other => return Err(format!("it holds {other:?}; {REAL_TYPES} can be read")),
        };
        let numbers = real.numbers_from(bytes, shape.iter().product(), ByteOrder::LittleEndian);
        numbers.map_err(|error| error.to_string())
    }
}
