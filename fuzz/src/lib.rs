//! What all targets do with what they could read.

use entoptic_model::{
    graph::{Graph, Op},
    load::WeightsFile,
    zoo,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Beside twice the file; see `crates/model/tests/memory.rs`.
const ALLOWANCE: usize = 40_000_000;

/// Reads a file of `length` bytes, and asserts that it takes no more memory than it may.
pub fn reading<T>(length: usize, read: impl FnOnce() -> T) -> T {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let result = read();
    let peak = ALLOCATOR.peak_usage() - before;
    assert!(peak <= 2 * length + ALLOWANCE, "{peak} bytes of memory for {length} of the file");
    result
}

/// Asks a graph what a program would, before it computes anything.
pub fn ask(graph: &Graph) {
    let last = graph.nodes().len() - 1;
    assert_eq!(graph.shapes(graph.size()).expect("its own size fits").len(), last + 1);
    for size in [[1, 1], [64, 80], graph.size().map(|side| side.saturating_add(1))] {
        let _ = graph.shapes(size);
        let _ = graph.shape_at(last, size);
        let _ = graph.fitting(last, size);
    }
    for node in graph.nodes() {
        let id = graph.find(&node.name).expect("a node has its name");
        assert_eq!(graph.nodes()[id].name, node.name);
        assert!(matches!(node.op, Op::Input) == (id == 0));
        assert!(!node.op.kind().is_empty());
    }
    let _ = graph.find("no such layer").expect_err("there is none").to_string();
    for operation in graph.unsupported().operations() {
        assert!(!operation.to_string().is_empty());
    }
}

/// Takes all tensors of a file, then the network that they belong to.
pub fn take(file: &WeightsFile) {
    for name in file.names() {
        let shape = file.shape(name).expect("it is listed");
        if let Ok(weights) = file.take(name, shape) {
            assert_eq!(weights.shape(), shape);
        }
    }
    if let Ok(model) = zoo::build(file, None) {
        ask(&model.graph);
    }
}
