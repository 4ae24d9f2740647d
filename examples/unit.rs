//! The image that one channel responds to most, minus what excites a neuron of an earlier layer.

use entoptic::{
    Error, RenderConfig,
    network::zoo,
    objective::{channel, neuron},
    param, picture, render,
};

fn main() -> Result<(), Error> {
    let network = zoo::squeezenet_v1_1();
    let objective = channel("fire8", 188) - 0.5 * neuron("fire4", 10);
    let config = RenderConfig::new().with_steps(512).with_seed(7);
    let render = render(&network, &objective, param::image([128, 128]), &config)?;
    picture::save("unit.png".as_ref(), render.images().expect("the run went well"), None)
}
