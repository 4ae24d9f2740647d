//! ONNX files: a network with its weights, as most frameworks export it.
//!
//! Of the operations of `ai.onnx`, versions 7 to 21, those are known that classifiers and image towers are exported to. The
//! size of a file's images is a default only, wherever its graph allows others.
//!
//! # Reference
//! [ONNX](https://onnx.ai/onnx/operators/), its operators.

mod call;
mod document;
mod message;
mod operations;
mod tensor;

use std::{
    collections::HashMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

pub use super::Options;
use super::{
    Imported,
    lift::{Cannot, Layout, Lift, MOST_NODES, Value, cannot},
    protobuf::Malformed,
    stream::Stream,
};
use crate::Error;
use call::Call;
use document::{Document, Function, Nodes};
use message::{Attribute, Node, ValueInfo};
use tensor::Held;

/// The size of images where nobody says.
const DEFAULT_SIZE: usize = 224;

/// A graph has no more names than this.
const MOST_NAMES: usize = 1 << 16;

/// Functions may call functions this deep.
const DEEPEST: usize = 16;

/// Reads a file.
///
/// # Errors
/// [`Error::Unreadable`] if it is no ONNX file or has no image as input; [`Error::UnsupportedModel`] if none of its layers
/// can be computed. Where some cannot, the graph has the others: [`crate::graph::Graph::unsupported`].
pub fn open(path: &Path, options: &Options) -> Result<Imported, Error> {
    let unreadable = |error: std::io::Error| wrong(path, error.kind().to_string());
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(wrong(path, "it is no file".into()));
    }
    read(file, metadata.len(), path, path.parent(), options)
}

/// Reads a file that is in memory, `name` standing for its path in messages; it has no weights in other files.
///
/// # Errors
/// As [`open`].
pub fn from_bytes(name: &str, bytes: &[u8], options: &Options) -> Result<Imported, Error> {
    read(bytes, bytes.len() as u64, Path::new(name), None, options)
}

fn wrong(path: &Path, reason: String) -> Error {
    Error::Unreadable { path: path.to_owned(), reason }
}

fn read(
    reader: impl Read,
    length: u64,
    path: &Path,
    folder: Option<&Path>,
    options: &Options,
) -> Result<Imported, Error> {
    let mut stream = Stream::new(reader, length);
    let document = Document::read(&mut stream);
    if let Some(error) = stream.failed() {
        return Err(wrong(path, error.kind().to_string()));
    }
    let document = document.map_err(|reason| wrong(path, format!("not a usable ONNX file ({reason})")))?;
    let sha256 = stream.finish().map_err(|error| wrong(path, error.kind().to_string()))?;
    import(document, length, folder, options).map(|imported| Imported { sha256, ..imported }).map_err(|fault| {
        match fault {
            Fault::Malformed(reason) => wrong(path, reason),
            Fault::Unsupported(operations) => Error::UnsupportedModel { path: path.to_owned(), operations },
        }
    })
}

/// What is wrong with a whole file.
enum Fault {
    Malformed(String),
    Unsupported(Vec<crate::graph::UnsupportedOperation>),
}

impl From<Malformed> for Fault {
    fn from(reason: Malformed) -> Self {
        Self::Malformed(reason)
    }
}

impl From<Cannot> for Fault {
    fn from(cannot: Cannot) -> Self {
        Self::Malformed(cannot.reason)
    }
}

/// A name's value, and how many inputs of nodes still want it.
struct Slot {
    content: Content,
    wanted: usize,
}

enum Content {
    Held(Held),
    Value(Value),
    /// It depends on something that cannot be computed, or nobody wants it any more.
    Missing,
    /// Nothing has made it so far.
    Unknown,
}

/// The values of a graph or function by name.
type Scope = HashMap<String, Slot>;

/// Reads nodes in order.
struct Importer<'a> {
    lift: Lift,
    folder: Option<&'a Path>,
    functions: HashMap<(String, String), &'a Function>,
    opset: i64,
    /// How many more nodes functions may unfold to.
    nodes_left: usize,
    /// How many more bytes may be read of other files.
    beside_left: u64,
}

fn import(document: Document, length: u64, folder: Option<&Path>, options: &Options) -> Result<Imported, Fault> {
    lift(document, length, folder, options).map(|(imported, _)| imported)
}

