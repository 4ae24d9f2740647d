//! safetensors: a header that says where in the file each tensor is, then their bytes.

use std::{
    collections::BTreeMap,
    io::{Read, Seek, SeekFrom},
    sync::Mutex,
};

use half::{bf16, f16};
use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};

use super::weights::{Source, Tensors};

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
        let count = shape.iter().product();
        match dtype {
            Dtype::F32 => numbers(bytes, count, f32::from_le_bytes),
            Dtype::F16 => numbers(bytes, count, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => numbers(bytes, count, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Dtype::F64 => numbers(bytes, count, |bytes| f64::from_le_bytes(bytes) as f32),
            other => Err(format!("it holds {other:?}; f16, bf16, f32 and f64 can be read")),
        }
    }
}

/// So many numbers of `N` bytes each.
fn numbers<const N: usize>(
    mut bytes: impl Read,
    count: usize,
    number: impl Fn([u8; N]) -> f32,
) -> Result<Vec<f32>, String> {
    let mut numbers = Vec::with_capacity(count);
    let mut block = vec![0; 1 << 16];
    while numbers.len() < count {
        let block = &mut block[..(N * (count - numbers.len())).min(1 << 16)];
        bytes.read_exact(block).map_err(|error| error.to_string())?;
        numbers.extend(block.as_chunks().0.iter().map(|&chunk| number(chunk)));
    }
    Ok(numbers)
}
