//! Going through the nodes of a graph, from the image to the outputs.

use std::collections::HashSet;

use super::{
    Fault, Options,
    file::{Contents, HOW_TO_FREEZE},
    input::{Input, inference},
    message::NodeDef,
    metadata::Metadata,
    order::{Order, order, places, source},
    tensor::Budget,
    translate::Output,
};
use crate::{
    Preprocessing,
    load::{
        Imported,
        lift::{Lift, Value, cannot},
    },
};

/// The side of an image of which nobody says how large it is.
const DEFAULT_SIDE: usize = 224;

/// What a node reads: the node that it comes from, and which of its outputs.
type Source = (usize, usize);

/// The graph of a file.
pub(super) fn import(contents: Contents, options: &Options) -> Result<Imported, Fault> {
    let Contents { mut nodes, sha256, length, producer } = contents;
    let mut about = vec![("format".to_owned(), "frozen TensorFlow graph".to_owned())];
    about.extend(producer.map(|version| ("TensorFlow's graph version".to_owned(), version.to_string())));
    let metadata = Metadata::of(&nodes);
    let mut sources = sources(&nodes)?;
    let input = Input::find(&nodes, metadata.as_ref())?;
    sources[input.node].clear();
    let relevant = relevant(&sources, input.node);
    let Order { computable, loops } = order(&sources);

    let size = options.size.or(input.size).unwrap_or([DEFAULT_SIDE; 2]);
    let preprocessing = options.preprocessing.or_else(|| metadata.as_ref()?.preprocessing());
    let lift = Lift::new(input.channels, size, length / 4).map_err(|cannot| cannot.reason)?;
    let mut import = Import::new(lift, Budget::of_file(length), &sources);
    import.feed(&input, &nodes[input.node].name, preprocessing.as_ref())?;
    for place in computable.into_iter().filter(|&place| relevant[place] && place != input.node) {
        import.node(place, &mut nodes[place], &sources[place]);
    }
    for place in loops.into_iter().filter(|&place| relevant[place]) {
        import.in_a_loop(&nodes[place]);
    }
    import.finish(sha256, &nodes, &sources, input.node, metadata, about)
}

/// Where the inputs of all nodes come from.
fn sources(nodes: &[NodeDef]) -> Result<Vec<Vec<Source>>, String> {
    let names = nodes.iter().map(|node| &*node.name);
    let places = places(names).map_err(|name| format!("two nodes of its graph are called `{name}`"))?;
    let of = |node: &NodeDef| {
        let inputs = node.input.iter().filter_map(|input| source(input));
        let found = inputs.map(|(name, output)| match places.get(name) {
            Some(&place) => Ok((place, output)),
            None => Err(format!("its graph is not whole: `{}` reads `{name}`, which is not there", node.name)),
        });
        found.collect()
    };
    nodes.iter().map(of).collect()
}

/// Which nodes depend on the input, or are needed by those that do.
fn relevant(sources: &[Vec<Source>], input: usize) -> Vec<bool> {
    let mut readers = vec![vec![]; sources.len()];
    for (node, inputs) in sources.iter().enumerate() {
        for &(from, _) in inputs {
            readers[from].push(node);
        }
    }
    let mut relevant = vec![false; sources.len()];
    let mut waiting = vec![input];
    while let Some(node) = waiting.pop() {
        if !std::mem::replace(&mut relevant[node], true) {
            waiting.extend(&readers[node]);
        }
    }
    waiting = (0..sources.len()).filter(|&node| relevant[node]).collect();
    while let Some(node) = waiting.pop() {
        for &(from, _) in &sources[node] {
            if !std::mem::replace(&mut relevant[from], true) {
                waiting.push(from);
            }
        }
    }
    relevant
}

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It does not depend on the image, or nobody has asked yet.
    Constant,
    /// It depends on the image.
    Layer,
    /// It is on a branch that is not taken.
    Dead,
    /// It cannot be expressed, or depends on one that cannot.
    Absent,
}

/// A graph on the way.
pub(super) struct Import {
    /// What the graph is made with.
    pub lift: Lift,
    /// What constants may still unfold to.
    pub budget: Budget,
    /// The outputs of each node so far; nothing where they are not there, or no longer needed.
    outputs: Vec<Option<Vec<Output>>>,
    /// How often each node is still read.
    readers: Vec<usize>,
    fate: Vec<Fate>,
    /// The layers that nodes turned out to be, by the names of those nodes.
    layers: Vec<(String, Value)>,
    /// Whether there are variables, whose values are elsewhere.
    has_variables: bool,
}

impl Import {
    fn new(lift: Lift, budget: Budget, sources: &[Vec<Source>]) -> Self {
        let mut readers = vec![0; sources.len()];
        for &(from, _) in sources.iter().flatten() {
            readers[from] += 1;
        }
        let outputs = sources.iter().map(|_| None).collect();
        let fate = vec![Fate::Constant; sources.len()];
        Self { lift, budget, outputs, readers, fate, layers: vec![], has_variables: false }
    }

    /// Makes the image what the input node is.
    fn feed(&mut self, input: &Input, name: &str, preprocessing: Option<&Preprocessing>) -> Result<(), String> {
        let image = self.lift.image(input.layout.into(), preprocessing).map_err(|error| error.to_string())?;
        let fed = match input.single {
            true => self.lift.squeeze(&image, &[0]).map_err(|cannot| cannot.reason)?,
            false => image,
        };
        self.layers.push((name.to_owned(), fed.clone()));
        self.outputs[input.node] = Some(vec![fed.into()]);
        Ok(())
    }

