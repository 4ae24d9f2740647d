//! Windows over maps, and what belongs to them.

use super::{
    Cannot, Constant, Layout, Lift, Value, View, cannot,
    view::{Atom, Part},
};
use crate::graph::{BatchNorm, Convolution, Linear, LocalResponseNorm, NodeId, Op, Padding, Sampling, Shape, Window};

/// No window is larger, moves further or has more padding than this.
const LARGEST_WINDOW: usize = 1 << 16;

fn check(window: &Window) -> Result<(), Cannot> {
    let Window { size, stride, dilation, padding, .. } = window;
    let padding = match *padding {
        Padding::Explicit { top, bottom, left, right } => [top, bottom, left, right],
        Padding::Same => [0; 4],
    };
    let at_least_1 = [size, stride, dilation].into_iter().flatten();
    match at_least_1.clone().chain(&padding).all(|&n| n <= LARGEST_WINDOW) && at_least_1.into_iter().all(|&n| n > 0) {
        true => Ok(()),
        false => {
            Err(cannot(format!("a window cannot have size {size:?}, stride {stride:?} and dilation {dilation:?}")))
        }
    }
}

fn has_padding(padding: Padding) -> bool {
    padding != Padding::Same && padding != Padding::NONE
}

impl Lift {
    /// A convolution with a kernel `[out, in / groups, kh, kw]`, whose size the window takes.
    #[expect(clippy::too_many_arguments, reason = "as many as a file says of a convolution")]
    pub fn convolution(
        &mut self,
        name: &str,
        x: &Value,
        kernel: &Constant,
        bias: Option<&Constant>,
        window: Window,
        groups: usize,
        layout: Layout,
    ) -> Result<Value, Cannot> {
        let view = x.layer()?;
        let &[outputs, inputs, kh, kw] = kernel.dims() else {
            return Err(cannot(format!("its kernel is {:?}; only two-dimensional ones are known", kernel.dims())));
        };
        let window = Window { size: [kh, kw], ..window };
        check(&window)?;
        let [channels, ..] = layout.axes();
        let bias = bias.map(|bias| self.weights(bias, [bias.len()])).transpose()?;
        let is_pointwise = window.size == [1, 1] && window.stride == [1, 1] && !has_padding(window.padding);
        let (view, window) = match is_pointwise && view.axes.len() == 4 {
            true => (self.with_channels_on(view, channels)?, window),
            false => {
                let view = self.map(view, layout)?;
                self.with_border(view, window, layout)
            }
        };
        if let Shape::Vector { .. } = self.shape(&view) {
            if window.size != [1, 1] || has_padding(window.padding) || groups != 1 {
                return Err(cannot("a vector has no positions for its kernel"));
            }
            let weight = self.weights(kernel, [outputs, inputs])?;
            let node = self.add(name, Op::Linear(Linear { weight, bias }), &[view.node])?;
            return Ok(self.rechanneled(&view, channels, node));
        }
        let weight = self.weights(kernel, kernel.dims())?;
        let op = Op::Convolution(Convolution { weight, scale: None, bias, window, groups });
        let node = self.add(name, op, &[view.node])?;
        match is_pointwise {
            true => Ok(self.rechanneled(&view, channels, node)),
            false => Ok(Value::Layer(View::image(node, self.graph.shape(node), layout))),
        }
    }

    /// The same axes of a node that has other channels, which are all on `axis`.
    pub(super) fn rechanneled(&self, view: &View, axis: usize, node: usize) -> Value {
        let mut view = view.of(node);
        view.axes[axis] = Atom::whole(Part::Channels, self.graph.shape(node).channels());
        Value::Layer(view)
    }

    /// Normalizes the channels, which are all on `axis`; the arguments are as in [`BatchNorm`].
    pub fn batch_norm(
        &mut self,
        name: &str,
        x: &Value,
        axis: usize,
        [gamma, beta, mean, variance]: [&Constant; 4],
        epsilon: f32,
    ) -> Result<Value, Cannot> {
        let view = x.layer()?;
        if axis >= view.axes.len() {
            return Err(cannot(format!("{:?} has no axis {axis}", view.dims())));
        }
        let view = self.with_channels_on(view, axis)?;
        let c = self.shape(&view).channels();
        if [gamma, beta, mean, variance].iter().any(|constant| constant.len() != c) {
            return Err(cannot(format!("it is not for {c} channels")));
        }
        self.spend(6 * c)?;
        let mut floats = |constant: &Constant| self.weights(constant, [c]).map(|weights| weights.values().to_vec());
        let (gamma, beta) = (floats(gamma)?, floats(beta)?);
        let norm = BatchNorm { gamma, beta, mean: floats(mean)?, variance: floats(variance)?, epsilon };
        let name = self.unused(name)?;
        let node = self.graph.batch_norm(&name, view.node, &norm)?;
        Ok(Value::Layer(view.of(self.checked(node)?)))
    }

