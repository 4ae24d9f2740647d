//! Rectifiers by themselves, and what becomes of gradients there.

use crate::{Cpu, Map, MapMut, Passes, PassesMut, Rectify, reference};

/// The rectified `input`.
///
/// `saturated`, if it is asked for, tells where a ReLU6 is above 6.
pub fn rectify(_cpu: Cpu, input: Map<'_>, output: MapMut<'_>, rectify: Rectify<'_>, saturated: Option<PassesMut<'_>>) {
    reference::rectify(input, output, rectify, saturated);
}

/// Sets to zero the gradient that does not pass.
pub fn block(_cpu: Cpu, gradient: MapMut<'_>, passes: Passes<'_>) {
    reference::block(gradient, passes);
}

/// Lets gradients pass a redirected rectifier: in an image where the square of none that passes is above zero, all pass
/// but those that would push an activation further into where the unit is off.
///
/// `gradient` is that of a quantity that is minimized; `saturated` tells where a ReLU6 is above 6.
///
/// # Reference
/// `redirected_relu_grad.py` in Lucid.
pub fn redirect(_cpu: Cpu, gradient: Map<'_>, passes: PassesMut<'_>, saturated: Option<Passes<'_>>) {
    reference::redirect(gradient, passes, saturated);
}
