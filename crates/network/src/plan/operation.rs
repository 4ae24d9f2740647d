//! A plan as one operation of Burn's, with its own backward pass.

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
        ops::FloatTensorOps,
        tensor::FloatTensor,
    },
    tensor::{Shape, Tensor, TensorData},
};

use super::{Part, Plan, Planner, planner::Call};
use crate::{Activation, activations::Answer, graph};

/// What a plan answers for `images` `[n, c, h, w]`; `batch` is [`Pass::batch`](crate::Pass::batch).
pub(crate) fn planned(planner: Arc<Planner>, plan: Arc<Plan>, images: Tensor<4>, batch: Option<usize>) -> Vec<Answer> {
    let n = images.dims()[0];
    let call = Arc::new(Call::new(planner, plan, n, batch));
    let flat = Tensor::<1>::from_dispatch(Dispatch::planned(images.into_dispatch(), call.clone()));
    let mut first = 0;
    let answer = |part: &Part| {
        let len = n * part.len();
        let own = flat.clone().narrow(0, first, len);
        first += len;
        let activation = match part.shape {
            graph::Shape::Map { c, h, w } => Activation::Map(own.reshape([n, c, h, w])),
            graph::Shape::Vector { c } => Activation::Vector(own.reshape([n, c])),
        };
        Answer::new(activation, part.channels.clone(), part.origin, part.size)
    };
    call.parts().iter().map(answer).collect()
}

#[backend_extension(Autodiff, Flex)]
pub(super) trait Planned: Backend {
    fn planned(images: FloatTensor<Self>, call: Arc<Call>) -> FloatTensor<Self>;

    fn planned_gradient(gradient: FloatTensor<Self>, call: Arc<Call>) -> FloatTensor<Self>;
}

impl Planned for Flex {
    fn planned(images: FloatTensor<Self>, call: Arc<Call>) -> FloatTensor<Self> {
        let images = images.to_contiguous();
        let answers = call.forward(images.as_slice().expect("images are floats side by side"));
        let len = answers.len();
        Self::float_from_data(TensorData::new(answers, [len]), &images.device())
    }

    fn planned_gradient(gradient: FloatTensor<Self>, call: Arc<Call>) -> FloatTensor<Self> {
        let gradient = gradient.to_contiguous();
        let images = call.backward(gradient.as_slice().expect("gradients are floats side by side"));
        let len = images.len();
        Self::float_from_data(TensorData::new(images, [len]), &gradient.device())
    }
}

impl<B: Planned, C: CheckpointStrategy> Planned for Autodiff<B, C> {
    fn planned(images: FloatTensor<Self>, call: Arc<Call>) -> FloatTensor<Self> {
        let (images, node) = images.into_parts();
        let shape = images.shape();
        let answers = B::planned(images, call.clone());
        match PlannedBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((call, shape), answers),
            OpsKind::UnTracked(prepared) => prepared.finish(answers),
        }
    }

    fn planned_gradient(_: FloatTensor<Self>, _: Arc<Call>) -> FloatTensor<Self> {
        unimplemented!("a network's gradient has no gradient")
    }
}

#[derive(Debug)]
struct PlannedBackward;

impl<B: Planned> Backward<B, 1> for PlannedBackward {
    type State = (Arc<Call>, Shape);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        if let [Some(parent)] = ops.parents {
            let (call, shape) = ops.state;
            gradients.register::<B>(parent.id, B::float_reshape(B::planned_gradient(gradient, call), shape));
        }
    }
}
