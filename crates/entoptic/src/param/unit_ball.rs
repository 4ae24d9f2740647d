//! Images that stay close to one another: differences inside a unit ball, for adversarial examples.
//!
//! Inside the ball each map is the identity. Outside it scales back to the surface, and its gradient is not the
//! derivative, but the incoming gradient without what would lead further out *if it were followed upwards*. That is
//! Lucid's rule, kept to the sign. Lucid's optimizers, like ours, go **down** the gradient of minus the objective, and
//! there the rule works the other way: what leads further out passes, what leads back is removed, so a variable that has
//! left the ball does not return. Its image stays on the surface all the same, which is where most adversarial examples
//! are; where a variable must be able to return, `tanh` is a box with a true derivative.
//!
//! # Reference
//! `optvis/param/unit_balls.py` in Lucid, which calls them experimental.

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension, get_or_init_device_settings,
        tensor::FloatTensor,
    },
    tensor::{Shape, Tensor},
};

use super::{Param, custom};

/// A difference `[n, c, h, w]` whose Euclidean norm over all images is at most 1; it starts at 0.
///
/// ```
/// use entoptic::param::{Param, constant, unit_ball};
/// # let photo = burn::tensor::Tensor::<4>::zeros([1, 3, 64, 64], &burn::tensor::Device::flex());
///
/// let adversarial = constant(&photo) + 0.5 * unit_ball::l2([1, 3, 64, 64]);
/// ```
///
/// # Reference
/// `unit_ball_L2` in Lucid, `unit_balls.py`.
pub fn l2(shape: [usize; 4]) -> Param {
    zeros(shape, constrain_l2)
}

/// A difference `[n, c, h, w]` no number of which is beyond -1 or 1; it starts at 0. With `precondition` every number
/// moves equally fast.
///
/// ```
/// use entoptic::param::{constant, unit_ball};
/// # let photo = burn::tensor::Tensor::<4>::zeros([1, 3, 64, 64], &burn::tensor::Device::flex());
///
/// let adversarial = constant(&photo) + 8.0 / 255.0 * unit_ball::l_inf([1, 3, 64, 64], true);
/// assert_eq!(adversarial.shape(), [1, 3, 64, 64]);
/// ```
///
/// # Reference
/// `unit_ball_L_inf` in Lucid, `unit_balls.py`.
pub fn l_inf(shape: [usize; 4], precondition: bool) -> Param {
    zeros(shape, if precondition { constrain_l_inf_precondition } else { constrain_l_inf })
}

fn zeros(shape: [usize; 4], constrain: fn(Tensor<4>) -> Tensor<4>) -> Param {
    custom(
        shape,
        move |_, device| vec![Tensor::zeros([shape.iter().product::<usize>()], device)],
        move |_| Box::new(move |variables| constrain(variables[0].clone().reshape(shape))),
    )
}

/// `x / max(1, |x|)`, with the Euclidean norm of the whole tensor.
///
/// The gradient of a point outside loses its component along `x` where that points outwards, see the
/// [module](self)'s description.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::param::unit_ball::constrain_l2;
///
/// let outside = Tensor::<1>::from_floats([3.0, 4.0], &Device::flex());
/// assert_eq!(constrain_l2(outside).try_into_vec_as::<f32>().unwrap(), [0.6, 0.8]);
/// ```
///
/// # Shapes
/// - x and value: any
pub fn constrain_l2<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::constrain(x.into_dispatch(), Ball::L2))
}

/// `x / max(1, |x|)` for each number: clipped to `-1..=1`.
///
/// The gradient is 0 where `|x| >= 1` and the incoming one has the sign of `x`, see the [module](self)'s description.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::param::unit_ball::constrain_l_inf;
///
/// let outside = Tensor::<1>::from_floats([3.0, -0.5, -2.0], &Device::flex());
/// assert_eq!(constrain_l_inf(outside).try_into_vec_as::<f32>().unwrap(), [1.0, -0.5, -1.0]);
/// ```
///
/// # Shapes
/// - x and value: any
pub fn constrain_l_inf<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::constrain(x.into_dispatch(), Ball::LInf { precondition: false }))
}

