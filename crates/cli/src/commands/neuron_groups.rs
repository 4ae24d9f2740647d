use std::{path::Path, process::ExitCode};

use entoptic::recipe::{IconsConfig, NeuronGroups, NeuronGroupsConfig, Score};

use super::recipe::{Outcome, Recipe, layers, likeliest, stem};
use crate::{args::NeuronGroupsArgs, failure::Failure};

pub fn run(args: &NeuronGroupsArgs, models: &Path) -> Result<ExitCode, Failure> {
    let given: Vec<String> = args.layer.iter().cloned().collect();
    let layer = layers(&args.recipe, &given, &["fire8"])?.remove(0);
    let name = stem(&args.image);
    let makes = ["groups.html", "groups.png"];
    let recipe = Recipe::open(&args.recipe, models, "neuron-groups", &format!("{name} {layer}"), &makes)?;
    let icons =
        IconsConfig::new().with_size(recipe.size(80, 48)).with_steps(recipe.steps(128, 24)).with_seed(args.recipe.seed);
    let config = NeuronGroupsConfig::new().with_groups(args.groups).with_icons(icons);
    let photo = recipe.photo(&args.image)?;
    let classes = match &args.classes[..] {
        [] => vec![likeliest(recipe.network(), &photo)?],
        classes => classes.to_vec(),
    };
    let scores: Vec<Score> = classes.into_iter().map(Score::Logit).collect();
    recipe.run(&(&args.image, &layer, format!("{scores:?}"), &config), |job| {
        let groups = NeuronGroups::render(job, &photo, &layer, &scores, &config)?;
        let caption = format!("Channels of {layer} that respond together, and what classes owe to them");
        let outcome = Outcome::new(format!("{} groups of {layer}", config.groups))
            .picture("groups.png", groups.picture())
            .fact("layer", layer.clone())
            .fact("scores", groups.names.clone())
            .fact("effects", groups.effects.clone());
        Ok(outcome
            .page("groups.html", format!("Neuron groups of {name}"), caption, move |heading| groups.page(heading)))
    })
}
