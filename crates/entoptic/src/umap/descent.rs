//! The layout: points that belong together attract each other, others repel.

use std::ops::ControlFlow;

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rayon::prelude::*;

use super::{curve::Curve, graph::Edge};

/// Moves points in the plane so that those with edges come to lie as near to each other as their weights say.
///
/// Gradient descent of the cross-entropy between the weights and how much alike the points look, of which each epoch
/// takes a sample: an edge attracts the more often the heavier it is, and each time some points drawn by chance repel.
/// In umap-learn, moves follow one another; here all points move at once, each by where the others were before the
/// epoch and by draws of its own, so that the layout does not depend on the number of threads.
pub(super) struct Descent<'a> {
    /// Of each point.
    pub(super) edges: &'a [Vec<Edge>],
    pub(super) curve: Curve,
    pub(super) epochs: usize,
    /// What draws come from.
    pub(super) seed: u64,
}

/// How many points repel for each attraction; umap-learn, `negative_sample_rate`.
const REPULSIONS: usize = 5;

/// Both ends of an edge hold it, and each time it moves both; umap-learn, `optimize_layout_euclidean`.
const ATTRACTIONS: usize = 2;

/// No force moves a point further along an axis; umap-learn, `clip`.
const LONGEST: f32 = 4.0;

/// Added to the square of distances of points that repel; umap-learn, `optimize_layout_euclidean`.
const NEARNESS: f32 = 1e-3;

/// How many points a thread moves at least; fewer are done sooner than shared.
const SHARE: usize = 64;

impl Descent<'_> {
    /// The layout `[n, 2]` that `points` `[n, 2]` come to; `progress` hears how many epochs are done, and may end them.
    pub(super) fn run(
        &self,
        mut points: Vec<[f32; 2]>,
        mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Vec<[f32; 2]> {
        let rng = ChaCha8Rng::seed_from_u64(self.seed);
        let heaviest = self.edges.iter().flatten().map(|edge| edge.weight).fold(0.0, f32::max);
        let forces = Forces { a: self.curve.a as f32, b: self.curve.b as f32 };
        for epoch in 0..self.epochs {
            let rate = 1.0 - epoch as f32 / self.epochs as f32;
            let moved = |(i, edges): (usize, &Vec<Edge>)| {
                let mut point = points[i];
                let mut rng = rng.clone();
                rng.set_stream((epoch * points.len() + i) as u64);
                for edge in edges.iter().filter(|edge| attracts(edge.weight / heaviest, epoch)) {
                    for _ in 0..ATTRACTIONS {
                        drive(&mut point, points[edge.other], rate, |square| forces.attraction(square));
                    }
                    for _ in 0..REPULSIONS {
                        let other = rng.random_range(0..points.len());
                        if other != i {
                            drive(&mut point, points[other], rate, |square| forces.repulsion(square));
                        }
                    }
                }
                point
            };
            points = self.edges.par_iter().enumerate().with_min_len(SHARE).map(moved).collect();
            if progress(epoch + 1, self.epochs).is_break() {
                break;
            }
        }
        points
    }
}

/// Whether an edge attracts in this epoch: one of weight 1 does in each, one of weight 1/2 in every other.
fn attracts(weight: f32, epoch: usize) -> bool {
    let times = |epochs: usize| (weight * epochs as f32) as u32;
    times(epoch + 1) > times(epoch)
}

/// Moves `point` away from `other` by `force`, a function of their distance's square, times the way between them.
fn drive(point: &mut [f32; 2], other: [f32; 2], rate: f32, force: impl Fn(f32) -> f32) {
    let way = [point[0] - other[0], point[1] - other[1]];
    let square = way[0] * way[0] + way[1] * way[1];
    if square > 0.0 {
        let force = force(square);
        point.iter_mut().zip(way).for_each(|(x, way)| *x += rate * (force * way).clamp(-LONGEST, LONGEST));
    }
}

/// The gradient of the cross-entropy, for the curve's `a` and `b`.
#[derive(Clone, Copy)]
struct Forces {
    a: f32,
    b: f32,
}

impl Forces {
    fn attraction(self, square: f32) -> f32 {
        let power = square.powf(self.b);
        -2.0 * self.a * self.b * power / (square * (1.0 + self.a * power))
    }

    fn repulsion(self, square: f32) -> f32 {
        2.0 * self.b / ((NEARNESS + square) * (1.0 + self.a * square.powf(self.b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_attract_as_often_as_they_weigh() {
        let times = |weight| (0..200).filter(|&epoch| attracts(weight, epoch)).count();
        assert_eq!([1.0, 0.5, 0.25, 0.005, 0.0049, 0.0].map(times), [200, 100, 50, 1, 0, 0]);
    }

    #[test]
    fn forces_are_the_gradient_of_the_cross_entropy() {
        // At a distance d, cross-entropy is -ln(q) where points attract and -ln(1 - q) where they repel, for
        // q = 1 / (1 + a d^(2b)); a force moves down.
        let (a, b) = (1.75f64, 0.84f64);
        let q = |d: f64| 1.0 / (1.0 + a * d.powf(2.0 * b));
        let slope = |f: &dyn Fn(f64) -> f64, d: f64| (f(d + 1e-5) - f(d - 1e-5)) / 2e-5;
        let forces = Forces { a: a as f32, b: b as f32 };
        for d in [0.5, 1.0, 3.0] {
            let attraction = f64::from(forces.attraction((d * d) as f32)) * d;
            assert!((attraction + slope(&|d| -q(d).ln(), d)).abs() < 1e-4, "{attraction} at {d}");
            // But for what is added to the square.
            let repulsion = f64::from(forces.repulsion((d * d) as f32)) * d * (1.0 + f64::from(NEARNESS) / (d * d));
            assert!((repulsion + slope(&|d| -(1.0 - q(d)).ln(), d)).abs() < 1e-4, "{repulsion} at {d}");
        }
    }

    #[test]
    fn points_at_one_place_leave_each_other_there() {
        let forces = Forces { a: 1.75, b: 0.84 };
        let mut point = [1.0, 2.0];
        drive(&mut point, [1.0, 2.0], 1.0, |square| forces.attraction(square));
        assert_eq!(point, [1.0, 2.0]);
    }

    #[test]
    fn two_points_with_an_edge_come_together() {
        let edges = [1, 0].map(|other| vec![Edge { other, weight: 1.0 }]);
        let curve = Curve { a: 1.75, b: 0.84 };
        let descent = Descent { edges: &edges, curve, epochs: 100, seed: 0 };
        let [one, other] = descent.run(vec![[0.0, 0.0], [10.0, 0.0]], |_, _| ControlFlow::Continue(()))[..] else {
            panic!("two points");
        };
        assert!((one[0] - other[0]).hypot(one[1] - other[1]) < 5.0, "{one:?}, {other:?}");
    }

    #[test]
    fn a_descent_can_be_ended() {
        let descent = Descent { edges: &[vec![]], curve: Curve { a: 1.0, b: 1.0 }, epochs: 10, seed: 0 };
        let mut heard = Vec::new();
        descent.run(vec![[0.0, 0.0]], |epoch, of| {
            heard.push((epoch, of));
            if epoch == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(heard, [(1, 10), (2, 10), (3, 10)]);
    }
}
