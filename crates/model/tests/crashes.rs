//! What fuzzing found (`fuzz/`): files that were once too much, and now are read or refused like others.

use std::{fs, path::Path, time::Instant};

use entoptic_model::{
    graph::Graph,
    load::{Options, WeightsFile, graphdef, onnx},
    manifest::Manifest,
    zoo,
};

/// Asks what a program would of a graph that could be read.
fn ask(graph: &Graph) {
    for size in [[1, 1], [64, 80], graph.size()] {
        let _ = graph.shapes(size);
        let _ = graph.shape_at(graph.nodes().len() - 1, size);
    }
}

fn read(kind: &str, bytes: Vec<u8>) -> Result<(), String> {
    let options = Options::default();
    let graph = match kind {
        "onnx" => onnx::from_bytes("crash.onnx", &bytes, &options).map(|imported| imported.graph),
        "graphdef" => graphdef::from_bytes("crash.pb", &bytes, &options).map(|imported| imported.graph),
        "manifest" => {
            let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
            return Manifest::parse(&text)
                .map(|manifest| assert_eq!(Manifest::parse(&manifest.to_string()), Ok(manifest)));
        }
        _ => {
            let file = WeightsFile::from_bytes(&format!("crash.{kind}"), bytes).map_err(|error| error.to_string())?;
            for name in file.names() {
                let _ = file.take(name, file.shape(name).expect("it is listed"));
            }
            zoo::build(&file, None).map(|model| model.graph)
        }
    };
    graph.map(|graph| ask(&graph)).map_err(|error| error.to_string())
}

#[test]
fn what_fuzzing_found_is_read_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crashes");
    let mut count = 0;
    for kind in ["onnx", "graphdef", "pytorch", "safetensors", "manifest"] {
        let Ok(files) = fs::read_dir(folder.join(kind)) else { continue };
        for file in files {
            let path = file.unwrap().path();
            let start = Instant::now();
            let result = read(kind, fs::read(&path).unwrap());
            println!("{}: {}", path.display(), result.err().unwrap_or_else(|| "read".into()));
            assert!(start.elapsed().as_secs() < 10, "{} takes long", path.display());
            count += 1;
        }
    }
    println!("{count} files");
}
