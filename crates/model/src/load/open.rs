//! A model out of a file of any kind, described by the manifest beside it and by what can be guessed.

use std::path::{Path, PathBuf};

use super::{Imported, Kind, Options, WeightsFile, graphdef, onnx, sharded::Sharded};
use crate::{
    Description, Error, Model, Preprocessing,
    graph::{Graph, Op},
    manifest::{Evidence, Manifest},
    zoo::{self, Recognized},
};

/// The model in a file, or in a folder that holds one; the manifest beside it, if there is one, says how it is read.
///
/// # Errors
/// [`Error::Unreadable`] with the kinds of files that work; [`Error::BadManifest`], [`Error::WrongChecksum`]; what an
/// architecture lacks ([`Error::UnknownArchitecture`], [`Error::MissingTensor`], [`Error::WrongTensor`]) or a graph
/// ([`Error::UnsupportedModel`]); [`Error::NoSuchLayer`] for a layer that the manifest names.
pub fn open(path: &Path) -> Result<Model, Error> {
    Ok(Opened::read(path)?.model)
}

/// A model, and what is known of the file that it was read from.
#[derive(Debug)]
pub struct Opened {
    /// The model.
    pub model: Model,
    /// All that is known of it, by its file, by its manifest, or by guesses.
    pub manifest: Manifest,
    /// Whether there was a manifest.
    pub was_described: bool,
    /// The file.
    pub path: PathBuf,
    /// What kind of file it is.
    pub kind: Kind,
    /// How long it is, in bytes; of an index, how long its parts are.
    pub bytes: u64,
    /// What the file calls its outputs.
    pub outputs: Vec<String>,
    /// What the file says of itself, for people.
    pub about: Vec<(String, String)>,
}

impl Opened {
    /// As [`open`].
    ///
    /// # Errors
    /// As [`open`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let path = within(path)?;
        match Manifest::find(&path)? {
            Some(manifest) => Ok(Self { was_described: true, ..Self::described(&path, &manifest)? }),
            None => Self::described(&path, &Manifest::default()),
        }
    }

    /// The model in a file that this manifest describes, whatever lies beside it.
    ///
    /// # Errors
    /// As [`open`].
    pub fn described(path: &Path, manifest: &Manifest) -> Result<Self, Error> {
        let path = within(path)?;
        let unreadable = |reason: String| Error::Unreadable { path: path.clone(), reason };
        let kind = Kind::of(&path).map_err(unreadable)?;
        let found = Found::read(&path, kind, manifest)?;
        if let Some(expected) = manifest.file.sha256.as_ref().filter(|&expected| *expected != found.sha256) {
            return Err(Error::WrongChecksum { path, expected: expected.clone(), found: found.sha256 });
        }
        let bytes = match kind {
            Kind::ShardedSafetensors => Sharded::bytes(&path),
            _ => path.metadata().ok().map(|metadata| metadata.len()),
        };
        let Found { graph, sha256, preprocessing, probabilities, logits, architecture, input, outputs, about } = found;
        let evidence = Evidence {
            path: &path,
            kind,
            graph: &graph,
            about: &about,
            sha256: &sha256,
            architecture,
            input: input.as_deref(),
            preprocessing,
            probabilities: probabilities.as_deref(),
            logits: logits.as_deref(),
        };
        let manifest = manifest.completed(&evidence);
        let model = described(graph, sha256, &manifest, &path)?;
        Ok(Self { model, manifest, was_described: false, path, kind, bytes: bytes.unwrap_or(0), outputs, about })
    }
}

/// What a file says by itself.
struct Found {
    graph: Graph,
    sha256: String,
    /// How images are prepared, if the file says so, and whether that is a guess by its architecture.
    preprocessing: Option<(Preprocessing, bool)>,
    probabilities: Option<String>,
    logits: Option<String>,
    architecture: Option<&'static str>,
    input: Option<String>,
    outputs: Vec<String>,
    about: Vec<(String, String)>,
}

impl Found {
    fn read(path: &Path, kind: Kind, manifest: &Manifest) -> Result<Self, Error> {
        let options = Options { size: manifest.input.size, preprocessing: None };
        match kind {
            Kind::Safetensors | Kind::ShardedSafetensors | Kind::Pytorch => Self::weights(path, manifest),
            Kind::Onnx => onnx::open(path, &options).map(Self::imported),
            Kind::Graphdef => graphdef::open(path, &options).map(Self::imported),
        }
    }

