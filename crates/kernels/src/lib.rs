//! What a frozen convolutional network computes on a CPU, and the gradient of its input.
//!
//! Kernels work on plain slices: activations are a [`Map`] `[n, h, w, c]`, in which the channels of a pixel lie side by
//! side. None knows what a network is. Each says in [`mod@reference`] what it means, in plain loops, and runs with the best
//! instructions the CPU has ([`Isa`]) on as many threads as it may ([`Threads`]). Results depend on the instructions, as
//! sums are rounded in another order, but never on the threads.

pub mod arithmetic;
pub mod attention;
mod convolution;
mod isa;
mod kernel;
pub mod layer_norm;
mod map;
pub mod mean;
pub mod norm;
mod passes;
mod pixelwise;
pub mod planes;
pub mod pointwise;
pub mod pool;
pub mod rectify;
pub mod reference;
pub mod resample;
pub mod select;
pub mod softmax;
mod threads;
mod transcendental;
mod window;

pub use convolution::{Algorithm, Convolution, Weights};
pub use isa::{Amx, Avx2, Avx512, Avx512Bf16, Bf16, Isa, Neon, NoBf16, Portable, Precision};
pub use kernel::team::together;
pub use map::{Dims, Map, MapMut};
pub use passes::{Passes, PassesMut, Rectifier, Rectify, WORD, words};
pub use threads::{Cpu, Threads};
pub use window::{Place, Window};
