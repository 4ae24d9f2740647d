//! An ONNX file, walked field by field.
//!
//! Weights are taken out tensor by tensor; nodes stay the bytes they are until they are needed. So what is in memory is the
//! weights, one tensor more, and the rest of the file about as long as it is.

use std::{collections::HashMap, ops::Range};

use prost::{
    Message,
    bytes::{Buf, Bytes},
    encoding::{DecodeContext, WireType, decode_key, encode_key, encode_varint},
};

use super::{
    message::{Node, OperatorSet, Tensor, ValueInfo},
    tensor::{Held, hold},
};
use crate::load::{
    lift::MOST_NODES,
    protobuf::{Field, Malformed, end_of_part, malformed, next_field},
};

/// A message of no numbers, such as a node, is not longer than this.
const LONGEST_MESSAGE: usize = 1 << 16;

/// A list of whole numbers is not longer than this, in bytes.
const LONGEST_LIST: u64 = 1 << 24;

/// A file has no more tensors, inputs and functions than these, and no more nodes than a graph, several times what the
/// largest networks have: each takes hundreds of bytes of memory, and can be as few as ten of the file.
const MOST_TENSORS: usize = 1 << 15;
const MOST_OTHERS: usize = 1 << 13;

fn has_room<T>(list: &[T], most: usize, what: &str) -> Result<(), Malformed> {
    if list.len() < most { Ok(()) } else { Err(format!("it has more than {most} {what}")) }
}

/// Nodes as the bytes they are.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    bytes: Vec<u8>,
    spans: Vec<Range<usize>>,
}

impl Nodes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// One of them.
    pub fn get(&self, i: usize) -> Result<Node, Malformed> {
        let bytes = &self.bytes[self.spans[i].clone()];
        let length = loose(bytes, NODE).map_err(|reason| format!("node {i} is damaged ({reason})"))?;
        if length > LONGEST_MESSAGE {
            return Err(format!("node {i} is far too long"));
        }
        Node::decode(bytes).map_err(|error| format!("node {i} is damaged ({error})"))
    }

    fn push(&mut self, bytes: Bytes) -> Result<(), Malformed> {
        // No node is shorter: it has an operation and an output.
        if bytes.len() < 4 {
            return Err(format!("node {} is empty", self.len()));
        }
        has_room(&self.spans, MOST_NODES, "nodes")?;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&bytes);
        self.spans.push(start..self.bytes.len());
        Ok(())
    }
}

/// The way from a node to its numbers: attributes, tensors, and the fields of a tensor that are as long in memory.
const NODE: &[&[u32]] = &[&[5], &[5], &[4, 9]];

/// How many bytes of a message are not numbers: those numbers are as long in memory, all else can be much longer.
fn loose(mut bytes: &[u8], way: &[&[u32]]) -> Result<usize, Malformed> {
    let [fields, rest @ ..] = way else { return Ok(0) };
    let mut length = bytes.len();
    while let Some(field) = next_field(&mut bytes, 0)? {
        if field.is_part() && fields.contains(&field.number) {
            let (inner, after) = bytes.split_at(bytes.len() - field.end);
            length -= inner.len() - loose(inner, rest)?;
            bytes = after;
        } else {
            field.skip(&mut bytes)?;
        }
    }
    Ok(length)
}

/// A function that nodes can call, `FunctionProto`.
#[derive(Debug, Default)]
pub(super) struct Function {
    pub name: String,
    pub domain: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub nodes: Nodes,
    pub opsets: HashMap<String, i64>,
}

/// An ONNX file: `ModelProto` and its `GraphProto`.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub ir_version: i64,
    pub producer: [String; 2],
    pub opsets: HashMap<String, i64>,
    pub nodes: Nodes,
    pub initializers: Vec<(String, Held)>,
    pub inputs: Vec<ValueInfo>,
    pub outputs: Vec<ValueInfo>,
    pub functions: Vec<Function>,
}

