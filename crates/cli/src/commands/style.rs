use std::{path::Path, process::ExitCode};

use entoptic::recipe::{StyleTransfer, StyleTransferConfig};

use super::recipe::{Outcome, Recipe, layers, stem};
use crate::{args::StyleArgs, failure::Failure};

/// Layers of the embedded model.
const CONTENT: [&str; 1] = ["fire5"];
const STYLE: [&str; 5] = ["conv1", "fire2", "fire3", "fire4", "fire6"];

/// Pixels of a side of the picture, where nobody says another; Lucid's notebook has 512.
const SIDE: usize = 384;
const SIDE_QUICK: usize = 128;

/// How much larger the style picture is, of which another part is looked at in each step.
const LARGER: f64 = 1.25;

pub fn run(args: &StyleArgs, models: &Path) -> Result<ExitCode, Failure> {
    let content_layers = layers(&args.recipe, &args.content_layers, &CONTENT)?;
    let style_layers = layers(&args.recipe, &args.style_layers, &STYLE)?;
    let of = format!("{} {}", stem(&args.content), stem(&args.style));
    let recipe = Recipe::open(&args.recipe, models, "style", &of, &["style.png"])?;
    let config = StyleTransferConfig::new()
        .with_steps(recipe.steps(512, 64))
        .with_seed(args.recipe.seed)
        .with_content(args.weight)
        .with_from_photo(args.from_photo);
    let side = recipe.size(SIDE, SIDE_QUICK);
    let content = recipe.whole_photo(&args.content, side, args.recipe.size.is_some())?;
    let [_, _, h, w] = content.dims();
    let style = recipe.filling_photo(&args.style, [h, w].map(|side| (side as f64 * LARGER) as usize))?;
    recipe.run(&(&args.content, &args.style, side, &content_layers, &style_layers, &config), |job| {
        let transfer = StyleTransfer::render(job, &content, &style, &content_layers, &style_layers, &config)?;
        let summary = format!("{w} x {h} pixels after {} steps", config.steps);
        Ok(Outcome::new(summary).picture("style.png", transfer.image))
    })
}
