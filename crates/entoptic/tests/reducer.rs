//! Channel reducers against scikit-learn's, as Lucid uses them, and on data whose components are known.

use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use entoptic::{
    Error,
    reducer::{Algorithm, IcaConfig, Init, KMeansConfig, NmfConfig, PcaConfig, Reducer, posneg},
};
use entoptic_fixtures::{Fixture, assert_close};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A tensor stored `[h, w, c]`, as `[1, c, h, w]`.
fn activations(fixture: &Fixture, name: &str) -> Tensor<4> {
    let (shape, values) = fixture.values(name);
    let [h, w, c] = shape[..] else { panic!("`{name}` is not of one image") };
    Tensor::<4>::from_data(TensorData::new(values, [1, h, w, c]), &Device::flex()).permute([0, 3, 1, 2])
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().unwrap()
}

fn norm<const D: usize>(tensor: Tensor<D>) -> f64 {
    host(tensor).into_iter().map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

/// Vectors `[n, c]` made by `value(n, c)` of a seeded generator.
fn vectors(n: usize, c: usize, mut value: impl FnMut(&mut ChaCha8Rng, usize, usize) -> f32) -> Tensor<2> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let values: Vec<f32> = (0..n * c).map(|i| value(&mut rng, i / c, i % c)).collect();
    Tensor::from_data(TensorData::new(values, [n, c]), &Device::flex())
}

fn noise(n: usize, c: usize) -> Tensor<2> {
    vectors(n, c, |rng, _, _| rng.random())
}

#[test]
fn nmf_reconstructs_as_well_as_scikit_learn() {
    let fixture = Fixture::open("channel_reducer");
    let x = activations(&fixture, "nmf_2_default/in/X");
    for case in fixture.cases("nmf_") {
        let argument = |name| fixture.argument(&case, name);
        let k = argument("n_components").as_u64().unwrap() as usize;
        let mut config = NmfConfig::new(k);
        if argument("kwargs")["init"] == "nndsvd" {
            config = config.with_init(Some(Init::Nndsvd));
        }
        if let Some(most) = argument("kwargs")["max_iter"].as_u64() {
            config = config.with_max_iterations(most as usize);
        }
        let (nmf, factors) = config.fit_transform(x.clone()).unwrap();
        assert_eq!(factors.dims(), [1, k, 8, 8]);
        let expected = argument("sklearn_reconstruction_err_").as_f64().unwrap();
        let found = nmf.reconstruction_error();
        assert!((found - expected).abs() <= 0.01 * expected, "{case}: error {found} is not {expected}");
        let measured = norm(x.clone() - nmf.inverse(factors.clone()).unwrap());
        assert!((found - measured).abs() <= 1e-4 * expected, "{case}: says {found}, is {measured}");
        // The same start and the same descent, so the factors are the same where the answer is unique.
        if k <= 3 {
            let iterations = argument("n_iter").as_u64().unwrap() as usize;
            assert!(nmf.iterations().abs_diff(iterations) <= 1, "{case}: {} iterations", nmf.iterations());
            assert_close(&case, factors, activations(&fixture, &format!("{case}/out/factors")), 1e-3);
            let components = fixture.tensor(&format!("{case}/out/components"), &Device::flex());
            assert_close(&case, nmf.components(), components, 1e-3);
        }
    }
}

#[test]
fn pca_is_scikit_learns() {
    let fixture = Fixture::open("channel_reducer");
    let device = Device::flex();
    let x = activations(&fixture, "pca_3/in/X");
    let (pca, factors) = PcaConfig::new(3).fit_transform(x.clone()).unwrap();
    assert_close("factors", factors.clone(), activations(&fixture, "pca_3/out/factors"), 1e-4);
    assert_close("components", pca.components(), fixture.tensor("pca_3/out/components", &device), 1e-4);
    assert_close("mean", pca.mean(), fixture.tensor("pca_3/out/mean", &device), 1e-4);
    let ratio: Vec<f32> = pca.explained_variance_ratio().iter().map(|&r| r as f32).collect();
    let ratio = Tensor::<1>::from_data(TensorData::new(ratio, [3]), &device);
    assert_close("ratio", ratio, fixture.tensor("pca_3/out/explained_variance_ratio", &device), 1e-4);
    let row = activations(&fixture, "pca_3/out/transform_of_first_row");
    assert_close("row", pca.transform(x.narrow(2, 0, 1)).unwrap(), row, 1e-4);
}

