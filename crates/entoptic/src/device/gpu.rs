//! What Burn says of GPUs.

#[cfg(feature = "wgpu")]
use burn::backend::WgpuDeviceKind;
use burn::{
    backend::{CubeDevice, DispatchDevice},
    tensor::{Device, DeviceType},
};

use super::{DeviceName, Found, Hardware};

/// Those that wgpu reaches, the fastest first.
#[cfg(feature = "wgpu")]
pub(super) fn wgpu() -> Vec<Device> {
    let mut devices = Device::enumerate(DeviceType::Wgpu).into_vec();
    devices.sort_by_key(|device| gpu(device).map(hardware));
    devices
}

/// Those that CUDA reaches.
#[cfg(feature = "cuda")]
pub(super) fn cuda() -> Vec<Device> {
    Device::enumerate(DeviceType::Cuda).into_vec()
}

/// What a device says of itself once it is open; nothing if it is no GPU.
pub(super) fn describe(name: DeviceName, device: &Device) -> Option<Found> {
    let device = gpu(device)?;
    let client = device.client();
    let properties = client.properties();
    Some(Found {
        name,
        hardware: hardware(device),
        about: properties.identity.name.clone(),
        memory: properties.memory.max_memory(),
    })
}

fn gpu(device: &Device) -> Option<&CubeDevice> {
    match device.as_dispatch() {
        DispatchDevice::Cube(device) => Some(device),
        _ => None,
    }
}

fn hardware(device: &CubeDevice) -> Hardware {
    match device {
        #[cfg(feature = "wgpu")]
        CubeDevice::Wgpu(device) => match device.kind {
            WgpuDeviceKind::DiscreteGpu(_) => Hardware::DiscreteGpu,
            WgpuDeviceKind::IntegratedGpu(_) => Hardware::IntegratedGpu,
            WgpuDeviceKind::VirtualGpu(_) => Hardware::VirtualGpu,
            WgpuDeviceKind::Cpu => Hardware::Software,
            _ => Hardware::Gpu,
        },
        _ => Hardware::Gpu,
    }
}
