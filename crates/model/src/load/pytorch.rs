//! Named tensors from the files that `torch.save` makes of a state dict.
//!
//! Opening reads what describes the tensors; their numbers stay in the file until they are asked for. The description
//! is a pickle, a small program that may call any Python function: it is followed for what it says of tensors, and
//! nothing is ever executed.
//!
//! # Reference
//! `torch/serialization.py` and `torch/_utils.py` in PyTorch.

mod globals;
mod legacy;
mod pickle;
mod source;
mod state_dict;
mod storage_type;
mod tensor;
mod values;
mod zip;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io::Read, ops::Range};

use globals::REMEDY;
use source::Source;
use storage_type::StorageType;
use tensor::Tensor;
use values::{Ref, Values};

use super::{dtype::ByteOrder, weights::Tensors};

/// A state dict in a file: which tensors it has, and where in the file they are.
pub(super) struct PytorchFile {
    source: Source,
    tensors: BTreeMap<String, Tensor>,
}

impl PytorchFile {
    /// Reads which tensors there are: from a [`File`](std::fs::File), or from bytes in memory.
    ///
    /// A state dict within a checkpoint is found, and prefixes that wrappers give to every name are taken off.
    ///
    /// # Errors
    /// The reason, if this is no file of `torch.save`, is damaged, or holds something else than a state dict.
    pub fn open(source: impl Into<Source>) -> Result<Self, String> {
        let source = source.into();
        let mut start = Vec::new();
        source.range(0..source.length().min(512)).read_to_end(&mut start).map_err(source::unreadable)?;
        let contents = match start.get(257..262) {
            _ if start.starts_with(b"PK\x03\x04") => zip::read(&source)?,
            Some(b"ustar") => return Err(format!("it is a tar archive, as PyTorch wrote long ago; {REMEDY}")),
            _ => legacy::read(&source)?,
        };
        let views = state_dict::tensors(&contents.values, contents.root)?;
        let locate = |(name, view): (String, &tensor::View)| match view.locate(&contents) {
            Ok(tensor) => Ok((name, tensor)),
            Err(reason) => Err(format!("tensor `{}` {reason}", shown(&name))),
        };
        let tensors = views.into_iter().map(locate).collect::<Result<_, _>>()?;
        Ok(Self { source, tensors })
    }
}

impl Tensors for PytorchFile {
    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shape().to_vec())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, String> {
        self.tensors[name].read(&self.source)
    }
}

/// What every format comes down to: a pickled object, and where in the file the numbers are that it speaks of.
struct Contents {
    values: Values,
    root: Ref,
    storages: BTreeMap<String, Range<u64>>,
    byte_order: ByteOrder,
}

/// A text of the file as it can stand in a message: short, and on one line.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80; // characters
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}
