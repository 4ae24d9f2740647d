//! What is said about a run once it has ended.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use entoptic::{Ending, Render, Run};
use serde::Serialize;

use crate::{
    args::RenderArgs,
    commands::print_json,
    failure::{Failure, tell},
    watch::INTERRUPTED,
};

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
    attempts: usize,
    seed: u64,
    param: String,
    transforms: String,
    optimizer: String,
    schedule: String,
    gradients: String,
    /// `cpu`, `wgpu` or `cuda`.
    device: String,
    /// `finished`, `reached`, `interrupted` or `not_finite`.
    ending: &'static str,
    seconds: f64,
    steps_per_second: f64,
    snapshots: Vec<Kept<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    animation: Option<&'a Path>,
    final_value: f64,
}

#[derive(Serialize)]
struct Kept<'a> {
    step: usize,
    value: f64,
    /// None where it is a frame of the animation alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a Path>,
}

/// What a run left, and what it took.
pub struct Outcome {
    pub render: Render,
    /// A file for each snapshot that has one.
    pub written: Vec<Option<PathBuf>>,
    pub animation: Option<PathBuf>,
    /// Steps of all attempts.
    pub steps: usize,
    pub seconds: f64,
}

pub fn report(args: &RenderArgs, run: &Run, outcome: &Outcome) -> Result<ExitCode, Failure> {
    let Outcome { render, written, animation, steps, seconds } = outcome;
    let rate = *steps as f64 / seconds;
    let picture = written.last().and_then(Option::as_deref);
    if args.json {
        let kept = render.snapshots.iter().zip(written);
        let [h, w] = run.param.size;
        print_json(&Report {
            objective: run.objective.to_string(),
            model: &run.model.name,
            other_models: run.other_models.iter().map(|model| model.name.as_str()).collect(),
            size: if h == w { h.into() } else { vec![h, w].into() },
            steps: run.render.steps,
            attempts: run.render.attempts,
            seed: render.seed,
            param: run.param.parameterization.to_string(),
            transforms: run.render.transforms.to_string(),
            optimizer: run.render.optimizer.to_string(),
            schedule: run.render.schedule.to_string(),
            gradients: run.render.gradients.to_string(),
            device: run.device.to_string(),
            ending: match render.ending {
                Ending::Finished => "finished",
                Ending::Reached { .. } => "reached",
                Ending::Interrupted { .. } => "interrupted",
                Ending::NotFinite { .. } => "not_finite",
            },
            seconds: *seconds,
            steps_per_second: rate,
            snapshots: kept
                .map(|(kept, image)| Kept { step: kept.step, value: kept.value, image: image.as_deref() })
                .collect(),
            animation: animation.as_deref(),
            final_value: render.final_value,
        })?;
    } else if let (false, Some(picture)) = (args.quiet, picture) {
        let mut out = std::io::stdout().lock();
        write!(out, "{}", picture.display())?;
        if let Some(animation) = animation {
            write!(out, ", {}", animation.display())?;
        }
        let best =
            if run.render.attempts > 1 { format!(", the best of {},", run.render.attempts) } else { String::new() };
        writeln!(
            out,
            ": {} = {:.4}{best} after {steps} steps in {seconds:.1} s ({rate:.1} steps/s)",
            run.objective, render.final_value,
        )?;
    }
    match (render.ending, picture) {
        (Ending::Finished | Ending::Reached { .. }, _) => Ok(ExitCode::SUCCESS),
        (Ending::Interrupted { step }, _) => {
            let kept = if run.render.attempts > 1 { "the best image so far" } else { "its image" };
            tell(&format!("interrupted at step {step}; {kept} was kept"));
            Ok(ExitCode::from(INTERRUPTED))
        }
        (Ending::NotFinite { step }, kept) => {
            let kept = kept.map_or("there was no good image to keep".into(), |path| {
                format!("the last good image is {}", path.display())
            });
            // At the first step no learning rate has acted yet.
            let hint = (step > 0).then(|| "a smaller --lr often helps".to_owned());
            Err(Failure::Message(format!("the objective is no number at step {step}; {kept}"), hint))
        }
    }
}
