//! The models known by name, and where their weights are.

mod alexnet;
mod architecture;
mod catalog;
mod convnext;
mod densenet;
mod efficientnet;
mod googlenet;
mod inception;
mod inverted_residual;
mod mnasnet;
mod mobilenet_v2;
mod mobilenet_v3;
mod modules;
mod regnet;
mod resnet;
mod shufflenet;
mod squeezenet;
mod vgg;
mod vit;

use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, base_strategy::choose_native_strategy};

use architecture::{ARCHITECTURES, Architecture, Built};
use catalog::located;
pub use catalog::{Collection, Entry, LabelsFrom, Origin, catalog, find, unknown_in};

use crate::{
    Description, Error, Model, Preprocessing,
    graph::{Convolution, Graph, Op, Padding, Weights, Window},
    load::{Opened, WeightsFile},
    manifest::Manifest,
};

/// A network of one model only: its architecture is code, as its tensors are called by its training program.
struct KnownModel {
    /// What it is asked for by.
    name: &'static str,
    /// A tensor that only this architecture has.
    signature: &'static str,
    /// The layer of class probabilities.
    probabilities: &'static str,
    graph: fn(&WeightsFile) -> Result<Graph, Error>,
}

const KNOWN: [KnownModel; 2] = [squeezenet::V1_1, googlenet::BVLC];

/// The model that needs no file.
pub const DEFAULT: &str = squeezenet::V1_1.name;

/// The names of ImageNet's 1000 classes, in the order of the 2012 challenge. Source: `models/README.md`.
pub(crate) const IMAGENET_LABELS: &str = include_str!("../models/imagenet_labels.txt");

/// SqueezeNet v1.1, which is part of the program.
///
/// # Reference
/// [SqueezeNet](https://arxiv.org/abs/1602.07360), Iandola et al., 2016.
pub fn squeezenet_v1_1() -> Model {
    let file = WeightsFile::from_bytes(DEFAULT, squeezenet::EMBEDDED).expect("the embedded weights are whole");
    let graph = (squeezenet::V1_1.graph)(&file).expect("the embedded weights fit their graph");
    let Manifest { output, layers, .. } = find(DEFAULT).expect("it is in the catalog").manifest.clone();
    let description = Description {
        sha256: file.sha256().to_owned(),
        preprocessing: graph.preprocessing().expect("known graphs start with it"),
        labels: IMAGENET_LABELS.lines().map(str::to_owned).collect(),
        probabilities: output.probabilities.unwrap_or_default(),
        logits: output.logits.unwrap_or_default(),
        show: layers.show,
        ..Description::new(DEFAULT)
    };
    Model { graph, description }
}

/// The model `name_or_file`: one known by name whose file is in the models folder, any other file there by its name without
/// the ending, or a file anywhere.
///
/// # Errors
/// [`Error::NoSuchModel`], [`Error::WeightsNotFound`]; as [`load::open`](crate::load::open).
pub fn open(name_or_file: &str, folder: &Path) -> Result<Model, Error> {
    Ok(read(name_or_file, folder)?.map_or_else(squeezenet_v1_1, |opened| opened.model))
}

/// As [`open`], with the file and what is known of it; nothing for the model that is no file, [`squeezenet_v1_1`].
///
/// # Errors
/// As [`open`].
pub fn read(name_or_file: &str, folder: &Path) -> Result<Option<Opened>, Error> {
    let known = find(name_or_file);
    if let Ok(entry) = known {
        if entry.origin == Origin::Program {
            return Ok(None);
        }
        if let Some(file) = entry.locate(folder) {
            return entry.read(&file).map(Some);
        }
    }
    let path = Path::new(name_or_file);
    if path.exists() {
        return Opened::read(path).map(Some);
    }
    match known {
        Ok(entry) => Err(Error::WeightsNotFound { name: entry.name.clone(), path: entry.path(folder) }),
        Err(error) => match located(name_or_file, folder) {
            Some(file) => Opened::read(&file).map(Some),
            None => Err(error),
        },
    }
}

