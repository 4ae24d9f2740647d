use std::{path::Path, process::ExitCode};

use entoptic::recipe::{Study, StudyConfig, Unit};

use super::recipe::{Outcome, Recipe, units};
use crate::{args::StudyArgs, failure::Failure};

const EMBEDDED: [(&str, usize); 1] = [("fire8", 188)];

pub fn run(args: &StudyArgs, models: &Path) -> Result<ExitCode, Failure> {
    let given: Vec<Unit> = args.unit.iter().cloned().collect();
    let unit = units(&args.recipe, &given, &EMBEDDED)?.remove(0);
    let makes = ["ends.png", "diversity.png", "regularization.png"];
    let recipe = Recipe::open(&args.recipe, models, "study", &unit.to_string(), &makes)?;
    let config = StudyConfig::new()
        .with_size(recipe.size(128, 64))
        .with_steps(recipe.steps(512, 64))
        .with_seed(args.recipe.seed)
        .with_diverse(args.diverse)
        .with_diversity(args.diversity);
    recipe.run(&(&unit, &config), |job| {
        let study = Study::render(job, &unit, &config)?;
        let outcome = Outcome::new(format!("{unit} after {} steps each", config.steps))
            .picture("ends.png", study.ends_picture())
            .picture("diversity.png", study.diverse_picture())
            .fact("unit", unit.to_string());
        Ok(match study.regularized_picture() {
            Some(picture) => outcome.picture("regularization.png", picture),
            None => outcome,
        })
    })
}
