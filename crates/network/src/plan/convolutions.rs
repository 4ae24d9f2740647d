//! Convolutions with their weights in the order that kernels want: one for each, however many plans use it.

use std::sync::{Arc, Mutex, Weak};

use entoptic_kernels::{self as kernels, Precision};

use super::lower::sliding;
use crate::graph::{Convolution, Linear, Padding, Weights, Window};

/// The convolutions that plans use.
#[derive(Default)]
pub(super) struct Convolutions(Mutex<Vec<Known>>);

/// Those of one precision.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a> {
    all: &'a Convolutions,
    precision: Precision,
}

struct Known {
    convolution: Convolution,
    precision: Precision,
    packed: Weak<kernels::Convolution>,
}

impl Convolutions {
    pub fn with(&self, precision: Precision) -> Packed<'_> {
        Packed { all: self, precision }
    }
}

impl Packed<'_> {
    /// A convolution, wherever it starts.
    pub fn of(self, convolution: &Convolution) -> Arc<kernels::Convolution> {
        let mut known = self.all.0.lock().expect("no thread panics while it holds the convolutions");
        let same = |known: &Known| {
            let (a, b) = (&known.convolution, convolution);
            let same = |a: &Option<Weights>, b: &Option<Weights>| Weights::are_same(a.as_ref(), b.as_ref());
            let same_numbers = a.weight.is(&b.weight) && same(&a.scale, &b.scale) && same(&a.bias, &b.bias);
            let same_numbers = same_numbers && known.precision == self.precision;
            same_numbers && sliding(&a.window) == sliding(&b.window) && a.groups == b.groups
        };
        if let Some(packed) = known.iter().find(|known| same(known)).and_then(|known| known.packed.upgrade()) {
            return packed;
        }
        known.retain(|known| known.packed.strong_count() > 0);
        let packed = Arc::new(pack(convolution, self.precision));
        known.push(Known {
            convolution: convolution.clone(),
            precision: self.precision,
            packed: Arc::downgrade(&packed),
        });
        packed
    }

    /// A fully connected layer: a convolution of one pixel.
    pub fn linear(self, linear: &Linear) -> Arc<kernels::Convolution> {
        let window = Window { padding: Padding::NONE, ..Window::new(1, 1) };
        let Linear { weight, bias } = linear.clone();
        self.of(&Convolution { weight, scale: None, bias, window, groups: 1 })
    }
}

fn pack(c: &Convolution, precision: Precision) -> kernels::Convolution {
    let [outputs, inputs] = [c.weight.shape()[0], c.weight.shape()[1]];
    let scaled = c.scaled_weight();
    let weights = kernels::Weights {
        kernel: scaled.values(),
        bias: c.bias.as_ref().map(Weights::values),
        channels: [outputs, inputs * c.groups],
        groups: c.groups,
        window: sliding(&c.window),
    };
    kernels::Convolution::with_precision(weights, precision)
}
