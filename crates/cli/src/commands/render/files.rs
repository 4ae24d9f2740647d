//! Where pictures go.

use std::path::{Path, PathBuf};

use entoptic::Run;

/// The file for the last image.
pub fn out_file(out: Option<&Path>, run: &Run) -> PathBuf {
    let named = || format!("{}.png", file_name(&run.objective.to_string()));
    match out {
        None => named().into(),
        Some(out) if out.is_dir() || out.to_string_lossy().ends_with(std::path::is_separator) => out.join(named()),
        Some(out) => out.to_owned(),
    }
}

/// The longest name made of an objective; file systems take 255 bytes.
const LONGEST_NAME: usize = 80;

/// An objective as a file name: `channel(fire5, 20)` is `fire5-20`, `neuron(fire5, 20)` is `neuron-fire5-20`.
fn file_name(objective: &str) -> String {
    let objective = objective.replace("channel(", "(");
    let words = objective.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    name.chars().take(LONGEST_NAME).collect()
}

/// `picture.jpg` at step 32: `picture-32.jpg`.
pub fn at_step(out: &Path, step: usize) -> PathBuf {
    let mut name = out.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{step}."));
    name.push(out.extension().unwrap_or_default());
    out.with_file_name(name)
}
