//! How operations on slices enter Burn: as an operation of its CPU backend with a backward pass of its own.

use std::{fmt::Debug, sync::Arc};

use burn::{
    backend::{
        Autodiff, Backend, Flex, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        flex::FlexTensor,
        tensor::FloatTensor,
    },
    tensor::{Shape, TensorData},
};

/// A differentiable function of a tensor.
pub(crate) trait OnTensor: Debug + Send + Sync {
    /// Whether [`backward`](Self::backward) reads the output; otherwise it is empty.
    fn reads_output(&self) -> bool;

    fn forward(&self, input: &[f32], output: &mut [f32]);

    fn backward(&self, output: &[f32], gradient: &[f32], slope: &mut [f32]);
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait OnSlices: Backend {
    /// What the operation makes of a tensor: a tensor of `shape`.
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
                let read = operation.reads_output().then(|| output.clone());
                prepared.finish((operation, read, from), output)
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

pub(super) fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("a contiguous tensor of single precision")
}

pub(super) fn filled(shape: Shape, fill: impl FnOnce(&mut [f32])) -> FlexTensor {
    let mut values = vec![0.0; shape.num_elements()];
    fill(&mut values);
    FlexTensor::from_data(TensorData::new(values, shape))
}
