use std::{path::Path, process::ExitCode};

use burn::tensor::Tensor;
use entoptic::{
    Error,
    network::Network,
    objective::Class,
    picture,
    recipe::{AttributionConfig, AttributionFigure, Job, Score, SpritemapConfig, spatial_attribution},
};
use serde_json::json;

use super::recipe::{Outcome, Recipe, layers, likeliest, stem};
use crate::{args::AttributeArgs, failure::Failure};

pub fn run(args: &AttributeArgs, models: &Path) -> Result<ExitCode, Failure> {
    let given: Vec<String> = args.layer.iter().cloned().collect();
    let layer = layers(&args.recipe, &given, &["fire8"])?.remove(0);
    let name = stem(&args.image);
    let makes: &[&str] = match args.to {
        Some(_) => &["positions.png", "positions.json"],
        None => &["attribution.html", "attribution.png", "attribution.json"],
    };
    let recipe = Recipe::open(&args.recipe, models, "attribute", &format!("{name} {layer}"), makes)?;
    let photo = recipe.photo(&args.image)?;
    if let Some(to) = &args.to {
        return recipe.run(&(&args.image, &layer, to), |job| positions(job, &photo, &layer, to));
    }
    let classes = match &args.classes[..] {
        [] => vec![likeliest(recipe.network(), &photo)?],
        classes => classes.to_vec(),
    };
    let score = |class: &Class| match &args.against {
        Some(other) => Score::Difference(class.clone(), other.clone()),
        None => Score::Logit(class.clone()),
    };
    let scores: Vec<Score> = classes.iter().map(score).collect();
    names(recipe.network(), &scores)?;
    let config = AttributionConfig::new().with_points(args.points).with_smooth(args.smooth);
    let sprites = SpritemapConfig::new()
        .with_size(recipe.size(110, 48))
        .with_steps(recipe.steps(128, 24))
        .with_seed(args.recipe.seed);
    recipe.run(&(&args.image, &layer, format!("{scores:?}"), &config, &sprites), |job| {
        let figure = AttributionFigure::render(job, &photo, &layer, &scores, &config, args.top, &sprites)?;
        let title = format!("Attribution of {name}");
        let caption = format!("What {} owes to the channels and positions of {layer}", figure.names.join(", "));
        let numbers = figure.attributions.iter().zip(&figure.names).map(|(own, name)| {
            json!({
                "score": name,
                "value": own.score,
                "without_activations": own.baseline,
                "sum": own.sum(),
                "channels": own.channels(),
                "positions": own.positions(),
            })
        });
        let numbers: Vec<_> = numbers.collect();
        let told = |own: &entoptic::recipe::Attribution, name: &String| {
            let change = own.score - own.baseline;
            format!("{name}: {:.3}, of which {layer} brings {change:+.3}, attributed {:+.3}", own.score, own.sum())
        };
        let summary: Vec<String> =
            figure.attributions.iter().zip(&figure.names).map(|(own, name)| told(own, name)).collect();
        let outcome = Outcome::new(summary.join("\n"))
            .picture("attribution.png", figure.picture())
            .numbers("attribution.json", json!({ "layer": layer, "scores": numbers }))
            .fact("layer", layer.clone())
            .fact("scores", figure.names.clone());
        Ok(outcome.page("attribution.html", title, caption, move |heading| figure.page(heading)))
    })
}

/// Whether the network knows the classes.
fn names(network: &Network, scores: &[Score]) -> Result<(), Error> {
    scores.iter().try_for_each(|score| score.name(network).map(drop))
}

/// What each position of a later layer owes to those of an earlier one.
fn positions(job: &mut Job<'_>, photo: &Tensor<4>, from: &str, to: &str) -> Result<Outcome, Error> {
    let effects = spatial_attribution(job, photo, from, to)?;
    let [h, w, from_h, from_w] = effects.dims();
    let values: Vec<f32> = effects.try_into_vec_as().expect("attributions are f32");
    let side = TILE.max(from_h).max(from_w);
    let small = picture::resize(photo, [side, side])?;
    let tiles = values.chunks_exact(from_h * from_w);
    let overlays: Vec<Tensor<4>> = tiles.map(|own| picture::heat_overlay(&small, own, [from_h, from_w])).collect();
    let sheet = picture::grid(&Tensor::cat(overlays, 0), w, 2)?;
    let summary = format!("{h} x {w} positions of {to}, each from {from_h} x {from_w} of {from}");
    let numbers = json!({ "from": from, "to": to, "shape": [h, w, from_h, from_w], "values": values });
    Ok(Outcome::new(summary).picture("positions.png", sheet).numbers("positions.json", numbers))
}

/// Pixels of a side of the photo below each position's overlay.
const TILE: usize = 56;
