//! AMX: eight registers that are tiles of 16 rows, 64 bytes each, and the products of two of them.

use std::{arch::asm, marker::PhantomData};

use super::packed::STEP;
use crate::{Amx, kernel::packed::BLOCK};

/// The shape of all tiles, which the CPU keeps for this thread.
pub(super) struct Tiles {
    /// Another thread has its own.
    thread: PhantomData<*const ()>,
}

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl Tiles {
    pub(super) fn new(_: Amx) -> Self {
        let mut config = Config { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
        config.row_bytes[..8].fill(64);
        config.rows[..8].fill(16);
        // SAFETY: an `Amx` exists only where the CPU has it and Linux lets us.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &config, options(nostack, readonly, preserves_flags)) };
        Self { thread: PhantomData }
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: as above; nothing is kept in tiles from here on.
        unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) };
    }
}

/// Adds up the products of one or two tiles of windows with a block of weights, beginning with `start` for each window.
///
/// # Safety
/// At each of `from` are 16 windows, `stride` numbers from one to the next, each with a step of numbers at all `steps`;
/// `weights` has as many steps; `start` is a [`BLOCK`], and for each window there is room for one in `sums`.
#[inline(always)]
pub(super) unsafe fn multiply(
    _: &Tiles,
    from: &[*const u16],
    stride: usize,
    steps: &[usize],
    weights: *const u8,
    start: *const f32,
    sums: *mut f32,
) {
    const ROW_OF_WEIGHTS: usize = 4 * BLOCK;
    const STEP_OF_WEIGHTS: usize = STEP / 2 * ROW_OF_WEIGHTS;
    // Tiles 0 and 1 are the first windows' sums, 2 and 3 the second's; 4 and 5 are windows, 6 and 7 weights.
    macro_rules! multiply {
        ([$($init:literal)*] [$($second:literal)*] [$($store:literal)*]) => {
            // SAFETY: the caller's.
            unsafe {
                asm!(
                    "tileloadd tmm0, [{start} + {zero}]",
                    "tileloadd tmm1, [{start} + {zero} + 64]",
                    $($init,)*
                    "test {count}, {count}",
                    "jz 3f",
                    "2:",
                    "mov {at}, [{steps}]",
                    "tileloadd tmm6, [{weights} + {row}]",
                    "tileloadd tmm7, [{weights} + {row} + 64]",
                    "lea {window}, [{first} + {at}]",
                    "tileloadd tmm4, [{window} + {stride}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    $($second,)*
                    "add {steps}, 8",
                    "add {weights}, {step}",
                    "dec {count}",
                    "jnz 2b",
                    "3:",
                    "tilestored [{sums} + {row}], tmm0",
                    "tilestored [{sums} + {row} + 64], tmm1",
                    $($store,)*
                    start = in(reg) start,
                    zero = in(reg) 0_usize,
                    count = inout(reg) steps.len() => _,
                    steps = inout(reg) steps.as_ptr() => _,
                    weights = inout(reg) weights => _,
                    first = in(reg) from[0],
                    second = in(reg) from[from.len() - 1],
                    at = out(reg) _,
                    window = out(reg) _,
                    stride = in(reg) 2 * stride,
                    row = in(reg) ROW_OF_WEIGHTS,
                    sums = in(reg) sums,
                    step = const STEP_OF_WEIGHTS,
                    sums_of_tile = const 16 * 4 * BLOCK,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                )
            }
        };
    }
    if from.len() == 2 {
        multiply!(
            ["tileloadd tmm2, [{start} + {zero}]" "tileloadd tmm3, [{start} + {zero} + 64]"]
            ["lea {window}, [{second} + {at}]" "tileloadd tmm5, [{window} + {stride}]"
             "tdpbf16ps tmm2, tmm5, tmm6" "tdpbf16ps tmm3, tmm5, tmm7"]
            ["tilestored [{sums} + {row} + {sums_of_tile}], tmm2" "tilestored [{sums} + {row} + {sums_of_tile} + 64], tmm3"]
        );
    } else {
        multiply!([] [] ["/* {second} {sums_of_tile} */"]);
    }
}
