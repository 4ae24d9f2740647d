//! Pages: what a picture cannot show, in single HTML files that work from the disk, without a network.
//!
//! Each recipe that has something to point at makes one; everything it shows is inside it. [`write_text`](crate::write_text)
//! puts it in a file.

use std::fmt::Write as _;

use burn::tensor::Tensor;
use data_encoding::BASE64;
use serde::Serialize;

use crate::picture;

/// What stands above and below what a page shows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Heading {
    /// The title.
    pub title: String,
    /// A line below it.
    pub caption: String,
    /// The command that made the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A page of `template` that shows `data`.
pub(crate) fn page(template: &str, heading: &Heading, data: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Data<'a, T> {
        #[serde(flatten)]
        heading: &'a Heading,
        #[serde(flatten)]
        data: &'a T,
    }
    let data = serde_json::to_string(&Data { heading, data }).expect("what a page shows is plain data");
    // In a script, only `<` could end it.
    let data = data.replace('<', "\\u003c");
    let mut page = String::with_capacity(template.len() + data.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page += before;
        let Some((name, after)) = after.split_once("}}") else { unreachable!("a template closes what it opens") };
        match name {
            "title" => escape(&heading.title, &mut page),
            "style" => page += include_str!("page/page.css"),
            "script" => page += include_str!("page/page.js"),
            "data" => page += &data,
            other => unreachable!("a template has no place for `{other}`"),
        }
        rest = after;
    }
    page + rest
}

/// Text as HTML.
fn escape(text: &str, to: &mut String) {
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '"' | '\'' => write!(to, "&#{};", u32::from(letter)).expect("a string takes any text"),
            letter => to.push(letter),
        }
    }
}

/// Images of one size in one picture, row by row, as pages take them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sheet {
    url: String,
    columns: usize,
    side: usize,
    count: usize,
}

/// The columns of a sheet, and how many images one has where there are several: its sides stay shorter than what browsers
/// decode, about 16384 pixels.
const COLUMNS: usize = 32;
const SHEET: usize = 256;

impl Sheet {
    /// Square images `[n, 3, side, side]` in as many sheets as browsers can decode.
    pub fn several(images: &Tensor<4>) -> Vec<Self> {
        let [count, ..] = images.dims();
        let sheet = |first: usize| Self::new(&images.clone().narrow(0, first, SHEET.min(count - first)));
        (0..count).step_by(SHEET).map(sheet).collect()
    }

    /// Square images `[n, 3, side, side]` in one sheet.
    pub fn new(images: &Tensor<4>) -> Self {
        let [count, _, _, side] = images.dims();
        let columns = count.clamp(1, COLUMNS);
        let sheet = picture::grid(images, columns, 0).expect("there are images");
        Self { url: photo(&sheet), columns, side, count }
    }
}

/// A picture `[1, 3, h, w]` as a URL.
pub(crate) fn photo(image: &Tensor<4>) -> String {
    format!("data:image/jpeg;base64,{}", BASE64.encode(&picture::to_jpeg(image)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_heading_ends_what_it_stands_in() {
        let heading =
            Heading { title: "a < b & \"c\" {{data}}".into(), caption: "</script>".into(), ..Heading::default() };
        let page = page("<title>{{title}}</title>|{{data}}|", &heading, &serde_json::json!({"rows": 2}));
        let (title, data) = page.split_once('|').unwrap();
        assert_eq!(title, "<title>a &#60; b &#38; &#34;c&#34; {{data}}</title>");
        let data: serde_json::Value = serde_json::from_str(data.trim_end_matches('|')).unwrap();
        assert!(!page.contains("</script>"));
        assert_eq!((data["caption"].as_str(), data["rows"].as_u64()), (Some("</script>"), Some(2)));
    }
}
