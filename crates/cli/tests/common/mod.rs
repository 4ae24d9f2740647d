//! The program as its users meet it, run in a folder of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

/// A folder to run the program in, with nothing of the user's own around it.
pub struct Session {
    pub folder: TempDir,
}

impl Session {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_entoptic"));
        command.args(arguments).current_dir(self.folder.path()).env("ENTOPTIC_MODELS", self.path("models"));
        command.env_remove("CLICOLOR_FORCE").env("COLUMNS", "100");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The JSON that a command prints; it prints nothing else.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let printed = (output.status.code(), text(&output.stderr));
        assert_eq!(printed, (Some(0), String::new()), "{arguments:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn files(&self) -> Vec<String> {
        let entries = self.folder.path().read_dir().unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Holds what a command prints against `tests/snapshots/<name>.txt`; `UPDATE_GOLDEN=1` accepts it.
    pub fn snapshot(&self, name: &str, commands: &[&[&str]]) {
        let mut found = String::new();
        for arguments in commands {
            let output = self.run(arguments);
            let shown: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
            found += &format!("$ entoptic {}\n", shown.join(" "));
            found += &text(&output.stdout);
            found += &text(&output.stderr);
            found += &format!("[exit code {}]\n\n", output.status.code().unwrap_or(-1));
        }
        let folder = self.folder.path().canonicalize().unwrap();
        let found = found.replace(&*self.folder.path().to_string_lossy(), "FOLDER");
        let found = found.replace(&*folder.to_string_lossy(), "FOLDER").replace(".exe", "");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.txt"));
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(path, found).unwrap();
            return;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        for (found, expected) in found.lines().zip(expected.lines()) {
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(found.lines().count(), expected.lines().count(), "{name}");
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:,=".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) { argument.to_owned() } else { format!("'{argument}'") }
}

pub fn photo(name: &str) -> String {
    format!("{}/../../fixtures/images/{name}.png", env!("CARGO_MANIFEST_DIR"))
}
