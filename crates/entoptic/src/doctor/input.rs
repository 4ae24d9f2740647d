//! What a network takes.

use entoptic_network::{Error, Network, model};

use super::{Check, Finding, Severity, answers::last, finding};

/// How many pixels other sizes have more.
const MORE: usize = 32;

/// What the images of a network must be.
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
    let larger = [h + MORE, w + MORE];
    findings.push(if graph.find(layer).is_ok_and(|id| graph.fitting(id, larger) == larger) {
        let smallest = match network.shape(layer, [1, 1]) {
            Err(Error::Model(model::Error::ImageTooSmall { smallest, .. })) => smallest,
            _ => 1,
        };
        let measured = format!("images of {smallest}x{smallest} and larger; its own size is {h}x{w}");
        finding(Check::Input, Severity::Fine, measured, None)
    } else {
        remark(
            format!("the last layer takes images of {h}x{w} only"),
            &format!(
                "others are cropped or padded to that, so render with `-s {h}x{w}`; earlier layers may take any size"
            ),
        )
    });
    findings
}
