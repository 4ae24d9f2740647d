//! Numbers of any range to those of a picture.

use crate::Error;

/// Values of `domain` `[lowest, highest]` as `0..=1`; what lies outside is clipped.
///
/// Without a domain the smallest value becomes 0 and the largest 1; if they are the same, all become 0.
///
/// # Errors
/// [`Error::OutOfRange`] for a value that is NaN or, without a domain, infinite, and for a domain that is empty.
///
/// # Reference
/// `_normalize_array` in Lucid, `misc/io/serialize_array.py`.
pub fn normalize(values: &[f64], domain: Option<[f64; 2]>) -> Result<Vec<f64>, Error> {
    let [low, high] = span(values, domain)?;
    let width = if high > low { high - low } else { 1.0 };
    Ok(values.iter().map(|value| (value.clamp(low, high) - low) / width).collect())
}

/// Values of `domain` as 8 bits, truncated as in Lucid: 0.999 of `0..=1` is 254. [`save`](super::save) rounds.
///
/// # Errors
/// As [`normalize`] has them.
///
/// # Reference
/// `_normalize_array` in Lucid, `misc/io/serialize_array.py`. It neither scales nor shifts whole numbers, so that a
/// picture of bytes is black with its default domain; here they have the domain `[0, 255]`, see
/// [`Kind::domain`](crate::array::Kind::domain).
pub fn to_bytes(values: &[f64], domain: Option<[f64; 2]>) -> Result<Vec<u8>, Error> {
    let [low, high] = span(values, domain)?;
    let scale = if high > low { 255.0 / (high - low) } else { 1.0 };
    Ok(values.iter().map(|value| ((value.clamp(low, high) - low) * scale) as u8).collect())
}

/// The domain, given or measured.
fn span(values: &[f64], domain: Option<[f64; 2]>) -> Result<[f64; 2], Error> {
    let odd = |value: &&f64| value.is_nan() || (domain.is_none() && value.is_infinite());
    if let Some(value) = values.iter().find(odd) {
        let accepted = "pictures are made of finite numbers";
        return Err(Error::OutOfRange { what: "a picture's value", value: value.to_string(), accepted });
    }
    let extreme = |of: fn(f64, f64) -> f64| values.iter().copied().reduce(of).unwrap_or(0.0);
    match domain {
        None => Ok([extreme(f64::min), extreme(f64::max)]),
        Some([low, high]) if low < high && low.is_finite() && high.is_finite() => Ok([low, high]),
        Some([low, high]) => Err(Error::OutOfRange {
            what: "a domain",
            value: format!("{low},{high}"),
            accepted: "it is the lowest and the highest value, such as 0,1",
        }),
    }
}
