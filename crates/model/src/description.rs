/// What a model is called, where it comes from and what it answers.
#[derive(Debug, Clone)]
pub struct Description {
    /// The name it is asked for by.
    pub name: String,
    /// SHA-256 of its weights file, in hexadecimal.
    pub sha256: String,
    /// The names of its classes, in the order of its last layer; empty if unknown.
    pub labels: Vec<String>,
    /// The layer with one probability for each label; empty for a network that knows no classes.
    pub probabilities: String,
}
