//! What objectives, params, transforms, optimizers and schedules there are.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use entoptic::{Entry, objective, optimizer, param, transform};
use serde::Serialize;

use super::print_json;
use crate::{
    args::{CatalogArgs, OptimizersArgs},
    failure::Failure,
};

const OBJECTIVES: &str = "\
They combine with `+`, `-`, `*`, `/ number` and `abs(...)`; `fire5:20` is short for `channel(fire5, 20)`.
Each takes `batch=` (one image, counted from 0), `model=` (another network) and `mask=` (a part of the image), too.
Lucid's own names, such as `L1`, are understood as well.";

const PARAMS: &str = "\
`--colors` says what the colors are: decorrelated, rgb or gray. `--alpha` adds opacity, which is optimized, too. \
`--init` starts at a photo; `fourier`, `pixel`, `pyramid` and `ball` can.";

const TRANSFORMS: &str = "They are written one after the other, as in `pad(12, 0.5) jitter(8) rotate(-10..10)`.
Lucid's own names, such as `random_scale`, are understood as well; their options are those above.";

const SCHEDULES: &str = "\
A rate that is not given is the optimizer's own, and steps that are not given are the whole run. Schedules follow each \
other: `linear(0..0.05) until 50 then cosine(0)` warms up for 50 steps, then falls to 0.";

pub fn objectives(args: &CatalogArgs) -> Result<ExitCode, Failure> {
    list(args, objective::CATALOG, OBJECTIVES)
}

pub fn params(args: &CatalogArgs) -> Result<ExitCode, Failure> {
    list(args, param::CATALOG, PARAMS)
}

pub fn transforms(args: &CatalogArgs) -> Result<ExitCode, Failure> {
    list(args, transform::CATALOG, TRANSFORMS)
}

pub fn optimizers(args: &OptimizersArgs) -> Result<ExitCode, Failure> {
    let known = Optimizers { optimizers: known(optimizer::CATALOG), schedules: known(optimizer::SCHEDULES) };
    if args.json {
        print_json(&known)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "For `--optimizer`:\n")?;
    print(&known.optimizers, &mut out)?;
    writeln!(out, "\nFor `--schedule`, the learning rate of each step:\n")?;
    print(&known.schedules, &mut out)?;
    writeln!(out, "\n{}", wrapped(SCHEDULES, "", ""))?;
    Ok(ExitCode::SUCCESS)
}

fn list<T>(args: &CatalogArgs, catalog: &[Entry<T>], notes: &str) -> Result<ExitCode, Failure> {
    let known = known(catalog);
    if args.json {
        print_json(&known)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = io::stdout().lock();
    print(&known, &mut out)?;
    writeln!(out)?;
    for note in notes.lines() {
        writeln!(out, "{}", wrapped(note, "", ""))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Optimizers {
    optimizers: Vec<Known>,
    schedules: Vec<Known>,
}

#[derive(Serialize)]
struct Known {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    example: &'static str,
}

fn known<T>(catalog: &[Entry<T>]) -> Vec<Known> {
    let known = |entry: &Entry<T>| {
        let Entry { name, usage, about, example, .. } = *entry;
        Known { name, usage, about, example }
    };
    catalog.iter().map(known).collect()
}

fn print(known: &[Known], out: &mut impl Write) -> io::Result<()> {
    for Known { usage, about, example, .. } in known {
        writeln!(out, "{}", wrapped(usage, "", "        "))?;
        writeln!(out, "{}", wrapped(about, "    ", "    "))?;
        writeln!(out, "{}", wrapped(example, "    e.g. ", "         "))?;
    }
    Ok(())
}

/// What every terminal has.
const COLUMNS: usize = 80;

/// `text` in lines, the first after `first`, the others after `rest`.
pub fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let (mut lines, mut start) = (String::new(), first);
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && start.len() + line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines += &format!("{start}{line}\n");
            (line, start) = (String::new(), rest);
        }
        let space = if line.is_empty() { "" } else { " " };
        line += &format!("{space}{word}");
    }
    lines + start + &line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        let words = |count: usize| vec!["four"; count].join(" ");
        assert_eq!(wrapped(&words(3), "- ", "  "), "- four four four");
        assert_eq!(wrapped(&words(16), "-", ""), format!("-{}", words(16)));
        assert_eq!(wrapped(&words(17), "--", "  "), format!("--{}\n  {}", words(15), words(2)));
        assert_eq!(wrapped(&"x".repeat(90), "- ", "  "), format!("- {}", "x".repeat(90)));
    }
}