#[test]
fn activations_of_one_direction_need_one_component() {
    let fixture = Fixture::open("channel_reducer");
    let eye = Tensor::<4>::from_data(
        Tensor::<2>::eye(10, &Device::flex()).reshape([1, 1, 10, 10]).into_data(),
        &Device::flex(),
    );
    let eyes = eye.repeat_dim(1, 10);
    let reduced = NmfConfig::new(2).fit(eyes.clone()).unwrap().transform(eyes).unwrap();
    assert_eq!(reduced.dims(), [1, 2, 10, 10]);
    // 0 on this kind of machine; others may round the last bit of the products differently.
    assert!(host(reduced.clone().narrow(1, 1, 1)).iter().all(|&v| v < 1e-12));
    assert_close("reduced", reduced, activations(&fixture, "lucid_trivial_test/out/reduced"), 1e-4);
}

#[test]
fn nmf_finds_parts_that_do_not_overlap() {
    // Each vector is one of three parts, so many times; parts share no channel.
    let x = vectors(60, 12, |_, n, c| if c / 4 == n % 3 { ((1 + n) * (1 + c % 4)) as f32 } else { 0.0 });
    let (nmf, factors) = NmfConfig::new(3).fit_transform(x.clone()).unwrap();
    assert!(nmf.reconstruction_error() < 0.01 * norm(x), "{}", nmf.reconstruction_error());
    let factors = host(factors);
    for n in 0..60 {
        let of = |n: usize| &factors[3 * n..3 * n + 3];
        let largest = |n: usize| (0..3).max_by(|&a, &b| of(n)[a].total_cmp(&of(n)[b])).unwrap();
        assert_eq!(largest(n), largest(n % 3), "vector {n}: {:?}", of(n));
    }
}

#[test]
fn nmf_finds_more_components_than_channels_from_random_ones() {
    let x = noise(40, 3);
    let random = NmfConfig::new(5).fit(x.clone()).unwrap();
    assert!(random.reconstruction_error() < 0.02 * norm(x.clone()), "{}", random.reconstruction_error());
    let error = NmfConfig::new(5).with_init(Some(Init::Nndsvd)).fit(x).unwrap_err();
    let line = "cannot find 5 components; the most is 3, the number of channels";
    assert_eq!(error.to_string(), line);
}

#[test]
fn signed_activations_survive_both_halves() {
    let x = vectors(50, 4, |rng, _, _| rng.random::<f32>() - 0.5).reshape([2, 4, 5, 5]);
    let halves = posneg(x.clone());
    assert_eq!(halves.dims(), [2, 8, 5, 5]);
    assert!(host(halves).iter().all(|&v| v >= 0.0));
    let config = NmfConfig::new(8).with_posneg(true).with_max_iterations(2000).with_tolerance(1e-6);
    let (nmf, factors) = config.fit_transform(x.clone()).unwrap();
    assert_eq!(nmf.components().dims(), [8, 4]);
    let back = nmf.inverse(factors).unwrap();
    assert!(norm(back.clone() - x.clone()) < 0.05 * norm(x.clone()), "{}", norm(back - x));
}

