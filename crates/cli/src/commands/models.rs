use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use entoptic::network::zoo::{self, Collection, Entry, Origin};
use serde::Serialize;

use super::{catalog::wrapped, print_json};
use crate::{args::ModelsArgs, failure::Failure};

/// As many models of a collection are shown with a line each; of more, only names, unless a filter asks for them.
const MOST_LINES: usize = 12;

/// As few models as this are shown with all that is known of them.
const FEW: usize = 3;

#[derive(Serialize)]
struct Model {
    name: String,
    about: String,
    /// Whether it is part of the program or in the models folder.
    found: bool,
    /// Where its file is, or should be; nothing for a model that is part of the program.
    path: Option<String>,
    how_to_get: Option<String>,
    megabytes: Option<f32>,
    source: Option<String>,
    licence: Option<String>,
    #[serde(skip)]
    collection: Collection,
    #[serde(skip)]
    by_hand: bool,
}

impl Model {
    fn of(entry: &Entry, folder: &Path) -> Self {
        let there = entry.locate(folder);
        let size = there.as_ref().and_then(|path| Some(path.metadata().ok()?.len() as f32 / 1e6));
        let (source, how_to_get) = match &entry.origin {
            Origin::Program => (None, None),
            Origin::ByHand(how) => (None, Some(how.clone())),
            Origin::Url(url) | Origin::Zip { url, .. } => (Some(url.clone()), Some(pull(entry))),
            Origin::Package { name, version, .. } => (Some(format!("{name}=={version}, by pip")), Some(pull(entry))),
        };
        let in_program = entry.origin == Origin::Program;
        Self {
            name: entry.name.clone(),
            about: entry.about.clone(),
            found: in_program || there.is_some(),
            path: (!in_program).then(|| there.unwrap_or_else(|| entry.path(folder)).display().to_string()),
            how_to_get,
            megabytes: size.or(entry.megabytes),
            source,
            licence: entry.licence.clone(),
            collection: entry.collection,
            by_hand: matches!(entry.origin, Origin::ByHand(_)),
        }
    }

    fn unknown((name, path): (String, std::path::PathBuf)) -> Self {
        Self {
            name,
            about: format!("{}, not in the catalog", path.file_name().unwrap_or_default().to_string_lossy()),
            found: true,
            megabytes: path.metadata().ok().map(|metadata| metadata.len() as f32 / 1e6),
            path: Some(path.display().to_string()),
            how_to_get: None,
            source: None,
            licence: None,
            collection: Collection::Single,
            by_hand: false,
        }
    }

    /// Whether a word is in its name, in what is said of it, or in its collection's name.
    fn has(&self, word: &str) -> bool {
        let texts = [&self.name, &self.about, &self.collection.to_string()];
        texts.iter().any(|text| text.to_lowercase().contains(&word.to_lowercase()))
    }

    fn size(&self) -> String {
        self.megabytes.map_or(String::new(), |megabytes| match megabytes {
            ..100.0 => format!("{megabytes:.1} MB"),
            _ => format!("{megabytes:.0} MB"),
        })
    }
}

fn pull(entry: &Entry) -> String {
    format!("entoptic pull {}", entry.name)
}

pub fn run(args: &ModelsArgs, folder: &Path) -> Result<ExitCode, Failure> {
    let known = zoo::catalog().iter().map(|entry| Model::of(entry, folder));
    let all = known.chain(zoo::unknown_in(folder).into_iter().map(Model::unknown));
    let models: Vec<Model> = all.filter(|model| args.filter.iter().all(|word| model.has(word))).collect();
    if args.json {
        print_json(&models)?;
        return Ok(ExitCode::SUCCESS);
    }
    if models.is_empty() {
        let reason = format!("no model has `{}` in its name or in what is said of it", args.filter.join("` and `"));
        return Err(Failure::Message(reason, Some("`entoptic models` lists them all".into())));
    }
    let mut out = io::stdout().lock();
    let mut groups = Groups { out: &mut out, all: !args.filter.is_empty(), details: models.len() <= FEW, begun: false };
    let of = |belongs: &dyn Fn(&Model) -> bool| models.iter().filter(|model| belongs(model)).collect::<Vec<_>>();
    groups.write("Part of the program", &of(&|model| model.path.is_none()))?;
    let here = format!("Found in {}", folder.display());
    groups.write(&here, &of(&|model| model.path.is_some() && model.found))?;
    for collection in [Collection::Single, Collection::Lucid, Collection::Torchvision] {
        let title = match collection {
            Collection::Single => "Downloaded by `entoptic pull NAME`".to_owned(),
            _ => format!("Of {collection}, downloaded by `entoptic pull NAME`"),
        };
        groups.write(&title, &of(&|model| !model.found && !model.by_hand && model.collection == collection))?;
    }
    groups.write("Made by hand", &of(&|model| !model.found && model.by_hand))?;
    if args.filter.is_empty() {
        writeln!(out, "\n`entoptic models resnet` says more of those with resnet in their name.")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Models on their way to the terminal.
struct Groups<'a, W> {
    out: &'a mut W,
    /// Whether each has a line, however many they are.
    all: bool,
    /// Whether all that is known is said.
    details: bool,
    begun: bool,
}

impl<W: Write> Groups<'_, W> {
    fn write(&mut self, title: &str, models: &[&Model]) -> io::Result<()> {
        if models.is_empty() {
            return Ok(());
        }
        let gap = if std::mem::replace(&mut self.begun, true) { "\n" } else { "" };
        if !self.all && models.len() > MOST_LINES {
            let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
            return writeln!(self.out, "{gap}{title}:\n{}", wrapped(&names.join(" "), "  ", "  "));
        }
        writeln!(self.out, "{gap}{title}:")?;
        let width = models.iter().map(|model| model.name.len()).max().unwrap_or(0);
        for model in models {
            writeln!(self.out, "  {:width$}  {:>8}  {}", model.name, model.size(), model.about)?;
            if self.details {
                self.write_details(model)?;
            }
        }
        Ok(())
    }

    fn write_details(&mut self, model: &Model) -> io::Result<()> {
        let where_it_is = if model.found { "file" } else { "belongs at" };
        let how = model.how_to_get.as_ref().filter(|_| !model.found);
        for (what, text) in [
            (where_it_is, &model.path),
            ("from", &model.source),
            ("licence", &model.licence),
            ("to get it", &how.cloned()),
        ] {
            if let Some(text) = text {
                writeln!(self.out, "    {what}: {text}")?;
            }
        }
        Ok(())
    }
}
