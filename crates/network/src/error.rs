/// What can go wrong with a network: names and sizes, which the caller controls.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model's own: layers it does not have, files that are not what they should be, images too small for a layer.
    #[error(transparent)]
    Model(#[from] entoptic_model::Error),

    /// Two layers in the wrong order, or beside each other.
    #[error("`{target}` does not come after `{layer}`; the earlier layer comes first")]
    NotAfter {
        /// The layer.
        layer: String,
        /// What was to follow from it.
        target: String,
    },

    /// A layer that there are ways around.
    #[error("`{target}` depends on more than `{layer}`, which has other branches beside it; all of it goes through {}", last_of(.bottlenecks))]
    NotTheOnlyWay {
        /// The layer.
        layer: String,
        /// What was to follow from it alone.
        target: String,
        /// The layers that there is no way around, from first to last.
        bottlenecks: Vec<String>,
    },

    /// A channel that a layer does not have.
    #[error("no channel {channel} in layer `{layer}`, which has {channels}: 0 to {}", .channels - 1)]
    NoSuchChannel {
        /// The layer.
        layer: String,
        /// The channel asked for.
        channel: usize,
        /// How many it has.
        channels: usize,
    },

    /// A position that a layer does not have.
    #[error("no position {position:?} in layer `{layer}`, which is {}x{}", .size[0], .size[1])]
    NoSuchPosition {
        /// The layer.
        layer: String,
        /// The position asked for, `[y, x]`.
        position: [usize; 2],
        /// Its size `[h, w]`.
        size: [usize; 2],
    },

    /// More of a layer than the network was asked for.
    #[error("only a part of layer `{layer}` was asked for, and this is not in it")]
    NotAsked {
        /// The layer.
        layer: String,
    },

    /// Precision that this CPU has no instructions for.
    #[error("this CPU has no bf16 instructions (AMX or AVX-512 BF16); f32 works everywhere")]
    NoBf16,

    /// A text that is no precision.
    #[error("`{text}` is no precision; it is f32 or bf16")]
    NotAPrecision {
        /// The text.
        text: String,
    },

    /// Images of another number of channels than the network reads.
    #[error("images of shape {found:?} do not fit; the network reads [n, {channels}, h, w]")]
    NotAnImage {
        /// Their shape.
        found: [usize; 4],
        /// The channels the network reads.
        channels: usize,
    },

    /// A layer whose gradient cannot be overridden, or not like that.
    #[error("layer `{layer}` cannot be overridden: {reason}")]
    NotOverridable {
        /// The layer.
        layer: String,
        /// Why not, and what would have worked.
        reason: String,
    },

    /// A text that is no gradient override.
    #[error("`{text}` is no gradient override; {accepted}")]
    NotAnOverride {
        /// The text.
        text: String,
        /// What would have worked.
        accepted: String,
    },
}

/// How many names are shown of a longer list.
const SHOWN: usize = 8;

/// The last of these names, which are the most telling.
fn last_of(names: &[String]) -> String {
    let shown = &names[names.len().saturating_sub(SHOWN)..];
    match shown {
        [] => "no other layer".into(),
        shown => shown.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
