//! A graph for images of another size, or with more behind it.

use super::{Graph, Node, Op, shape::infer};
use crate::Error;

impl Graph {
    /// The same network, its own size being `size` `[h, w]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if a part of it takes another size only.
    pub fn with_size(&self, size: [usize; 2]) -> Result<Self, Error> {
        let shapes = self.shapes(size)?;
        let nodes = self.nodes.iter().zip(shapes).map(|(node, shape)| Node { shape, ..node.clone() }).collect();
        Ok(Self { nodes, size, ..self.clone() })
    }

    /// The same network with these operations behind `layer`, one after the other.
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`]; as [`GraphBuilder::add`](super::GraphBuilder::add).
    pub fn followed_by(mut self, operations: &[(&str, Op)], layer: &str) -> Result<Self, Error> {
        let mut last = self.find(layer)?;
        for (name, op) in operations {
            let shape = infer(name, op, &[self.nodes[last].shape])?;
            if self.ids.contains_key(*name) {
                return Err(Error::DuplicateNode { node: (*name).to_owned() });
            }
            let node = Node { name: (*name).to_owned(), op: op.clone(), inputs: vec![last], shape };
            last = self.nodes.len();
            self.nodes.push(node);
            self.ids.insert((*name).to_owned(), last);
        }
        Ok(self)
    }
}
