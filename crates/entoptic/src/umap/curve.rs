//! How near in the plane means how much alike.

/// `1 / (1 + a d^(2b))`: how much alike two points look at a distance `d` in the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Curve {
    pub(super) a: f64,
    pub(super) b: f64,
}

/// How many distances the curve is fitted at, and how many spreads they reach; umap-learn, `find_ab_params`.
const DISTANCES: usize = 300;
const REACH: f64 = 3.0;

/// Fitting ends after so many steps at the latest; it takes about ten.
const MAX_STEPS: usize = 100;

/// How much a step is damped at first, how that changes with its success, and at which damping nothing is left to gain.
const DAMPING: f64 = 1e-3;
const AFTER_GAIN: f64 = 0.3;
const AFTER_LOSS: f64 = 10.0;
const MAX_DAMPING: f64 = 1e12;

impl Curve {
    /// The curve nearest to one that is 1 up to `min_dist` and then falls off exponentially, to 1/e over `spread`.
    ///
    /// By the method of Levenberg and Marquardt, as SciPy's `curve_fit` does.
    pub(super) fn fit(min_dist: f64, spread: f64) -> Self {
        // At 0 every curve is 1.
        let distances = (1..DISTANCES).map(|i| REACH * spread * i as f64 / (DISTANCES - 1) as f64);
        let wanted = |distance: f64| if distance < min_dist { 1.0 } else { (-(distance - min_dist) / spread).exp() };
        let wanted: Vec<(f64, f64)> = distances.map(|distance| (distance, wanted(distance))).collect();

        let mut curve = Self { a: 1.0, b: 1.0 };
        let mut damping = DAMPING;
        for _ in 0..MAX_STEPS {
            let next = curve.step(&wanted, damping);
            if next.a > 0.0 && next.b > 0.0 && next.error(&wanted) < curve.error(&wanted) {
                curve = next;
                damping *= AFTER_GAIN;
            } else if damping < MAX_DAMPING {
                damping *= AFTER_LOSS;
            } else {
                break;
            }
        }
        curve
    }

    fn at(self, distance: f64) -> f64 {
        1.0 / (1.0 + self.a * distance.powf(2.0 * self.b))
    }

    /// The sum of squares of what is missing.
    fn error(self, wanted: &[(f64, f64)]) -> f64 {
        wanted.iter().map(|&(distance, wanted)| (self.at(distance) - wanted).powi(2)).sum()
    }

    /// The curve after one damped Gauss-Newton step, which solves `(JᵀJ + damping diag(JᵀJ)) step = Jᵀ error`.
    fn step(self, wanted: &[(f64, f64)], damping: f64) -> Self {
        let [mut aa, mut ab, mut bb, mut a_error, mut b_error] = [0.0; 5];
        for &(distance, wanted) in wanted {
            let value = self.at(distance);
            let by_a = -distance.powf(2.0 * self.b) * value.powi(2);
            let by_b = 2.0 * self.a * distance.ln() * by_a;
            aa += by_a * by_a;
            ab += by_a * by_b;
            bb += by_b * by_b;
            a_error += by_a * (value - wanted);
            b_error += by_b * (value - wanted);
        }
        let [aa, bb] = [aa, bb].map(|square| square * (1.0 + damping));
        let determinant = aa * bb - ab * ab;
        Self {
            a: self.a - (bb * a_error - ab * b_error) / determinant,
            b: self.b - (aa * b_error - ab * a_error) / determinant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_that_of_umap_learn() {
        // for min_dist in (0.01, 0.05, 0.1): print(umap.umap_.find_ab_params(1.0, min_dist))
        // print(umap.umap_.find_ab_params(2.0, 0.5))
        let known = [
            (0.01, 1.0, 1.895606, 0.800638),
            (0.05, 1.0, 1.750225, 0.842055),
            (0.1, 1.0, 1.576943, 0.895061),
            (0.5, 2.0, 0.258879, 1.057500),
        ];
        for (min_dist, spread, a, b) in known {
            let curve = Curve::fit(min_dist, spread);
            assert!((curve.a - a).abs() < 1e-3 && (curve.b - b).abs() < 1e-3, "{min_dist}, {spread}: {curve:?}");
        }
    }

    #[test]
    fn there_is_a_curve_for_odd_numbers_too() {
        for odd in [0.0, -1.0, 1e300, f64::INFINITY, f64::NAN] {
            for curve in [Curve::fit(odd, 1.0), Curve::fit(0.05, odd), Curve::fit(odd, odd)] {
                assert!(
                    curve.a > 0.0 && curve.a.is_finite() && curve.b > 0.0 && curve.b.is_finite(),
                    "{odd}: {curve:?}"
                );
            }
        }
    }
}