    /// The largest value under each window.
    pub fn max_pool(&mut self, name: &str, x: &Value, window: Window, layout: Layout) -> Result<Value, Cannot> {
        let view = self.map(x.layer()?, layout)?;
        let (inside, bordered) = self.with_border(view.clone(), window, layout);
        // Padding never wins, and zeros do not where nothing is below them and each window has more than them.
        let is_narrow = match bordered.padding {
            Padding::Explicit { top, bottom, left, right } => {
                top.max(bottom) < window.size[0] && left.max(right) < window.size[1]
            }
            Padding::Same => false,
        };
        match bordered != window && is_narrow && window.dilation == [1, 1] && self.is_not_negative(inside.node) {
            true => self.slide(name, &Value::Layer(inside), bordered, layout, Op::MaxPool),
            false => self.slide(name, &Value::Layer(view), window, layout, Op::MaxPool),
        }
    }

    /// The mean under each window; of a window over the whole map, the mean of all positions, at any image size.
    pub fn average_pool(
        &mut self,
        name: &str,
        x: &Value,
        window: Window,
        count_padding: bool,
        layout: Layout,
    ) -> Result<Value, Cannot> {
        let view = x.layer()?;
        let positions = self.shape(view).positions();
        if window.size == positions && window.dilation == [1, 1] && !has_padding(window.padding) && positions != [1, 1]
        {
            let same_is_one = window.padding != Padding::Same
                || (0..2).all(|i| window.stride[i] >= positions[i] && positions[i] == window.size[i]);
            if same_is_one {
                return self.global_mean(name, x, layout);
            }
        }
        self.slide(name, x, window, layout, |window| Op::AveragePool { window, count_padding })
    }

    /// A window with the border of zeros that the map was given before, if it was: one node less to compute.
    fn with_border(&self, view: View, window: Window, layout: Layout) -> (View, Window) {
        let before = self.graph.node(view.node);
        match (&before.op, window.padding) {
            (Op::Pad { rows, columns, value: 0.0 }, Padding::Explicit { top, bottom, left, right }) if !window.ceil => {
                let padding = Padding::Explicit {
                    top: top + rows[0],
                    bottom: bottom + rows[1],
                    left: left + columns[0],
                    right: right + columns[1],
                };
                let inside = before.inputs[0];
                (View::image(inside, self.graph.shape(inside), layout), Window { padding, ..window })
            }
            _ => (view, window),
        }
    }

    /// Whether no number of a map is below zero, as far as a few nodes before it tell.
    fn is_not_negative(&self, node: NodeId) -> bool {
        let mut waiting = vec![node];
        for _ in 0..32 {
            let Some(node) = waiting.pop() else { return true };
            let node = self.graph.node(node);
            match &node.op {
                Op::Relu | Op::Relu6 | Op::Softmax => {}
                Op::MaxPool(_) | Op::AveragePool { .. } | Op::Concat => waiting.extend(&node.inputs),
                Op::LocalResponseNorm(norm) if norm.k > 0.0 && norm.alpha >= 0.0 => waiting.extend(&node.inputs),
                _ => return false,
            }
        }
        waiting.is_empty()
    }

    fn slide(
        &mut self,
        name: &str,
        x: &Value,
        window: Window,
        layout: Layout,
        op: impl Fn(Window) -> Op,
    ) -> Result<Value, Cannot> {
        check(&window)?;
        let view = self.map(x.layer()?, layout)?;
        if let Shape::Vector { .. } = self.shape(&view) {
            let is_identity = window.size == [1, 1] && !has_padding(window.padding);
            return if is_identity { Ok(Value::Layer(view)) } else { Err(cannot("a vector has no positions")) };
        }
        let node = self.add(name, op(window), &[view.node])?;
        Ok(Value::Layer(View::image(node, self.graph.shape(node), layout)))
    }

    /// The mean of each channel over all positions.
    pub fn global_mean(&mut self, name: &str, x: &Value, layout: Layout) -> Result<Value, Cannot> {
        let view = self.map(x.layer()?, layout)?;
        self.mean_of_positions(name, &view)
    }

