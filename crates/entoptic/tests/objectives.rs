//! Objectives agree with Lucid's own numbers, values and gradients.

use burn::tensor::{Device, Tensor};
use entoptic::{
    array::Array,
    network::{Activation, Activations},
    objective::{
        BoundaryConfig, Distance, Evaluated, Given, L2_EPSILON, Objective, StyleConfig, StyleTarget, WhitenedConfig,
        alignment, blur_alpha_each_step, blur_input_each_step, channel, channel_interpolate, class_logit, deepdream,
        direction, direction_neuron, direction_neuron_at, direction_neuron_s, diversity, dot_compare, gram, input_diff,
        l1, l2, neuron, neuron_at, penalize_boundary_complexity, style, tensor_direction, total_variation,
    },
};
use entoptic_fixtures::{Fixture, assert_close};

fn device() -> Device {
    Device::flex().autodiff()
}

/// The labels behind the logits, as Lucid's had them.
const LABELS: [&str; 4] = ["dummy", "kit fox", "English setter", "Siberian husky"];

/// Layers of three images: activations in four axes, logits in two.
struct Layers {
    maps: Vec<(&'static str, Tensor<4>)>,
    logits: Tensor<2>,
}

impl Layers {
    fn read(fixture: &Fixture, input: &'static str) -> Self {
        let map = |layer| (layer, fixture.nchw(&format!("tensors/in/{layer}"), &device()).require_grad());
        let logits = fixture.tensor("tensors/in/logits", &device()).require_grad();
        Self { maps: ["layerA", "layerB", input].map(map).to_vec(), logits }
    }

