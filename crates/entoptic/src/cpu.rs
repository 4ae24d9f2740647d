//! Operations that are loops over slices, where tensors lie in the CPU's memory.
//!
//! What has such an operation is made of Burn's operations too, for all other devices: it asks [`holds`] which to take.

use std::{array::from_fn, fmt::Debug, sync::Arc};

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        flex::FlexTensor,
        tensor::FloatTensor,
    },
    tensor::{DType, Device, Shape, Tensor, TensorData},
};
use macerator::{AutoArch, Simd, WithSimd};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// A differentiable function of one part of a tensor, such as a plane, to one part of another.
///
/// What it is given may lie in `SLICES` sections of the tensor, such as real and imaginary parts.
///
/// It is compiled for each kind of vector instructions, as far as it and what it calls is `#[inline(always)]`.
pub(crate) trait Operation<const SLICES: usize = 1>: Debug + Send + Sync + 'static {
    /// Whether [`backward`](Self::backward) reads the output.
    const READS_OUTPUT: bool = false;

    /// Computes all of the output.
    fn forward(&self, input: [&[f32]; SLICES], output: &mut [f32]);

    /// Computes all of the gradient with respect to the input from that with respect to the output. The output is empty
    /// unless it is read.
    fn backward(&self, output: &[f32], gradient: &[f32], slope: [&mut [f32]; SLICES]);
}

/// Whether a tensor can be given to [`apply`].
pub(crate) fn holds<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.device() == Device::flex() && tensor.dtype() == DType::F32
}

/// What an operation makes of each of `parts` parts of a tensor, in the order of its axes.
///
/// The input is `[SLICES, parts, ..]`, the output `[parts, ..]`.
pub(crate) fn apply<const SLICES: usize, const D: usize, const E: usize>(
    operation: Arc<impl Operation<SLICES>>,
    input: Tensor<D>,
    parts: usize,
    shape: [usize; E],
) -> Tensor<E> {
    let on_parts = Arc::new(Parts { operation, count: parts });
    Tensor::from_dispatch(Dispatch::on_slices(input.into_dispatch(), on_parts, Shape::from(shape)))
}

/// A tensor as large as two that [`holds`], whose numbers `map` computes of theirs.
pub(crate) fn map_two<const D: usize>(
    a: Tensor<D>,
    b: Tensor<D>,
    map: impl FnOnce(&[f32], &[f32], &mut [f32]),
) -> Tensor<D> {
    let shape = a.shape();
    let [a, b] = [a, b].map(|tensor| tensor.try_into_primitive::<Flex>().expect("it is on the CPU").to_contiguous());
    Tensor::from_primitive::<Flex>(filled(shape, |output| map(numbers(&a), numbers(&b), output)))
}

/// An operation on whole tensors.
pub(crate) trait OnTensor: Debug + Send + Sync {
    fn reads_output(&self) -> bool;

    fn forward(&self, input: &[f32], output: &mut [f32]);

    fn backward(&self, output: &[f32], gradient: &[f32], slope: &mut [f32]);
}

/// An operation on each of some parts.
#[derive(Debug)]
struct Parts<O, const SLICES: usize> {
    operation: Arc<O>,
    count: usize,
}

impl<O: Operation<SLICES>, const SLICES: usize> Parts<O, SLICES> {
    /// Part `i` of `[slices, parts, ..]`.
    fn part<'a>(&self, numbers: &'a [f32], slices: usize, slice: usize, i: usize) -> &'a [f32] {
        let length = numbers.len() / (slices * self.count);
        &numbers[(slice * self.count + i) * length..][..length]
    }

    /// Does the work on each part, on several threads if it is worth it.
    fn each<T: Send>(&self, parts: Vec<T>, numbers: usize, work: impl Fn(usize, T) + Sync) {
        match numbers < WORTH_A_THREAD {
            true => parts.into_iter().enumerate().for_each(|(i, part)| work(i, part)),
            false => parts.into_par_iter().enumerate().for_each(|(i, part)| work(i, part)),
        }
    }
}

