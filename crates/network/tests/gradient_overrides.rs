//! Gradient overrides change gradients as they say, where they say, and never a value.

use burn::tensor::{Device, Tensor, TensorData};
use entoptic_fixtures::{Fixture, assert_close, mini_5h};
use entoptic_network::{
    Activation, Description, GradientOverrides, LayerOverride, MaxPoolOverride, Network, ReluOverride,
    default_overrides,
    graph::{Convolution, GraphBuilder, Op, Padding, Weights, Window},
    linearization_overrides, pooling_overrides, relu_overrides,
};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Numbers in `-1..1`, the same in every run.
fn random(dims: [usize; 4], seed: u64) -> Tensor<4> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..dims.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_data(TensorData::new(values, dims), &Device::flex())
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().unwrap()
}

/// A chain of operations called `0`, `1`, ...; an added name for the first is `first`.
fn chain(channels: usize, size: [usize; 2], ops: impl IntoIterator<Item = Op>) -> Network {
    let mut graph = GraphBuilder::with_channels(channels, size);
    let mut x = graph.input();
    for (i, op) in ops.into_iter().enumerate() {
        x = graph.add(&i.to_string(), op, &[x]).unwrap();
    }
    graph.alias("first", "0");
    Network::new(graph.finish(), Description::new("chain"))
}

/// The values of `layer`, and the gradient of `sum(values * g)` with respect to the images, for `g` as large as asked.
fn pass(
    network: &Network,
    images: &Tensor<4>,
    layer: &str,
    g: impl Fn([usize; 4]) -> Tensor<4>,
    overrides: &GradientOverrides,
    step: usize,
) -> (Tensor<4>, Tensor<4>) {
    let images = images.clone().autodiff().require_grad();
    let values = network.activations_with(images.clone(), &[layer], overrides, step).unwrap().map(layer).unwrap();
    let gradients = (values.clone() * g(values.dims()).autodiff()).sum().backward();
    (values.inner(), images.grad(&gradients).unwrap())
}

fn gradient(network: &Network, images: &Tensor<4>, layer: &str, overrides: &GradientOverrides) -> Tensor<4> {
    pass(network, images, layer, |dims| random(dims, 5), overrides, 0).1
}

/// Lucid's own test of redirected ReLUs: incoming gradient, x, what passes.
#[test]
fn redirected_relus_pass_what_leads_back() {
    let relu = [(1.0, -1.0, 0.0), (-1.0, -1.0, -1.0), (1.0, 1.0, 1.0), (-1.0, 1.0, -1.0)];
    let relu6 = [relu.as_slice(), &[(1.0, 7.0, 1.0), (-1.0, 7.0, 0.0)]].concat();
    let one = |value: f32| Tensor::<1>::from_floats([value], &Device::flex()).reshape([1, 1, 1, 1]);
    for (op, table) in [(Op::Relu, relu.to_vec()), (Op::Relu6, relu6)] {
        let network = chain(1, [1, 1], [op]);
        for (g, x, expected) in table {
            let passed = |step| numbers(pass(&network, &one(x), "0", |_| one(g), &relu_overrides(), step).1);
            let plain = if (0.0..6.0).contains(&x) { g } else { 0.0 };
            assert_eq!(passed(0), [expected], "{g} at {x}");
            assert_eq!(passed(16), [expected], "{g} at {x}, the last redirected step");
            assert_eq!(passed(17), [plain], "{g} at {x}, after it");
        }
    }
}

#[test]
fn redirection_is_for_each_image_alone() {
    let network = chain(1, [1, 2], [Op::Relu]);
    let pairs = |values: [f32; 4]| Tensor::<1>::from_floats(values, &Device::flex()).reshape([2, 1, 1, 2]);
    // The first image has a unit that is on, so that nothing is redirected there; the second has none.
    let (_, passed) = pass(&network, &pairs([-1.0, 1.0, -1.0, -1.0]), "0", |_| pairs([-1.0; 4]), &relu_overrides(), 0);
    assert_eq!(numbers(passed), [0.0, -1.0, -1.0, -1.0]);
}

