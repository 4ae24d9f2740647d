//! What a network takes, and what of its file is not in it.

use entoptic_network::{Error, Network, model};

use super::{Check, Finding, Severity, answers::last, count, finding};

/// What the images of a network must be, and what is not known of them.
pub(super) fn findings(network: &Network) -> Vec<Finding> {
    let remark =
        |measured: String, advice: &str| finding(Check::Input, Severity::Remark, measured, Some(advice.into()));
    let (graph, [h, w]) = (network.graph(), network.graph().size());
    let mut findings = Vec::new();
    if graph.channels() != 3 {
        findings.push(remark(
            format!("images have {} channels", graph.channels()),
            "whoever renders gives as many: `--colors gray` for one, in Rust a param of that shape",
        ));
    }
    let layer = last(network).or(graph.nodes().last()).map(|node| node.name.as_str()).unwrap_or_default();
    let only_size = graph.find(layer).ok().and_then(|id| graph.only_size(id));
    findings.push(match only_size {
        Some([h, w]) => remark(
            format!("the last layer takes images of {h}x{w} only"),
            "others are cropped or padded to that; earlier layers may take any size",
        ),
        None => {
            let takes = match network.shape(layer, [1, 1]) {
                Err(Error::Model(model::Error::ImageTooSmall { smallest, .. })) => {
                    format!("images of {smallest}x{smallest} and larger")
                }
                _ => "images of any size".to_owned(),
            };
            finding(Check::Input, Severity::Fine, format!("{takes}; its own size is {h}x{w}"), None)
        }
    });
    if let Some(guess) = network.description().guessed_values() {
        let why = if guess.is_written() { String::new() } else { format!(" ({})", guess.reason) };
        findings.push(remark(
            format!("how it takes colors is a guess{why}"),
            "whoever trained it knows; `entoptic import` writes the guess to a file where it can be changed",
        ));
    }
    findings
}

/// Which operations of its file the network lacks.
pub(super) fn unsupported(network: &Network) -> Option<Finding> {
    let operations = network.graph().unsupported().operations();
    let total: usize = operations.iter().map(|operation| operation.count).sum();
    let kinds: Vec<String> = operations.iter().map(ToString::to_string).collect();
    (total > 0).then(|| {
        let measured = format!("{} of its file cannot be computed: {}", count(total, "operation"), kinds.join(", "));
        let advice = "the layers before them can be used; `entoptic layers` lists them".to_owned();
        finding(Check::Operations, Severity::Warning, measured, Some(advice))
    })
}
