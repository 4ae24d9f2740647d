//! Where a graph starts: how images become what the network was trained on.

use super::{Graph, GraphBuilder, Node, NodeId, Op};
use crate::{Error, Preprocessing};

/// What [`Preprocessing::add`] calls its nodes.
const NAMES: [&str; 2] = ["preprocessed", "preprocessed_bgr"];

impl Graph {
    /// How images are prepared, if the graph starts as [`Preprocessing::add`] does.
    pub fn preprocessing(&self) -> Option<Preprocessing> {
        let (affine, bgr) = match self.own_preparation() {
            0 => return None,
            1 => (&self.nodes[1], false),
            _ => (&self.nodes[1], true),
        };
        let Op::Affine { scale, shift } = &affine.op else { return None };
        let (scale, shift) = (scale.values(), shift.values());
        // One channel stands for three of the same.
        let channel = |values: &[f32], i: usize| values[i.min(values.len() - 1)];
        let std = std::array::from_fn(|i| 1.0 / channel(scale, i));
        let mean = std::array::from_fn(|i| 0.0 - channel(shift, i) / channel(scale, i));
        Some(Preprocessing { mean, std, bgr })
    }

    /// The same network behind this preprocessing, instead of the one that it starts with.
    ///
    /// ```
    /// use entoptic_model::{Preprocessing, zoo};
    ///
    /// let graph = zoo::squeezenet_v1_1().graph;
    /// let other = graph.with_preprocessing(&Preprocessing::MINUS_ONE_TO_ONE)?;
    /// assert_eq!(other.preprocessing(), Some(Preprocessing::MINUS_ONE_TO_ONE));
    /// assert_eq!(other.nodes().len(), graph.nodes().len());
    /// # Ok::<(), entoptic_model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] if images have another number of channels and what is done to red, green and blue differs.
    pub fn with_preprocessing(&self, preprocessing: &Preprocessing) -> Result<Self, Error> {
        let mut start = GraphBuilder::with_channels(self.channels(), self.size);
        let prepared = match *preprocessing {
            Preprocessing::NONE => start.input(),
            _ => preprocessing.add(&mut start)?,
        };
        let mut graph = start.into_graph();
        let (dropped, added) = (self.own_preparation(), graph.nodes.len() - 1);
        // What read the image, prepared or not, reads it prepared anew.
        let place = |id: NodeId| if id <= dropped { prepared } else { id - dropped + added };
        let ours = std::mem::take(&mut graph.ids);
        for node in &self.nodes[dropped + 1..] {
            let inputs = node.inputs.iter().map(|&input| place(input)).collect();
            graph.nodes.push(Node { inputs, ..node.clone() });
        }
        graph.ids = self.ids.iter().map(|(name, &id)| (name.clone(), place(id))).collect();
        graph.ids.retain(|name, _| dropped == 0 || !NAMES.contains(&name.as_str()));
        for (mut name, id) in ours {
            // A file may call a node of its own so.
            while id > 0 && graph.ids.contains_key(&name) {
                name += "_here";
            }
            graph.nodes[id].name.clone_from(&name);
            graph.ids.insert(name, id);
        }
        graph.unsupported = self.unsupported.clone();
        Ok(graph)
    }

    /// How many nodes behind the image are preparation as [`Preprocessing::add`] adds it.
    fn own_preparation(&self) -> usize {
        let is = |id: NodeId, affine: bool| {
            self.nodes.get(id).is_some_and(|node| {
                let op = if affine { matches!(node.op, Op::Affine { .. }) } else { matches!(node.op, Op::Select(_)) };
                node.name == NAMES[id - 1] && node.inputs == [id - 1] && op
            })
        };
        match (is(1, true), is(2, false)) {
            (true, true) => 2,
            (true, false) => 1,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Shape, Window};

    fn pooled(c: usize, name: &str) -> Graph {
        let mut graph = GraphBuilder::with_channels(c, [4, 4]);
        let pool = graph.add(name, Op::MaxPool(Window::new(2, 2)), &[0]).unwrap();
        graph.add("sum", Op::Add, &[pool, pool]).unwrap();
        graph.alias("data", "input");
        graph.finish()
    }

    #[test]
    fn what_read_the_image_reads_it_prepared() {
        let graph = pooled(3, "pool").with_preprocessing(&Preprocessing::CAFFE).unwrap();
        let names: Vec<&str> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["input", "preprocessed", "preprocessed_bgr", "pool", "sum"]);
        assert_eq!((&graph.nodes()[3].inputs[..], &graph.nodes()[4].inputs[..]), (&[2][..], &[3, 3][..]));
        assert_eq!((graph.find("input").unwrap(), graph.find("data").unwrap(), graph.find("sum").unwrap()), (0, 2, 4));
        let caffe = graph.preprocessing().unwrap();
        assert!(
            caffe.bgr && (caffe.mean[0] - 123.68 / 255.0).abs() < 1e-6 && (caffe.std[2] * 255.0 - 1.0).abs() < 1e-6
        );

        let range = graph.with_preprocessing(&Preprocessing::MINUS_ONE_TO_ONE).unwrap();
        assert_eq!(range.preprocessing(), Some(Preprocessing::MINUS_ONE_TO_ONE));
        assert!(range.find("preprocessed_bgr").is_err());
        let bare = range.with_preprocessing(&Preprocessing::NONE).unwrap();
        assert_eq!((bare.nodes().len(), bare.preprocessing(), bare.find("data").unwrap()), (3, None, 0));
    }

    #[test]
    fn gray_images_are_prepared_as_any_color_is() {
        let gray = pooled(1, "pool").with_preprocessing(&Preprocessing::MINUS_ONE_TO_ONE).unwrap();
        assert_eq!(gray.nodes()[1].shape, Shape::Map { c: 1, h: 4, w: 4 });
        assert_eq!(gray.preprocessing(), Some(Preprocessing::MINUS_ONE_TO_ONE));
        assert!(matches!(pooled(1, "pool").with_preprocessing(&Preprocessing::IMAGENET), Err(Error::Shape { .. })));
    }

    #[test]
    fn a_node_of_the_file_keeps_its_name() {
        let graph = pooled(3, "preprocessed").with_preprocessing(&Preprocessing::MINUS_ONE_TO_ONE).unwrap();
        let pool = &graph.nodes()[graph.find("preprocessed").unwrap()];
        assert_eq!(pool.op.kind(), "max pool 2x2/2");
    }
}