/// [`constrain_l_inf`] that passes only the sign of its gradient, so that every number moves equally fast.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::param::unit_ball::constrain_l_inf_precondition;
///
/// let device = Device::flex().autodiff();
/// let inside = Tensor::<1>::from_floats([0.5, -0.5], &device).require_grad();
/// let value = constrain_l_inf_precondition(inside.clone()) * Tensor::<1>::from_floats([3.0, -0.1], &device);
/// let gradient = inside.grad(&value.sum().backward()).unwrap();
/// assert_eq!(gradient.try_into_vec_as::<f32>().unwrap(), [1.0, -1.0]);
/// ```
///
/// # Shapes
/// - x and value: any
pub fn constrain_l_inf_precondition<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::constrain(x.into_dispatch(), Ball::LInf { precondition: true }))
}

/// What a difference is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ball {
    /// The Euclidean norm.
    L2,
    /// The largest number.
    LInf {
        /// Whether the gradient's sign is taken for it.
        precondition: bool,
    },
}

#[backend_extension(Autodiff, Flex, Cube: cfg(any(feature = "wgpu", feature = "cuda")))]
pub(crate) trait Constrain: Backend {
    fn constrain(x: FloatTensor<Self>, ball: Ball) -> FloatTensor<Self> {
        constrained::<Self>(x, ball)
    }
}

impl Constrain for Flex {}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
impl Constrain for burn::backend::Cube {}

impl<B: Constrain, C: CheckpointStrategy> Constrain for Autodiff<B, C> {
    fn constrain(x: FloatTensor<Self>, ball: Ball) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        match (ConstrainBackward { ball }).prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let output = B::constrain(x.clone(), ball);
                prepared.finish(x, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::constrain(x, ball)),
        }
    }
}

#[derive(Debug)]
struct ConstrainBackward {
    ball: Ball,
}

impl<B: Backend> Backward<B, 1> for ConstrainBackward {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        if let [Some(parent)] = ops.parents {
            let gradient = match self.ball {
                Ball::L2 => l2_backward::<B>(ops.state, gradient),
                Ball::LInf { precondition: false } => l_inf_backward::<B>(ops.state, gradient),
                Ball::LInf { precondition: true } => l_inf_backward::<B>(ops.state, B::float_sign(gradient)),
            };
            gradients.register::<B>(parent.id, gradient);
        }
    }
}

fn constrained<B: Backend>(x: FloatTensor<B>, ball: Ball) -> FloatTensor<B> {
    match ball {
        Ball::L2 => {
            let norm = norm::<B>(x.clone());
            B::float_div(x, B::float_clamp_min(norm, 1f32.into()))
        }
        Ball::LInf { .. } => B::float_clamp(x, (-1f32).into(), 1f32.into()),
    }
}

/// `gradient`, without what points outwards along `x` if `x` is outside.
fn l2_backward<B: Backend>(x: FloatTensor<B>, gradient: FloatTensor<B>) -> FloatTensor<B> {
    let bools = get_or_init_device_settings::<B>(&x.device()).bool_dtype;
    let norm = norm::<B>(x.clone());
    let inside = B::float_lower_equal_elem(norm.clone(), 1f32.into(), bools);
    let unit = B::float_div(x, B::float_clamp_min(norm, f32::MIN_POSITIVE.into()));
    let outwards = spread::<B>(B::float_sum(B::float_mul(unit.clone(), gradient.clone())), unit.shape());
    let outwards = B::float_mask_fill(B::float_clamp_min(outwards, 0f32.into()), inside, 0f32.into());
    B::float_sub(gradient, B::float_mul(unit, outwards))
}

/// `gradient`, 0 where `x` is on the surface or outside and the gradient points outwards.
fn l_inf_backward<B: Backend>(x: FloatTensor<B>, gradient: FloatTensor<B>) -> FloatTensor<B> {
    let bools = get_or_init_device_settings::<B>(&x.device()).bool_dtype;
    let outside = B::float_greater_equal_elem(B::float_abs(x.clone()), 1f32.into(), bools);
    let outwards = B::float_greater_elem(B::float_mul(x, gradient.clone()), 0f32.into(), bools);
    B::float_mask_fill(gradient, B::bool_and(outside, outwards), 0f32.into())
}

/// The Euclidean norm of `x`, in the shape of `x`.
fn norm<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let shape = x.shape();
    spread::<B>(B::float_sqrt(B::float_sum(B::float_mul(x.clone(), x))), shape)
}

/// One number in every place of `shape`.
fn spread<B: Backend>(number: FloatTensor<B>, shape: Shape) -> FloatTensor<B> {
    let one = Shape::from(vec![1; shape.num_dims()]);
    B::float_expand(B::float_reshape(number, one), shape)
}
