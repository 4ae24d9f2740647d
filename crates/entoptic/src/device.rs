//! Where to compute: on the processor, or on a GPU that this build can use.
//!
//! The Cargo features `wgpu` and `cuda` add GPUs. The same network and the same loop run there.

#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod gpu;

use std::{fmt, str::FromStr, thread};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::{Error, error::quoted};

/// What a device is reached through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// The processor.
    #[default]
    Cpu,
    /// A GPU through Vulkan, Metal or DirectX 12.
    Wgpu,
    /// A GPU through CUDA.
    Cuda,
}

impl DeviceKind {
    /// All kinds, also those that this build cannot use.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Wgpu, Self::Cuda];

    /// Whether this build can use such devices; if not, the Cargo feature of its name is missing.
    pub fn is_built_in(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }

    /// Whether it is the processor.
    pub fn is_cpu(&self) -> bool {
        *self == Self::Cpu
    }

    /// Those there are; none of them is opened.
    fn devices(self) -> Vec<Device> {
        match self {
            Self::Cpu => vec![Device::flex()],
            #[cfg(feature = "wgpu")]
            Self::Wgpu => gpu::wgpu(),
            #[cfg(feature = "cuda")]
            Self::Cuda => gpu::cuda(),
            #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        })
    }
}

/// The name of a device: `cpu`, or a kind of GPU and a number, such as `wgpu:0`.
///
/// ```
/// use entoptic::device::{DeviceKind, DeviceName};
///
/// assert_eq!("cuda:1".parse::<DeviceName>()?, DeviceName { kind: DeviceKind::Cuda, index: 1 });
/// assert_eq!("wgpu".parse::<DeviceName>()?.to_string(), "wgpu:0");
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceName {
    /// What it is reached through.
    pub kind: DeviceKind,
    /// Which of its kind, counted from 0.
    pub index: usize,
}

impl DeviceName {
    /// The device.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use entoptic::device::DeviceName;
    ///
    /// assert_eq!(DeviceName::default().open()?, Device::flex());
    /// # Ok::<(), entoptic::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSuchDevice`].
    pub fn open(self) -> Result<Device, Error> {
        self.kind.devices().into_iter().nth(self.index).ok_or_else(|| {
            let there: Vec<String> = there().map(|(name, _)| name.to_string()).collect();
            let there = format!("there {} {}", if there.len() == 1 { "is" } else { "are" }, quoted(&there));
            let accepted = match self.kind.is_built_in() {
                true => there,
                false => format!("this build lacks the feature `{}`, and {there}", self.kind),
            };
            Error::NoSuchDevice { device: self.to_string(), accepted }
        })
    }
}

impl From<DeviceKind> for DeviceName {
    /// The first of its kind.
    fn from(kind: DeviceKind) -> Self {
        Self { kind, index: 0 }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DeviceKind::Cpu => write!(f, "{}", self.kind),
            kind => write!(f, "{kind}:{}", self.index),
        }
    }
}

impl FromStr for DeviceName {
    type Err = Error;

    /// # Errors
    /// [`Error::NoSuchDevice`] for a text that is no name; whether there is such a device, [`open`](Self::open) says.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (kind, index) = match text.split_once(':') {
            Some((kind, index)) if kind != "cpu" => (kind, index.parse().ok()),
            _ => (text, Some(0)),
        };
        let kind = DeviceKind::ALL.into_iter().find(|known| known.to_string() == kind);
        kind.zip(index).map(|(kind, index)| Self { kind, index }).ok_or_else(|| Error::NoSuchDevice {
            device: text.to_owned(),
            accepted: "devices are `cpu`, `wgpu`, `cuda`, and with a number `wgpu:1` or `cuda:1`".to_owned(),
        })
    }
}

/// What a device is made of, the fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hardware {
    /// The processor itself.
    Processor,
    /// A card of its own.
    DiscreteGpu,
    /// A GPU beside the processor, with the same memory.
    IntegratedGpu,
    /// A part of a GPU, given to a virtual machine.
    VirtualGpu,
    /// A GPU that does not say which kind it is.
    Gpu,
    /// A program that does what a GPU does, such as lavapipe: for tests, as the processor itself is faster.
    Software,
}

impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Processor => "processor",
            Self::DiscreteGpu => "discrete GPU",
            Self::IntegratedGpu => "integrated GPU",
            Self::VirtualGpu => "virtual GPU",
            Self::Gpu => "GPU",
            Self::Software => "software",
        })
    }
}

/// A device that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is asked for by.
    pub name: DeviceName,
    /// What it is made of.
    pub hardware: Hardware,
    /// What it calls itself; for the processor, how many threads it runs at once.
    pub about: String,
    /// Its memory in bytes, where it says so.
    pub memory: Option<u64>,
}

/// The devices there are: the processor, then GPUs, each of which is opened to ask what it is.
///
/// ```
/// use entoptic::device::{DeviceName, devices};
///
/// assert_eq!(devices()[0].name, DeviceName::default());
/// ```
pub fn devices() -> Vec<Found> {
    there().map(|(name, device)| describe(name, &device)).collect()
}

fn describe(name: DeviceName, device: &Device) -> Found {
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    if let Some(gpu) = gpu::describe(name, device) {
        return gpu;
    }
    debug_assert_eq!(*device, Device::flex());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    Found { name, hardware: Hardware::Processor, about: format!("{threads} threads"), memory: None }
}

/// The devices there are; none of them is opened.
fn there() -> impl Iterator<Item = (DeviceName, Device)> {
    DeviceKind::ALL.into_iter().flat_map(|kind| {
        kind.devices().into_iter().enumerate().map(move |(index, device)| (DeviceName { kind, index }, device))
    })
}
