//! What is wrong with a network is found, and what would be right is said.

use std::ops::ControlFlow;

use burn::tensor::{Device, Tensor};
use entoptic::{
    Error,
    doctor::{self, Check, DoctorConfig, Examination, Finding, Photo, Severity},
    network::{
        Description, Network,
        graph::{Convolution, Function, GraphBuilder, Linear, Op, Padding, Weights, Window},
        model::Preprocessing,
        zoo,
    },
    objective::Class,
};
use entoptic_fixtures::{mini_5h, mobilenet_v2, models_folder};

/// The same network, each operation as `change` makes it.
fn changed(network: &Network, change: impl Fn(&str, Op) -> Op) -> Network {
    let graph = network.graph();
    let mut builder = GraphBuilder::with_channels(graph.channels(), graph.size());
    for node in &graph.nodes()[1..] {
        builder.add(&node.name, change(&node.name, node.op.clone()), &node.inputs).unwrap();
    }
    Network::new(builder.finish(), network.description().clone())
}

/// SqueezeNet, with the convolution that is called so changed.
fn with_convolution(name: &str, change: impl Fn(&mut Convolution)) -> Network {
    changed(&zoo::squeezenet_v1_1(), |node, op| match op {
        Op::Convolution(mut convolution) if node == name => {
            change(&mut convolution);
            Op::Convolution(convolution)
        }
        op => op,
    })
}

fn map(weights: &Weights, f: impl Fn(usize, f32) -> f32) -> Weights {
    let values = weights.values().iter().enumerate().map(|(i, &value)| f(i, value)).collect();
    Weights::new(weights.shape(), values)
}

/// A network that is given images in this way, whatever it was trained with.
fn given(network: &Network, preprocessing: &Preprocessing) -> Network {
    let Preprocessing { mean, std, .. } = *preprocessing;
    changed(network, |name, op| match name {
        "preprocessed" => Op::Affine {
            scale: Weights::new([3], std.map(|std| 1.0 / std).to_vec()),
            shift: Weights::new([3], [0, 1, 2].map(|i| -mean[i] / std[i]).to_vec()),
        },
        _ => op,
    })
}

fn examined(network: &Network, layers: usize) -> Examination {
    let device = Device::flex();
    let (photos, config) = (doctor::photos(network, &device).unwrap(), DoctorConfig::new().with_layers(layers));
    doctor::examine(network, &device, &photos, &config, |_| ControlFlow::Continue(())).unwrap()
}

fn of(examination: &Examination, check: Check) -> &Finding {
    let found = examination.findings.iter().filter(|finding| finding.check == check);
    found.max_by_key(|finding| finding.severity).unwrap_or_else(|| panic!("no {check}: {examination:?}"))
}

#[test]
fn networks_that_are_right_are_found_right() {
    let mut networks = vec![zoo::squeezenet_v1_1()];
    if let Some(models) = models_folder("networks_that_are_right_are_found_right") {
        networks.push(zoo::open("googlenet_bvlc", &models).unwrap());
    }
    for network in networks {
        let examination = examined(&network, 8);
        assert!(examination.severity() < Severity::Warning, "{:?}", examination.findings);
        let checks: Vec<Check> = examination.findings.iter().map(|finding| finding.check).collect();
        for check in [Check::Input, Check::Photos, Check::Range, Check::Layers, Check::DeadUnits, Check::Gradients] {
            assert!(checks.contains(&check), "{check}");
        }
        for check in [Check::Input, Check::Photos, Check::Range, Check::Layers, Check::DeadUnits] {
            assert_eq!(of(&examination, check).severity, Severity::Fine, "{check}");
        }
        assert_eq!(examination.gradients.len(), 8);
    }
}

