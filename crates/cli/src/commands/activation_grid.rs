use std::{path::Path, process::ExitCode};

use entoptic::recipe::{ActivationGrid, ActivationGridConfig};

use super::recipe::{Outcome, Recipe, layers, stem};
use crate::{args::ActivationGridArgs, failure::Failure};

pub fn run(args: &ActivationGridArgs, models: &Path) -> Result<ExitCode, Failure> {
    let given: Vec<String> = args.layer.iter().cloned().collect();
    let layer = layers(&args.recipe, &given, &["fire7"])?.remove(0);
    let name = stem(&args.image);
    let recipe =
        Recipe::open(&args.recipe, models, "activation-grid", &format!("{name} {layer}"), &["grid.png", "grid.html"])?;
    let config = match args.naive {
        true => ActivationGridConfig::naive(),
        false => ActivationGridConfig::new().with_groups(args.groups).with_at_once(Some(args.at_once)),
    };
    let config = config.with_size(recipe.size(48, 32)).with_steps(recipe.steps(1024, 64)).with_seed(args.recipe.seed);
    let photo = recipe.photo(&args.image)?;
    recipe.run(&(&args.image, &layer, &config), |job| {
        let grid = ActivationGrid::render(job, &photo, &layer, &config)?;
        let [rows, columns] = grid.positions;
        let summary = format!("{rows} x {columns} icons of {layer} after {} steps", config.steps);
        let caption = format!("What {layer} of {} makes of a photo, at each position", args.recipe.model);
        let outcome = Outcome::new(summary).picture("grid.png", grid.picture());
        let outcome = outcome.fact("layer", layer.clone()).fact("positions", vec![rows, columns]);
        let title = format!("Activation grid of {name}");
        Ok(outcome.page("grid.html", title, caption, move |heading| grid.page(heading)))
    })
}
