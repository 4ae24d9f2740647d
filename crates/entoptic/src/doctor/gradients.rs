//! Whether a run's first step has somewhere to go: gradients of units of each layer at the image that runs start from.

use burn::tensor::{Device, Tensor};
use entoptic_network::{
    GradientOverrides, Network, Pass, Wanted,
    graph::{Graph, NodeId, Op},
    relu_overrides,
};
use rand::RngExt;
use serde::Serialize;

use super::{Check, Finding, Severity, answers::last, count, finding, layers::used, size};
use crate::{
    Error,
    chance::{Purpose, Rng, draws},
    param::{Param, Prepared, image},
    recipe::{Job, Unit},
};

/// The gradient of a unit, everywhere, at the image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitGradient {
    /// The unit.
    pub unit: Unit,
    /// What its layer computes, such as `relu`.
    pub kind: String,
    /// The length of the derivative.
    pub plain: f64,
    /// Its length where ReLUs redirect gradients, as they do in the first steps of a run.
    pub redirected: f64,
}

/// Adam divides a gradient by its size plus this, so that smaller gradients move the image slower; Lucid's default.
const ADAM_EPSILON: f64 = 1e-8;
/// The squares of larger gradients, which Adam keeps, are no finite numbers in single precision.
const OVERFLOWS: f64 = 1e18;

/// The images that runs start from are this large unless somebody says otherwise.
const SIDE: usize = 128;

/// What is looked at: layers spread evenly over a network, but none that is only there for its ReLU.
pub(super) fn layers(network: &Network, most: usize) -> Vec<NodeId> {
    let graph = network.graph();
    let is_read_by_relu = |id: NodeId| {
        let mut readers = graph.nodes().iter().filter(|node| node.inputs.contains(&id));
        readers.any(|node| matches!(node.op, Op::Relu | Op::Relu6))
    };
    let depends = depending(graph);
    let mut layers = used(graph, last(network));
    // What prepares the image is no layer to look at.
    let prepares = |id: NodeId| {
        let node = &graph.nodes()[id];
        matches!(node.op, Op::Affine { .. } | Op::Select(_)) && node.inputs == [0]
    };
    layers.retain(|&id| depends[id] && !is_read_by_relu(id) && !prepares(id));
    let count = layers.len().min(most);
    // The first and the last are among them.
    (0..count).map(|i| layers[if count < 2 { 0 } else { i * (layers.len() - 1) / (count - 1) }]).collect()
}

/// Which nodes depend on the image.
fn depending(graph: &Graph) -> Vec<bool> {
    let mut depends: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        depends.push(matches!(node.op, Op::Input) || node.inputs.iter().any(|&input| depends[input]));
    }
    depends
}

/// The size of the images that gradients are of, `[h, w]`: a run's, if the network takes it.
fn image_size(network: &Network) -> [usize; 2] {
    let takes = match last(network) {
        Some(last) => network.shape(&last.name, [SIDE; 2]).is_ok(),
        None => network.graph().shapes([SIDE; 2]).is_ok(),
    };
    let smaller = network.graph().size().iter().all(|&side| side >= SIDE);
    if takes && smaller { [SIDE; 2] } else { network.graph().size() }
}

/// The image that a run from `seed` starts from; noise of so many channels, if they are no colors.
fn start(c: usize, size: [usize; 2], seed: u64, device: &Device) -> Tensor<4> {
    let param = Param::from(image(size));
    let (prepared, variables) = Prepared::new([&param], device, &mut draws(seed, Purpose::Variables));
    let values = prepared.evaluate(&variables, &mut draws(seed, Purpose::Noise));
    let image = values.get(&param).expect("it was prepared");
    let colors: Vec<Tensor<4>> = (0..c).map(|channel| image.clone().narrow(1, channel % 3, 1)).collect();
    Tensor::cat(colors, 1)
}

/// The gradients of a random unit of each of `layers`.
pub(super) fn measure(job: &mut Job<'_>, layers: &[NodeId], seed: u64) -> Result<Vec<UnitGradient>, Error> {
    let network = job.network();
    let mut rng: Rng = draws(seed, Purpose::Units);
    let start = start(network.graph().channels(), image_size(network), seed, &job.device().clone());
    let start = start.autodiff().require_grad();
    let mut gradients = Vec::new();
    for &id in layers {
        let node = &network.graph().nodes()[id];
        let unit = Unit::from((&node.name, rng.random_range(0..node.shape.channels())));
        let wanted = [Wanted::channel(&unit.layer, unit.channel)];
        let mut length = |gradients: GradientOverrides| -> Result<f64, Error> {
            let pass = Pass { gradients, ..Pass::default() };
            let value = network.answer(start.clone(), &wanted, &pass)?.channel(&unit.layer, unit.channel)?.mean();
            // Overrides are of what is minimized.
            let gradient = start.grad(&(-value).backward());
            if !job.advance() {
                return Err(Error::Ended);
            }
            let gradient = gradient.map(|gradient| gradient.try_into_vec_as::<f32>().expect("gradients are f32"));
            Ok(gradient.into_iter().flatten().map(|g| f64::from(g).powi(2)).sum::<f64>().sqrt())
        };
        let (plain, redirected) = (length(GradientOverrides::none())?, length(relu_overrides())?);
        gradients.push(UnitGradient { unit, kind: node.op.kind(), plain, redirected });
    }
    Ok(gradients)
}

