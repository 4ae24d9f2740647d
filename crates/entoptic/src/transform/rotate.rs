//! Rotation: to the nearest pixel with a gradient of its own, as TensorFlow has it, or between the pixels.

use std::sync::Arc;

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Int, Shape, Tensor, TensorData},
};

use super::geometry::{self, Geometry};
use crate::cpu::Operation;

/// Rotates counterclockwise about the center: nearest pixel, zeros outside, same size.
///
/// The gradient is the inverse rotation of the incoming gradient, again to the nearest pixel. That is not quite the
/// transpose of the rotation, but it is what TensorFlow does, and so Lucid.
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[n, c, h, w]`
///
/// # Reference
/// `tf.contrib.image.rotate`.
pub fn rotate(images: Tensor<4>, radians: f32) -> Tensor<4> {
    let [_, _, h, w] = images.dims();
    geometry::apply(vec![Geometry::Rotation(Rotation::new([h, w], radians))], images)
}

/// The rotation of [`rotate`], and that of its gradient.
#[derive(Debug, Clone)]
pub(super) struct Rotation {
    size: [usize; 2],
    radians: f32,
    forward: Affine,
    backward: Affine,
}

impl Rotation {
    pub fn new(size: [usize; 2], radians: f32) -> Self {
        let [forward, backward] = rotation(radians, size);
        Self { size, radians, forward, backward }
    }

    /// The size `[h, w]` of planes.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    pub fn is_identity(&self) -> bool {
        self.radians == 0.0
    }

    pub fn of(&self, images: Tensor<4>) -> Tensor<4> {
        let [forward, backward] = [self.forward, self.backward].map(|matrix| Arc::new(sources(matrix, self.size)));
        Tensor::from_dispatch(Dispatch::sample_nearest(images.into_dispatch(), forward, backward))
    }
}

impl Operation for Rotation {
    #[inline(always)]
    fn forward(&self, [plane]: [&[f32]; 1], rotated: &mut [f32]) {
        sample_plane(plane, self.forward, self.size, rotated);
    }

    #[inline(always)]
    fn backward(&self, _output: &[f32], gradient: &[f32], [slope]: [&mut [f32]; 1]) {
        sample_plane(gradient, self.backward, self.size, slope);
    }
}

/// How many places are computed before their pixels are read; unlike reading, computing can be vectorized.
const PLACES: usize = 64;

/// The pixels that [`sources`] names, black where it names none.
#[inline(always)]
fn sample_plane(plane: &[f32], matrix: Affine, size @ [_, w]: [usize; 2], output: &mut [f32]) {
    let mut places = [0; PLACES];
    for (y, row) in output.chunks_exact_mut(w).enumerate() {
        for (pixels, first) in row.chunks_mut(PLACES).zip((0..).step_by(PLACES)) {
            sources_in_row(&mut places, [y, first], matrix, size);
            for (pixel, &place) in pixels.iter_mut().zip(&places) {
                *pixel = plane.get(place as usize).copied().unwrap_or(0.0);
            }
        }
    }
}

/// As [`sources`], for the pixels of a row from `[y, x]` on.
#[inline(always)]
fn sources_in_row(places: &mut [u32; PLACES], [y, x]: [usize; 2], [[a, b, c], [d, e, f]]: Affine, [h, w]: [usize; 2]) {
    let (bottom, right) = (h as f32 - 0.5, w as f32 - 0.5);
    let (y, first, w) = (y as f32, x as i32, w as u32);
    for (i, place) in (0..).zip(places) {
        let x = (first + i) as f32;
        let (source_x, source_y) = (a * x + b * y + c, d * x + e * y + f);
        let inside = (source_x > -0.5) & (source_x < right) & (source_y > -0.5) & (source_y < bottom);
        let source = nearest(source_y).wrapping_mul(w).wrapping_add(nearest(source_x));
        *place = if inside { source } else { u32::MAX };
    }
}

/// The whole number nearest to one above -0.5 and below 2^22, the larger of two.
#[inline(always)]
fn nearest(v: f32) -> u32 {
    // 1.5 * 2^23: a sum with it has no fraction, and what is added lies in its lowest bits.
    const ROUNDING: f32 = 12_582_912.0;
    let even = (v + ROUNDING) - ROUNDING;
    let larger = u32::from(v - even == 0.5);
    (even + ROUNDING).to_bits().wrapping_sub(ROUNDING.to_bits()).wrapping_add(larger)
}

/// Rotates counterclockwise about the center: each pixel is made of the four around its place, zeros outside, same
/// size.
///
/// Unlike that of [`rotate`], the gradient is the true one.
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[n, c, h, w]`
///
/// # Reference
/// `tf.contrib.image.rotate` with bilinear interpolation.
pub fn rotate_bilinear(images: Tensor<4>, radians: f32) -> Tensor<4> {
    let [n, c, h, w] = images.dims();
    let [forward, _] = rotation(radians, [h, w]);
    let device = images.device();
    let black = Tensor::zeros([n, c, 1], &device);
    let pixels = Tensor::cat(vec![images.reshape([n, c, h * w]), black], 2);
    let corners = [[0, 0], [0, 1], [1, 0], [1, 1]].map(|corner| {
        let (indices, weights): (Vec<i32>, Vec<f32>) = corners(forward, corner, [h, w]).unzip();
        let indices =
            Tensor::<1, Int>::from_data(TensorData::new(indices, [h * w]), &device.clone().without_autodiff());
        let weights = Tensor::<3>::from_data(TensorData::new(weights, [1, 1, h * w]), &device);
        pixels.clone().select(2, indices) * weights
    });
    let sum = corners.into_iter().reduce(|sum, corner| sum + corner).expect("a square has corners");
    sum.reshape([n, c, h, w])
}

