//! What the CPU can do: values that prove it has the instructions.

use std::fmt;

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
