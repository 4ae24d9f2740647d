//! Lucid's notebook *Activation Grids*: what a layer makes of a photo, at each position.

use burn::tensor::{Device, Tensor, s};
use entoptic::{
    Error, RenderConfig,
    network::{GradientOverrides, Network, zoo},
    objective::direction,
    param::{ValidRgb, constant, fft_image, image, random_choice, to_valid_rgb},
    picture,
    reducer::{Algorithm, NmfConfig},
    render,
};

mod settings;

/// The activation vectors of a photo, `[n, c]`, and how many of them stand in a row.
fn activations(photo: &Tensor<4>, network: &Network, layer: &str) -> Result<(Tensor<2>, usize), Error> {
    let acts = network.activations(photo.clone(), &[layer])?.map(layer)?;
    let [_, c, rows, columns] = acts.dims();
    Ok((acts.permute([0, 2, 3, 1]).reshape([rows * columns, c]), columns))
}

/// The icons without their borders, each where its activations are.
fn grid(icons: &Tensor<4>, columns: usize) -> Result<Tensor<4>, Error> {
    picture::grid(&icons.clone().slice(s![.., .., 2..-2, 2..-2]), columns, 0)
}

fn very_naive(photo: &Tensor<4>, network: &Network, layer: &str, w: usize, steps: usize) -> Result<Tensor<4>, Error> {
    let (acts_flat, columns) = activations(photo, network, layer)?;
    let [n, _] = acts_flat.dims();
    // One direction for each image of the batch.
    let objective = n as f64 * direction(layer, &acts_flat, 0.0);
    let render = render(network, &objective, image([w, w]).with_batch(n), &RenderConfig::new().with_steps(steps))?;
    grid(render.images().expect("it ended well"), columns)
}

fn less_naive(photo: &Tensor<4>, network: &Network, layer: &str, w: usize, steps: usize) -> Result<Tensor<4>, Error> {
    let (n_groups, batch_size) = (6, 64);
    let (acts_flat, columns) = activations(photo, network, layer)?;
    let [n, c] = acts_flat.dims();

    // Images for similar activations share what their groups are made of.
    let (_, groups) = NmfConfig::new(n_groups).fit_transform(acts_flat.clone())?;
    let groups = groups.clone() / groups.max_dim(0);
    let group_imgs_raw = fft_image([n_groups, 3, w, w]);
    let unique_imgs_raw = fft_image([n, 3, w, w]);
    let opt_imgs = to_valid_rgb(0.7 * unique_imgs_raw + 0.5 * group_imgs_raw.combine(&groups), ValidRgb::new());

    // A random batch at each step: images, and the activations that they are for.
    let rand_inds = random_choice(n, batch_size);
    let pres_imgs = opt_imgs.gather(&rand_inds);
    let pres_acts = constant(&acts_flat.reshape([n, c, 1, 1])).gather(&rand_inds);
    let objective = batch_size as f64 * direction(layer, &pres_acts, 0.0);

    let config = RenderConfig::new().with_steps(steps - 1).with_gradients(GradientOverrides::none());
    let render = render(network, &objective, pres_imgs, &config)?;
    grid(&render.params.get(&opt_imgs).expect("the batch is drawn from them"), columns)
}

fn main() -> Result<(), Error> {
    let (w, steps) = settings::size_and_steps(48, 1024);
    let network = zoo::squeezenet_v1_1();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/cat.png");
    let photo = picture::load_square(file.as_ref(), 224, &Device::flex())?;
    picture::save("activation_grid_naive.png".as_ref(), &very_naive(&photo, &network, "fire7", w, steps)?, None)?;
    picture::save("activation_grid.png".as_ref(), &less_naive(&photo, &network, "fire7", w, steps)?, None)
}