/// The network, and the values of its graph.
fn lift(
    mut document: Document,
    length: u64,
    folder: Option<&Path>,
    options: &Options,
) -> Result<(Imported, Scope), Fault> {
    let opset = document.opsets.get("").copied().unwrap_or(1);
    let initializers = std::mem::take(&mut document.initializers);
    let (input, others) = image_of(&document.inputs, &initializers)?;
    let image = Image::of(input, &document, &initializers, options)?;
    let beside = bytes_beside(&initializers, folder);
    let numbers = numbers_of(&initializers, length, beside);
    let mut lift = Lift::new(image.channels, image.size, numbers)?;
    if options.preprocessing.is_some() && image.channels != 3 {
        return Err(format!("its images have {} channels, which have no preprocessing", image.channels).into());
    }
    let value = lift.image(image.layout, options.preprocessing.as_ref()).map_err(|error| error.to_string())?;
    lift.alias(&input.name, &value);
    let mut scope = Scope::new();
    for (name, held) in initializers {
        scope.insert(name, Slot { content: Content::Held(held), wanted: 0 });
    }
    for name in others {
        scope.insert(name.clone(), Slot { content: Content::Missing, wanted: 0 });
    }
    scope.insert(input.name.clone(), Slot { content: Content::Value(value), wanted: 0 });
    let functions = document.functions.iter().map(|f| ((f.domain.clone(), f.name.clone()), f)).collect();
    let nodes_left = usize::try_from(length / 4).unwrap_or(usize::MAX).min(MOST_NODES);
    let mut importer = Importer { lift, folder, functions, opset, nodes_left, beside_left: beside };
    importer.run(&document.nodes, &mut scope, Place { prefix: "", given: &HashMap::new(), depth: 0 })?;
    if !importer.lift.has_layers() && !importer.lift.unsupported().is_empty() {
        return Err(Fault::Unsupported(importer.lift.unsupported().operations()));
    }
    let outputs: Vec<String> = document.outputs.iter().map(|output| output.name.clone()).collect();
    let ends: Vec<&Value> = outputs.iter().filter_map(|name| scope.get(name).and_then(Slot::value)).collect();
    let (probabilities, logits) = importer.lift.ends(&ends);
    let [producer, version] = &document.producer;
    let about = vec![
        ("ONNX operators".to_owned(), opset.to_string()),
        ("ONNX format".to_owned(), document.ir_version.to_string()),
        ("written by".to_owned(), format!("{producer} {version}").trim().to_owned()),
    ];
    let graph = importer.lift.finish();
    let input = input.name.clone();
    Ok((Imported { graph, sha256: String::new(), input, outputs, probabilities, logits, about, metadata: None }, scope))
}

/// How many numbers a file of `length` bytes holds, with `beside` bytes in other files.
fn numbers_of(initializers: &[(String, Held)], length: u64, beside: u64) -> usize {
    let (mut here, mut there, mut bytes_there) = (0u64, 0u64, 0u64);
    for (_, held) in initializers {
        match held {
            Held::Ready(constant) => here += constant.len() as u64,
            Held::External(external) => {
                there = there.saturating_add(external.count() as u64);
                bytes_there = bytes_there.saturating_add(external.bytes());
            }
            Held::Packed(_) | Held::Unusable(_) => {}
        }
    }
    let there = if bytes_there <= beside { there } else { beside / 4 };
    usize::try_from(here.max(length / 4).saturating_add(there)).unwrap_or(usize::MAX)
}

/// How many bytes there are in the files that hold weights beside this one, each file once.
fn bytes_beside(initializers: &[(String, Held)], folder: Option<&Path>) -> u64 {
    let mut files: HashMap<PathBuf, u64> = HashMap::new();
    for (_, held) in initializers {
        if let Held::External(external) = held
            && let Ok(path) = external.path(folder)
        {
            files.entry(path).or_insert_with_key(|path| path.metadata().map_or(0, |metadata| metadata.len()));
        }
    }
    files.values().fold(0, |sum: u64, &length| sum.saturating_add(length))
}

fn dims_of(info: &ValueInfo) -> Option<Vec<i64>> {
    let shape = info.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?;
    Some(shape.dim.iter().map(|dim| dim.dim_value).collect())
}

/// The input that is an image, and the names of the others.
fn image_of<'a>(
    inputs: &'a [ValueInfo],
    initializers: &[(String, Held)],
) -> Result<(&'a ValueInfo, Vec<&'a String>), Fault> {
    // Old files list their weights among the inputs.
    let weights: std::collections::HashSet<&str> = initializers.iter().map(|(name, _)| name.as_str()).collect();
    let inputs: Vec<&ValueInfo> = inputs.iter().filter(|input| !weights.contains(input.name.as_str())).collect();
    let rank = |input: &ValueInfo| dims_of(input).map(|dims| dims.len());
    let images: Vec<&ValueInfo> = inputs.iter().copied().filter(|input| rank(input) == Some(4)).collect();
    let image = match (&images[..], &inputs[..]) {
        (&[image], _) => image,
        ([], &[only]) if rank(only).is_none() => only,
        _ => {
            let list = inputs.iter().take(16).map(|input| match dims_of(input) {
                Some(dims) => format!("`{}` {dims:?}", input.name),
                None => format!("`{}`", input.name),
            });
            let list = list.collect::<Vec<_>>().join(", ");
            return Err(format!("it wants one image, an input of four axes; its inputs are {list}").into());
        }
    };
    let others = inputs.into_iter().filter(|input| !std::ptr::eq(*input, image)).map(|input| &input.name).collect();
    Ok((image, others))
}