#[test]
fn an_identity_passes_gradients_unchanged_on_maps_and_vectors() {
    let x = Tensor::<1>::from_floats([-7.0, -0.5, 0.0, 0.5, 6.0, 7.0], &Device::flex()).reshape([2, 3, 1, 1]);
    let g = random([2, 3, 1, 1], 1);
    let identity = GradientOverrides { relu: Some(ReluOverride::Identity), ..GradientOverrides::none() };
    for (op, expected) in [(Op::Relu, [0.0, 0.0, 0.0, 0.5, 6.0, 7.0]), (Op::Relu6, [0.0, 0.0, 0.0, 0.5, 6.0, 6.0])] {
        for (network, layer) in [(chain(3, [1, 1], [op.clone()]), "0"), (chain(3, [1, 1], [Op::Flatten, op]), "1")] {
            let (values, passed) = pass(&network, &x, layer, |_| g.clone(), &identity, 0);
            assert_eq!(numbers(values), expected);
            assert_eq!(numbers(passed), numbers(g.clone()));
        }
    }
}

/// The smooth pools that the overrides differentiate, in plain loops: the mean over real pixels, and the one of L2.
fn smooth(
    x: &[f64],
    window: &Window,
    [c, h, w]: [usize; 3],
    [top, left]: [usize; 2],
    out: [usize; 2],
) -> [Vec<f64>; 2] {
    let (mut average, mut l2) = (Vec::new(), Vec::new());
    for (c, (i, j)) in (0..c).flat_map(|c| (0..out[0]).flat_map(move |i| (0..out[1]).map(move |j| (c, (i, j))))) {
        let inside = |place: usize, o: usize, axis: usize, before: usize, side: usize| {
            (o * window.stride[axis] + place * window.dilation[axis]).checked_sub(before).filter(|&p| p < side)
        };
        let rows = (0..window.size[0]).filter_map(|a| inside(a, i, 0, top, h));
        let places = rows.flat_map(|y| (0..window.size[1]).filter_map(move |b| Some((y, inside(b, j, 1, left, w)?))));
        let values: Vec<f64> = places.map(|(y, x_)| x[(c * h + y) * w + x_]).collect();
        let mean = |of: fn(f64) -> f64| values.iter().copied().map(of).sum::<f64>() / values.len() as f64;
        average.push(mean(|v| v));
        l2.push(mean(|v| v * v) / (mean(f64::abs) + 0.01));
    }
    [average, l2]
}

#[test]
fn smoothed_max_pools_have_the_gradient_of_the_smooth_pool() {
    let explicit = Padding::Explicit { top: 1, bottom: 0, left: 1, right: 0 };
    // The last column is the padding above and to the left.
    let table = [
        (Window::new(3, 2), [0, 0]),
        (Window::new(3, 2).ceil(), [0, 0]),
        (Window::new(2, 2).padded(explicit).ceil(), [1, 1]),
        (Window::new(3, 2).padded(Padding::all(1)).dilated(2), [1, 1]),
        (Window { size: [2, 3], stride: [3, 1], ..Window::new(1, 1) }.padded(Padding::Same), [0, 1]),
    ];
    let dims @ [c, h, w] = [2, 7, 8];
    let (x, direction) = (random([1, c, h, w], 2), random([1, c, h, w], 3));
    let [at, along] = [&x, &direction].map(|t| numbers(t.clone()).into_iter().map(f64::from).collect::<Vec<_>>());
    for (window, before) in table {
        let network = chain(c, [h, w], [Op::MaxPool(window)]);
        let out = network.shape("0", [h, w]).unwrap().positions();
        let g = random([1, c, out[0], out[1]], 4);
        let weights: Vec<f64> = numbers(g.clone()).into_iter().map(f64::from).collect();
        for (i, how) in [MaxPoolOverride::Average, MaxPoolOverride::L2].into_iter().enumerate() {
            let overrides = GradientOverrides { pool: Some(how), ..GradientOverrides::none() };
            let (values, passed) = pass(&network, &x, "0", |_| g.clone(), &overrides, 0);
            let plain = network.activations(x.clone(), &["0"]).unwrap().map("0").unwrap();
            assert_eq!(numbers(values), numbers(plain), "{window:?} is still a max pool");

            let reach = 1e-6;
            let sum = |distance: f64| -> f64 {
                let moved: Vec<f64> = at.iter().zip(&along).map(|(x, d)| x + d * distance).collect();
                smooth(&moved, &window, dims, before, out)[i].iter().zip(&weights).map(|(y, g)| y * g).sum()
            };
            let measured = (sum(reach) - sum(-reach)) / (2.0 * reach);
            let foretold = f64::from((passed * direction.clone()).sum().into_scalar::<f32>());
            assert!((measured - foretold).abs() < 1e-4, "{how:?} {window:?}: {foretold} but measured {measured}");
        }
    }
}