    fn weights(path: &Path, manifest: &Manifest) -> Result<Self, Error> {
        let file = WeightsFile::open(path)?;
        let Recognized { graph, probabilities, name, is_known } = zoo::recognize(&file, manifest.preprocessing())?;
        let graph = match manifest.input.size {
            Some(size) if size != graph.size() => graph.with_size(size)?,
            _ => graph,
        };
        Ok(Self {
            preprocessing: graph.preprocessing().map(|preprocessing| (preprocessing, !is_known)),
            graph,
            sha256: file.sha256().to_owned(),
            probabilities: Some(probabilities).filter(|layer| !layer.is_empty()),
            logits: None,
            architecture: Some(name),
            input: None,
            outputs: vec![],
            about: vec![],
        })
    }

    fn imported(imported: Imported) -> Self {
        let Imported { graph, sha256, input, outputs, probabilities, logits, about, metadata } = imported;
        let preprocessing = metadata.and_then(|metadata| metadata.preprocessing());
        Self {
            graph,
            sha256,
            preprocessing: preprocessing.map(|preprocessing| (preprocessing, false)),
            probabilities,
            logits,
            architecture: None,
            input: Some(input),
            outputs,
            about,
        }
    }
}

/// The model of a graph that a complete manifest describes.
fn described(graph: Graph, sha256: String, manifest: &Manifest, path: &Path) -> Result<Model, Error> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let preprocessing = manifest.preprocessing().unwrap_or(Preprocessing::NONE);
    let mut graph = match graph.preprocessing() {
        Some(own) if own == preprocessing => graph,
        _ => graph.with_preprocessing(&preprocessing)?,
    };
    let Manifest { output, layers, guessed, .. } = manifest;
    let named = output.probabilities.iter().chain(&output.logits).chain(&layers.show);
    // The one layer that may have to be added is the softmax of a network that ends with its scores.
    if let (Some(probabilities), Some(logits)) = (&output.probabilities, &output.logits)
        && probabilities == PROBABILITIES
        && graph.find(probabilities).is_err()
    {
        graph = graph.followed_by(&[(PROBABILITIES, Op::Softmax)], logits)?;
    }
    for layer in named {
        graph.find(layer).map_err(|error| match error {
            Error::NoSuchLayer { .. } if path.exists() => {
                Error::BadManifest { path: Manifest::beside(path), reason: error.to_string() }
            }
            error => error,
        })?;
    }
    let labels = output.labels.as_ref().map(|labels| labels.read(folder)).transpose()?.unwrap_or_default();
    let description = Description {
        sha256,
        preprocessing,
        labels,
        probabilities: output.probabilities.clone().unwrap_or_default(),
        logits: output.logits.clone().unwrap_or_default(),
        show: layers.show.clone(),
        guesses: guessed.clone(),
        ..Description::new(manifest.name.clone().unwrap_or_default())
    };
    Ok(Model { graph, description })
}

/// What the layer is called that a network gets which ends with class scores.
pub(crate) const PROBABILITIES: &str = "probabilities";

/// The endings of files that hold models, those first that are taken where a folder has both.
pub(crate) const ENDINGS: [&[&str]; 5] =
    [&[".safetensors.index.json"], &[".safetensors"], &[".onnx"], &[".pb"], &[".pth", ".pt", ".bin"]];

/// The file itself, or the one model in a folder.
fn within(path: &Path) -> Result<PathBuf, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    let io = |error: std::io::Error| unreadable(error.kind().to_string());
    if !path.metadata().map_err(io)?.is_dir() {
        return Ok(path.to_owned());
    }
    let mut names = vec![];
    for entry in path.read_dir().map_err(io)? {
        names.extend(entry.map_err(io)?.file_name().into_string());
    }
    names.sort();
    for endings in ENDINGS {
        let found: Vec<&String> =
            names.iter().filter(|name| endings.iter().any(|ending| name.ends_with(ending))).collect();
        match found[..] {
            [] => {}
            [one] => return Ok(path.join(one)),
            [..] => {
                let named: Vec<String> = found.iter().take(5).map(|name| format!("`{name}`")).collect();
                return Err(unreadable(format!("it is a folder of several models: {}", named.join(", "))));
            }
        }
    }
    Err(unreadable("it is a folder without a model".into()))
}