#[test]
fn values_of_another_size_are_found_and_the_right_ones_named() {
    let mut networks = vec![zoo::squeezenet_v1_1()];
    if let Some(models) = models_folder("values_of_another_size_are_found_and_the_right_ones_named") {
        networks.push(zoo::open("googlenet_bvlc", &models).unwrap());
    }
    for network in &networks {
        for wrong in [Preprocessing::range(0.0, 1.0), Preprocessing::MINUS_ONE_TO_ONE, Preprocessing::IMAGENET] {
            let examination = examined(&given(network, &wrong), 2);
            assert_eq!(of(&examination, Check::Photos).severity, Severity::Wrong);
            let range = of(&examination, Check::Range);
            assert_eq!(range.severity, Severity::Wrong);
            assert!(range.measured.contains("coffee is `espresso`"), "{}", range.measured);
            assert!(range.measured.contains("as good: -117..138; 0..255 minus ImageNet's mean)"), "{}", range.measured);
            let advice = range.advice.as_deref().unwrap();
            assert!(advice.contains("range = [0.0, 255.0]\nchannels = \"rgb\""), "{advice}");
        }
    }
}

#[test]
fn values_that_are_too_large_saturate() {
    // Its biases hardly matter, so that it sees right all the same; but noise is something to it, too.
    let network = with_convolution("conv1_pre_relu", |convolution| {
        convolution.weight = map(&convolution.weight, |_, weight| weight * 255.0);
    });
    let layers = of(&examined(&network, 2), Check::Layers).clone();
    assert_eq!(layers.severity, Severity::Warning, "{layers:?}");
    assert!(layers.measured.contains("`prob` is saturated"), "{layers:?}");
    assert!(examined(&given(&network, &Preprocessing::range(0.0, 1.0)), 2).severity() < Severity::Warning);
}

#[test]
fn blue_for_red_is_found() {
    let network = with_convolution("conv1_pre_relu", |convolution| {
        convolution.weight = convolution.weight.reverse_inputs();
    });
    let range = of(&examined(&network, 2), Check::Range).clone();
    assert!(range.severity >= Severity::Warning, "{range:?}");
    assert!(range.measured.contains("with 0..255 minus ImageNet's mean, BGR"), "the rest stays: {range:?}");
    assert!(range.advice.unwrap().contains("channels = \"bgr\""));
}

#[test]
fn other_values_are_what_a_network_would_have_been_given() {
    // Of a network with each preparation, the range of another is what a network with that one sees.
    let network = zoo::squeezenet_v1_1();
    let (a, b) = (given(&network, &Preprocessing::IMAGENET), given(&network, &Preprocessing::range(0.0, 255.0)));
    let [a, b] = [a, b].map(|network| examined(&network, 1).ranges);
    assert_eq!(a.len(), b.len());
    for range in &a {
        let same = b.iter().find(|other| other.range == range.range).unwrap();
        let (right, same) = (range.right.unwrap(), same.right.unwrap());
        assert!((right - same).abs() < 1e-3 * same.max(1e-3), "{}: {right} and {same}", range.range);
    }
}

#[test]
fn numbers_that_are_none_are_found_where_they_begin() {
    let network = with_convolution("fire4/squeeze1x1_pre_relu", |convolution| {
        convolution.weight = map(&convolution.weight, |i, weight| if i == 7 { f32::NAN } else { weight });
    });
    let examination = examined(&network, 4);
    assert_eq!(examination.severity(), Severity::Wrong);
    let found: Vec<&str> = examination.findings.iter().map(|finding| finding.measured.as_str()).collect();
    assert!(found.iter().any(|found| found.contains("1 of the weights of `fire4/squeeze1x1_pre_relu`")), "{found:?}");
    assert!(found.iter().any(|found| found.contains("first those of `fire4/squeeze1x1_pre_relu`")), "{found:?}");
    assert!(examination.ranges.is_empty() && examination.gradients.is_empty(), "there is nothing more to say");
}

