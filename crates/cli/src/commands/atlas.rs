use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use entoptic::recipe::{ActivationAtlas, ActivationAtlasConfig, Collected, IconsConfig};
use serde_json::json;

use super::recipe::{Outcome, Recipe, layers, stem};
use crate::{
    args::AtlasArgs,
    failure::{Failure, tell},
};

pub fn run(args: &AtlasArgs, models: &Path) -> Result<ExitCode, Failure> {
    let given: Vec<String> = args.layer.iter().cloned().collect();
    let layer = layers(&args.recipe, &given, &["fire8"])?.remove(0);
    let photos = photos(&args.folder)?;
    let of = format!("{} {layer}", stem(&args.folder));
    let recipe = Recipe::open(&args.recipe, models, "atlas", &of, &["atlas.html", "atlas.png", "atlas.json"])?;
    let icons = IconsConfig::new()
        .with_size(recipe.size(80, 40))
        .with_steps(recipe.steps(512, 32))
        .with_seed(args.recipe.seed)
        .with_attempts(1)
        .with_cossim_pow(4.0);
    let config = ActivationAtlasConfig::new()
        .with_grid(args.grid)
        .with_least(args.least)
        .with_most(args.most)
        .with_neighbors(args.neighbors)
        .with_seed(args.recipe.seed)
        .with_whiten(args.whiten)
        .with_icons(icons);
    let network = recipe.network();
    let (model, [side, _]) = (network.description().name.clone(), network.graph().size());
    let device = recipe.device().clone();
    // Files that only look like photos do not end a long collection.
    let mut unread = Vec::new();
    recipe.run(&(&args.folder, &layer, &config), |job| {
        let read = photos.iter().filter_map(|path| {
            let photo = entoptic::picture::load_square(path, side, &device);
            photo.map_err(|error| unread.push(error.to_string())).ok().map(Ok)
        });
        let collected = Collected::collect(job, read, photos.len(), &layer, &config)?;
        for error in unread.iter().take(SHOWN) {
            tell(&format!("left out: {error}"));
        }
        if unread.len() > SHOWN {
            tell(&format!("left out: {} more", unread.len() - SHOWN));
        }
        let atlas = ActivationAtlas::render(job, &layer, &collected, &config)?;
        let (cells, count, shown) = (atlas.cells.len(), atlas.layout.len(), photos.len() - unread.len());
        let summary = format!("{cells} cells of {count} activations of {layer} on {shown} photos");
        let caption = format!("What {layer} of {model} tells apart: {count} activations on {shown} photos");
        let outcome = Outcome::new(summary)
            .picture("atlas.png", atlas.picture())
            .numbers("atlas.json", json!({ "layer": layer, "cells": atlas.cells, "layout": atlas.layout }))
            .fact("layer", layer.clone())
            .fact("cells", cells)
            .fact("activations", count)
            .fact("photos", shown);
        let title = format!("Activation atlas of {layer}");
        Ok(outcome.page("atlas.html", title, caption, move |heading| atlas.page(heading)))
    })
}

/// How many files that cannot be read are named.
const SHOWN: usize = 3;

/// The photos of a folder and of those in it, by their names, in order.
fn photos(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |folder: &Path, error: &dyn ToString| {
        Failure::message(format!("cannot read {}: {}", folder.display(), error.to_string()))
    };
    if !folder.is_dir() {
        let reason = if folder.exists() { "it is no folder" } else { "there is no such folder" };
        return Err(unreadable(folder, &reason));
    }
    let (mut folders, mut photos) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            // Links are not followed into folders: they could lead in circles.
            let kind = entry.file_type().map_err(|error| unreadable(&folder, &error))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if is_photo(&entry.path()) {
                photos.push(entry.path());
            }
        }
    }
    photos.sort();
    match photos.is_empty() {
        true => Err(unreadable(folder, &"there is no photo in it: no PNG, JPEG, WebP or GIF")),
        false => Ok(photos),
    }
}

fn is_photo(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    matches!(extension.to_str(), Some("png" | "jpg" | "jpeg" | "webp" | "gif"))
}
