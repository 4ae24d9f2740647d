//! Changes that move pixels, each plane's alike.

use std::{mem::swap, sync::Arc};

use burn::tensor::Tensor;

use super::{rotate::Rotation, window::Window};
use crate::{
    band::Resampling,
    cpu::{self, Operation},
};

/// A linear map of each plane, and what passes for its adjoint.
#[derive(Debug)]
pub(super) enum Geometry {
    Resampling(Resampling),
    Rotation(Rotation),
    Window(Window),
}

impl Geometry {
    /// The size `[h, w]` of planes before and after.
    pub fn sizes(&self) -> [[usize; 2]; 2] {
        match self {
            Self::Resampling(map) => map.sizes(),
            Self::Rotation(map) => [map.size(); 2],
            Self::Window(map) => map.sizes(),
        }
    }

    fn is_identity(&self) -> bool {
        match self {
            Self::Resampling(map) => map.is_identity(),
            Self::Rotation(map) => map.is_identity(),
            Self::Window(map) => map.is_identity(),
        }
    }

    /// In Burn's operations.
    fn of(&self, images: Tensor<4>) -> Tensor<4> {
        let [n, c, h, w] = images.dims();
        match self {
            Self::Resampling(map) => {
                let [_, [to_h, to_w]] = map.sizes();
                map.of(images.reshape([n * c, h, w])).reshape([n, c, to_h, to_w])
            }
            Self::Rotation(map) => map.of(images),
            Self::Window(map) => map.of(images),
        }
    }

    #[inline(always)]
    fn forward(&self, plane: &[f32], output: &mut [f32]) {
        match self {
            Self::Resampling(map) => map.forward([plane], output),
            Self::Rotation(map) => map.forward([plane], output),
            Self::Window(map) => map.forward([plane], output),
        }
    }

    #[inline(always)]
    fn backward(&self, gradient: &[f32], slope: &mut [f32]) {
        match self {
            Self::Resampling(map) => map.backward(&[], gradient, [slope]),
            Self::Rotation(map) => map.backward(&[], gradient, [slope]),
            Self::Window(map) => map.backward(&[], gradient, [slope]),
        }
    }
}

/// Images `[n, c, h, w]` after all of the maps, one after the other.
///
/// On the CPU each plane passes through all of them before the next one does, so that what is in between stays in the
/// cache.
pub(super) fn apply(mut maps: Vec<Geometry>, images: Tensor<4>) -> Tensor<4> {
    maps.retain(|map| !map.is_identity());
    let [n, c, _, _] = images.dims();
    let Some([_, [h, w]]) = maps.last().map(Geometry::sizes) else { return images };
    match cpu::holds(&images) {
        true => cpu::apply(Arc::new(Chain(maps)), images, n * c, [n, c, h, w]),
        false => maps.iter().fold(images, |images, map| map.of(images)),
    }
}

#[derive(Debug)]
struct Chain(Vec<Geometry>);

impl Operation for Chain {
    #[inline(always)]
    fn forward(&self, [plane]: [&[f32]; 1], output: &mut [f32]) {
        let (mut now, mut next) = (Vec::new(), Vec::new());
        for (i, map) in self.0.iter().enumerate() {
            let from = if i == 0 { plane } else { &now };
            let [_, [h, w]] = map.sizes();
            let to = if i + 1 == self.0.len() { &mut *output } else { sized(&mut next, h * w) };
            map.forward(from, to);
            swap(&mut now, &mut next);
        }
    }

    #[inline(always)]
    fn backward(&self, _output: &[f32], gradient: &[f32], [slope]: [&mut [f32]; 1]) {
        let (mut now, mut next) = (Vec::new(), Vec::new());
        for (i, map) in self.0.iter().enumerate().rev() {
            let from = if i + 1 == self.0.len() { gradient } else { &now };
            let [[h, w], _] = map.sizes();
            let to = if i == 0 { &mut *slope } else { sized(&mut next, h * w) };
            map.backward(from, to);
            swap(&mut now, &mut next);
        }
    }
}

#[inline(always)]
fn sized(numbers: &mut Vec<f32>, length: usize) -> &mut [f32] {
    numbers.resize(length, 0.0);
    numbers
}
