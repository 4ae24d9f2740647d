use burn::tensor::Tensor;

/// The root of numbers of 0 or more; at 0, where its slope is no number, no gradient passes.
pub(super) fn root<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clamp_min(f64::from(f32::MIN_POSITIVE)).sqrt()
}
