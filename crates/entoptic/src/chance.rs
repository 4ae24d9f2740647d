//! All chance comes from one seed.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// The generator of one stream of draws.
pub type Rng = ChaCha8Rng;

/// What draws are for. Each purpose has a stream of its own, so that more draws for one change nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The first values of what is optimized.
    Variables,
    /// The transforms of each step.
    Transforms,
    /// What is random in a param at each step.
    Noise,
    /// The search for components of activations.
    Components,
    /// Which positions of photos are collected.
    Positions,
    /// How activations are laid out.
    Layout,
    /// Which units of a network are looked at.
    Units,
}

/// The draws for one purpose: the same for the same seed, on every device.
///
/// ```
/// use entoptic::chance::{Purpose, draws};
/// use rand::RngExt;
///
/// let (mut a, mut b) = (draws(7, Purpose::Variables), draws(7, Purpose::Variables));
/// assert_eq!(a.random::<u64>(), b.random::<u64>());
/// assert_ne!(a.random::<u64>(), draws(8, Purpose::Variables).random::<u64>());
/// ```
pub fn draws(seed: u64, purpose: Purpose) -> Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(match purpose {
        Purpose::Variables => 0,
        Purpose::Transforms => 1,
        Purpose::Noise => 2,
        Purpose::Components => 3,
        Purpose::Positions => 4,
        Purpose::Layout => 5,
        Purpose::Units => 6,
    });
    rng
}
