//! Between maps `[n, h, w, c]` and planes `[n, c, h, w]`, as everyone else holds images.

use std::array;

use crate::{Cpu, Dims, Map, MapMut, threads::Chunks};

/// A map's channels as planes, or added to those that are there.
///
/// # Panics
/// If `planes` are not as many floats as the map.
pub fn to_planes(cpu: Cpu, map: Map<'_>, planes: &mut [f32], add: bool) {
    let Dims { n, h, w, c } = map.dims;
    assert_eq!(planes.len(), map.dims.len(), "planes of {:?}", map.dims);
    if map.dims.is_empty() {
        return;
    }
    let (plane, pitch) = (h * w, map.pitch);
    cpu.spread(n * c, 2 * map.dims.len(), Chunks { values: planes, row: plane }, |rows, planes| {
        for [image, channel, channels] in parts(rows.start, rows.end, c, SIDE) {
            let map = &map.values[image * plane * pitch + channel..];
            let planes = &mut planes.values[(image * c + channel - rows.start) * plane..][..channels * plane];
            let squares = if channels == SIDE { plane / SIDE * SIDE } else { 0 };
            for pixel in (0..squares).step_by(SIDE) {
                let rows = square(&map[pixel * pitch..], pitch);
                for (j, plane) in planes.chunks_exact_mut(plane).enumerate() {
                    put(plane[pixel..][..SIDE].iter_mut(), &rows.map(|row| row[j]), add);
                }
            }
            for (j, plane) in planes.chunks_exact_mut(plane).enumerate() {
                put(plane[squares..].iter_mut(), map[j..].iter().step_by(pitch).skip(squares), add);
            }
        }
    });
}

/// Planes as a map, or added to what is there.
///
/// # Panics
/// As [`to_planes`].
pub fn from_planes(cpu: Cpu, planes: &[f32], map: MapMut<'_>, add: bool) {
    let Dims { n, h, w, c } = map.dims;
    assert_eq!(planes.len(), map.dims.len(), "planes of {:?}", map.dims);
    if map.dims.is_empty() {
        return;
    }
    let (plane, pitch) = (h * w, map.pitch);
    cpu.spread(n * h, 2 * map.dims.len(), map, |rows, map| {
        let first = rows.start * w;
        for [image, start, pixels] in parts(first, rows.end * w, plane, plane) {
            let map = &mut map.values[(image * plane + start - first) * pitch..];
            for [_, channel, channels] in parts(0, c, c, SIDE) {
                let map = &mut map[channel..];
                let planes = &planes[(image * c + channel) * plane + start..];
                let squares = if channels == SIDE { pixels / SIDE * SIDE } else { 0 };
                for pixel in (0..squares).step_by(SIDE) {
                    let columns = square(&planes[pixel..], plane);
                    for i in 0..SIDE {
                        let row = columns.map(|column| column[i]);
                        put(map[(pixel + i) * pitch..][..SIDE].iter_mut(), &row, add);
                    }
                }
                for j in 0..channels {
                    let plane = &planes[j * plane..][squares..pixels];
                    put(map[j..].iter_mut().step_by(pitch).skip(squares), plane, add);
                }
            }
        }
    });
}

/// Squares of so many pixels and channels are read in rows and written in columns, or the other way round.
const SIDE: usize = 8;

/// The lines of a square, which lie `pitch` apart.
fn square(values: &[f32], pitch: usize) -> [&[f32; SIDE]; SIDE] {
    array::from_fn(|line| values[line * pitch..].first_chunk().expect("the square is inside"))
}

/// Parts of a range that is counted over images of `length`, each of at most `most` and in one image: which image, where
/// in it, and how many.
fn parts(start: usize, end: usize, length: usize, most: usize) -> impl Iterator<Item = [usize; 3]> {
    let mut next = start;
    std::iter::from_fn(move || {
        let within = next % length;
        let count = most.min(length - within).min(end - next);
        let part = [next / length, within, count];
        next += count;
        (count > 0).then_some(part)
    })
}

fn put<'a>(to: impl Iterator<Item = &'a mut f32>, from: impl IntoIterator<Item = &'a f32>, add: bool) {
    if add {
        to.zip(from).for_each(|(to, from)| *to += from);
    } else {
        to.zip(from).for_each(|(to, from)| *to = *from);
    }
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

/// Images as planes, each channel times `scale` plus `shift`, as a map: what a network makes of images first.
///
/// # Panics
/// As [`to_planes`]; if there are not as many numbers as channels.
pub fn from_images(cpu: Cpu, images: &[f32], scale: &[f32], shift: &[f32], map: MapMut<'_>) {
    let Dims { n, h, w, c } = map.dims;
    assert_eq!((images.len(), scale.len(), shift.len()), (map.dims.len(), c, c), "images of {:?}", map.dims);
    let (plane, pitch) = (h * w, map.pitch);
    cpu.spread(n * h, 2 * map.dims.len(), map, |rows, map| {
        let first = rows.start * w;
        for [image, start, pixels] in parts(first, rows.end * w, plane, plane) {
            let map = &mut map.values[(image * plane + start - first) * pitch..];
            for channel in 0..c {
                let values = &images[(image * c + channel) * plane + start..][..pixels];
                let to = map[channel..].iter_mut().step_by(pitch);
                to.zip(values).for_each(|(to, x)| *to = x * scale[channel] + shift[channel]);
            }
        }
    });
}

/// The gradient of the images.
///
/// # Panics
/// As [`from_images`].
pub fn from_images_gradient(cpu: Cpu, map: Map<'_>, scale: &[f32], images: &mut [f32]) {
    let Dims { n, h, w, c } = map.dims;
    assert_eq!((images.len(), scale.len()), (map.dims.len(), c), "images of {:?}", map.dims);
    let (plane, pitch) = (h * w, map.pitch);
    cpu.spread(n * c, 2 * map.dims.len(), Chunks { values: images, row: plane }, |rows, images| {
        for (row, to) in rows.zip(images.values.chunks_exact_mut(plane.max(1))) {
            let (image, channel) = (row / c, row % c);
            let values = map.values[image * plane * pitch + channel..].iter().step_by(pitch);
            to.iter_mut().zip(values).for_each(|(to, x)| *to = x * scale[channel]);
        }
    });
}
