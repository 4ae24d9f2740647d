//! Short runs on a small network, for tests.

use burn::tensor::{Device, Tensor};
use entoptic_network::GradientOverrides;

use crate::{
    Render, RenderConfig,
    chance::{Purpose, draws},
    param::{Param, Prepared},
    transform,
};

/// Few steps, without transforms or overrides.
pub fn few(steps: usize) -> RenderConfig {
    let config = RenderConfig::new().with_steps(steps).with_gradients(GradientOverrides::none());
    config.with_transforms(transform::none())
}

/// What `part` is when a run with seed 0 that optimizes `whole` starts.
pub fn first(whole: &Param, part: &Param) -> Tensor<4> {
    let (prepared, variables) = Prepared::new([whole], &Device::flex(), &mut draws(0, Purpose::Variables));
    prepared.evaluate(&variables, &mut draws(0, Purpose::Noise)).get(part).expect("it is a part")
}

/// How far a part of what was optimized has moved, at most.
pub fn moved(render: &Render, whole: &Param, part: &Param) -> f32 {
    largest(render.params.get(part).expect("it is a part") - first(whole, part))
}

/// The largest absolute value.
pub fn largest<const D: usize>(tensor: Tensor<D>) -> f32 {
    tensor.abs().max().into_scalar()
}
