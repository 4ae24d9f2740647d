//! Max pools whose gradients pass as through a smoother pool.

use burn::tensor::Tensor;

use super::{MaxPoolOverride, with_gradient_of};

/// What keeps the gradient finite on windows of zeros; Lucid, `smoothed_maxpool_grad.py`.
pub(crate) const L2_POOL_EPSILON: f32 = 1e-2;

/// The max pool of `x` `[n, c, h, w]`, gradients passing as `how` says; `max` and `mean` pool over the same windows.
pub(crate) fn smoothed(
    x: Tensor<4>,
    how: MaxPoolOverride,
    max: impl Fn(Tensor<4>) -> Tensor<4>,
    mean: impl Fn(Tensor<4>) -> Tensor<4>,
) -> Tensor<4> {
    if !x.is_autodiff() {
        return max(x);
    }
    let values = max(x.clone().inner());
    let path = match how {
        MaxPoolOverride::Average => mean(x),
        MaxPoolOverride::L2 => mean(x.clone() * x.clone()) / mean(x.abs()).add_scalar(L2_POOL_EPSILON),
    };
    with_gradient_of(values, path)
}
