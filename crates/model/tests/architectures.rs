//! Known architectures against what PyTorch's answer with the same weights.

mod common;

use std::path::Path;

use common::{Answer, Fixture};
use entoptic_model::{
    graph::{Graph, Op, Padding},
    load::WeightsFile,
    reference::evaluate,
    zoo,
};
use safetensors::{Dtype, tensor::TensorView};

#[test]
fn every_network_is_recognized_by_one_family() {
    for name in Fixture::names() {
        let manifest = Fixture::open(&name).manifest();
        let families: Vec<&str> = zoo::families(&manifest).collect();
        assert_eq!(families.len(), 1, "{name} is {families:?}");
    }
}

/// Asserts that a network's modules answer what PyTorch's do; `names` says which layer answers for a module.
#[track_caller]
fn assert_as_in_pytorch(fixture: &str, names: impl Fn(&str) -> String) {
    let fixture = Fixture::open(fixture);
    let graph = zoo::build(&fixture.weights(), fixture.preprocessing()).unwrap().graph;
    let shapes = graph.shapes(fixture.size()).unwrap();
    let outputs = evaluate(&graph, &fixture.image(), fixture.size()).unwrap();
    let mut worst = (0.0, String::new());
    let output = match graph.find("probabilities") {
        Ok(probabilities) => graph.nodes()[probabilities].inputs[0],
        Err(_) => graph.nodes().len() - 1,
    };
    for Answer { module, shape, samples, scale } in fixture.answers() {
        if module.ends_with(".static_padding") {
            continue; // A convolution pads by itself.
        }
        let id = match module.as_str() {
            "output" => Ok(output),
            module => graph.find(&names(module)),
        };
        let id = id.unwrap_or_else(|error| panic!("{}: {module}: {error}", fixture.name));
        let without_ones = |shape: Vec<usize>| shape.into_iter().filter(|&size| size != 1).collect::<Vec<usize>>();
        let (mut found, expected) = (without_ones(shapes[id].dims()), without_ones(shape));
        let mut output = &outputs[id];
        let moved;
        if found != expected {
            // Transformers have channels last.
            found.rotate_left(1);
            moved = channels_last(output, shapes[id].channels());
            output = &moved;
        }
        assert_eq!(found, expected, "{}: shape of {module}", fixture.name);
        let square: f64 = output.iter().map(|x| x * x).sum();
        let mean_square_off = (square / output.len() as f64).sqrt() - f64::from(scale);
        let off = samples.iter().enumerate().fold(mean_square_off.abs(), |worst, (k, expected)| {
            let found = output[k * (output.len() - 1) / (samples.len() - 1).max(1)];
            worst.max((found - f64::from(*expected)).abs())
        });
        let off = off / f64::from(scale);
        // Norms are folded in single precision, and PyTorch computes in it; the other epsilon would be off by five times as much.
        assert!(off < 1e-4, "{}: {module} is off by {off:.1e} of its scale", fixture.name);
        if off > worst.0 {
            worst = (off, module);
        }
    }
    println!("{}: off by {:.1e} at most, in {}", fixture.name, worst.0, worst.1);
}

/// The numbers of `[c, h, w]` as `[h, w, c]`.
fn channels_last(values: &[f64], c: usize) -> Vec<f64> {
    let positions = values.len() / c;
    (0..values.len()).map(|i| values[i % c * positions + i / c]).collect()
}

/// The layer of a module: one that runs again is `relu_1`, not `relu#2`.
///
/// timm's pools are a mean and what flattens it.
fn layer(module: &str) -> String {
    match module.split_once('#') {
        Some((module, run)) => format!("{module}_{}", run.parse::<usize>().unwrap() - 1),
        None => module.trim_end_matches(".pool").trim_end_matches(".flatten").to_owned(),
    }
}

#[test]
fn squeezenets_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_squeezenet1_0", layer);
    assert_as_in_pytorch("torchvision_squeezenet1_1", layer);
}

#[test]
fn alexnet_answers_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_alexnet", layer);
}

#[test]
fn vggs_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_vgg11", layer);
    assert_as_in_pytorch("torchvision_vgg11_bn", layer);
    assert_as_in_pytorch("timm_vgg11_bn", layer);
}

#[test]
fn resnets_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_resnet18", layer);
    assert_as_in_pytorch("torchvision_resnet50", layer);
    assert_as_in_pytorch("torchvision_resnext50_32x4d", layer);
    assert_as_in_pytorch("torchvision_wide_resnet50_2", layer);
    assert_as_in_pytorch("timm_resnet18", layer);
    assert_as_in_pytorch("timm_resnet50", layer);
    assert_as_in_pytorch("timm_resnet18d", layer);
}

#[test]
fn a_relu_and_a_block_have_what_they_read_as_layers() {
    let graph = zoo::build(&Fixture::open("torchvision_resnet18").manifest(), None).unwrap().graph;
    for (layer, same) in [
        ("relu_pre_relu", "bn1"),
        ("layer1.0.relu_pre_relu", "layer1.0.bn1"),
        ("layer1.0.relu_1_pre_relu", "layer1.0.add"),
        ("layer1.0_pre_relu", "layer1.0.add"),
        ("layer2", "layer2.1.relu_1"),
        ("flatten", "avgpool"),
    ] {
        assert_eq!(graph.find(layer).unwrap(), graph.find(same).unwrap(), "{layer}");
    }
}

