//! Operations that are loops over slices, where tensors lie in the CPU's memory.
//!
//! What has such an operation is made of Burn's operations too, for all other devices: it asks [`holds`] which to take.

mod extension;

use std::{array::from_fn, fmt::Debug, sync::Arc};

use burn::{
    backend::{Dispatch, Flex},
    tensor::{DType, Device, Shape, Tensor},
};
use pulp::{Arch, Simd, WithSimd};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use self::extension::{OnSlices, OnTensor, filled, numbers};

/// A differentiable function of one part of a tensor, such as a plane, to one part of another.
///
/// It is compiled for each kind of vector instructions, as far as it and all it calls are `#[inline(always)]`. What it is
/// given can lie in `SLICES` places, such as real and imaginary parts.
pub(crate) trait Operation<const SLICES: usize = 1>: Debug + Send + Sync + 'static {
    /// Whether [`backward`](Self::backward) reads the output.
    const READS_OUTPUT: bool = false;

    /// Computes all of the output.
    fn forward(&self, input: [&[f32]; SLICES], output: &mut [f32]);

    /// Computes all of the slope, the gradient with respect to the input, from that with respect to the output. The
    /// output is empty unless it is read.
    fn backward(&self, output: &[f32], gradient: &[f32], slope: [&mut [f32]; SLICES]);
}

/// Whether a tensor is one that [`apply`] and [`combine`] take: of single precision, on the CPU.
pub(crate) fn holds<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.device() == Device::flex() && tensor.dtype() == DType::F32
}

/// What an operation makes of each of `parts` parts of a tensor, on several threads if that is worth it.
///
/// # Shapes
/// - input: `[SLICES, parts, ..]` in the order of its axes
/// - value: `shape`, `[parts, ..]` in the order of its axes
pub(crate) fn apply<const SLICES: usize, const D: usize, const E: usize>(
    operation: Arc<impl Operation<SLICES>>,
    input: Tensor<D>,
    parts: usize,
    shape: [usize; E],
) -> Tensor<E> {
    let operation = Arc::new(OnParts { operation, parts });
    Tensor::from_dispatch(Dispatch::on_slices(input.into_dispatch(), operation, Shape::from(shape)))
}

/// What `function` makes of two tensors of one shape; there is no gradient.
pub(crate) fn combine<const D: usize>(
    a: Tensor<D>,
    b: Tensor<D>,
    function: impl FnOnce(&[f32], &[f32], &mut [f32]),
) -> Tensor<D> {
    let shape = a.shape();
    let [a, b] = [a, b].map(|tensor| tensor.try_into_primitive::<Flex>().expect("it is on the CPU").to_contiguous());
    Tensor::from_primitive::<Flex>(filled(shape, |output| function(numbers(&a), numbers(&b), output)))
}

/// How many numbers it takes to keep a thread busy for longer than it takes to wake it.
const WORTH_A_THREAD: usize = 1 << 17;

/// An operation on each part.
#[derive(Debug)]
struct OnParts<O, const SLICES: usize> {
    operation: Arc<O>,
    parts: usize,
}

impl<O: Operation<SLICES>, const SLICES: usize> OnParts<O, SLICES> {
    /// Part `i` of one of `slices`.
    fn part<'a>(&self, numbers: &'a [f32], [slice, slices]: [usize; 2], i: usize) -> &'a [f32] {
        let length = numbers.len() / (slices * self.parts);
        &numbers[(slice * self.parts + i) * length..][..length]
    }

    /// Does the work for each of some parts, which hold so many numbers together.
    fn each<T: Send>(numbers: usize, parts: Vec<T>, work: impl Fn(usize, T) + Sync) {
        match numbers < WORTH_A_THREAD {
            true => parts.into_iter().enumerate().for_each(|(i, part)| work(i, part)),
            false => parts.into_par_iter().enumerate().for_each(|(i, part)| work(i, part)),
        }
    }
}

impl<O: Operation<SLICES>, const SLICES: usize> OnTensor for OnParts<O, SLICES> {
    fn reads_output(&self) -> bool {
        O::READS_OUTPUT
    }

    fn forward(&self, input: &[f32], output: &mut [f32]) {
        let (operation, count) = (&*self.operation, output.len());
        let outputs = output.chunks_exact_mut((count / self.parts.max(1)).max(1));
        Self::each(count, outputs.collect(), |i, output| {
            let input = from_fn(|slice| self.part(input, [slice, SLICES], i));
            Arch::new().dispatch(Forward { operation, input, output });
        });
    }

