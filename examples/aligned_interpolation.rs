//! Lucid's notebook *Aligned Feature Visualization Interpolation*: the way from one unit to another.

use entoptic::{
    Error, RenderConfig,
    network::{Network, zoo},
    objective::{Objective, alignment, channel, channel_interpolate},
    param::{Param, ValidRgb, fft_image, image, lowres_tensor, to_valid_rgb},
    picture, render,
};

mod settings;

const NEURON_1: (&str, usize) = ("fire8", 188);
const NEURON_2: (&str, usize) = ("fire8", 476);

/// Optimizes, prints the objective, and keeps the images as a picture and as an animation.
fn show(
    name: &str,
    network: &Network,
    objective: &Objective,
    param: impl Into<Param>,
    steps: usize,
) -> Result<(), Error> {
    let render = render(network, objective, param, &RenderConfig::new().with_steps(steps))?;
    println!("{name}: {steps} {:.4}", render.values.last().expect("there was a step"));
    let images = render.images().expect("it ended well");
    picture::save(format!("interpolation_{name}.png").as_ref(), images, None)?;
    if images.dims()[0] > 2 {
        picture::animate(format!("interpolation_{name}.gif").as_ref(), images, 4.0)?;
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let (w, steps) = settings::size_and_steps(128, 512);
    let network = zoo::squeezenet_v1_1();
    let show = |name: &str, objective: &Objective, param: Param, steps| show(name, &network, objective, param, steps);
    let images = |batch: usize| -> Param { image([w, w]).with_batch(batch).into() };
    let [first, last] = [NEURON_1, NEURON_2].map(|(layer, c)| channel(layer, c));

    // The two units, one after the other, then at once.
    show("first", &first, images(1), steps)?;
    show("last", &last, images(1), steps)?;
    show("both", &(first.clone().batch(0) + last.clone().batch(1)), images(2), steps)?;

    // Five images between them: written out, then by its name.
    let weighted = |i: usize| {
        let weight = i as f64 / 4.0;
        (1.0 - weight) * first.clone().batch(i) + weight * last.clone().batch(i)
    };
    show("written_out", &(0..5).map(weighted).sum(), images(5), steps)?;
    let interpolation = channel_interpolate(NEURON_1, NEURON_2);
    show("unaligned", &interpolation, images(5), 2 * steps)?;

    // One unit five times, from stronger noise: every start looks different.
    let five_times: Objective = (0..5).map(|i| last.clone().batch(i)).sum();
    show("five_starts", &five_times, image([w, w]).with_batch(5).with_sd(0.5).into(), 2 * steps)?;

    // What `image` is made of.
    let rgb = |free: Param| to_valid_rgb(free, ValidRgb::new());
    show("default", &first, rgb(fft_image([1, 3, w, w])), steps)?;

    // Params that images share: the same image six times, a coarse one, and one that blends into another.
    let lowres = |count: usize, k: usize| lowres_tensor([6, 3, w, w], [count, 3, w / k, w / k]);
    show("simple_shared", &interpolation, rgb(lowres(1, 1)), steps)?;
    show("lowres", &interpolation, rgb(lowres(1, 16)), steps)?;
    show("lowres_interpolate", &interpolation, rgb(lowres(2, 16)), steps)?;

    // Several of them, and what is each image's own: things stay where they are.
    let interpolate = || {
        let unique = fft_image([6, 3, w, w]);
        let shared = [lowres(1, 2), lowres(1, 4), lowres(1, 8), lowres(2, 8), lowres(1, 16), lowres(2, 16)];
        rgb(unique + shared.into_iter().sum::<Param>())
    };
    show("interpolate", &interpolation, interpolate(), steps)?;

    // And neighbors that are to be alike.
    let alike = alignment("fire3", 5.0) + alignment("fire5", 5.0);
    show("aligned", &(interpolation + 0.1 * alike), interpolate(), 2 * steps)
}
