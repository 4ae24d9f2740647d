use std::{io::Write, path::Path, process::ExitCode};

use entoptic::network::{graph::Node, zoo};
use serde::Serialize;

use super::print_json;
use crate::{args::LayersArgs, failure::Failure};

#[derive(Serialize)]
struct Layer<'a> {
    name: &'a str,
    /// `[c, h, w]`, or `[c]` where there are no positions.
    shape: Vec<usize>,
    kind: String,
}

impl<'a> Layer<'a> {
    fn of(node: &'a Node) -> Self {
        Self { name: &node.name, shape: node.shape.dims(), kind: node.op.kind() }
    }
}

pub fn run(args: &LayersArgs, folder: &Path) -> Result<ExitCode, Failure> {
    let network = zoo::open(&args.model, folder)?;
    let nodes = network.graph().nodes();
    if args.json {
        print_json(&nodes.iter().map(Layer::of).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }

    // A ReLU and what it reads share a row.
    let before_relu = |name: &str| nodes.iter().find(|node| node.name.strip_suffix("_pre_relu") == Some(name));
    let has_relu =
        |node: &Node| node.name.strip_suffix("_pre_relu").is_some_and(|name| network.graph().find(name).is_ok());
    let rows: Vec<[String; 3]> = nodes
        .iter()
        .filter(|node| !has_relu(node))
        .map(|node| {
            let Layer { name, shape, kind } = Layer::of(node);
            let kind = match before_relu(name).filter(|before| node.inputs.contains(&position(nodes, before))) {
                Some(before) => format!("{} + {kind}", before.op.kind()),
                None => kind,
            };
            [name.to_owned(), shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x "), kind]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (names, shapes) = (width(0), width(1));
    let [h, w] = network.graph().size();
    let mut out = std::io::stdout().lock();
    for [name, shape, kind] in &rows {
        writeln!(out, "{name:names$}  {shape:>shapes$}  {kind}")?;
    }
    writeln!(out, "\nShapes are channels x height x width for an image of {h}x{w}; other sizes work too.")?;
    writeln!(out, "NAME_pre_relu is a layer before its relu; for a concat, what its parts are before theirs.")?;
    Ok(ExitCode::SUCCESS)
}

fn position(nodes: &[Node], node: &Node) -> usize {
    nodes.iter().position(|other| other.name == node.name).expect("the node is one of them")
}