/// What the images are like.
struct Image {
    layout: Layout,
    channels: usize,
    size: [usize; 2],
}

impl Image {
    fn of(
        input: &ValueInfo,
        document: &Document,
        initializers: &[(String, Held)],
        options: &Options,
    ) -> Result<Self, Fault> {
        let dims = dims_of(input).unwrap_or_else(|| vec![0; 4]);
        let size_at = |axis: usize| usize::try_from(dims[axis]).ok().filter(|&size| size > 0);
        let is_color = |axis: usize| matches!(dims[axis], 1 | 3 | 4);
        let layout = if is_color(3) && !is_color(1) && dims[1] != 0 { Layout::Nhwc } else { Layout::Nchw };
        let [channels, rows, columns] = layout.axes();
        let channels = match size_at(channels) {
            Some(channels) => channels,
            None => first_kernel(input, document, initializers)?.unwrap_or(3),
        };
        let size = options.size.unwrap_or([rows, columns].map(|axis| size_at(axis).unwrap_or(DEFAULT_SIZE)));
        Ok(Self { layout, channels, size })
    }
}

/// How many channels the first convolution reads of the image.
fn first_kernel(
    input: &ValueInfo,
    document: &Document,
    initializers: &[(String, Held)],
) -> Result<Option<usize>, Fault> {
    for i in 0..document.nodes.len() {
        let node = document.nodes.get(i)?;
        if let ("Conv", [x, kernel, ..]) = (node.op_type.as_str(), &node.input[..])
            && *x == input.name
        {
            let held = initializers.iter().find(|(name, _)| name == kernel).map(|(_, held)| held);
            return Ok(held.and_then(Held::dims).and_then(|dims| dims.get(1).copied()));
        }
    }
    Ok(None)
}

