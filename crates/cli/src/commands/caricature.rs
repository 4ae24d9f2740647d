use std::{path::Path, process::ExitCode};

use entoptic::recipe::{Caricature, CaricatureConfig};

use super::recipe::{Outcome, Recipe, layers, stem};
use crate::{args::CaricatureArgs, failure::Failure};

/// Layers of the embedded model, from textures to things.
const EMBEDDED: [&str; 4] = ["fire3", "fire5", "fire7", "fire9"];

pub fn run(args: &CaricatureArgs, models: &Path) -> Result<ExitCode, Failure> {
    let layers = layers(&args.recipe, &args.layers, &EMBEDDED)?;
    let name = stem(&args.image);
    let recipe = Recipe::open(&args.recipe, models, "caricature", &name, &["caricature.png"])?;
    let config = CaricatureConfig::new()
        .with_steps(recipe.steps(512, 64))
        .with_seed(args.recipe.seed)
        .with_cossim_pow(args.cossim);
    let [side, _] = recipe.network().graph().size();
    let photo = recipe.photo_of(&args.image, recipe.size(side, 112))?;
    recipe.run(&(&args.image, &layers, &config), |job| {
        let caricature = Caricature::render(job, &photo, &layers, &config)?;
        let summary = format!("{} layers after {} steps", layers.len(), config.steps);
        Ok(Outcome::new(summary).picture("caricature.png", caricature.picture()).fact("layers", layers.clone()))
    })
}
