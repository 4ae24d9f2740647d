use std::{convert::Infallible, str::FromStr};

use burn::tensor::Tensor;
use entoptic_network::Wanted;

use super::{Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Argument, Call, Entry, Value},
};

/// A class's logit, summed over images.
///
/// The class is its number, or its label; a label that stands for several classes means the first. (Lucid slices the
/// labels together with the batch, so that a label means another class there; a slip, not repeated here.)
///
/// ```
/// use entoptic::objective::{Objective, class_logit};
///
/// assert_eq!("class_logit(logits, \"Egyptian cat\")".parse::<Objective>()?, class_logit("logits", "Egyptian cat"));
/// assert_eq!("class_logit(logits, 285)".parse::<Objective>()?, class_logit("logits", 285));
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c]`, or `[n, c, h, w]`, where positions are summed too
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::NoSuchLabel`], [`Error::NoSuchChannel`].
///
/// # Reference
/// `objectives.class_logit` in Lucid.
pub fn class_logit(layer: impl Into<String>, class: impl Into<Class>) -> Objective {
    Objective::of(ClassLogit { layer: layer.into(), class: class.into() })
}

/// One of a network's classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// By its number.
    Index(usize),
    /// By its label.
    Label(String),
}

impl Class {
    /// Its number among `count` classes with these labels, or none.
    ///
    /// # Errors
    /// [`Error::NoSuchLabel`] with the nearest labels; [`Error::OutOfRange`] for a number that is too high.
    pub fn index(&self, labels: &[String], count: usize) -> Result<usize, Error> {
        match self {
            Self::Index(index) if *index >= count => {
                Err(Error::out_of_range("the number of a class", index, "it is below the number of classes"))
            }
            Self::Index(index) => Ok(*index),
            Self::Label(label) => find(label, labels),
        }
    }
}

/// A number, or a label.
impl FromStr for Class {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Label(text.to_owned()), Self::Index))
    }
}

impl From<usize> for Class {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl From<&str> for Class {
    fn from(label: &str) -> Self {
        Self::Label(label.into())
    }
}

impl From<String> for Class {
    fn from(label: String) -> Self {
        Self::Label(label)
    }
}

impl Argument for Class {
    const FORM: &'static str = "a class's number or its label in quotes";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Name(label) => Some(Self::Label(label)),
            number => usize::from_value(number).map(Self::Index),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Index(index) => index.to_value(),
            Self::Label(label) => label.to_value(),
        }
    }
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "class_logit",
    usage: "class_logit(layer, class)",
    about: "A class's logit, summed over images.",
    example: "class_logit(logits, \"Egyptian cat\")",
    read: |arguments| Ok(class_logit(arguments.required::<String>("layer")?, arguments.required::<Class>("class")?)),
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClassLogit {
    layer: String,
    class: Class,
}

impl Measure for ClassLogit {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn wanted(&self) -> Vec<Wanted> {
        match self.class {
            Class::Index(class) => vec![Wanted::channel(&self.layer, class)],
            // Which channel it is, its network says at the step.
            Class::Label(_) => vec![Wanted::layer(&self.layer)],
        }
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let class = match &self.class {
            Class::Index(class) => *class,
            Class::Label(label) => find(label, step.labels()?)?,
        };
        Ok(step.channel(&self.layer, class)?.sum())
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.layer).argument(&self.class)
    }
}

/// How many labels an error names.
const NEAREST: usize = 3;

fn find(label: &str, labels: &[String]) -> Result<usize, Error> {
    if let Some(class) = labels.iter().position(|known| known == label) {
        return Ok(class);
    }
    let distance = |known: &&String| (1000.0 * (1.0 - strsim::jaro_winkler(label, known))) as i64;
    let mut nearest: Vec<&String> = labels.iter().collect();
    nearest.sort_by_key(distance);
    let nearest = nearest.into_iter().take(NEAREST).cloned().collect();
    Err(Error::NoSuchLabel { label: label.to_owned(), nearest })
}