#[test]
fn dead_units_are_counted() {
    let few = with_convolution("fire3/expand1x1_pre_relu", |convolution| {
        let bias = convolution.bias.take().unwrap();
        convolution.bias = Some(map(&bias, |channel, bias| if [3, 8, 60].contains(&channel) { -1e6 } else { bias }));
    });
    let examination = examined(&few, 2);
    let layer = examination.layers.iter().find(|layer| layer.layer == "fire3/expand1x1").unwrap();
    assert_eq!(layer.dead, [3, 8, 60]);

    let all_of_one = with_convolution("fire3/expand1x1_pre_relu", |convolution| {
        convolution.bias = convolution.bias.as_ref().map(|bias| map(bias, |_, _| -1e6));
    });
    let examination = examined(&all_of_one, 2);
    let layers = of(&examination, Check::Layers);
    assert_eq!(layers.severity, Severity::Wrong);
    assert!(layers.measured.contains("`fire3/expand1x1` (relu) is zero everywhere"), "{layers:?}");
    let dead = of(&examination, Check::DeadUnits);
    assert_eq!(dead.severity, Severity::Remark);
    assert!(dead.measured.contains("most in `fire3/expand1x1`: 64 of 64"), "{dead:?}");

    let most = changed(&zoo::squeezenet_v1_1(), |name, op| match op {
        Op::Convolution(mut convolution) if name.contains("expand") => {
            let few = |channel: usize, bias| if !channel.is_multiple_of(8) { -1e6 } else { bias };
            convolution.bias = convolution.bias.as_ref().map(|bias| map(bias, few));
            Op::Convolution(convolution)
        }
        op => op,
    });
    let dead = of(&examined(&most, 2), Check::DeadUnits).clone();
    assert_eq!(dead.severity, Severity::Warning, "{dead:?}");
}

#[test]
fn gradients_that_vanish_or_overflow_are_found() {
    let shrunk = |factor: f32| {
        with_convolution("conv10_pre_relu", move |convolution| {
            convolution.weight = map(&convolution.weight, |_, weight| weight * factor);
        })
    };
    let gradients = |network: &Network| of(&examined(network, 40), Check::Gradients).clone();
    let weak = gradients(&shrunk(1e-12));
    assert_eq!(weak.severity, Severity::Warning, "{weak:?}");
    assert!(weak.measured.contains("Adam hardly moves the image") && weak.measured.contains("`logits:"), "{weak:?}");
    let strong = gradients(&shrunk(1e25));
    assert!(strong.severity >= Severity::Warning, "{strong:?}");
    assert!(strong.measured.contains("overflow") || strong.measured.contains("no number"), "{strong:?}");
    let none = gradients(&shrunk(0.0));
    assert!(none.measured.contains("nothing moves"), "{none:?}");
}

#[test]
fn an_examination_repeats() {
    let network = zoo::squeezenet_v1_1();
    assert_eq!(examined(&network, 5), examined(&network, 5));
}