    fn backward(&self, output: &[f32], gradient: &[f32], slope: &mut [f32]) {
        let (operation, count) = (&*self.operation, slope.len());
        let length = (count / (SLICES * self.parts).max(1)).max(1);
        let slices = slope.chunks_exact_mut(length * self.parts.max(1));
        let mut slices: Vec<_> = slices.map(|slice| slice.chunks_exact_mut(length)).collect();
        let mut slope = || from_fn(|slice| slices[slice].next().expect("a part of each slice"));
        let slopes = if count == 0 { Vec::new() } else { (0..self.parts).map(|_| slope()).collect() };
        Self::each(count, slopes, |i, slope| {
            let [output, gradient] = [output, gradient].map(|numbers| self.part(numbers, [0, 1], i));
            Arch::new().dispatch(Backward { operation, output, gradient, slope });
        });
    }
}

struct Forward<'a, O, const SLICES: usize> {
    operation: &'a O,
    input: [&'a [f32]; SLICES],
    output: &'a mut [f32],
}

impl<O: Operation<SLICES>, const SLICES: usize> WithSimd for Forward<'_, O, SLICES> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.operation.forward(self.input, self.output);
    }
}

struct Backward<'a, O, const SLICES: usize> {
    operation: &'a O,
    output: &'a [f32],
    gradient: &'a [f32],
    slope: [&'a mut [f32]; SLICES],
}

impl<O: Operation<SLICES>, const SLICES: usize> WithSimd for Backward<'_, O, SLICES> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.operation.backward(self.output, self.gradient, self.slope);
    }
}

#[cfg(test)]
mod tests {
    use entoptic_fixtures::{assert_close, value_and_gradient};

    use super::*;

    /// Of a part of two numbers, `exp(x + y)` where x is the other one of the first slice.
    #[derive(Debug)]
    struct ExpOfSum;

    impl Operation<2> for ExpOfSum {
        const READS_OUTPUT: bool = true;

        fn forward(&self, [x, y]: [&[f32]; 2], output: &mut [f32]) {
            output.copy_from_slice(&[(x[1] + y[0]).exp(), (x[0] + y[1]).exp()]);
        }

        fn backward(&self, output: &[f32], gradient: &[f32], [x, y]: [&mut [f32]; 2]) {
            y.copy_from_slice(&[gradient[0] * output[0], gradient[1] * output[1]]);
            x.copy_from_slice(&[y[1], y[0]]);
        }
    }

    #[test]
    fn an_operation_is_done_to_each_part_and_has_its_gradient() {
        for device in [Device::flex().autodiff(), Device::flex().autodiff().gradient_checkpointing()] {
            // Two slices of three parts.
            let x = Tensor::<3>::from_floats(
                [[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [[-0.1, 0.7], [0.2, -0.3], [0.0, 1.0]]],
                &device,
            );
            let g = Tensor::<2>::from_floats([[1.0, -1.0], [2.0, 0.5], [-3.0, 0.0]], &device);
            let on_slices = |x: Tensor<3>| {
                assert!(holds(&x));
                apply(Arc::new(ExpOfSum), x, 3, [3, 2])
            };
            let in_burn = |x: Tensor<3>| {
                let slice = |i: usize| x.clone().narrow(0, i, 1).reshape([3, 2]);
                (slice(0).flip([1]) + slice(1)).exp()
            };
            let (expected, slope) = value_and_gradient(x.clone(), g.clone(), in_burn);
            let (value, gradient) = value_and_gradient(x.clone(), g.clone(), on_slices);
            assert_close("value", value, expected.clone(), 1e-6);
            assert_close("gradient", gradient, slope.clone(), 1e-6);
            // Axes that are not in the order of memory.
            let (value, gradient) = value_and_gradient(x.permute([2, 1, 0]), g.permute([1, 0]), |x| {
                on_slices(x.permute([2, 1, 0])).permute([1, 0])
            });
            assert_close("value", value.permute([1, 0]), expected, 1e-6);
            assert_close("gradient", gradient.permute([2, 1, 0]), slope, 1e-6);
        }
    }

    #[test]
    fn other_precisions_are_left_to_burn() {
        let single = Tensor::<1>::from_floats([1.0], &Device::flex());
        assert!(holds(&single) && !holds(&single.cast(DType::F64)));
    }
}