#[test]
fn ica_separates_mixed_signals() {
    // A sine and a square wave of another period.
    let source = |n: usize| [(n as f32 / 40.0).sin(), if n % 170 < 85 { 1.0 } else { -1.0 }];
    let mixing = [[1.0, 0.5, -0.2], [0.4, 1.0, 0.7]];
    let x = vectors(2000, 3, |_, n, c| 3.0 + source(n)[0] * mixing[0][c] + source(n)[1] * mixing[1][c]);
    let (ica, signals) = IcaConfig::new(2).fit_transform(x.clone()).unwrap();
    assert!(ica.iterations() < 200);
    let signals = host(signals);
    let correlation = |signal: usize, source_: usize| {
        let pairs = (0..2000).map(|n| [f64::from(signals[2 * n + signal]), f64::from(source(n)[source_])]);
        let sum = |f: &dyn Fn([f64; 2]) -> f64| pairs.clone().map(f).sum::<f64>() / 2000.0;
        let (a, b) = (sum(&|[a, _]| a), sum(&|[_, b]| b));
        let covariance = sum(&|[a, b]| a * b) - a * b;
        covariance.abs() / ((sum(&|[a, _]| a * a) - a * a) * (sum(&|[_, b]| b * b) - b * b)).sqrt()
    };
    let sine = usize::from(correlation(1, 0) > correlation(0, 0));
    for (signal, source) in [(sine, 0), (1 - sine, 1)] {
        assert!(correlation(signal, source) > 0.995, "signal {signal} is not source {source}");
    }
    // Unit variance around 0, and no variation is lost.
    for signal in 0..2 {
        let values: Vec<f64> = (0..2000).map(|n| f64::from(signals[2 * n + signal])).collect();
        assert!((values.iter().sum::<f64>() / 2000.0).abs() < 1e-4);
        assert!((values.iter().map(|v| v * v).sum::<f64>() / 2000.0 - 1.0).abs() < 1e-4);
    }
    assert_close("back", ica.inverse(ica.transform(x.clone()).unwrap()).unwrap(), x, 1e-5);
}

#[test]
fn k_means_finds_separated_blobs() {
    let centers = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]];
    let x = vectors(200, 2, |rng, n, c| centers[n % 4][c] + rng.random::<f32>() - 0.5);
    for seed in 0..5 {
        let (k_means, clusters) = KMeansConfig::new(4).with_seed(seed).fit_transform(x.clone()).unwrap();
        let rows = host(clusters.clone());
        let row = |n: usize| &rows[4 * n..4 * n + 4];
        for n in 0..200 {
            assert_eq!(row(n), row(n % 4), "vector {n} is with those of its blob");
            assert_eq!(row(n).iter().sum::<f32>(), 1.0);
        }
        assert_eq!((0..4).map(|n| row(n).iter().position(|&v| v == 1.0).unwrap()).sum::<usize>(), 6);
        // The inverse is the mean of the vector's blob.
        let back = host(k_means.inverse(clusters).unwrap());
        let values = host(x.clone());
        for c in 0..2 {
            let mean = (0..50).map(|n| values[8 * n + c]).sum::<f32>() / 50.0;
            assert!((back[c] - mean).abs() < 1e-5);
        }
        assert_eq!(host(k_means.transform(x.clone()).unwrap()), rows);
    }
}

#[test]
fn k_means_of_fewer_distinct_vectors_than_clusters_is_exact() {
    let x = vectors(12, 2, |_, n, _| (n % 2) as f32);
    let (k_means, clusters) = KMeansConfig::new(4).fit_transform(x.clone()).unwrap();
    assert!(k_means.inertia() < 1e-12);
    assert_close("back", k_means.inverse(clusters).unwrap(), x, 1e-6);
}

