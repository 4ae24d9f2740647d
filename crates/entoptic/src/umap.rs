//! UMAP: points of many channels laid out in the plane, so that what is alike is near.

mod curve;
mod descent;
mod graph;
mod neighbors;

use std::ops::{ControlFlow, Range};

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use self::{curve::Curve, descent::Descent, graph::fuzzy_graph, neighbors::nearest};

/// The options of a layout. Distances between points are cosine distances.
///
/// It is made in four parts: the [`nearest`] points of each, exactly; the [`fuzzy_graph`] of how much they belong
/// together; the [`Curve`] of how near that is in the plane; and the [`Descent`] that moves points there. The same seed
/// gives the same layout, on any number of threads.
///
/// # Reference
/// [UMAP](https://arxiv.org/abs/1802.03426), McInnes, Healy and Melville, 2018; umap-learn 0.5.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Umap {
    /// How many points make up the surroundings of each, itself among them as in umap-learn; 20 in Lucid's notebook
    /// `activation-atlas-simple`, 50 in its recipe.
    pub(crate) neighbors: usize,
    /// How near points may come in the plane; 0.05 in Lucid's recipe, 0.01 in the notebook.
    pub(crate) min_dist: f64,
    /// Over which distance in the plane points cease to look alike; 1 in umap-learn.
    pub(crate) spread: f64,
    /// How often all points move; if not given, [`EPOCHS`] or [`EPOCHS_OF_MANY`].
    pub(crate) epochs: Option<usize>,
    /// What all chance comes from.
    pub(crate) seed: u64,
}

/// How often up to [`MANY`] points move, and how often more do; umap-learn, `simplicial_set_embedding`.
const EPOCHS: usize = 500;
const EPOCHS_OF_MANY: usize = 200;
const MANY: usize = 10_000;

impl Default for Umap {
    fn default() -> Self {
        Self { neighbors: 20, min_dist: 0.01, spread: 1.0, epochs: None, seed: 0 }
    }
}

impl Umap {
    /// Where each of `count` points lies in the plane.
    ///
    /// `products` gives, for a range of points, the products of their unit vectors with those of all points, row by
    /// row. `start` is a first layout of any scale, such as two principal components. `progress` hears how many epochs
    /// of how many are done, and may end the descent there.
    ///
    /// # Shapes
    /// - products of a range: `[range.len(), count]`
    /// - start: `[count, 2]`
    /// - value: `[count, 2]`
    pub(crate) fn layout(
        &self,
        count: usize,
        products: impl Fn(Range<usize>) -> Vec<f32>,
        start: Vec<[f32; 2]>,
        progress: impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Vec<[f32; 2]> {
        assert_eq!(start.len(), count, "each point starts somewhere");
        let others = self.neighbors.min(count).saturating_sub(1);
        let edges = fuzzy_graph(&nearest(count, others, &products));
        let curve = Curve::fit(self.min_dist, self.spread);
        let epochs = self.epochs.unwrap_or(if count <= MANY { EPOCHS } else { EPOCHS_OF_MANY });
        Descent { edges: &edges, curve, epochs, seed: self.seed }.run(scaled(start, self.seed), progress)
    }
}

/// How far the first layout reaches along each axis, and how far its points are moved by chance so that no two are one;
/// umap-learn, `simplicial_set_embedding` and `noisy_scale_coords`.
const EXTENT: f64 = 10.0;
const JITTER: f64 = 1e-4;

/// The first layout `[n, 2]`, as large as the descent wants it.
fn scaled(start: Vec<[f32; 2]>, seed: u64) -> Vec<[f32; 2]> {
    let axes = [0, 1].map(|axis| {
        let finite = start.iter().map(|point| f64::from(point[axis])).filter(|x| x.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        (low, high - low)
    });
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::MAX); // The descent counts its streams from 0.
    let mut place = |x: f32, (low, extent): (f64, f64)| {
        let x = (f64::from(x) - low) / extent;
        // Where there is no number or no extent, the middle.
        let x = if x.is_finite() { x } else { 0.5 };
        (EXTENT * x + rng.random_range(-JITTER..JITTER)) as f32
    };
    start.into_iter().map(|[x, y]| [place(x, axes[0]), place(y, axes[1])]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn unit(vector: Vec<f32>) -> Vec<f32> {
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.iter().map(|x| x / norm).collect()
    }

    /// What [`Umap::layout`] asks for.
    pub(super) fn products(points: &[Vec<f32>]) -> impl Fn(Range<usize>) -> Vec<f32> {
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        move |rows| points[rows].iter().flat_map(|a| points.iter().map(move |b| product(a, b))).collect()
    }

    /// Unit vectors `[clusters each, 8]` around directions of their own, one cluster after the other.
    pub(super) fn clusters(each: usize, clusters: usize, noise: f32) -> Vec<Vec<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut near = |cluster| {
            let entry = |channel| rng.random_range(-noise..noise) + if channel == cluster { 1.0 } else { 0.0 };
            unit((0..8).map(entry).collect())
        };
        (0..clusters * each).map(|i| near(i / each)).collect()
    }

    /// A layout of `points` that starts at their last two channels, which are the same noise in all clusters.
    fn layout(umap: &Umap, points: &[Vec<f32>]) -> Vec<[f32; 2]> {
        let start = points.iter().map(|point| [point[6], point[7]]).collect();
        umap.layout(points.len(), products(points), start, |_, _| ControlFlow::Continue(()))
    }

    fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn clusters_are_apart() {
        let layout = layout(&Umap::default(), &clusters(60, 3, 0.5));
        let pairs = |alike: bool| {
            let layout = &layout;
            let all = (0..180).flat_map(|i| (0..i).map(move |j| (i, j)));
            all.filter(move |(i, j)| (i / 60 == j / 60) == alike).map(|(i, j)| distance(layout[i], layout[j]))
        };
        let (widest, gap) = (pairs(true).fold(0.0, f32::max), pairs(false).fold(f32::INFINITY, f32::min));
        assert!(gap > widest, "{gap} between clusters as wide as {widest}");
    }

    #[test]
    fn the_layout_is_the_same_on_any_number_of_threads() {
        let points = clusters(100, 3, 1.0);
        let on = |threads: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let umap = Umap { epochs: Some(50), seed, ..Umap::default() };
            pool.install(|| layout(&umap, &points)).into_iter().flatten().map(f32::to_bits).collect::<Vec<_>>()
        };
        assert_eq!(on(1, 3), on(2, 3));
        assert_ne!(on(1, 3), on(1, 4));
    }

