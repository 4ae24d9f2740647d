//! What is said about a run once it has ended.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use entoptic::{Ending, Render, Run};
use serde::Serialize;

use super::INTERRUPTED;
use crate::{args::RenderArgs, commands::print_json, failure::Failure};

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    objective: String,
    model: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_models: Vec<&'a str>,
    /// Pixels of a side, or height and width where they differ.
    size: serde_json::Value,
    steps: usize,
    seed: u64,
    transforms: String,
    seconds: f64,
    steps_per_second: f64,
    snapshots: Vec<Kept<'a>>,
    final_value: f64,
}

#[derive(Serialize)]
struct Kept<'a> {
    step: usize,
    value: f64,
    image: &'a Path,
}

pub fn report(
    args: &RenderArgs,
    run: &Run,
    render: &Render,
    written: &[PathBuf],
    seconds: f64,
) -> Result<ExitCode, Failure> {
    let rate = render.values.len() as f64 / seconds;
    if args.json {
        let kept = render.snapshots.iter().zip(written);
        let [h, w] = run.param.size;
        print_json(&Report {
            objective: run.objective.to_string(),
            model: &run.model.name,
            other_models: run.other_models.iter().map(|model| model.name.as_str()).collect(),
            size: if h == w { h.into() } else { vec![h, w].into() },
            steps: run.render.steps,
            seed: render.seed,
            transforms: run.render.transforms.to_string(),
            seconds,
            steps_per_second: rate,
            snapshots: kept.map(|(kept, image)| Kept { step: kept.step, value: kept.value, image }).collect(),
            final_value: render.final_value,
        })?;
    } else if let (false, Some(path)) = (args.quiet, written.last()) {
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{}: {} = {:.4} after {} steps in {seconds:.1} s ({rate:.1} steps/s)",
            path.display(),
            run.objective,
            render.final_value,
            render.values.len(),
        )?;
    }
    match (render.ending, written.last()) {
        (Ending::Finished | Ending::Reached { .. }, _) => Ok(ExitCode::SUCCESS),
        (Ending::Interrupted { step }, _) => {
            eprintln!("interrupted at step {step}; its image was kept");
            Ok(ExitCode::from(INTERRUPTED))
        }
        (Ending::NotFinite { step }, kept) => {
            let kept = kept.map_or("there was no good image to keep".into(), |path| {
                format!("the last good image is {}", path.display())
            });
            let hint = "a smaller --lr often helps".to_owned();
            Err(Failure::Message(format!("the objective is no number at step {step}; {kept}"), Some(hint)))
        }
    }
}