impl Slot {
    fn value(&self) -> Option<&Value> {
        match &self.content {
            Content::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// Where nodes are: in the graph, or in a function that a node called.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// What the names of layers start with.
    prefix: &'a str,
    /// The attributes that the function was called with.
    given: &'a HashMap<String, Attribute>,
    depth: usize,
}

impl Place<'_> {
    fn name(&self, name: &str) -> String {
        if name.is_empty() { String::new() } else { format!("{}{name}", self.prefix) }
    }
}

impl<'a> Importer<'a> {
    /// Reads nodes in order.
    fn run(&mut self, nodes: &Nodes, scope: &mut Scope, place: Place) -> Result<(), Cannot> {
        let get = |i: usize| nodes.get(i).map_err(cannot);
        for i in 0..nodes.len() {
            for name in get(i)?.input {
                scope.entry(name).or_insert(Slot { content: Content::Unknown, wanted: 0 }).wanted += 1;
            }
            if scope.len() > MOST_NAMES {
                return Err(cannot(format!("it has more than {MOST_NAMES} names")));
            }
        }
        for i in 0..nodes.len() {
            let node = get(i)?;
            self.node(&node, scope, place);
            // Numbers go when the last node has read them.
            for name in &node.input {
                if let Some(slot) = scope.get_mut(name) {
                    slot.wanted = slot.wanted.saturating_sub(1);
                    if slot.wanted == 0 && !matches!(slot.content, Content::Value(Value::Layer(_))) {
                        slot.content = Content::Missing;
                    }
                }
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, scope: &mut Scope, place: Place) {
        let names: Vec<String> = node.output.iter().chain([&node.name]).map(|name| place.name(name)).collect();
        let outputs = match self.inputs(node, scope) {
            Ok(None) => {
                self.lift.mark_behind(names.iter().map(String::as_str));
                vec![]
            }
            Ok(Some(inputs)) => self.apply(node, inputs, place).unwrap_or_else(|cannot| {
                self.mark(node, &names, &cannot);
                vec![]
            }),
            Err(cannot) => {
                self.mark(node, &names, &cannot);
                vec![]
            }
        };
        for (i, name) in node.output.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            let content = match outputs.get(i) {
                Some(Some(value)) => {
                    if i == 0 {
                        self.lift.alias(&place.name(&node.name), value);
                    }
                    self.lift.alias(&place.name(name), value);
                    Content::Value(value.clone())
                }
                missing => {
                    if missing.is_some() {
                        self.lift.mark_behind([place.name(name).as_str()].into_iter());
                    }
                    Content::Missing
                }
            };
            scope.entry(name.clone()).or_insert(Slot { content: Content::Unknown, wanted: 0 }).content = content;
        }
    }

    fn mark(&mut self, node: &Node, names: &[String], cannot: &Cannot) {
        let kind = match node.domain.as_str() {
            "" | "ai.onnx" => node.op_type.clone(),
            domain => format!("{domain}.{}", node.op_type),
        };
        self.lift.mark_unsupported(names.iter().map(String::as_str), &kind, &cannot.reason);
    }

    /// What a node reads; nothing if some of it cannot be computed.
    fn inputs(&mut self, node: &Node, scope: &mut Scope) -> Result<Option<Vec<Option<Value>>>, Cannot> {
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            if name.is_empty() {
                inputs.push(None);
                continue;
            }
            let slot = scope.get_mut(name).ok_or_else(|| cannot(format!("nothing computes its input `{name}`")))?;
            let constant = match &slot.content {
                Content::Value(value) => {
                    inputs.push(Some(value.clone()));
                    continue;
                }
                Content::Missing => return Ok(None),
                Content::Unknown => return Err(cannot(format!("nothing before it computes its input `{name}`"))),
                Content::Held(Held::Ready(constant)) => constant.clone(),
                Content::Held(Held::Packed(packed)) => {
                    self.lift.spend(packed.count().saturating_mul(2))?;
                    packed.read()?
                }
                Content::Held(Held::External(external)) => {
                    let file = external.open(self.folder)?;
                    self.beside_left = self
                        .beside_left
                        .checked_sub(external.bytes())
                        .ok_or_else(|| cannot("its weights are more than the files beside it hold"))?;
                    external.read(file)?
                }
                Content::Held(Held::Unusable(why)) => return Err(cannot(format!("`{name}`: {}", why.reason))),
            };
            slot.content = Content::Value(Value::Constant(constant.clone()));
            inputs.push(Some(Value::Constant(constant)));
        }
        Ok(Some(inputs))
    }

    fn apply(&mut self, node: &Node, inputs: Vec<Option<Value>>, place: Place) -> Result<Vec<Option<Value>>, Cannot> {
        let key = (node.domain.clone(), node.op_type.clone());
        if let Some(&function) = self.functions.get(&key) {
            return self.inline(function, node, inputs, place);
        }
        // Where a node has no name of its own, its output has one.
        let is_free = !node.name.is_empty() && !self.lift.is_taken(&place.name(&node.name));
        let name = match &node.output[..] {
            [_] | [] if is_free => &node.name,
            [first, ..] => first,
            [] => "",
        };
        let call = Call::new(place.prefix, name, node, inputs, place.given, self.opset);
        operations::apply(&mut self.lift, &call)
    }

    /// The nodes of a function that a node calls.
    fn inline(
        &mut self,
        function: &'a Function,
        node: &Node,
        inputs: Vec<Option<Value>>,
        place: Place,
    ) -> Result<Vec<Option<Value>>, Cannot> {
        let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
        let prefix = format!("{}/", place.name(name.map_or("", String::as_str)));
        let cost = function.nodes.len().saturating_mul(1 + prefix.len() / 16);
        self.nodes_left = self
            .nodes_left
            .checked_sub(cost)
            .filter(|_| place.depth < DEEPEST)
            .ok_or_else(|| cannot("its functions unfold to far more nodes than the file has"))?;
        let given: HashMap<String, Attribute> =
            node.attribute.iter().map(|attribute| (attribute.name.clone(), attribute.clone())).collect();
        let mut scope = Scope::new();
        for (name, value) in function.inputs.iter().zip(inputs) {
            let content = value.map_or(Content::Missing, Content::Value);
            scope.insert(name.clone(), Slot { content, wanted: 0 });
        }
        for name in &function.outputs {
            scope.entry(name.clone()).or_insert(Slot { content: Content::Unknown, wanted: 0 }).wanted += 1;
        }
        let outer = self.opset;
        self.opset = function.opsets.get("").copied().unwrap_or(outer);
        let place = Place { prefix: &prefix, given: &given, depth: place.depth + 1 };
        let result = self.run(&function.nodes, &mut scope, place);
        self.opset = outer;
        result?;
        Ok(function.outputs.iter().map(|name| scope.get(name).and_then(Slot::value).cloned()).collect())
    }
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
