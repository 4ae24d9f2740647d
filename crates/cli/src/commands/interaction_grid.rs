use std::{path::Path, process::ExitCode};

use entoptic::recipe::{InteractionGrid, InteractionGridConfig};

use super::recipe::{Outcome, Recipe, units};
use crate::{args::InteractionGridArgs, failure::Failure};

/// Units of the embedded model that go well together.
const EMBEDDED: [(&str, usize); 4] = [("fire8", 188), ("fire8", 69), ("fire8", 171), ("fire8", 210)];

pub fn run(args: &InteractionGridArgs, models: &Path) -> Result<ExitCode, Failure> {
    let units = units(&args.recipe, &args.units, &EMBEDDED)?;
    let of = units.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let recipe = Recipe::open(&args.recipe, models, "interaction-grid", &of, &["grid.png"])?;
    let config = InteractionGridConfig::new()
        .with_size(recipe.size(128, 64))
        .with_steps(recipe.steps(512, 64))
        .with_seed(args.recipe.seed);
    recipe.run(&(&units, &config), |job| {
        let grid = InteractionGrid::render(job, &units, &config)?;
        let n = units.len();
        let summary = format!("{n} units, {n} x {n} images after {} steps", config.steps);
        let names: Vec<String> = units.iter().map(ToString::to_string).collect();
        Ok(Outcome::new(summary).picture("grid.png", grid.picture()).fact("units", names))
    })
}
