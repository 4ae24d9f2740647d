//! What a recipe leaves.

use burn::tensor::Tensor;
use entoptic::page::Heading;
use serde_json::{Map, Value};

/// What is to be written, and what is to be said about it.
pub struct Outcome {
    /// By the names of their files.
    pub contents: Vec<(&'static str, Content)>,
    /// One line.
    pub summary: String,
    /// What `--json` says of it.
    pub facts: Map<String, Value>,
}

/// What a file holds.
pub enum Content {
    Picture(Tensor<4>),
    /// Frames, and how many of them make a second.
    Animation(Tensor<4>, f64),
    Page(Box<dyn Fn(Option<String>) -> String>),
    Numbers(Value),
}

impl Outcome {
    /// Nothing yet but a summary.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { contents: Vec::new(), summary: summary.into(), facts: Map::new() }
    }

    /// And a picture.
    pub fn picture(mut self, name: &'static str, images: Tensor<4>) -> Self {
        self.contents.push((name, Content::Picture(images)));
        self
    }

    /// And an animation.
    pub fn animation(mut self, name: &'static str, (frames, frames_per_second): (Tensor<4>, f64)) -> Self {
        self.contents.push((name, Content::Animation(frames, frames_per_second)));
        self
    }

    /// And a page with this title and a line below it.
    pub fn page(
        mut self,
        name: &'static str,
        title: String,
        caption: String,
        page: impl Fn(&Heading) -> String + 'static,
    ) -> Self {
        let page = move |command| page(&Heading { title: title.clone(), caption: caption.clone(), command });
        self.contents.push((name, Content::Page(Box::new(page))));
        self
    }

    /// And numbers, as JSON.
    pub fn numbers(mut self, name: &'static str, numbers: Value) -> Self {
        self.contents.push((name, Content::Numbers(numbers)));
        self
    }

    /// And a fact for `--json`.
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.into(), value.into());
        self
    }
}
