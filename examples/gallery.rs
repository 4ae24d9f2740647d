//! Two contact sheets: one unit under every parameterization, and one picture for every objective.
//!
//! `docs/gallery/units.md` says what is where; `cargo run --release -p entoptic --example gallery` makes it again.

use std::{ops::ControlFlow, path::Path};

use burn::tensor::{Device, Tensor};
use entoptic::{
    Error, Run,
    network::{Network, zoo},
    objective::{Objective, input_diff},
    param::{self, Colors},
    picture,
};

/// The side of a picture, the columns of a sheet and the white between pictures.
const SIDE: usize = 128;
const COLUMNS: usize = 6;
const MARGIN: usize = 4;

const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/cat.png");
const STYLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/coffee.png");

fn main() -> Result<(), Error> {
    let network = zoo::squeezenet_v1_1();
    let folder = Path::new("docs/images");
    sheet(&network, &params(), &folder.join("params.png"))?;
    sheet(&network, &objectives(), &folder.join("objectives.png"))
}

/// One unit under every parameterization.
fn params() -> Vec<Run> {
    let unit = |param: &str, rate: f64| {
        let mut run = run("fire8:188");
        run.param.parameterization = param.parse().expect("it is in the catalog");
        run.render.optimizer.set_learning_rate(rate);
        run
    };
    let with = |mut run: Run, change: fn(&mut Run)| {
        change(&mut run);
        run
    };
    vec![
        unit("fourier", 0.05),
        unit("fourier(1.5)", 0.05),
        unit("pixel", 0.05),
        unit("pyramid", 0.05),
        unit("lowres(4)", 0.05),
        unit("maco", 0.2),
        unit("cppn", 0.005),
        unit("cppn(activation=unbiased)", 0.005),
        with(unit("fourier", 0.05), |run| run.param.colors = Colors::Rgb),
        with(unit("fourier", 0.05), |run| run.param.colors = Colors::Gray),
        with(unit("fourier", 0.05), |run| {
            run.param.alpha = true;
            run.render.transforms = "standard collapse_alpha_random(0.5)".parse().expect("it is in the catalog");
        }),
        with(unit("fourier", 0.01), |run| run.init = Some(PHOTO.into())),
        with(unit("ball(l_inf, 0.1)", 0.05), |run| run.init = Some(PHOTO.into())),
    ]
}

/// One picture, or as many as it compares, for every objective.
fn objectives() -> Vec<Run> {
    let batch = |objective: &str, batch: usize| {
        let mut run = run(objective);
        run.param.batch = batch;
        run
    };
    let beside = |objective: &str, photo: &str| {
        let mut run = run(objective);
        run.references.push(photo.into());
        run
    };
    let photo =
        picture::load_sized(PHOTO.as_ref(), [SIDE, SIDE], &Device::flex()).expect("the photo is in the repository");
    let mut near_photo = run("fire8:188");
    near_photo.objective = near_photo.objective - 1000.0 * input_diff(&photo);
    let mut with_alpha = run("fire8:188 - 0.1*blur_alpha_each_step");
    with_alpha.param.alpha = true;
    with_alpha.render.transforms = "standard collapse_alpha_random".parse().expect("it is in the catalog");
    // Two channels of fire7/squeeze1x1 at once.
    let channels: Vec<&str> = (0..48).map(|c| if c == 5 || c == 30 { "1" } else { "0" }).collect();
    let direction = format!("[{}]", channels.join(", "));
    let tensor = format!("[{}]", channels.iter().map(|c| format!("[[{c}, {c}]]")).collect::<Vec<_>>().join(", "));
    vec![
        run("fire8:188"),
        run("neuron(fire8, 188)"),
        run("layer(fire7)"),
        run("deepdream(fire7)"),
        run(&format!("direction(fire7/squeeze1x1, {direction}, cossim_pow=1)")),
        run(&format!("direction_neuron(fire7/squeeze1x1, {direction})")),
        run(&format!("tensor_direction(fire7/squeeze1x1, {tensor})")),
        run(&format!("direction_neuron_s(fire7/squeeze1x1, {direction}, cossim_pow=2)")),
        run("class_logit(logits, \"goldfish\")"),
        run("-abs(fire8:188 - 30)"),
        run("channel(fire8, 188, mask=[[1, 0], [0, 0]])"),
        run("fire8:188 * fire8:3"),
        batch("channel_interpolate(fire8, 188, fire8, 3)", 3),
        batch("channel_interpolate(fire8, 188, fire8, 3) + 0.1*alignment(fire3, decay_ratio=5)", 3),
        batch("fire8:188", 3),
        batch("fire8:188 - 100*diversity(fire8)", 3),
        beside("dot_compare(fire5, cossim_pow=1)", PHOTO),
        beside("dot_compare(fire8)", PHOTO),
        beside("-style(fire2, 0, batch=1) - style(fire4, 0, batch=1)", STYLE),
        run("fire8:188 - 0.002*total_variation(input)"),
        run("fire8:188 - 0.01*l1(input, constant=0.5)"),
        run("fire8:188 - 3*l2(input, constant=0.5)"),
        run("fire8:188 - 10*blur_input_each_step"),
        run("fire8:188 + 0.05*penalize_boundary_complexity(width=32)"),
        near_photo,
        with_alpha,
    ]
}

/// The run of an objective with Lucid's defaults.
fn run(objective: &str) -> Run {
    let objective: Objective = objective.parse().unwrap_or_else(|error| panic!("{error}"));
    Run::new(objective, param::image([SIDE, SIDE]))
}

/// All images of all runs in one picture.
fn sheet(network: &Network, runs: &[Run], path: &Path) -> Result<(), Error> {
    let mut images = Vec::new();
    for run in runs {
        let render = run.render(network, &Device::flex(), |_| ControlFlow::Continue(()))?;
        println!("{:.80} of {}: {:.3}", run.objective.to_string(), run.param.parameterization, render.final_value);
        let made = render.images().expect("the run went well").clone();
        images.push(if made.dims()[1] == 4 { picture::on_white(made) } else { made });
    }
    let grid = picture::grid(&Tensor::cat(images, 0), COLUMNS, MARGIN)?;
    picture::save(path, &grid, None)
}
