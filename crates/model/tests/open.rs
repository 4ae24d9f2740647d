//! Files of each kind are opened by one function, described by the manifest beside them or by guesses.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};

use entoptic_model::{
    Error, Preprocessing,
    inspect::{self, Report},
    load::{self, Kind, Opened},
    manifest::{Labels, Manifest},
    zoo,
};
use tempfile::TempDir;

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// A folder with this fixture and, for ONNX, weights of zeros beside it, which take no room on a disk.
fn copied(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let source = fixtures(name);
    let path = folder.path().join(source.file_name().unwrap());
    fs::copy(&source, &path).unwrap();
    if name.ends_with(".onnx") {
        let case = fs::read(source.with_extension("safetensors")).map(|bytes| case(&bytes));
        let weights = case.ok().and_then(|case| Some(case["weights"].as_array()?.clone())).unwrap_or_default();
        let numbers = |weight: &serde_json::Value| -> u64 {
            weight[1].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).product()
        };
        let length = 4 * weights.iter().map(numbers).sum::<u64>();
        File::create(folder.path().join("weights")).unwrap().set_len(length).unwrap();
    }
    (folder, path)
}

/// A safetensors file of zeros with the tensors of a fixture of PyTorch's.
fn weights_of(fixture: &str, path: &Path) {
    let case = case(&fs::read(fixtures(fixture)).unwrap());
    let mut end = 0;
    let mut header = BTreeMap::new();
    for weight in case["weights"].as_array().unwrap() {
        let start = end;
        end += 4 * weight[1].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).product::<u64>();
        let name = weight[0].as_str().unwrap().to_owned();
        header.insert(name, serde_json::json!({"dtype": "F32", "shape": weight[1], "data_offsets": [start, end]}));
    }
    let header = serde_json::to_vec(&header).unwrap();
    let bytes = [&(header.len() as u64).to_le_bytes()[..], &header].concat();
    fs::write(path, &bytes).unwrap();
    File::options().write(true).open(path).unwrap().set_len(bytes.len() as u64 + end).unwrap();
}

/// What a fixture says of itself.
fn case(bytes: &[u8]) -> serde_json::Value {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    serde_json::from_str(header["__metadata__"]["case"].as_str().unwrap()).unwrap()
}

#[test]
fn colors_are_guessed_by_names_and_by_who_wrote_the_file() {
    let minus_117 = Preprocessing::range(-117.0, 138.0);
    let bytes = Preprocessing::range(0.0, 255.0);
    let cases = [
        ("onnx/resnet18_11.onnx", Preprocessing::IMAGENET, "PyTorch wrote the file"),
        ("onnx/timm_vit_17.onnx", Preprocessing::MINUS_ONE_TO_ONE, "timm's transformers'"),
        ("onnx/clip_17.onnx", Preprocessing::CLIP, "CLIP's"),
        ("onnx/tiny_7.onnx", Preprocessing::IMAGENET, "most networks take that"),
        ("tensorflow/caffenet.pb", Preprocessing::CAFFE, "Caffe's"),
        ("tensorflow/inception.pb", Preprocessing::MINUS_ONE_TO_ONE, "slim's Inceptions'"),
        ("tensorflow/mobilenet_v2.pb", Preprocessing::MINUS_ONE_TO_ONE, "slim's MobileNets'"),
        ("tensorflow/nasnet.pb", Preprocessing::MINUS_ONE_TO_ONE, "slim's NASNets'"),
        ("tensorflow/resnet_v1_50.pb", minus_117, "slim's ResNetV1's"),
        ("tensorflow/resnet_v2_50.pb", Preprocessing::MINUS_ONE_TO_ONE, "slim's ResNetV2's"),
        ("mini_5h.pb", minus_117, "TensorFlow's InceptionV1's"),
        ("tensorflow/clip_resnet.pb", bytes, "a normalization of bytes"),
        ("tensorflow/keras.pb", bytes, "a normalization of bytes"),
    ];
    for (name, expected, reason) in cases {
        let (_folder, path) = copied(name);
        let model = load::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = model.graph.preprocessing().unwrap();
        let near = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(near(found.mean, expected.mean) && near(found.std, expected.std), "{name}: {found:?}");
        assert_eq!(found.bgr, expected.bgr, "{name}");
        let guess = model.description.guessed_values().unwrap_or_else(|| panic!("{name} is a guess"));
        assert!(guess.reason.contains(reason), "{name}: {}", guess.reason);
    }
}

#[test]
fn what_lucid_wrote_into_a_file_is_no_guess() {
    let model = load::open(&fixtures("tensorflow/lucid_metadata.pb")).unwrap();
    assert_eq!(model.description.guessed_values(), None);
    let found = model.description.preprocessing;
    assert!((found.mean[0] - 117.0 / 255.0).abs() < 1e-6 && (found.std[0] - 1.0 / 255.0).abs() < 1e-9, "{found:?}");
}

