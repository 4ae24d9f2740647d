//! Whether a network would see better if it were given other values.

use burn::tensor::Tensor;
use entoptic_network::{
    graph::{Graph, Op},
    model::Preprocessing,
};
use serde::Serialize;

use super::{
    Check, Finding, Photo, Severity,
    answers::{Answer, entropy, probabilities},
    finding,
    photos::Words,
};
use crate::{Error, recipe::Job};

/// What a network sees on photos if it is given them in a range of values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RangeTried {
    /// The range, such as `-1..1, BGR`.
    pub range: String,
    /// Whether it is the network's own.
    pub own: bool,
    /// The probability of right classes: its geometric mean over photos of which they are known, and mirror images.
    pub right: Option<f64>,
    /// How undecided the network is, in bits, on average over photos.
    pub entropy: f64,
    /// What it sees on each photo.
    pub answers: Vec<Answer>,
    /// The lines of a model's description that make the range its own.
    pub lines: Vec<String>,
}

/// One range is clearly better than another if right classes are so many times as likely.
///
/// Measured on SqueezeNet and GoogLeNet: blue for red is 1.3 to 1.7 times worse, values of another size 150 times and
/// more; whether the mean is subtracted is 1.02 either way, which is chance.
const CLEARLY: f64 = 1.15;

/// Right classes that get less are chance, as in a network that is broken: measured 0.02, where a right range has 0.98.
const SEEN: f64 = 0.1;

/// How a graph prepares images, if that is its first operation; a graph that does nothing takes them as they are.
pub(super) fn own(graph: &Graph) -> Option<Preprocessing> {
    let readers = |id| graph.nodes().iter().filter(move |node| node.inputs.contains(&id));
    let mut first = readers(0);
    let (node, None) = (first.next()?, first.next()) else { return Some(Preprocessing::range(0.0, 1.0)) };
    let Op::Affine { scale, shift } = &node.op else { return Some(Preprocessing::range(0.0, 1.0)) };
    let scale: [f32; 3] = scale.values().try_into().ok()?;
    let shift: [f32; 3] = shift.values().try_into().ok()?;
    let place = graph.find(&node.name).ok()?;
    let bgr = readers(place).any(|node| matches!(&node.op, Op::Select(order) if order[..] == [2, 1, 0]));
    let invertible = scale.iter().all(|scale| scale.is_finite() && *scale != 0.0);
    let (mean, std) = ([0, 1, 2].map(|i| -shift[i] / scale[i]), scale.map(|scale| 1.0 / scale));
    invertible.then_some(Preprocessing { mean, std, bgr })
}

