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
    tensor::{Shape, Tensor, TensorData},
};

use super::{Change, Part, Transform};
use crate::{
    Error,
    chance::Rng,
    notation::{Argument, Call, Entry},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "normalize_gradient",
    usage: "normalize_gradient([length, ...])",
    about: "Leaves images as they are and gives the gradient of each a length of its own, 1 if none is given.",
    example: "normalize_gradient([2, 0.5])",
    read: |arguments| Ok(normalize_gradient(arguments.optional("lengths")?)),
};

/// Leaves images as they are and gives the gradient of each a length of its own, 1 if none is given.
///
/// It draws nothing; see [`normalized_gradient`].
///
/// ```
/// use entoptic::transform::normalize_gradient;
///
/// assert_eq!(normalize_gradient(None).to_string(), "normalize_gradient");
/// assert_eq!(normalize_gradient(Some(vec![2.0, 0.5])).to_string(), "normalize_gradient([2, 0.5])");
/// ```
///
/// # Reference
/// `transform.normalize_gradient` in Lucid.
pub fn normalize_gradient(lengths: Option<Vec<f64>>) -> Transform {
    Part::NormalizeGradient(NormalizeGradient { lengths }).into()
}

/// The images as they are; backwards, the gradient of each is divided by its L2 norm and multiplied by its length.
///
/// A gradient of zero stays zero, where Lucid makes NaN of it.
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - lengths: `n`, or none, which are ones
/// - value: `[n, c, h, w]`
pub fn normalized_gradient(images: Tensor<4>, lengths: Option<&[f64]>) -> Tensor<4> {
    let [n, _, _, _] = images.dims();
    let lengths: Vec<f32> = match lengths {
        Some(lengths) => lengths.iter().map(|&length| length as f32).collect(),
        None => vec![1.0; n],
    };
    assert_eq!(lengths.len(), n, "there is one length for each image");
    Tensor::from_dispatch(Dispatch::identity_normalized(images.into_dispatch(), Arc::new(lengths)))
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct NormalizeGradient {
    lengths: Option<Vec<f64>>,
}

impl Change for NormalizeGradient {
    fn apply(&self, images: Tensor<4>, _rng: &mut Rng) -> Tensor<4> {
        normalized_gradient(images, self.lengths.as_deref())
    }

    fn check(&self, [batch, _, _, _]: [usize; 4]) -> Result<(), Error> {
        let Some(lengths) = &self.lengths else { return Ok(()) };
        match lengths.len() == batch && lengths.iter().all(|length| length.is_finite()) {
            true => Ok(()),
            false => Err(Error::out_of_range(
                "the lengths of gradients",
                lengths.to_value(),
                "there is one number for each image",
            )),
        }
    }

    fn write(&self) -> Call {
        match &self.lengths {
            Some(lengths) => Call::new(ENTRY.name).argument(lengths),
            None => Call::new(ENTRY.name),
        }
    }
}

/// One for each image.
type Lengths = Arc<Vec<f32>>;

#[backend_extension(Autodiff, Flex, Cube: cfg(any(feature = "wgpu", feature = "cuda")))]
pub(crate) trait IdentityNormalized: Backend {
    fn identity_normalized(images: FloatTensor<Self>, _lengths: Lengths) -> FloatTensor<Self> {
        images
    }
}

impl IdentityNormalized for Flex {}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
impl IdentityNormalized for burn::backend::Cube {}

impl<B: IdentityNormalized, C: CheckpointStrategy> IdentityNormalized for Autodiff<B, C> {
    fn identity_normalized(images: FloatTensor<Self>, lengths: Lengths) -> FloatTensor<Self> {
        let (images, node) = images.into_parts();
        let output = B::identity_normalized(images, lengths.clone());
        match NormalizeBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(lengths, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct NormalizeBackward;

impl<B: Backend> Backward<B, 1> for NormalizeBackward {
    type State = Lengths;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        if let [Some(parent)] = ops.parents {
            gradients.register::<B>(parent.id, normalized::<B>(gradient, &ops.state));
        }
    }
}

/// `gradient` `[n, c, h, w]` with the length of each image's part changed to one of `lengths`.
fn normalized<B: Backend>(gradient: FloatTensor<B>, lengths: &[f32]) -> FloatTensor<B> {
    let (shape, device) = (gradient.shape(), gradient.device());
    let n = lengths.len();
    let rest = shape.num_elements() / n.max(1);
    let gradient = B::float_reshape(gradient, Shape::from([n, rest]));
    // Divided by its largest number first: squares of small gradients vanish in single precision.
    let largest = B::float_max_dim(B::float_abs(gradient.clone()), 1);
    let gradient = B::float_div(gradient, B::float_clamp_min(largest, f32::MIN_POSITIVE.into()));
    // Now 1 at least, or 0 where all of it is 0.
    let norm = B::float_sqrt(B::float_sum_dim(B::float_mul(gradient.clone(), gradient.clone()), 1));
    let lengths = B::float_from_data(TensorData::new(lengths.to_vec(), [n, 1]), &device);
    let factor = B::float_div(lengths, B::float_clamp_min(norm, 1f32.into()));
    B::float_reshape(B::float_mul(gradient, factor), shape)
}
