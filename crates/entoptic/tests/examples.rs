//! The examples run, at their smallest.

use std::{env, path::PathBuf, process::Command};

/// The examples that are Lucid's notebooks, and what they leave.
const NOTEBOOKS: [(&str, &str); 5] = [
    ("interaction_grid", "interaction_grid.png"),
    ("activation_grid", "activation_grid.png"),
    ("aligned_interpolation", "interpolation_aligned.gif"),
    ("semi_transparent", "transparent_together.png"),
    ("feature_visualization", "article_diversity.png"),
];

/// Where Cargo puts examples: beside the folder of the tests.
fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    test.parent()
        .and_then(|deps| deps.parent())
        .unwrap()
        .join("examples")
        .join(name)
        .with_extension(env::consts::EXE_EXTENSION)
}

#[test]
fn notebooks_run_and_leave_pictures() {
    for (name, leaves) in NOTEBOOKS {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(example(name)).arg("--tiny").current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(folder.path().join(leaves).metadata().unwrap().len() > 100, "{name}");
    }
}
