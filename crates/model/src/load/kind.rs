//! What kind of file a model is in, by its first bytes.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::Serialize;

/// A kind of file that models are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Weights of a known architecture in one safetensors file.
    Safetensors,
    /// The same in several, and an index that says what is where (`model.safetensors.index.json`).
    ShardedSafetensors,
    /// Weights of a known architecture in a PyTorch state dict (`.pth`, `.pt`, `.bin`).
    Pytorch,
    /// ONNX.
    Onnx,
    /// A frozen TensorFlow graph (`.pb`), as in Lucid's model zoo.
    Graphdef,
}

/// The files that work, for people.
const WORKING: &str = "models are read from safetensors, PyTorch state dicts, ONNX and frozen TensorFlow graphs";

/// Files that people have of models, how they start, and what to do with them instead.
const OTHERS: [(&[u8], &str); 9] = [
    (b"version https://git-lfs", "it is Git LFS's note of where the file is, not the file; `git lfs pull` brings it"),
    (b"\x89HDF", "it is HDF5, as Keras writes it; tf2onnx makes ONNX of such models"),
    (b"GGUF", "it is GGUF, which holds language models"),
    (b"\x93NUMPY", "it is an array"),
    (b"\x1f\x8b", "it is compressed with gzip; what is in it may be a model"),
    (b"<!DOCTYPE", "it is a web page; what was meant may have to be downloaded anew"),
    (b"<!doctype", "it is a web page; what was meant may have to be downloaded anew"),
    (b"<html", "it is a web page; what was meant may have to be downloaded anew"),
    (b"\x89PNG", "it is a picture"),
];

impl Kind {
    /// The kind of the file at `path`.
    ///
    /// # Errors
    /// Why it is none, and which kinds work.
    pub(super) fn of(path: &Path) -> Result<Self, String> {
        let mut start = Vec::new();
        let file = File::open(path).map_err(|error| reason(&error))?;
        if file.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err("it is no file".into());
        }
        file.take(1024).read_to_end(&mut start).map_err(|error| reason(&error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        Self::of_start(&start, &name).map_err(|why| format!("{why}; {WORKING}"))
    }

    /// The kind of a file that starts with these bytes; `name` decides where they leave it open.
    fn of_start(start: &[u8], name: &str) -> Result<Self, String> {
        if start.is_empty() {
            return Err("it is empty".into());
        }
        if let Some((_, what)) = OTHERS.iter().find(|(other, _)| start.starts_with(other)) {
            return Err((*what).into());
        }
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let opens = |at: usize| start[at.min(start.len())..].trim_ascii_start().first() == Some(&b'{');
        match start {
            [b'P', b'K', 3, 4, ..] if extension == "npz" => Err("it is an archive of arrays".into()),
            [b'P', b'K', 3, 4, ..] | [0x80, 1..=5, ..] => Ok(Self::Pytorch),
            _ if start.get(257..262) == Some(b"ustar") && extension != "tar" => Ok(Self::Pytorch),
            _ if start.get(4..8) == Some(b"TFL3") => {
                Err("it is TensorFlow Lite; tf2onnx makes ONNX of such models".into())
            }
            _ if start.len() > 8 && opens(8) && start[4..8] == [0; 4] => Ok(Self::Safetensors),
            _ if opens(0) && extension == "json" => Ok(Self::ShardedSafetensors),
            // Both are protocol buffers: a graph starts with a node, ONNX with its version.
            _ if extension == "caffemodel" => Err("it is Caffe's, which says not what is computed".into()),
            _ if extension == "onnx" => Ok(Self::Onnx),
            [0x0a, ..] if ["pb", "pbtxt", "graphdef", ""].contains(&extension) => Ok(Self::Graphdef),
            [0x08, 1..=32, ..] => Ok(Self::Onnx),
            _ if extension == "safetensors" => Ok(Self::Safetensors),
            _ if extension == "pb" => Ok(Self::Graphdef),
            _ if ["pth", "pt"].contains(&extension) => Ok(Self::Pytorch),
            _ => Err("it is of no known kind".into()),
        }
    }

    /// What it is called in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::ShardedSafetensors => "sharded_safetensors",
            Self::Pytorch => "pytorch",
            Self::Onnx => "onnx",
            Self::Graphdef => "graphdef",
        }
    }
}

impl fmt::Display for Kind {
    /// For people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::ShardedSafetensors => "safetensors in several files",
            Self::Pytorch => "PyTorch state dict",
            Self::Onnx => "ONNX",
            Self::Graphdef => "frozen TensorFlow graph",
        })
    }
}

/// Why the system refuses, for people.
pub(super) fn reason(error: &io::Error) -> String {
    error.kind().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let cases: [(&[u8], &str, Kind); 9] = [
            (b"\x10\0\0\0\0\0\0\0{\"a\":{}}", "weights.bin", Kind::Safetensors),
            (b"{\n \"metadata\"", "model.safetensors.index.json", Kind::ShardedSafetensors),
            (b"PK\x03\x04", "resnet18.pth", Kind::Pytorch),
            (b"\x80\x02\x8a\x0a", "resnet18.onnx", Kind::Pytorch),
            (b"\x08\x07\x12\x07pytorch", "net", Kind::Onnx),
            (b"\x12\x07pytorch", "net.onnx", Kind::Onnx),
            (b"\x0a\x13\x0a\x05input", "net.pb", Kind::Graphdef),
            (b"garbage!", "net.pb", Kind::Graphdef),
            (b"garbage!", "net.safetensors", Kind::Safetensors),
        ];
        for (start, name, kind) in cases {
            assert_eq!(Kind::of_start(start, name), Ok(kind), "{name}");
        }
    }

    #[test]
    fn other_files_are_called_what_they_are() {
        let says = |start: &[u8], name: &str| Kind::of_start(start, name).unwrap_err();
        assert!(says(b"version https://git-lfs.github.com/spec/v1", "a.onnx").contains("git lfs pull"));
        assert!(says(b"\x89HDF\r\n\x1a\n", "a.h5").contains("Keras"));
        assert!(says(b"\x1c\0\0\0TFL3", "a.tflite").contains("Lite"));
        assert_eq!(says(b"", "a.onnx"), "it is empty");
        assert_eq!(says(b"hello world", "a.txt"), "it is of no known kind");
        assert_eq!(says(b"PK\x03\x04", "a.npz"), "it is an archive of arrays");
    }
}
