use super::{
    Transform, collapse_alpha, color_jitter, crop_or_pad, flip, jitter, noise, none, normalize_gradient, pad,
    random_resized_crop, random_rotate, random_scale, standard,
};
use crate::notation::Entry;

/// The transforms that have a name.
pub const CATALOG: &[Entry<Transform>] = &[
    pad::ENTRY,
    jitter::ENTRY,
    random_scale::ENTRY,
    random_rotate::ENTRY,
    flip::ENTRY,
    random_resized_crop::ENTRY,
    crop_or_pad::ENTRY,
    color_jitter::ENTRY,
    noise::ENTRY,
    collapse_alpha::ENTRY,
    normalize_gradient::ENTRY,
    Entry {
        name: "standard",
        usage: "standard",
        about: "Lucid's `standard_transforms`: pad 12, jitter 8, scale 0.90 to 1.10, rotate by -10 to 10 degrees, \
                jitter 4.",
        example: "standard",
        read: |_| Ok(standard()),
    },
    Entry { name: "none", usage: "none", about: "No transform.", example: "none", read: |_| Ok(none()) },
];
