//! Weights in several safetensors files, and an index that says which has what.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{checksum::sha256, kind::reason, safetensors::Safetensors, weights::Tensors};

/// Safetensors files that are parts of one.
pub(super) struct Sharded {
    parts: Vec<Safetensors>,
    /// Which part has a tensor.
    places: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// An index of more is none, in bytes.
const LONGEST: u64 = 100_000_000;

/// The most parts, all of which are open at a time.
const MOST: usize = 500;

impl Sharded {
    /// Reads the index and the headers of its parts, and the SHA-256 of these, one after the other in the order of their
    /// names.
    pub fn open(path: &Path) -> Result<(Self, String), String> {
        let mut text = Vec::new();
        File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut text)).map_err(|error| reason(&error))?;
        let index: Index = serde_json::from_slice(&text)
            .map_err(|error| format!("it is no index of safetensors files ({error}): it has a `weight_map`"))?;
        let names: BTreeSet<&String> = index.weight_map.values().collect();
        if names.len() > MOST {
            return Err(format!("it has {} parts; {MOST} are the most", names.len()));
        }
        let files = names.iter().map(|name| beside(path, name)).collect::<Result<Vec<_>, _>>()?;
        let opened = |(file, name): (&PathBuf, &&String)| {
            let part = |why: String| format!("its part `{name}`: {why}");
            Safetensors::open(File::open(file).map_err(|error| part(reason(&error)))?).map_err(part)
        };
        let parts = files.iter().zip(&names).map(opened).collect::<Result<Vec<_>, _>>()?;
        let numbers: BTreeMap<&String, usize> = names.into_iter().zip(0..).collect();
        let places: BTreeMap<String, usize> =
            index.weight_map.iter().map(|(tensor, name)| (tensor.clone(), numbers[name])).collect();
        if let Some((tensor, name)) = index.weight_map.iter().find(|(tensor, name)| !parts[numbers[name]].has(tensor)) {
            return Err(format!("its part `{name}` has no tensor `{tensor}`"));
        }
        let sha256 = checksum(&files).map_err(|error| reason(&error))?;
        Ok((Self { parts, places }, sha256))
    }

    /// The size of all parts, in bytes.
    pub fn bytes(path: &Path) -> Option<u64> {
        let index: Index = serde_json::from_reader(io::BufReader::new(File::open(path).ok()?)).ok()?;
        let names: BTreeSet<&String> = index.weight_map.values().collect();
        names.into_iter().map(|name| Some(beside(path, name).ok()?.metadata().ok()?.len())).sum()
    }
}

/// A file in the index's folder; what is elsewhere is nobody's part.
fn beside(index: &Path, name: &str) -> Result<PathBuf, String> {
    match name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', ':']) {
        true => Err(format!("its part `{}` is no file beside it", name.escape_debug())),
        false => Ok(index.with_file_name(name)),
    }
}

fn checksum(files: &[PathBuf]) -> io::Result<String> {
    let mut all: Box<dyn Read> = Box::new(io::empty());
    for file in files {
        all = Box::new(all.chain(File::open(file)?));
    }
    sha256(all)
}

impl Tensors for Sharded {
    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let mut shapes: BTreeMap<String, Vec<usize>> = self.parts.iter().flat_map(Tensors::shapes).collect();
        shapes.retain(|name, _| self.places.contains_key(name));
        shapes
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, String> {
        self.parts[self.places[name]].read(name)
    }
}
