use std::{io::Write, path::Path, process::ExitCode};

use entoptic::network::graph::Node;
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
    let network = super::open(&args.model, folder)?;
    let nodes = network.graph().nodes();
    if args.json {
        print_json(&nodes.iter().map(Layer::of).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }

    // A ReLU and what it reads share a row.
    let has_relu = |node: &Node| {
        let relu = node.name.strip_suffix("_pre_relu");
        relu.is_some_and(|name| network.graph().find(name).is_ok())
    };
    let kind = |node: &Node| match node.inputs[..] {
        [before] if nodes[before].name == format!("{}_pre_relu", node.name) => {
            format!("{} + {}", nodes[before].op.kind(), node.op.kind())
        }
        _ => node.op.kind(),
    };
    let rows: Vec<[String; 3]> = nodes
        .iter()
        .filter(|node| !has_relu(node))
        .map(|node| {
            let shape: Vec<String> = node.shape.dims().iter().map(usize::to_string).collect();
            [node.name.clone(), shape.join(" x "), kind(node)]
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