#[test]
fn a_linearized_network_has_the_gradient_of_a_linear_one() {
    let kernel = |outputs: usize, inputs: usize, seed| {
        let weight = Weights::new([outputs, inputs, 3, 3], numbers(random([outputs, inputs, 3, 3], seed)));
        Op::Convolution(Convolution { weight, scale: None, bias: None, window: Window::new(3, 1), groups: 1 })
    };
    let window = Window::new(3, 2).padded(Padding::Same);
    let of = |relu: Option<Op>, pool: Op, relu6: Option<Op>| {
        let ops = [Some(kernel(6, 3, 11)), relu, Some(pool), relu6, Some(kernel(4, 6, 12))];
        chain(3, [14, 15], ops.into_iter().flatten())
    };
    let network = of(Some(Op::Relu), Op::MaxPool(window), Some(Op::Relu6));
    let linear = of(None, Op::AveragePool { window, count_padding: false }, None);
    let x = random([2, 3, 14, 15], 13);
    let expected = gradient(&linear, &x, "2", &GradientOverrides::none());
    assert_close("linearized", gradient(&network, &x, "4", &linearization_overrides()), expected.clone(), 1e-5);
    assert_close("elsewhere", gradient(&network, &(x * 3.0), "4", &linearization_overrides()), expected, 1e-5);
}

fn image() -> Tensor<4> {
    Fixture::open("mini_5h_expected").nchw("a.rgb", &Device::flex())
}

#[test]
fn no_override_changes_a_value() {
    let (network, image) = (mini_5h(), image());
    let layers = ["mixed3b", "mixed5a", "maxpool10", "mixed4d_pre_relu"];
    let plain = network.activations(image.clone(), &layers).unwrap();
    let l2 = GradientOverrides { pool: Some(MaxPoolOverride::L2), ..relu_overrides() };
    for overrides in [relu_overrides(), pooling_overrides(), default_overrides(), linearization_overrides(), l2] {
        for image in [image.clone(), image.clone().autodiff().require_grad()] {
            let activations = network.activations_with(image, &layers, &overrides, 0).unwrap();
            for (layer, activation) in activations.iter() {
                let Activation::Map(map) = activation.clone() else { panic!("{layer} has positions") };
                let map = if map.is_autodiff() { map.inner() } else { map };
                assert_eq!(numbers(map), numbers(plain.map(layer).unwrap()), "{overrides}: {layer}");
            }
        }
    }
}

/// All layers of a network that take an override, with what they would take.
fn overridable(network: &Network, pool: MaxPoolOverride, relu: ReluOverride) -> Vec<(String, LayerOverride)> {
    let of = |op: &Op| match op {
        Op::Relu | Op::Relu6 => Some(relu.into()),
        Op::MaxPool(_) => Some(pool.into()),
        _ => None,
    };
    network.graph().nodes().iter().filter_map(|node| Some((node.name.clone(), of(&node.op)?))).collect()
}

