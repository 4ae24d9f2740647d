//! How a window slides over a map.

/// A window that slides over a map, without saying where it starts: that depends on the map's size and padding, see
/// [`Place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub size: [usize; 2],
    /// How far it moves down and to the right.
    pub stride: [usize; 2],
    /// The distance between neighboring elements of the window, down and to the right.
    pub dilation: [usize; 2],
}

/// The row and column of a map under the first element of the window's first position; negative in the padding.
///
/// Element `[i, j]` of the window at output `[y, x]` reads row `place[0] + y * stride[0] + i * dilation[0]` and column
/// `place[1] + x * stride[1] + j * dilation[1]`; what lies outside the map is padding. It may also start inside the map:
/// where only part of an output is wanted.
pub type Place = [isize; 2];

impl Window {
    /// How many elements it has.
    pub fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Which row, or column, of a map lies under an element of the window at an output; nothing in the padding.
    fn under(&self, axis: usize, place: Place, output: usize, element: usize, inputs: usize) -> Option<usize> {
        let at = place[axis] + (output * self.stride[axis] + element * self.dilation[axis]) as isize;
        usize::try_from(at).ok().filter(|&at| at < inputs)
    }
}

/// One way that a row, or column, is connected with one of another map: through an element of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tap {
    /// Which row, or column, of the other map.
    pub(crate) at: usize,
    /// Which of the window's.
    pub(crate) element: usize,
}

/// The taps of every row, or column, of a map, for one that gathers from another.
#[derive(Debug)]
pub(crate) struct Taps {
    taps: Vec<Tap>,
    ends: Vec<usize>,
}

impl Taps {
    /// The inputs under each output's window, in the window's order.
    pub(crate) fn inputs(window: Window, axis: usize, place: Place, inputs: usize, outputs: usize) -> Self {
        let elements = 0..window.size[axis];
        let under = |output: usize| {
            elements.clone().filter_map(move |element| {
                window.under(axis, place, output, element, inputs).map(|at| Tap { at, element })
            })
        };
        Self::new((0..outputs).map(under))
    }

    /// The outputs whose window lies over each input, in their order.
    pub(crate) fn outputs(window: Window, axis: usize, place: Place, inputs: usize, outputs: usize) -> Self {
        let (stride, dilation) = (window.stride[axis], window.dilation[axis]);
        // The last elements are the first outputs'.
        let over = |input: usize| {
            (0..window.size[axis]).rev().filter_map(move |element| {
                let from = usize::try_from(input as isize - place[axis] - (element * dilation) as isize).ok()?;
                let at = Some(from / stride).filter(|&at| from.is_multiple_of(stride) && at < outputs)?;
                Some(Tap { at, element })
            })
        };
        Self::new((0..inputs).map(over))
    }

    fn new(each: impl Iterator<Item = impl Iterator<Item = Tap>>) -> Self {
        let mut all = Self { taps: Vec::new(), ends: vec![0] };
        for taps in each {
            all.taps.extend(taps);
            all.ends.push(all.taps.len());
        }
        all
    }

    /// Those of one row or column.
    pub(crate) fn of(&self, i: usize) -> &[Tap] {
        &self.taps[self.ends[i]..self.ends[i + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taps(taps: &[[usize; 2]]) -> Vec<Tap> {
        taps.iter().map(|&[at, element]| Tap { at, element }).collect()
    }

    #[test]
    fn windows_are_clipped_at_the_borders() {
        let window = Window { size: [3, 3], stride: [2, 1], dilation: [1, 2] };
        let rows = Taps::inputs(window, 0, [-1, -2], 4, 3);
        assert_eq!(rows.of(0), taps(&[[0, 1], [1, 2]]));
        assert_eq!(rows.of(1), taps(&[[1, 0], [2, 1], [3, 2]]));
        assert_eq!(rows.of(2), taps(&[[3, 0]]));
        let columns = Taps::inputs(window, 1, [-1, -2], 4, 4);
        assert_eq!(columns.of(0), taps(&[[0, 1], [2, 2]]));
        assert_eq!(columns.of(3), taps(&[[1, 0], [3, 1]]));
    }

    #[test]
    fn each_way_from_output_to_input_leads_back() {
        for (stride, dilation, place) in [(1, 1, -1), (2, 1, 0), (2, 1, -1), (3, 2, 2), (1, 2, -3), (4, 1, 1)] {
            let window = Window { size: [3; 2], stride: [stride; 2], dilation: [dilation; 2] };
            let (inputs, outputs) = (9, 7);
            let there = Taps::inputs(window, 0, [place; 2], inputs, outputs);
            let back = Taps::outputs(window, 0, [place; 2], inputs, outputs);
            let mut expected = vec![Vec::new(); inputs];
            for output in 0..outputs {
                for tap in there.of(output) {
                    expected[tap.at].push(Tap { at: output, element: tap.element });
                }
            }
            (0..inputs).for_each(|input| assert_eq!(back.of(input), expected[input]));
        }
    }
}
