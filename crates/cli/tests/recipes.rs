//! The commands of recipes as their users meet them.

mod common;

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use entoptic::picture;
use serde_json::Value;

use self::common::{Session, photo, text};

/// As short and small as recipes go.
const TINY: [&str; 4] = ["-n", "2", "-s", "64"];

fn tiny<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().copied().chain(TINY).collect()
}

#[test]
fn every_recipe_writes_what_it_makes() {
    let session = Session::new();
    let (cat, coffee) = (photo("cat"), photo("coffee"));
    let folder = cat.strip_suffix("/cat.png").unwrap().to_owned();
    let commands: [(&[&str], &[&str]); 17] = [
        (&["interaction-grid"], &["grid.png"]),
        (&["activation-grid", &cat], &["grid.html", "grid.png"]),
        (&["activation-grid", &cat, "--naive"], &["grid.html", "grid.png"]),
        (&["interpolate"], &["frames.png", "loop.gif", "sprites.png"]),
        (&["interpolate", "--share", "nothing", "--align", "fire3"], &["frames.png", "loop.gif", "sprites.png"]),
        (&["transparent"], &["image.png", "views.png"]),
        (&["transparent", "--backgrounds"], &["backgrounds.png"]),
        (&["transparent", "--aligned"], &["aligned.png"]),
        (&["transparent", "--samples"], &["samples.png"]),
        (&["caricature", &cat], &["caricature.png"]),
        (&["study"], &["diversity.png", "ends.png", "regularization.png"]),
        (&["spritemap", "fire2/squeeze1x1"], &["sprites.html", "sprites.png"]),
        (&["dictionary", &cat, "--top", "1"], &["dictionary.html", "dictionary.png"]),
        (
            &["attribute", &cat, "Egyptian cat", "--points", "2", "--top", "2"],
            &["attribution.html", "attribution.json", "attribution.png"],
        ),
        (&["attribute", &cat, "--layer", "fire7", "--to", "fire9"], &["positions.json", "positions.png"]),
        (&["neuron-groups", &cat, "285", "espresso"], &["groups.html", "groups.png"]),
        (&["atlas", &folder, "--grid", "3", "--least", "2"], &["atlas.html", "atlas.json", "atlas.png"]),
    ];
    for (i, (arguments, expected)) in commands.into_iter().enumerate() {
        let out = format!("out-{i}");
        let mut all = tiny(arguments);
        all.extend(["-o", &out, "--json"]);
        let report = session.json(&all);
        assert_eq!(report["ending"], "finished", "{arguments:?}");
        let mut made: Vec<String> = session
            .path(&out)
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        made.sort();
        assert_eq!(made, expected, "{arguments:?}");
        for file in report["files"].as_array().unwrap() {
            let path = session.folder.path().join(file.as_str().unwrap());
            if path.extension().is_some_and(|extension| extension == "png") {
                picture::about(&path).unwrap();
            }
        }
    }
    for (arguments, name) in [(["deepdream", &cat], "dream.png"), (["style", &cat], "style.png")] {
        let mut all = tiny(&arguments);
        if arguments[0] == "style" {
            all.insert(2, &coffee);
        }
        all.extend(["-o", name, "-q"]);
        let output = session.run(&all);
        assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(0), "".into(), "".into()));
        picture::about(&session.path(name)).unwrap();
    }
}

#[test]
fn a_files_name_says_which_of_them_is_wanted() {
    let session = Session::new();
    session.json(&tiny(&["interpolate", "-o", "there.gif", "--json"]));
    session.json(&tiny(&["interpolate", "-o", "frames.webp", "--json"]));
    assert_eq!(session.files(), ["frames.webp", "there.gif"]);
    assert_eq!(picture::about(&session.path("there.gif")).unwrap().format, "GIF");
}

#[test]
fn the_same_command_makes_the_same_picture() {
    let session = Session::new();
    for out in ["one.png", "two.png"] {
        session.json(&tiny(&["transparent", "fire5:20", "--seed", "3", "--json", "-o", out]));
    }
    session.json(&tiny(&["transparent", "fire5:20", "--seed", "3", "--batch", "1", "--json", "-o", "split.png"]));
    let pixels = |name: &str| {
        let image = picture::load_rgba(&session.path(name), &burn::tensor::Device::flex()).unwrap();
        image.try_into_vec_as::<f32>().unwrap()
    };
    assert!(pixels("one.png") == pixels("two.png"));
    assert!(pixels("one.png") == pixels("split.png"), "however many images are kept in memory");
    session.json(&tiny(&["transparent", "fire5:20", "--seed", "4", "--json", "-o", "other.png"]));
    assert!(pixels("one.png") != pixels("other.png"));
}

