//! The part of a network that follows a layer.

use super::{Graph, GraphBuilder, NodeId, Shape};
use crate::Error;

impl Graph {
    /// What follows `layer` alone, as a network of its own whose input is that layer's output.
    ///
    /// Nodes that also read something beside the layer, such as another branch, are not in it. The layer keeps its name.
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`]; [`Error::NoPositions`] for a layer that is a vector.
    pub fn after(&self, layer: &str) -> Result<Self, Error> {
        let start = self.find(layer)?;
        let Shape::Map { c, h, w } = self.nodes[start].shape else {
            return Err(Error::NoPositions { layer: layer.to_owned() });
        };
        let mut builder = GraphBuilder::with_channels(c, [h, w]);
        let mut places: Vec<Option<NodeId>> = vec![None; self.nodes.len()];
        places[start] = Some(builder.input());
        for (id, node) in self.nodes.iter().enumerate().skip(start + 1) {
            let inputs: Option<Vec<NodeId>> = node.inputs.iter().map(|&input| places[input]).collect();
            if let Some(inputs) = inputs {
                places[id] = Some(builder.add(&node.name, node.op.clone(), &inputs)?);
            }
        }
        let mut graph = builder.finish();
        for (name, &id) in &self.ids {
            if let Some(place) = places[id] {
                graph.ids.entry(name.clone()).or_insert(place);
            }
        }
        Ok(graph)
    }

    /// The layers with positions that everything `target` reads of the image goes through, from first to last.
    pub fn bottlenecks(&self, target: NodeId) -> Vec<&str> {
        let ancestors = self.ancestors(&[target]);
        let is_bottleneck = |&&layer: &&NodeId| {
            let mut free = vec![false; self.nodes.len()];
            free[0] = layer != 0;
            for &id in ancestors.iter().filter(|&&id| id != 0 && id != layer) {
                free[id] = self.nodes[id].inputs.iter().any(|&input| free[input]);
            }
            layer != 0 && !free[target] && matches!(self.nodes[layer].shape, Shape::Map { .. })
        };
        ancestors.iter().filter(is_bottleneck).map(|&id| self.nodes[id].name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::zoo;

    #[test]
    fn what_follows_a_layer_stands_alone() {
        let graph = &zoo::squeezenet_v1_1().graph;
        let after = graph.after("fire5").unwrap();
        let id = |name: &str| after.find(name).ok();
        assert_eq!(id("fire5"), Some(0));
        assert_eq!(id("fire4"), None);
        let [logits, whole] = [&after, graph].map(|graph| graph.nodes()[graph.find("logits").unwrap()].shape);
        assert_eq!(logits, whole);
        let beside = graph.after("fire5/expand1x1").unwrap();
        assert!(beside.find("logits").is_err(), "the concat reads another branch, too");
    }

    #[test]
    fn bottlenecks_are_what_there_is_no_way_around() {
        let graph = zoo::squeezenet_v1_1().graph;
        let names = graph.bottlenecks(graph.find("logits").unwrap());
        assert!(names.contains(&"fire5") && names.contains(&"fire5/squeeze1x1"), "{names:?}");
        assert!(!names.contains(&"fire5/expand1x1") && !names.contains(&"input"), "{names:?}");
    }
}
