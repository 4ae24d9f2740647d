//! Rectifiers by themselves, and what becomes of gradients there.

use crate::{Cpu, Map, MapMut, Passes, PassesMut, Rectify, kernel};

/// The rectified `input`.
///
/// `saturated`, if it is asked for, tells where a ReLU6 is above 6.
///
/// # Panics
/// If sizes disagree.
pub fn rectify(cpu: Cpu, input: Map<'_>, output: MapMut<'_>, rectify: Rectify<'_>, saturated: Option<PassesMut<'_>>) {
    assert_eq!(input.dims, output.dims, "input and output");
    assert!(rectify.passes.as_ref().is_none_or(|passes| passes.dims == input.dims), "a bit for each activation");
    assert!(saturated.as_ref().is_none_or(|saturated| saturated.dims == input.dims), "a bit for each activation");
    kernel::rectify(cpu, input, output, rectify, saturated);
}

/// Sets to zero the gradient that does not pass.
///
/// # Panics
/// If sizes disagree.
pub fn block(cpu: Cpu, gradient: MapMut<'_>, passes: Passes<'_>) {
    assert_eq!(gradient.dims, passes.dims, "a bit for each gradient");
    kernel::block(cpu, gradient, passes);
}

/// Lets gradients pass a redirected rectifier: in an image where the square of none that passes is above zero, all pass
/// but those that would push an activation further into where the unit is off.
///
/// `gradient` is that of a quantity that is minimized; `saturated` tells where a ReLU6 is above 6.
///
/// # Panics
/// If sizes disagree.
///
/// # Reference
/// `redirected_relu_grad.py` in Lucid.
pub fn redirect(cpu: Cpu, gradient: Map<'_>, passes: PassesMut<'_>, saturated: Option<Passes<'_>>) {
    assert_eq!(gradient.dims, passes.dims, "a bit for each gradient");
    assert!(saturated.is_none_or(|saturated| saturated.dims == gradient.dims), "a bit for each gradient");
    kernel::redirect(cpu, gradient, passes, saturated);
}
