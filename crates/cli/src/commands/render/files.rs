//! Where pictures go.

use std::path::{Path, PathBuf};

use entoptic::Run;

use crate::failure::Failure;

/// The file for the last image.
pub fn out_file(out: Option<&Path>, run: &Run) -> Result<PathBuf, Failure> {
    let named = || format!("{}.png", file_name(&run.objective.to_string()));
    let Some(out) = out else { return Ok(named().into()) };
    if out.is_dir() || out.to_string_lossy().ends_with(std::path::is_separator) {
        return Ok(out.join(named()));
    }
    match out.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("png") => Ok(out.to_owned()),
        _ => Err(Failure::message(format!(
            "cannot write {}: pictures are PNG files; {} would work",
            out.display(),
            out.with_extension("png").display()
        ))),
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

/// `picture.png` at step 32: `picture-32.png`.
pub fn at_step(out: &Path, step: usize) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{stem}-{step}.png"))
}