/// For each pixel of the output, one of the four pixels of the input around its place, and how much of it there is.
fn corners(
    [[a, b, c], [d, e, f]]: Affine,
    [below, beside]: [i32; 2],
    [h, w]: [usize; 2],
) -> impl Iterator<Item = (i32, f32)> {
    // Along one axis: the pixel before or behind the place, and one minus the distance to it.
    let along = |place: f32, behind: i32| {
        let pixel = place.floor() + behind as f32;
        (pixel, 1.0 - (place - pixel).abs())
    };
    (0..h).flat_map(move |row| {
        (0..w).map(move |column| {
            let (x, y) = (column as f32, row as f32);
            let (source_y, weight_y) = along(d * x + e * y + f, below);
            let (source_x, weight_x) = along(a * x + b * y + c, beside);
            let inside = (0.0..h as f32).contains(&source_y) && (0.0..w as f32).contains(&source_x);
            let index = if inside { source_y as usize * w + source_x as usize } else { h * w };
            (index as i32, weight_y * weight_x)
        })
    })
}

/// For each pixel of the output its pixel in the input, or the number of pixels where it has none.
type Sources = Arc<Vec<i32>>;

/// The first two rows of an affine map of `(x, y)`.
type Affine = [[f32; 3]; 2];

/// The map from output to input coordinates, and its inverse.
fn rotation(radians: f32, [h, w]: [usize; 2]) -> [Affine; 2] {
    let (sin, cos) = radians.sin_cos();
    let (right, bottom) = ((w - 1) as f32, (h - 1) as f32);
    let x = (right - (cos * right - sin * bottom)) / 2.0;
    let y = (bottom - (sin * right + cos * bottom)) / 2.0;
    let forward = [[cos, -sin, x], [sin, cos, y]];
    [forward, inverse(forward)]
}

/// The inverse map, by elimination with pivoting: in single precision other ways round other ties to other pixels.
fn inverse([first, second]: Affine) -> Affine {
    let swap = second[0].abs() > first[0].abs();
    let ([a, b, c], [d, e, f]) = if swap { (second, first) } else { (first, second) };
    let factor = d / a;
    let (e, f) = (e - factor * b, f - factor * c);
    let solve = |p: f32, q: f32, one: f32| {
        let (p, q) = if swap { (q, p) } else { (p, q) };
        let y = (q - factor * p - f * one) / e;
        ((p - b * y - c * one) / a, y)
    };
    let [(a, d), (b, e), (c, f)] = [solve(1.0, 0.0, 0.0), solve(0.0, 1.0, 0.0), solve(0.0, 0.0, 1.0)];
    [[a, b, c], [d, e, f]]
}

fn sources([[a, b, c], [d, e, f]]: Affine, [h, w]: [usize; 2]) -> Vec<i32> {
    let inside = |v: f32, side: usize| {
        let nearest = v.round(); // half away from zero, as in TensorFlow
        (nearest >= 0.0 && nearest < side as f32).then_some(nearest as usize)
    };
    let source = |y: usize, x: usize| {
        let (x, y) = (x as f32, y as f32);
        Some(inside(d * x + e * y + f, h)? * w + inside(a * x + b * y + c, w)?)
    };
    (0..h).flat_map(|y| (0..w).map(move |x| source(y, x).unwrap_or(h * w) as i32)).collect()
}

#[backend_extension(Autodiff, Flex, Cube: cfg(any(feature = "wgpu", feature = "cuda")))]
pub(crate) trait SampleNearest: Backend {
    fn sample_nearest(images: FloatTensor<Self>, forward: Sources, _backward: Sources) -> FloatTensor<Self> {
        sample::<Self>(images, &forward)
    }
}

impl SampleNearest for Flex {}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
impl SampleNearest for burn::backend::Cube {}

impl<B: SampleNearest, C: CheckpointStrategy> SampleNearest for Autodiff<B, C> {
    fn sample_nearest(images: FloatTensor<Self>, forward: Sources, backward: Sources) -> FloatTensor<Self> {
        let (images, node) = images.into_parts();
        let output = B::sample_nearest(images, forward, backward.clone());
        match SampleNearestBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(backward, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct SampleNearestBackward;

impl<B: Backend> Backward<B, 1> for SampleNearestBackward {
    type State = Sources;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        if let [Some(parent)] = ops.parents {
            gradients.register::<B>(parent.id, sample::<B>(gradient, &ops.state));
        }
    }
}

/// The pixels of `images` `[n, c, h, w]` that `sources` name, with a black one behind the last.
fn sample<B: Backend>(images: FloatTensor<B>, sources: &[i32]) -> FloatTensor<B> {
    let (shape, device, dtype) = (images.shape(), images.device(), images.dtype());
    let [n, c, h, w] = shape.dims::<4>();
    let pixels = B::float_reshape(images, Shape::from([n, c, h * w]));
    let black = B::float_zeros(Shape::from([n, c, 1]), &device, dtype.into());
    let pixels = B::float_cat(vec![pixels, black], 2);
    let indices = B::int_from_data(TensorData::new(sources.to_vec(), [sources.len()]), &device);
    B::float_reshape(B::float_select(pixels, 2, indices), shape)
}
