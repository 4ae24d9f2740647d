use crate::{Error, Preprocessing, manifest::Guess};

/// What a model is called, where it comes from, what it expects and what it answers.
///
/// ```
/// use entoptic_model::Description;
///
/// let description = Description { probabilities: "prob".into(), ..Description::new("my_net") };
/// assert_eq!(description.classes()?, "prob");
/// assert!(Description::new("headless").classes().is_err());
/// # Ok::<(), entoptic_model::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The name it is asked for by.
    pub name: String,
    /// SHA-256 of its weights file, in hexadecimal; empty if it comes from none.
    pub sha256: String,
    /// How its images are prepared, which is where its graph starts.
    pub preprocessing: Preprocessing,
    /// The names of its classes, in the order of its last layer; empty if unknown.
    pub labels: Vec<String>,
    /// The layer with one probability for each label; empty for a network that knows no classes.
    pub probabilities: String,
    /// The layer of class scores before that; empty if unknown.
    pub logits: String,
    /// The layers worth showing, from the image on; empty if nobody has said.
    pub show: Vec<String>,
    /// What of all this nobody has said.
    pub guesses: Vec<Guess>,
}

impl Description {
    /// A model of which nothing is known but its name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            sha256: String::new(),
            preprocessing: Preprocessing::NONE,
            labels: Vec::new(),
            probabilities: String::new(),
            logits: String::new(),
            show: Vec::new(),
            guesses: Vec::new(),
        }
    }

    /// The layer with one probability for each class.
    ///
    /// # Errors
    /// [`Error::NoProbabilities`] if it is not known.
    pub fn classes(&self) -> Result<&str, Error> {
        match self.probabilities.as_str() {
            "" => Err(Error::NoProbabilities { model: self.name.clone() }),
            layer => Ok(layer),
        }
    }

    /// The guess that pictures depend on most, if it is one: what values colors become.
    pub fn guessed_values(&self) -> Option<&Guess> {
        self.guesses
            .iter()
            .find(|guess| ["input.range", "input.mean", "input.channels"].contains(&guess.field.as_str()))
    }
}
