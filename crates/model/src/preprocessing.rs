use crate::{
    Error,
    graph::{GraphBuilder, NodeId, Op, Weights},
};

/// How RGB images in `0..=1` become what a network was trained on: `(x - mean) / std`, perhaps in the order BGR.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preprocessing {
    /// What is subtracted of red, green and blue, in `0..=1`.
    pub mean: [f32; 3],
    /// What red, green and blue are then divided by.
    pub std: [f32; 3],
    /// Whether the network reads blue first.
    pub bgr: bool,
}

impl Preprocessing {
    /// Images as they are.
    pub const NONE: Self = Self { mean: [0.0; 3], std: [1.0; 3], bgr: false };

    /// ImageNet's mean and standard deviation, as torchvision's and most of timm's models take it.
    pub const IMAGENET: Self = Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], bgr: false };

    /// As OpenAI's CLIP takes it.
    pub const CLIP: Self = Self {
        mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
        std: [0.268_629_54, 0.261_302_6, 0.275_777_1],
        bgr: false,
    };

    /// To `-1..=1`, as TensorFlow's slim and Inception v3 take it.
    pub const MINUS_ONE_TO_ONE: Self = Self { mean: [0.5; 3], std: [0.5; 3], bgr: false };

    /// To `0..=255` minus ImageNet's mean, BGR, as Caffe's models take it. Lucid, `vision_base.py`.
    pub const CAFFE: Self =
        Self { mean: [123.68 / 255.0, 116.779 / 255.0, 103.939 / 255.0], std: [1.0 / 255.0; 3], bgr: true };

    /// To `low..=high`.
    pub const fn range(low: f32, high: f32) -> Self {
        let std = 1.0 / (high - low);
        Self { mean: [0.0 - low * std; 3], std: [std; 3], bgr: false }
    }

    /// Adds it to a graph as the layer `preprocessed`. Images of other than three channels are prepared as red is, where
    /// all colors are prepared alike.
    ///
    /// # Errors
    /// As [`GraphBuilder::add`].
    pub fn add(&self, graph: &mut GraphBuilder) -> Result<NodeId, Error> {
        let colors = match graph.shape(graph.input()).channels() {
            c if c != 3 && self.mean == [self.mean[0]; 3] && self.std == [self.std[0]; 3] => vec![0; c],
            _ => vec![0, 1, 2],
        };
        let scale: Vec<f32> = colors.iter().map(|&i| 1.0 / self.std[i]).collect();
        let shift = colors.iter().zip(&scale).map(|(&i, scale)| -self.mean[i] * scale).collect();
        let c = colors.len();
        let affine = Op::Affine { scale: Weights::new([c], scale), shift: Weights::new([c], shift) };
        let preprocessed = graph.add("preprocessed", affine, &[graph.input()])?;
        match self.bgr {
            true => graph.add("preprocessed_bgr", Op::Select([2, 1, 0].into()), &[preprocessed]),
            false => Ok(preprocessed),
        }
    }
}
