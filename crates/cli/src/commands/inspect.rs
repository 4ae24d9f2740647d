use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use entoptic::{
    network::{
        graph::Graph,
        model::{
            inspect::{self, Count, Report},
            zoo,
        },
    },
    write_text,
};

use super::print_json;
use crate::{args::InspectArgs, failure::Failure};

/// How many names of layers stand on a line that says which.
const SHOWN: usize = 6;

pub fn run(args: &InspectArgs, folder: &Path) -> Result<ExitCode, Failure> {
    let (model, report) = match zoo::read(&args.model, folder)? {
        Some(opened) => {
            let report = Report::of_file(&opened);
            (opened.model, report)
        }
        None => {
            let model = zoo::squeezenet_v1_1();
            let report = Report::of(&model);
            (model, report)
        }
    };
    if let Some(file) = &args.svg {
        write_text(file, &inspect::draw(&model))?;
    }
    if args.json {
        print_json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = io::stdout().lock();
    describe(&mut out, &report)?;
    write_unsupported(&mut out, &model.graph)?;
    if args.layers {
        writeln!(out)?;
        layers(&mut out, &report)?;
    }
    if let Some(file) = &args.svg {
        writeln!(out, "\nThe graph is drawn in {}", file.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { name, file, input, output, parameters, parameter_bytes, kinds, layers, show, guesses, .. } = report;
    writeln!(out, "{name}")?;
    let mut row = |what: &str, value: String| writeln!(out, "    {what:<14} {value}");
    if let Some(file) = file {
        row("file", file.path.clone())?;
        row("kind", format!("{}, {}", file.kind, bytes(file.bytes)))?;
        for (what, value) in &file.about {
            row(what, value.clone())?;
        }
        if let Some(architecture) = &file.architecture {
            row("architecture", architecture.clone())?;
        }
        row("sha256", file.sha256.clone())?;
    }
    let [h, w] = input.size;
    let called = input.name.as_ref().map(|name| format!("`{name}`, ")).unwrap_or_default();
    let colors = match (input.range, input.channels) {
        (Some([low, high]), _) => format!("colors from {low} to {high}"),
        (None, _) => format!("colors minus {:?} by {:?}", input.mean, input.std),
    };
    let order = if input.bgr { ", blue first" } else { "" };
    row("input", format!("{called}{} x {h} x {w}, {colors}{order}", input.channels))?;
    let ends: Vec<String> = [("scores", &output.logits), ("probabilities", &output.probabilities)]
        .into_iter()
        .filter_map(|(what, layer)| Some(format!("{what} `{}`", layer.as_ref()?)))
        .collect();
    match output.classes {
        Some(classes) => row("classes", format!("{classes}, {} with a label: {}", output.labels, ends.join(", ")))?,
        None if output.names.is_empty() => {}
        None => row("outputs", output.names.join(", "))?,
    }
    row("parameters", format!("{parameters}, {} as f32", bytes(*parameter_bytes as u64)))?;
    let kinds: Vec<String> = kinds.iter().map(|Count { kind, count, .. }| format!("{count} {kind}")).collect();
    row("layers", format!("{}: {}", layers.len() - 1, kinds.join(", ")))?;
    if !show.is_empty() {
        row("to look at", some(show))?;
    }
    if let Some(manifest) = file.as_ref().and_then(|file| file.manifest.as_ref()) {
        row("manifest", manifest.clone())?;
    }
    for guess in guesses {
        let reason = guess.reason.as_deref().unwrap_or("as the manifest says");
        row("guessed", format!("{} ({reason})", guess.field))?;
    }
    Ok(())
}

/// What of a file there is not, and why.
pub fn write_unsupported(out: &mut impl Write, graph: &Graph) -> io::Result<()> {
    let unsupported = graph.unsupported();
    if unsupported.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nNot supported:")?;
    for operation in unsupported.operations() {
        writeln!(out, "  {operation}")?;
    }
    let missing: Vec<String> = unsupported.layers().into_iter().map(str::to_owned).collect();
    let last = graph.nodes().iter().rfind(|node| !node.name.ends_with("_pre_relu"));
    let last = last.map(|node| format!("; all up to `{}` work", node.name)).unwrap_or_default();
    writeln!(out, "so that there is no {}{last}", some(&missing))
}

fn layers(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let shape = |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
    let rows: Vec<[String; 4]> = report
        .layers
        .iter()
        .map(|layer| {
            let parameters = if layer.parameters > 0 { layer.parameters.to_string() } else { String::new() };
            [layer.name.clone(), shape(&layer.shape), parameters, layer.kind.clone()]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (names, shapes, numbers) = (width(0), width(1), width(2));
    for [name, shape, parameters, kind] in &rows {
        writeln!(out, "{name:names$}  {shape:>shapes$}  {parameters:>numbers$}  {kind}")?;
    }
    Ok(())
}

/// The first of these and how many more there are.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `44.7 MB`.
fn bytes(n: u64) -> String {
    match n {
        0..10_000 => format!("{n} bytes"),
        10_000..1_000_000 => format!("{} kB", n / 1000),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n as f64 / 1e6),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}
