//! Named tensors of a file of any format, checked and read one by one as they are taken.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Cursor},
    path::{Path, PathBuf},
};

use super::{
    checksum::sha256,
    kind::{Kind, reason},
    pytorch::PytorchFile,
    safetensors::Safetensors,
    sharded::Sharded,
};
use crate::{Error, graph::Weights};

/// The tensors of one format's file.
pub(super) trait Tensors: Send + Sync {
    /// The names and shapes of all tensors of numbers.
    fn shapes(&self) -> BTreeMap<String, Vec<usize>>;

    /// The numbers of one of them, the last axis running fastest, or why they cannot be read.
    fn read(&self, name: &str) -> Result<Vec<f32>, String>;
}

/// A file of weights: which tensors it has, and their numbers when they are asked for.
///
/// Opening reads no more than names and shapes, so that a network takes as much memory as its weights.
pub struct WeightsFile {
    path: PathBuf,
    sha256: String,
    shapes: BTreeMap<String, Vec<usize>>,
    tensors: Box<dyn Tensors>,
}

impl WeightsFile {
    /// Opens a file of weights: safetensors, in one file or several, or a PyTorch state dict.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if it cannot be read or is no such file, whole and consistent.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (tensors, sha256) =
            Self::read(path).map_err(|reason| Error::Unreadable { path: path.to_owned(), reason })?;
        Ok(Self::new(path.to_owned(), sha256, tensors))
    }

    fn read(path: &Path) -> Result<(Box<dyn Tensors>, String), String> {
        let file = || File::open(path).map_err(|error| reason(&error));
        let tensors: Box<dyn Tensors> = match Kind::of(path)? {
            Kind::Safetensors => Box::new(Safetensors::open(file()?)?),
            Kind::Pytorch => Box::new(PytorchFile::open(file()?)?),
            Kind::ShardedSafetensors => {
                let (tensors, sha256) = Sharded::open(path)?;
                return Ok((Box::new(tensors), sha256));
            }
            kind @ (Kind::Onnx | Kind::Graphdef) => return Err(format!("it is a whole network ({kind}), not weights")),
        };
        Ok((tensors, sha256(file()?).map_err(|error| reason(&error))?))
    }

    /// A file that is in memory, `name` standing for its path in messages; one in several parts cannot be.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(name: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let sha256 = sha256(&*bytes).expect("bytes can be read");
        let kind = Kind::of_bytes(&bytes, name);
        let tensors: Result<Box<dyn Tensors>, String> = kind.and_then(|kind| match kind {
            Kind::Safetensors => Ok(Box::new(Safetensors::open(Cursor::new(bytes))?) as _),
            Kind::Pytorch => Ok(Box::new(PytorchFile::open(bytes)?) as _),
            Kind::ShardedSafetensors => Err("its parts are in other files".into()),
            Kind::Onnx | Kind::Graphdef => Err(format!("it is a whole network ({kind}), not weights")),
        });
        match tensors {
            Ok(tensors) => Ok(Self::new(name.into(), sha256, tensors)),
            Err(reason) => Err(Error::Unreadable { path: name.into(), reason }),
        }
    }

    /// Tensors that are no file; `name` stands for a path in messages.
    ///
    /// ```
    /// use entoptic_model::{graph::Weights, load::WeightsFile};
    ///
    /// let bias = Weights::new([2], vec![0.0, 1.0]);
    /// let file = WeightsFile::in_memory("made up", [("conv1.bias".to_owned(), bias)]);
    /// assert_eq!(file.shape("conv1.bias"), Some([2].as_slice()));
    /// ```
    pub fn in_memory(name: &str, tensors: impl IntoIterator<Item = (String, Weights)>) -> Self {
        Self::new(name.into(), String::new(), Box::new(InMemory(tensors.into_iter().collect())))
    }

    fn new(path: PathBuf, sha256: String, tensors: Box<dyn Tensors>) -> Self {
        Self { path, sha256, shapes: tensors.shapes(), tensors }
    }

    /// The file's SHA-256, in hexadecimal; empty for tensors that are no file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Where the file is, or what stands for that in messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file is called, without its folder and its extension, such as `tf_efficientnet_b0`.
    ///
    /// Where tensors leave open what a network is, this may tell.
    pub fn stem(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.shapes.keys().map(String::as_str)
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, tensor: &str) -> bool {
        self.shapes.contains_key(tensor)
    }

    /// Whether there are tensors of this module or of modules in it: `<module>.weight`, `<module>.0.bias`.
    pub fn has_module(&self, module: &str) -> bool {
        let prefix = format!("{module}.");
        self.shapes.range(prefix.clone()..).next().is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    /// How many modules `<module>.0`, `<module>.1` and so on have tensors, without a gap.
    pub fn count_modules(&self, module: &str) -> usize {
        (0..).take_while(|i| self.has_module(&format!("{module}.{i}"))).count()
    }

    /// The numbers of the modules `<module>.<number>` that have tensors, in order.
    pub fn numbered_modules(&self, module: &str) -> Vec<usize> {
        let prefix = format!("{module}.");
        let names = self.names().filter_map(|name| name.strip_prefix(&prefix)?.split('.').next()?.parse().ok());
        names.collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// The shape of a tensor, if there is one of this name.
    pub fn shape(&self, tensor: &str) -> Option<&[usize]> {
        self.shapes.get(tensor).map(Vec::as_slice)
    }

    /// The tensor `name`, as f32, if its shape is `expected`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::WrongTensor`], or [`Error::Unreadable`] for a type of number that is not
    /// f16, bf16, f32 or f64.
    pub fn take(&self, name: &str, expected: &[usize]) -> Result<Weights, Error> {
        let Some(shape) = self.shape(name) else {
            return Err(Error::MissingTensor { path: self.path.clone(), tensor: name.to_owned() });
        };
        if shape != expected {
            return Err(Error::WrongTensor {
                path: self.path.clone(),
                tensor: name.to_owned(),
                found: shape.to_vec(),
                expected: expected.to_vec(),
            });
        }
        match self.tensors.read(name) {
            Ok(values) => Ok(Weights::new(expected, values)),
            Err(reason) => {
                let reason = format!("tensor `{name}`: {reason}");
                Err(Error::Unreadable { path: self.path.clone(), reason })
            }
        }
    }

    /// The tensor `name`, as f32, if it has this many axes.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_any<const D: usize>(&self, name: &str) -> Result<Weights, Error> {
        match self.shape(name) {
            Some(shape) if shape.len() == D => self.take(name, shape),
            _ => self.take(name, &[0; D]),
        }
    }
}

struct InMemory(BTreeMap<String, Weights>);

impl Tensors for InMemory {
    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.0.iter().map(|(name, weights)| (name.clone(), weights.shape().to_vec())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, String> {
        Ok(self.0[name].values().to_vec())
    }
}

/// Where bytes are read from: a file, or memory.
pub(super) trait Source: io::Read + io::Seek + Send {}

impl<S: io::Read + io::Seek + Send> Source for S {}
