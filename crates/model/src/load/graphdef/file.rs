//! The nodes of a GraphDef file, read one by one so that the file is never in memory as a whole.

use std::{io::Read, path::Path};

use prost::{Message, bytes::Buf};

use super::message::{NodeDef, Versions};
use crate::load::{
    lift::MOST_NODES,
    protobuf::{Malformed, malformed, next_field},
    stream::Stream,
};

/// The nodes of a file have no more names, inputs and attributes together than this, several times what the largest networks
/// have: each takes more than a hundred bytes of memory, and can be as few as two of the file.
const MOST_PARTS: usize = 1 << 17;

/// What to do with a model whose weights are not in its graph.
pub const HOW_TO_FREEZE: &str = "freeze it first: in Python, `tf.compat.v1.graph_util.convert_variables_to_constants` \
                                 for TensorFlow 1, `convert_variables_to_constants_v2` of \
                                 `tensorflow.python.framework.convert_to_constants` for TensorFlow 2, and write what \
                                 `.SerializeToString()` gives";

/// What a file holds.
pub struct Contents {
    /// All nodes, in the file's order.
    pub nodes: Vec<NodeDef>,
    /// The file's SHA-256, in hexadecimal.
    pub sha256: String,
    /// How many bytes the file has.
    pub length: usize,
    /// The version of graphs that wrote it, which TensorFlow counts by itself.
    pub producer: Option<i32>,
}

/// Reads a file of `length` bytes.
pub fn read(reader: impl Read, length: u64) -> Result<Contents, String> {
    let mut stream = Stream::new(reader, length);
    if let Some(reason) = recognize(stream.chunk()) {
        return Err(reason);
    }
    let nodes = nodes(&mut stream);
    if let Some(error) = stream.failed() {
        return Err(error.kind().to_string());
    }
    let (nodes, producer) = nodes.map_err(|reason| format!("it is no TensorFlow graph that can be read ({reason})"))?;
    let sha256 = stream.finish().map_err(|error| error.kind().to_string())?;
    Ok(Contents { nodes, sha256, length: usize::try_from(length).unwrap_or(usize::MAX), producer })
}

/// The nodes of a graph, and the version that wrote it.
fn nodes(buf: &mut impl Buf) -> Result<(Vec<NodeDef>, Option<i32>), Malformed> {
    let mut nodes = Vec::new();
    let (mut parts, mut producer) = (0, None);
    while let Some(field) = next_field(buf, 0)? {
        match field.number {
            1 if field.is_part() => {
                let bytes = field.bytes(buf, usize::MAX)?;
                parts += 1 + count(&bytes)?;
                if parts > MOST_PARTS {
                    return Err(format!("it has more than {MOST_PARTS} parts"));
                }
                let node = NodeDef::decode(bytes).map_err(malformed)?;
                if node.name.is_empty() || node.op.is_empty() {
                    return Err("a node without name or operation".into());
                }
                if nodes.len() == MOST_NODES {
                    return Err(format!("it has more than {MOST_NODES} nodes"));
                }
                nodes.push(node);
            }
            4 if field.is_part() => {
                let bytes = field.bytes(buf, usize::MAX)?;
                producer = Versions::decode(bytes).ok().map(|versions| versions.producer);
            }
            _ => field.skip(buf)?,
        }
    }
    if nodes.is_empty() { Err("it has no nodes".into()) } else { Ok((nodes, producer)) }
}

/// How many fields a message has.
fn count(mut message: &[u8]) -> Result<usize, Malformed> {
    let mut fields = 0;
    while let Some(field) = next_field(&mut message, 0)? {
        field.skip(&mut message)?;
        fields += 1;
    }
    Ok(fields)
}

/// What is wrong with a path that is no file.
pub fn not_a_file(path: &Path) -> Option<String> {
    let saved_model = ["saved_model.pb", "saved_model.pbtxt"].iter().any(|name| path.join(name).is_file());
    match path.is_dir() {
        true if saved_model => Some(format!("it is a SavedModel, whose weights are not in its graph; {HOW_TO_FREEZE}")),
        true => Some("it is a folder".into()),
        false => None,
    }
}

/// What a file is that is no GraphDef, as its first bytes tell.
fn recognize(start: &[u8]) -> Option<String> {
    const OTHERS: [(usize, &[u8], &str); 6] = [
        (0, b"PK\x03\x04", "it is a zip file; unpack it and give the `.pb` file that is inside"),
        (0, b"\x1f\x8b", "it is compressed; unpack it and give the `.pb` file that is inside"),
        (0, b"\x89HDF", "it is an HDF5 file (Keras weights), not a frozen graph"),
        (4, b"TFL3", "it is a TensorFlow Lite file, not a frozen graph"),
        (0, b"{", "it is JSON, not a frozen graph"),
        (0, b"version https://git-lfs", "it is a pointer of Git LFS; fetch the file that it stands for"),
    ];
    if start.is_empty() {
        return Some("it is empty".into());
    }
    if start.starts_with(&[0x08, 0x01, 0x12]) {
        return Some(format!("it is a SavedModel, whose weights are not in its graph; {HOW_TO_FREEZE}"));
    }
    let word = start.trim_ascii_start();
    if [&b"node"[..], b"versions", b"library", b"saved_model", b"meta_graphs"].iter().any(|text| word.starts_with(text))
    {
        return Some("it is a graph as text (pbtxt); write it as bytes, with `.SerializeToString()` in Python".into());
    }
    let is = |&&(at, bytes, _): &&(usize, &[u8], &str)| start.get(at..).is_some_and(|rest| rest.starts_with(bytes));
    OTHERS.iter().find(is).map(|(_, _, reason)| (*reason).to_owned())
}
