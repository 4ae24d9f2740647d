//! What is in a model, for people who want to know what they have.

mod boxes;
mod layout;
mod parameters;
mod svg;

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;

pub use svg::draw;

use crate::{
    Model, Preprocessing,
    graph::{Graph, Node, Shape},
    load::{Kind, Opened},
    manifest::{Manifest, Values},
};

/// All that is known of a model, as data.
///
/// ```
/// use entoptic_model::{inspect::Report, zoo};
///
/// let report = Report::of(&zoo::squeezenet_v1_1());
/// assert_eq!((report.parameters, report.output.classes), (1_235_496, Some(1000)));
/// assert_eq!(report.layers[0].name, "input");
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What the model is called.
    pub name: String,
    /// The file it was read from; nothing for a model that is part of the program.
    pub file: Option<FileReport>,
    /// What it expects.
    pub input: InputReport,
    /// What it answers.
    pub output: OutputReport,
    /// How many numbers it was trained to have; batch norms count as a scale and an offset of each channel.
    pub parameters: usize,
    /// How many bytes these are in memory, as f32.
    pub parameter_bytes: usize,
    /// How many layers there are of each kind, the most frequent first.
    pub kinds: Vec<Count>,
    /// All layers that can be asked for, inputs before those that read them.
    pub layers: Vec<LayerReport>,
    /// The layers worth showing.
    pub show: Vec<String>,
    /// The operations of the file that are not supported.
    pub unsupported: Vec<Count>,
    /// The layers of the file that need these, and so cannot be asked for.
    pub missing: Vec<String>,
    /// What nobody has said.
    pub guesses: Vec<GuessReport>,
}

/// A file.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// Where it is.
    pub path: String,
    /// What kind of file it is.
    pub kind: Kind,
    /// How long it is.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// The family of networks that its tensors belong to.
    pub architecture: Option<String>,
    /// The manifest beside it, if there is one.
    pub manifest: Option<String>,
    /// What it says of itself, by what that is.
    pub about: BTreeMap<String, String>,
}

/// What goes in.
#[derive(Debug, Clone, Serialize)]
pub struct InputReport {
    /// What the file calls its image.
    pub name: Option<String>,
    /// `[h, w]`, in pixels.
    pub size: [usize; 2],
    /// How many channels an image has.
    pub channels: usize,
    /// What black and white become, if that is the same for all colors.
    pub range: Option<[f32; 2]>,
    /// What is subtracted of red, green and blue.
    pub mean: [f32; 3],
    /// What they are then divided by.
    pub std: [f32; 3],
    /// Whether blue comes first.
    pub bgr: bool,
}

/// What comes out.
#[derive(Debug, Clone, Serialize)]
pub struct OutputReport {
    /// What the file calls its outputs.
    pub names: Vec<String>,
    /// The layer of class probabilities.
    pub probabilities: Option<String>,
    /// The layer of class scores.
    pub logits: Option<String>,
    /// How many classes there are.
    pub classes: Option<usize>,
    /// How many of them have a label.
    pub labels: usize,
}

/// How many there are of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What.
    pub kind: String,
    /// How many.
    pub count: usize,
    /// Why, where that is a question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One layer.
#[derive(Debug, Clone, Serialize)]
pub struct LayerReport {
    /// What it is called.
    pub name: String,
    /// `[c, h, w]`, or `[c]` where there are no positions.
    pub shape: Vec<usize>,
    /// What it computes.
    pub kind: String,
    /// How many numbers it was trained to have, those of others excluded.
    pub parameters: usize,
    /// The layers that it reads.
    pub inputs: Vec<String>,
}

/// A field of the manifest that nobody has said.
#[derive(Debug, Clone, Serialize)]
pub struct GuessReport {
    /// Which, such as `input.range`.
    pub field: String,
    /// Why it is guessed to be so; nothing where a manifest has it.
    pub reason: Option<String>,
}

impl Report {
    /// What is in a model.
    pub fn of(model: &Model) -> Self {
        let Model { graph, description } = model;
        let Preprocessing { mean, std, bgr } = description.preprocessing;
        let parameters = parameters::of(graph);
        let shown = |layer: &String| (!layer.is_empty()).then(|| layer.clone());
        let end =
            [&description.logits, &description.probabilities].into_iter().find_map(|layer| graph.find(layer).ok());
        let layer = |(id, node): (usize, &Node)| LayerReport {
            name: node.name.clone(),
            shape: node.shape.dims(),
            kind: node.op.kind(),
            parameters: parameters[id],
            inputs: node.inputs.iter().map(|&input| graph.nodes()[input].name.clone()).collect(),
        };
        let unsupported = graph.unsupported().operations().into_iter();
        Self {
            name: description.name.clone(),
            file: None,
            input: InputReport {
                name: None,
                size: graph.size(),
                channels: graph.channels(),
                range: match Values::from(description.preprocessing) {
                    Values::Range(range) => Some(range),
                    Values::Normalized { .. } => None,
                },
                mean,
                std,
                bgr,
            },
            output: OutputReport {
                names: vec![],
                probabilities: shown(&description.probabilities),
                logits: shown(&description.logits),
                classes: end.map(|id| graph.nodes()[id].shape.channels()),
                labels: description.labels.len(),
            },
            parameters: parameters.iter().sum(),
            parameter_bytes: parameters.iter().sum::<usize>() * size_of::<f32>(),
            kinds: kinds(graph),
            layers: graph.nodes().iter().enumerate().map(layer).collect(),
            show: description.show.clone(),
            unsupported: unsupported
                .map(|operation| Count { kind: operation.kind, count: operation.count, reason: Some(operation.reason) })
                .collect(),
            missing: graph.unsupported().layers().into_iter().map(str::to_owned).collect(),
            guesses: description
                .guesses
                .iter()
                .map(|guess| GuessReport { field: guess.field.clone(), reason: shown(&guess.reason) })
                .collect(),
        }
    }

    /// What is in a model that was read from a file.
    pub fn of_file(opened: &Opened) -> Self {
        let Opened { model, manifest, was_described, path, kind, bytes, outputs, about } = opened;
        let shown = |path: &Path| path.display().to_string();
        let mut report = Self::of(model);
        report.input.name.clone_from(&manifest.input.name);
        report.output.names.clone_from(outputs);
        report.file = Some(FileReport {
            path: shown(path),
            kind: *kind,
            bytes: *bytes,
            sha256: model.description.sha256.clone(),
            architecture: manifest.file.architecture.clone(),
            manifest: was_described.then(|| shown(&Manifest::beside(path))),
            about: about.iter().cloned().collect(),
        });
        report
    }
}

/// How many nodes there are of each kind, windows and strides aside.
fn kinds(graph: &Graph) -> Vec<Count> {
    let mut counts = BTreeMap::<String, usize>::new();
    for node in &graph.nodes()[1..] {
        let kind = node.op.kind();
        let name = kind.split(|c: char| c.is_ascii_digit()).next().unwrap_or(&kind).trim_end();
        let name = name.trim_end_matches(" to").trim_end_matches(" of");
        *counts.entry(if name == "relu" { kind.clone() } else { name.to_owned() }).or_default() += 1;
    }
    let mut counts: Vec<Count> = counts.into_iter().map(|(kind, count)| Count { kind, count, reason: None }).collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.count));
    counts
}

/// A shape for people: `64 x 56 x 56`.
fn dims(shape: Shape) -> String {
    shape.dims().iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}
