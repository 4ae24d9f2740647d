//! What the CPU can do: values that prove it has the instructions.

#![allow(unsafe_code)]

use std::{error, fmt, sync::OnceLock};

/// Proof that the CPU has AVX-512 (F, BW, DQ and VL).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx512(());

/// Proof that the CPU has AVX2, FMA and F16C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx2(());

/// Proof that the CPU has NEON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neon(());

/// Code that any CPU runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portable;

/// Proof that the CPU has AVX-512 with products of bf16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx512Bf16(Avx512);

/// Proof that the CPU has AMX with products of bf16, that this process may use it, and all of [`Avx512Bf16`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amx(Avx512Bf16);

impl Avx512 {
    /// The proof, where there is one.
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && Avx2::detect().is_some()
        {
            return Some(Self(()));
        }
        None
    }
}

impl Avx2 {
    /// The proof, where there is one.
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c") {
            return Some(Self(()));
        }
        None
    }
}

impl Neon {
    /// The proof, where there is one.
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Some(Self(()));
        }
        None
    }
}

impl Avx512Bf16 {
    /// The proof, where there is one.
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512bf16") {
            return Avx512::detect().map(Self);
        }
        None
    }

    /// The proof of what it includes.
    pub fn avx512(self) -> Avx512 {
        self.0
    }
}

impl Amx {
    /// The proof, where there is one: on Linux, which is asked to let this process use it.
    pub fn detect() -> Option<Self> {
        static PROOF: OnceLock<Option<Amx>> = OnceLock::new();
        *PROOF.get_or_init(|| {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if has_amx() && may_use_amx() {
                return Avx512Bf16::detect().map(Self);
            }
            None
        })
    }

    /// The proof of what it includes.
    pub fn avx512_bf16(self) -> Avx512Bf16 {
        self.0
    }
}

/// Whether the CPU has tiles and their products of bf16. Its manual: `CPUID`, leaf 7.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn has_amx() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const BF16: u32 = 1 << 22;
    const TILE: u32 = 1 << 24;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & (BF16 | TILE) == BF16 | TILE
}

/// Asks Linux for the state of the tiles, which it hands out on request only: `arch_prctl(ARCH_REQ_XCOMP_PERM,
/// XFEATURE_XTILEDATA)`. An older Linux, or one without the CPU's support, answers an error.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn may_use_amx() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
    const XFEATURE_XTILEDATA: i64 = 18;
    let mut result = ARCH_PRCTL;
    // SAFETY: this call reads and writes no memory of ours; `syscall` overwrites `rcx` and `r11`.
    unsafe {
        std::arch::asm!(
            "syscall",
            inout("rax") result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// With what convolutions multiply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// 24 bits of each number count.
    #[default]
    F32,
    /// Inputs and weights are rounded to 8 bits; sums are not, nor are maps in memory.
    Bf16(Bf16),
}

/// Proof that the CPU multiplies bf16, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bf16 {
    /// In tiles.
    Amx(Amx),
    /// In vectors.
    Avx512(Avx512Bf16),
}

/// Why there is no [`Bf16`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoBf16;

impl Bf16 {
    /// The best this CPU has.
    ///
    /// # Errors
    /// [`NoBf16`] if it has none.
    pub fn best() -> Result<Self, NoBf16> {
        Self::present().first().copied().ok_or(NoBf16)
    }

    /// All that this CPU has, the best first.
    pub fn present() -> Vec<Self> {
        [Amx::detect().map(Self::Amx), Avx512Bf16::detect().map(Self::Avx512)].into_iter().flatten().collect()
    }
}

impl fmt::Display for NoBf16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this CPU has no bf16 instructions")
    }
}

impl error::Error for NoBf16 {}

/// The instruction set that kernels run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// 16 floats at once.
    Avx512(Avx512),
    /// 8 floats at once.
    Avx2(Avx2),
    /// 4 floats at once.
    Neon(Neon),
    /// Whatever the compiler makes of plain code.
    Portable,
}

impl Isa {
    /// The best this CPU has.
    pub fn best() -> Self {
        Self::present()[0]
    }

    /// All that this CPU has, the best first.
    pub fn present() -> Vec<Self> {
        let avx512 = Avx512::detect().map(Self::Avx512);
        let avx2 = Avx2::detect().map(Self::Avx2);
        let neon = Neon::detect().map(Self::Neon);
        [avx512, avx2, neon, Some(Self::Portable)].into_iter().flatten().collect()
    }

    /// The names of those it does not have.
    pub fn absent() -> Vec<&'static str> {
        let present: Vec<String> = Self::present().iter().map(Self::to_string).collect();
        ["AVX-512", "AVX2", "NEON"].into_iter().filter(|name| !present.iter().any(|have| have == name)).collect()
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avx512(_) => "AVX-512",
            Self::Avx2(_) => "AVX2",
            Self::Neon(_) => "NEON",
            Self::Portable => "portable code",
        })
    }
}
