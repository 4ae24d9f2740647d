//! What the commands of recipes have in common.

mod command_line;
mod files;
mod outcome;

use std::{io::Write, ops::ControlFlow, path::Path, process::ExitCode};

use burn::tensor::{Device, Tensor};
use entoptic::{
    Error,
    network::{Network, Precision, zoo},
    objective::Class,
    picture::{self, Made},
    recipe::{Job, Unit},
};
use serde::Serialize;
use serde_json::json;

pub use self::outcome::Outcome;
use self::{command_line::command_line, files::Files};
use super::print_json;
use crate::{
    args::RecipeArgs,
    failure::{Failure, tell},
    machine,
    watch::{INTERRUPTED, Watch},
};

/// A recipe that was asked for: what is computed where, and where it goes.
pub struct Recipe<'a> {
    args: &'a RecipeArgs,
    name: &'static str,
    network: Network,
    device: Device,
    precision: Precision,
    files: Files,
}

impl<'a> Recipe<'a> {
    /// The recipe of the command `name`, which makes files of these names, the most telling first.
    ///
    /// If nobody says where, they go to a folder that is named for the command and what it is of.
    pub fn open(
        args: &'a RecipeArgs,
        models: &Path,
        name: &'static str,
        of: &str,
        makes: &[&'static str],
    ) -> Result<Self, Failure> {
        if args.steps == Some(0) {
            return Err(Failure::message("the number of steps cannot be 0; it is 1 or more"));
        }
        let files = Files::plan(args.out.as_deref(), name, of, makes)?;
        machine::set_threads(args.threads)?;
        let device = machine::device(&args.device)?;
        let precision = args.precision.parse::<Precision>()?;
        let network = super::open(&args.model, models)?;
        Ok(Self { args, name, network, device, precision, files })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Where it is computed.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The number of steps that was asked for, else one of these.
    pub fn steps(&self, full: usize, quick: usize) -> usize {
        self.args.steps.unwrap_or(if self.args.quick { quick } else { full })
    }

    /// The pixels of a side that were asked for, else one of these.
    pub fn size(&self, full: usize, quick: usize) -> usize {
        self.args.size.unwrap_or(if self.args.quick { quick } else { full })
    }

    /// A photo as a square of the size that the network was made for: `[1, 3, side, side]`.
    pub fn photo(&self, path: &Path) -> Result<Tensor<4>, Failure> {
        let [side, _] = self.network.graph().size();
        self.photo_of(path, side)
    }

    /// A photo as a square of so many pixels: `[1, 3, side, side]`.
    pub fn photo_of(&self, path: &Path, side: usize) -> Result<Tensor<4>, Failure> {
        Ok(picture::load_square(path, side, &self.device)?)
    }

    /// A whole photo whose longer side has so many pixels, or fewer if it has and may: `[1, 3, h, w]`.
    pub fn whole_photo(&self, path: &Path, longest: usize, enlarge: bool) -> Result<Tensor<4>, Failure> {
        let photo = picture::load(path, &self.device)?;
        let [_, _, h, w] = photo.dims();
        let longer = h.max(w);
        Ok(match longer > longest || enlarge {
            true => picture::resize(&photo, [h, w].map(|side| (side * longest).div_ceil(longer)))?,
            false => photo,
        })
    }

    /// A photo that fills `[h, w]` pixels, of which what is too high or too wide is left over: `[1, 3, h, w]` or larger.
    pub fn filling_photo(&self, path: &Path, [h, w]: [usize; 2]) -> Result<Tensor<4>, Failure> {
        let photo = picture::load(path, &self.device)?;
        let [_, _, own_h, own_w] = photo.dims();
        let factor = (h as f64 / own_h as f64).max(w as f64 / own_w as f64);
        let size = [(own_h, h), (own_w, w)].map(|(own, least)| ((own as f64 * factor).round() as usize).max(least));
        Ok(picture::resize(&photo, size)?)
    }

    /// Does the work, writes what it leaves and says so.
    ///
    /// What is done when the user ends it is written, too, and goes on from there with `--resume`.
    pub fn run(
        self,
        options: &impl Serialize,
        work: impl FnOnce(&mut Job<'_>) -> Result<Outcome, Error>,
    ) -> Result<ExitCode, Failure> {
        let Self { args, name, network, device, precision, files } = self;
        let about = json!({ "recipe": name, "model": network.description().sha256, "options": options });
        let unfinished = files.unfinished();
        let watch = Watch::start(args.quiet || args.json);
        let job = Job::new(&network).on(device).with_precision(precision).with_batch(args.batch);
        let job = job.watched(|moment| {
            watch.step(moment.done, moment.expected, moment.value);
            if watch.is_interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if args.resume && !unfinished.exists() {
            let reason = format!("there is nothing to resume: no {}", unfinished.display());
            return Err(Failure::Message(reason, Some("without --resume it starts from the beginning".into())));
        }
        let mut job = job.kept_in(&unfinished, &about, args.resume)?;
        let outcome = work(&mut job).inspect_err(|error| {
            // What cannot be done is no better the next time.
            if !args.resume && !matches!(error, Error::Ended | Error::Unwritable { .. }) {
                job.discard_kept();
            }
        })?;
        let seconds = watch.seconds();
        watch.end();
        let made = Made::new(command_line(), &about);
        let written = files.write(&outcome, &made)?;
        if !job.is_interrupted() {
            job.discard_kept();
        }
        if args.json {
            let mut report = outcome.facts;
            report.insert("recipe".into(), name.into());
            report.insert("model".into(), args.model.clone().into());
            report.insert("seed".into(), args.seed.into());
            report.insert("ending".into(), if job.is_interrupted() { "interrupted" } else { "finished" }.into());
            report.insert("seconds".into(), seconds.into());
            report.insert("files".into(), json!(written));
            print_json(&report)?;
        } else if !args.quiet {
            let mut out = std::io::stdout().lock();
            for file in &written {
                writeln!(out, "{}", file.display())?;
            }
            writeln!(out, "{} in {seconds:.1} s", outcome.summary)?;
        }
        match job.is_interrupted() {
            true => {
                let on = if job.has_kept() { "; the same command with --resume goes on" } else { "" };
                tell(&format!("interrupted; what was done by then was kept{on}"));
                Ok(ExitCode::from(INTERRUPTED))
            }
            false => Ok(ExitCode::SUCCESS),
        }
    }
}

/// A file's name without folder and extension.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The class that a network takes a photo `[1, 3, h, w]` for.
pub fn likeliest(network: &Network, photo: &Tensor<4>) -> Result<Class, Failure> {
    let layer = network.description().classes()?;
    let probabilities = network.activations(photo.clone(), &[layer])?.map(layer)?;
    let likeliest = probabilities.flatten::<1>(0, 3).argmax(0).into_scalar::<i64>();
    Ok(Class::Index(likeliest as usize))
}

/// The units asked for; if there are none, these of the embedded model.
pub fn units(args: &RecipeArgs, given: &[Unit], embedded: &[(&str, usize)]) -> Result<Vec<Unit>, Failure> {
    match given {
        [] if args.model == zoo::DEFAULT => Ok(embedded.iter().map(|&unit| unit.into()).collect()),
        [] => {
            let model = &args.model;
            let hint = format!("`entoptic layers {model}` lists its layers; a unit is LAYER:CHANNEL");
            Err(Failure::Message(format!("units are needed for `{model}`"), Some(hint)))
        }
        given => Ok(given.to_vec()),
    }
}

/// The layers asked for; if there are none, these of the embedded model.
pub fn layers(args: &RecipeArgs, given: &[String], embedded: &[&str]) -> Result<Vec<String>, Failure> {
    match given {
        [] if args.model == zoo::DEFAULT => Ok(embedded.iter().map(|&layer| layer.into()).collect()),
        [] => {
            let model = &args.model;
            let hint = format!("`entoptic layers {model}` lists them");
            Err(Failure::Message(format!("a layer is needed for `{model}`"), Some(hint)))
        }
        given => Ok(given.to_vec()),
    }
}