    /// Translates a node all of whose inputs have been translated.
    fn node(&mut self, place: usize, node: &mut NodeDef, sources: &[Source]) {
        let inputs = self.take_inputs(sources);
        if matches!(node.op.as_str(), "NoOp" | "Assert") {
            return;
        }
        let is_merge = matches!(node.op.as_str(), "Merge" | "RefMerge");
        let read = |i: &usize| !is_merge || matches!(inputs[*i], Some(Output::Value(_)));
        let read: Vec<usize> = (0..sources.len()).filter(read).collect();
        if read.iter().any(|&i| self.fate[sources[i].0] == Fate::Absent) || is_merge && read.is_empty() {
            self.fate[place] = Fate::Absent;
            self.lift.mark_behind([&*node.name].into_iter());
            return;
        }
        if read.iter().any(|&i| self.fate[sources[i].0] == Fate::Dead || matches!(inputs[i], Some(Output::Dead))) {
            self.fate[place] = Fate::Dead;
            return;
        }
        let inputs = read.into_iter().map(|i| inputs[i].clone()).collect::<Option<Vec<_>>>();
        let translated = match (inference(node), inputs) {
            (Some(value), _) => Ok(vec![Output::number(value)]),
            (None, Some(inputs)) => self.translate(node, &inputs),
            (None, None) => Err(cannot("it reads an output that its input does not have")),
        };
        match translated {
            Ok(outputs) => {
                if outputs.iter().any(|output| !matches!(output, Output::Value(Value::Constant(_)) | Output::Dead)) {
                    self.fate[place] = Fate::Layer;
                }
                for (i, output) in outputs.iter().enumerate() {
                    if let Output::Value(value @ Value::Layer(_)) = output {
                        let name = if i == 0 { node.name.clone() } else { format!("{}:{i}", node.name) };
                        self.layers.push((name, value.clone()));
                    }
                }
                self.outputs[place] = (self.readers[place] > 0).then_some(outputs);
            }
            Err(cannot) => {
                self.has_variables |= is_variable(&node.op);
                self.fate[place] = Fate::Absent;
                self.lift.mark_unsupported([&*node.name].into_iter(), &node.op, &cannot.reason);
            }
        }
    }

    /// What a node reads; whatever nobody reads after it is forgotten.
    fn take_inputs(&mut self, sources: &[Source]) -> Vec<Option<Output>> {
        let inputs = sources.iter().map(|&(from, output)| self.outputs[from].as_ref()?.get(output).cloned()).collect();
        for &(from, _) in sources {
            self.readers[from] -= 1;
            if self.readers[from] == 0 {
                self.outputs[from] = None;
            }
        }
        inputs
    }

    /// Takes note of a node that waits for itself, or for one that does.
    fn in_a_loop(&mut self, node: &NodeDef) {
        match node.op.as_str() {
            "Merge" | "Enter" | "RefMerge" | "RefEnter" => {
                self.lift.mark_unsupported([&*node.name].into_iter(), &node.op, "it is part of a loop");
            }
            _ => self.lift.mark_behind([&*node.name].into_iter()),
        }
    }

    /// The model, once all nodes are translated.
    fn finish(
        mut self,
        sha256: String,
        nodes: &[NodeDef],
        sources: &[Vec<Source>],
        input: usize,
        metadata: Option<Metadata>,
        about: Vec<(String, String)>,
    ) -> Result<Imported, Fault> {
        for (name, value) in &self.layers {
            self.lift.alias(name, value);
        }
        let names: HashSet<&str> = self.layers.iter().map(|(name, _)| &**name).collect();
        let is_there = |i: &usize| names.contains(&*nodes[*i].name);
        let mut is_read = vec![false; nodes.len()];
        for reader in (0..nodes.len()).filter(|&reader| self.fate[reader] == Fate::Layer) {
            for &(from, _) in &sources[reader] {
                is_read[from] = true;
            }
        }
        let layers = (0..nodes.len()).filter(|&i| i != input && is_there(&i));
        let outputs: Vec<usize> = layers.clone().filter(|&i| !is_read[i]).collect();
        if layers.count() == 0 {
            return Err(match self.has_variables {
                true => Fault::Unreadable(format!("the numbers of its variables are elsewhere; {HOW_TO_FREEZE}")),
                false => Fault::Unsupported(self.lift.unsupported().operations()),
            });
        }
        // One number for each class, and not for each position, as attention has them.
        let is_vector = |dims: Vec<usize>| dims.iter().filter(|&&size| size > 1).count() == 1;
        let vectors = self.layers.iter().filter(|(_, value)| is_vector(value.dims()));
        let vectors: HashSet<&str> = vectors.map(|(name, _)| &**name).collect();
        let softmax = (0..nodes.len()).rev().find(|&i| nodes[i].op == "Softmax" && vectors.contains(&*nodes[i].name));
        let name = |i: usize| nodes[i].name.clone();
        let logits = softmax.and_then(|i| Some(name(sources[i].first()?.0)));
        Ok(Imported {
            sha256,
            input: name(input),
            outputs: outputs.into_iter().map(name).collect(),
            probabilities: softmax.map(name),
            logits,
            about,
            metadata,
            graph: self.lift.finish(),
        })
    }
}

/// Whether an operation holds numbers that are not in the graph.
fn is_variable(op: &str) -> bool {
    matches!(op, "Variable" | "VariableV2" | "VarHandleOp" | "ReadVariableOp" | "RestoreV2")
}