#[test]
fn as_many_components_as_channels_lose_nothing() {
    let x = noise(90, 6).reshape([2, 6, 5, 9]);
    let pca = PcaConfig::new(6).fit(x.clone()).unwrap();
    assert!((pca.explained_variance_ratio().iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert_close("PCA", pca.inverse(pca.transform(x.clone()).unwrap()).unwrap(), x.clone(), 1e-5);
    let ica = IcaConfig::new(6).fit(x.clone()).unwrap();
    assert_close("ICA", ica.inverse(ica.transform(x.clone()).unwrap()).unwrap(), x, 1e-5);
}

#[test]
fn images_and_vectors_are_reduced_alike() {
    let x = noise(36, 5).reshape([4, 5, 3, 3]);
    let flat = x.clone().permute([0, 2, 3, 1]).reshape([36, 5]);
    let (_, maps) = NmfConfig::new(2).fit_transform(x.clone()).unwrap();
    let (nmf, rows) = NmfConfig::new(2).fit_transform(flat).unwrap();
    assert_eq!(maps.dims(), [4, 2, 3, 3]);
    assert_eq!(host(maps.permute([0, 2, 3, 1])), host(rows.clone()));
    // Only factors were descended over, so they are as good or better.
    let again = nmf.transform(x).unwrap();
    assert_close("transform", again.permute([0, 2, 3, 1]).reshape([36, 2]), rows, 0.05);
}

#[test]
fn a_seed_repeats() {
    fn check<A: Algorithm>(algorithm: impl Fn(u64) -> A, name: &str, differs: bool) {
        let x = noise(120, 60);
        let factors = |seed| host(algorithm(seed).fit_transform(x.clone()).unwrap().1);
        assert_eq!(factors(3), factors(3), "{name}");
        assert_eq!(factors(3) != factors(4), differs, "{name}");
    }
    check(|seed| NmfConfig::new(3).with_init(Some(Init::Random)).with_seed(seed), "NMF", true);
    check(|seed| NmfConfig::new(20).with_seed(seed), "NMF from all singular vectors", false);
    check(|seed| PcaConfig::new(30).with_seed(seed), "PCA of all singular vectors", false);
    check(|seed| IcaConfig::new(3).with_seed(seed), "ICA", true);
    check(|seed| KMeansConfig::new(3).with_restarts(1).with_seed(seed), "k-means", true);
}

#[test]
fn what_cannot_be_reduced_is_said() {
    let says = |result: Result<(), Error>, line: &str| assert_eq!(result.unwrap_err().to_string(), line);
    let fit = |config: NmfConfig, x: &Tensor<2>| config.fit(x.clone()).map(drop);
    let (good, bad) = (noise(8, 5), noise(8, 5) - 0.9);
    let line = "cannot factor activations as small as -0.8";
    let error = fit(NmfConfig::new(2), &bad).unwrap_err().to_string();
    assert!(error.starts_with(line) && error.ends_with("set `posneg` to factor both signs"), "{error}");
    let line = "cannot reduce NaN; activations and factors are finite numbers";
    says(fit(NmfConfig::new(2), &(good.clone() / 0.0 * 0.0)), line);
    says(fit(NmfConfig::new(2).with_posneg(true), &(good.clone() / 0.0 * 0.0)), line);
    let line = "there are no activations to reduce; it takes one position and one channel or more";
    says(PcaConfig::new(1).fit(Tensor::<4>::zeros([1, 5, 0, 3], &Device::flex())).map(drop), line);
    let line = "the number of components cannot be 0; it is 1 or more";
    says(fit(NmfConfig::new(0), &good), line);
    says(PcaConfig::new(0).fit(good.clone()).map(drop), line);
    says(IcaConfig::new(0).fit(good.clone()).map(drop), line);
    says(KMeansConfig::new(0).fit(good.clone()).map(drop), line);
    let line = "cannot find 6 components; the most is 5, the number of channels";
    says(PcaConfig::new(6).fit(good.clone()).map(drop), line);
    let line = "cannot find 9 components; the most is 8, the number of samples";
    says(KMeansConfig::new(9).fit(good.clone()).map(drop), line);
    let flat = good.clone().narrow(1, 0, 1).repeat_dim(1, 5);
    let line = "cannot find 2 components; the most is 1, the number of directions that vary";
    says(IcaConfig::new(2).fit(flat).map(drop), line);
    let line = "restarts cannot be 0; they are 1 or more";
    says(KMeansConfig::new(2).with_restarts(0).fit(good.clone()).map(drop), line);
    let line = "the tolerance cannot be -1; it is 0 or more, such as 1e-4";
    says(fit(NmfConfig::new(2).with_tolerance(-1.0), &good), line);

    let line = "4 channels do not fit this reducer; it takes 5 here";
    let nmf = NmfConfig::new(2).fit(good.clone()).unwrap();
    says(nmf.transform(noise(3, 4)).map(drop), line);
    says(PcaConfig::new(2).fit(good.clone()).unwrap().transform(noise(3, 4)).map(drop), line);
    says(NmfConfig::new(2).with_posneg(true).fit(good).unwrap().transform(noise(3, 4)).map(drop), line);
    says(nmf.inverse(noise(3, 3)).map(drop), "3 channels do not fit this reducer; it takes 2 here");
}

#[test]
fn activations_of_a_recording_device_are_reduced() {
    let x = noise(20, 5);
    let recording = Tensor::<2>::from_data(x.to_data(), &Device::flex().autodiff()).require_grad();
    let config = NmfConfig::new(2).with_posneg(true);
    let (nmf, factors) = config.fit_transform(recording.clone()).unwrap();
    assert_eq!(host(factors.clone()), host(config.fit_transform(x).unwrap().1));
    // They come back to that device, as constants.
    let back = nmf.inverse(factors).unwrap();
    let gradients = (recording.clone() * back.clone()).sum().backward();
    assert_eq!(host(recording.grad(&gradients).unwrap()), host(back));
}

#[test]
fn what_does_not_vary_is_reduced() {
    let zeros = Tensor::<2>::zeros([6, 4], &Device::flex());
    assert_eq!(NmfConfig::new(2).fit(zeros.clone()).unwrap().reconstruction_error(), 0.0);
    assert_eq!(PcaConfig::new(2).fit(zeros.clone() + 1.0).unwrap().explained_variance_ratio(), [0.0, 0.0]);
    assert_eq!(KMeansConfig::new(2).fit(zeros).unwrap().inertia(), 0.0);
}

/// `cargo test --release -p entoptic --test reducer -- --ignored --nocapture`
#[test]
#[ignore = "measures time"]
fn speed() {
    // As large as GoogLeNet's `mixed4d` is on a 448 pixel image, and of falling variance.
    let parts = noise(784, 40).powi_scalar(4).matmul(noise(40, 528).powi_scalar(8));
    let x = parts + noise(784, 528).powi_scalar(6);
    let time = |name: &str, work: &dyn Fn() -> String| {
        let start = Instant::now();
        let what = work();
        println!("{name}: {:?} {what}", start.elapsed());
    };
    time("NMF, 200 iterations", &|| {
        let nmf = NmfConfig::new(6).with_tolerance(0.0).fit(x.clone()).unwrap();
        format!("{} iterations, error {:.4}", nmf.iterations(), nmf.reconstruction_error())
    });
    time("NMF", &|| {
        let nmf = NmfConfig::new(6).fit(x.clone()).unwrap();
        format!("{} iterations, error {:.4}", nmf.iterations(), nmf.reconstruction_error())
    });
    time("PCA", &|| format!("{:?}", PcaConfig::new(6).fit(x.clone()).unwrap().explained_variance_ratio()));
    time("PCA of 528", &|| format!("{:?}", PcaConfig::new(528).fit(x.clone()).unwrap().explained_variance_ratio()[0]));
    time("ICA", &|| format!("{} iterations", IcaConfig::new(6).fit(x.clone()).unwrap().iterations()));
    time("k-means", &|| format!("inertia {:.4}", KMeansConfig::new(6).fit(x.clone()).unwrap().inertia()));
}
