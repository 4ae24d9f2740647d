//! What a model's classes are called, and where that is written.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{Error, zoo::IMAGENET_LABELS};

/// What a model's classes are called, as a manifest says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Text", into = "Text")]
pub enum Labels {
    /// `"imagenet"`: ImageNet's 1000 classes, in the order of the 2012 challenge.
    Imagenet,
    /// `"imagenet+background"`: the same behind a class of anything else, as TensorFlow's models have them.
    ImagenetWithBackground,
    /// A file beside the model, one label a line.
    File(String),
    /// All of them.
    List(Vec<String>),
}

/// What stands in a manifest.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "labels are \"imagenet\", \"imagenet+background\", a file's name, or a list")]
enum Text {
    One(String),
    List(Vec<String>),
}

impl From<Text> for Labels {
    fn from(text: Text) -> Self {
        match text {
            Text::One(name) if name == "imagenet" => Self::Imagenet,
            Text::One(name) if name == "imagenet+background" => Self::ImagenetWithBackground,
            Text::One(name) => Self::File(name),
            Text::List(list) => Self::List(list),
        }
    }
}

impl From<Labels> for Text {
    fn from(labels: Labels) -> Self {
        match labels {
            Labels::Imagenet => Self::One("imagenet".into()),
            Labels::ImagenetWithBackground => Self::One("imagenet+background".into()),
            Labels::File(name) => Self::One(name),
            Labels::List(list) => Self::List(list),
        }
    }
}

impl Labels {
    /// The labels themselves, in the order of the model's classes; `folder` is the model's.
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a file that cannot be read or is empty.
    pub fn read(&self, folder: &Path) -> Result<Vec<String>, Error> {
        let imagenet = || IMAGENET_LABELS.lines().map(str::to_owned);
        match self {
            Self::Imagenet => Ok(imagenet().collect()),
            Self::ImagenetWithBackground => Ok([BACKGROUND.to_owned()].into_iter().chain(imagenet()).collect()),
            Self::File(name) => read_lines(&folder.join(name)),
            Self::List(list) => Ok(list.clone()),
        }
    }
}

/// The class of everything that is none of ImageNet's; slim's name for it.
const BACKGROUND: &str = "background";

/// A file's labels, one a line.
pub(crate) fn read_lines(path: &Path) -> Result<Vec<String>, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::InvalidData => unreadable("labels are text, one a line".into()),
        kind => unreadable(kind.to_string()),
    };
    if fs::metadata(path).map_err(io)?.len() > super::LONGEST {
        return Err(unreadable("it holds no labels, but far more".into()));
    }
    let text = fs::read_to_string(path).map_err(io)?;
    let labels: Vec<String> = text.trim_end().lines().map(|line| line.trim().to_owned()).collect();
    if labels.is_empty() {
        return Err(unreadable("it is empty; labels are text, one a line".into()));
    }
    Ok(labels)
}
