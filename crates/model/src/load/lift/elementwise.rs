//! What goes number by number: activations, and arithmetic of two tensors, one perhaps spread over the other.

use super::{
    Cannot, Constant, Lift, Value, View, arrange, cannot, fold, product,
    view::{Part, merge, refine},
};
use crate::graph::{Function, Op, Sampling, Shape, Weights};

/// A function of each number by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unary {
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `-x`.
    Negate,
    /// Another that graphs have: roots, squares and one over x are powers.
    Function(Function),
    /// Of constants only.
    Floor,
    /// Of constants only.
    Ceil,
    /// Of constants only, halves to the even side.
    Round,
    /// Of constants only.
    Log,
    /// Of constants only: whether it is zero.
    Not,
}

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a b`.
    Multiply,
    /// `a / b`; of whole numbers, towards zero.
    Divide,
    /// The larger.
    Maximum,
    /// The smaller.
    Minimum,
    /// `a^b`, of layers only to a constant power.
    Power,
    /// Of constants only: `a / b` rounded down.
    FloorDivide,
    /// Of constants only: what that leaves.
    Modulo,
    /// Of constants only.
    Equal,
    /// Of constants only.
    Less,
    /// Of constants only.
    LessOrEqual,
    /// Of constants only.
    And,
    /// Of constants only.
    Or,
}

/// A constant, spread over a node.
enum Spread {
    /// One number for all.
    Number(f32),
    /// One for each channel.
    Channels(Vec<f32>),
    /// One for each element.
    Elements(Weights),
}

impl Spread {
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        match self {
            Self::Number(value) => Self::Number(f(value)),
            Self::Channels(values) => Self::Channels(values.into_iter().map(f).collect()),
            Self::Elements(weights) => {
                let values = weights.values().iter().map(|&value| f(value)).collect();
                Self::Elements(Weights::new(weights.shape(), values))
            }
        }
    }
}

impl Lift {
    /// A function of each number.
    pub fn unary(&mut self, name: &str, x: &Value, function: Unary) -> Result<Value, Cannot> {
        let view = match x {
            Value::Constant(constant) => {
                self.spend(constant.len())?;
                return fold::unary(function, constant).map(Value::Constant);
            }
            Value::Layer(view) => view,
        };
        let op = match function {
            Unary::Relu => Op::Relu,
            Unary::Relu6 => Op::Relu6,
            Unary::Negate => return self.scaled(name, view, -1.0).map(Value::Layer),
            Unary::Function(Function::Power { exponent: 1.0 }) => return Ok(x.clone()),
            Unary::Function(function) => Op::Pointwise(function),
            Unary::Floor | Unary::Ceil | Unary::Round | Unary::Log | Unary::Not => {
                return Err(cannot("it has no counterpart for layers"));
            }
        };
        let is_relu = matches!(op, Op::Relu | Op::Relu6);
        let node = self.add(name, op, &[view.node])?;
        if is_relu {
            let [after, before] = [node, view.node].map(|id| self.graph.node(id).name.clone());
            self.graph.alias(&format!("{after}_pre_relu"), &before);
        }
        if let Unary::Function(function) = function {
            self.note_function(node, function, view);
        }
        Ok(Value::Layer(view.of(node)))
    }

    /// `a op b`, either spread over the other as in NumPy.
    pub fn binary(&mut self, name: &str, op: Binary, a: &Value, b: &Value) -> Result<Value, Cannot> {
        match (a, b) {
            (Value::Constant(a), Value::Constant(b)) => self.fold_binary(op, a, b).map(Value::Constant),
            (Value::Layer(x), Value::Constant(constant)) => self.with_constant(name, op, x, constant, false),
            (Value::Constant(constant), Value::Layer(x)) => self.with_constant(name, op, x, constant, true),
            (Value::Layer(a), Value::Layer(b)) => self.pair(name, op, a, b),
        }
    }

    /// `x + bias`, one number for each place on `axis`.
    pub fn bias_add(&mut self, name: &str, x: &Value, bias: &Constant, axis: usize) -> Result<Value, Cannot> {
        let rank = x.dims().len();
        if bias.dims().len() != 1 || axis >= rank {
            return Err(cannot(format!("a bias is a vector, not {:?}", bias.dims())));
        }
        let bias = (axis + 1..rank).fold(bias.clone(), |bias, _| {
            let last = bias.dims().len();
            bias.with_axis(last)
        });
        self.binary(name, Binary::Add, x, &Value::Constant(bias))
    }

    fn with_constant(
        &mut self,
        name: &str,
        op: Binary,
        x: &View,
        constant: &Constant,
        constant_first: bool,
    ) -> Result<Value, Cannot> {
        let mut x = x.clone();
        while x.axes.len() < constant.dims().len() {
            x.axes.insert(0, vec![]);
        }
        let spread = self.spread(constant, &x)?;
        match (op, constant_first) {
            (Binary::Add, _) => self.sum_with(name, &x, spread),
            (Binary::Subtract, false) => self.sum_with(name, &x, spread.map(|value| -value)),
            (Binary::Subtract, true) => {
                let x = self.scaled(&format!("{name}_negated"), &x, -1.0)?;
                self.sum_with(name, &x, spread)
            }
            (Binary::Multiply, _) => self.product_with(name, &x, spread),
            (Binary::Divide, false) => self.product_with(name, &x, spread.map(|value| 1.0 / value)),
            (Binary::Divide, true) => {
                let Value::Layer(inverse) = self.power(&format!("{name}_inverse"), &x, -1.0)? else { unreachable!() };
                match spread {
                    Spread::Number(1.0) => Ok(Value::Layer(inverse)),
                    spread => self.product_with(name, &inverse, spread),
                }
            }
            (Binary::Maximum, _) => match spread {
                Spread::Number(0.0) => self.unary(name, &Value::Layer(x), Unary::Relu),
                Spread::Number(min) => self.clip(name, &Value::Layer(x), min, f32::INFINITY),
                _ => Err(cannot("of layers it takes one number")),
            },
            (Binary::Minimum, _) => match spread {
                Spread::Number(max) => self.clip(name, &Value::Layer(x), f32::NEG_INFINITY, max),
                _ => Err(cannot("of layers it takes one number")),
            },
            (Binary::Power, false) => match spread {
                Spread::Number(exponent) => self.power(name, &x, exponent),
                _ => Err(cannot("of layers it takes one exponent")),
            },
            _ => Err(cannot("it has no counterpart for layers")),
        }
    }

    fn power(&mut self, name: &str, x: &View, exponent: f32) -> Result<Value, Cannot> {
        self.unary(name, &Value::Layer(x.clone()), Unary::Function(Function::Power { exponent }))
    }

    /// `min(max(x, min), max)`, which may be a ReLU.
    pub fn clip(&mut self, name: &str, x: &Value, min: f32, max: f32) -> Result<Value, Cannot> {
        let unary = match (min, max) {
            (0.0, f32::INFINITY | f32::MAX) => Unary::Relu,
            (0.0, 6.0) => Unary::Relu6,
            (f32::NEG_INFINITY | f32::MIN, f32::INFINITY | f32::MAX) => return Ok(x.clone()),
            _ => Unary::Function(Function::Clip { min, max }),
        };
        self.unary(name, x, unary)
    }

    /// A constant spread over the node behind `x`.
    fn spread(&mut self, constant: &Constant, x: &View) -> Result<Spread, Cannot> {
        if let Some(value) = constant.single() {
            return Ok(Spread::Number(value));
        }
        let dims = x.dims();
        let missing = dims.len() - constant.dims().len();
        // Which atoms the constant varies with, and how far a step along each goes in it.
        let mut steps = Vec::new();
        for (axis, (&size, &stride)) in constant.dims().iter().zip(constant.strides()).enumerate() {
            let atoms = &x.axes[missing + axis];
            match size {
                1 => continue,
                _ if size == dims[missing + axis] => {}
                _ => return Err(cannot(format!("{:?} does not spread over {dims:?}", constant.dims()))),
            }
            let mut step = stride;
            for atom in atoms.iter().rev() {
                steps.push((*atom, step));
                step *= atom.size;
            }
        }
        let shape = self.shape(x);
        let along = |part: Part, size: usize| -> Vec<usize> {
            let steps = steps.iter().filter(|(atom, _)| atom.part == part);
            (0..size).map(|i| steps.clone().map(|(atom, step)| i / atom.stride % atom.size * step).sum()).collect()
        };
        let c = shape.channels();
        if steps.iter().all(|(atom, _)| atom.part == Part::Channels) {
            self.spend(3 * c)?;
            let values = along(Part::Channels, c).into_iter().map(|place| constant.at(place)).collect();
            return Ok(Spread::Channels(values));
        }
        let [h, w] = shape.positions();
        self.spend(product(&shape.dims())?.saturating_add(2 * (c + h + w)))?;
        let [channels, rows, columns] = [along(Part::Channels, c), along(Part::Rows, h), along(Part::Columns, w)];
        let mut values = Vec::with_capacity(c * h * w);
        for channel in &channels {
            for row in &rows {
                values.extend(columns.iter().map(|column| constant.at(channel + row + column)));
            }
        }
        Ok(Spread::Elements(Weights::new(shape.dims(), values)))
    }

    fn sum_with(&mut self, name: &str, x: &View, spread: Spread) -> Result<Value, Cannot> {
        let c = self.shape(x).channels();
        self.spend(2 * c)?;
        let node = match spread {
            Spread::Number(0.0) => return Ok(Value::Layer(x.clone())),
            Spread::Number(shift) => {
                let node = self.affine(name, x, vec![1.0; c], vec![shift; c])?;
                self.note_affine(node, x, 1.0, shift);
                node
            }
            Spread::Channels(shift) => self.affine(name, x, vec![1.0; c], shift)?,
            Spread::Elements(values) => {
                let constant = self.add(&format!("{name}_constant"), Op::Constant(values), &[])?;
                self.add(name, Op::Add, &[x.node, constant])?
            }
        };
        Ok(Value::Layer(x.of(node)))
    }

    fn product_with(&mut self, name: &str, x: &View, spread: Spread) -> Result<Value, Cannot> {
        let c = self.shape(x).channels();
        self.spend(2 * c)?;
        let node = match spread {
            Spread::Number(scale) => return self.scaled(name, x, scale).map(Value::Layer),
            Spread::Channels(scale) => self.affine(name, x, scale, vec![0.0; c])?,
            Spread::Elements(values) => {
                let constant = self.add(&format!("{name}_constant"), Op::Constant(values), &[])?;
                self.add(name, Op::Multiply, &[x.node, constant])?
            }
        };
        Ok(Value::Layer(x.of(node)))
    }

    /// `scale x`.
    fn scaled(&mut self, name: &str, x: &View, scale: f32) -> Result<View, Cannot> {
        if scale == 1.0 {
            return Ok(x.clone());
        }
        if let Some(Value::Layer(known)) = self.with_number_known(name, x, scale)? {
            return Ok(known);
        }
        let before = self.graph.node(x.node);
        if let Op::Scores { heads, scale: first } = before.op {
            let (op, inputs) = (Op::Scores { heads, scale: first * scale }, before.inputs.clone());
            return Ok(x.of(self.add(name, op, &inputs)?));
        }
        let c = self.shape(x).channels();
        self.spend(2 * c)?;
        let node = self.affine(name, x, vec![scale; c], vec![0.0; c])?;
        self.note_affine(node, x, scale, 0.0);
        Ok(x.of(node))
    }

    /// `x * scale + shift` per channel, folded into what is before it where that can be.
    fn affine(&mut self, name: &str, x: &View, scale: Vec<f32>, shift: Vec<f32>) -> Result<usize, Cannot> {
        let c = scale.len();
        self.spend(2 * c)?;
        let name = self.unused(name)?;
        let node = self.graph.affine(&name, x.node, Weights::new([c], scale), Weights::new([c], shift))?;
        self.checked(node)
    }

    fn pair(&mut self, name: &str, op: Binary, a: &View, b: &View) -> Result<Value, Cannot> {
        if let Some(known) = self.pair_known(name, op, a, b)? {
            return Ok(known);
        }
        let (x, y) = self.aligned(name, a, b, op)?;
        let view = match op {
            Binary::Add => x.of(self.add(name, Op::Add, &[x.node, y.node])?),
            Binary::Multiply => {
                // The one with positions is what comes out.
                let wide = if let Shape::Vector { .. } = self.shape(&x) { &y } else { &x };
                wide.of(self.add(name, Op::Multiply, &[x.node, y.node])?)
            }
            Binary::Subtract => {
                let negated = self.scaled(&format!("{name}_negated"), &y, -1.0)?;
                x.of(self.add(name, Op::Add, &[x.node, negated.node])?)
            }
            Binary::Divide => {
                let Value::Layer(inverse) = self.power(&format!("{name}_inverse"), &y, -1.0)? else { unreachable!() };
                let wide = if let Shape::Vector { .. } = self.shape(&x) { &y } else { &x };
                wide.of(self.add(name, Op::Multiply, &[x.node, inverse.node])?)
            }
            // max(a, b) = a + relu(b - a), min(a, b) = a - relu(a - b).
            Binary::Maximum | Binary::Minimum => {
                let (sign, first) = if op == Binary::Maximum { (1.0, &x) } else { (-1.0, &y) };
                let second = if op == Binary::Maximum { &y } else { &x };
                let negated = self.scaled(&format!("{name}_negated"), first, -1.0)?;
                let difference = self.add(&format!("{name}_difference"), Op::Add, &[second.node, negated.node])?;
                let relu = self.add(&format!("{name}_relu"), Op::Relu, &[difference])?;
                let signed = self.scaled(&format!("{name}_signed"), &x.of(relu), sign)?;
                x.of(self.add(name, Op::Add, &[x.node, signed.node])?)
            }
            _ => return Err(cannot("of layers it takes one number")),
        };
        self.note_pair(view.node, op, a, b);
        Ok(Value::Layer(view))
    }

    /// Two tensors as views of nodes that can be computed with element by element.
    ///
    /// For a product one of them may be left a vector, which scales channels.
    fn aligned(&mut self, name: &str, a: &View, b: &View, op: Binary) -> Result<(View, View), Cannot> {
        let (mut a, mut b) = (a.clone(), b.clone());
        let rank = a.axes.len().max(b.axes.len());
        for view in [&mut a, &mut b] {
            while view.axes.len() < rank {
                view.axes.insert(0, vec![]);
            }
        }
        let is_product = matches!(op, Binary::Multiply | Binary::Divide);
        let [size_a, size_b] = [&a, &b].map(|view| view.dims().iter().product::<usize>());
        if size_a < size_b {
            a = self.spread_over(name, &a, &b, is_product)?;
        } else if size_b < size_a {
            b = self.spread_over(name, &b, &a, is_product)?;
        }
        let (shape_a, shape_b) = (self.shape(&a), self.shape(&b));
        if is_product && is_vector(shape_a) && !is_vector(shape_b) {
            let a = self.ordered_as(&a, &b)?;
            return Ok((a, b));
        }
        if shape_a == shape_b || is_product && is_vector(shape_b) {
            let b = self.ordered_as(&b, &a)?;
            return Ok((a, b));
        }
        let (a, b) = match (shape_a, shape_b) {
            (Shape::Map { .. }, Shape::Map { .. }) => (self.tokens(&a)?, self.tokens(&b)?),
            _ => (self.vector(&a)?, self.vector(&b)?),
        };
        let b = self.ordered_as(&b, &a)?;
        Ok((a, b))
    }

    /// `b`, of the shape of `a` or a vector, with its channels in the order in which `a` has them, axis by axis.
    fn ordered_as(&mut self, b: &View, a: &View) -> Result<View, Cannot> {
        let wrong = || cannot(format!("{:?} and {:?} have their axes in other orders", a.dims(), b.dims()));
        let has_positions = !is_vector(self.shape(b));
        let mut pairs = Vec::new();
        for (x, y) in a.axes.iter().zip(&b.axes) {
            let mut x = x.clone();
            x.retain(|atom| has_positions || atom.part == Part::Channels);
            let refined = refine(&x, y).or_else(|| refine(&merge(x.into_iter()), &merge(y.iter().copied())));
            pairs.extend(refined.ok_or_else(wrong)?);
        }
        if pairs.iter().any(|(x, y)| x.part != y.part || x.part != Part::Channels && x.stride != y.stride) {
            return Err(wrong());
        }
        pairs.retain(|(x, _)| x.part == Part::Channels);
        pairs.sort_by_key(|(x, _)| std::cmp::Reverse(x.stride));
        let order: Vec<_> = pairs.iter().map(|(_, y)| *y).collect();
        if merge(order.iter().copied()).iter().all(|atom| atom.stride == 1) {
            return Ok(b.clone());
        }
        self.spend(2 * self.shape(b).channels())?;
        let selected: Vec<usize> = arrange::offsets(&order);
        let name = format!("{}_arranged", self.graph.node(b.node).name);
        Ok(a.of(self.add(&name, Op::Select(selected.into()), &[b.node])?))
    }

    /// `small` repeated over the axes where it has size 1 and `large` has not.
    fn spread_over(&mut self, name: &str, small: &View, large: &View, is_product: bool) -> Result<View, Cannot> {
        let (from, to) = (small.dims(), large.dims());
        let wrong = || cannot(format!("{from:?} does not spread over {to:?}"));
        if from.iter().zip(&to).any(|(&a, &b)| a != b && a != 1) {
            return Err(wrong());
        }
        let repeated: Vec<usize> = (0..to.len()).filter(|&axis| from[axis] != to[axis]).collect();
        let parts = |part: Part| large.atoms().filter(|atom| atom.part == part).count();
        let covered =
            |part: Part| repeated.iter().flat_map(|&axis| &large.axes[axis]).filter(|atom| atom.part == part).count();
        // Only all channels, all rows or all columns can be repeated.
        let mut spread = small.clone();
        for part in [Part::Channels, Part::Rows, Part::Columns] {
            if covered(part) != 0 && covered(part) != parts(part) {
                return Err(wrong());
            }
        }
        let repeats = |part: Part| covered(part) != 0;
        let shape = self.shape(large);
        if let (Shape::Map { w: 1, .. }, Shape::Map { w, .. }) = (shape, self.shape(&spread))
            && w != 1
        {
            spread = self.tokens(&spread)?;
        }
        if repeats(Part::Channels) {
            if self.shape(&spread).channels() != 1 {
                return Err(wrong());
            }
            let c = shape.channels();
            self.spend(2 * c)?;
            let node = self.add(&format!("{name}_repeated"), Op::Select(vec![0; c].into()), &[spread.node])?;
            for &axis in &repeated {
                let channels = large.axes[axis].iter().copied().filter(|atom| atom.part == Part::Channels);
                spread.axes[axis].extend(channels);
            }
            spread.node = node;
        }
        if let (Shape::Map { h, w, .. }, true) = (shape, repeats(Part::Rows) || repeats(Part::Columns)) {
            let one_position = self.shape(&spread).positions() == [1, 1];
            if is_product && one_position && shape.positions() != [1, 1] {
                // A product takes channels without positions as they are.
                return self.vector(&spread);
            }
            if is_vector(self.shape(&spread)) {
                spread = self.map_of_vector(&spread)?;
            }
            let op = Op::ResizeBilinear { size: [h, w], sampling: Sampling::Asymmetric };
            spread.node = self.add(&format!("{name}_spread"), op, &[spread.node])?;
            for &axis in &repeated {
                spread.axes[axis] = large.axes[axis].clone();
            }
        }
        Ok(spread)
    }

    /// A vector as a map with one position.
    pub(super) fn map_of_vector(&mut self, view: &View) -> Result<View, Cannot> {
        let Shape::Vector { c } = self.shape(view) else { return Ok(view.clone()) };
        let before = self.graph.node(view.node).clone();
        let name = format!("{}_map", before.name);
        if let Op::GlobalMean = before.op {
            return Ok(view.of(self.add(&name, Op::AdaptiveAveragePool([1, 1]), &before.inputs)?));
        }
        self.spend(c)?;
        let ones = Op::Constant(Weights::new([c, 1, 1], vec![1.0; c]));
        let ones = self.add(&format!("{name}_ones"), ones, &[])?;
        Ok(view.of(self.add(&name, Op::Multiply, &[ones, view.node])?))
    }
}

fn is_vector(shape: Shape) -> bool {
    matches!(shape, Shape::Vector { .. })
}
