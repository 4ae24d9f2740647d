//! ReLU and ReLU6, and the backward pass of redirected ones.

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

use super::{ReluOverride, with_gradient_of};

/// The last step at which gradients are redirected; Lucid, `redirected_relu_grad.py`.
pub(super) const LAST_REDIRECTED_STEP: usize = 16;

/// The two rectifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rectifier {
    Relu,
    Relu6,
}

/// The rectified `x` `[n, ..]`, gradients passing as `how` says; `None` is the derivative. The step says whether it
/// `redirects`.
pub(crate) fn rectify<const D: usize>(
    x: Tensor<D>,
    rectifier: Rectifier,
    how: Option<ReluOverride>,
    redirects: bool,
) -> Tensor<D> {
    match how {
        Some(ReluOverride::Redirected) => {
            Tensor::from_dispatch(Dispatch::rectify(x.into_dispatch(), rectifier, redirects))
        }
        Some(ReluOverride::Identity) if x.is_autodiff() => with_gradient_of(plain(x.clone().inner(), rectifier), x),
        Some(ReluOverride::Identity) | None => plain(x, rectifier),
    }
}

fn plain<const D: usize>(x: Tensor<D>, rectifier: Rectifier) -> Tensor<D> {
    match rectifier {
        Rectifier::Relu => activation::relu(x),
        // Burn's clamp passes its gradient at the corners; the mask of x = 6 takes that away. At 0, `relu` does.
        Rectifier::Relu6 => {
            let saturated = x.clone().greater_equal_elem(6.0);
            activation::relu(x).mask_fill(saturated, 6.0)
        }
    }
}

#[backend_extension(Autodiff, Flex, Cube: cfg(any(feature = "wgpu", feature = "cuda")))]
pub(crate) trait Rectify: burn::backend::Backend {
    fn rectify(x: FloatTensor<Self>, rectifier: Rectifier, _redirect: bool) -> FloatTensor<Self> {
        forward::<Self>(x, rectifier)
    }
}

impl Rectify for Flex {}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
impl Rectify for burn::backend::Cube {}

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
