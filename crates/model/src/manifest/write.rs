//! A manifest as text, with what people should know as comments.

use std::fmt;

use serde::Serialize;

use super::{Labels, Manifest};

/// What a guess of how images are prepared says, too.
const REMEDY: &str = "; change it if pictures stay grey";

/// The longest line of a list, in characters.
const WIDTH: usize = 100;

impl fmt::Display for Manifest {
    /// In TOML, with a comment behind each guess that says why it is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("# How entoptic reads the file beside this one. What is left out is guessed.\n\n")?;
        self.line(f, "", "name", self.name.as_ref().map(text))?;
        if !self.guessed.is_empty() {
            f.write_str("# Nobody has said these yet: take a field off this list when it is right.\n")?;
            let fields: Vec<&str> = self.guessed.iter().map(|guess| guess.field.as_str()).collect();
            self.line(f, "", "guessed", Some(list(&fields)))?;
        }
        let Self { file, input, output, layers, .. } = self;
        self.table(
            f,
            "file",
            [
                ("sha256", file.sha256.as_ref().map(text)),
                ("kind", file.kind.as_ref().map(text)),
                ("architecture", file.architecture.as_ref().map(text)),
            ],
        )?;
        self.table(
            f,
            "input",
            [
                ("name", input.name.as_ref().map(text)),
                ("size", input.size.map(|size| format!("{size:?}"))),
                ("range", input.range.map(|range| format!("{range:?}"))),
                ("mean", input.mean.map(|mean| format!("{mean:?}"))),
                ("std", input.std.map(|std| format!("{std:?}"))),
                ("channels", input.channels.as_ref().map(text)),
            ],
        )?;
        let labels = output.labels.as_ref().map(|labels| match labels {
            Labels::List(labels) => list(labels),
            labels => text(labels),
        });
        self.table(
            f,
            "output",
            [
                ("probabilities", output.probabilities.as_ref().map(text)),
                ("logits", output.logits.as_ref().map(text)),
                ("labels", labels),
            ],
        )?;
        self.table(f, "layers", [("show", (!layers.show.is_empty()).then(|| list(&layers.show)))])
    }
}

impl Manifest {
    fn table<const N: usize>(
        &self,
        f: &mut fmt::Formatter<'_>,
        table: &str,
        fields: [(&str, Option<String>); N],
    ) -> fmt::Result {
        if fields.iter().all(|(_, value)| value.is_none()) {
            return Ok(());
        }
        write!(f, "\n[{table}]\n")?;
        fields.into_iter().try_for_each(|(field, value)| self.line(f, table, field, value))
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, table: &str, field: &str, value: Option<String>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        let path = if table.is_empty() { field.to_owned() } else { format!("{table}.{field}") };
        let place = self.guessed.iter().position(|guess| guess.field == path);
        let comment = place.map(|place| {
            let remedy = if table == "input" { REMEDY } else { "" };
            let before = place.checked_sub(1).map(|before| &self.guessed[before].reason);
            match &self.guessed[place].reason {
                reason if reason.is_empty() => format!("# guessed{remedy}"),
                reason if Some(reason) == before => "# guessed, as the line above".into(),
                reason => format!("# guessed: {}{remedy}", reason.replace(|c: char| c.is_control(), " ")),
            }
        });
        // Behind a short value, above a long one.
        match comment {
            Some(comment) if value.contains('\n') => writeln!(f, "{comment}\n{field} = {value}"),
            Some(comment) => writeln!(f, "{field} = {value}  {comment}"),
            None => writeln!(f, "{field} = {value}"),
        }
    }
}

/// A value that is a text, as TOML writes it on one line.
fn text(value: impl Serialize) -> String {
    match toml::Value::try_from(value) {
        Ok(toml::Value::String(text)) => one_line(&text),
        other => unreachable!("{other:?} is a text"),
    }
}

/// Texts in brackets, on more than one line if they are many.
fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|item| one_line(item.as_ref())).collect();
    let one = format!("[{}]", texts.join(", "));
    if one.chars().count() <= WIDTH {
        return one;
    }
    let mut lines = String::from("[");
    let mut room = 0;
    for text in texts {
        let length = text.chars().count() + 2;
        if length > room {
            lines += "\n   ";
            room = WIDTH - 3;
        }
        lines += &format!(" {text},");
        room = room.saturating_sub(length);
    }
    lines + "\n]"
}

/// A text in quotes; escaped if it has more than one line.
fn one_line(item: &str) -> String {
    match item.contains(|c: char| c.is_control()) {
        // JSON's escapes are TOML's, too.
        true => serde_json::to_string(item).expect("a text is JSON").replace('\u{7f}', "\\u007f"),
        false => toml::Value::from(item).to_string(),
    }
}