/// What the gradients say about runs.
pub(super) fn findings(network: &Network, gradients: &[UnitGradient]) -> Vec<Finding> {
    let [h, w] = image_size(network);
    let numbers = (network.graph().channels() * h * w) as f64;
    // Of each number of the image, as Adam sees it.
    let each = |gradient: &UnitGradient| gradient.redirected / numbers.sqrt();
    let warning =
        |measured: String, advice: &str| finding(Check::Gradients, Severity::Warning, measured, Some(advice.into()));
    let named = |gradients: &[&UnitGradient]| {
        let few: Vec<String> = gradients.iter().take(5).map(|gradient| format!("`{}`", gradient.unit)).collect();
        format!("{}{}", few.join(" "), if gradients.len() > 5 { " ..." } else { "" })
    };
    let those =
        |is: &dyn Fn(&UnitGradient) -> bool| gradients.iter().filter(|gradient| is(gradient)).collect::<Vec<_>>();

    let mut findings = Vec::new();
    let broken = those(&|gradient| !gradient.plain.is_finite() || !gradient.redirected.is_finite());
    if let Some(first) = broken.first() {
        findings.push(finding(
            Check::Gradients,
            Severity::Wrong,
            format!("the gradient is no number for {} of {} units: {}", broken.len(), gradients.len(), named(&broken)),
            Some(format!("layers before `{}` can be rendered", first.unit.layer)),
        ));
    }
    let is_softmax = |gradient: &UnitGradient| gradient.kind == "softmax";
    let still = those(&|gradient| gradient.redirected == 0.0 && !is_softmax(gradient));
    if !still.is_empty() {
        let all = still.len() * 2 > gradients.len();
        let measured = format!(
            "nothing moves {} of {} units at the image that runs start from: {}",
            still.len(),
            gradients.len(),
            named(&still)
        );
        let advice = "the gradient is zero, even through redirected ReLUs: try other channels, a layer before its \
                      ReLU, or --init with a photo";
        findings.push(match all {
            true => finding(Check::Gradients, Severity::Wrong, measured, Some(advice.into())),
            false => warning(measured, advice),
        });
    }
    let weak = those(&|gradient| gradient.redirected > 0.0 && each(gradient) < ADAM_EPSILON && !is_softmax(gradient));
    if let Some(first) = weak.first() {
        findings.push(warning(
            format!(
                "the gradients of {} of {} units are so small that Adam hardly moves the image: {}, {:.0e} a pixel",
                weak.len(),
                gradients.len(),
                named(&weak),
                each(first)
            ),
            "multiply the objective, such as '1e6*LAYER:CHANNEL'; and look at how layers shrink what they are given",
        ));
    }
    let strong = those(&|gradient| gradient.redirected > OVERFLOWS);
    if !strong.is_empty() {
        findings.push(warning(
            format!("the gradients of {} of {} units overflow Adam: {}", strong.len(), gradients.len(), named(&strong)),
            "multiply the objective, such as '1e-12*LAYER:CHANNEL'; and look at how layers enlarge what they are given",
        ));
    }
    if let Some(softmax) = those(&|gradient| is_softmax(gradient) && each(gradient) < ADAM_EPSILON).first()
        && let Some(logits) = before(network.graph(), &softmax.unit.layer)
    {
        findings.push(finding(
            Check::Gradients,
            Severity::Remark,
            format!("`{}` is a softmax, whose gradients are too small to move the image", softmax.unit.layer),
            Some(format!("for a class maximize `{logits}:CLASS`, not `{}:CLASS`", softmax.unit.layer)),
        ));
    }
    if findings.iter().any(|finding| finding.severity > Severity::Remark) || gradients.is_empty() {
        return findings;
    }
    let moving = those(&|gradient| !is_softmax(gradient));
    let extreme = |order: fn(&f64, &f64) -> std::cmp::Ordering| {
        moving.iter().copied().min_by(|a, b| order(&a.redirected, &b.redirected)).unwrap_or(&gradients[0])
    };
    let (smallest, largest) = (extreme(f64::total_cmp), extreme(|a, b| b.total_cmp(a)));
    let off = those(&|gradient| gradient.plain == 0.0).len();
    let redirected = match off {
        0 => String::new(),
        off => format!(
            "; {off} of them are off where runs start, and move only through redirected ReLUs, which are the default"
        ),
    };
    let measured = format!(
        "{} of as many layers can be moved; gradients are {} (`{}`) to {} (`{}`) long{redirected}",
        count(moving.len(), "unit"),
        size(smallest.redirected),
        smallest.unit,
        size(largest.redirected),
        largest.unit,
    );
    findings.insert(0, finding(Check::Gradients, Severity::Fine, measured, None));
    findings
}

/// The layer that another one reads first.
fn before<'a>(graph: &'a Graph, layer: &str) -> Option<&'a str> {
    let inputs = &graph.nodes()[graph.find(layer).ok()?].inputs;
    inputs.first().map(|&input| graph.nodes()[input].name.as_str())
}