#[test]
fn a_manifest_beside_the_file_is_what_counts() {
    let (_folder, path) = copied("onnx/resnet18_11.onnx");
    let text =
        "name = 'mine'\n[input]\nrange = [-2, 2]\nchannels = 'bgr'\nsize = [96, 80]\n[layers]\nshow = ['/fc/Gemm']\n";
    fs::write(Manifest::beside(&path), text).unwrap();
    let opened = Opened::read(&path).unwrap();
    let (graph, description) = (&opened.model.graph, &opened.model.description);
    let Preprocessing { bgr, .. } = graph.preprocessing().unwrap();
    assert!(opened.was_described && bgr && description.guessed_values().is_none());
    assert_eq!((description.name.as_str(), graph.size()), ("mine", [96, 80]));
    assert_eq!(description.show, ["/fc/Gemm"]);
    assert_eq!((description.logits.as_str(), description.classes().unwrap()), ("/fc/Gemm", "probabilities"));

    // What is written back is read as it is, guesses included.
    fs::write(Manifest::beside(&path), opened.manifest.to_string()).unwrap();
    let again = Opened::read(&path).unwrap();
    assert_eq!(again.manifest, opened.manifest);
    assert_eq!(again.model.graph.nodes().len(), graph.nodes().len());
}

#[test]
fn a_manifest_for_another_file_is_refused() {
    let (_folder, path) = copied("tensorflow/mobilenet_v1.pb");
    let manifest = Manifest::beside(&path);
    fs::write(&manifest, format!("[file]\nsha256 = '{}'", "0".repeat(64))).unwrap();
    let error = load::open(&path).unwrap_err();
    assert!(matches!(error, Error::WrongChecksum { .. }), "{error}");
    assert!(error.to_string().contains("its SHA-256 is 7b4541be..., not 00000000..."), "{error}");
    for (text, says) in [
        ("[layers]\nshow = ['Mixed_3b']", "no layer `Mixed_3b`"),
        ("[output]\nprobabilities = 'softmax'", "no layer `softmax`"),
        ("[output]\nlabels = 'birds.txt'", "birds.txt"),
        ("[input]\nsize = [1, 1]", ""),
    ] {
        fs::write(&manifest, text).unwrap();
        match load::open(&path) {
            Err(error) => assert!(error.to_string().contains(says), "{text}: {error}"),
            Ok(_) => assert!(says.is_empty(), "{text} is refused"),
        }
    }
}

#[test]
fn labels_go_by_the_number_of_classes_and_by_files_beside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("resnet18.safetensors");
    weights_of("torch/torchvision_resnet18.safetensors", &path);
    let opened = Opened::read(&path).unwrap();
    assert_eq!(opened.manifest.output.labels, Some(Labels::Imagenet));
    assert_eq!(opened.manifest.file.architecture.as_deref(), Some("ResNet"));
    assert_eq!(opened.model.description.labels[285], "Egyptian cat");
    assert!(opened.manifest.is_guessed("input.mean") && !opened.manifest.is_guessed("input.channels"));
    let labels: String = (0..1000).map(|i| format!("class {i}\n")).collect();
    fs::write(folder.path().join("labels.txt"), &labels).unwrap();
    assert_eq!(Opened::read(&path).unwrap().manifest.output.labels, Some(Labels::File("labels.txt".into())));
    fs::write(folder.path().join("labels.txt"), "cat\ndog\n").unwrap();
    assert_eq!(Opened::read(&path).unwrap().manifest.output.labels, Some(Labels::Imagenet));
}

#[test]
fn layers_worth_showing_are_the_ends_of_blocks() {
    let shown = |name: &str| {
        let (_folder, path) = copied(name);
        load::open(&path).unwrap().description.show
    };
    let resnet = shown("onnx/resnet18_11.onnx");
    assert_eq!((resnet.len(), resnet[0].as_str()), (8, "/layer1/layer1.0/relu_1/Relu"));
    let googlenet = shown("onnx/googlenet_11.onnx");
    assert_eq!(googlenet.len(), 9, "nine modules, not the image's own concat: {googlenet:?}");
    assert_eq!(googlenet[8], "/inception5b/Concat");
    assert_eq!(shown("onnx/vit_17.onnx").len(), 6, "two sums in each of three blocks");
    assert_eq!(shown("onnx/alexnet_9.onnx").len(), 5, "five ReLUs");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("densenet121.safetensors");
    weights_of("torch/torchvision_densenet121.safetensors", &path);
    let densenet = load::open(&path).unwrap().description.show;
    assert_eq!(densenet.len(), 40, "the most of 58");
}

