//! Maps whose rows and columns are weighted sums of another's: parts, borders, other sizes, means over areas.

use crate::{
    Cpu, Map, MapMut,
    kernel::simd::{Kernel, Simd},
};

/// Along one axis: for each place of the output, which places of the input it is the sum of, and their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Taps {
    taps: Vec<Vec<(usize, f32)>>,
    inputs: usize,
}

impl Taps {
    /// Taps on an axis of `inputs` places.
    ///
    /// # Panics
    /// If a tap is outside.
    pub fn new(taps: Vec<Vec<(usize, f32)>>, inputs: usize) -> Self {
        assert!(taps.iter().flatten().all(|&(place, _)| place < inputs), "taps on {inputs} places");
        Self { taps, inputs }
    }

    /// Each place's taps.
    pub fn iter(&self) -> impl Iterator<Item = &[(usize, f32)]> + Clone {
        self.taps.iter().map(Vec::as_slice)
    }

    /// The way back: which places of the output each of the input contributes to.
    pub fn transposed(&self) -> Self {
        let mut taps = vec![Vec::new(); self.inputs];
        for (output, places) in self.taps.iter().enumerate() {
            for &(input, weight) in places {
                taps[input].push((output, weight));
            }
        }
        Self { taps, inputs: self.taps.len() }
    }
}

/// For each place the sum over `rows`' taps and `columns`' taps of `input`, or that added to the output.
///
/// # Panics
/// If sizes disagree.
pub fn resample(cpu: Cpu, rows: &Taps, columns: &Taps, input: Map<'_>, output: MapMut<'_>, add: bool) {
    let (from, to) = (input.dims, output.dims);
    assert_eq!([from.n, from.c], [to.n, to.c], "images and channels");
    assert_eq!([rows.inputs, columns.inputs], [from.h, from.w], "taps on the input");
    assert_eq!([rows.taps.len(), columns.taps.len()], [to.h, to.w], "taps for the output");
    let work = from.len() + to.len();
    cpu.spread(to.n * to.h, work, output, |places, mut output| {
        for (row, place) in places.enumerate() {
            let (image, place) = (place / to.h, place % to.h);
            let pixel = |y: usize, x: usize| input.pixel((image * from.h + y) * from.w + x);
            let taps = &rows.taps[place];
            cpu.isa.run(Row { taps, columns: &columns.taps, pixel, row, output: output.reborrow(), add });
        }
    });
}

struct Row<'a, F> {
    taps: &'a [(usize, f32)],
    columns: &'a [Vec<(usize, f32)>],
    pixel: F,
    row: usize,
    output: MapMut<'a>,
    add: bool,
}

impl<'p, F: Fn(usize, usize) -> &'p [f32]> Kernel for Row<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { taps, columns, pixel, row, mut output, add } = self;
        for (column, across) in columns.iter().enumerate() {
            let output = output.pixel(row * columns.len() + column);
            if !add {
                output.fill(0.0);
            }
            for &(y, down) in taps {
                for &(x, weight) in across {
                    let weight = weight * down;
                    output.iter_mut().zip(pixel(y, x)).for_each(|(to, from)| *to += weight * from);
                }
            }
        }
    }
}
