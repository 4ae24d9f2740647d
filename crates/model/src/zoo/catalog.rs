//! The models known by name: where their files come from, and what is known of them.

mod braces;
mod lucid;
mod single;
mod torchvision;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::{
    Error,
    error::nearest,
    load::{ENDINGS, Opened},
    manifest::{Labels, Manifest},
};

/// A model known by name.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it is asked for by.
    pub name: String,
    /// One line about it.
    pub about: String,
    /// Whose collection it belongs to.
    pub collection: Collection,
    /// Where its file comes from.
    pub origin: Origin,
    /// The SHA-256 of what is downloaded, or the first 8 or more digits of it, if anybody says; of an archive, the archive's.
    pub sha256: Option<String>,
    /// About how much is downloaded, in millions of bytes.
    pub megabytes: Option<f32>,
    /// What its weights may be used for, if anybody says.
    pub licence: Option<String>,
    /// What its file is called in a models folder.
    pub file: String,
    /// Where the names of its classes come from, if they are a file.
    pub labels: Option<LabelsFrom>,
    /// What is known of the model in its file.
    pub manifest: Manifest,
}

/// Where a model's file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is part of the program.
    Program,
    /// An address.
    Url(String),
    /// A file in a zip archive at an address.
    Zip {
        /// The archive.
        url: String,
        /// The file's path in it.
        member: String,
    },
    /// A file in a package of Python's index.
    Package {
        /// The package.
        name: String,
        /// Its version.
        version: String,
        /// The file's path in it, or the end of it.
        member: String,
    },
    /// Someone has to make it; how.
    ByHand(String),
}

/// Where the names of a model's classes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelsFrom {
    /// An address.
    Url(String),
    /// A file in the archive that the model is in.
    Member(String),
}

/// Whose collection a model belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// None in particular.
    Single,
    /// Lucid's model zoo.
    Lucid,
    /// Torchvision's classifiers.
    Torchvision,
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Single => "others",
            Self::Lucid => "Lucid's model zoo",
            Self::Torchvision => "torchvision",
        })
    }
}

/// All models known by name, the one that is part of the program first.
///
/// ```
/// use entoptic_model::zoo;
///
/// let lucids = zoo::catalog().iter().filter(|entry| entry.collection == zoo::Collection::Lucid);
/// assert_eq!(lucids.count(), 31);
/// ```
pub fn catalog() -> &'static [Entry] {
    static CATALOG: LazyLock<Vec<Entry>> =
        LazyLock::new(|| single::entries().into_iter().chain(lucid::entries()).chain(torchvision::entries()).collect());
    &CATALOG
}

/// The model of this name, in any case.
///
/// ```
/// use entoptic_model::zoo;
///
/// assert_eq!(zoo::find("inceptionv1")?.name, "InceptionV1");
/// let error = zoo::find("inceptionv11").unwrap_err();
/// assert!(error.to_string().starts_with("no model or file `inceptionv11`; the nearest are `InceptionV1`"));
/// # Ok::<(), entoptic_model::Error>(())
/// ```
///
/// # Errors
/// [`Error::NoSuchModel`] with the nearest names.
pub fn find(name: &str) -> Result<&'static Entry, Error> {
    catalog().iter().find(|entry| entry.name.eq_ignore_ascii_case(name)).ok_or_else(|| Error::NoSuchModel {
        name: name.to_owned(),
        nearest: nearest(name, catalog().iter().map(|entry| entry.name.as_str())),
    })
}

impl Entry {
    /// A model of which nothing is known but its name and where `<name>.<extension>` comes from.
    pub fn new(name: &str, extension: &str, origin: Origin) -> Self {
        Self {
            name: name.to_owned(),
            about: String::new(),
            collection: Collection::Single,
            origin,
            sha256: None,
            megabytes: None,
            licence: None,
            file: format!("{name}.{extension}"),
            labels: None,
            manifest: Manifest::default(),
        }
    }

    /// Where its file belongs.
    pub fn path(&self, folder: &Path) -> PathBuf {
        folder.join(&self.file)
    }

