//! Models are opened by name, as the catalog describes them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use entoptic_model::{Error, Model, Preprocessing, manifest::Manifest, zoo};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// A models folder with these fixtures under these names.
fn folder_of(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in files {
        fs::copy(fixture(from), folder.path().join(to)).unwrap();
    }
    folder
}

#[test]
fn a_model_of_lucids_zoo_is_what_lucid_says_of_it() {
    let files = [
        ("tensorflow/resnet_v2_50.pb", "ResnetV2_50_slim.pb"),
        ("tensorflow/resnet_v1_50.pb", "ResnetV1_50_slim.pb"),
        ("tensorflow/nasnet.pb", "NasnetMobile_slim.pb"),
    ];
    let folder = folder_of(&files);
    // The fixtures are thin and shallow: of Lucid's layers they have the first.
    for (name, shown, preprocessing, first, probabilities) in [
        ("ResnetV2_50_slim", 6, Preprocessing::MINUS_ONE_TO_ONE, "background", "resnet_v2_50/predictions/Softmax"),
        ("resnetv1_50_SLIM", 4, Preprocessing::range(-117.0, 138.0), "tench", "resnet_v1_50/predictions/Softmax"),
        ("NasnetMobile_slim", 1, Preprocessing::MINUS_ONE_TO_ONE, "background", "final_layer/predictions"),
    ] {
        let Model { graph, description } = zoo::open(name, folder.path()).unwrap();
        assert_eq!(description.name, zoo::find(name).unwrap().name);
        assert_eq!((description.show.len(), description.preprocessing), (shown, preprocessing), "{name}");
        assert!(description.show.iter().all(|layer| graph.find(layer).is_ok()), "{name}");
        assert!(description.labels[0].starts_with(first), "{name}: {}", description.labels[0]);
        assert_eq!((description.probabilities.as_str(), graph.size()), (probabilities, [224, 224]), "{name}");
        assert_eq!(description.guesses, [], "{name}");
    }
}

#[test]
fn labels_that_came_along_are_the_models() {
    let folder = folder_of(&[("mini_5h.pb", "inception5h.pb")]);
    let open = || zoo::open("inception5h", folder.path()).unwrap().description;
    let description = open();
    assert_eq!((description.probabilities.as_str(), &description.labels[..]), ("softmax2", &[][..]));
    assert_eq!((description.show[0].as_str(), description.show.len()), ("mixed3a", 9));
    assert_eq!(description.preprocessing, Preprocessing::range(-117.0, 138.0));
    fs::write(folder.path().join("inception5h_labels.txt"), "dummy\nkit fox\n").unwrap();
    assert_eq!(open().labels, ["dummy", "kit fox"]);
}

#[test]
fn what_a_manifest_says_counts_more_than_the_catalog() {
    let folder = folder_of(&[("tensorflow/resnet_v2_50.pb", "ResnetV2_50_slim.pb")]);
    let path = folder.path().join("ResnetV2_50_slim.pb");
    let shown = "resnet_v2_50/postnorm/Relu";
    let text = format!("[input]\nrange = [0, 1]\n[output]\nlabels = [\"a\"]\n[layers]\nshow = [\"{shown}\"]\n");
    fs::write(Manifest::beside(&path), text).unwrap();
    let opened = zoo::find("ResnetV2_50_slim").unwrap().read(&path).unwrap();
    let description = &opened.model.description;
    assert!(opened.was_described);
    assert_eq!(description.preprocessing, Preprocessing::range(0.0, 1.0));
    assert_eq!((&description.labels[..], &description.show[..]), (&["a".to_owned()][..], &[shown.to_owned()][..]));
    assert_eq!(description.probabilities, "resnet_v2_50/predictions/Softmax");
    assert_eq!(description.name, "ResnetV2_50_slim");

    fs::write(Manifest::beside(&path), "[output]\nprobabilities = \"nowhere\"\n").unwrap();
    let error = zoo::open("ResnetV2_50_slim", folder.path()).unwrap_err();
    assert!(matches!(error, Error::BadManifest { .. }), "{error}");
}

#[test]
fn another_format_of_a_model_has_its_own_layers() {
    let folder = folder_of(&[("onnx/inline_raw_13.onnx", "MobilenetV2_10_slim.onnx")]);
    let description = zoo::open("MobilenetV2_10_slim", folder.path()).unwrap().description;
    assert_eq!(description.preprocessing, Preprocessing::MINUS_ONE_TO_ONE);
    assert!(description.show.iter().all(|layer| !layer.contains("expanded")));
    // Another network under the file's own name says itself where its classes are.
    let folder = folder_of(&[("tensorflow/resnet_v2_50.pb", "ResnetV1_50_slim.pb")]);
    let description = zoo::open("ResnetV1_50_slim", folder.path()).unwrap().description;
    assert_eq!(description.probabilities, "resnet_v2_50/predictions/Softmax");
}

#[test]
fn any_file_of_the_models_folder_answers_to_its_name() {
    let folder = folder_of(&[("mini_5h.pb", "mine.pb")]);
    assert_eq!(zoo::open("mine", folder.path()).unwrap().description.name, "mine");
    let error = zoo::open("thine", folder.path()).unwrap_err();
    assert!(matches!(error, Error::NoSuchModel { .. }), "{error}");
    let Error::WeightsNotFound { name, path } = zoo::open("resnet50", folder.path()).unwrap_err() else { panic!() };
    assert_eq!((name.as_str(), path), ("resnet50", folder.path().join("resnet50.pth")));
}

#[test]
fn googlenet_is_found_as_lucids_zoo_has_it() {
    let folder = zoo::default_folder();
    let Some(file) = zoo::find("InceptionV1_caffe").unwrap().locate(&folder) else {
        return eprintln!("skipped: no InceptionV1_caffe.pb in {}", folder.display());
    };
    let opened = zoo::find("InceptionV1_caffe").unwrap().read(&file).unwrap();
    let description = &opened.model.description;
    assert_eq!((description.show.len(), description.show[3].as_str()), (12, "inception_3a_output"));
    assert_eq!((description.preprocessing, description.probabilities.as_str()), (Preprocessing::CAFFE, "prob"));
    assert_eq!((description.labels.len(), description.guesses.len()), (1000, 0));
}
