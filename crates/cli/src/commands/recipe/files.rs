//! Where what a recipe makes goes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use entoptic::{
    picture::{self, Made},
    write_text,
};

use super::outcome::{Content, Outcome};
use crate::failure::Failure;

/// Files that a recipe will write.
pub struct Files {
    /// The folder, or the one file.
    out: PathBuf,
    /// Which of the files it makes are wanted, and where.
    wanted: Vec<(&'static str, PathBuf)>,
}

/// The longest name made of what a recipe is of; file systems take 255 bytes.
const LONGEST_NAME: usize = 80;

impl Files {
    /// All that it makes, in a folder, or the one of them that a file's name asks for.
    pub fn plan(out: Option<&Path>, name: &str, of: &str, makes: &[&'static str]) -> Result<Self, Failure> {
        let folder = |out: PathBuf| {
            let wanted = makes.iter().map(|make| (*make, out.join(make))).collect();
            Self { out, wanted }
        };
        let files = match out {
            None => folder(PathBuf::from(folder_name(name, of))),
            Some(out) if out.is_dir() || is_folder_name(out) => folder(out.to_owned()),
            Some(out) => {
                let make = makes.iter().find(|make| kind(Path::new(make)) == kind(out) && kind(out).is_some());
                let make = make.ok_or_else(|| {
                    let kinds: Vec<Kind> = makes.iter().filter_map(|make| kind(Path::new(make))).collect();
                    let accepted = Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)).map(Kind::extensions);
                    let accepted: Vec<&str> = accepted.collect();
                    let reason = format!("it is a folder, or a name that ends in {}", accepted.join(", "));
                    Failure::message(format!("cannot write {}: {reason}", out.display()))
                })?;
                Self { out: out.to_owned(), wanted: vec![(make, out.to_owned())] }
            }
        };
        files.check()?;
        Ok(files)
    }

    /// Where unfinished work is kept.
    pub fn unfinished(&self) -> PathBuf {
        let mut name = self.out.file_name().unwrap_or_default().to_owned();
        name.push(".unfinished");
        self.out.with_file_name(name)
    }

    /// Whether the files can be written, without leaving anything.
    fn check(&self) -> Result<(), Failure> {
        let (_, first) = &self.wanted[0];
        let mut folder = first.parent().unwrap_or(Path::new(""));
        while !folder.as_os_str().is_empty() && !folder.exists() {
            folder = folder.parent().unwrap_or(Path::new(""));
        }
        let name = Path::new(first.file_name().unwrap_or_default()).with_extension("png");
        picture::check_writable(&folder.join(name))?;
        for (_, path) in &self.wanted {
            if path.is_dir() {
                return Err(Failure::message(format!("cannot write {}: it is a folder", path.display())));
            }
            if kind(path) == Some(Kind::Animation) && path.parent().is_none_or(|folder| folder.exists()) {
                picture::check_animatable(path, 1.0)?;
            }
        }
        Ok(())
    }

    /// Writes what is wanted of an outcome, and says where it is.
    pub fn write(&self, outcome: &Outcome, made: &Made) -> Result<Vec<PathBuf>, Failure> {
        let mut written = Vec::new();
        for (make, path) in &self.wanted {
            let Some((_, content)) = outcome.contents.iter().find(|(name, _)| name == make) else { continue };
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                let unwritable = |error| Failure::message(format!("cannot write {}: {error}", folder.display()));
                fs::create_dir_all(folder).map_err(unwritable)?;
            }
            match content {
                Content::Picture(images) => picture::save_made(path, images, made)?,
                Content::Animation(frames, frames_per_second) => picture::animate(path, frames, *frames_per_second)?,
                Content::Page(page) => write_text(path, &page(Some(made.command.clone())))?,
                Content::Numbers(numbers) => {
                    let text = serde_json::to_string_pretty(numbers).expect("numbers are plain data");
                    write_text(path, &text)?;
                }
            }
            written.push(path.clone());
        }
        Ok(written)
    }
}

/// What a file's name says that it holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Picture,
    Animation,
    Page,
    Numbers,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Picture, Self::Animation, Self::Page, Self::Numbers];

    fn extensions(self) -> &'static str {
        match self {
            Self::Picture => ".png, .jpg, .webp",
            Self::Animation => ".gif, .apng, .mp4",
            Self::Page => ".html",
            Self::Numbers => ".json",
        }
    }
}

fn kind(path: &Path) -> Option<Kind> {
    let extension = path.extension()?.to_ascii_lowercase();
    match extension.to_str()? {
        "png" | "jpg" | "jpeg" | "webp" => Some(Kind::Picture),
        "gif" | "apng" | "mp4" => Some(Kind::Animation),
        "html" | "htm" => Some(Kind::Page),
        "json" => Some(Kind::Numbers),
        _ => None,
    }
}

fn is_folder_name(out: &Path) -> bool {
    out.extension().is_none() || out.to_string_lossy().ends_with(std::path::is_separator)
}

/// `interpolate` of `fire8:188 fire8:3` as the name of a folder: `interpolate-fire8-188-fire8-3`.
fn folder_name(name: &str, of: &str) -> String {
    let words = of.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let all = [name].into_iter().chain(words).collect::<Vec<_>>().join("-");
    all.chars().take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_of_the_files_is_wanted() {
        let makes = ["frames.png", "loop.gif", "page.html"];
        let wanted = |out: Option<&str>| {
            let files = Files::plan(out.map(Path::new), "interpolate", "fire8:188 a/b:3", &makes);
            files.ok().map(|files| files.wanted.into_iter().map(|(_, path)| path).collect::<Vec<_>>())
        };
        let folder = |name: &str| Some(makes.iter().map(|make| Path::new(name).join(make)).collect());
        assert_eq!(wanted(None), folder("interpolate-fire8-188-a-b-3"));
        assert_eq!(wanted(Some("here")), folder("here"));
        assert_eq!(wanted(Some("x.webp")), Some(vec!["x.webp".into()]));
        assert_eq!(wanted(Some("x.apng")), Some(vec!["x.apng".into()]));
        assert_eq!(wanted(Some("x.html")), Some(vec!["x.html".into()]));
        assert_eq!(wanted(Some("x.doc")), None);
        assert_eq!(wanted(Some("x.json")), None);
    }
}
