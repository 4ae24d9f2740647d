use std::{path::Path, process::ExitCode};

use entoptic::recipe::{SemanticDictionary, SemanticDictionaryConfig, SpritemapConfig};

use super::recipe::{Outcome, Recipe, layers, stem};
use crate::{args::DictionaryArgs, failure::Failure};

pub fn run(args: &DictionaryArgs, models: &Path) -> Result<ExitCode, Failure> {
    let given: Vec<String> = args.layer.iter().cloned().collect();
    let layer = layers(&args.recipe, &given, &["fire8"])?.remove(0);
    let name = stem(&args.image);
    let makes = ["dictionary.html", "dictionary.png"];
    let recipe = Recipe::open(&args.recipe, models, "dictionary", &format!("{name} {layer}"), &makes)?;
    let sprites = SpritemapConfig::new()
        .with_size(recipe.size(110, 48))
        .with_steps(recipe.steps(128, 24))
        .with_seed(args.recipe.seed);
    let config = SemanticDictionaryConfig::new().with_top(args.top).with_sprites(sprites);
    let photo = recipe.photo(&args.image)?;
    recipe.run(&(&args.image, &layer, &config), |job| {
        let dictionary = SemanticDictionary::render(job, &photo, &layer, &config)?;
        let [rows, columns] = dictionary.positions;
        let count = dictionary.sprites.channels.len();
        let summary = format!("{rows} x {columns} positions, {count} channels of {layer}");
        let caption = format!("The channels of {layer} that respond most at each position of a photo");
        let outcome = Outcome::new(summary).picture("dictionary.png", dictionary.picture());
        let outcome = outcome.fact("layer", layer.clone()).fact("channels", dictionary.sprites.channels.clone());
        Ok(outcome.page("dictionary.html", format!("Semantic dictionary of {name}"), caption, move |heading| {
            dictionary.page(heading)
        }))
    })
}
