//! What a file says of itself, and a manifest made complete by it.

mod classes;
mod layers;
mod values;

use std::path::Path;

use super::{Channels, Guess, Manifest, Values};
use crate::{
    Preprocessing,
    graph::{Graph, Op, Shape},
    load::{Kind, PROBABILITIES},
};

/// What a file says by itself.
pub(crate) struct Evidence<'a> {
    pub path: &'a Path,
    pub kind: Kind,
    pub graph: &'a Graph,
    pub about: &'a [(String, String)],
    pub sha256: &'a str,
    /// The family of networks that its tensors belong to.
    pub architecture: Option<&'a str>,
    /// What the file calls its image.
    pub input: Option<&'a str>,
    /// How images are prepared, and whether that is only how such networks usually are.
    pub preprocessing: Option<(Preprocessing, bool)>,
    pub probabilities: Option<&'a str>,
    pub logits: Option<&'a str>,
}

impl Manifest {
    /// What this manifest says, and for the rest what the file does or what can be guessed.
    pub(crate) fn completed(&self, evidence: &Evidence<'_>) -> Self {
        let mut all = self.clone();
        // A guess that hands have taken out is made anew.
        all.guessed.retain(|guess| self.has(&guess.field));
        all.name.get_or_insert_with(|| stem(evidence.path));
        all.file.sha256 = Some(evidence.sha256.to_owned());
        all.file.kind = Some(evidence.kind.name().to_owned());
        all.file.architecture = evidence.architecture.map(str::to_owned);
        all.input.name = evidence.input.map(str::to_owned);
        all.input.size = Some(evidence.graph.size());
        all.complete_values(evidence);
        all.complete_ends(evidence);
        all.complete_labels(evidence);
        if all.layers.show.is_empty() {
            let (show, reason) = layers::worth_showing(evidence.graph, &all.output);
            if !show.is_empty() {
                all.guess("layers.show", &reason);
            }
            all.layers.show = show;
        }
        all
    }

    fn guess(&mut self, field: &str, reason: &str) {
        self.guessed.push(Guess::new(field, reason));
    }

    fn complete_values(&mut self, evidence: &Evidence<'_>) {
        if self.preprocessing().is_some() && self.input.channels.is_some() {
            return;
        }
        let (preprocessing, reason) = match (evidence.preprocessing, evidence.architecture) {
            (Some((preprocessing, false)), _) => (preprocessing, None),
            (Some((preprocessing, true)), family) => {
                let family = family.unwrap_or("such networks");
                (preprocessing, Some(format!("{} for {family}", values::called(&preprocessing))))
            }
            (None, _) => {
                let (preprocessing, reason) = values::guess(evidence);
                (preprocessing, Some(format!("{}, since {reason}", values::called(&preprocessing))))
            }
        };
        let mut guessed = vec![];
        if self.preprocessing().is_none() {
            let values = Values::from(preprocessing);
            values.write(&mut self.input);
            guessed.extend(match values {
                Values::Range(_) => &["input.range"][..],
                Values::Normalized { .. } => &["input.mean", "input.std"],
            });
        }
        if self.input.channels.is_none() {
            self.input.channels = Some(if preprocessing.bgr { Channels::Bgr } else { Channels::Rgb });
            guessed.extend(preprocessing.bgr.then_some("input.channels"));
        }
        if let Some(reason) = reason {
            guessed.into_iter().for_each(|field| self.guess(field, &reason));
        }
    }

    /// Where class scores and probabilities are.
    fn complete_ends(&mut self, evidence: &Evidence<'_>) {
        let output = &mut self.output;
        if output.probabilities.is_none() && output.logits.is_none() {
            output.probabilities = evidence.probabilities.map(str::to_owned);
        }
        if output.logits.is_none() {
            let softmax = output.probabilities.as_ref().and_then(|name| evidence.graph.find(name).ok());
            let scores = softmax.and_then(|id| {
                let node = &evidence.graph.nodes()[id];
                matches!(node.op, Op::Softmax).then(|| evidence.graph.nodes()[node.inputs[0]].name.clone())
            });
            output.logits = scores.or_else(|| {
                let from_file = evidence.logits.filter(|_| output.probabilities.is_none());
                from_file.map(str::to_owned)
            });
            // An embedding ends a network, too, but has no classes.
            if output.probabilities.is_none()
                && let Some(logits) = &output.logits
                && !classes::are_scores(evidence.graph, logits)
            {
                output.logits = None;
            }
        }
        if output.probabilities.is_none() && output.logits.is_some() {
            output.probabilities = Some(PROBABILITIES.into());
            self.guess("output.probabilities", "the softmax of what the network ends with");
        }
    }

    fn complete_labels(&mut self, evidence: &Evidence<'_>) {
        let layer = self.output.logits.as_ref().or(self.output.probabilities.as_ref());
        let layer = layer.and_then(|layer| evidence.graph.find(layer).ok());
        if let (None, Some(layer)) = (&self.output.labels, layer)
            && let Some((labels, reason)) =
                classes::labels(evidence.graph.nodes()[layer].shape.channels(), evidence.path)
        {
            self.output.labels = Some(labels);
            self.guess("output.labels", &reason);
        }
    }

    /// Whether a field is given, by its name.
    fn has(&self, field: &str) -> bool {
        let Self { name, input, output, layers, .. } = self;
        match field {
            "name" => name.is_some(),
            "input.size" => input.size.is_some(),
            "input.range" => input.range.is_some(),
            "input.mean" | "input.std" => input.mean.is_some(),
            "input.channels" => input.channels.is_some(),
            "output.probabilities" => output.probabilities.is_some(),
            "output.logits" => output.logits.is_some(),
            "output.labels" => output.labels.is_some(),
            _ => !layers.show.is_empty(),
        }
    }
}

/// A model's name by its file: without extensions, or its folder's where files are called like all others.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".index.json").unwrap_or(&name);
    let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = || Some(path.canonicalize().ok()?.parent()?.file_name()?.to_string_lossy().into_owned());
    match stem.as_str() {
        "model" | "pytorch_model" | "frozen_inference_graph" => folder().unwrap_or(stem),
        _ => stem,
    }
}

/// Whether a shape has positions, more than one.
fn is_map(shape: Shape) -> bool {
    shape.positions() != [1, 1]
}
