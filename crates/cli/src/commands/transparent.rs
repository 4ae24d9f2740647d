use std::{path::Path, process::ExitCode};

use burn::tensor::Tensor;
use entoptic::{
    Error, picture,
    recipe::{
        Job, Transparent, TransparentConfig, TransparentSet, TransparentSetConfig, Unit, backgrounds,
        backgrounds_of_set, sample_sheet,
    },
};

use super::recipe::{Outcome, Recipe, units};
use crate::{args::TransparentArgs, failure::Failure};

/// A unit of the embedded model with a clear outline.
const EMBEDDED: [(&str, usize); 1] = [("fire8", 188)];

/// Pixels of a side of a sample, as in Lucid's notebook.
const SAMPLE: usize = 64;

pub fn run(args: &TransparentArgs, models: &Path) -> Result<ExitCode, Failure> {
    if args.samples {
        let recipe = Recipe::open(&args.recipe, models, "transparent", "samples", &["samples.png"])?;
        let size = recipe.size(SAMPLE, SAMPLE);
        return recipe.run(&("samples", size, args.recipe.seed), |_| {
            Ok(Outcome::new("60 samples").picture("samples.png", sample_sheet(size, args.recipe.seed)?))
        });
    }
    let given: Vec<Unit> = args.unit.iter().cloned().collect();
    let unit = units(&args.recipe, &given, &EMBEDDED)?.remove(0);
    let makes: &[&str] = match (args.backgrounds, args.aligned) {
        (false, None) => &["image.png", "views.png"],
        (true, _) => &["backgrounds.png"],
        (_, Some(_)) => &["aligned.png"],
    };
    let recipe = Recipe::open(&args.recipe, models, "transparent", &unit.to_string(), makes)?;
    let (size, steps, seed) = (recipe.size(128, 64), recipe.steps(512, 64), args.recipe.seed);
    let config = TransparentConfig::new().with_size(size).with_steps(steps).with_seed(seed).with_opaque(args.opaque);
    if let Some(shared) = args.aligned {
        let config = TransparentSetConfig::new()
            .with_size(size)
            .with_steps(steps)
            .with_seed(seed)
            .with_opaque(args.opaque)
            .with_shared(shared);
        return recipe.run(&(&unit, "aligned", &config), |job| {
            let set = TransparentSet::render(job, &unit, &backgrounds_of_set(), &config)?;
            let summary = format!("{} images of {unit} after {steps} steps", set.names.len());
            Ok(Outcome::new(summary).picture("aligned.png", set.picture()).fact("opaque", set.opaque()))
        });
    }
    if args.backgrounds {
        return recipe.run(&(&unit, "backgrounds", &config), |job| on_all(job, &unit, &config));
    }
    recipe.run(&(&unit, &config), |job| {
        let transparent = Transparent::render(job, &unit, &config)?;
        let summary = format!("{unit}, {:.0} % opaque, after {steps} steps", 100.0 * transparent.opaque());
        let outcome = Outcome::new(summary).fact("unit", unit.to_string()).fact("opaque", transparent.opaque());
        Ok(outcome.picture("image.png", transparent.image.clone()).picture("views.png", transparent.picture()))
    })
}

/// One image for each background of the first experiment, or as many as there is time for.
fn on_all(job: &mut Job<'_>, unit: &Unit, config: &TransparentConfig) -> Result<Outcome, Error> {
    let all = backgrounds();
    job.expect(all.len() * config.steps);
    let (mut images, mut names, mut opaque) = (Vec::new(), Vec::new(), Vec::new());
    for (name, background, adversarial) in all {
        let config = TransparentConfig { background, adversarial, ..config.clone() };
        let transparent = Transparent::render(job, unit, &config)?;
        opaque.push(transparent.opaque());
        images.push(Tensor::cat(vec![picture::on_white(transparent.image), transparent.background], 3));
        names.push(name.to_owned());
        if job.is_interrupted() {
            break;
        }
    }
    let labels = picture::Labels { captions: &names, ..picture::Labels::default() };
    let sheet = picture::labeled_grid(&Tensor::cat(images, 0), 2, 4, &labels);
    let summary = format!("{unit} on {} backgrounds after {} steps each", names.len(), config.steps);
    Ok(Outcome::new(summary).picture("backgrounds.png", sheet).fact("opaque", opaque).fact("backgrounds", names))
}
