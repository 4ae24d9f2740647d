//! What Lucid's `Model.save` writes into a graph beside its nodes.

use serde::Deserialize;

use super::message::{Attr, NodeDef};
use crate::Preprocessing;

/// The name of the node that holds it. Lucid, `modelzoo/util.py`.
const NODE: &str = "lucid_metadata_json";

/// What Lucid writes into the graphs it saves, as JSON in a constant called `lucid_metadata_json`.
///
/// # Reference
/// Lucid's `Model.save` and `util.infuse_metadata`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The node that stands for the image.
    pub input_name: Option<String>,
    /// Height, width and channels of the images it was trained on, where they are known.
    pub image_shape: Option<Vec<Option<usize>>>,
    /// What 0 and 1 of an image become: one number for all channels, or one for each.
    pub image_value_range: Option<[Level; 2]>,
    /// Whether blue comes first.
    #[serde(rename = "is_BGR")]
    pub is_bgr: bool,
    /// The layers that Lucid would list.
    pub layers: Vec<MetadataLayer>,
}

/// One layer that Lucid's metadata list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MetadataLayer {
    /// Its name, a node's.
    pub name: String,
    /// How many channels it has.
    #[serde(default)]
    pub depth: Option<usize>,
    /// Such as `conv` and `dense`.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// One end of a range of colors.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Level {
    /// The same for red, green and blue.
    All(f32),
    /// Of each channel, in the order in which the network reads them.
    Each([f32; 3]),
}

impl Level {
    fn channels(self) -> [f32; 3] {
        match self {
            Self::All(level) => [level; 3],
            Self::Each(levels) => levels,
        }
    }
}

impl Metadata {
    /// What `nodes` say of themselves; nothing where they say nothing that can be read.
    pub(super) fn of(nodes: &[NodeDef]) -> Option<Self> {
        let node = nodes.iter().find(|node| node.name == NODE)?;
        let Attr::Tensor(tensor) = node.attr.get("value")?.value.as_ref()? else { return None };
        serde_json::from_slice(&tensor.text).ok()
    }

    /// The preprocessing that its range asks for: `low + image (high - low)`, as Lucid's `create_input` does it.
    pub fn preprocessing(&self) -> Option<Preprocessing> {
        let [mut low, mut high] = self.image_value_range?.map(Level::channels);
        if self.is_bgr {
            // Lucid reverses the image first, so its range is of blue, green and red; ours is of red, green and blue.
            low.reverse();
            high.reverse();
        }
        let std: [f32; 3] = std::array::from_fn(|i| 1.0 / (high[i] - low[i]));
        let mean = std::array::from_fn(|i| -low[i] * std[i]);
        std.iter().all(|std| std.is_finite()).then_some(Preprocessing { mean, std, bgr: self.is_bgr })
    }

    /// Height and width of the images it was trained on.
    pub(super) fn size(&self) -> Option<[usize; 2]> {
        let image = self.image_shape.as_deref()?;
        match image[image.len().checked_sub(3)?..] {
            [Some(h), Some(w), _] => Some([h, w]),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(json: &str) -> Metadata {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_lucid_saves_is_read() {
        let saved = metadata(r#"{"input_name": "x", "image_shape": [96, 64, 3], "image_value_range": [-1, 1]}"#);
        assert_eq!(saved.input_name.as_deref(), Some("x"));
        assert_eq!(saved.size(), Some([96, 64]));
        assert_eq!(saved.preprocessing(), Some(Preprocessing::MINUS_ONE_TO_ONE));
    }

    #[test]
    fn ranges_may_differ_by_channel() {
        let caffe = metadata(
            r#"{"image_value_range": [[-103.939, -116.779, -123.68], [151.061, 138.221, 131.32]], "is_BGR": true}"#,
        );
        let preprocessing = caffe.preprocessing().unwrap();
        assert!(preprocessing.bgr);
        for (found, mean) in preprocessing.mean.iter().zip(Preprocessing::CAFFE.mean) {
            assert!((found - mean).abs() < 1e-6, "{found} for {mean}");
        }
    }

    #[test]
    fn what_is_not_known_is_nothing() {
        let none = metadata(r#"{"image_shape": [null, null, 3], "image_value_range": [1, 1], "more": {}}"#);
        assert_eq!(none.size(), None);
        assert_eq!(none.preprocessing(), None);
    }
}
