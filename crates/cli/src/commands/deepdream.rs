use std::{path::Path, process::ExitCode};

use entoptic::{
    network::zoo,
    objective::Objective,
    recipe::{DeepDream, DeepDreamConfig},
};

use super::recipe::{Outcome, Recipe, stem};
use crate::{args::DeepdreamArgs, failure::Failure};

const EMBEDDED: &str = "deepdream(fire6)";

/// The longest side in pixels, where nobody says another; dreams have more room in large pictures than in the photo.
const LONGEST_SIDE: usize = 512;
const LONGEST_SIDE_QUICK: usize = 192;

pub fn run(args: &DeepdreamArgs, models: &Path) -> Result<ExitCode, Failure> {
    let objective = match &args.objective {
        None if args.recipe.model != zoo::DEFAULT => {
            let hint = format!("such as 'deepdream(LAYER)'; `entoptic layers {}` lists its layers", args.recipe.model);
            let reason = format!("an objective is needed for `{}`", args.recipe.model);
            return Err(Failure::Message(reason, Some(hint)));
        }
        given => given.as_deref().unwrap_or(EMBEDDED).parse::<Objective>().map_err(entoptic::Error::from)?,
    };
    let recipe = Recipe::open(&args.recipe, models, "deepdream", &stem(&args.image), &["dream.png"])?;
    let config = DeepDreamConfig::new()
        .with_octaves(args.octaves)
        .with_scale(args.scale)
        .with_steps(recipe.steps(50, 10))
        .with_seed(args.recipe.seed)
        .with_rate(args.rate);
    let longest = recipe.size(LONGEST_SIDE, LONGEST_SIDE_QUICK);
    let photo = recipe.whole_photo(&args.image, longest, true)?;
    recipe.run(&(&args.image, objective.to_string(), longest, &config), |job| {
        let dream = DeepDream::render(job, &photo, &objective, &config)?;
        let [_, _, h, w] = dream.image.dims();
        let summary = format!("{objective} on {w} x {h} pixels after {} steps at each size", config.steps);
        Ok(Outcome::new(summary).picture("dream.png", dream.image).fact("objective", objective.to_string()))
    })
}
