//! The graph pruned, fused and scheduled for the CPU's kernels: what a network is planned to.
//!
//! A plan is made for one size of images and what is wanted of them. `region.rs` says which part of each map is needed,
//! `lower.rs` makes steps of the graph's nodes, forward and backward, `memory.rs` gives their maps places, `step.rs` runs
//! them. `planner.rs` keeps plans and memory for the next time, and `operation.rs` is how Burn sees it all.

mod convolutions;
mod lower;
mod memory;
mod operation;
mod planner;
mod region;
mod step;

use entoptic_kernels::Cpu;

use self::{
    convolutions::{Convolutions, Packed},
    lower::{Lowered, lower},
    memory::{Memory, Saved, Scratch, Sizes, assign},
    region::{Region, needed},
    step::{Outside, Step},
};
pub(crate) use self::{operation::planned, planner::Planner};
use crate::{
    MaxPoolOverride, ReluOverride, Wanted,
    gradient_override::Resolved,
    graph::{Graph, NodeId, Op, Pruned, Shape},
};

/// The steps that compute what is wanted of images of one size, and the gradient of the images.
pub(crate) struct Plan {
    forward: Vec<Step>,
    backward: Vec<Step>,
    sizes: Sizes,
    /// How many floats an image is.
    image: usize,
    parts: Vec<Part>,
}

/// One of the wanted layers as a plan answers it: the part of it that was needed.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Its channels, if not all.
    pub channels: Option<Vec<usize>>,
    /// Its first row and column.
    pub origin: [usize; 2],
    /// The size `[h, w]` of the whole layer.
    pub size: [usize; 2],
    /// The shape of the part.
    pub shape: Shape,
}

impl Part {
    /// How many floats it is for one image.
    fn len(&self) -> usize {
        self.shape.dims().iter().product()
    }
}

/// What a graph is planned for.
struct Conditions<'a> {
    overrides: &'a Resolved,
    /// For each node of the graph, the one that overrides know it as.
    origins: &'a [NodeId],
    redirects: bool,
    gradient: bool,
}

impl Conditions<'_> {
    fn relu(&self, id: NodeId) -> Option<ReluOverride> {
        self.overrides.relu(self.origins[id])
    }

    fn pool(&self, id: NodeId) -> Option<MaxPoolOverride> {
        self.overrides.pool(self.origins[id])
    }
}

/// The largest window a pool's winners can be counted in, in one byte.
const LARGEST_POOL: usize = 256;

/// Whether kernels do all that a graph wants.
pub(crate) fn is_plannable(graph: &Graph) -> bool {
    graph.nodes().iter().all(|node| match &node.op {
        Op::MaxPool(window) => window.size.iter().product::<usize>() <= LARGEST_POOL,
        _ => true,
    })
}

impl Plan {
    /// A plan for images of `size` `[h, w]`; all shapes have been checked.
    fn new(
        pruned: &Pruned,
        wanted: &[(NodeId, Wanted)],
        size: [usize; 2],
        overrides: &Resolved,
        gradient: bool,
        convolutions: Packed<'_>,
    ) -> Self {
        let graph = &pruned.graph;
        let shapes = graph.shapes(size).expect("checked before the network was planned");
        let ids: Vec<NodeId> = wanted.iter().map(|&(origin, _)| pruned.place(origin)).collect();
        let positions: Vec<_> = ids
            .iter()
            .zip(wanted)
            .map(|(&id, (_, wanted))| (id, wanted.positions.on(shapes[id].positions())))
            .collect();
        let regions = needed(graph, &shapes, &positions);
        let conditions = Conditions { overrides, origins: &pruned.origins, redirects: overrides.redirects, gradient };
        let Lowered { mut forward, mut backward, buffers, mut sizes } =
            lower(graph, &shapes, &regions, &ids, &conditions, convolutions);
        assign(&buffers, [&mut forward, &mut backward], &mut sizes);
        let part = |&id: &NodeId| {
            let Region { rows, columns } = &regions[id];
            let c = shapes[id].channels();
            Part {
                channels: pruned.channels[id].clone(),
                origin: [rows.start, columns.start],
                size: shapes[id].positions(),
                shape: match shapes[id] {
                    Shape::Map { .. } => Shape::Map { c, h: rows.len(), w: columns.len() },
                    vector => vector,
                },
            }
        };
        let parts = ids.iter().map(part).collect();
        Self { forward, backward, sizes, image: shapes[0].dims().iter().product(), parts }
    }

    fn run(
        &self,
        steps: &[Step],
        cpu: Cpu,
        n: usize,
        scratch: &mut Scratch,
        saved: &mut Saved,
        mut outside: Outside<'_>,
    ) {
        let mut memory = Memory::new(n, &self.sizes, scratch, saved);
        for step in steps {
            step.run(cpu, &mut memory, &mut outside);
        }
    }
}
