//! What a file has and a graph cannot express.

use std::collections::{BTreeMap, HashSet};

/// An operation of a file that no graph expresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedOperation {
    /// What the file calls it.
    pub kind: String,
    /// How many there are.
    pub count: usize,
    /// Why the first of them could not be expressed.
    pub reason: String,
}

/// The operations of a file that its graph lacks, and the names of the layers behind them.
#[derive(Debug, Clone, Default)]
pub struct Unsupported {
    operations: BTreeMap<String, (usize, String)>,
    layers: HashSet<String>,
}

impl Unsupported {
    /// All operations, by name.
    pub fn operations(&self) -> Vec<UnsupportedOperation> {
        let operation = |(kind, (count, reason)): (&String, &(usize, String))| UnsupportedOperation {
            kind: kind.clone(),
            count: *count,
            reason: reason.clone(),
        };
        self.operations.iter().map(operation).collect()
    }

    /// Whether the graph has all that the file has.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Whether a layer is one of the operations or behind one.
    pub fn contains(&self, layer: &str) -> bool {
        self.layers.contains(layer)
    }

    /// The layers that are one of the operations or behind one, sorted.
    pub fn layers(&self) -> Vec<&str> {
        let mut layers: Vec<&str> = self.layers.iter().map(String::as_str).collect();
        layers.sort_unstable();
        layers
    }

    pub(crate) fn add(&mut self, kind: &str, reason: &str) {
        self.operations.entry(kind.to_owned()).or_insert_with(|| (0, reason.to_owned())).0 += 1;
    }

    pub(crate) fn add_layer(&mut self, name: &str) {
        self.layers.insert(name.to_owned());
    }
}

impl std::fmt::Display for UnsupportedOperation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.count {
            1 => write!(f, "{} ({})", self.kind, self.reason),
            n => write!(f, "{n} {} ({})", self.kind, self.reason),
        }
    }
}
