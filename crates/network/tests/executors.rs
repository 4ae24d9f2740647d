//! The planned executor agrees with Burn's operations: values and gradients, whole layers and parts of them.

use burn::tensor::{Device, Tensor, TensorData};
use entoptic_fixtures::{assert_close, mini_5h, models_folder};
use entoptic_network::{
    Description, Executor, GradientOverrides, LayerOverride, MaxPoolOverride, Network, Pass, Positions, ReluOverride,
    Wanted, default_overrides,
    graph::{
        Convolution, Function, GraphBuilder, Linear, LocalResponseNorm, NodeId, Op, Padding, Sampling, Weights, Window,
    },
    linearization_overrides, relu_overrides, zoo,
};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Both executors of one network.
struct Both {
    planned: Network,
    reference: Network,
}

impl Both {
    fn of(network: impl Fn() -> Network) -> Self {
        Self { planned: network(), reference: network().with_executor(Executor::Reference) }
    }

    /// Compares what is wanted of random images, and the gradient of a random sum of it.
    fn agree(&self, what: &str, [n, h, w]: [usize; 3], wanted: &[Wanted], pass: &Pass, tolerance: f32) {
        let c = self.planned.graph().channels();
        let images = random([n, c, h, w], (h * 1000 + w) as u64) * 0.5 + 0.5;
        let run = |network: &Network| {
            let images = images.clone().autodiff().require_grad();
            let activations = network.answer(images.clone(), wanted, pass).unwrap();
            let answers: Vec<Tensor<4>> = wanted.iter().map(|wanted| part(&activations, wanted)).collect();
            let sum = |(i, answer): (usize, &Tensor<4>)| {
                let g = random(answer.dims(), i as u64).autodiff();
                (answer.clone() * g).sum() / answer.clone().inner().abs().mean().into_scalar::<f32>().max(1e-3)
            };
            let total = answers.iter().enumerate().map(sum).reduce(|a, b| a + b).unwrap();
            let gradient = images.grad(&total.backward()).unwrap();
            (answers.into_iter().map(Tensor::inner).collect::<Vec<_>>(), gradient)
        };
        let ((expected, expected_gradient), (found, gradient)) = (run(&self.reference), run(&self.planned));
        for ((wanted, expected), found) in wanted.iter().zip(expected).zip(found) {
            assert_close(&format!("{what}: {wanted:?}"), found, expected, tolerance);
        }
        assert_close(&format!("{what}: gradient of {wanted:?}"), gradient, expected_gradient, tolerance);
    }
}

/// What was wanted, as far as the answer says it in one piece.
fn part(activations: &entoptic_network::Activations, wanted: &Wanted) -> Tensor<4> {
    let Wanted { layer, channels, positions } = wanted;
    let position = match positions {
        Positions::At(position) => Some(*position),
        _ => None,
    };
    match (channels, positions) {
        (None, Positions::All) => activations.map(layer).unwrap(),
        (None, _) => activations.position(layer, position).unwrap(),
        (Some(channels), Positions::All) => {
            Tensor::cat(channels.iter().map(|&c| activations.channel(layer, c).unwrap()).collect(), 1)
        }
        (Some(channels), _) => {
            Tensor::cat(channels.iter().map(|&c| activations.neuron(layer, c, position).unwrap()).collect(), 1)
        }
    }
}

fn random(dims: [usize; 4], seed: u64) -> Tensor<4> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..dims.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_data(TensorData::new(values, dims), &Device::flex())
}

fn weights<const D: usize>(shape: [usize; D], seed: u64) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let reach = (3.0 / shape[1..].iter().product::<usize>().max(1) as f32).sqrt();
    Weights::new(shape, (0..shape.iter().product()).map(|_| rng.random_range(-reach..reach)).collect::<Vec<f32>>())
}

fn network(size: [usize; 2], build: impl Fn(&mut GraphBuilder) -> Vec<NodeId>) -> Network {
    let mut graph = GraphBuilder::new(size);
    build(&mut graph);
    Network::new(graph.finish(), Description::new("test"))
}

fn convolution(outputs: usize, inputs: usize, groups: usize, window: Window, seed: u64) -> Op {
    let weight = weights([outputs, inputs / groups, window.size[0], window.size[1]], seed);
    Op::Convolution(Convolution { weight, scale: None, bias: Some(weights([outputs], seed + 1)), window, groups })
}

