//! Changes that move pixels, each plane's alike.

use std::{mem::swap, sync::Arc};

use burn::tensor::Tensor;

use super::{rotate::Rotation, window::Window};
use crate::{
    band::Resampling,
    cpu::{self, Operation},
};

/// A linear map of each plane, and what passes for its adjoint.
#[derive(Debug, Clone)]
pub(super) enum Geometry {
    Resampling(Box<Resampling>),
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

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};
    use entoptic_fixtures::{assert_close, value_and_gradient};

    use super::*;
    use crate::band::Band;

    fn window([h, w]: [usize; 2], start: [isize; 2], beyond: f32) -> Geometry {
        Geometry::Window(Window::new([h, w], start, [h + 2, w - 3], beyond))
    }

    fn rotation(size: [usize; 2], degrees: f32) -> Geometry {
        Geometry::Rotation(Rotation::new(size, degrees.to_radians()))
    }

    fn resampling([h, w]: [usize; 2]) -> Geometry {
        let bands = [Band::linear(h, h + 3, |i| 0.8 * i as f64), Band::linear(w, w - 1, |i| 1.1 * i as f64)];
        Geometry::Resampling(Resampling::new([h, w], bands.map(Some)).into())
    }

    /// Chains of maps, each of the size that the one before it makes.
    fn chain(size: [usize; 2], maps: &[&dyn Fn([usize; 2]) -> Geometry]) -> Vec<Geometry> {
        let mut size = size;
        let next = |map: &&dyn Fn([usize; 2]) -> Geometry| {
            let map = map(size);
            [_, size] = map.sizes();
            map
        };
        maps.iter().map(next).collect()
    }

    #[test]
    fn maps_do_what_burns_operations_do_with_the_same_gradient() {
        let device = Device::flex().autodiff();
        for size in [[20, 18], [17, 31], [70, 9]] {
            let chains: Vec<Vec<Geometry>> = vec![
                chain(size, &[&|size| window(size, [0, 0], 0.0)]),
                chain(size, &[&|size| window(size, [-2, 3], 0.5)]),
                chain(size, &[&|size| window(size, [1, -1], 0.5)]),
                chain(size, &[&|size| rotation(size, 7.0)]),
                chain(size, &[&|size| rotation(size, -130.0)]),
                chain(size, &[&|size| rotation(size, 90.0)]),
                chain(size, &[&resampling]),
                chain(
                    size,
                    &[
                        &|size| window(size, [-1, 2], 0.3),
                        &resampling,
                        &|size| rotation(size, 12.0),
                        &|size| rotation(size, 0.0),
                        &|size| window(size, [1, 0], 0.0),
                    ],
                ),
            ];
            for maps in chains {
                let what = format!("{maps:?}");
                let in_burn = |x: Tensor<4>| maps.iter().fold(x, |x, map| map.of(x));
                let [h, w] = size;
                let x = Tensor::<4>::random([2, 3, h, w], Distribution::Default, &device);
                let g = Tensor::<4>::random(in_burn(x.clone()).shape(), Distribution::Default, &device);
                let (expected, slope) = value_and_gradient(x.clone(), g.clone(), in_burn);
                let maps = std::cell::Cell::new(maps.clone());
                let (value, gradient) = value_and_gradient(x, g, |x| apply(maps.take(), x));
                assert_close(&what, value, expected, 1e-6);
                assert_close(&what, gradient, slope, 1e-6);
            }
        }
    }

    #[test]
    fn maps_that_change_nothing_are_left_out() {
        let images = Tensor::<4>::random([1, 2, 5, 6], Distribution::Default, &Device::flex());
        let still = Geometry::Window(Window::new([5, 6], [0, 0], [5, 6], 0.5));
        let same = apply(vec![still, rotation([5, 6], 0.0)], images.clone());
        assert_close("images", same, images, 0.0);
    }
}
