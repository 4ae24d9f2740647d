//! The points that are nearest to each.

use std::ops::Range;

use rayon::prelude::*;

/// A point near another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbor {
    pub(super) index: usize,
    /// Cosine distance, 0 in the same direction and 2 in the opposite one.
    pub(super) distance: f32,
}

/// How many products are held at once, at most: 64 MiB of them.
const TILE: usize = 1 << 24;

/// The `each` points nearest to each of `count` points, nearest first, without itself; of equal ones, the first.
///
/// `products` gives, for a range of points, the products of their unit vectors with those of all points, row by row. A
/// product that is not a number makes no neighbors, so where there are some, a point may have fewer than `each`.
pub(super) fn nearest(count: usize, each: usize, products: &dyn Fn(Range<usize>) -> Vec<f32>) -> Vec<Vec<Neighbor>> {
    nearest_by_tiles(count, each, TILE / count.max(1), products)
}

/// As [`nearest`], `height` rows of products at a time.
fn nearest_by_tiles(
    count: usize,
    each: usize,
    height: usize,
    products: &dyn Fn(Range<usize>) -> Vec<f32>,
) -> Vec<Vec<Neighbor>> {
    if each == 0 {
        return vec![Vec::new(); count];
    }
    let height = height.max(1);
    let mut nearest = Vec::with_capacity(count);
    for first in (0..count).step_by(height) {
        let rows = first..count.min(first.saturating_add(height));
        let tile = products(rows.clone()); // [rows, count]
        assert_eq!(tile.len(), rows.len() * count, "each row holds the products with all points");
        let of_rows = tile.par_chunks(count).zip(rows).map(|(products, point)| nearest_to(point, products, each));
        nearest.par_extend(of_rows);
    }
    nearest
}

/// The `each` points nearest to `point`, whose products with all are given.
fn nearest_to(point: usize, products: &[f32], each: usize) -> Vec<Neighbor> {
    let mut nearest: Vec<(usize, f32)> = Vec::with_capacity(each);
    let mut least = f32::NEG_INFINITY;
    for (index, &product) in products.iter().enumerate() {
        if product > least && index != point {
            nearest.truncate(each - 1);
            let place = nearest.partition_point(|&(_, other)| other >= product);
            nearest.insert(place, (index, product));
            if nearest.len() == each {
                least = nearest[each - 1].1;
            }
        }
    }
    let neighbor = |(index, product): (usize, f32)| Neighbor { index, distance: (1.0 - product).clamp(0.0, 2.0) };
    nearest.into_iter().map(neighbor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::umap::tests::{clusters, products};

    #[test]
    fn neighbors_are_those_that_sorting_finds() {
        let points = clusters(50, 3, 0.5);
        let products = products(&points);
        let sorted = |point: usize| {
            let row = products(point..point + 1);
            let mut others: Vec<usize> = (0..150).filter(|&other| other != point).collect();
            others.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
            let neighbor = |&index: &usize| Neighbor { index, distance: 1.0 - row[index] };
            others[..7].iter().map(neighbor).collect::<Vec<_>>()
        };
        let expected: Vec<_> = (0..150).map(sorted).collect();
        for height in [1, 40, 150, usize::MAX] {
            assert_eq!(nearest_by_tiles(150, 7, height, &products), expected, "{height} rows at a time");
        }
    }

    #[test]
    fn of_equal_ones_the_first_are_nearest() {
        let nearest = [0, 1, 4].map(|point| nearest_to(point, &[0.5, 0.9, 0.5, 0.9, 0.5], 3));
        let indices = nearest.map(|neighbors| neighbors.iter().map(|neighbor| neighbor.index).collect::<Vec<_>>());
        assert_eq!(indices, [[1, 3, 2], [3, 0, 2], [1, 3, 0]]);
    }

    #[test]
    fn what_is_no_number_is_near_to_none() {
        let found = nearest_to(0, &[1.0, f32::NAN, -0.5, f32::NAN], 2);
        assert_eq!(found, [Neighbor { index: 2, distance: 1.5 }]);
    }
}