#[test]
fn shards_are_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.safetensors");
    weights_of("torch/torchvision_squeezenet1_1.safetensors", &whole);
    let names: Vec<String> = {
        let file = load::WeightsFile::open(&whole).unwrap();
        file.names().map(str::to_owned).collect()
    };
    let shards = folder.path().join("my_net");
    fs::create_dir(&shards).unwrap();
    let (first, second) = names.split_at(names.len() / 2);
    let map: BTreeMap<&String, &str> = first
        .iter()
        .map(|name| (name, "a.safetensors"))
        .chain(second.iter().map(|name| (name, "b.safetensors")))
        .collect();
    let index = shards.join("model.safetensors.index.json");
    let write = |map: &BTreeMap<&String, &str>| fs::write(&index, serde_json::json!({ "weight_map": map }).to_string());
    write(&map).unwrap();
    fs::copy(&whole, shards.join("a.safetensors")).unwrap();

    let says = |text: &str| {
        let error = load::open(&shards).unwrap_err().to_string();
        assert!(error.contains(text) && error.contains("index.json"), "{error}");
    };
    says("its part `b.safetensors`: entity not found");
    fs::copy(&whole, shards.join("b.safetensors")).unwrap();
    let opened = Opened::read(&shards).unwrap();
    assert_eq!((opened.kind, opened.model.description.name.as_str()), (Kind::ShardedSafetensors, "my_net"));
    assert_eq!(opened.bytes, 2 * whole.metadata().unwrap().len());
    assert_eq!(opened.manifest.file.architecture.as_deref(), Some("SqueezeNet"));

    let outside = BTreeMap::from([(&names[0], "../whole.safetensors")]);
    write(&outside).unwrap();
    says("its part `../whole.safetensors` is no file beside it");
    let stranger = "stranger".to_owned();
    write(&BTreeMap::from([(&stranger, "a.safetensors")])).unwrap();
    says("its part `a.safetensors` has no tensor `stranger`");
    fs::write(&index, "{}").unwrap();
    says("it is no index of safetensors files");
}

#[test]
fn what_is_no_model_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let says = |name: &str, bytes: &[u8], text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = load::open(&path).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(text) && !error.contains('\n'), "{name}: {error}");
    };
    says("empty.onnx", b"", "it is empty; models are read from safetensors, PyTorch state dicts, ONNX and frozen");
    says("notes.txt", b"hello, world", "it is of no known kind; models are read from");
    says("pointer.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "`git lfs pull` brings it");
    says("cut.safetensors", b"\x10\0\0\0\0\0\0\0{\"a\":", "not a whole safetensors file");
    says("huge.safetensors", b"\0\0\0\xff\0\0\0\0{}", "its header would be longer than the file");
    says("cut.pb", b"\x0a\xff\xff\x7f", "cut.pb");
    says("cut.onnx", b"\x08\x07\x3a\xff\xff\x7f", "cut.onnx");
    let error = load::open(&folder.path().join("none.onnx")).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("none.onnx: entity not found"), "{error}");
    let several = load::open(folder.path()).map(|_| ()).unwrap_err().to_string();
    assert!(several.contains("it is a folder of several models: `cut.safetensors`, `huge.safetensors`"), "{several}");
    let nothing = tempfile::tempdir().unwrap();
    let error = load::open(nothing.path()).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("it is a folder without a model"), "{error}");
}

#[test]
fn tensors_of_no_known_network_are_named() {
    let error = load::open(&fixtures("pytorch/sharded")).map(|_| ()).unwrap_err();
    let Error::UnknownArchitecture { known, .. } = &error else { panic!("{error}") };
    assert!(known.iter().any(|name| name == "ResNet"), "{known:?}");
    assert!(error.to_string().contains("11 tensors such as `bf16`, `channels_last`, `empty`"), "{error}");
}

#[test]
fn a_report_counts_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let counts = [
        ("torch/torchvision_resnet18.safetensors", 11_689_512),
        ("torch/torchvision_densenet121.safetensors", 7_978_856),
        ("torch/timm_vit_tiny_patch16_224.safetensors", 5_717_416),
    ];
    for (fixture, parameters) in counts {
        let path = folder.path().join(fixture.rsplit('/').next().unwrap());
        weights_of(fixture, &path);
        let report = Report::of_file(&Opened::read(&path).unwrap());
        assert_eq!(
            (report.parameters, report.output.classes),
            (parameters, Some(1000)),
            "{fixture}, as PyTorch counts"
        );
        fs::remove_file(&path).unwrap();
    }
    let (_folder, path) = copied("onnx/unsupported.onnx");
    let report = Report::of_file(&Opened::read(&path).unwrap());
    assert_eq!((report.unsupported[0].kind.as_str(), report.unsupported[0].count), ("org.example.Mystery", 1));
    assert!(!report.missing.is_empty() && report.layers.iter().any(|layer| layer.name == "relu1"), "{report:?}");
    assert_eq!(report.file.unwrap().about["ONNX operators"], "13");
}

#[test]
fn a_picture_has_each_box_once_and_is_xml() {
    let svg = inspect::draw(&zoo::squeezenet_v1_1());
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches(">fire5/squeeze1x1<").count(), 1);
    assert!(svg.contains("convolution 3x3 + relu") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    assert_eq!(svg.matches("<g>").count(), svg.matches("</g>").count());
    let (_folder, path) = copied("onnx/unsupported.onnx");
    let svg = inspect::draw(&load::open(&path).unwrap());
    assert!(svg.contains("not supported: org.example.Mystery"), "{svg}");
    assert_eq!(svg, inspect::draw(&load::open(&path).unwrap()), "the same each time");
}
