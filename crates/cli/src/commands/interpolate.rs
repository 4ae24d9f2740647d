use std::{path::Path, process::ExitCode};

use entoptic::recipe::{Interpolation, InterpolationConfig, Unit};

use super::recipe::{Outcome, Recipe, units};
use crate::{args::InterpolateArgs, failure::Failure};

/// Units of the embedded model that look different and have something in common.
const EMBEDDED: [(&str, usize); 2] = [("fire8", 188), ("fire8", 476)];

pub fn run(args: &InterpolateArgs, models: &Path) -> Result<ExitCode, Failure> {
    let units = units(&args.recipe, &args.units, &EMBEDDED)?;
    let [from, to]: &[Unit; 2] =
        units.as_slice().try_into().map_err(|_| entoptic::Error::TooFewUnits { found: units.len() })?;
    let makes = ["frames.png", "loop.gif", "sprites.png"];
    let recipe = Recipe::open(&args.recipe, models, "interpolate", &format!("{from} {to}"), &makes)?;
    let config = InterpolationConfig::new()
        .with_size(recipe.size(128, 64))
        .with_frames(args.frames)
        .with_steps(recipe.steps(512, 64))
        .with_seed(args.recipe.seed)
        .with_shared(args.share.into())
        .with_align(args.align.clone())
        .with_alignment(args.alignment);
    recipe.run(&(&units, &config), |job| {
        let interpolation = Interpolation::render(job, from, to, &config)?;
        let summary = format!("{} frames from {from} to {to} after {} steps", config.frames, config.steps);
        let outcome = Outcome::new(summary)
            .picture("frames.png", interpolation.picture())
            .animation("loop.gif", interpolation.there_and_back())
            .picture("sprites.png", interpolation.sprites());
        Ok(outcome.fact("units", vec![from.to_string(), to.to_string()]).fact("final_value", interpolation.value))
    })
}
