//! Lucid's notebook *Neuron Interaction Grids*: every unit beside every other, with the same things at the same places.

use burn::tensor::{Tensor, s};
use entoptic::{
    Error, RenderConfig,
    network::{GradientOverrides, zoo},
    objective::{Objective, blur_input_each_step, channel, neuron},
    param::{ValidRgb, fft_image, lowres_tensor, stack, to_valid_rgb},
    picture, render,
};

mod settings;

fn neuron_interaction_grid(neurons: &[(&str, usize)], w: usize, steps: usize) -> Result<Tensor<4>, Error> {
    let n = neurons.len();
    let shared = fft_image([1, 3, w, w]) + lowres_tensor([1, 3, w, w], [1, 3, w / 4, w / 4]);
    let pure = fft_image([n, 3, w, w]);
    let blend = fft_image([n * n, 3, w, w]);
    // A unit alone is optimized for itself; next to another it only gives its look.
    let pure_mix = |i: usize, j: usize| {
        let mix = (pure.image(i) + pure.image(j)) / 2.0;
        if i == j { mix } else { mix.stop_gradient() }
    };
    let get_blend = |i: usize, j: usize| if i == j { pure.image(i) } else { blend.image(n * i.min(j) + i.max(j)) };
    let pairs = || (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
    let combined = pairs().map(|(i, j)| pure_mix(i, j) + get_blend(i, j) + 2.0 * shared.clone());
    let images = to_valid_rgb(0.5 * stack(combined), ValidRgb::new());

    let responds =
        |(layer, c): (&str, usize), image: usize| 0.2 * channel(layer, c).batch(image) + neuron(layer, c).batch(image);
    let both = |(i, j): (usize, usize)| responds(neurons[i], n * i + j) + responds(neurons[j], n * i + j);
    let objective = pairs().map(both).sum::<Objective>() - 10.0 * blur_input_each_step();

    let config = RenderConfig::new().with_steps(steps - 1).with_gradients(GradientOverrides::none());
    let render = render(&zoo::squeezenet_v1_1(), &objective, images, &config)?;
    let result = render.images().expect("it ended well").clone();
    let [before, after] = [15, 25].map(|pixels| pixels * w / 128);
    picture::grid(&result.slice(s![.., .., before..w - after, before..w - after]), n, 0)
}

fn main() -> Result<(), Error> {
    let (size, steps) = settings::size_and_steps(128, 512);
    let neurons = [("fire8", 188), ("fire8", 69), ("fire8", 171), ("fire8", 210)];
    let grid = neuron_interaction_grid(&neurons, size, steps)?;
    picture::save("interaction_grid.png".as_ref(), &grid, None)
}
