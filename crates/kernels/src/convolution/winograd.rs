//! Convolutions by 3×3 windows with fewer products, and their gradients, which are such convolutions too.

use super::Weights;
use crate::{
    Cpu, Dims, Place, Window,
    kernel::{
        packed::PackedF32,
        product::Target,
        windows::Source,
        winograd::{Form, Winograd},
    },
};

/// One direction's weights as seen at each point.
pub(super) struct Seen {
    form: Form,
    weights: PackedF32,
}

impl Seen {
    /// Whether a convolution can be done so at all.
    pub(super) fn suits(weights: Weights<'_>) -> bool {
        let window = Window { size: [3; 2], stride: [1; 2], dilation: [1; 2] };
        weights.window == window && weights.groups == 1
    }

    /// The weights from input to output.
    pub(super) fn forward(form: Form, weights: Weights<'_>) -> Self {
        let [outs, ins] = weights.channels;
        let at = |element: usize, input: usize, out: usize| weights.kernel[(out * ins + input) * 9 + element];
        Self::new(form, [ins, outs], at, |out| weights.bias.map_or(0.0, |bias| bias[out]))
    }

    /// Those from the output's gradient to the input's: reversed.
    pub(super) fn gradient(form: Form, weights: Weights<'_>) -> Self {
        let [outs, ins] = weights.channels;
        let at = |element: usize, out: usize, input: usize| weights.kernel[(out * ins + input) * 9 + 8 - element];
        Self::new(form, [outs, ins], at, |_| 0.0)
    }

    /// The convolution of `source`; what it becomes is the caller's.
    pub(super) fn run(&self, cpu: Cpu, source: Source<'_>, place: Place, dims: Dims, target: Target<'_>) {
        Winograd { form: self.form, source, place, weights: &self.weights, target, dims }.run(cpu);
    }

    fn new(
        form: Form,
        [from, to]: [usize; 2],
        at: impl Fn(usize, usize, usize) -> f32,
        bias: impl Fn(usize) -> f32,
    ) -> Self {
        let points = form.points();
        let side = form.outputs() + 2;
        let mut seen = vec![0.0; points * from * to];
        for channel in 0..from {
            for column in 0..to {
                let window = [0, 1, 2].map(|i| [0, 1, 2].map(|j| f64::from(at(3 * i + j, channel, column))));
                for (i, row) in form.window(window).iter().enumerate().take(side) {
                    for (j, x) in row.iter().enumerate().take(side) {
                        seen[((i * side + j) * from + channel) * to + column] = *x as f32;
                    }
                }
            }
        }
        Self { form, weights: PackedF32::new(points * from, to, |row, column| seen[row * to + column], bias) }
    }
}
