//! From names to nodes: overrides as they hold for one graph.

use std::collections::BTreeMap;

use entoptic_model::nearest;

use super::{GradientOverrides, LayerOverride, MaxPoolOverride, ReluOverride, rectify::LAST_REDIRECTED_STEP};
use crate::{
    Error,
    graph::{Graph, NodeId, Op},
};

/// The overrides of a graph's nodes at one step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resolved {
    /// Whether the step is one at which redirected ReLUs redirect.
    pub redirects: bool,
    relu: Option<ReluOverride>,
    pool: Option<MaxPoolOverride>,
    nodes: BTreeMap<NodeId, Option<LayerOverride>>,
}

impl Resolved {
    /// How gradients pass node `id`, a ReLU or ReLU6; `None` is the derivative.
    pub(crate) fn relu(&self, id: NodeId) -> Option<ReluOverride> {
        match self.nodes.get(&id) {
            Some(Some(LayerOverride::Relu(relu))) => Some(*relu),
            Some(_) => None,
            None => self.relu,
        }
    }

    /// How gradients pass node `id`, a max pool; `None` is the derivative.
    pub(crate) fn pool(&self, id: NodeId) -> Option<MaxPoolOverride> {
        match self.nodes.get(&id) {
            Some(Some(LayerOverride::MaxPool(pool))) => Some(*pool),
            Some(_) => None,
            None => self.pool,
        }
    }
}

impl GradientOverrides {
    /// Whether `graph` has the layers named here, and each takes its override.
    ///
    /// # Errors
    /// [`NoSuchLayer`](entoptic_model::Error::NoSuchLayer) with the nearest names, [`Error::NotOverridable`] with what would have worked.
    pub fn check(&self, graph: &Graph) -> Result<(), Error> {
        self.resolve(graph, 0).map(|_| ())
    }

    pub(crate) fn resolve(&self, graph: &Graph, step: usize) -> Result<Resolved, Error> {
        let mut nodes = BTreeMap::new();
        for (layer, &with) in &self.layers {
            let id = graph.find(layer)?;
            let wrong = |reason: String| Error::NotOverridable { layer: layer.clone(), reason };
            takes(graph, id, with).map_err(wrong)?;
            if nodes.insert(id, with).is_some_and(|other| other != with) {
                return Err(wrong("it is named twice, by different names and with different overrides".into()));
            }
        }
        Ok(Resolved { redirects: step <= LAST_REDIRECTED_STEP, relu: self.relu, pool: self.pool, nodes })
    }
}

/// Whether a node takes this override, or why not.
fn takes(graph: &Graph, id: NodeId, with: Option<LayerOverride>) -> Result<(), String> {
    let node = &graph.nodes()[id];
    let kind = node.op.kind();
    match (&node.op, with) {
        (Op::Relu | Op::Relu6, None | Some(LayerOverride::Relu(_))) => Ok(()),
        (Op::MaxPool(_), None | Some(LayerOverride::MaxPool(_))) => Ok(()),
        (Op::Relu | Op::Relu6, _) => Err(format!("it is a {kind}, which takes `plain`, `redirected` or `identity`")),
        (Op::MaxPool(_), _) => Err(format!("it is a {kind}, which takes `plain`, `avg` or `L2`")),
        _ => {
            let overridable = graph.nodes().iter().filter(|node| is_overridable(&node.op));
            let such_as = match nearest(&node.name, overridable.map(|node| node.name.as_str())).first() {
                Some(name) => format!(", such as `{name}`"),
                None => String::new(),
            };
            Err(format!("its kind is {kind}; only ReLUs and max pools can be{such_as}"))
        }
    }
}

fn is_overridable(op: &Op) -> bool {
    matches!(op, Op::Relu | Op::Relu6 | Op::MaxPool(_))
}
