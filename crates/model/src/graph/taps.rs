//! Operations whose places are weighted sums of the input's, along each axis by itself.

use super::{Op, Sampling};

impl Op {
    /// For each place of the output along an axis (0 for rows, 1 for columns), which of the input's `inputs` places it is
    /// the sum of, and their weights; of pads, crops, resized maps and adaptive pools.
    ///
    /// # Panics
    /// For other operations.
    pub fn taps(&self, axis: usize, inputs: usize) -> Vec<Vec<(usize, f32)>> {
        match self {
            Op::Pad { rows, columns, .. } => {
                let [before, after] = [rows, columns][axis];
                let inside = |i: usize| i.checked_sub(*before).filter(|&i| i < inputs);
                (0..before + inputs + after).map(|i| inside(i).map(|i| (i, 1.0)).into_iter().collect()).collect()
            }
            Op::Crop { origin, size } => (origin[axis]..origin[axis] + size[axis]).map(|i| vec![(i, 1.0)]).collect(),
            Op::AdaptiveAveragePool(size) => {
                let areas = (0..size[axis]).map(|i| i * inputs / size[axis]..((i + 1) * inputs).div_ceil(size[axis]));
                areas.map(|area| area.clone().map(|i| (i, 1.0 / area.len() as f32)).collect()).collect()
            }
            Op::ResizeBilinear { size, sampling } => {
                (0..size[axis]).map(|i| neighbors(sampling.place(i, inputs, size[axis]), inputs)).collect()
            }
            other => panic!("{} is no sum along axes", other.kind()),
        }
    }
}

impl Sampling {
    /// Where place `i` of `outputs` lies among `inputs`.
    fn place(self, i: usize, inputs: usize, outputs: usize) -> f64 {
        let [i, from, to] = [i, inputs, outputs].map(|n| n as f64);
        match self {
            Self::HalfPixel => (i + 0.5) * from / to - 0.5,
            Self::AlignCorners if outputs > 1 => i * (from - 1.0) / (to - 1.0),
            Self::AlignCorners => 0.0,
            Self::Asymmetric => i * from / to,
        }
    }
}

/// The places beside `place`, the nearer the heavier; beyond an edge it is the edge.
fn neighbors(place: f64, inputs: usize) -> Vec<(usize, f32)> {
    let place = place.clamp(0.0, inputs as f64 - 1.0);
    let (first, share) = (place.floor() as usize, place.fract() as f32);
    match share {
        0.0 => vec![(first, 1.0)],
        share => vec![(first, 1.0 - share), (first + 1, share)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_an_adaptive_pool_overlap_where_sizes_do_not_divide() {
        // PyTorch: nn.AdaptiveAvgPool1d(3)(torch.eye(5)[None])
        let third = 1.0 / 3.0;
        let taps = Op::AdaptiveAveragePool([3, 1]).taps(0, 5);
        assert_eq!(taps[0], [(0, 0.5), (1, 0.5)]);
        assert_eq!(taps[1], [(1, third), (2, third), (3, third)]);
        assert_eq!(taps[2], [(3, 0.5), (4, 0.5)]);
    }

    #[test]
    fn places_lie_as_the_sampling_says() {
        let taps = |sampling| Op::ResizeBilinear { size: [4, 1], sampling }.taps(0, 2);
        assert_eq!(taps(Sampling::HalfPixel)[1], [(0, 0.75), (1, 0.25)]);
        assert_eq!(taps(Sampling::HalfPixel)[3], [(1, 1.0)]);
        assert_eq!(taps(Sampling::Asymmetric)[1], [(0, 0.5), (1, 0.5)]);
        assert_eq!(taps(Sampling::AlignCorners)[3], [(1, 1.0)]);
    }
}