fn passes() -> [Pass; 6] {
    let l2 = GradientOverrides { pool: Some(MaxPoolOverride::L2), ..GradientOverrides::none() };
    [
        (GradientOverrides::none(), 0),
        (relu_overrides(), 0),
        (relu_overrides(), 17),
        (default_overrides(), 3),
        (linearization_overrides(), 0),
        (l2, 0),
    ]
    .map(|(gradients, step)| Pass { gradients, step, ..Pass::default() })
}

/// Everything a node can do, with branches, a concat in a concat, and outputs that are read twice.
fn menagerie() -> Network {
    let same = |k: usize| Window::new(k, 1).padded(Padding::all(k / 2));
    let scale = weights([3, 1], 1).flat();
    network([21, 18], |graph| {
        let mut add = |name: &str, op: Op, inputs: &[NodeId]| graph.add(name, op, inputs).unwrap();
        let image = add("scaled", Op::Affine { scale: scale.clone(), shift: weights([3, 1], 2).flat() }, &[0]);
        let a = add("a_pre", convolution(20, 3, 1, Window::new(5, 2).padded(Padding::Same), 3), &[image]);
        let a = add("a", Op::Relu, &[a]);
        let norm = add("norm", Op::LocalResponseNorm(LocalResponseNorm::caffe(5, 0.5, 0.75, 1.0)), &[a]);
        let b_pre = add("b_pre", convolution(12, 20, 1, same(3), 5), &[norm]);
        let b = add("b", Op::Relu6, &[b_pre]);
        let c = add("c", convolution(12, 12, 12, same(3).dilated(1), 7), &[b]);
        let c = add("c6", Op::Relu6, &[c]);
        let inner = add("inner", Op::Concat, &[b, c]);
        let grouped = add("grouped", convolution(18, 24, 3, same(3), 9), &[inner]);
        let outer = add("outer", Op::Concat, &[inner, grouped, b]);
        let pooled = add("pooled", Op::MaxPool(Window::new(3, 2).ceil()), &[outer]);
        let mean = add(
            "mean",
            Op::AveragePool { window: Window::new(3, 1).padded(Padding::Same), count_padding: false },
            &[pooled],
        );
        let d = add("d", convolution(54, 54, 1, Window::new(1, 1), 11), &[mean]);
        let sum = add("sum", Op::Add, &[pooled, d, mean]);
        let sum = add("sum_relu", Op::Relu, &[sum]);
        let gate = add("gate", convolution(54, 54, 1, Window::new(4, 4), 13), &[sum]);
        let gate = add("gate_mean", Op::AveragePool { window: Window::new(1, 1), count_padding: true }, &[gate]);
        let gated = add("gated", Op::Multiply, &[gate, sum]);
        let product = add("product", Op::Multiply, &[gated, sum]);
        let soft = add("soft", Op::Softmax, &[product]);
        let flat = add("flat", Op::Flatten, &[soft]);
        let means = add("means", Op::GlobalMean, &[product]);
        let both = add("both", Op::Concat, &[flat, means]);
        let inputs = graph.shape(both).channels();
        let logits = Op::Linear(Linear { weight: weights([9, inputs], 15), bias: Some(weights([9, 1], 16).flat()) });
        let logits = graph.add("logits", logits, &[both]).unwrap();
        let logits = graph.add("logits_relu", Op::Relu, &[logits]).unwrap();
        vec![graph.add("prob", Op::Softmax, &[logits]).unwrap()]
    })
}

const FUNCTIONS: [Function; 15] = [
    Function::Sigmoid,
    Function::Tanh,
    Function::Silu,
    Function::HardSigmoid { slope: 0.2, offset: 0.5 },
    Function::HardSwish,
    Function::Gelu,
    Function::GeluTanh,
    Function::Elu { alpha: 1.5 },
    Function::LeakyRelu { slope: 0.1 },
    Function::Softplus,
    Function::Clip { min: -0.3, max: 0.4 },
    Function::Erf,
    Function::Exp,
    Function::Abs,
    Function::Power { exponent: 2.0 },
];

