//! An ONNX file, walked field by field.
//!
//! Weights are taken out tensor by tensor; nodes stay the bytes they are until they are needed. So what is in memory is the
//! weights, one tensor more, and the rest of the file about as long as it is.

use std::{collections::HashMap, ops::Range};

use prost::{
    DecodeError, Message,
    bytes::{Buf, Bytes},
    encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field},
};

use super::{
    message::{Node, OperatorSet, Tensor, ValueInfo},
    tensor::{Held, hold},
};
use crate::load::lift::MOST_NODES;

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

/// What is wrong with a file's bytes.
pub(super) type Malformed = String;

fn malformed(error: DecodeError) -> Malformed {
    format!("not a whole ONNX file ({error})")
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
        if loose(bytes, NODE).is_none_or(|length| length > LONGEST_MESSAGE) {
            return Err(format!("node {i} is far too long"));
        }
        Node::decode(bytes).map_err(malformed)
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
fn loose(mut bytes: &[u8], way: &[&[u32]]) -> Option<usize> {
    let [fields, rest @ ..] = way else { return Some(0) };
    let mut length = 0usize;
    while !bytes.is_empty() {
        let before = bytes.len();
        let (tag, wire_type) = decode_key(&mut bytes).ok()?;
        if wire_type == WireType::LengthDelimited && fields.contains(&tag) {
            let inside = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
            length += before - bytes.len();
            let (inner, after) = bytes.split_at_checked(inside)?;
            length += loose(inner, rest)?;
            bytes = after;
        } else {
            skip_field(wire_type, tag, &mut bytes, DecodeContext::default()).ok()?;
            length += before - bytes.len();
        }
    }
    Some(length)
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

/// A field's key, and how many bytes are left behind it.
struct Field {
    tag: u32,
    wire_type: WireType,
    end: usize,
}

/// The next field before `end`; of fields that are messages or bytes, `Field::end` is where they end.
fn next_field(buf: &mut impl Buf, end: usize) -> Result<Option<Field>, Malformed> {
    if buf.remaining() <= end {
        return if buf.remaining() == end {
            Ok(None)
        } else {
            Err("not a whole ONNX file (a part is too long)".into())
        };
    }
    let (tag, wire_type) = decode_key(buf).map_err(malformed)?;
    let mut field = Field { tag, wire_type, end };
    if wire_type == WireType::LengthDelimited {
        let length = decode_varint(buf).map_err(malformed)?;
        let left = buf.remaining().checked_sub(end);
        field.end = usize::try_from(length)
            .ok()
            .filter(|&length| left.is_some_and(|left| length <= left))
            .map(|length| buf.remaining() - length)
            .ok_or_else(|| format!("not a whole ONNX file (a part of {length} bytes has no room)"))?;
    } else if wire_type != WireType::Varint {
        skip_field(wire_type, tag, buf, DecodeContext::default()).map_err(malformed)?;
        field.tag = 0;
    }
    Ok(Some(field))
}

impl Field {
    fn skip(&self, buf: &mut impl Buf) -> Result<(), Malformed> {
        match self.wire_type {
            WireType::LengthDelimited => buf.advance(buf.remaining() - self.end),
            WireType::Varint => drop(decode_varint(buf).map_err(malformed)?),
            _ => {}
        }
        Ok(())
    }

    fn is_message(&self) -> bool {
        self.wire_type == WireType::LengthDelimited
    }

    fn bytes(&self, buf: &mut impl Buf, longest: usize) -> Result<Bytes, Malformed> {
        let length = buf.remaining() - self.end;
        match length <= longest {
            true => Ok(buf.copy_to_bytes(length)),
            false => Err(format!("a message of {length} bytes is far too long")),
        }
    }

    fn text(&self, buf: &mut impl Buf) -> Result<String, Malformed> {
        let bytes = self.bytes(buf, LONGEST_MESSAGE)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| "a name is not UTF-8".to_owned())
    }

    fn message<M: Message + Default>(&self, buf: &mut impl Buf) -> Result<M, Malformed> {
        M::decode(self.bytes(buf, LONGEST_MESSAGE)?).map_err(malformed)
    }
}

impl Document {
    /// Reads a whole file.
    pub fn read(buf: &mut impl Buf) -> Result<Self, Malformed> {
        let mut document = Self::default();
        while let Some(field) = next_field(buf, 0)? {
            match field.tag {
                1 if field.wire_type == WireType::Varint => {
                    document.ir_version = decode_varint(buf).map_err(malformed)? as i64;
                }
                tag @ (2 | 3) if field.is_message() => document.producer[tag as usize - 2] = field.text(buf)?,
                7 if field.is_message() => document.read_graph(buf, field.end)?,
                8 if field.is_message() => read_opset(&mut document.opsets, &field, buf)?,
                25 if field.is_message() => {
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
            match field.tag {
                1 if field.is_message() => {
                    let bytes = field.bytes(buf, usize::MAX)?;
                    self.nodes.push(bytes)?;
                }
                5 if field.is_message() => {
                    has_room(&self.initializers, MOST_TENSORS, "tensors")?;
                    let mut tensor = read_tensor(buf, field.end)?;
                    self.initializers.push((std::mem::take(&mut tensor.name), hold(tensor)));
                }
                11 if field.is_message() => {
                    has_room(&self.inputs, MOST_TENSORS, "inputs")?;
                    self.inputs.push(field.message(buf)?);
                }
                12 if field.is_message() => {
                    has_room(&self.outputs, MOST_OTHERS, "outputs")?;
                    self.outputs.push(field.message(buf)?);
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
        let length = decode_varint(buf).map_err(malformed)?;
        let left = buf.remaining().saturating_sub(end) as u64;
        // Real numbers are as long in memory as in the file; a list of sizes or names can be ten times as long.
        let longest = if matches!(tag, 4 | 9 | 10) { left } else { left.min(LONGEST_LIST) };
        if length > longest {
            return Err(format!("not a whole ONNX file (a part of {length} bytes has no room)"));
        }
        if tag == 9 {
            tensor.raw_data = buf.copy_to_bytes(length as usize);
            continue;
        }
        let mut field = Vec::new();
        encode_key(tag, wire_type, &mut field);
        encode_varint(length, &mut field);
        tensor.merge((&field[..]).chain(buf.take(length as usize))).map_err(malformed)?;
    }
    if buf.remaining() != end {
        return Err("not a whole ONNX file (a tensor is too long)".into());
    }
    Ok(tensor)
}

fn read_opset(opsets: &mut HashMap<String, i64>, field: &Field, buf: &mut impl Buf) -> Result<(), Malformed> {
    let OperatorSet { domain, version } = field.message(buf)?;
    let domain = if domain == "ai.onnx" { String::new() } else { domain };
    opsets.insert(domain, version);
    Ok(())
}

impl Function {
    fn read(buf: &mut impl Buf, end: usize) -> Result<Self, Malformed> {
        let mut function = Self::default();
        while let Some(field) = next_field(buf, end)? {
            match field.tag {
                1 if field.is_message() => function.name = field.text(buf)?,
                tag @ (4 | 5) if field.is_message() => {
                    let names = if tag == 4 { &mut function.inputs } else { &mut function.outputs };
                    has_room(names, MOST_OTHERS, "inputs of a function")?;
                    names.push(field.text(buf)?);
                }
                7 if field.is_message() => {
                    let bytes = field.bytes(buf, usize::MAX)?;
                    function.nodes.push(bytes)?;
                }
                9 if field.is_message() => read_opset(&mut function.opsets, &field, buf)?,
                10 if field.is_message() => function.domain = field.text(buf)?,
                _ => field.skip(buf)?,
            }
        }
        Ok(function)
    }
}