/// What people feed networks with, by name.
fn known() -> [(&'static str, Preprocessing); 6] {
    [
        ("0..1", Preprocessing::range(0.0, 1.0)),
        ("-1..1", Preprocessing::MINUS_ONE_TO_ONE),
        ("ImageNet's mean and deviation", Preprocessing::IMAGENET),
        ("0..255", Preprocessing::range(0.0, 255.0)),
        ("-117..138", Preprocessing::range(-117.0, 138.0)),
        ("0..255 minus ImageNet's mean", Preprocessing { bgr: false, ..Preprocessing::CAFFE }),
    ]
}

/// Whether two ranges are one but for a hundredth of their width.
fn are_one(a: &Preprocessing, b: &Preprocessing) -> bool {
    let close = |i: usize| {
        (a.std[i] / b.std[i] - 1.0).abs() < 0.01 && ((a.mean[i] - b.mean[i]) / (1.0 + b.mean[i].abs())).abs() < 0.01
    };
    a.bgr == b.bgr && (0..3).all(close)
}

fn name(preprocessing: &Preprocessing) -> String {
    let rgb = Preprocessing { bgr: false, ..*preprocessing };
    let Preprocessing { mean, std, bgr } = preprocessing;
    let name = match known().into_iter().find(|(_, known)| are_one(&rgb, known)) {
        Some((name, _)) => name.to_owned(),
        None => match bounds(&rgb) {
            Some([low, high]) => format!("{low}..{high}"),
            None => format!("(x - {mean:?}) / {std:?}"),
        },
    };
    if *bgr { format!("{name}, BGR") } else { name }
}

/// What black and white become, if that is the same for all colors.
fn bounds(Preprocessing { mean, std, .. }: &Preprocessing) -> Option<[f32; 2]> {
    let rounded = |value: f32| (value * 1e3).round() / 1e3 + 0.0;
    let same = |values: &[f32; 3]| values.iter().all(|value| *value == values[0]);
    (same(mean) && same(std)).then(|| [-mean[0] / std[0], (1.0 - mean[0]) / std[0]].map(rounded))
}

/// What stands in a model's description.
fn lines(preprocessing: &Preprocessing) -> Vec<String> {
    let Preprocessing { mean, std, bgr } = preprocessing;
    let mut lines = vec!["[input]".to_owned()];
    match bounds(preprocessing) {
        Some(bounds) => lines.push(format!("range = {bounds:?}")),
        None => lines.extend([format!("mean = {mean:?}"), format!("std = {std:?}")]),
    }
    lines.push(format!("channels = \"{}\"", if *bgr { "bgr" } else { "rgb" }));
    lines
}

/// Images that a network which prepares them in its `own` way is given as `other` would.
fn given(images: Tensor<4>, own: &Preprocessing, other: &Preprocessing) -> Tensor<4> {
    let device = images.device();
    let per_color = |values: [f32; 3]| Tensor::<1>::from_floats(values, &device).reshape([1, 3, 1, 1]);
    let values = (images - per_color(other.mean)) / per_color(other.std);
    let values = if own.bgr == other.bgr { values } else { values.flip([1]) };
    values * per_color(own.std) + per_color(own.mean)
}

/// The ranges to try, the network's own first.
pub(super) fn candidates(own: &Preprocessing) -> Vec<Preprocessing> {
    let mut candidates = vec![*own, Preprocessing { bgr: !own.bgr, ..*own }];
    let others =
        known().into_iter().flat_map(|(_, known)| [own.bgr, !own.bgr].map(|bgr| Preprocessing { bgr, ..known }));
    for other in others {
        if !candidates.iter().any(|known| are_one(known, &other)) {
            candidates.push(other);
        }
    }
    candidates
}

/// Shows a network photos in each range.
pub(super) fn try_all(
    job: &mut Job<'_>,
    photos: &[Photo],
    own: &Preprocessing,
    candidates: &[Preprocessing],
) -> Result<Vec<RangeTried>, Error> {
    let mut tried = Vec::new();
    for candidate in candidates {
        let (mut answers, mut entropies, mut logs) = (Vec::new(), Vec::new(), Vec::new());
        for Photo { name, image, classes } in photos {
            let mut see = |image: Tensor<4>| -> Result<Option<Answer>, Error> {
                let probabilities = probabilities(job, given(image, own, candidate))?;
                if !job.advance() {
                    return Err(Error::Ended);
                }
                let answer = Answer::of(job.network(), name, &probabilities, classes);
                logs.extend(answer.iter().filter_map(|answer| answer.right).map(|right| right.max(1e-9).ln()));
                entropies.push(entropy(&probabilities));
                Ok(answer)
            };
            answers.extend(see(image.clone())?);
            see(image.clone().flip([3]))?;
        }
        tried.push(RangeTried {
            range: name(candidate),
            own: candidate == own,
            right: (!logs.is_empty()).then(|| mean(&logs).exp()),
            entropy: mean(&entropies),
            answers,
            lines: lines(candidate),
        });
    }
    Ok(tried)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

impl RangeTried {
    /// What it sees on photos of which right classes are known.
    fn known(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|answer| answer.place.is_some())
    }

    /// How likely right classes are.
    fn likelihood(&self) -> f64 {
        self.right.unwrap_or(0.0)
    }

    /// Whether it is clearly better than another one, and good at all.
    fn is_better_than(&self, other: &Self) -> bool {
        self.likelihood() > SEEN.max(CLEARLY * other.likelihood()) && self.known().any(Answer::is_right)
    }

    /// Those that are not clearly worse, in words.
    fn equals(&self, tried: &[Self]) -> String {
        let equals = |other: &&Self| other.range != self.range && other.likelihood() * CLEARLY >= self.likelihood();
        let names: Vec<&str> = tried.iter().filter(equals).map(|other| other.range.as_str()).collect();
        if names.is_empty() { String::new() } else { format!(" (as good: {})", names.join("; ")) }
    }
}

fn shown<'a>(answers: impl Iterator<Item = &'a Answer>) -> String {
    let shown = answers.map(|answer| format!("{} is `{}` ({:.2})", answer.photo, answer.label, answer.probability));
    shown.collect::<Vec<_>>().join(", ")
}

