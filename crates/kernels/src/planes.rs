//! Between maps `[n, h, w, c]` and planes `[n, c, h, w]`, as everyone else holds images.

use crate::{Cpu, Dims, Map, MapMut, reference};

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

/// Each image's channels, one after the other, as one pixel: `[n, 1, 1, c h w]`.
///
/// # Panics
/// As [`to_planes`].
pub fn flatten(cpu: Cpu, map: Map<'_>, mut vectors: MapMut<'_>) {
    let dims = Dims { n: 1, ..map.dims };
    for image in 0..map.dims.n {
        let from = Map::new(&map.values[image * dims.pixels() * map.pitch..], dims, map.pitch);
        to_planes(cpu, from, vectors.pixel(image), false);
    }
}

/// The way back, or that added to what is there.
///
/// # Panics
/// As [`to_planes`].
pub fn unflatten(cpu: Cpu, vectors: Map<'_>, map: MapMut<'_>, add: bool) {
    let dims = Dims { n: 1, ..map.dims };
    for image in 0..map.dims.n {
        let to = MapMut::new(&mut map.values[image * dims.pixels() * map.pitch..], dims, map.pitch);
        from_planes(cpu, vectors.pixel(image), to, add);
    }
}