/// What a mobile network and a transformer do beside convolutions.
fn transformer() -> Network {
    network([21, 18], |graph| {
        let mut add = |name: &str, op: Op, inputs: &[NodeId]| graph.add(name, op, inputs).unwrap();
        let bgr = add("bgr", Op::Select([2, 1, 0].into()), &[0]);
        let functions: Vec<NodeId> = FUNCTIONS
            .iter()
            .enumerate()
            .map(|(i, &function)| add(&format!("f{i}_{}", function.name()), Op::Pointwise(function), &[bgr]))
            .collect();
        let all = add("functions", Op::Concat, &functions);
        let framed = add("framed", Op::Pad { rows: [1, 2], columns: [0, 3], value: 0.0 }, &[all]);
        let border = add("border", Op::Pad { rows: [0, 1], columns: [2, 0], value: -0.7 }, &[framed]);
        let cropped = add("cropped", Op::Crop { origin: [1, 2], size: [18, 15] }, &[border]);
        let smaller = add("smaller", Op::ResizeBilinear { size: [11, 9], sampling: Sampling::HalfPixel }, &[cropped]);
        let larger = add("larger", Op::ResizeBilinear { size: [13, 20], sampling: Sampling::AlignCorners }, &[smaller]);
        let areas = add("areas", Op::AdaptiveAveragePool([4, 3]), &[larger]);
        let narrow = add("narrow", convolution(12, 45, 1, Window::new(1, 1), 21), &[areas]);
        let squeezed = add("squeezed", Op::GlobalMean, &[narrow]);
        let gate = Op::Linear(Linear { weight: weights([12, 12], 23), bias: None });
        let gate = add("gate", gate, &[squeezed]);
        let gate = add("gate_sigmoid", Op::Pointwise(Function::Sigmoid), &[gate]);
        let gated = add("gated", Op::Multiply, &[narrow, gate]);
        let patches = add("patches", Op::Tokens, &[gated]);
        let class = add("class", Op::Constant(weights([12, 1, 1], 25)), &[]);
        let tokens = add("tokens", Op::Stack, &[class, patches]);
        let places = add("places", Op::Constant(weights([12, 13, 1], 27)), &[]);
        let x = add("x", Op::Add, &[tokens, places]);
        let (gamma, beta) = (weights([12, 1], 29).flat(), weights([12, 1], 31).flat());
        let norm = add("norm", Op::LayerNorm { gamma, beta, epsilon: 1e-6 }, &[x]);
        let qkv = add("qkv", convolution(36, 12, 1, Window::new(1, 1), 33), &[norm]);
        let [q, k, v] = ["q", "k", "v"].map(|part| {
            let first = 12 * "qkv".find(part).unwrap();
            add(part, Op::Select((first..first + 12).collect()), &[qkv])
        });
        let scores = add("scores", Op::Scores { heads: 3, scale: 0.5 }, &[q, k]);
        let attention = add("attention", Op::RowSoftmax, &[scores]);
        let attended = add("attended", Op::Attend, &[attention, v]);
        let x = add("residual", Op::Add, &[x, attended]);
        let first = add("first", Op::Crop { origin: [0, 0], size: [1, 1] }, &[x]);
        vec![add("flat", Op::Flatten, &[first])]
    })
}

trait Flat {
    fn flat(self) -> Weights;
}

impl Flat for Weights {
    fn flat(self) -> Weights {
        Weights::new([self.values().len()], self.values().to_vec())
    }
}

#[test]
fn every_operation_agrees() {
    let both = Both::of(menagerie);
    let layers: Vec<String> = both.planned.graph().nodes().iter().map(|node| node.name.clone()).collect();
    for pass in passes() {
        for layer in &layers {
            both.agree(&format!("{pass:?}"), [2, 21, 18], &[Wanted::layer(layer)], &pass, 1e-4);
        }
        let several = ["b_pre", "inner", "a", "prob"].map(Wanted::layer);
        both.agree(&format!("{pass:?}"), [3, 21, 18], &several, &pass, 1e-4);
    }
}

#[test]
fn operations_of_transformers_agree() {
    let both = Both::of(transformer);
    let layers: Vec<String> = both.planned.graph().nodes().iter().map(|node| node.name.clone()).collect();
    for layer in &layers {
        both.agree("plain", [2, 21, 18], &[Wanted::layer(layer)], &Pass::default(), 1e-4);
    }
    let several = ["attention", "class", "areas", "flat"].map(Wanted::layer);
    both.agree("several", [3, 21, 18], &several, &Pass::default(), 1e-4);
    let parts = [
        Wanted::channel("residual", 7),
        Wanted::channel("attention", 2).at(Some([3, 5])),
        Wanted::channel("x", 3).at(Some([0, 0])),
        Wanted::position("norm", [12, 0]),
        Wanted::channel("areas", 40),
        Wanted::channel("v", 11),
        Wanted::channel("flat", 3),
    ];
    for part in &parts {
        both.agree("part", [2, 21, 18], std::slice::from_ref(part), &Pass::default(), 1e-4);
    }
}

