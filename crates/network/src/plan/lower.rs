//! From a graph to the steps of both directions.

use std::sync::Arc;

use entoptic_kernels::{Place, Rectifier, Window as Sliding, norm, pointwise, resample::Taps, words};

use super::{
    Conditions,
    convolutions::Packed,
    memory::{Buffer, Sizes, View},
    region::Region,
    step::{Kernel, Rectifying, Shares, Step},
};
use crate::{
    MaxPoolOverride, ReluOverride,
    gradient_override::L2_POOL_EPSILON,
    graph::{Convolution, Function, Graph, NodeId, Op, Shape, Window, counted, resolve},
};

/// The steps of both directions; the second has none where no gradient is asked for.
pub(super) struct Lowered {
    pub forward: Vec<Step>,
    pub backward: Vec<Step>,
    /// The floats of each buffer for one image.
    pub buffers: Vec<usize>,
    pub sizes: Sizes,
}

/// The steps that compute `wanted` nodes of a graph, all of whose nodes are needed for one of them.
pub(super) fn lower(
    graph: &Graph,
    shapes: &[Shape],
    regions: &[Region],
    wanted: &[NodeId],
    conditions: &Conditions<'_>,
    convolutions: Packed<'_>,
) -> Lowered {
    let nodes = graph.nodes();
    let mut readers = vec![Vec::new(); nodes.len()];
    for (id, node) in nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&input| readers[input].push(id));
    }
    let mut depends = vec![false; nodes.len()];
    for (id, node) in nodes.iter().enumerate() {
        depends[id] = matches!(node.op, Op::Input) || node.inputs.iter().any(|&input| depends[input]);
    }
    let mut lowering = Lowering {
        graph,
        shapes,
        regions,
        wanted,
        conditions,
        convolutions,
        fused: vec![false; nodes.len()],
        homes: vec![None; nodes.len()],
        readers,
        depends,
        values: vec![None; nodes.len()],
        gradients: vec![None; nodes.len()],
        is_written: vec![false; nodes.len()],
        kept: (0..nodes.len()).map(|_| Kept::default()).collect(),
        steps: Vec::new(),
        buffers: Vec::new(),
        sizes: Sizes::default(),
    };
    lowering.fuse();
    lowering.find_homes();
    lowering.forward();
    let forward = std::mem::take(&mut lowering.steps);
    if conditions.gradient {
        lowering.backward();
    }
    Lowered { forward, backward: lowering.steps, buffers: lowering.buffers, sizes: lowering.sizes }
}

struct Lowering<'a> {
    graph: &'a Graph,
    shapes: &'a [Shape],
    regions: &'a [Region],
    wanted: &'a [NodeId],
    conditions: &'a Conditions<'a>,
    convolutions: Packed<'a>,
    readers: Vec<Vec<NodeId>>,
    /// Nodes that are computed with their only reader, and whose own output nobody sees: convolutions with a rectifier
    /// behind them, and images that are scaled.
    fused: Vec<bool>,
    /// The concat in whose buffer a node's output lies, from which channel on.
    homes: Vec<Option<(NodeId, usize)>>,
    /// Whether a node depends on the images.
    depends: Vec<bool>,
    values: Vec<Option<View>>,
    gradients: Vec<Option<View>>,
    /// Whether a gradient holds something that the next is added to.
    is_written: Vec<bool>,
    kept: Vec<Kept>,
    steps: Vec<Step>,
    buffers: Vec<usize>,
    sizes: Sizes,
}

/// What a node keeps for its gradient.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    passes: Option<usize>,
    saturated: Option<usize>,
    winners: Option<usize>,
}