    pub(super) fn mean_of_positions(&mut self, name: &str, view: &View) -> Result<Value, Cannot> {
        let node = match self.shape(view) {
            Shape::Vector { .. } => view.node,
            Shape::Map { .. } => self.add(name, Op::GlobalMean, &[view.node])?,
        };
        Ok(Value::Layer(of_channels(view, node)))
    }

    /// The largest value of each channel, over the positions that there are at the graph's own image size.
    pub fn global_max(&mut self, name: &str, x: &Value, layout: Layout) -> Result<Value, Cannot> {
        let view = self.map(x.layer()?, layout)?;
        self.max_of_positions(name, &view)
    }

    pub(super) fn max_of_positions(&mut self, name: &str, view: &View) -> Result<Value, Cannot> {
        let node = match self.shape(view) {
            Shape::Vector { .. } => view.node,
            Shape::Map { h, w, .. } => {
                let window = Window { size: [h, w], ..Window::new(1, 1) };
                check(&window)?;
                self.add(name, Op::MaxPool(window), &[view.node])?
            }
        };
        Ok(Value::Layer(of_channels(view, node)))
    }

    /// Local response normalization over the channels of an image.
    pub fn local_response_norm(
        &mut self,
        name: &str,
        x: &Value,
        norm: LocalResponseNorm,
        layout: Layout,
    ) -> Result<Value, Cannot> {
        let view = self.map(x.layer()?, layout)?;
        if norm.size > LARGEST_WINDOW {
            return Err(cannot(format!("a sum over {} channels is too large", norm.size)));
        }
        let node = self.add(name, Op::LocalResponseNorm(norm), &[view.node])?;
        Ok(Value::Layer(view.of(node)))
    }

    /// The map at another size `[h, w]`, interpolated linearly.
    pub fn resize_bilinear(
        &mut self,
        name: &str,
        x: &Value,
        size: [usize; 2],
        sampling: Sampling,
        layout: Layout,
    ) -> Result<Value, Cannot> {
        let view = self.map(x.layer()?, layout)?;
        let Shape::Map { c, h, w } = self.shape(&view) else { return Err(cannot("a vector has no positions")) };
        super::product(&[c, size[0], size[1]])?;
        if size == [h, w] {
            return Ok(Value::Layer(view));
        }
        let node = self.add(name, Op::ResizeBilinear { size, sampling }, &[view.node])?;
        Ok(Value::Layer(View::image(node, self.graph.shape(node), layout)))
    }
}

/// The view of a node that has the channels of `view`, and one position.
fn of_channels(view: &View, node: usize) -> View {
    let only = |axis: &Vec<Atom>| axis.iter().copied().filter(|atom| atom.part == Part::Channels).collect();
    View { node, axes: view.axes.iter().map(only).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout::Nhwc;
    const BORDER: [[usize; 2]; 4] = [[0, 0], [1, 2], [3, 0], [0, 0]];

    #[test]
    fn a_border_of_zeros_is_padding() {
        let mut lift = Lift::new(3, [8, 8], 0).unwrap();
        let image = lift.image(LAYOUT, None).unwrap();
        let kernel = Constant::floats(vec![2, 3, 4, 4], vec![1.0; 96]).unwrap();
        let padded = lift.pad("pad", &image, &BORDER, 0.0).unwrap();
        let convolved = lift.convolution("conv", &padded, &kernel, None, Window::new(4, 1), 1, LAYOUT).unwrap();
        assert_eq!(convolved.dims(), [1, 8, 8, 2]);
        let Value::Layer(view) = &convolved else { panic!("a layer") };
        let node = lift.graph.node(view.node);
        let Op::Convolution(convolution) = &node.op else { panic!("a convolution") };
        assert_eq!(convolution.window.padding, Padding::Explicit { top: 1, bottom: 2, left: 3, right: 0 });
        assert_eq!(node.inputs, [0]);
    }

    #[test]
    fn a_border_of_zeros_may_win_a_max_pool_of_negative_numbers() {
        let mut lift = Lift::new(3, [8, 8], 0).unwrap();
        let image = lift.image(LAYOUT, None).unwrap();
        let relu = lift.unary("relu", &image, crate::load::lift::Unary::Relu).unwrap();
        for (x, name, is_padding) in [(image, "image", false), (relu, "relu", true)] {
            let padded = lift.pad(&format!("{name}_pad"), &x, &BORDER, 0.0).unwrap();
            let Value::Layer(pooled) = lift.max_pool(name, &padded, Window::new(4, 1), LAYOUT).unwrap() else {
                panic!()
            };
            let node = lift.graph.node(pooled.node);
            assert_eq!(matches!(lift.op(node.inputs[0]), Op::Pad { .. }), !is_padding, "{name}");
        }
    }
}