    /// Where the names of its classes belong, if they are a file.
    pub fn labels_path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}_labels.txt", self.name))
    }

    /// Where its file is: where it belongs, or under its name in another format.
    pub fn locate(&self, folder: &Path) -> Option<PathBuf> {
        let path = self.path(folder);
        if path.is_file() { Some(path) } else { located(&self.name, folder) }
    }

    /// What is known of the model in `file`: what the manifest beside it says, and for the rest what this entry does.
    ///
    /// # Errors
    /// As [`Manifest::find`].
    pub fn manifest(&self, file: &Path) -> Result<Manifest, Error> {
        let mut manifest = Manifest::find(file)?.unwrap_or_default();
        let known = &self.manifest;
        manifest.name.get_or_insert_with(|| self.name.clone());
        manifest.input.size = manifest.input.size.or(known.input.size);
        if manifest.preprocessing().is_none() {
            (manifest.input.range, manifest.input.mean, manifest.input.std) =
                (known.input.range, known.input.mean, known.input.std);
        }
        manifest.input.channels = manifest.input.channels.or(known.input.channels);
        if manifest.output.labels.is_none() {
            manifest.output.labels = self.labels(file);
        }
        // Another format of the model has other names for its layers.
        let is_the_file = file.file_name().is_some_and(|name| name == self.file.as_str());
        if is_the_file && manifest.output.probabilities.is_none() && manifest.output.logits.is_none() {
            manifest.output.probabilities = known.output.probabilities.clone();
        }
        Ok(manifest)
    }

    fn labels(&self, file: &Path) -> Option<Labels> {
        let beside = || {
            let path = self.labels_path(file.parent()?);
            path.is_file().then(|| Labels::File(path.file_name().unwrap_or_default().to_string_lossy().into_owned()))
        };
        self.manifest.output.labels.clone().or_else(beside)
    }

    /// The model in `file`.
    ///
    /// # Errors
    /// As [`Opened::read`].
    pub fn read(&self, file: &Path) -> Result<Opened, Error> {
        let own = Manifest::find(file)?;
        let mut manifest = self.manifest(file)?;
        let opened = match Opened::described(file, &manifest) {
            // Another file of the same name: where its classes are, it has to say itself.
            Err(Error::BadManifest { .. } | Error::UnsupportedLayer { .. }) if own.is_none() => {
                manifest.output.probabilities = None;
                Opened::described(file, &manifest)
            }
            opened => opened,
        };
        let mut opened = Opened { was_described: own.is_some(), ..opened? };
        if own.is_none_or(|own| own.layers.show.is_empty()) {
            let graph = &opened.model.graph;
            let has = |layer: &&String| graph.find(layer).is_ok();
            let show: Vec<String> = self.manifest.layers.show.iter().filter(has).cloned().collect();
            if !show.is_empty() {
                opened.manifest.guessed.retain(|guess| guess.field != "layers.show");
                opened.model.description.guesses.clone_from(&opened.manifest.guessed);
                opened.manifest.layers.show.clone_from(&show);
                opened.model.description.show = show;
            }
        }
        Ok(opened)
    }
}

/// The file that holds the model `name` in a folder, in whichever format.
pub(super) fn located(name: &str, folder: &Path) -> Option<PathBuf> {
    let mut endings = ENDINGS.iter().copied().flatten();
    endings.find_map(|ending| Some(folder.join(format!("{name}{ending}"))).filter(|path| path.is_file()))
}

/// The models in a folder that the catalog does not know, and their files, by name.
pub fn unknown_in(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = folder.read_dir() else { return vec![] };
    let known: Vec<PathBuf> = catalog().iter().filter_map(|entry| entry.locate(folder)).collect();
    let mut unknown: Vec<(String, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let stem = ENDINGS.iter().copied().flatten().find_map(|ending| name.strip_suffix(ending))?;
            Some((stem.to_owned(), entry.path()))
        })
        .filter(|(_, path)| path.is_file() && !known.contains(path))
        .collect();
    unknown.sort();
    unknown
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_differ_in_more_than_case() {
        let mut names = HashSet::new();
        for entry in catalog() {
            assert!(names.insert(entry.name.to_lowercase()), "{}", entry.name);
        }
        assert_eq!(names.len(), 130);
    }

    #[test]
    fn what_is_said_of_each_can_be() {
        for entry in catalog() {
            let Entry { name, about, file, manifest, sha256, .. } = entry;
            let text = manifest.to_string();
            assert_eq!(Manifest::parse(&text).as_ref(), Ok(manifest), "{name}");
            assert!(!about.is_empty() && about.len() < 80, "{name}: {about}");
            assert!(file.starts_with(name.as_str()), "{name}");
            let digits = |sha256: &String| sha256.len() >= 8 && sha256.bytes().all(|digit| digit.is_ascii_hexdigit());
            assert!(sha256.as_ref().is_none_or(digits), "{name}");
            match &entry.origin {
                Origin::Url(url) | Origin::Zip { url, .. } => assert!(url.starts_with("https://"), "{url}"),
                Origin::Program | Origin::Package { .. } | Origin::ByHand(_) => {}
            }
            assert_eq!(manifest.preprocessing().is_some(), manifest.input.channels.is_some(), "{name}");
        }
    }

    /// How many Lucid lists of each, without the probabilities.
    #[test]
    fn layers_are_lucids() {
        let counts = [
            ("AlexNet_caffe_Places365", 4),
            ("InceptionV1_caffe", 12),
            ("VGG16_caffe", 15),
            ("VGG19_caffe", 18),
            ("AlexNet", 10),
            ("InceptionV1", 18),
            ("InceptionV1_slim", 12),
            ("InceptionV4_slim", 22),
            ("InceptionResnetV2_slim", 88),
            ("MobilenetV1_slim", 14),
            ("MobilenetV2_14_slim", 10),
            ("ResnetV1_50_slim", 17),
            ("ResnetV1_152_slim", 51),
            ("ResnetV2_101_slim", 38),
            ("NasnetMobile_slim", 17),
            ("NasnetLarge_slim", 23),
            ("PnasnetLarge_slim", 15),
        ];
        for (name, count) in counts {
            assert_eq!(find(name).unwrap().manifest.layers.show.len(), count, "{name}");
        }
        let show = &find("ResnetV2_50_slim").unwrap().manifest.layers.show;
        assert_eq!(show[1], "resnet_v2_50/block1/unit_1/bottleneck_v2/add");
        assert_eq!(show.last().unwrap(), "resnet_v2_50/postnorm/Relu");
        assert_eq!(find("VGG16_caffe").unwrap().manifest.layers.show[4], "conv3_1/conv3_1");
    }
}