impl Lowering<'_> {
    fn op(&self, id: NodeId) -> &Op {
        &self.graph.nodes()[id].op
    }

    fn inputs(&self, id: NodeId) -> &[NodeId] {
        &self.graph.nodes()[id].inputs
    }

    fn is_wanted(&self, id: NodeId) -> bool {
        self.wanted.contains(&id)
    }

    /// The node that alone reads `id`, if it does so once and nobody else sees it.
    fn only_reader(&self, id: NodeId) -> Option<NodeId> {
        match self.readers[id][..] {
            [reader] if !self.is_wanted(id) => Some(reader),
            _ => None,
        }
    }

    /// Which convolutions compute their rectifier as well, and whether the images are only seen scaled.
    fn fuse(&mut self) {
        self.fused[0] = self.only_reader(0).is_some_and(|reader| matches!(self.op(reader), Op::Affine { .. }));
        for id in 0..self.fused.len() {
            let rectifier = self.only_reader(id).filter(|&reader| matches!(self.op(reader), Op::Relu | Op::Relu6));
            if let (Op::Convolution(_), Some(relu)) = (self.op(id), rectifier) {
                self.fused[id] = !self.keeps_saturated(relu);
            }
        }
    }

    /// Whether a redirected gradient has to know where the unit is above its range.
    fn keeps_saturated(&self, relu: NodeId) -> bool {
        matches!(self.op(relu), Op::Relu6) && self.redirects(relu)
    }

    fn redirects(&self, relu: NodeId) -> bool {
        self.conditions.redirects && self.conditions.relu(relu) == Some(ReluOverride::Redirected)
    }

    /// The nodes whose outputs the kernel of `id` reads.
    fn kernel_inputs(&self, id: NodeId) -> Vec<NodeId> {
        let own = self.inputs(id);
        match own {
            &[input] if self.fused[input] => self.inputs(input).to_vec(),
            _ if matches!(self.op(id), Op::Concat) => {
                own.iter().copied().filter(|&input| !self.is_at_home(input, id)).collect()
            }
            _ => own.to_vec(),
        }
    }

    /// Whether an input of a concat is computed where the concat wants it.
    fn is_at_home(&self, input: NodeId, concat: NodeId) -> bool {
        self.homes[input].is_some_and(|(home, _)| home == concat)
    }

    /// The concat whose buffer holds the output of `id` in the end: its home's, or that one's home's.
    fn root(&self, id: NodeId) -> NodeId {
        self.homes[id].map_or(id, |(home, _)| self.root(home))
    }

    /// Lets the inputs of concats be written where the concat wants them, unless a kernel would read and write one buffer.
    fn find_homes(&mut self) {
        for concat in 0..self.homes.len() {
            if !matches!(self.op(concat), Op::Concat) {
                continue;
            }
            let mut first = 0;
            for input in self.inputs(concat).to_vec() {
                let once = self.readers[input].iter().filter(|&&reader| reader == concat).count() == 1;
                if self.homes[input].is_none() && once {
                    self.homes[input] = Some((concat, first));
                    let root = self.root(concat);
                    let conflict = (0..self.homes.len()).filter(|&id| !self.fused[id] && self.root(id) == root);
                    let conflict = conflict
                        .into_iter()
                        .any(|id| self.kernel_inputs(id).into_iter().any(|read| self.root(read) == root));
                    if conflict {
                        self.homes[input] = None;
                    }
                }
                first += self.shapes[input].channels();
            }
        }
    }

    fn buffer(&mut self, id: NodeId) -> View {
        let (h, w, c) = (self.regions[id].rows.len(), self.regions[id].columns.len(), self.shapes[id].channels());
        self.buffers.push(h * w * c);
        View { buffer: Buffer::Anywhere(self.buffers.len() - 1), offset: 0, pitch: c, h, w, c }
    }

    fn passes(&mut self, id: NodeId) -> usize {
        let (h, w, c) = (self.regions[id].rows.len(), self.regions[id].columns.len(), self.shapes[id].channels());
        self.sizes.passes.push(words(entoptic_kernels::Dims { n: 1, h, w, c }));
        self.sizes.passes.len() - 1
    }

    /// Where the output of a node goes.
    fn value(&mut self, id: NodeId) -> View {
        if let Some(view) = self.values[id] {
            return view;
        }
        let view = match self.homes[id] {
            Some((home, first)) => {
                let home = self.value(home);
                View { offset: home.offset + first, c: self.shapes[id].channels(), ..home }
            }
            None => self.buffer(id),
        };
        self.values[id] = Some(view);
        view
    }

    /// Where the gradient of a node's output goes.
    fn gradient(&mut self, id: NodeId) -> View {
        if let Some(view) = self.gradients[id] {
            return view;
        }
        let view = match self.only_reader(id) {
            Some(concat) if matches!(self.op(concat), Op::Concat) => {
                let before = self.inputs(concat).iter().take_while(|&&input| input != id);
                let first: usize = before.map(|&input| self.shapes[input].channels()).sum();
                let whole = self.gradient(concat);
                View { offset: whole.offset + first, c: self.shapes[id].channels(), ..whole }
            }
            _ => self.buffer(id),
        };
        self.gradients[id] = Some(view);
        view
    }

    fn push(&mut self, kernel: Kernel, reads: Vec<View>, writes: View, add: bool) {
        self.steps.push(Step { kernel, reads, writes: Some(writes), add });
    }

    /// A step that contributes to the gradient of a node's output.
    fn contribute(&mut self, to: NodeId, kernel: Kernel, reads: Vec<View>) {
        if !self.depends[to] {
            return;
        }
        let (view, add) = (self.gradient(to), self.is_written[to]);
        self.is_written[to] = true;
        self.push(kernel, reads, view, add);
    }

    /// Where a window that slides from one node's region to another's starts.
    fn place(&self, window: &Window, from: NodeId, to: NodeId) -> Place {
        let extents = resolve(window, self.shapes[from].positions()).expect("checked before the network was planned");
        let (from, to) = (&self.regions[from], &self.regions[to]);
        let along = |axis: usize, from: usize, to: usize| {
            (to * window.stride[axis]) as isize - extents[axis].before as isize - from as isize
        };
        [along(0, from.rows.start, to.rows.start), along(1, from.columns.start, to.columns.start)]
    }

    /// What the means under a window divide by.
    fn shares(&self, window: &Window, count_padding: bool, from: NodeId, to: NodeId) -> Shares {
        let (size, region) = (self.shapes[from].positions(), &self.regions[to]);
        let extents = resolve(window, size).expect("checked before the network was planned");
        let along = |axis: usize, outputs: std::ops::Range<usize>| {
            let counted = counted(window, axis, extents[axis], size[axis], count_padding);
            outputs.map(|output| 1.0 / counted[output] as f32).collect()
        };
        Shares { rows: along(0, region.rows.clone()), columns: along(1, region.columns.clone()) }
    }

    fn forward(&mut self) {
        for id in 0..self.values.len() {
            if !self.fused[id] {
                self.compute(id);
            }
        }
        for (i, &id) in self.wanted.iter().enumerate() {
            let reads = vec![self.value(id)];
            self.steps.push(Step { kernel: Kernel::ToPlanes(i), reads, writes: None, add: false });
        }
    }

    fn compute(&mut self, id: NodeId) {
        let to = self.value(id);
        let inputs = self.inputs(id).to_vec();
        let reads: Vec<View> = inputs
            .iter()
            .filter(|&&input| !self.fused[input])
            .map(|&id| self.values[id].expect("inputs come first"))
            .collect();
        let graph = self.graph;
        let kernel = match &graph.nodes()[id].op {
            Op::Input => Kernel::FromPlanes(0),
            Op::Affine { scale, shift } if self.fused[inputs[0]] => {
                Kernel::FromImages { scale: scale.clone(), shift: shift.clone() }
            }
            Op::Affine { scale, shift } => Kernel::Affine { scale: scale.clone(), shift: Some(shift.clone()) },
            Op::Convolution(c) => self.convolution(c, inputs[0], id, None),
            Op::Linear(l) => {
                Kernel::Convolution { convolution: self.convolutions.linear(l), place: [0, 0], rectifying: None }
            }
            op @ (Op::Relu | Op::Relu6) => {
                let rectifying = self.rectifying(id, op);
                match inputs[0] {
                    before if self.fused[before] => {
                        let Op::Convolution(c) = &graph.nodes()[before].op else { unreachable!("only they are fused") };
                        let from = graph.nodes()[before].inputs[0];
                        let kernel = self.convolution(c, from, before, Some(rectifying));
                        let reads = vec![self.values[from].expect("inputs come first")];
                        return self.push(kernel, reads, to, false);
                    }
                    _ => Kernel::Rectify { rectifying, saturated: self.kept[id].saturated },
                }
            }
            Op::MaxPool(window) => {
                if self.conditions.gradient && self.conditions.pool(id).is_none() {
                    self.sizes.winners.push(to.h * to.w * to.c);
                    self.kept[id].winners = Some(self.sizes.winners.len() - 1);
                }
                let place = self.place(window, inputs[0], id);
                Kernel::MaxPool { window: sliding(window), place, winners: self.kept[id].winners }
            }
            Op::AveragePool { window, count_padding } => Kernel::AveragePool {
                window: sliding(window),
                place: self.place(window, inputs[0], id),
                shares: self.shares(window, *count_padding, inputs[0], id),
            },
            Op::LocalResponseNorm(n) => Kernel::LocalResponseNorm(norm_of(n)),
            Op::Concat => {
                for (i, &input) in inputs.iter().enumerate() {
                    if !self.is_at_home(input, id) {
                        let first: usize = inputs[..i].iter().map(|&input| self.shapes[input].channels()).sum();
                        let part = View { offset: to.offset + first, c: self.shapes[input].channels(), ..to };
                        self.push(Kernel::Copy, vec![reads[i]], part, false);
                    }
                }
                return;
            }
            Op::Add => {
                for (i, &read) in reads.iter().enumerate() {
                    self.push(Kernel::Copy, vec![read], to, i > 0);
                }
                return;
            }
            Op::Multiply => {
                let (a, b) = self.wide_first(&inputs);
                let reads =
                    vec![self.values[a].expect("inputs come first"), self.values[b].expect("inputs come first")];
                return self.push(Kernel::Multiply, reads, to, false);
            }
            Op::Flatten => match self.shapes[inputs[0]] {
                Shape::Map { .. } => Kernel::Flatten,
                Shape::Vector { .. } => Kernel::Copy,
            },
            Op::Pointwise(function) => Kernel::Pointwise(function_of(*function)),
            Op::LayerNorm { gamma, beta, epsilon } => {
                Kernel::LayerNorm { gamma: gamma.clone(), beta: beta.clone(), epsilon: *epsilon }
            }
            Op::Select(channels) => Kernel::Select(channels.clone()),
            op @ (Op::AdaptiveAveragePool(_) | Op::ResizeBilinear { .. } | Op::Pad { .. } | Op::Crop { .. }) => {
                let taps = taps(op, self.shapes[inputs[0]].positions());
                let border = border(op, &taps, to.c);
                let has_border = border.is_some();
                if let Some(border) = border {
                    self.push(Kernel::Constant(border), Vec::new(), to, false);
                }
                return self.push(Kernel::Resample(taps), reads, to, has_border);
            }
            Op::Constant(values) => {
                let Region { rows, columns } = &self.regions[id];
                let [h, w] = self.shapes[id].positions();
                let c = self.shapes[id].channels();
                let pixels = rows.clone().flat_map(|y| columns.clone().map(move |x| y * w + x));
                Kernel::Constant(pixels.flat_map(|i| (0..c).map(move |c| values.values()[c * h * w + i])).collect())
            }
            Op::Tokens => return self.push(Kernel::Copy, vec![reads[0].in_one_column()], to, false),
            Op::Stack => {
                let mut first = 0;
                for read in reads {
                    self.push(Kernel::Copy, vec![read], to.rows(first, read.h), false);
                    first += read.h;
                }
                return;
            }
            Op::Scores { scale, .. } => Kernel::InnerProducts { scale: *scale },
            Op::RowSoftmax => Kernel::RowSoftmax,
            Op::Attend => Kernel::WeightedSums { scale: 1.0 },
            Op::GlobalMean => Kernel::GlobalMean,
            Op::Softmax => Kernel::Softmax,
        };
        self.push(kernel, reads, to, false);
    }

    /// The two inputs of a product; one that has a single pixel for all of the other's comes second.
    fn wide_first(&self, inputs: &[NodeId]) -> (NodeId, NodeId) {
        let area = |id: NodeId| self.shapes[id].positions().iter().product::<usize>();
        match *inputs {
            [a, b] if area(a) < area(b) => (b, a),
            [a, b] => (a, b),
            _ => unreachable!("checked when the graph was built"),
        }
    }

    fn convolution(&self, c: &Convolution, from: NodeId, to: NodeId, rectifying: Option<Rectifying>) -> Kernel {
        let convolution = self.convolutions.of(c);
        Kernel::Convolution { convolution, place: self.place(&c.window, from, to), rectifying }
    }

    /// The rectifier `id`, with the bits its gradient will ask for.
    fn rectifying(&mut self, id: NodeId, op: &Op) -> Rectifying {
        let how = self.conditions.relu(id);
        if self.conditions.gradient && how != Some(ReluOverride::Identity) {
            self.kept[id].passes = Some(self.passes(id));
            if self.keeps_saturated(id) {
                self.kept[id].saturated = Some(self.passes(id));
            }
        }
        Rectifying {
            rectifier: if matches!(op, Op::Relu) { Rectifier::Relu } else { Rectifier::Relu6 },
            passes: self.kept[id].passes,
            at_corners: how == Some(ReluOverride::Redirected),
        }
    }

    fn backward(&mut self) {
        for (i, &id) in self.wanted.to_vec().iter().enumerate() {
            self.contribute(id, Kernel::FromPlanes(i), Vec::new());
        }
        for id in (1..self.gradients.len()).rev() {
            if !self.fused[id] && self.depends[id] {
                self.differentiate(id);
            }
        }
        if !self.fused[0] {
            if !self.is_written[0] {
                let gradient = self.gradient(0);
                let zeros = vec![0.0; gradient.h * gradient.w * gradient.c];
                self.contribute(0, Kernel::Constant(zeros), Vec::new());
            }
            let reads = vec![self.gradient(0)];
            self.steps.push(Step { kernel: Kernel::ToPlanes(0), reads, writes: None, add: false });
        }
    }

    /// From the gradient of a node's output to those of its inputs.
    fn differentiate(&mut self, id: NodeId) {
        let gradient = self.gradient(id);
        let inputs = self.inputs(id).to_vec();
        let value = |lowering: &Self, id: NodeId| lowering.values[id].expect("computed before");
        let graph = self.graph;
        let (kernel, reads) = match &graph.nodes()[id].op {
            Op::Input => unreachable!("the images come first"),
            Op::Affine { scale, .. } if self.fused[inputs[0]] => {
                let kernel = Kernel::FromImagesGradient { scale: scale.clone() };
                return self.steps.push(Step { kernel, reads: vec![gradient], writes: None, add: false });
            }
            Op::Affine { scale, .. } => (Kernel::Affine { scale: scale.clone(), shift: None }, vec![gradient]),
            Op::Convolution(c) => (self.convolution_gradient(c, inputs[0], id, None), vec![gradient]),
            Op::Linear(l) => {
                let convolution = self.convolutions.linear(l);
                (Kernel::ConvolutionGradient { convolution, place: [0, 0], passes: None }, vec![gradient])
            }
            Op::Relu | Op::Relu6 => return self.differentiate_rectifier(id, inputs[0], gradient),
            Op::MaxPool(window) => {
                let place = self.place(window, inputs[0], id);
                let shares = || self.shares(window, false, inputs[0], id);
                let window = sliding(window);
                match self.conditions.pool(id) {
                    None => {
                        let winners = self.kept[id].winners.expect("kept for the gradient");
                        (Kernel::MaxPoolGradient { window, place, winners }, vec![gradient])
                    }
                    Some(MaxPoolOverride::Average) => {
                        (Kernel::AveragePoolGradient { window, place, shares: shares() }, vec![gradient])
                    }
                    Some(MaxPoolOverride::L2) => {
                        let kernel =
                            Kernel::L2PoolGradient { window, place, shares: shares(), epsilon: L2_POOL_EPSILON };
                        (kernel, vec![gradient, value(self, inputs[0])])
                    }
                }
            }
            Op::AveragePool { window, count_padding } => {
                let shares = self.shares(window, *count_padding, inputs[0], id);
                let place = self.place(window, inputs[0], id);
                (Kernel::AveragePoolGradient { window: sliding(window), place, shares }, vec![gradient])
            }
            Op::LocalResponseNorm(n) => {
                (Kernel::LocalResponseNormGradient(norm_of(n)), vec![gradient, value(self, inputs[0])])
            }
            Op::Concat => {
                let mut first = 0;
                for input in inputs {
                    let c = self.shapes[input].channels();
                    let part = View { offset: gradient.offset + first, c, ..gradient };
                    first += c;
                    if self.only_reader(input) == Some(id) {
                        self.gradient(input);
                        self.is_written[input] = true;
                    } else {
                        self.contribute(input, Kernel::Copy, vec![part]);
                    }
                }
                return;
            }
            Op::Add => {
                // The last takes the buffer itself, after all others were served.
                let (last, others) = inputs.split_last().expect("a sum has an input");
                for &input in others {
                    self.contribute(input, Kernel::Copy, vec![gradient]);
                }
                return self.hand_over(*last, gradient);
            }
            Op::Multiply => {
                let (a, b) = self.wide_first(&inputs);
                self.contribute(a, Kernel::Multiply, vec![gradient, value(self, b)]);
                let sums = self.shapes[a].positions() != self.shapes[b].positions();
                (if sums { Kernel::MultiplySum } else { Kernel::Multiply }, vec![gradient, value(self, a)])
            }
            Op::Flatten => match self.shapes[inputs[0]] {
                Shape::Map { .. } => (Kernel::Unflatten, vec![gradient]),
                Shape::Vector { .. } => return self.hand_over(inputs[0], gradient),
            },
            Op::Pointwise(function) => {
                (Kernel::PointwiseGradient(function_of(*function)), vec![gradient, value(self, inputs[0])])
            }
            Op::LayerNorm { gamma, epsilon, .. } => {
                let kernel = Kernel::LayerNormGradient { gamma: gamma.clone(), epsilon: *epsilon };
                (kernel, vec![gradient, value(self, inputs[0])])
            }
            Op::Select(channels) => (Kernel::SelectGradient(channels.clone()), vec![gradient]),
            op @ (Op::AdaptiveAveragePool(_) | Op::ResizeBilinear { .. } | Op::Pad { .. } | Op::Crop { .. }) => {
                let taps = taps(op, self.shapes[inputs[0]].positions());
                (Kernel::Resample(taps.map(|taps| taps.transposed())), vec![gradient])
            }
            Op::Constant(_) => unreachable!("it does not depend on the images"),
            Op::Tokens => {
                let Shape::Map { h, w, .. } = self.shapes[inputs[0]] else { unreachable!("checked when it was built") };
                (Kernel::Copy, vec![View { h, w, ..gradient }])
            }
            Op::Stack => {
                let mut first = 0;
                for input in inputs {
                    let rows = self.shapes[input].positions()[0];
                    self.contribute(input, Kernel::Copy, vec![gradient.rows(first, rows)]);
                    first += rows;
                }
                return;
            }
            Op::Scores { scale, .. } => {
                let [queries, keys] = [0, 1].map(|i| value(self, inputs[i]));
                let scale = *scale;
                self.contribute(inputs[0], Kernel::WeightedSums { scale }, vec![gradient, keys]);
                let kernel = Kernel::WeightedSumsTransposed { scale };
                return self.contribute(inputs[1], kernel, vec![gradient, queries]);
            }
            Op::RowSoftmax => (Kernel::RowSoftmaxGradient, vec![gradient, value(self, id)]),
            Op::Attend => {
                let [attention, values] = [0, 1].map(|i| value(self, inputs[i]));
                self.contribute(inputs[0], Kernel::InnerProducts { scale: 1.0 }, vec![gradient, values]);
                let kernel = Kernel::WeightedSumsTransposed { scale: 1.0 };
                return self.contribute(inputs[1], kernel, vec![attention, gradient]);
            }
            Op::GlobalMean => (Kernel::GlobalMeanGradient, vec![gradient]),
            Op::Softmax => (Kernel::SoftmaxGradient, vec![gradient, value(self, id)]),
        };
        let to = match graph.nodes()[id].op {
            Op::Multiply => self.wide_first(&inputs).1,
            _ => inputs[0],
        };
        self.contribute(to, kernel, reads);
    }

    fn differentiate_rectifier(&mut self, id: NodeId, input: NodeId, gradient: View) {
        let Kept { passes, saturated, .. } = self.kept[id];
        if let (Some(passes), true) = (passes, self.redirects(id)) {
            self.push(Kernel::Redirect { passes, saturated }, Vec::new(), gradient, false);
        }
        let graph = self.graph;
        if let (Op::Convolution(c), true) = (&graph.nodes()[input].op, self.fused[input]) {
            let from = graph.nodes()[input].inputs[0];
            let kernel = self.convolution_gradient(c, from, input, passes);
            return self.contribute(from, kernel, vec![gradient]);
        }
        if let Some(passes) = passes {
            self.push(Kernel::Block { passes }, Vec::new(), gradient, false);
        }
        self.hand_over(input, gradient);
    }

    /// Makes a gradient that nobody else will read that of a node, or adds it to that.
    fn hand_over(&mut self, to: NodeId, gradient: View) {
        if self.only_reader(to).is_some() && self.gradients[to].is_none() && self.depends[to] {
            self.gradients[to] = Some(gradient);
            self.is_written[to] = true;
        } else {
            self.contribute(to, Kernel::Copy, vec![gradient]);
        }
    }

    fn convolution_gradient(&self, c: &Convolution, from: NodeId, to: NodeId, passes: Option<usize>) -> Kernel {
        let convolution: Arc<_> = self.convolutions.of(c);
        Kernel::ConvolutionGradient { convolution, place: self.place(&c.window, from, to), passes }
    }
}