impl<O: Operation<SLICES>, const SLICES: usize> OnTensor for Parts<O, SLICES> {
    fn reads_output(&self) -> bool {
        O::READS_OUTPUT
    }

    fn forward(&self, input: &[f32], output: &mut [f32]) {
        let length = (output.len() / self.count.max(1)).max(1);
        self.each(output.chunks_exact_mut(length).collect(), input.len(), |i, output| {
            let input = from_fn(|slice| self.part(input, SLICES, slice, i));
            AutoArch::new().dispatch(Forward { operation: &*self.operation, input, output });
        });
    }

    fn backward(&self, output: &[f32], gradient: &[f32], slope: &mut [f32]) {
        let length = (slope.len() / (SLICES * self.count).max(1)).max(1);
        let numbers = slope.len();
        let mut slices: Vec<_> =
            slope.chunks_exact_mut(length * self.count.max(1)).map(|slice| slice.chunks_exact_mut(length)).collect();
        let slopes = (0..self.count).map(|_| from_fn(|slice| slices[slice].next().expect("as many parts in each")));
        self.each(slopes.collect(), numbers, |i, slope| {
            let [output, gradient] = [output, gradient].map(|numbers| self.part(numbers, 1, 0, i));
            AutoArch::new().dispatch(Back { operation: &*self.operation, output, gradient, slope });
        });
    }
}

/// How many numbers keep a thread busy for longer than it takes to wake it.
const WORTH_A_THREAD: usize = 1 << 17;

struct Forward<'a, O, const SLICES: usize> {
    operation: &'a O,
    input: [&'a [f32]; SLICES],
    output: &'a mut [f32],
}

impl<O: Operation<SLICES>, const SLICES: usize> WithSimd for Forward<'_, O, SLICES> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        self.operation.forward(self.input, self.output);
    }
}

struct Back<'a, O, const SLICES: usize> {
    operation: &'a O,
    output: &'a [f32],
    gradient: &'a [f32],
    slope: [&'a mut [f32]; SLICES],
}

impl<O: Operation<SLICES>, const SLICES: usize> WithSimd for Back<'_, O, SLICES> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        self.operation.backward(self.output, self.gradient, self.slope);
    }
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait OnSlices: Backend {
    fn on_slices(input: FloatTensor<Self>, operation: Arc<dyn OnTensor>, shape: Shape) -> FloatTensor<Self>;
}

impl OnSlices for Flex {
    fn on_slices(input: FlexTensor, operation: Arc<dyn OnTensor>, shape: Shape) -> FlexTensor {
        filled(shape, |output| operation.forward(numbers(&input.to_contiguous()), output))
    }
}

impl<C: CheckpointStrategy> OnSlices for Autodiff<Flex, C> {
    fn on_slices(input: FloatTensor<Self>, operation: Arc<dyn OnTensor>, shape: Shape) -> FloatTensor<Self> {
        let (input, node) = input.into_parts();
        let from = input.shape();
        let output = Flex::on_slices(input, operation.clone(), shape);
        match OnSlicesBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let kept = operation.reads_output().then(|| output.clone());
                prepared.finish((operation, kept, from), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct OnSlicesBackward;

impl Backward<Flex, 1> for OnSlicesBackward {
    /// The operation, its output if that is read, and the shape of its input.
    type State = (Arc<dyn OnTensor>, Option<FlexTensor>, Shape);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let (operation, output, shape) = ops.state;
        if let [Some(parent)] = ops.parents {
            let output = output.as_ref().map_or(&[][..], numbers);
            let slope = filled(shape, |slope| operation.backward(output, numbers(&gradient), slope));
            gradients.register::<Flex>(parent.id, slope);
        }
    }
}

fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("a contiguous tensor of single precision")
}

fn filled(shape: Shape, fill: impl FnOnce(&mut [f32])) -> FlexTensor {
    let mut values = vec![0.0; shape.num_elements()];
    fill(&mut values);
    FlexTensor::from_data(TensorData::new(values, shape))
}
