//! Pages as their readers meet them: in a browser, with a pointer and a keyboard. Skipped where there is no Chromium.

#[path = "pages/browser.rs"]
mod browser;

use burn::tensor::{Device, Tensor};
use entoptic::{
    network::zoo,
    page::Heading,
    picture,
    recipe::{
        ActivationAtlas, ActivationAtlasConfig, ActivationGrid, ActivationGridConfig, AttributionConfig,
        AttributionFigure, Collected, IconsConfig, Job, NeuronGroups, NeuronGroupsConfig, Score, SemanticDictionary,
        SemanticDictionaryConfig, Spritemap, SpritemapConfig,
    },
    write_text,
};
use entoptic_fixtures::skipped;

/// Lets `script` act on a page, if there is a browser.
fn visit(name: &str, page: &str, script: &str) {
    let Some(browser) = browser::browser() else {
        return skipped(&format!("page {name}"), "no Chromium is on the PATH or $ENTOPTIC_CHROMIUM");
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{name}.html"));
    write_text(&path, page).unwrap();
    let complaints = browser::visit(&browser, &path, script);
    assert!(complaints.is_empty(), "{name}: {complaints:#?}");
}

fn heading() -> Heading {
    Heading {
        title: "A title with <b>marks</b> & \"quotes\"".into(),
        caption: "What it shows".into(),
        command: Some("entoptic spritemap 'a layer'".into()),
    }
}

fn photo(name: &str) -> Tensor<4> {
    let path = format!("{}/../../fixtures/images/{name}.png", env!("CARGO_MANIFEST_DIR"));
    picture::load_square(path.as_ref(), 224, &Device::flex()).unwrap()
}

fn sprites() -> SpritemapConfig {
    SpritemapConfig::new().with_size(40).with_steps(1)
}

#[test]
fn one_can_point_at_an_activation_grid() {
    let network = zoo::squeezenet_v1_1();
    let config = ActivationGridConfig::new().with_size(40).with_steps(2);
    let grid = ActivationGrid::render(&mut Job::new(&network), &photo("cat"), "fire8", &config).unwrap();
    visit("activation_grid", &grid.page(&heading()), include_str!("pages/activation_grid.js"));
}

#[test]
fn one_can_find_and_open_sprites() {
    let network = zoo::squeezenet_v1_1();
    let map = Spritemap::render(&mut Job::new(&network), "fire2", None, &sprites()).unwrap();
    visit("spritemap", &map.page("squeezenet_v1_1", &heading()), include_str!("pages/spritemap.js"));
}

#[test]
fn one_can_point_at_a_semantic_dictionary() {
    let network = zoo::squeezenet_v1_1();
    let config = SemanticDictionaryConfig::new().with_sprites(sprites());
    let dictionary = SemanticDictionary::render(&mut Job::new(&network), &photo("cat"), "fire8", &config).unwrap();
    visit("semantic_dictionary", &dictionary.page(&heading()), include_str!("pages/semantic_dictionary.js"));
}

#[test]
fn one_can_point_at_attributions() {
    let network = zoo::squeezenet_v1_1();
    let scores = [Score::Logit("Egyptian cat".into()), Score::Logit("espresso".into())];
    let config = AttributionConfig::new().with_points(2);
    let job = &mut Job::new(&network);
    let figure = AttributionFigure::render(job, &photo("cat"), "fire8", &scores, &config, 4, &sprites()).unwrap();
    visit("attribution", &figure.page(&heading()), include_str!("pages/attribution.js"));
}

#[test]
fn one_can_point_at_neuron_groups() {
    let network = zoo::squeezenet_v1_1();
    let config = NeuronGroupsConfig::new()
        .with_groups(4)
        .with_icons(IconsConfig::new().with_size(40).with_steps(2).with_attempts(1));
    let scores = [Score::Logit("Egyptian cat".into()), Score::Logit("espresso".into())];
    let groups = NeuronGroups::render(&mut Job::new(&network), &photo("cat"), "fire8", &scores, &config).unwrap();
    visit("neuron_groups", &groups.page(&heading()), include_str!("pages/neuron_groups.js"));
}

#[test]
fn one_can_wander_about_on_an_atlas() {
    let network = zoo::squeezenet_v1_1();
    let icons = IconsConfig::new().with_size(40).with_steps(2).with_attempts(1);
    let config = ActivationAtlasConfig::new().with_grid(6).with_least(1).with_icons(icons);
    let job = &mut Job::new(&network);
    let photos = ["cat", "coffee", "astronaut"].map(|name| Ok(photo(name)));
    let collected = Collected::collect(job, photos, 3, "fire8", &config).unwrap();
    let atlas = ActivationAtlas::render(job, "fire8", &collected, &config).unwrap();
    visit("activation_atlas", &atlas.page(&heading()), include_str!("pages/activation_atlas.js"));
}
