//! Arrays of numbers shown as pictures.

use burn::tensor::{Device, Tensor};

use super::{collapse, load::channels_first, normalize};
use crate::{Array, Error};

/// Which axis of an array holds the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Channels {
    /// `Last`, unless only as `First` there would be 1, 3 or 4 of them.
    #[default]
    Guess,
    /// `[c, h, w]` or `[n, c, h, w]`, as everywhere in entoptic.
    First,
    /// `[h, w, c]` or `[n, h, w, c]`, as in NumPy, Pillow and Lucid.
    Last,
}

/// Images of an array as Lucid's `show` makes them: `[h, w]`, or with channels, or many with channels.
///
/// One channel is gray, three are RGB, four are RGB and alpha; any other number becomes colors through
/// [`collapse`]. The `domain` is as in [`normalize`]; [`Kind::domain`](crate::array::Kind::domain) is the usual one.
///
/// # Shapes
/// - value: `[n, c, h, w]` in `0..=1`, `c` being 1, 3 or 4
///
/// # Errors
/// [`Error::WrongRank`] for an array of other than 2, 3 or 4 axes, [`Error::OutOfRange`] for one without numbers, and as
/// [`normalize`] has them.
///
/// # Reference
/// `show` in Lucid, `misc/io/showing.py`.
pub fn from_array(
    array: &Array,
    channels: Channels,
    domain: Option<[f64; 2]>,
    device: &Device,
) -> Result<Tensor<4>, Error> {
    let first = channels == Channels::First || (channels == Channels::Guess && only_first(&array.shape));
    let (n, [h, w, c]) = match (&array.shape[..], first) {
        (&[h, w], _) => (1, [h, w, 1]),
        (&[c, h, w], true) | (&[h, w, c], false) => (1, [h, w, c]),
        (&[n, c, h, w], true) | (&[n, h, w, c], false) => (n, [h, w, c]),
        (shape, _) => {
            return Err(Error::WrongRank { shape: shape.to_vec(), accepted: "pictures have 2, 3 or 4".into() });
        }
    };
    if array.values.is_empty() {
        let shape = format!("{:?}", array.shape);
        return Err(Error::OutOfRange { what: "a picture's shape", value: shape, accepted: "no axis is 0" });
    }
    let values: Vec<f64> = match first && array.shape.len() > 2 {
        true => last(&array.values, [n, c, h * w]),
        false => array.values.iter().copied().map(f64::from).collect(),
    };
    let (values, c) = if is_color(c) { (values, c) } else { (collapse(&values, c), 3) };
    let values = normalize(&values, domain)?.into_iter().map(|value| value as f32).collect();
    Ok(channels_first(values, [n, h, w, c], device))
}

fn is_color(channels: usize) -> bool {
    [1, 3, 4].contains(&channels)
}

/// Whether the channels can only be the first axis of an image.
fn only_first(shape: &[usize]) -> bool {
    match *shape {
        [c, _, last] | [_, c, _, last] => is_color(c) && !is_color(last),
        _ => false,
    }
}

/// `[n, c, positions]` to `[n, positions, c]`.
fn last(values: &[f32], [n, c, positions]: [usize; 3]) -> Vec<f64> {
    let value = |image: usize, position: usize, channel: usize| values[(image * c + channel) * positions + position];
    let all = (0..n).flat_map(|i| (0..positions).flat_map(move |p| (0..c).map(move |channel| (i, p, channel))));
    all.map(|(i, p, channel)| f64::from(value(i, p, channel))).collect()
}
