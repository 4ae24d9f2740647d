//! Runs that are put away to go on later.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    path::Path,
};

use burn::tensor::{DType, Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use super::Snapshot;
use crate::{Error, optimizer, whole_file};

/// All that a run needs to go on after a step as if it had never stopped.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use burn::tensor::Device;
/// use entoptic::{RenderConfig, network::zoo, objective::channel, param, render_from, render_on};
///
/// let (network, objective) = (zoo::squeezenet_v1_1(), channel("fire2", 5));
/// let (param, config) = (param::Param::from(param::image([32, 32])), RenderConfig::new().with_steps(4));
/// let mut checkpoint = None;
/// render_on(&Device::flex(), &network, &objective, &param, &config, |progress| {
///     checkpoint = progress.checkpoint();
///     if progress.step < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// })?;
/// let more = |_: entoptic::Progress<'_>| ControlFlow::Continue(());
/// let rest = render_from(checkpoint.unwrap(), &Device::flex(), &network, &objective, &param, &config, more)?;
/// let whole = entoptic::render(&network, &objective, &param, &config)?;
/// assert_eq!(rest.values, whole.values);
/// # Ok::<(), entoptic::Error>(())
/// ```
pub struct Checkpoint {
    /// The last step that was done.
    pub step: usize,
    /// The objective at each step so far.
    pub values: Vec<f64>,
    pub(super) variables: Vec<TensorData>,
    pub(super) optimizer: optimizer::Memory,
    pub(super) memory: BTreeMap<String, TensorData>,
    pub(super) snapshots: Vec<(usize, f64, TensorData)>,
    /// How far the draws of the transforms and of noise have come.
    pub(super) drawn: [u128; 2],
}

/// What of a checkpoint is no tensor.
#[derive(Serialize, Deserialize)]
struct Rest {
    version: String,
    about: String,
    step: usize,
    values: Vec<f64>,
    optimizer: serde_json::Value,
    /// The steps and values of the snapshots.
    snapshots: Vec<(usize, f64)>,
    drawn: [String; 2],
}

/// The key of what is no tensor in the file's metadata.
const KEY: &str = "entoptic";

// What the tensors are called in the file.
const VARIABLE: &str = "variable/";
const OPTIMIZER: &str = "optimizer/";
const MEMORY: &str = "memory/";
const SNAPSHOT: &str = "snapshot/";

impl Checkpoint {
    /// Writes it to a `.safetensors` file; `about` says what run it is of.
    ///
    /// # Errors
    /// [`Error::Unwritable`]; the file is then as it was.
    pub fn save(&self, path: &Path, about: &str) -> Result<(), Error> {
        let numbered = |name: &'static str, i: usize, data| (format!("{name}{i}"), data);
        let variables = self.variables.iter().enumerate().map(|(i, data)| numbered(VARIABLE, i, data));
        let optimizer = self.optimizer.tensors.iter().map(|(name, data)| (format!("{OPTIMIZER}{name}"), data));
        let memory = self.memory.iter().map(|(name, data)| (format!("{MEMORY}{name}"), data));
        let snapshots = self.snapshots.iter().enumerate().map(|(i, (_, _, data))| numbered(SNAPSHOT, i, data));
        let rest = Rest {
            version: env!("CARGO_PKG_VERSION").into(),
            about: about.into(),
            step: self.step,
            values: self.values.clone(),
            optimizer: self.optimizer.rest.clone(),
            snapshots: self.snapshots.iter().map(|(step, value, _)| (*step, *value)).collect(),
            drawn: self.drawn.map(|position| position.to_string()),
        };
        let rest = serde_json::to_string(&rest).expect("it is plain data");
        let all = variables.chain(optimizer).chain(memory).chain(snapshots);
        let views = all.map(|(name, data)| {
            assert_eq!(data.dtype(), DType::F32, "`{name}` of a run is f32");
            let view = TensorView::new(Dtype::F32, data.shape().to_vec(), data.as_bytes());
            (name, view.expect("a tensor has as many values as its shape says"))
        });
        let file = safetensors::serialize(views, Some(HashMap::from([(KEY.into(), rest)])));
        let file = file.expect("tensors have names of their own");
        whole_file::write(path, "", |to| to.write_all(&file).map_err(|error| whole_file::reason(&error, "folder")))
    }

    /// Reads it, and what run it is of.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn load(path: &Path) -> Result<(Self, String), Error> {
        let file = whole_file::read(path)?;
        let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
        let no_checkpoint = |reason: &dyn ToString| unreadable(format!("no checkpoint ({})", reason.to_string()));
        let (_, metadata) = SafeTensors::read_metadata(&file).map_err(|error| no_checkpoint(&error))?;
        let rest = metadata.metadata().as_ref().and_then(|rest| rest.get(KEY));
        let rest = rest.ok_or_else(|| no_checkpoint(&"it does not say of which step"))?;
        let rest: Rest = serde_json::from_str(rest).map_err(|error| no_checkpoint(&error))?;
        let tensors = SafeTensors::deserialize(&file).map_err(|error| no_checkpoint(&error))?;
        let mut named: BTreeMap<String, TensorData> = BTreeMap::new();
        for (name, view) in tensors.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(no_checkpoint(&format!("`{name}` is no f32")));
            }
            let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
            named.insert(name.into(), TensorData::new(values.collect(), view.shape().to_vec()));
        }
        let under = |prefix: &str| -> BTreeMap<String, TensorData> {
            let of =
                named.iter().filter_map(|(name, data)| Some((name.strip_prefix(prefix)?.to_owned(), data.clone())));
            of.collect()
        };
        let in_order = |prefix: &str| -> Option<Vec<TensorData>> {
            let mut of = under(prefix);
            (0..of.len()).map(|i| of.remove(&i.to_string())).collect()
        };
        let lacks = || no_checkpoint(&"something is missing");
        let (variables, images) = (in_order(VARIABLE).ok_or_else(lacks)?, in_order(SNAPSHOT).ok_or_else(lacks)?);
        let drawn = rest.drawn.map(|position| position.parse().ok());
        let ([Some(transforms), Some(noise)], true) = (drawn, images.len() == rest.snapshots.len()) else {
            return Err(lacks());
        };
        let checkpoint = Self {
            step: rest.step,
            values: rest.values,
            variables,
            optimizer: optimizer::Memory { tensors: under(OPTIMIZER).into_iter().collect(), rest: rest.optimizer },
            memory: under(MEMORY),
            snapshots: rest
                .snapshots
                .into_iter()
                .zip(images)
                .map(|((step, value), data)| (step, value, data))
                .collect(),
            drawn: [transforms, noise],
        };
        Ok((checkpoint, rest.about))
    }

    /// The images that were kept on the way.
    pub(super) fn snapshots(&self, device: &Device) -> Option<Vec<Snapshot>> {
        let snapshot = |(step, value, data): &(usize, f64, TensorData)| {
            let images = tensor::<4>(data, device)?;
            Some(Snapshot { step: *step, value: *value, images })
        };
        self.snapshots.iter().map(snapshot).collect()
    }
}

/// The tensor of these values, if it has so many axes.
pub(super) fn tensor<const D: usize>(data: &TensorData, device: &Device) -> Option<Tensor<D>> {
    (data.shape().len() == D).then(|| Tensor::from_data(data.clone(), device))
}