#[test]
fn the_first_missing_tensor_is_named() {
    let whole = Fixture::open("torchvision_resnet18").manifest();
    let torn = changed(&whole, |name| (name != "layer2.1.bn2.running_var").then(|| name.to_owned()));
    let error = zoo::build(&torn, None).unwrap_err();
    assert_eq!(error.to_string(), "resnet18.pth has no tensor `layer2.1.bn2.running_var`");
    for (fixture, tensor) in [
        ("timm_efficientnet_lite0", "blocks.3.1.conv_dw.weight"),
        ("efficientnet_lite0", "_blocks.4._bn1.weight"),
        ("torchvision_vit_small_test", "encoder.layers.encoder_layer_1.self_attention.in_proj_weight"),
        ("torchvision_convnext_tiny", "features.3.1.layer_scale"),
    ] {
        let torn = changed(&Fixture::open(fixture).manifest(), |name| (name != tensor).then(|| name.to_owned()));
        let error = zoo::build(&torn, None).unwrap_err().to_string();
        assert!(error.ends_with(&format!("has no tensor `{tensor}`")), "{error}");
    }
}

#[test]
fn blocks_of_other_parts_are_another_network() {
    let plain = Fixture::open("torchvision_resnet18").manifest();
    let excited = changed(&plain, |name| Some(name.replace("layer1.1.conv2", "layer1.1.se.fc1")));
    assert_eq!(zoo::families(&plain).collect::<Vec<_>>(), ["ResNet"]);
    assert_eq!(zoo::families(&excited).count(), 0);
}

#[test]
fn densenets_of_torchvisions_files_have_the_same_layers() {
    let new = Fixture::open("torchvision_densenet121").manifest();
    let old = changed(&new, |name| {
        let name = name.replace(".norm1.", ".norm.1.").replace(".norm2.", ".norm.2.");
        Some(name.replace(".conv1.", ".conv.1.").replace(".conv2.", ".conv.2."))
    });
    let [new, old] = [new, old].map(|file| zoo::build(&file, None).unwrap().graph);
    for node in new.nodes() {
        assert_eq!(old.find(&node.name).unwrap(), new.find(&node.name).unwrap(), "{}", node.name);
    }
}

#[test]
fn a_file_is_opened_as_what_its_tensors_are() {
    let weights = Fixture::open("torchvision_squeezenet1_1").manifest();
    let tensors: Vec<(&str, Vec<u8>)> = weights
        .names()
        .map(|name| (name, weights.take(name, weights.shape(name).unwrap()).unwrap()))
        .map(|(name, tensor)| (name, tensor.values().iter().flat_map(|value| value.to_le_bytes()).collect()))
        .collect();
    let views = tensors.iter().map(|(name, bytes)| {
        (name, TensorView::new(Dtype::F32, weights.shape(name).unwrap().to_vec(), bytes).unwrap())
    });
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("my_squeezenet.safetensors");
    safetensors::serialize_to_file(views, None, &path).unwrap();
    let model = zoo::open(path.to_str().unwrap(), Path::new("")).unwrap();
    assert_eq!(model.description.name, "my_squeezenet");
    assert_eq!(model.description.labels[1], "goldfish");
    assert_eq!(model.graph.find("classifier.3").unwrap(), model.graph.find("flatten").unwrap());
}

/// A file whose tensors have other names, or are left out.
fn changed(file: &WeightsFile, name: impl Fn(&str) -> Option<String>) -> WeightsFile {
    let tensors = file.names().filter_map(|old| Some((name(old)?, file.take(old, file.shape(old)?).unwrap())));
    WeightsFile::in_memory(&file.path().to_string_lossy(), tensors)
}

#[test]
fn densenets_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_densenet121", layer);
    assert_as_in_pytorch("timm_densenet121", |module| match module {
        "features" => "features.norm5.act".into(),
        _ => behind_relu(module, "norm"),
    });
}

#[test]
fn inceptions_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_googlenet", layer);
    assert_as_in_pytorch("torchvision_inception_v3", layer);
    assert_as_in_pytorch("timm_inception_v3", |module| behind_relu(module, "bn"));
}

#[test]
fn regnet_answers_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_regnet_y_400mf", layer);
}

#[test]
fn small_networks_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_shufflenet_v2_x0_5", layer);
    assert_as_in_pytorch("torchvision_mnasnet0_5", layer);
}

/// What timm calls a norm is what comes out of its ReLU.
fn behind_relu(module: &str, norm: &str) -> String {
    match module.rsplit('.').next() {
        Some(last) if last.starts_with(norm) => format!("{module}.act"),
        _ => layer(module),
    }
}

