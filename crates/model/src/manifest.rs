//! What a model's file does not say, or says wrongly: a text beside it that people can read and change.

mod check;
mod evidence;
mod guess;
mod labels;
mod values;
mod write;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

pub(crate) use evidence::Evidence;
pub use guess::Guess;
pub use labels::Labels;
pub use values::Values;

use crate::{Error, Preprocessing};

/// The description of a model, in a file beside it: `resnet18.onnx.toml` describes `resnet18.onnx`.
///
/// Every entry may be left out; it is then taken from the model's file, or guessed.
///
/// ```
/// use entoptic_model::manifest::{Channels, Manifest};
///
/// let manifest = Manifest::parse(
///     r#"
///     name = "my_resnet"
///     [input]
///     size = [224, 224]
///     range = [-1, 1]
///     channels = "bgr"
///     [output]
///     labels = "imagenet"
///     "#,
/// )?;
/// assert_eq!(manifest.input.range, Some([-1.0, 1.0]));
/// assert_eq!(manifest.input.channels, Some(Channels::Bgr));
/// assert_eq!(Manifest::parse(&manifest.to_string())?, manifest);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manifest {
    /// What the model is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What has been guessed, each by its field's name (`input.range`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guessed: Vec<Guess>,
    /// The file.
    pub file: File,
    /// What goes in.
    pub input: Input,
    /// What comes out.
    pub output: Output,
    /// What lies between.
    pub layers: Layers,
}

/// The file that a manifest describes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// Its SHA-256, in hexadecimal: the manifest is for this file and no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What kind of file it is, such as `onnx`; for people, since the file itself says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The family of networks that its tensors belong to, such as `ResNet`; for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
}

/// What a model expects of images: RGB in `0..=1` becomes what it was trained on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Input {
    /// What the file calls its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The size `[h, w]` it was trained on, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// What black and white become. Either this, or mean and standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[f32; 2]>,
    /// What is subtracted of red, green and blue, in `0..=1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<[f32; 3]>,
    /// What red, green and blue are then divided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<[f32; 3]>,
    /// In which order it reads colors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
}

/// In which order a model reads colors; mean and standard deviation are those of red, green and blue in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red first, as nearly all do.
    Rgb,
    /// Blue first, as Caffe's models do.
    Bgr,
}

/// What a model answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// The layer with one probability for each class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<String>,
    /// The layer of class scores before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logits: Option<String>,
    /// What the classes are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
}

/// A model's layers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Layers {
    /// Those worth showing, from the image on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub show: Vec<String>,
}

impl Manifest {
    /// Where the manifest of a model's file is: beside it, `.toml` behind its whole name.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use entoptic_model::manifest::Manifest;
    ///
    /// assert_eq!(Manifest::beside(Path::new("nets/resnet18.onnx")), Path::new("nets/resnet18.onnx.toml"));
    /// ```
    pub fn beside(file: &Path) -> PathBuf {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".toml");
        file.with_file_name(name)
    }

    /// The manifest beside a model's file, if there is one.
    ///
    /// # Errors
    /// [`Error::BadManifest`] if it cannot be read or says what cannot be.
    pub fn find(file: &Path) -> Result<Option<Self>, Error> {
        let path = Self::beside(file);
        let bad = |reason: String| Error::BadManifest { path: path.clone(), reason };
        match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(bad(error.kind().to_string())),
            Ok(metadata) if metadata.len() > LONGEST => return Err(bad("it is no manifest, but far longer".into())),
            Ok(_) => {}
        }
        let text = fs::read_to_string(&path).map_err(|error| bad(error.kind().to_string()))?;
        Self::parse(&text).map(Some).map_err(bad)
    }

    /// The manifest that a text in TOML is.
    ///
    /// # Errors
    /// The reason and the line: no TOML, a field that is none with those that are, or a value that cannot be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            format!("{line}{}", error.message().replace('\n', "; "))
        })?;
        manifest.check()?;
        Ok(manifest)
    }

    /// How images are prepared, if the manifest says so.
    pub fn preprocessing(&self) -> Option<Preprocessing> {
        let bgr = self.input.channels == Some(Channels::Bgr);
        Values::of(&self.input).map(|values| Preprocessing { bgr, ..values.preprocessing() })
    }

    /// Whether a field is a guess, by its name (`input.range`).
    pub fn is_guessed(&self, field: &str) -> bool {
        self.guessed.iter().any(|guess| guess.field == field)
    }
}

/// In bytes: the labels of ImageNet's 21 thousand classes and much besides.
const LONGEST: u64 = 4 << 20;
