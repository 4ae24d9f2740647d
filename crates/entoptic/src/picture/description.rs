//! The description of a run inside its picture: an `iTXt` chunk of a PNG.

use std::{
    fs,
    io::{BufReader, Write},
    path::Path,
};

use crate::{Error, Run, whole_file::reason};

/// The keyword under which a picture's text says how it was made.
const KEYWORD: &str = "entoptic";

/// Says in a PNG that is being written how its picture was made.
pub fn describe<W: Write>(encoder: &mut png::Encoder<W>, run: &Run) -> Result<(), png::EncodingError> {
    let text = serde_json::to_string(run).expect("a run is plain data");
    encoder.add_itxt_chunk(KEYWORD.into(), text)
}

/// The description of the run that made a picture.
///
/// # Errors
/// [`Error::Unreadable`] for a file that is no PNG or whose description cannot be understood,
/// [`Error::NoDescription`] for a PNG without one.
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
    serde_json::from_str(&text).map_err(|error| unreadable(format!("its description is not understood ({error})")))
}