    fn evaluated(&self) -> Evaluated {
        let maps = self.maps.iter().map(|(layer, map)| ((*layer).to_owned(), Activation::Map(map.clone())));
        let logits = ("logits".to_owned(), Activation::Vector(self.logits.clone()));
        let input = self.maps[2].1.clone();
        Evaluated::new(input, Activations::new(maps.chain([logits]))).with_labels(LABELS)
    }
}

/// Numbers as Lucid has them, `[.., c]`, with channels moved to where ours are.
fn given(fixture: &Fixture, name: &str) -> Given {
    let (shape, values) = fixture.values(&format!("vectors/in/{name}"));
    let array = Array { shape: shape.clone(), values };
    let device = Device::flex();
    match shape.len() {
        3 => Given::from(&fixture.tensor::<3>(&format!("vectors/in/{name}"), &device).permute([2, 0, 1])),
        4 => Given::from(&fixture.nchw(&format!("vectors/in/{name}"), &device)),
        _ => Given::from(array),
    }
}

#[test]
fn values_and_gradients_of_objectives() {
    let fixture = Fixture::open("objectives");
    let (a, b) = (|c| channel("layerA", c), |c| neuron("layerB", c));
    let [v16, v10, small, middle, batch, orig, s10] =
        ["v16", "v10", "t3x4x16", "t4x5x16", "t3x3x2x16", "orig", "S10"].map(|name| given(&fixture, name));
    let along = |cossim_pow: f64| direction("layerA", v16.clone(), cossim_pow);
    let atlas = |config: WhitenedConfig| direction_neuron_s("layerB", v10.clone(), config);
    let pow = |cossim_pow: f64| WhitenedConfig::new().with_cossim_pow(cossim_pow);
    let at = |position: [usize; 2]| WhitenedConfig::new().with_position(Some(position));
    let border = |width: usize, gray: f64| penalize_boundary_complexity(BoundaryConfig { width, gray });
    let table: Vec<(&str, Objective)> = vec![
        ("neuron_A_5", neuron("layerA", 5)),
        ("neuron_B_center_even", neuron("layerB", 3)),
        ("neuron_B_x1_y2", neuron_at("layerB", 3, [1, 2])),
        ("neuron_A_batch1", neuron("layerA", 0).batch(1)),
        ("channel_A_5", a(5)),
        ("channel_A_5_batch2", a(5).batch(2)),
        ("channel_logits_4", channel("logits", 4)),
        ("as_objective_layerA:7", "layerA:7".parse().unwrap()),
        ("direction_A_pow0", along(0.0)),
        ("direction_A_pow1", along(1.0)),
        ("direction_A_pow2", along(2.0)),
        ("direction_A_pow4", along(4.0)),
        ("direction_A_pow1.5_batch1", along(1.5).batch(1)),
        ("direction_cossim_A_pow2", along(2.0)),
        ("direction_neuron_A", direction_neuron("layerA", v16.clone(), 0.0)),
        ("direction_neuron_B_pow2_x0_y7_b0", direction_neuron_at("layerB", v10.clone(), [0, 7], 2.0).batch(0)),
        ("tensor_direction_3x4", tensor_direction("layerA", small.clone(), 0.0)),
        ("tensor_direction_3x4_pow2", tensor_direction("layerA", small, 2.0)),
        ("tensor_direction_4x5_pow1_b1", tensor_direction("layerA", middle, 1.0).batch(1)),
        ("tensor_direction_rank4", tensor_direction("layerA", batch, 0.0)),
        ("deepdream_A", deepdream("layerA")),
        ("total_variation_input", total_variation("input")),
        ("total_variation_A", total_variation("layerA")),
        ("L1_input", l1("input", 0.0)),
        ("L1_input_0.5", l1("input", 0.5)),
        ("L2_A", l2("layerA", 0.0, L2_EPSILON)),
        ("L2_input_0.5_eps", l2("input", 0.5, 0.01)),
        ("blur_input_each_step", blur_input_each_step()),
        ("channel_interpolate", channel_interpolate(("layerA", 2), ("layerB", 4))),
        ("penalize_boundary_w5", border(5, 0.5)),
        ("penalize_boundary_w2_C0", border(2, 0.0)),
        ("alignment_A", alignment("layerA", 2.0)),
        ("alignment_B_5", alignment("layerB", 5.0)),
        ("diversity_A", diversity("layerA")),
        ("input_diff", input_diff(orig)),
        ("class_logit_3", class_logit("logits", 3)),
        ("class_logit_3_b1", class_logit("logits", 3).batch(1)),
        ("class_logit_label", class_logit("logits", "English setter")),
        ("algebra_weighted_sum", 0.3 * a(1) + b(2) * 2.0 - 5.0),
        ("algebra_product", a(1) * channel("layerB", 2)),
        ("algebra_neg_sub", -a(1) - deepdream("layerB")),
        ("algebra_Objective_sum", (0..3).map(|i| a(i).batch(i)).sum()),
        ("algebra_builtin_sum", (0..3).map(|i| a(i).batch(i)).sum()),
        ("dot_compare_pow0", dot_compare("layerA", 0.0).batch(1)),
        ("dot_compare_pow2", dot_compare("layerA", 2.0).batch(2)),
        ("direction_neuron_S_none", atlas(pow(0.0)).batch(1)),
        ("direction_neuron_S", atlas(pow(0.0)).whitened(s10.clone()).batch(1)),
        ("direction_neuron_cossim_S", atlas(pow(2.0)).whitened(s10).batch(2)),
        ("direction_neuron_cossim_S_pow4_none", atlas(at([2, 1]).with_cossim_pow(4.0)).batch(0)),
        ("blur_alpha_each_step", blur_alpha_each_step()),
    ];
    for (case, objective) in &table {
        let input = if *case == "blur_alpha_each_step" { "input4" } else { "input" };
        agrees(&fixture, case, objective, input);
    }
    // The mask's three images differ, so each is held alone.
    let elsewhere = ["penalize_boundary_mask", "class_logit_label_b1_BUG", "_tf_blur", "tensors", "vectors"];
    let known: Vec<&str> = table.iter().map(|(case, _)| *case).chain(elsewhere).collect();
    for case in fixture.cases("") {
        assert!(known.contains(&case.as_str()), "{case} is compared with nothing");
    }
}

fn agrees(fixture: &Fixture, case: &str, objective: &Objective, input: &'static str) {
    let layers = Layers::read(fixture, input);
    let value = objective.value(&layers.evaluated().step()).unwrap();
    let gradients = value.backward();
    // Lucid's total variation has one value for each image; their sum is what it optimizes.
    let (_, values) = fixture.values(&format!("{case}/out/value"));
    let expected = Tensor::from_floats([values.iter().sum::<f32>()], &Device::flex());
    assert_close(case, value.inner(), expected, 1e-5);
    let mut compared = 0;
    for (layer, map) in &layers.maps {
        let name = format!("{case}/out/d{layer}");
        if !fixture.tensors(&name).is_empty() {
            let gradient = map.grad(&gradients).unwrap_or_else(|| panic!("{case} reads {layer}"));
            assert_close(case, gradient, fixture.nchw(&name, &Device::flex()), 1e-4);
            compared += 1;
        }
    }
    let name = format!("{case}/out/dlogits");
    if !fixture.tensors(&name).is_empty() {
        let gradient = layers.logits.grad(&gradients).unwrap();
        assert_close(case, gradient, fixture.tensor(&name, &Device::flex()), 1e-4);
        compared += 1;
    }
    assert!(compared > 0, "{case}: a gradient is compared");
}

/// What objectives read where only images matter.
fn images_alone(images: &Tensor<4>) -> Evaluated {
    Evaluated::new(images.clone(), Activations::default())
}

#[test]
fn a_mask_says_what_is_the_border() {
    let fixture = Fixture::open("objectives");
    let case = "penalize_boundary_mask";
    let images = fixture.nchw("tensors/in/input", &device()).require_grad();
    let masks = fixture.nchw("vectors/in/mask", &Device::flex()); // [n, 1, h, w]
    let [n, _, h, w] = masks.dims();
    let value: Tensor<1> = (0..n)
        .map(|i| {
            let mask = masks.clone().narrow(0, i, 1).reshape([h, w]);
            let objective = penalize_boundary_complexity(BoundaryConfig::new()).batch(i).masked(&mask);
            objective.value(&images_alone(&images).step()).unwrap()
        })
        .reduce(|sum, value| sum + value)
        .unwrap();
    let gradients = value.backward();
    let expected = Device::flex();
    assert_close(case, value.inner(), fixture.tensor(&format!("{case}/out/value"), &expected), 1e-5);
    let gradient = images.grad(&gradients).unwrap();
    assert_close(case, gradient, fixture.nchw(&format!("{case}/out/dinput"), &expected), 1e-4);
}

#[test]
fn a_step_down_the_blur_penalty_is_a_blur() {
    let fixture = Fixture::open("objectives");
    let images = fixture.nchw("_tf_blur/in/x", &device()).require_grad();
    let value = blur_input_each_step().value(&images_alone(&images).step()).unwrap();
    let step = images.grad(&value.backward()).unwrap();
    assert_close("w3", images.inner() - step, fixture.nchw("_tf_blur/out/w3", &Device::flex()), 1e-5);
}

#[test]
fn a_label_means_its_class_whatever_the_image() {
    // Lucid's takes the label from a sliced list of labels, and so reads class 0.
    let fixture = Fixture::open("objectives");
    let layers = Layers::read(&fixture, "input");
    let value: f32 = class_logit("logits", "kit fox").batch(1).value(&layers.evaluated().step()).unwrap().into_scalar();
    let logits: Vec<f32> = layers.logits.clone().inner().try_into_vec_as().unwrap();
    let classes = logits.len() / 3;
    assert_eq!(value, logits[classes + 1]);
    assert_eq!(fixture.number("class_logit_label_b1_BUG/out/value"), logits[classes]);
}

#[test]
fn styles() {
    let fixture = Fixture::open("style");
    for (layer, dims) in [("a", 5), ("b", 8)] {
        let activations = fixture.nchw(&format!("gram_style/in/{layer}"), &Device::flex());
        let mean = gram(activations).mean_dim(0).reshape([dims, dims]);
        assert_close("gram", mean, fixture.tensor(&format!("gram_style/out/gram_{layer}"), &Device::flex()), 1e-5);
    }
    for (case, distance) in [("style_loss_l1", Distance::L1), ("style_loss_l2", Distance::L2)] {
        let config = StyleConfig::new().with_distance(distance);
        let layers = ["a", "b"].map(|layer| fixture.nchw(&format!("{case}/in/{layer}"), &device()).require_grad());
        let objective: Objective = ["a", "b"]
            .map(|layer| style(layer, target(&fixture, &format!("{case}/in/target_{layer}")), config.clone()))
            .into_iter()
            .sum();
        let activations = ["a", "b"].into_iter().zip(&layers);
        let activations = activations.map(|(layer, map)| (layer.to_owned(), Activation::Map(map.clone())));
        let evaluated = Evaluated::new(layers[0].clone(), Activations::new(activations));
        let value = objective.value(&evaluated.step()).unwrap();
        let gradients = value.backward();
        let expected = Device::flex();
        assert_close(case, value.inner(), fixture.tensor(&format!("{case}/out/loss"), &expected), 1e-5);
        for (layer, map) in ["a", "b"].into_iter().zip(&layers) {
            let stored = fixture.nchw(&format!("{case}/out/d{layer}"), &expected);
            assert_close(case, map.grad(&gradients).unwrap(), stored, 1e-5);
        }
    }
}

/// The style of stored activations.
fn target(fixture: &Fixture, name: &str) -> StyleTarget {
    let grams = gram(fixture.nchw(name, &Device::flex()));
    let [_, c, _] = grams.dims();
    StyleTarget::Gram(Given::from(&grams.mean_dim(0).reshape([c, c])))
}

#[test]
fn a_moving_average_of_styles_starts_at_zero() {
    let fixture = Fixture::open("style");
    for (case, decay) in [("style_loss_ema_0.95", 0.95), ("style_loss_ema_0.5", 0.5)] {
        let config = StyleConfig::new().with_ema_decay(Some(decay));
        let objective = style("a", target(&fixture, &format!("{case}/in/target_a")), config);
        let (shape, steps) = fixture.values(&format!("{case}/in/a_steps"));
        let (_, losses) = fixture.values(&format!("{case}/out/loss_steps"));
        let (_, gradients) = fixture.values(&format!("{case}/out/da_steps"));
        let size = steps.len() / shape[0];
        let nchw = |values: &[f32], device: &Device| {
            let [n, h, w, c] = [shape[1], shape[2], shape[3], shape[4]];
            Tensor::<1>::from_floats(values, device).reshape([n, h, w, c]).permute([0, 3, 1, 2])
        };
        let mut memory = None;
        for (step, &loss) in losses.iter().enumerate() {
            let stored = step * size..(step + 1) * size;
            let a = nchw(&steps[stored.clone()], &device()).require_grad();
            let layer = ("a".to_owned(), Activation::Map(a.clone()));
            let mut evaluated = Evaluated::new(a.clone(), Activations::new([layer]));
            if let Some(memory) = &memory {
                evaluated = evaluated.after(memory);
            }
            let value = objective.value(&evaluated.step()).unwrap();
            let gradient = a.grad(&value.backward()).unwrap();
            let what = format!("{case} step {step}");
            assert_close(&what, value.inner(), Tensor::from_floats([loss], &Device::flex()), 1e-5);
            assert_close(&what, gradient, nchw(&gradients[stored], &Device::flex()), 1e-5);
            memory = Some(evaluated);
        }
    }
}