impl Document {
    /// Reads a whole file.
    pub fn read(buf: &mut impl Buf) -> Result<Self, Malformed> {
        let mut document = Self::default();
        while let Some(field) = next_field(buf, 0)? {
            match field.number {
                1 if field.is_number() => document.ir_version = field.varint(buf)? as i64,
                tag @ (2 | 3) if field.is_part() => {
                    document.producer[tag as usize - 2] = field.text(buf, LONGEST_MESSAGE)?
                }
                7 if field.is_part() => document.read_graph(buf, field.end)?,
                8 if field.is_part() => read_opset(&mut document.opsets, &field, buf)?,
                25 if field.is_part() => {
                    has_room(&document.functions, MOST_OTHERS, "functions")?;
                    let function = Function::read(buf, field.end)?;
                    document.functions.push(function);
                }
                _ => field.skip(buf)?,
            }
        }
        Ok(document)
    }

    fn read_graph(&mut self, buf: &mut impl Buf, end: usize) -> Result<(), Malformed> {
        while let Some(field) = next_field(buf, end)? {
            match field.number {
                1 if field.is_part() => {
                    let bytes = field.bytes(buf, usize::MAX)?;
                    self.nodes.push(bytes)?;
                }
                5 if field.is_part() => {
                    has_room(&self.initializers, MOST_TENSORS, "tensors")?;
                    let mut tensor = read_tensor(buf, field.end)?;
                    self.initializers.push((std::mem::take(&mut tensor.name), hold(tensor)));
                }
                11 if field.is_part() => {
                    has_room(&self.inputs, MOST_TENSORS, "inputs")?;
                    self.inputs.push(field.message(buf, LONGEST_MESSAGE)?);
                }
                12 if field.is_part() => {
                    has_room(&self.outputs, MOST_OTHERS, "outputs")?;
                    self.outputs.push(field.message(buf, LONGEST_MESSAGE)?);
                }
                _ => field.skip(buf)?,
            }
        }
        Ok(())
    }
}

/// A tensor, its numbers read straight into place.
fn read_tensor(buf: &mut impl Buf, end: usize) -> Result<Tensor, Malformed> {
    let mut tensor = Tensor::default();
    while buf.remaining() > end {
        let (tag, wire_type) = decode_key(buf).map_err(malformed)?;
        if wire_type != WireType::LengthDelimited {
            tensor.merge_field(tag, wire_type, buf, DecodeContext::default()).map_err(malformed)?;
            continue;
        }
        // Real numbers are as long in memory as in the file; a list of sizes or names can be ten times as long.
        let longest = if matches!(tag, 4 | 9 | 10) { u64::MAX } else { LONGEST_LIST };
        let end = end_of_part(buf, end, longest)?;
        let length = buf.remaining() - end;
        if tag == 9 {
            tensor.raw_data = buf.copy_to_bytes(length);
            continue;
        }
        let mut field = Vec::new();
        encode_key(tag, wire_type, &mut field);
        encode_varint(length as u64, &mut field);
        tensor.merge((&field[..]).chain(buf.take(length))).map_err(malformed)?;
    }
    if buf.remaining() != end {
        return Err("a tensor is longer than what it is part of".into());
    }
    Ok(tensor)
}

fn read_opset(opsets: &mut HashMap<String, i64>, field: &Field, buf: &mut impl Buf) -> Result<(), Malformed> {
    let OperatorSet { domain, version } = field.message(buf, LONGEST_MESSAGE)?;
    let domain = if domain == "ai.onnx" { String::new() } else { domain };
    opsets.insert(domain, version);
    Ok(())
}

impl Function {
    fn read(buf: &mut impl Buf, end: usize) -> Result<Self, Malformed> {
        let mut function = Self::default();
        while let Some(field) = next_field(buf, end)? {
            match field.number {
                1 if field.is_part() => function.name = field.text(buf, LONGEST_MESSAGE)?,
                tag @ (4 | 5) if field.is_part() => {
                    let names = if tag == 4 { &mut function.inputs } else { &mut function.outputs };
                    has_room(names, MOST_OTHERS, "inputs of a function")?;
                    names.push(field.text(buf, LONGEST_MESSAGE)?);
                }
                7 if field.is_part() => {
                    let bytes = field.bytes(buf, usize::MAX)?;
                    function.nodes.push(bytes)?;
                }
                9 if field.is_part() => read_opset(&mut function.opsets, &field, buf)?,
                10 if field.is_part() => function.domain = field.text(buf, LONGEST_MESSAGE)?,
                _ => field.skip(buf)?,
            }
        }
        Ok(function)
    }
}