#[test]
fn parts_of_layers_agree() {
    let both = Both::of(menagerie);
    let wanted = [
        Wanted::channel("outer", 30),
        Wanted { channels: Some(vec![3, 25, 53]), ..Wanted::layer("outer") },
        Wanted::channel("pooled", 40),
        Wanted::channel("c6", 5).at(None),
        Wanted::channel("sum_relu", 7).at(Some([0, 0])),
        Wanted::position("norm", [10, 8]),
        Wanted::layer("b").at(Some([10, 0])),
        Wanted::channel("logits", 4),
        Wanted::channel("prob", 4),
    ];
    for pass in passes() {
        for wanted in &wanted {
            both.agree(&format!("{pass:?}"), [2, 21, 18], std::slice::from_ref(wanted), &pass, 1e-4);
        }
        both.agree(
            &format!("{pass:?}"),
            [1, 21, 18],
            &[wanted[3].clone(), wanted[5].clone(), wanted[2].clone()],
            &pass,
            1e-4,
        );
    }
}

#[test]
fn overrides_of_single_layers_agree() {
    let both = Both::of(menagerie);
    let gradients = relu_overrides()
        .with_layer("b", LayerOverride::Relu(ReluOverride::Identity))
        .with_plain_layer("a")
        .with_layer("pooled", MaxPoolOverride::L2);
    both.agree("layers", [2, 21, 18], &[Wanted::layer("sum_relu")], &Pass { gradients, ..Pass::default() }, 1e-4);
}

#[test]
fn known_models_agree() {
    let mut models: Vec<(Both, Vec<&str>)> = vec![
        (Both::of(zoo::squeezenet_v1_1), vec!["conv1", "fire3", "fire5", "fire9", "logits", "prob"]),
        (Both::of(mini_5h), vec!["mixed3a", "mixed4c", "mixed5b"]),
    ];
    if let Some(folder) = models_folder("known_models_agree") {
        let googlenet = move || zoo::open("googlenet_bvlc", &folder).unwrap();
        let layers = vec!["conv2_3x3", "inception_3a_output", "inception_4a_output", "inception_5b_output", "prob"];
        models.push((Both::of(googlenet), layers));
    }
    for (both, layers) in models {
        let name = &both.planned.description().name;
        for pass in &passes()[..2] {
            for layer in &layers {
                both.agree(name, [2, 75, 66], &[Wanted::layer(*layer)], pass, 1e-3);
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_threads_or_the_batch() {
    let network = zoo::squeezenet_v1_1();
    let images = random([5, 3, 70, 64], 3);
    let run = |threads: usize, images: Tensor<4>| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let images = images.autodiff().require_grad();
            let value = network.activations(images.clone(), &["fire6"]).unwrap().map("fire6").unwrap();
            let gradient = images.grad(&(value.clone() * value.clone()).sum().backward()).unwrap();
            (value.inner(), gradient)
        })
    };
    let numbers = |t: Tensor<4>| t.try_into_vec_as::<f32>().unwrap();
    let (value, gradient) = run(1, images.clone());
    for threads in [2, 3, 4] {
        let (other, other_gradient) = run(threads, images.clone());
        assert_eq!(numbers(other), numbers(value.clone()), "{threads} threads");
        assert_eq!(numbers(other_gradient), numbers(gradient.clone()), "{threads} threads");
    }
    for image in 0..5 {
        let (alone, alone_gradient) = run(2, images.clone().narrow(0, image, 1));
        assert_eq!(numbers(alone), numbers(value.clone().narrow(0, image, 1)));
        assert_eq!(numbers(alone_gradient), numbers(gradient.clone().narrow(0, image, 1)));
    }
}

#[test]
fn a_batch_that_is_split_is_the_same() {
    let network = menagerie();
    let wanted = [Wanted::layer("product"), Wanted::layer("norm")];
    let images = random([5, 3, 21, 18], 9) * 0.5 + 0.5;
    let run = |batch: Option<usize>| {
        let pass = Pass { gradients: relu_overrides(), batch, ..Pass::default() };
        let images = images.clone().autodiff().require_grad();
        let answers = network.answer(images.clone(), &wanted, &pass).unwrap();
        let total = answers.iter().fold(images.clone().sum() * 0.0, |total, (_, activation)| {
            let map = activation.clone().into_map();
            total + (map.clone() * random(map.dims(), 4).autodiff()).sum()
        });
        let gradient = images.grad(&total.clone().backward()).unwrap();
        (total.into_scalar::<f32>(), gradient.try_into_vec_as::<f32>().unwrap())
    };
    let whole = run(None);
    assert!(whole.1.iter().any(|gradient| *gradient != 0.0));
    for batch in [0, 1, 2, 4, 5, 100] {
        assert!(run(Some(batch)) == whole, "{batch} at once");
    }
}
