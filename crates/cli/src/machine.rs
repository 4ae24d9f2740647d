//! The machine that the program computes on.

use burn::tensor::Device;
use entoptic::device::DeviceName;

use crate::failure::Failure;

/// More than any machine has use for; starting very many takes longer than a run.
const MOST_THREADS: usize = 1024;

/// Limits the threads that compute, if somebody asks for it.
pub fn set_threads(threads: Option<usize>) -> Result<(), Failure> {
    match threads {
        Some(threads) if !(1..=MOST_THREADS).contains(&threads) => {
            Err(Failure::message(format!("the number of threads cannot be {threads}; it is 1 to {MOST_THREADS}")))
        }
        Some(threads) => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build_global().map_err(|error| Failure::message(format!("cannot start {threads} threads: {error}")))
        }
        None => Ok(()),
    }
}

/// The device of this name.
pub fn device(name: &str) -> Result<Device, Failure> {
    Ok(name.parse::<DeviceName>()?.open()?)
}
