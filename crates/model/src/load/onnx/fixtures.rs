//! The exported files of `fixtures/onnx`, whose weights are made up, against what ONNX Runtime computes.

use std::{fs, path::Path};

use entoptic_made_up as made_up;
use safetensors::SafeTensors;
use serde_json::Value as Json;

use super::*;
use crate::{
    Preprocessing,
    load::lift::{Part, View},
    reference::evaluate,
};

fn numbers<T: serde::de::DeserializeOwned>(json: &Json) -> T {
    serde_json::from_value(json.clone()).unwrap()
}

/// A tensor row by row, of what its node computes.
fn read_view(view: &View, output: &[f64], shape: crate::graph::Shape) -> Vec<f32> {
    let [h, w] = shape.positions();
    let mut places = vec![0];
    for atom in view.atoms() {
        let step = atom.stride
            * match atom.part {
                Part::Channels => h * w,
                Part::Rows => w,
                Part::Columns => 1,
            };
        places = places.iter().flat_map(|place| (0..atom.size).map(move |i| place + i * step)).collect();
    }
    places.into_iter().map(|place| output[place] as f32).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/onnx/")
}

fn check(folder: &Path, name: &str) {
    let bytes = fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let case: Json = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["case"]).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let mut weights: Vec<u8> = Vec::new();
    for entry in case["weights"].as_array().unwrap() {
        let (name, shape): (String, Vec<usize>) = numbers(entry);
        weights.extend(made_up::weight(&name, &shape).iter().flat_map(|value| value.to_le_bytes()));
    }
    fs::write(temporary.path().join("weights"), weights).unwrap();
    let file = fs::read(folder.join(format!("{name}.onnx"))).unwrap();
    let (mean, std): ([f32; 3], [f32; 3]) = (numbers(&case["mean"]), numbers(&case["std"]));
    let size: [usize; 2] = numbers(&case["size"]);
    let options = Options { size: Some(size), preprocessing: Some(Preprocessing { mean, std, bgr: false }) };
    let document = Document::read(&mut &file[..]).unwrap();
    let Ok((imported, scope)) = lift(document, file.len() as u64, Some(temporary.path()), &options) else {
        panic!("{name} cannot be lifted")
    };
    let graph = &imported.graph;
    assert_eq!(graph.size(), size, "{name}");
    match case["unsupported"].as_str() {
        None => assert!(graph.unsupported().is_empty(), "{name}: {:#?}", graph.unsupported().operations()),
        Some(layer) => assert!(matches!(graph.find(layer), Err(Error::UnsupportedLayer { .. }))),
    }
    // What has neither positions nor fully connected maps takes any image.
    if !["alexnet", "clip", "inline", "vgg", "vit"].iter().any(|family| name.contains(family)) {
        assert!(graph.shapes([size[0] + 64, size[1] + 32]).is_ok(), "{name} takes one size only");
    }
    let outputs = evaluate(graph, &made_up::image("image", size), size).unwrap();
    let (mut compared, mut worst, mut unfound) = (0, (0f32, String::new()), 0);
    for entry in case["nodes"].as_array().unwrap() {
        let (layer, shape): (String, Vec<usize>) = numbers(entry);
        let tensor = |prefix: &str| -> Vec<f32> {
            let tensor = expected.tensor(&format!("{prefix}/{layer}")).unwrap();
            tensor.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
        };
        let (samples, scale) = (tensor("node"), tensor("scale")[0]);
        let Some(Value::Layer(view)) = scope.get(&layer).and_then(Slot::value) else { continue };
        unfound += usize::from(graph.find(&layer).is_err());
        assert_eq!(view.dims(), shape, "{name}: `{layer}`");
        let values = read_view(view, &outputs[view.node], graph.nodes()[view.node].shape);
        for (k, &sample) in samples.iter().enumerate() {
            let value = values[k * (values.len() - 1) / (samples.len() - 1).max(1)];
            let error = (value - sample).abs() / scale.max(1e-6);
            if error > worst.0 || error.is_nan() {
                worst = (error, layer.clone());
            }
        }
        compared += 1;
    }
    println!(
        "{name:28} {compared:4} layers, error {:.1e} at {}, {} nodes, {unfound} not found; {:?} {:?}",
        worst.0,
        worst.1,
        graph.nodes().len(),
        imported.probabilities,
        imported.logits
    );
    assert!(worst.0 < 1e-4, "{name}: `{}` is off by {} of its scale", worst.1, worst.0);
}

#[test]
fn exported_files_compute_what_onnx_runtime_computes() {
    let folder = folder();
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".onnx")?.to_owned()))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    let mut failed = Vec::new();
    for name in &names {
        if std::panic::catch_unwind(|| check(&folder, name)).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn exported_files_with_other_bytes_are_networks_or_errors() {
    let beside = tempfile::tempdir().unwrap();
    fs::File::create(beside.path().join("weights")).unwrap().set_len(1 << 26).unwrap();
    let mut state = std::env::var("ONNX_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut random = |below: usize| {
        state = u64::wrapping_add(u64::wrapping_mul(state, 6_364_136_223_846_793_005), 1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let rounds = std::env::var("ONNX_ROUNDS").map_or(8, |rounds| rounds.parse().unwrap());
    for name in
        ["clip_14", "convnext_thin_dynamo_20", "densenet_thin_9", "shufflenet_v2_x0_5_11", "timm_vit_17", "vit_14"]
    {
        let bytes = fs::read(folder().join(format!("{name}.onnx"))).unwrap();
        for _ in 0..rounds {
            let mut changed = bytes.clone();
            for _ in 0..=random(4) {
                let place = random(changed.len());
                changed[place] = match random(3) {
                    0 => random(256) as u8,
                    1 => changed[place] ^ (1 << random(8)),
                    _ => [0, 1, 0x7F, 0x80, 0xFF][random(5)],
                };
            }
            if let Ok(document) = Document::read(&mut &changed[..]) {
                let _ = lift(document, changed.len() as u64, Some(beside.path()), &Options::default());
            }
        }
    }
}
