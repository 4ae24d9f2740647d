//! Every pixel is a variable.

use burn::tensor::Tensor;

/// How many variables `planes` planes of `size` `[h, w]` have.
pub(super) fn variables(planes: usize, [h, w]: [usize; 2]) -> usize {
    planes * h * w
}

/// The map to planes `[planes, h, w]`.
pub(super) fn map(planes: usize, [h, w]: [usize; 2]) -> impl Fn(Tensor<1>) -> Tensor<3> {
    move |variable| variable.reshape([planes, h, w])
}