#[test]
fn a_recipes_picture_says_which_command_made_it() {
    let session = Session::new();
    session.json(&tiny(&["interpolate", "fire5:20", "fire5:3", "-o", "two words.png", "--json"]));
    let output = session.run(&["render", "--from", "two words.png"]);
    let expected = "error: two words.png was made by more than one run; \
        `entoptic interpolate fire5:20 fire5:3 -o 'two words.png' --json -n 2 -s 64` makes it again\n";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
#[cfg(unix)]
fn what_is_interrupted_is_kept_and_goes_on() {
    let session = Session::new();
    let arguments = ["spritemap", "fire2", "-n", "40", "-s", "40", "-o", "map.png"];
    let mut program = session.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // Once the first of four groups is done, three are left.
    while !session.path("map.png.unfinished/run-0000.safetensors").exists() {
        assert_eq!(program.try_wait().unwrap(), None, "it kept nothing");
        thread::sleep(Duration::from_millis(20));
    }
    let interrupted = Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let status = program.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(session.files(), ["map.png", "map.png.unfinished"]);
    let about = picture::about(&session.path("map.png")).unwrap();

    // Another command does not go on with it.
    let other = session.run(&["spritemap", "fire2", "-n", "41", "-s", "40", "-o", "map.png", "--resume"]);
    assert_eq!(text(&other.stderr).lines().next(), Some("error: what was put away is of another run"));

    let mut resumed = arguments.to_vec();
    resumed.extend(["--resume", "--json"]);
    let report: Value = session.json(&resumed);
    assert_eq!(report["ending"], "finished");
    assert_eq!(report["channels"].as_array().unwrap().len(), 128);
    assert_eq!(session.files(), ["map.png"], "what was kept is no longer needed");
    assert!(picture::about(&session.path("map.png")).unwrap().size[0] >= about.size[0]);

    let whole = session.path("whole.png");
    let output = session.run(&["spritemap", "fire2", "-n", "40", "-s", "40", "-o", "whole.png"]);
    assert!(output.status.success());
    let pixels = |path| picture::load(path, &burn::tensor::Device::flex()).unwrap().try_into_vec_as::<f32>().unwrap();
    assert!(pixels(&whole) == pixels(&session.path("map.png")), "as if it had not been interrupted");
}

#[test]
fn bad_input_is_told_in_one_line() {
    let session = Session::new();
    let cat = photo("cat");
    fs::copy(&cat, session.path("cat.png")).unwrap();
    fs::write(session.path("empty.png"), "").unwrap();
    fs::write(session.path("broken.jpg"), &fs::read(photo("coffee")).unwrap()[..2000]).unwrap();
    fs::create_dir(session.path("no photos")).unwrap();
    fs::write(session.path("no photos/notes.txt"), "none").unwrap();
    session.snapshot(
        "recipes_bad_input",
        &[
            &["interaction-grid", "fire8:188"],
            &["interaction-grid", "fire8:188", "fire8"],
            &["interaction-grid", "fire8:188", "fire8:9999"],
            &["interaction-grid", "fire8:188", "fire88:3"],
            &["interaction-grid", "-s", "4"],
            &["interaction-grid", "-n", "0"],
            &["interpolate", "fire8:188"],
            &["interpolate", "--frames", "1"],
            &["interpolate", "--align", "fire88"],
            &["interpolate", "-o", "frames.doc"],
            &["interpolate", "--resume"],
            &["interpolate", "--batch", "x"],
            &["activation-grid", "missing.png"],
            &["activation-grid", "empty.png"],
            &["activation-grid", "broken.jpg"],
            &["activation-grid", "cat.png", "--layer", "logits"],
            &["activation-grid", "cat.png", "--groups", "9999"],
            &["activation-grid", "cat.png", "--at-once", "0"],
            &["transparent", "fire8:188", "--opaque", "2"],
            &["transparent", "-s", "100000"],
            &["interpolate", "--frames", "1000000000"],
            &["spritemap", "fire5", "-s", "20000"],
            &["study", "-s", "40"],
            &["transparent", "--backgrounds", "--aligned"],
            &["caricature", "cat.png", "fire88"],
            &["spritemap", "fire5", "--channels", "7-3"],
            &["spritemap", "fire5", "--channels", "999"],
            &["dictionary", "cat.png", "--top", "0"],
            &["attribute", "cat.png", "Egyptain cat"],
            &["attribute", "cat.png", "--layer", "fire8/expand1x1"],
            &["attribute", "cat.png", "--points", "0"],
            &["attribute", "cat.png", "--to", "fire2"],
            &["neuron-groups", "cat.png", "--groups", "0"],
            &["atlas", "no photos"],
            &["atlas", "missing"],
            &["atlas", "no photos/notes.txt"],
            &["deepdream", "cat.png", "fire6:"],
            &["deepdream", "cat.png", "--scale", "1"],
            &["style", "cat.png"],
            &["style", "cat.png", "cat.png", "--style-layers", "fire88"],
        ],
    );
    let left: Vec<String> = session.files();
    assert_eq!(left, ["broken.jpg", "cat.png", "empty.png", "no photos"], "nothing is left behind");
}
