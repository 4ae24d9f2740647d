//! Between maps `[n, h, w, c]` and planes `[n, c, h, w]`, as everyone else holds images.

use crate::{Cpu, Map, MapMut, reference};

/// A map's channels as planes, or added to those that are there.
///
/// # Panics
/// If `planes` are not as many floats as the map.
pub fn to_planes(_cpu: Cpu, map: Map<'_>, planes: &mut [f32], add: bool) {
    reference::to_planes(map, planes, add);
}

/// Planes as a map, or added to what is there.
///
/// # Panics
/// As [`to_planes`].
pub fn from_planes(_cpu: Cpu, planes: &[f32], map: MapMut<'_>, add: bool) {
    reference::from_planes(planes, map, add);
}
