//! The description of a run inside its picture: an `iTXt` chunk of a PNG.

use std::{
    fs,
    io::{BufReader, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{Error, Run, whole_file::reason};

/// The keyword under which a picture's text says how it was made.
const KEYWORD: &str = "entoptic";

/// How a picture was made that is more than one run's, such as a recipe's.
///
/// ```
/// use entoptic::picture::Made;
///
/// let made = Made::new("entoptic interpolate fire8:188 fire8:3", &serde_json::json!({"frames": 6}));
/// assert_eq!(made.options["frames"], 6);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// The version of entoptic that made it.
    pub version: String,
    /// The command that makes it again.
    pub command: String,
    /// All options, also those that the command leaves at their defaults.
    pub options: serde_json::Value,
}

impl Made {
    /// Made by this version.
    pub fn new(command: impl Into<String>, options: &impl Serialize) -> Self {
        let options = serde_json::to_value(options).expect("options are plain data");
        Self { version: env!("CARGO_PKG_VERSION").into(), command: command.into(), options }
    }
}

/// Says in a PNG that is being written how its picture was made.
pub fn describe<W: Write>(encoder: &mut png::Encoder<W>, how: &impl Serialize) -> Result<(), png::EncodingError> {
    let text = serde_json::to_string(how).expect("a description is plain data");
    encoder.add_itxt_chunk(KEYWORD.into(), text)
}

/// The description of the run that made a picture.
///
/// # Errors
/// [`Error::Unreadable`] for a file that is no PNG or whose description cannot be understood,
/// [`Error::NoDescription`] for a PNG without one, [`Error::MadeByCommand`] for one that a recipe made.
pub fn description(path: &Path) -> Result<Run, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    let file = fs::File::open(path).map_err(|error| unreadable(reason(&error, "file")))?;
    let mut reader =
        png::Decoder::new(BufReader::new(file)).read_info().map_err(|error| unreadable(format!("no PNG ({error})")))?;
    let found = |reader: &png::Reader<_>| {
        let text = reader.info().utf8_text.iter().find(|text| text.keyword == KEYWORD)?;
        text.get_text().ok()
    };
    let text = found(&reader).or_else(|| {
        // Text may also stand behind the image.
        reader.finish().ok()?;
        found(&reader)
    });
    let text = text.ok_or_else(|| Error::NoDescription { path: path.to_owned() })?;
    serde_json::from_str(&text).map_err(|error| match serde_json::from_str::<Made>(&text) {
        Ok(Made { command, .. }) => Error::MadeByCommand { path: path.to_owned(), command },
        Err(_) => unreadable(format!("its description is not understood ({error})")),
    })
}
