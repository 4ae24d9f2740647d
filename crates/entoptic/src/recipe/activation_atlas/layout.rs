//! Where activations lie in an atlas.

use std::ops::ControlFlow;

use burn::tensor::Tensor;
use rand::RngExt;

use crate::{
    Error,
    chance::{Purpose, draws},
    recipe::Job,
    reducer::{Algorithm, PcaConfig},
    umap::Umap,
};

/// A place `[x, y]` for each of some vectors `[n, c]`; vectors of similar direction are close.
///
/// Each round counts as a step of the job, which ends it where it is.
pub fn layout(
    job: &mut Job<'_>,
    vectors: &Tensor<2>,
    neighbors: usize,
    min_dist: f64,
    seed: u64,
) -> Result<Vec<[f32; 2]>, Error> {
    let [n, c] = vectors.dims();
    let lengths = vectors.clone().powi_scalar(2).sum_dim(1).sqrt().clamp_min(f32::MIN_POSITIVE);
    let unit = vectors.clone() / lengths;
    let start = match c.min(n) {
        // One axis is a line, and has no second component.
        0 | 1 => (0..n).map(|i| [i as f32, 0.0]).collect(),
        _ => {
            let (_, factors) = PcaConfig::new(2).fit_transform(unit.clone())?;
            let factors: Vec<f32> = factors.try_into_vec_as().expect("factors are f32");
            factors.as_chunks().0.to_vec()
        }
    };
    let products = |range: std::ops::Range<usize>| -> Vec<f32> {
        let some = unit.clone().narrow(0, range.start, range.len());
        some.matmul(unit.clone().transpose()).try_into_vec_as().expect("products are f32")
    };
    let seed = draws(seed, Purpose::Layout).random();
    let umap = Umap { neighbors, min_dist, seed, ..Umap::default() };
    let mut first = true;
    Ok(umap.layout(n, products, start, |_, rounds| {
        if std::mem::take(&mut first) {
            job.expect(rounds);
        }
        if job.advance() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use entoptic_fixtures::mini_5h;

    use super::*;

    #[test]
    fn vectors_of_one_kind_are_closer_than_those_of_another() {
        // Three directions, 40 vectors about each.
        let (kinds, each, c) = (3, 40, 12);
        let value = |i: usize| {
            let (vector, channel) = (i / c, i % c);
            f32::from(u8::from(channel / 4 == vector / each)) + 0.1 * ((i * i) as f32).sin()
        };
        let values: Vec<f32> = (0..kinds * each * c).map(value).collect();
        let vectors = Tensor::<2>::from_data(TensorData::new(values, [kinds * each, c]), &Device::flex());
        let network = mini_5h();
        let lay_out = || layout(&mut Job::new(&network), &vectors, 10, 0.05, 7).unwrap();
        let places = lay_out();
        assert_eq!(places, lay_out(), "the same seed");
        let center = |kind: usize| {
            let own = &places[kind * each..][..each];
            [0, 1].map(|axis| own.iter().map(|at| at[axis]).sum::<f32>() / each as f32)
        };
        let apart = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        for kind in 0..kinds {
            let spread = places[kind * each..][..each].iter().map(|&at| apart(at, center(kind))).sum::<f32>();
            let nearest = (0..kinds).filter(|&other| other != kind).map(|other| apart(center(kind), center(other)));
            let nearest = nearest.fold(f32::INFINITY, f32::min);
            assert!(spread / (each as f32) < 0.5 * nearest, "{} and {nearest}", spread / each as f32);
        }
    }
}
