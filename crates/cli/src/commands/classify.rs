use std::{io::Write, path::Path, process::ExitCode};

use entoptic::picture;
use serde::Serialize;

use super::print_json;
use crate::{args::ClassifyArgs, failure::Failure, machine};

/// How many labels are shown.
const TOP: usize = 5;

#[derive(Serialize)]
struct Class {
    index: usize,
    label: String,
    probability: f32,
}

pub fn run(args: &ClassifyArgs, folder: &Path) -> Result<ExitCode, Failure> {
    let device = machine::device(&args.device)?;
    let network = super::open(&args.model, folder)?;
    let description = network.description();
    let [side, _] = network.graph().size();
    let photo = picture::load_square(&args.image, side, &device)?;
    let layer = description.classes()?;
    let probabilities = network.activations(photo, &[layer])?.map(layer)?;
    let probabilities: Vec<f32> = probabilities.try_into_vec_as().expect("probabilities are f32");
    let mut classes: Vec<Class> = probabilities
        .into_iter()
        .enumerate()
        .map(|(index, probability)| {
            let label = description.labels.get(index).cloned().unwrap_or_else(|| index.to_string());
            Class { index, label, probability }
        })
        .collect();
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    classes.truncate(TOP);
    if args.json {
        print_json(&classes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout().lock();
    for Class { index, label, probability } in classes {
        writeln!(out, "{probability:.3}  {label} ({index})")?;
    }
    Ok(ExitCode::SUCCESS)
}