#[test]
fn an_examination_can_be_ended_anywhere() {
    let (network, device) = (zoo::squeezenet_v1_1(), Device::flex());
    let photos = doctor::photos(&network, &device).unwrap();
    let config = DoctorConfig::new().with_layers(2).with_noise(1);
    let mut last = (0, 0);
    doctor::examine(&network, &device, &photos, &config, |moment| {
        last = (moment.done, moment.expected);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(last.0, last.1, "all steps were expected");
    for end in [1, 5, last.1 / 2, last.1] {
        let ended = doctor::examine(&network, &device, &photos, &config, |moment| {
            if moment.done == end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(ended, Err(Error::Ended)), "{end}");
    }
}

/// A network of some channels, with a class for each of five things; it takes images of its own size only.
fn stiff(c: usize, labels: &[&str]) -> Network {
    let mut graph = GraphBuilder::with_channels(c, [24, 40]);
    let weights = |shape: &[usize]| {
        let count = shape.iter().product();
        Weights::new(shape, (0..count).map(|i: usize| ((i * 7919 % 997) as f32 / 498.5 - 1.0) * 0.2).collect())
    };
    let window = Window::new(3, 2).padded(Padding::all(1));
    let convolution = Convolution { weight: weights(&[6, c, 3, 3]), scale: None, bias: None, window, groups: 1 };
    let x = graph.add("conv", Op::Convolution(convolution), &[0]).unwrap();
    let x = graph.add("gelu", Op::Pointwise(Function::Gelu), &[x]).unwrap();
    let x = graph.add("flat", Op::Flatten, &[x]).unwrap();
    let linear = Linear { weight: weights(&[5, 6 * 12 * 20]), bias: None };
    graph.add("scores", Op::Linear(linear), &[x]).unwrap();
    let labels = labels.iter().map(|&label| label.to_owned()).collect();
    let description = Description {
        name: "stiff".into(),
        labels,
        probabilities: String::new(),
        ..zoo::squeezenet_v1_1().description().clone()
    };
    Network::new(graph.finish(), description)
}

#[test]
fn networks_of_other_sizes_channels_and_classes_are_examined() {
    let examination = examined(&stiff(3, &[]), 40);
    assert!(of(&examination, Check::Input).measured.contains("24x40 only"));
    let photos = of(&examination, Check::Photos);
    assert_eq!(photos.severity, Severity::Remark);
    assert!(photos.measured.starts_with("nobody knows what is right"), "{photos:?}");
    assert_eq!(of(&examination, Check::DeadUnits).measured, "there are no ReLUs that could be dead");
    assert_eq!(examination.gradients.len(), 4);

    for c in [1, 5] {
        let examination = examined(&stiff(c, &[]), 40);
        assert_eq!(of(&examination, Check::Input).severity, Severity::Remark);
        assert!(examination.ranges.is_empty(), "ranges are of colors");
        assert_eq!(of(&examination, Check::Gradients).severity, Severity::Fine);
    }
    for network in [mini_5h(), mobilenet_v2()] {
        assert_eq!(examined(&network, 3).gradients.len(), 3);
    }
}

#[test]
fn a_photo_can_be_of_one_of_the_networks_own_classes() {
    let network = stiff(3, &["mouse", "cup", "rat", "vole", "shrew"]);
    let photos = doctor::photos(&network, &Device::flex()).unwrap();
    let classes: Vec<&[usize]> = photos.iter().map(|photo| &photo.classes[..]).collect();
    assert_eq!(classes, [&[][..], &[1], &[]]);

    let path = format!("{}/../../fixtures/images/palace.png", env!("CARGO_MANIFEST_DIR"));
    let load = |class: &str| Photo::load(path.as_ref(), &network, Some(&Class::from(class)), &Device::flex());
    let photo = load("vole").unwrap();
    assert_eq!((photo.name.as_str(), photo.image.dims(), &photo.classes[..]), ("palace.png", [1, 3, 24, 40], &[3][..]));
    assert!(matches!(load("moles"), Err(Error::NoSuchLabel { .. })));

    let gray = Photo { image: Tensor::zeros([1, 1, 24, 40], &Device::flex()), ..photo };
    let wrong =
        doctor::examine(&network, &Device::flex(), &[gray], &DoctorConfig::new(), |_| ControlFlow::Continue(()));
    assert!(matches!(wrong, Err(Error::WrongShape { .. })));
}

#[test]
fn classes_without_labels_are_taken_for_imagenets() {
    let network = zoo::squeezenet_v1_1();
    let unnamed = Description { labels: Vec::new(), ..network.description().clone() };
    let network = Network::new(network.graph().clone(), unnamed);
    let photos = of(&examined(&network, 1), Check::Photos).clone();
    assert_eq!(photos.severity, Severity::Fine);
    assert!(photos.measured.contains("cat is `class 285`") && photos.measured.contains("usual order"), "{photos:?}");
}

#[test]
fn what_is_guessed_and_what_is_missing_are_told() {
    let path = format!("{}/../../fixtures/tensorflow/unsupported.pb", env!("CARGO_MANIFEST_DIR"));
    let examination = examined(&zoo::open(&path, "".as_ref()).unwrap(), 1);
    let operations = of(&examination, Check::Operations);
    assert_eq!(operations.severity, Severity::Warning);
    assert!(operations.measured.starts_with("1 operation of its file cannot be computed: TopKV2 ("), "{operations:?}");
    let is_guess = |finding: &Finding| finding.measured.starts_with("how it takes colors is a guess (");
    assert!(examination.findings.iter().any(is_guess), "{:?}", examination.findings);
    assert!(!examined(&zoo::squeezenet_v1_1(), 1).findings.iter().any(is_guess));
}