pub(super) fn sliding(window: &Window) -> Sliding {
    Sliding { size: window.size, stride: window.stride, dilation: window.dilation }
}

/// Which places of a map of `size` each place of the output is the weighted sum of.
fn taps(op: &Op, [h, w]: [usize; 2]) -> [Taps; 2] {
    let along = |inputs: usize, axis: usize| Taps::new(op.taps(axis, inputs), inputs);
    [along(h, 0), along(w, 1)]
}

/// What a border that is not zero holds, with zeros where the map lies.
fn border(op: &Op, [rows, columns]: &[Taps; 2], c: usize) -> Option<Vec<f32>> {
    let Op::Pad { value, .. } = *op else { return None };
    let pixels = rows.iter().flat_map(|down| columns.iter().map(move |across| down.is_empty() || across.is_empty()));
    (value != 0.0)
        .then(|| pixels.flat_map(|outside| std::iter::repeat_n(if outside { value } else { 0.0 }, c)).collect())
}

fn function_of(function: Function) -> pointwise::Function {
    use pointwise::Function as Kernel;
    match function {
        Function::Sigmoid => Kernel::Sigmoid,
        Function::Tanh => Kernel::Tanh,
        Function::Silu => Kernel::Silu,
        Function::HardSigmoid { slope, offset } => Kernel::HardSigmoid { slope, offset },
        Function::HardSwish => Kernel::HardSwish,
        Function::Gelu => Kernel::Gelu,
        Function::GeluTanh => Kernel::GeluTanh,
        Function::Elu { alpha } => Kernel::Elu { alpha },
        Function::LeakyRelu { slope } => Kernel::LeakyRelu { slope },
        Function::Softplus => Kernel::Softplus,
        Function::Clip { min, max } => Kernel::Clip { min, max },
        Function::Erf => Kernel::Erf,
        Function::Exp => Kernel::Exp,
        Function::Abs => Kernel::Abs,
        Function::Power { exponent } => Kernel::Power { exponent },
    }
}

fn norm_of(n: &crate::graph::LocalResponseNorm) -> norm::LocalResponseNorm {
    norm::LocalResponseNorm { size: n.size, alpha: n.alpha, beta: n.beta, k: n.k }
}
