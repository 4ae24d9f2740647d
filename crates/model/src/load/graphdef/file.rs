//! The nodes of a GraphDef file, read one by one so that the file is never in memory as a whole.

use std::{
    io::{self, BufRead, Read},
    path::Path,
};

use prost::{Message, bytes::Bytes};

use super::message::{NodeDef, Versions};
use crate::load::{checksum::Hashing, lift::MOST_NODES};

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
pub fn read(mut reader: impl BufRead, length: u64) -> Result<Contents, String> {
    let start = reader.fill_buf().map_err(|error| error.to_string())?;
    if let Some(reason) = recognize(start) {
        return Err(reason);
    }
    let mut reader = Limited { reader: Hashing::new(reader), left: length };
    let mut nodes = Vec::new();
    let (mut parts, mut producer) = (0, None);
    while let Some(field) = next(&mut reader).map_err(cut_short)? {
        let length = match (field.number, field.payload) {
            (1 | 4, Payload::Bytes(length)) => length,
            _ => {
                skip(&mut reader, field).map_err(cut_short)?;
                continue;
            }
        };
        let bytes = take(&mut reader, length).map_err(cut_short)?;
        if field.number == 4 {
            producer = Versions::decode(&bytes[..]).ok().map(|versions| versions.producer);
            continue;
        }
        parts += 1 + count(&bytes).map_err(|error| no_graph(&error))?;
        if parts > MOST_PARTS {
            return Err(format!("its graph has more than {MOST_PARTS} parts"));
        }
        let node = NodeDef::decode(Bytes::from(bytes)).map_err(|error| no_graph(&error))?;
        if node.name.is_empty() || node.op.is_empty() {
            return Err(no_graph(&"a node without name or operation"));
        }
        if nodes.len() == MOST_NODES {
            return Err(format!("its graph has more than {MOST_NODES} nodes"));
        }
        nodes.push(node);
    }
    match nodes.is_empty() {
        true => Err(no_graph(&"it has no nodes")),
        false => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            Ok(Contents { nodes, sha256: reader.reader.finish(), length, producer })
        }
    }
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

fn no_graph(why: &dyn std::fmt::Display) -> String {
    format!("it is no TensorFlow graph ({why})")
}

fn cut_short(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is no whole TensorFlow graph: it ends too soon".into(),
        io::ErrorKind::InvalidData => no_graph(&error),
        _ => error.to_string(),
    }
}

/// Reads no further than the file is long.
struct Limited<R> {
    reader: R,
    left: u64,
}

/// What is read, and knows how much there is of it.
trait Source: Read {
    fn left(&self) -> u64;
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = (&mut self.reader).take(self.left).read(buffer)?;
        self.left -= n as u64;
        Ok(n)
    }
}

impl<R: Read> Source for Limited<R> {
    fn left(&self) -> u64 {
        self.left
    }
}

impl Source for &[u8] {
    fn left(&self) -> u64 {
        self.len() as u64
    }
}

/// One field of a message: its number, and what follows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Field {
    number: u64,
    payload: Payload,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Payload {
    Varint,
    Bytes(u64),
}

/// The next field, or nothing at the end.
fn next(source: &mut impl Source) -> io::Result<Option<Field>> {
    if source.left() == 0 {
        return Ok(None);
    }
    let key = varint(source)?;
    let payload = match key & 7 {
        0 => Payload::Varint,
        1 => Payload::Bytes(8),
        2 => Payload::Bytes(varint(source)?),
        5 => Payload::Bytes(4),
        other => return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a field of kind {other}"))),
    };
    Ok(Some(Field { number: key >> 3, payload }))
}

fn skip(source: &mut impl Source, field: Field) -> io::Result<()> {
    match field.payload {
        Payload::Varint => varint(source).map(|_| ()),
        Payload::Bytes(length) if length > source.left() => Err(io::ErrorKind::UnexpectedEof.into()),
        Payload::Bytes(length) => io::copy(&mut source.take(length), &mut io::sink()).map(|_| ()),
    }
}

fn take(source: &mut impl Source, length: u64) -> io::Result<Vec<u8>> {
    if length > source.left() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; length];
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// How many fields a message has.
fn count(mut message: &[u8]) -> io::Result<usize> {
    let mut fields = 0;
    while let Some(field) = next(&mut message)? {
        skip(&mut message, field)?;
        fields += 1;
    }
    Ok(fields)
}

fn varint(source: &mut impl Read) -> io::Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(value);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "a number of more than 64 bits"))
}