/// What the answers say about the network and its range; the network's own is the first that was tried.
pub(super) fn findings(words: Words, tried: &[RangeTried]) -> Vec<Finding> {
    // Of those that are as good the one nearest to its own, which stands first.
    let highest = tried.iter().map(RangeTried::likelihood).fold(0.0, f64::max);
    let best = tried.iter().find(|tried| tried.likelihood() * CLEARLY >= highest);
    let ([own, others @ ..], Some(best)) = (tried, best) else { return Vec::new() };
    if own.right.is_none() {
        return vec![unknown(own, tried)];
    }
    let helps = best.is_better_than(own);
    let photos = on_photos(words, own, helps);
    let range = match helps {
        false if photos.severity == Severity::Wrong => {
            let measured = format!("{}; {} others help no better", own.range, others.len());
            finding(Check::Range, Severity::Remark, measured, None)
        }
        false => {
            let (range, others, equals) = (&own.range, others.len(), own.equals(tried));
            let measured = format!("{range}, and none of {others} others is clearly better{equals}");
            finding(Check::Range, Severity::Fine, measured, None)
        }
        true => {
            let measured = format!(
                "right classes get {:.2} with its own, {}, and {:.2} with {}{}: then {}",
                own.likelihood(),
                own.range,
                best.likelihood(),
                best.range,
                best.equals(tried),
                shown(best.known())
            );
            let advice = format!(
                "write into the description beside the model's file, MODEL.toml, which `entoptic import` makes:\n{}",
                best.lines.join("\n")
            );
            finding(Check::Range, photos.severity.max(Severity::Warning), measured, Some(advice))
        }
    };
    vec![photos, range]
}

/// What it sees in its own range; good networks miss some photos, but not most.
fn on_photos(words: Words, own: &RangeTried, another_helps: bool) -> Finding {
    let places: Vec<usize> = own.known().filter_map(|answer| answer.place).collect();
    let among = |first: usize| places.iter().filter(|&&place| place <= first).count();
    let severity = match words {
        _ if among(1) == places.len() => Severity::Fine,
        _ if 2 * among(1) >= places.len() || among(5) == places.len() => Severity::Remark,
        Words::Guessed if !another_helps => Severity::Remark,
        _ => Severity::Wrong,
    };
    let advice = (severity == Severity::Wrong && !another_helps)
        .then(|| "no range of values helps: look at the weights, and at the order of the labels".to_owned());
    let whose = match words {
        Words::Guessed => "; there are no labels, these are ImageNet's in the usual order",
        _ => "",
    };
    finding(Check::Photos, severity, format!("{}{whose}", shown(own.known())), advice)
}

/// What can be said where nobody knows what is right.
fn unknown(own: &RangeTried, tried: &[RangeTried]) -> Finding {
    let most_decided = tried.iter().min_by(|a, b| a.entropy.total_cmp(&b.entropy)).unwrap_or(own);
    let other = match most_decided.own {
        true => "no other range makes it more decided".to_owned(),
        false => format!("{:.1} with {}", most_decided.entropy, most_decided.range),
    };
    let measured = format!(
        "nobody knows what is right on these photos: {}; undecided between {:.1} bits of classes with {}, {other}",
        shown(own.answers.iter()),
        own.entropy,
        own.range,
    );
    let advice = "a photo of a class it knows says more: `entoptic doctor MODEL photo.jpg --class LABEL`";
    finding(Check::Photos, Severity::Remark, measured, Some(advice.to_owned()))
}
