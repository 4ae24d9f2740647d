//! Small seeded pictures stay what they are.
//!
//! A failure leaves expected, difference and actual side by side in `target/golden`. `UPDATE_GOLDEN=1` accepts new ones.

use std::{env, fs, path::Path};

use burn::tensor::{Device, Tensor};
use entoptic::{
    Run,
    network::zoo,
    param,
    param::{Colors, Parameterization},
    picture, transform,
};

/// The mean difference of two pixels that is put down to rounding: other processors add in another order, and steps of
/// ascent make that larger. A learning rate changed by 2e-6 moves these pictures by 0.0002, another seed by 0.06.
const TOLERANCE: f32 = 0.01;

fn stays_as_it_is(name: &str, run: &Run) {
    let golden = format!("{}/tests/golden/{name}.png", env!("CARGO_MANIFEST_DIR"));
    let network = zoo::squeezenet_v1_1();
    let render = run.render(&network, &Device::flex(), |_| std::ops::ControlFlow::Continue(())).unwrap();
    let actual = render.images().unwrap();
    if env::var_os("UPDATE_GOLDEN").is_some() {
        picture::save(golden.as_ref(), actual, Some(run)).unwrap();
        return;
    }
    assert_eq!(&picture::description(golden.as_ref()).unwrap(), run, "{name}: the picture is of another run");
    let expected = picture::load(golden.as_ref(), &Device::flex()).unwrap();
    let difference = (actual.clone() - expected.clone()).abs();
    let mean: f32 = difference.clone().mean().into_scalar();
    if mean > TOLERANCE {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../golden");
        fs::create_dir_all(&folder).unwrap();
        let failed = folder.join(format!("{name}.png"));
        picture::save(&failed, &Tensor::cat(vec![expected, difference, actual.clone()], 0), None).unwrap();
        panic!("{name}: pixels differ by {mean} in the mean; see {}", failed.display());
    }
}

fn run(objective: &str, size: [usize; 2], steps: usize) -> Run {
    let mut run = Run::new(objective.parse().unwrap(), param::image(size));
    run.render.steps = steps;
    run
}

#[test]
fn a_channel_with_the_defaults() {
    stays_as_it_is("channel", &run("fire3:5", [40, 48], 12));
}

#[test]
fn a_neuron_from_pixels() {
    let mut run = run("neuron(fire2, 9) - 0.5*fire2:3", [33, 31], 12);
    run.param.parameterization = Parameterization::Pixel;
    run.param.colors = Colors::Rgb;
    run.render.transforms = transform::none();
    run.render.seed = 1;
    stays_as_it_is("neuron_from_pixels", &run);
}
