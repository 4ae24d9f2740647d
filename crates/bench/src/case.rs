//! What is timed, and by whom.

use std::fmt;

use clap::ValueEnum;
use entoptic::network::{Network, Precision, zoo};
use serde::{Deserialize, Serialize};

/// The model whose weights are random; the others are known by name.
const MOBILENET_V2: &str = "mobilenet_v2";

/// One step of `what`, of images for channel 10 of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub what: What,
    pub model: String,
    pub layer: String,
    /// Pixels of a side.
    pub size: usize,
    pub batch: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The network alone: forward, and the gradient of the image.
    Network,
    /// A step of a run: param, transforms, network, optimizer.
    Run,
}

/// Who computes, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Mode {
    #[value(skip)]
    Entoptic,
    /// With `--precision bf16`.
    #[value(skip)]
    EntopticBf16,
    /// PyTorch as it comes.
    Eager,
    /// With channels innermost in memory.
    ChannelsLast,
    /// The same, with the network through torch.compile.
    Compile,
    /// With channels innermost, and bf16 where PyTorch's autocast says so.
    Bf16,
}

impl Case {
    pub fn network(model: &str, layer: &str, size: usize, batch: usize) -> Self {
        Self { what: What::Network, model: model.into(), layer: layer.into(), size, batch }
    }

    /// What it is told apart by.
    pub fn name(&self) -> String {
        let Self { what, model, layer, size, batch } = self;
        let what = match what {
            What::Network => "network",
            What::Run => "run",
        };
        format!("{what} {model} {layer} batch {batch} at {size} px")
    }

    /// The network, its weights from the models folder where they are not in the program.
    pub fn open(&self) -> Result<Network, String> {
        match self.model.as_str() {
            MOBILENET_V2 => Ok(entoptic_fixtures::mobilenet_v2()),
            name => zoo::open(name, &zoo::default_folder()).map_err(|error| error.to_string()),
        }
    }
}

/// What is compared with PyTorch.
pub fn compared() -> Vec<Case> {
    let layers = [
        ("googlenet_bvlc", "inception_4a_output"),
        ("googlenet_bvlc", "inception_5b_output"),
        ("squeezenet_v1_1", "fire5"),
        ("squeezenet_v1_1", "fire9"),
        (MOBILENET_V2, "block10"),
        (MOBILENET_V2, "block17"),
    ];
    let networks =
        layers.into_iter().flat_map(|(model, layer)| [1, 4, 16].map(|batch| Case::network(model, layer, 128, batch)));
    let run = Case { what: What::Run, ..Case::network("googlenet_bvlc", "inception_4a_output", 128, 1) };
    networks.chain([run]).collect()
}

/// What grows: the image alone, then the batch.
pub fn growing() -> Vec<Case> {
    [("googlenet_bvlc", "inception_4a_output"), ("squeezenet_v1_1", "fire9")]
        .into_iter()
        .flat_map(|(model, layer)| {
            let sizes = [64, 96, 128, 192, 256, 384, 512].map(|size| (size, 1));
            let batches = [2, 4, 8, 16, 32, 64].map(|batch| (128, batch));
            sizes.into_iter().chain(batches).map(move |(size, batch)| Case::network(model, layer, size, batch))
        })
        .collect()
}

impl Mode {
    /// In which numbers entoptic multiplies; the other modes are PyTorch's.
    pub fn precision(self) -> Option<Precision> {
        match self {
            Self::Entoptic => Some(Precision::F32),
            Self::EntopticBf16 => Some(Precision::Bf16),
            Self::Eager | Self::ChannelsLast | Self::Compile | Self::Bf16 => None,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entoptic => "entoptic",
            Self::EntopticBf16 => "entoptic bf16",
            Self::Eager => "eager",
            Self::ChannelsLast => "channels_last",
            Self::Compile => "compile",
            Self::Bf16 => "bf16",
        })
    }
}