#[test]
fn efficientnets_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_efficientnet_b0", layer);
    assert_as_in_pytorch("timm_efficientnet_b0", layer);
    assert_as_in_pytorch("timm_tf_efficientnet_b0", layer);
    assert_as_in_pytorch("timm_efficientnet_lite0", layer);
    assert_as_in_pytorch("timm_tf_efficientnet_lite0", layer);
    assert_as_in_pytorch("efficientnet_lite0", layer);
    assert_as_in_pytorch("efficientnet_b0", layer);
    assert_as_in_pytorch("torchvision_efficientnet_v2_test", layer);
}

#[test]
fn mobilenets_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_mobilenet_v2", layer);
    assert_as_in_pytorch("timm_mobilenetv2_100", layer);
    assert_as_in_pytorch("torchvision_mobilenet_v3_small", layer);
    assert_as_in_pytorch("torchvision_mobilenet_v3_large", layer);
    assert_as_in_pytorch("timm_mobilenetv3_small_100", layer);
    assert_as_in_pytorch("timm_tf_mobilenetv3_small_100", layer);
    assert_as_in_pytorch("timm_tf_mobilenetv3_small_minimal_100", layer);
}

#[test]
fn convnexts_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_convnext_tiny", layer);
    assert_as_in_pytorch("timm_convnext_tiny", |module| match module {
        "head.flatten" => module.to_owned(),
        _ => layer(module),
    });
}

#[test]
fn transformers_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_vit_small_test", layer);
    assert_as_in_pytorch("timm_deit3_small_patch16_224", layer);
    assert_as_in_pytorch("timm_vit_base_patch32_clip_224", layer);
    assert_as_in_pytorch("transformers_clip_test", layer);
}

#[test]
#[ignore = "takes minutes in plain loops"]
fn whole_transformers_answer_as_in_pytorch() {
    assert_as_in_pytorch("torchvision_vit_b_16", layer);
    assert_as_in_pytorch("timm_vit_tiny_patch16_224", layer);
}

#[test]
fn what_tensors_leave_open_is_in_a_files_name() {
    let built = |fixture: &str| zoo::build(&Fixture::open(fixture).manifest(), None).unwrap().graph;
    let padding = |graph: &Graph| match &graph.nodes()[graph.find("conv_stem").unwrap()].op {
        Op::Convolution(convolution) => convolution.window.padding,
        op => panic!("{}", op.kind()),
    };
    let black = |graph: &Graph| match &graph.nodes()[graph.find("preprocessed").unwrap()].op {
        Op::Affine { shift, .. } => shift.values()[0],
        op => panic!("{}", op.kind()),
    };
    let [usual, from_tensorflow] = ["timm_efficientnet_lite0", "timm_tf_efficientnet_lite0"].map(built);
    assert_eq!([padding(&usual), padding(&from_tensorflow)], [Padding::all(1), Padding::Same]);
    assert_eq!([black(&usual), black(&from_tensorflow)], [-0.485 / 0.229, -1.0]);
    let [vit, deit] = ["timm_vit_tiny_patch16_224", "timm_deit3_small_patch16_224"].map(built);
    assert_eq!([black(&vit), black(&deit)], [-1.0, -0.485 / 0.229]);
}

#[test]
fn sizes_are_those_that_networks_are_evaluated_at() {
    for (fixture, side) in [
        ("efficientnet_lite0", 224),
        ("torchvision_efficientnet_b0", 224),
        ("torchvision_vit_small_test", 64),
        ("transformers_clip_test", 64),
    ] {
        let graph = zoo::build(&Fixture::open(fixture).manifest(), None).unwrap().graph;
        assert_eq!(graph.size(), [side, side], "{fixture}");
    }
}

#[test]
fn transformers_of_torchvisions_older_files_have_the_same_layers() {
    let new = Fixture::open("torchvision_vit_small_test").manifest();
    let old = changed(&new, |name| Some(name.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2.")));
    let [new, old] = [new, old].map(|file| zoo::build(&file, None).unwrap().graph);
    let names = |graph: &Graph| graph.nodes().iter().map(|node| node.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&old), names(&new));
}

#[test]
fn transformers_with_more_tokens_or_parts_are_other_networks() {
    let plain = Fixture::open("timm_vit_tiny_patch16_224").manifest();
    let distilled = changed(&plain, |name| Some(name.replace("head.bias", "dist_token")));
    let normed = changed(&plain, |name| Some(name.replace("0.attn.proj.bias", "0.attn.q_norm.bias")));
    assert_eq!(zoo::families(&plain).collect::<Vec<_>>(), ["ViT"]);
    assert_eq!([distilled, normed].map(|file| zoo::families(&file).count()), [0, 0]);
}

#[test]
fn a_relu_inside_of_a_norm_has_what_it_reads_as_layer() {
    let graph = zoo::build(&Fixture::open("timm_mobilenetv2_100").manifest(), None).unwrap().graph;
    let same = |a: &str, b: &str| assert_eq!(graph.find(a).unwrap(), graph.find(b).unwrap(), "{a}");
    same("blocks.1.0.bn1", "blocks.1.0.bn1.act");
    same("blocks.1.0.bn1.act_pre_relu", "blocks.1.0.bn1.batch_norm");
    same("blocks.1.1", "blocks.1.1.add");
    same("blocks.1", "blocks.1.1");
}
