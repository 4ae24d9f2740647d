//! How work is spread over threads.

use crate::Isa;

/// Which threads a kernel may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// The caller's alone: for many images, each on a thread of its own.
    One,
    /// All of rayon's current pool.
    All,
}

/// The CPU as kernels use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    /// With which instructions.
    pub isa: Isa,
    /// On which threads.
    pub threads: Threads,
}

impl Cpu {
    /// The same on the caller's thread alone.
    pub(crate) fn alone(self) -> Self {
        Self { threads: Threads::One, ..self }
    }
}