#[test]
fn what_holds_for_every_layer_by_name_holds_in_general() {
    let (network, image) = (mini_5h(), image());
    let general = linearization_overrides();
    let layers = overridable(&network, MaxPoolOverride::Average, ReluOverride::Identity);
    assert_eq!(layers.len(), 3 + 9 * 6 + 4 + 9 + 4, "ReLUs of stem, towers and heads among them");
    let named = layers.iter().fold(GradientOverrides::none(), |all, (name, with)| all.with_layer(name, *with));
    let none = layers.iter().fold(general.clone(), |all, (name, _)| all.with_plain_layer(name));
    let of = |overrides: &GradientOverrides| numbers(gradient(&network, &image, "mixed4b", overrides));
    let plain = of(&GradientOverrides::none());
    assert_eq!(of(&named), of(&general));
    assert_eq!(of(&none), plain, "a layer's own beats the general");
    assert_ne!(of(&general), plain);
}

#[test]
fn an_override_of_one_layer_holds_there_alone() {
    let (network, image) = (mini_5h(), image());
    let of = |overrides: &GradientOverrides| numbers(gradient(&network, &image, "mixed3b", overrides));
    let plain = of(&GradientOverrides::none());
    for (layer, with) in [
        ("maxpool1", LayerOverride::from(MaxPoolOverride::Average)),
        ("mixed3a_pool", MaxPoolOverride::L2.into()),
        ("mixed3a_3x3", ReluOverride::Identity.into()),
    ] {
        let one = GradientOverrides::none().with_layer(layer, with);
        let others = overridable(&network, MaxPoolOverride::Average, ReluOverride::Identity).into_iter();
        let others = others.filter(|(name, _)| name != layer).map(|(name, _)| name);
        let general = match with {
            LayerOverride::Relu(relu) => GradientOverrides { relu: Some(relu), ..GradientOverrides::none() },
            LayerOverride::MaxPool(pool) => GradientOverrides { pool: Some(pool), ..GradientOverrides::none() },
        };
        assert_ne!(of(&one), plain, "{layer}");
        assert_ne!(of(&general), of(&one), "{layer}");
        assert_eq!(of(&others.fold(general, GradientOverrides::with_plain_layer)), of(&one), "{layer}");
    }
    let later = GradientOverrides::none().with_layer("mixed4a_pool", MaxPoolOverride::Average);
    assert_eq!(of(&later), plain, "a later layer's override does not matter");
}

#[test]
fn what_cannot_be_overridden_says_why() {
    let network = mini_5h();
    let message = |text: &str| {
        let overrides: GradientOverrides = text.parse().unwrap();
        let asked = network.activations_with(image(), &["mixed3a"], &overrides, 0).unwrap_err();
        assert_eq!(overrides.check(network.graph()).unwrap_err().to_string(), asked.to_string());
        asked.to_string()
    };
    assert_eq!(
        message("mixed4aa_pool=avg"),
        "no layer `mixed4aa_pool`; the nearest are `mixed4a_pool`, `mixed3a_pool`, `mixed4b_pool`"
    );
    assert_eq!(
        message("mixed4a=plain"),
        "layer `mixed4a` cannot be overridden: its kind is concat; only ReLUs and max pools can be, such as `mixed4a_1x1`"
    );
    assert_eq!(
        message("mixed4a_3x3=avg"),
        "layer `mixed4a_3x3` cannot be overridden: it is a relu, which takes `plain`, `redirected` or `identity`"
    );
    assert_eq!(
        message("maxpool0=identity"),
        "layer `maxpool0` cannot be overridden: it is a max pool 3x3/2, which takes `plain`, `avg` or `L2`"
    );
}

#[test]
fn a_layer_of_two_names_has_one_override() {
    let network = chain(1, [2, 2], [Op::Relu]);
    let check = |text: &str| text.parse::<GradientOverrides>().unwrap().check(network.graph());
    assert!(check("0=identity first=identity").is_ok());
    assert_eq!(
        check("0=identity first=plain").unwrap_err().to_string(),
        "layer `first` cannot be overridden: it is named twice, by different names and with different overrides"
    );
}
