//! Which points belong together, and how much.

use rayon::prelude::*;

use super::neighbors::Neighbor;

/// An edge from a point to another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) other: usize,
    /// How much the two belong together, in `0..=1`.
    pub(super) weight: f32,
}

/// The edges of each point, by the other's index; an edge is found at both its ends, with the same weight.
///
/// A point belongs to its neighbors by what [`Scale`] says, and two belong together if one belongs to the other or the
/// other to the one: the union of two fuzzy sets, `u + v - u v`.
pub(super) fn fuzzy_graph(neighbors: &[Vec<Neighbor>]) -> Vec<Vec<Edge>> {
    let total: f64 = neighbors.iter().flatten().map(|neighbor| f64::from(neighbor.distance)).sum();
    let with_themselves: usize = neighbors.iter().map(|neighbors| neighbors.len() + 1).sum();
    let mean = total / with_themselves as f64;
    let outgoing: Vec<Vec<Edge>> = neighbors.par_iter().map(|neighbors| memberships(neighbors, mean)).collect();

    let mut incoming = vec![Vec::new(); outgoing.len()];
    for (point, edges) in outgoing.iter().enumerate() {
        for edge in edges {
            incoming[edge.other].push(Edge { other: point, weight: edge.weight });
        }
    }
    outgoing.into_par_iter().zip(incoming).map(|(outgoing, incoming)| union(outgoing, incoming)).collect()
}

/// The edges from a point to its neighbors.
fn memberships(neighbors: &[Neighbor], mean: f64) -> Vec<Edge> {
    let distances: Vec<f64> = neighbors.iter().map(|neighbor| f64::from(neighbor.distance)).collect();
    let scale = Scale::fit(&distances, mean);
    let weights = distances.iter().map(|&distance| scale.membership(distance) as f32);
    neighbors.iter().zip(weights).map(|(neighbor, weight)| Edge { other: neighbor.index, weight }).collect()
}

fn union(outgoing: Vec<Edge>, incoming: Vec<Edge>) -> Vec<Edge> {
    let mut edges = [outgoing, incoming].concat();
    edges.sort_by_key(|edge| edge.other);
    edges.dedup_by(|second, first| {
        let both = first.other == second.other;
        if both {
            first.weight = first.weight + second.weight - first.weight * second.weight;
        }
        both
    });
    edges
}

/// How distance is felt from one point, so that each has about as much company however dense its surroundings are.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// The distance that still counts as none, that of the nearest other point.
    rho: f64,
    /// Over which distance membership falls to 1/e.
    sigma: f64,
}

/// The search for sigma ends after so many halvings, or this near to what is wanted; umap-learn, `smooth_knn_dist`.
const MAX_HALVINGS: usize = 64;
const TOLERANCE: f64 = 1e-5;

/// Sigma is no smaller part of the mean distance than this; umap-learn, `MIN_K_DIST_SCALE`.
const LEAST_SIGMA: f64 = 1e-3;

