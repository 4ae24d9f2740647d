//! What files spell out in small operations and a graph has as one: layer norms and smooth activations.

use std::f32::consts::FRAC_1_SQRT_2;

use super::{Binary, Cannot, Lift, Value, View};
use crate::graph::{Function, NodeId, Op, Weights};

/// What a node is known to be; `of` is the tensor that all of it is about.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// The mean over channels.
    Mean { of: View },
    /// What is left without that mean.
    Centered { of: View },
    /// Its square.
    Squared { of: View },
    /// Its mean over channels, plus something small.
    Variance { of: View, epsilon: f32 },
    /// The root of that.
    Deviation { of: View, epsilon: f32 },
    /// One over that root.
    InverseDeviation { of: View, epsilon: f32 },
    /// The tensor times a number.
    Scaled { of: View, by: f32 },
    /// `erf(x / √2)`.
    Erf { of: View },
    /// `1 + erf(x / √2)`, times a number.
    OnePlusErf { of: View, by: f32 },
    /// `x (1 + erf(x / √2))`, times a number.
    Gelu { of: View, by: f32 },
}

fn is_close(a: f32, b: f32) -> bool {
    (a - b).abs() < 1e-4 * b.abs()
}

/// The view of one number at each position, where `view` has all its channels.
fn at_positions(view: &View) -> View {
    let mut view = view.clone();
    for axis in &mut view.axes {
        axis.retain(|atom| atom.part != super::view::Part::Channels);
    }
    view
}

impl Lift {
    pub(super) fn note(&mut self, node: NodeId, known: Known) {
        self.known.insert(node, known);
    }

    /// Notes what a mean over channels of `of` is.
    pub(super) fn note_mean(&mut self, node: NodeId, of: &View) {
        let known = match self.known.get(&of.node) {
            Some(Known::Squared { of }) => Known::Variance { of: of.clone(), epsilon: 0.0 },
            _ => Known::Mean { of: of.clone() },
        };
        self.note(node, known);
    }

    /// Notes what a function of each number of `x` is.
    pub(super) fn note_function(&mut self, node: NodeId, function: Function, x: &View) {
        let known = match (function, self.known.get(&x.node)) {
            (Function::Power { exponent: 2.0 }, Some(Known::Centered { of })) => Known::Squared { of: of.clone() },
            (Function::Power { exponent: 0.5 }, Some(Known::Variance { of, epsilon })) => {
                Known::Deviation { of: of.clone(), epsilon: *epsilon }
            }
            (Function::Power { exponent: -0.5 }, Some(Known::Variance { of, epsilon }))
            | (Function::Power { exponent: -1.0 }, Some(Known::Deviation { of, epsilon })) => {
                Known::InverseDeviation { of: of.clone(), epsilon: *epsilon }
            }
            (Function::Erf, Some(Known::Scaled { of, by })) if is_close(*by, FRAC_1_SQRT_2) => {
                Known::Erf { of: of.clone() }
            }
            _ => return,
        };
        self.note(node, known);
    }

    /// A sum or product of `x` and one number, if that ends something known.
    pub(super) fn with_number_known(&mut self, name: &str, x: &View, scale: f32) -> Result<Option<Value>, Cannot> {
        match self.known.get(&x.node) {
            Some(Known::Gelu { of, by }) if is_close(by * scale, 0.5) => {
                let of = of.clone();
                self.smooth(name, Function::Gelu, &of, x).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Notes what `scale x + shift` is.
    pub(super) fn note_affine(&mut self, node: NodeId, x: &View, scale: f32, shift: f32) {
        let known = match self.known.get(&x.node) {
            Some(Known::Variance { of, epsilon }) if scale == 1.0 => {
                Known::Variance { of: of.clone(), epsilon: epsilon + shift }
            }
            Some(Known::Erf { of }) if (scale, shift) == (1.0, 1.0) => Known::OnePlusErf { of: of.clone(), by: 1.0 },
            Some(Known::OnePlusErf { of, by }) if shift == 0.0 => Known::OnePlusErf { of: of.clone(), by: by * scale },
            _ if shift == 0.0 => Known::Scaled { of: x.clone(), by: scale },
            _ => return,
        };
        self.note(node, known);
    }

    /// What `a op b` is, if it ends something known.
    pub(super) fn pair_known(&mut self, name: &str, op: Binary, a: &View, b: &View) -> Result<Option<Value>, Cannot> {
        let norm = match (op, self.known.get(&a.node), self.known.get(&b.node)) {
            (Binary::Divide, Some(Known::Centered { of }), Some(Known::Deviation { of: other, epsilon }))
            | (Binary::Multiply, Some(Known::Centered { of }), Some(Known::InverseDeviation { of: other, epsilon }))
                if of == other && a.axes == of.axes && b.axes == at_positions(of).axes =>
            {
                Some((of.clone(), *epsilon))
            }
            _ => None,
        };
        if let Some((of, epsilon)) = norm {
            let c = self.shape(&of).channels();
            self.spend(2 * c)?;
            let (gamma, beta) = (Weights::new([c], vec![1.0; c]), Weights::new([c], vec![0.0; c]));
            let node = self.add(name, Op::LayerNorm { gamma, beta, epsilon }, &[of.node])?;
            return Ok(Some(Value::Layer(of.of(node))));
        }
        if op != Binary::Multiply || a.axes != b.axes {
            return Ok(None);
        }
        for (x, gate) in [(a, b), (b, a)] {
            let by = match (self.known.get(&x.node), self.known.get(&gate.node)) {
                (_, Some(Known::OnePlusErf { of, by })) if of == x => *by,
                (Some(Known::Scaled { of: x, by: scale }), Some(Known::OnePlusErf { of, by })) if of == x => by * scale,
                _ => 0.0,
            };
            if is_close(by, 0.5) {
                let Some(Known::OnePlusErf { of, .. }) = self.known.get(&gate.node) else { continue };
                let of = of.clone();
                return self.smooth(name, Function::Gelu, &of, x).map(Some);
            }
            let gate = self.graph.node(gate.node);
            let function = match gate.op {
                Op::Pointwise(Function::Sigmoid) => Function::Silu,
                Op::Pointwise(Function::HardSigmoid { slope, offset: 0.5 }) if is_close(slope, 1.0 / 6.0) => {
                    Function::HardSwish
                }
                _ => continue,
            };
            if gate.inputs == [x.node] {
                return self.smooth(name, function, x, x).map(Some);
            }
        }
        Ok(None)
    }

    /// Notes what `a op b`, which was added as `node`, is.
    pub(super) fn note_pair(&mut self, node: NodeId, op: Binary, a: &View, b: &View) {
        let known = match (op, self.known.get(&a.node), self.known.get(&b.node)) {
            (Binary::Subtract, _, Some(Known::Mean { of })) if of == a && b.axes == at_positions(of).axes => {
                Known::Centered { of: of.clone() }
            }
            (Binary::Multiply, Some(Known::Centered { of }), _) if a == b => Known::Squared { of: of.clone() },
            (Binary::Multiply, _, Some(Known::OnePlusErf { of, by })) if of == a => {
                Known::Gelu { of: of.clone(), by: *by }
            }
            (Binary::Multiply, Some(Known::OnePlusErf { of, by }), _) if of == b => {
                Known::Gelu { of: of.clone(), by: *by }
            }
            _ => return,
        };
        self.note(node, known);
    }

    fn smooth(&mut self, name: &str, function: Function, of: &View, axes: &View) -> Result<Value, Cannot> {
        let node = self.add(name, Op::Pointwise(function), &[of.node])?;
        Ok(Value::Layer(axes.of(node)))
    }
}
