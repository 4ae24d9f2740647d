//! What all instruction sets have in common.

/// A computation that is compiled once for each instruction set.
///
/// `run` must be `#[inline(always)]`, and so must all it calls: only what is inlined into [`Simd::run`] is compiled with
/// the instructions.
pub(crate) trait Kernel {
    type Output;

    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// An instruction set: vectors of [`LANES`](Self::LANES) floats, and what can be done with them.
///
/// Bits stand for lanes, the first lane is the lowest bit; bits behind the last lane are ignored.
pub(crate) trait Simd: Copy + Send + Sync {
    /// A vector of floats in a register.
    type Floats: Copy;

    /// A choice of lanes, as comparisons make it; bits cost more where the CPU has no registers for them.
    type Mask: Copy;

    /// How many floats a vector holds: 4, 8 or 16.
    const LANES: usize;

    /// How many vectors the registers hold.
    const REGISTERS: usize;

    /// Whether [`f32::mul_add`] is one of these instructions; where it is none, it is very slow.
    const FUSES: bool;

    /// Runs a kernel with these instructions.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;

    fn splat(self, x: f32) -> Self::Floats;

    /// # Safety
    /// `from` has [`LANES`](Self::LANES) floats.
    unsafe fn load(self, from: *const f32) -> Self::Floats;

    /// Zero where the bit is 0; memory there is not touched.
    ///
    /// # Safety
    /// `from` has a float for every bit that is 1.
    unsafe fn load_bits(self, from: *const f32, bits: u32) -> Self::Floats;

    /// # Safety
    /// `to` has room for [`LANES`](Self::LANES) floats.
    unsafe fn store(self, to: *mut f32, x: Self::Floats);

    /// Writes only where the bit is 1.
    ///
    /// # Safety
    /// `to` has room for every bit that is 1.
    unsafe fn store_bits(self, to: *mut f32, x: Self::Floats, bits: u32);

    /// Asks for a line of the cache that will be read later; it need not exist.
    fn prefetch(self, _from: *const f32) {}

    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;

    fn sub(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;

    fn mul(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;

    fn div(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;

    /// `a * b + c`, rounded once where the CPU can.
    fn mul_add(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;

    /// The larger of a constant and `x`; what is no number in `x` stays none.
    fn at_least(self, x: Self::Floats, least: Self::Floats) -> Self::Floats;

    /// The smaller of a constant and `x`; what is no number in `x` stays none.
    fn at_most(self, x: Self::Floats, most: Self::Floats) -> Self::Floats;

    /// Where `a > b`.
    fn above(self, a: Self::Floats, b: Self::Floats) -> u32;

    /// Where `a >= b`.
    fn at_or_above(self, a: Self::Floats, b: Self::Floats) -> u32;

    /// Where `x` is larger than `largest`, or is no number while that is one.
    fn beats(self, x: Self::Floats, largest: Self::Floats) -> Self::Mask;

    /// Where one of the bytes, one for each lane, is `byte`; lanes whose bit is 0 are not, and memory there is not touched.
    ///
    /// # Safety
    /// `from` has a byte for every bit that is 1.
    unsafe fn bytes_equal(self, from: *const u8, byte: u8, bits: u32) -> Self::Mask;

    /// Writes whole numbers from 0 to 255 as bytes, only where the bit is 1.
    ///
    /// # Safety
    /// `to` has room for every bit that is 1.
    unsafe fn store_bytes(self, to: *mut u8, x: Self::Floats, bits: u32);

    /// `a` in the lanes of the mask, and `b` elsewhere.
    fn select(self, mask: Self::Mask, a: Self::Floats, b: Self::Floats) -> Self::Floats;

    /// One over the square root of a positive number that is neither subnormal nor infinite, to 2e-7 of it.
    fn inverse_sqrt(self, x: Self::Floats) -> Self::Floats;

    /// `x` where the bit is 1, and zero elsewhere.
    fn keep(self, x: Self::Floats, bits: u32) -> Self::Floats;

    /// `a` where the bit is 1, and `b` elsewhere.
    fn choose(self, bits: u32, a: Self::Floats, b: Self::Floats) -> Self::Floats;
}

/// A one for each of the first `count` lanes.
#[inline(always)]
pub(crate) fn first(count: usize) -> u32 {
    if count >= 32 { u32::MAX } else { (1 << count) - 1 }
}