impl Scale {
    /// The scale by which memberships of neighbors at `distances` add up to the binary logarithm of their number,
    /// counted with the point itself as umap-learn does; `mean` is the mean distance from all points to theirs.
    fn fit(distances: &[f64], mean: f64) -> Self {
        let with_itself = (distances.len() + 1) as f64;
        let wanted = with_itself.log2();
        let rho = distances.iter().copied().find(|&distance| distance > 0.0).unwrap_or(0.0);
        let mut scale = Self { rho, sigma: 1.0 };
        let (mut low, mut high) = (0.0, f64::INFINITY);
        for _ in 0..MAX_HALVINGS {
            let sum: f64 = distances.iter().map(|&distance| scale.membership(distance)).sum();
            if (sum - wanted).abs() < TOLERANCE {
                break;
            }
            *(if sum > wanted { &mut high } else { &mut low }) = scale.sigma;
            scale.sigma = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * scale.sigma };
        }
        let mean = if rho > 0.0 { distances.iter().sum::<f64>() / with_itself } else { mean };
        scale.sigma = scale.sigma.max(LEAST_SIGMA * mean);
        scale
    }

    /// In `0..=1`.
    fn membership(self, distance: f64) -> f64 {
        (-(distance - self.rho).max(0.0) / self.sigma).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::umap::{
        neighbors::nearest,
        tests::{products, unit},
    };

    #[test]
    fn the_graph_is_that_of_umap_learn() {
        // distances = sklearn.metrics.pairwise_distances(points, metric="cosine")
        // graph, _, _ = umap.umap_.fuzzy_simplicial_set(distances, 5, numpy.random.RandomState(0), "precomputed")
        // print(graph.toarray())
        let points = [
            [9.0, 7.0, 1.0],
            [7.0, -3.0, -7.0],
            [3.0, -6.0, -7.0],
            [5.0, -4.0, 4.0],
            [1.0, 0.0, 2.0],
            [-7.0, -9.0, 2.0],
            [2.0, -8.0, 9.0],
            [2.0, -1.0, 3.0],
            [-7.0, -2.0, -6.0],
            [-4.0, 8.0, 8.0],
            [4.0, -2.0, -2.0],
            [-3.0, 6.0, -3.0],
        ];
        let expected: [&[(usize, f32)]; 12] = [
            &[(1, 0.49825), (4, 1.0), (7, 0.44290), (9, 0.27242), (10, 0.66072), (11, 0.32978)],
            &[(0, 0.49825), (2, 1.0), (3, 0.21795), (8, 0.12676), (10, 1.0), (11, 0.06758)],
            &[(1, 1.0), (5, 0.39181), (8, 0.69328), (10, 0.95062)],
            &[(1, 0.21795), (4, 0.77910), (5, 0.19395), (6, 0.97971), (7, 1.0), (10, 0.47233)],
            &[(0, 1.0), (3, 0.77910), (6, 0.67848), (7, 1.0), (9, 1.0)],
            &[(2, 0.39181), (3, 0.19395), (6, 1.0), (8, 1.0)],
            &[(3, 0.97971), (4, 0.67848), (5, 1.0), (7, 1.0)],
            &[(0, 0.44290), (3, 1.0), (4, 1.0), (6, 1.0), (9, 0.23748)],
            &[(1, 0.12676), (2, 0.69328), (5, 1.0), (11, 0.97223)],
            &[(0, 0.27242), (4, 1.0), (7, 0.23748), (11, 1.0)],
            &[(0, 0.66072), (1, 1.0), (2, 0.95062), (3, 0.47233)],
            &[(0, 0.32978), (1, 0.06758), (8, 0.97223), (9, 1.0)],
        ];
        let points: Vec<Vec<f32>> = points.map(|point| unit(point.to_vec())).to_vec();
        let graph = fuzzy_graph(&nearest(12, 4, &products(&points)));
        for (point, (edges, expected)) in graph.iter().zip(expected).enumerate() {
            assert_eq!(edges.len(), expected.len(), "{point}: {edges:?}");
            for (edge, &(other, weight)) in edges.iter().zip(expected) {
                assert_eq!(edge.other, other, "of {point}");
                assert!((edge.weight - weight).abs() < 1e-4, "{point} to {other}: {}", edge.weight);
            }
        }
    }

    #[test]
    fn points_without_distance_belong_together_wholly() {
        let others = |point: usize| (0..6).filter(move |&index| index != point);
        let neighbors = |point| others(point).map(|index| Neighbor { index, distance: 0.0 }).collect();
        let graph = fuzzy_graph(&(0..6).map(neighbors).collect::<Vec<_>>());
        for (point, edges) in graph.iter().enumerate() {
            assert_eq!(*edges, others(point).map(|other| Edge { other, weight: 1.0 }).collect::<Vec<_>>());
        }
    }
}
