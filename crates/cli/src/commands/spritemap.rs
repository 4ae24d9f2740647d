use std::{path::Path, process::ExitCode};

use entoptic::recipe::{Spritemap, SpritemapConfig};

use super::recipe::{Outcome, Recipe, layers};
use crate::{args::SpritemapArgs, failure::Failure};

pub fn run(args: &SpritemapArgs, models: &Path) -> Result<ExitCode, Failure> {
    let given: Vec<String> = args.layer.iter().cloned().collect();
    let layer = layers(&args.recipe, &given, &["fire5"])?.remove(0);
    let recipe = Recipe::open(&args.recipe, models, "spritemap", &layer, &["sprites.png", "sprites.html"])?;
    let config = SpritemapConfig::new()
        .with_size(recipe.size(110, 48))
        .with_steps(recipe.steps(128, 24))
        .with_seed(args.recipe.seed)
        .with_negative(args.negative);
    let channels = args.channels.as_ref().map(|channels| &channels.0[..]);
    let model = recipe.network().description().name.clone();
    recipe.run(&(&layer, channels, &config), |job| {
        let spritemap = Spritemap::render(job, &layer, channels, &config)?;
        let count = spritemap.channels.len();
        let summary = format!("{count} channels of {layer} after {} steps each", config.steps);
        let outcome = Outcome::new(summary).picture("sprites.png", spritemap.picture());
        let outcome = outcome.fact("layer", layer.clone()).fact("channels", spritemap.channels.clone());
        let way = if config.negative { "moves" } else { "excites" };
        let down = if config.negative { " down" } else { "" };
        let caption = format!("What {way} each of {count} channels of {layer} of {model} most{down}");
        Ok(outcome.page("sprites.html", format!("Channels of {layer}"), caption, move |heading| {
            spritemap.page(&model, heading)
        }))
    })
}
