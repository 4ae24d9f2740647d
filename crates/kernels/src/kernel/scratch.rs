//! Memory that a thread keeps from one kernel to the next.

use std::cell::RefCell;

#[cfg(target_arch = "x86_64")]
use super::bf16::Lists;
use super::windows::{Pixel, Run};

/// How many floats a line of the cache holds.
pub(crate) const LINE: usize = 16;

/// A line of the cache.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line<T>(pub(crate) [T; LINE]);

/// What a product needs while it runs.
pub(crate) struct Scratch {
    pub(crate) lines: Vec<Line<f32>>,
    pub(crate) pixels: Vec<Pixel>,
    pub(crate) runs: Vec<Run>,
    #[cfg(target_arch = "x86_64")]
    pub(crate) lists: Lists,
    #[cfg(target_arch = "x86_64")]
    pub(crate) band: Vec<Line<f32>>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = const {
        RefCell::new(Scratch {
            lines: Vec::new(),
            pixels: Vec::new(),
            runs: Vec::new(),
            #[cfg(target_arch = "x86_64")]
            lists: Lists::new(),
            #[cfg(target_arch = "x86_64")]
            band: Vec::new(),
        })
    };
}

thread_local! {
    static COLUMNS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f` with other memory of this thread, that many floats; what is in it is left from before.
pub(crate) fn with_columns<R>(count: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    COLUMNS.with_borrow_mut(|columns| {
        if columns.len() < count {
            columns.resize(count, 0.0);
        }
        f(&mut columns[..count])
    })
}

/// Runs `f` with this thread's memory; what is in it is left from before.
pub(crate) fn with<R>(f: impl FnOnce(&mut Scratch) -> R) -> R {
    SCRATCH.with_borrow_mut(f)
}

/// At least that many floats, whatever is in them.
pub(crate) fn floats(lines: &mut Vec<Line<f32>>, count: usize) -> *mut f32 {
    let needed = count.div_ceil(LINE);
    if lines.len() < needed {
        lines.resize(needed, Line([0.0; LINE]));
    }
    lines.as_mut_ptr().cast()
}
