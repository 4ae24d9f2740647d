//! ReLU with a redirected gradient: a dead unit still learns which way is up.

use burn::{
    backend::{
        Autodiff, Dispatch, Flex, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension, get_or_init_device_settings,
        tensor::{BoolTensor, FloatTensor},
    },
    tensor::{Shape, Tensor, activation},
};

/// How gradients pass ReLU and ReLU6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReluGradient {
    /// The derivative: nothing passes where the unit is off, or exactly at its corner.
    #[default]
    Plain,
    /// Lucid's override at this step of a run.
    ///
    /// Where a plain gradient would be zero for a whole image at one ReLU, it passes wherever it would move the
    /// activations back towards where the unit is on; that holds for steps 0 to 16 only. At every step the gradient
    /// passes at the corners (x = 0, and x = 6 for ReLU6), where the plain one does not.
    ///
    /// The incoming gradient is taken to be that of a quantity that is *minimised* (minus the objective).
    ///
    /// # Reference
    /// `redirected_relu_grad.py` in Lucid.
    Redirected {
        /// The step, counted from 0.
        step: usize,
    },
}

/// The last step at which gradients are redirected; Lucid, `redirected_relu_grad.py`.
const LAST_REDIRECTED_STEP: usize = 16;

/// The two rectifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rectifier {
    Relu,
    Relu6,
}

/// The rectified `x`, gradients passing as `gradient` says.
pub(crate) fn rectify<const D: usize>(x: Tensor<D>, rectifier: Rectifier, gradient: ReluGradient) -> Tensor<D> {
    match (rectifier, gradient) {
        (_, ReluGradient::Redirected { step }) => {
            let redirect = step <= LAST_REDIRECTED_STEP;
            Tensor::from_dispatch(Dispatch::rectify(x.into_dispatch(), rectifier, redirect))
        }
        (Rectifier::Relu, ReluGradient::Plain) => activation::relu(x),
        // Burn's clamp passes its gradient at the corners; the mask of x = 6 takes that away. At 0, `relu` does.
        (Rectifier::Relu6, ReluGradient::Plain) => {
            let saturated = x.clone().greater_equal_elem(6.0);
            activation::relu(x).mask_fill(saturated, 6.0)
        }
    }
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait Rectify: burn::backend::Backend {
    fn rectify(x: FloatTensor<Self>, rectifier: Rectifier, redirect: bool) -> FloatTensor<Self>;
}

impl Rectify for Flex {
    fn rectify(x: FloatTensor<Self>, rectifier: Rectifier, _redirect: bool) -> FloatTensor<Self> {
        forward::<Self>(x, rectifier)
    }
}

impl<B: Rectify, C: CheckpointStrategy> Rectify for Autodiff<B, C> {
    fn rectify(x: FloatTensor<Self>, rectifier: Rectifier, redirect: bool) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        match (RectifyBackward { rectifier, redirect }).prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let output = B::rectify(x.clone(), rectifier, redirect);
                prepared.finish(x, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::rectify(x, rectifier, redirect)),
        }
    }
}

#[derive(Debug)]
struct RectifyBackward {
    rectifier: Rectifier,
    redirect: bool,
}

impl<B: burn::backend::Backend> Backward<B, 1> for RectifyBackward {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        if let [Some(parent)] = ops.parents {
            gradients.register::<B>(parent.id, backward::<B>(ops.state, gradient, self.rectifier, self.redirect));
        }
    }
}

fn forward<B: burn::backend::Backend>(x: FloatTensor<B>, rectifier: Rectifier) -> FloatTensor<B> {
    match rectifier {
        Rectifier::Relu => B::relu(x),
        Rectifier::Relu6 => B::float_clamp(x, 0f32.into(), 6f32.into()),
    }
}

fn backward<B: burn::backend::Backend>(
    x: FloatTensor<B>,
    gradient: FloatTensor<B>,
    rectifier: Rectifier,
    redirect: bool,
) -> FloatTensor<B> {
    let bools = get_or_init_device_settings::<B>(&x.device()).bool_dtype;
    let below = B::float_lower_elem(x.clone(), 0f32.into(), bools);
    let above = (rectifier == Rectifier::Relu6).then(|| B::float_greater_elem(x.clone(), 6f32.into(), bools));
    let either = |below: BoolTensor<B>, above: Option<BoolTensor<B>>| match above {
        Some(above) => B::bool_or(below, above),
        None => below,
    };
    let plain = B::float_mask_fill(gradient.clone(), either(below.clone(), above.clone()), 0f32.into());
    if !redirect {
        return plain;
    }

    // Blocked are only the gradients that would push further into where the unit is off.
    let falls = B::float_greater_elem(gradient.clone(), 0f32.into(), bools);
    let rises = above.map(|above| B::bool_and(above, B::float_lower_elem(gradient.clone(), 0f32.into(), bools)));
    let redirected = B::float_mask_fill(gradient, either(B::bool_and(below, falls), rises), 0f32.into());

    // An image keeps its plain gradient unless all of it is zero.
    let shape = x.shape();
    let n = shape[0];
    let rest = shape.num_elements() / n.max(1);
    let square = B::float_mul(plain.clone(), plain.clone());
    let norm = B::float_sum_dim(B::float_reshape(square, Shape::from([n, rest])), 1);
    let silent = B::bool_expand(B::float_equal_elem(norm, 0f32.into(), bools), Shape::from([n, rest]));
    B::float_mask_where(plain, B::bool_reshape(silent, shape), redirected)
}
