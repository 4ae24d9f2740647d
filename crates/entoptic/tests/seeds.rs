//! Programs that people wrote with Lucid and that are no recipe can be written here, line by line.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor};
use entoptic::{
    RenderConfig,
    chance::{Purpose, draws},
    objective::{channel, neuron},
    param::{self, Param, Prepared, image, lowres_tensor},
    render,
};
use entoptic_fixtures::{Fixture, assert_close, mini_5h};

fn largest<const D: usize>(tensor: Tensor<D>) -> f32 {
    tensor.abs().max().into_scalar()
}

/// Images on the way between each two of `n` objectives, in `m` steps; `[a][b]` are those from `a` to `b`.
struct InterpolationBasis {
    /// What all share, then what is of one objective, then what is of two.
    parts: Vec<Param>,
    paths: Vec<Vec<Param>>,
}

/// Lucid's `multi_interpolation_basis`, with every path back the mirror image of the path there.
fn multi_interpolation_basis(n: usize, m: usize, w: usize) -> InterpolationBasis {
    let levels = |count: usize, factors: &[usize]| -> Param {
        factors.iter().map(|k| lowres_tensor([m, 3, w, w], [count, 3, w / k, w / k])).sum()
    };
    let mirrored = |path: &Param| path.select((0..m).rev());
    let constant = levels(1, &[1, 2, 4, 8]);
    let ends: Vec<Param> = (0..n).map(|_| levels(2, &[1, 2, 4, 8])).collect();
    let between: HashMap<(usize, usize), Param> = pairs(n).map(|pair| (pair, levels(m, &[1, 2]))).collect();
    let there = |a: usize, b: usize| {
        let both = constant.clone() + ends[a].clone() + mirrored(&ends[b]);
        between.get(&(a, b)).into_iter().fold(both, |both, own| both + own.clone())
    };
    let path = |a: usize, b: usize| if a <= b { there(a, b) } else { mirrored(&there(b, a)) };
    let paths = (0..n).map(|a| (0..n).map(|b| path(a, b)).collect()).collect();
    let own = pairs(n).map(|pair| between[&pair].clone());
    InterpolationBasis { parts: [constant].into_iter().chain(ends).chain(own).collect(), paths }
}

/// Each two of `n`, the smaller first.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |a| (a + 1..n).map(move |b| (a, b)))
}

#[test]
fn interpolations_between_many_objectives() {
    let fixture = Fixture::open("recipes");
    for (case, n, m) in [("multi_interpolation_basis_N2_M3_W8", 2, 3), ("multi_interpolation_basis_N3_M4_W8", 3, 4)] {
        let InterpolationBasis { parts, paths } = multi_interpolation_basis(n, m, 8);
        let all: Vec<&Param> = parts.iter().chain(paths.iter().flatten()).collect();
        let (prepared, own) = Prepared::new(all, &Device::flex(), &mut draws(0, Purpose::Variables));
        // Lucid's variables are [h, w, c], or [.., h, w, c] with an axis for the steps.
        let variables: Vec<Tensor<1>> = (0..own.len())
            .map(|i| {
                let (shape, values) = fixture.values(&format!("{case}/in/var{i:02}"));
                let [.., h, w, c] = shape[..] else { panic!("{shape:?}") };
                let values = Tensor::<1>::from_floats(&*values, &Device::flex());
                let count = values.dims()[0] / (h * w * c);
                values.reshape([count, h, w, c]).permute([0, 3, 1, 2]).reshape([-1])
            })
            .collect();
        for (variable, own) in variables.iter().zip(own) {
            assert_eq!(variable.dims(), own.dims());
        }
        let values = prepared.evaluate(&variables, &mut draws(0, Purpose::Noise));
        let path = |a: usize, b: usize| values.get(&paths[a][b]).unwrap();

        let size = m * 8 * 8 * 3;
        let (_, t) = fixture.values(&format!("{case}/out/t"));
        let lucids = |a: usize, b: usize| {
            let path = &t[(a * n + b) * size..][..size];
            Tensor::<1>::from_floats(path, &Device::flex()).reshape([m, 8, 8, 3]).permute([0, 3, 1, 2])
        };
        let mirrored = |path: Tensor<4>| path.flip([0]);
        for (a, b) in pairs(n).chain((0..n).map(|a| (a, a))) {
            assert_close(&format!("{case} {a} to {b}"), path(a, b), lucids(a, b), 1e-5);
        }
        for (a, b) in pairs(n) {
            // On the way back Lucid mirrors what another pair has between it, or nothing: `n - a` stands there for `a`.
            let between = |pair: (usize, usize)| {
                let place = pairs(n).position(|known| known == pair);
                place.map(|place| mirrored(values.get(&parts[1 + n + place]).unwrap()))
            };
            let back = path(b, a) - between((a, b)).unwrap();
            let back = between((a, n - b)).into_iter().fold(back, |back, other| back + other);
            assert_close(&format!("{case} {b} to {a}, as Lucid"), back, lucids(b, a), 1e-5);
            // What it is said to be: the same way back, ends that are each objective's own.
            assert_eq!(largest(path(b, a) - mirrored(path(a, b))), 0.0);
            let start = |a: usize, b: usize| path(a, b).narrow(0, 0, 1);
            assert!(largest(start(a, b) - start(b, a)) > 0.0);
        }
    }
}

#[test]
fn mini_lucid() {
    // Several objectives of one layer evaluate it once.
    let objective = channel("mixed4a", 20) + 0.5 * neuron("mixed4a", 7) - 0.1 * channel("mixed3b", 2);
    assert_eq!(objective.layers(), ["mixed4a", "mixed3b"]);
    let standard = RenderConfig::new().with_steps(24);
    let done = render(&mini_5h(), &objective, image([48, 48]), &standard).unwrap();
    assert!(done.final_value > done.values[0], "{:?} then {}", done.values, done.final_value);

    // Between a spectrum and its image one can go back and forth.
    let result = done.images().unwrap().clone().reshape([3, 48, 48]);
    for decay_power in [0.0, 1.0, 2.0] {
        let spectrum = param::fourier_inverse([48, 48], decay_power, &Device::flex())(result.clone());
        let again = param::fourier(3, [48, 48], decay_power, &Device::flex())(spectrum);
        assert_close(&format!("decay {decay_power}"), again, result.clone(), 1e-4);
    }
}