/// The families of networks (`ResNet`, `VGG`) that recognize a file's tensors: one, or none.
pub fn families(file: &WeightsFile) -> impl Iterator<Item = &'static str> {
    recognizing(file).map(|family| family.name)
}

fn recognizing(file: &WeightsFile) -> impl Iterator<Item = &'static Architecture> {
    ARCHITECTURES.iter().filter(|family| (family.recognizes)(file))
}

/// A network made of a file's tensors.
pub(crate) struct Recognized {
    pub graph: Graph,
    /// The layer with one probability for each class; empty for a network that knows no classes.
    pub probabilities: String,
    /// What the family, or the model, is called.
    pub name: &'static str,
    /// Whether it is a model known by name, and so how its images are prepared.
    pub is_known: bool,
}

/// The network that a file's tensors belong to, with this preprocessing or the one such networks were trained with.
pub(crate) fn recognize(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Recognized, Error> {
    if let Some(known) = KNOWN.iter().find(|known| file.contains(known.signature)) {
        let &KnownModel { name, probabilities, graph, .. } = known;
        return Ok(Recognized { graph: graph(file)?, probabilities: probabilities.to_owned(), name, is_known: true });
    }
    let Some(family) = recognizing(file).next() else {
        let families = ARCHITECTURES.iter().map(|family| family.name);
        return Err(Error::UnknownArchitecture {
            path: file.path().to_owned(),
            tensors: file.names().take(3).map(str::to_owned).collect(),
            count: file.names().count(),
            known: KNOWN.iter().map(|known| known.name).chain(families).map(str::to_owned).collect(),
        });
    };
    let Built { graph, probabilities, .. } = (family.build)(file, preprocessing)?;
    Ok(Recognized { graph, probabilities, name: family.name, is_known: false })
}

/// The network that a file's tensors belong to, with this preprocessing or the one such networks were trained with.
///
/// # Errors
/// [`Error::UnknownArchitecture`], or what does not fit the family: [`Error::MissingTensor`], [`Error::WrongTensor`],
/// [`Error::Shape`].
pub fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Model, Error> {
    let Recognized { graph, probabilities, .. } = recognize(file, preprocessing)?;
    let classes = graph.find(&probabilities).map_or(0, |id| graph.nodes()[id].shape.channels());
    let labels: Vec<String> = IMAGENET_LABELS.lines().map(str::to_owned).collect();
    let labels = if labels.len() == classes { labels } else { vec![] };
    let description = Description {
        sha256: file.sha256().to_owned(),
        preprocessing: graph.preprocessing().unwrap_or(Preprocessing::NONE),
        labels,
        probabilities,
        ..Description::new(file.stem())
    };
    Ok(Model { graph, description })
}

/// Where weights are looked for when nobody says: `$ENTOPTIC_MODELS`, else the platform's data folder.
pub fn default_folder() -> PathBuf {
    match std::env::var_os("ENTOPTIC_MODELS") {
        Some(folder) if !folder.is_empty() => folder.into(),
        _ => choose_native_strategy().map_or_else(|_| ".".into(), |places| places.data_dir()).join("entoptic/models"),
    }
}

/// A convolution with bias whose tensors are `<name>.weight` and `<name>.bias`.
fn convolution(
    file: &WeightsFile,
    name: &str,
    outputs: usize,
    inputs: usize,
    window: Window,
) -> Result<Convolution, Error> {
    let [kh, kw] = window.size;
    let weight = file.take(&format!("{name}.weight"), &[outputs, inputs, kh, kw])?;
    let bias = Some(file.take(&format!("{name}.bias"), &[outputs])?);
    Ok(Convolution { weight, scale: None, bias, window, groups: 1 })
}

/// A square window that keeps a map's size.
fn same_size(kernel: usize) -> Window {
    Window::new(kernel, 1).padded(Padding::all(kernel / 2))
}

/// RGB in `0..=1` to `0..=255` minus the training set's mean, `[r, g, b]`.
fn minus_mean(mean: [f32; 3]) -> Op {
    Op::Affine { scale: Weights::new([3], vec![255.0; 3]), shift: Weights::new([3], mean.map(|m| -m).to_vec()) }
}
