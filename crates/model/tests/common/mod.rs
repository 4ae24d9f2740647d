//! What PyTorch's networks answer when their weights are made up; `fixtures/torch/README.md` says what a file holds.
#![allow(dead_code, reason = "no test needs all of it")]

use std::{fs, path::PathBuf};

use entoptic_made_up as made_up;
use entoptic_model::{Preprocessing, graph::Weights, load::WeightsFile};
use safetensors::SafeTensors;
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/torch");

/// What one network answers to one image.
pub struct Fixture {
    /// What the file is called, such as `timm_resnet18`.
    pub name: String,
    bytes: Vec<u8>,
    case: Value,
}

/// Some of the numbers that a module answered.
pub struct Answer {
    /// The module, such as `layer1.0.relu`; `layer1.0.relu#2` when it runs the second time.
    pub module: String,
    /// `[c, h, w]` and the like: the shape of all numbers for one image.
    pub shape: Vec<usize>,
    /// Numbers evenly spaced from the first to the last.
    pub samples: Vec<f32>,
    /// The root mean square of all numbers.
    pub scale: f32,
}

impl Fixture {
    /// The names of all files.
    pub fn names() -> Vec<String> {
        let files = fs::read_dir(FOLDER).expect("the folder is there").map(|file| file.expect("it can be read").path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
        let mut names: Vec<String> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into()).collect();
        names.sort();
        names
    }

    /// The file called `name`.
    pub fn open(name: &str) -> Self {
        let path = PathBuf::from(FOLDER).join(format!("{name}.safetensors"));
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("a fixture is a safetensors file");
        let case = &header.metadata().as_ref().expect("a fixture has metadata")["case"];
        Self { name: name.to_owned(), case: serde_json::from_str(case).expect("JSON"), bytes }
    }

    /// Its state dict, all numbers 0, as a file called like the model.
    pub fn manifest(&self) -> WeightsFile {
        self.file(|_, shape| Weights::new(shape, vec![0.0; shape.iter().product()]))
    }

    /// Its state dict, all numbers made up.
    pub fn weights(&self) -> WeightsFile {
        self.file(|name, shape| Weights::new(shape, made_up::weight(name, shape)))
    }

    fn file(&self, weights: impl Fn(&str, &[usize]) -> Weights) -> WeightsFile {
        let model = self.case["model"].as_str().expect("a model has a name");
        let tensors = named_shapes(&self.case["weights"]).map(|(name, shape)| {
            let weights = weights(&name, &shape);
            (name, weights)
        });
        WeightsFile::in_memory(&format!("{model}.pth"), tensors)
    }

    /// How images were prepared outside the network; torchvision's are as its pretrained weights want them.
    pub fn preprocessing(&self) -> Option<Preprocessing> {
        let three = |key: &str| [0, 1, 2].map(|i| self.case[key][i].as_f64().expect("a number") as f32);
        let given = Preprocessing { mean: three("mean"), std: three("std"), bgr: false };
        (self.case["library"] != "torchvision").then_some(given)
    }

    /// The image's size `[h, w]`.
    pub fn size(&self) -> [usize; 2] {
        [0, 1].map(|i| self.case["size"][i].as_u64().expect("a number") as usize)
    }

    /// The image, `[3, h, w]` in `0..=1`.
    pub fn image(&self) -> Vec<f32> {
        made_up::image(self.case["image"].as_str().expect("an image has a name"), self.size())
    }

    /// What each module answered, in the order they ran.
    pub fn answers(&self) -> impl Iterator<Item = Answer> {
        named_shapes(&self.case["nodes"]).map(|(module, shape)| Answer {
            shape: shape[1..].to_vec(),
            samples: self.values(&format!("node/{module}")),
            scale: self.values(&format!("scale/{module}"))[0],
            module,
        })
    }

    /// Samples of the image's gradient and the root mean square of all of it, for `Σ made_up("gradient") * output`.
    pub fn gradient(&self) -> (Vec<f32>, f32) {
        (self.values("gradient"), self.values("gradient_scale")[0])
    }

    fn values(&self, name: &str) -> Vec<f32> {
        let tensors = SafeTensors::deserialize(&self.bytes).expect("a fixture is a safetensors file");
        let view = tensors.tensor(name).unwrap_or_else(|_| panic!("no tensor `{name}`"));
        view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
    }
}

/// `[[name, [size, ...]], ...]`.
fn named_shapes(list: &Value) -> impl Iterator<Item = (String, Vec<usize>)> {
    list.as_array().expect("a list").iter().map(|entry| {
        let sizes = entry[1].as_array().expect("a shape").iter();
        let shape = sizes.map(|size| size.as_u64().expect("a size") as usize).collect();
        (entry[0].as_str().expect("a name").to_owned(), shape)
    })
}