    #[test]
    fn a_start_is_scaled_along_each_axis() {
        let start = scaled(vec![[-1.0, 300.0], [0.0, 100.0], [1.0, 200.0]], 0);
        let expected = [[0.0, 10.0], [5.0, 0.0], [10.0, 5.0]];
        assert!(start.iter().zip(expected).all(|(&a, b)| distance(a, b) < 2e-4), "{start:?}");
        assert_ne!(start, expected);
    }

    #[test]
    fn odd_points_have_a_place_too() {
        let umap = Umap { epochs: Some(30), ..Umap::default() };
        let mut some_odd = clusters(20, 2, 0.5);
        some_odd[3] = vec![0.0; 8];
        some_odd[7] = vec![f32::NAN; 8];
        some_odd[11] = vec![f32::INFINITY; 8];
        some_odd[13] = some_odd[12].clone();
        let one = clusters(1, 1, 0.5);
        let cases = [
            ("none", vec![]),
            ("one", one.clone()),
            ("two", clusters(1, 2, 0.5)),
            ("fewer than neighbors", clusters(3, 2, 0.5)),
            ("all equal", vec![one[0].clone(); 50]),
            ("all zero", vec![vec![0.0; 8]; 50]),
            ("no numbers", vec![vec![f32::NAN; 8]; 50]),
            ("some odd", some_odd),
        ];
        for (case, points) in cases {
            let layout = layout(&umap, &points);
            assert_eq!(layout.len(), points.len(), "{case}");
            assert!(layout.iter().flatten().all(|x| x.is_finite()), "{case}: {layout:?}");
            let apart = (0..layout.len()).all(|i| (0..i).all(|j| layout[i] != layout[j]));
            assert!(apart, "{case}: {layout:?}");
        }
    }

    #[test]
    fn odd_options_give_a_layout_too() {
        let points = clusters(10, 2, 0.5);
        for neighbors in [0, 1, 2, 20, 21, usize::MAX] {
            for spread in [1.0, 0.0, f64::NAN] {
                let umap = Umap { neighbors, spread, epochs: Some(10), ..Umap::default() };
                assert!(layout(&umap, &points).iter().flatten().all(|x| x.is_finite()), "{umap:?}");
            }
        }
        let umap = Umap { epochs: Some(0), ..Umap::default() };
        assert_eq!(layout(&umap, &points).len(), 20);
    }
}
