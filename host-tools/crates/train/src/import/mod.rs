//! Import of a device's learned parameters into a model that provides everything else.

mod dump;
pub mod log;
mod part;
mod text;

use std::path::Path;

use microdistill::checkpoint::record::{self, Header};

use part::Parts;
pub use part::Trained;

use crate::error::{Error, Result};
use crate::model::{Body, Model};
use crate::network::Network;

/// A model with the parameters that a device learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The base model with the device's parameters.
    pub model: Model,
    /// Number of parameters that differ from those of the base model.
    pub changed: usize,
    /// The trained part of each layer, from input to output.
    pub trained: Vec<Trained>,
    /// Notes for the user on everything that was skipped.
    pub notes: Vec<String>,
}

/// Model that provides everything a device does not return.
#[derive(Clone, Copy, Debug)]
pub enum Base<'a> {
    /// A model of the same shape, for a device that trains the whole network.
    Like(&'a Model),
    /// The model that was shipped, for a device that [trains a part](microdistill::finetune): all other parameters
    /// come from it. A record identifies that model only by its shape.
    Shipped(&'a Model),
}

/// Reads the parameters of a network with the shape of `base` from a file: a [record], a raw dump of the flash that
/// holds checkpoints, or a text with the lines of weights that programs print on a board and the check value behind them.
///
/// The scores of `base` are dropped, because they describe other parameters.
///
/// # Errors
/// Fails if the file cannot be read, belongs to another network, is damaged or has a gap; if it holds only a part of
/// the network, but `base` is not the shipped model; and if `base` is not f32.
pub fn import(path: impl AsRef<Path>, base: Base<'_>) -> Result<Learned> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let refused = |message| Error::Model { path: path.into(), message };
    learned(&bytes, base, trainable(base.model())?).map_err(refused)
}

/// Imports the contents of such a file, as [`import`] does.
///
/// # Errors
/// Fails as [`import`] does, except for reading the file.
pub fn import_bytes(bytes: &[u8], base: Base<'_>) -> Result<Learned> {
    learned(bytes, base, trainable(base.model())?).map_err(Error::Invalid)
}

/// Returns the network of a model that a device can train.
///
/// # Errors
/// Fails if the model is not f32.
pub fn trainable(model: &Model) -> Result<&Network> {
    let Body::F32(network) = &model.body else {
        let kind = model.kind();
        return Err(Error::Invalid(format!(
            "the model is {kind}, which does not learn: give the f32 model that the device started from"
        )));
    };
    model.check_types().map_err(Error::Invalid)?;
    Ok(network)
}

impl<'a> Base<'a> {
    fn model(self) -> &'a Model {
        match self {
            Base::Like(model) | Base::Shipped(model) => model,
        }
    }
}

fn learned(bytes: &[u8], base: Base<'_>, before: &Network) -> Result<Learned, String> {
    let mut network = before.clone();
    let mut notes = Vec::new();
    let trained = match text::decode(bytes) {
        Some(text) => {
            let wanted: Vec<usize> = network.tensors().map(|(_, tensor)| tensor.len()).collect();
            let printed = text::printed(&text, &wanted, &|tensors| seal(before.fingerprint(), tensors))?;
            for ((_, to), from) in network.tensors_mut().zip(printed.tensors) {
                to.copy_from_slice(&from);
            }
            notes = printed.notes;
            vec![Trained::Trained; network.layers().len()]
        }
        None => {
            let (trained, parameters) = recorded(bytes, before)?;
            if matches!(base, Base::Like(_)) && trained.iter().any(|how| *how != Trained::Trained) {
                return Err(format!(
                    "the device trained a part, {trained:?} from input to output: the rest comes from the model that \
                     was shipped, so name that model with --shipped instead of --like"
                ));
            }
            join(&mut network, &trained, &parameters);
            trained
        }
    };
    let mut model = base.model().clone();
    model.metadata.scores.clear();
    model.metadata.machine = None;
    model.metadata.training = None;
    let pairs = before.parameter_values().zip(network.parameter_values());
    let changed = pairs.filter(|(before, after)| before.to_bits() != after.to_bits()).count();
    model.body = Body::F32(network);
    Ok(Learned { model, changed, trained, notes })
}

/// Returns the trained part of each layer of `network` and its parameters, from a record or from flash with
/// checkpoints.
fn recorded(bytes: &[u8], network: &Network) -> Result<(Vec<Trained>, Vec<f32>), String> {
    let parts = Parts::of(network);
    let (header, parameters) = match record::split(bytes) {
        Ok((header, parameters)) => (header, parameters.iter().copied().map(f32::from_le_bytes).collect()),
        Err(refused) => {
            let found = dump::newest(bytes, &|header| parts.find(header).is_some());
            found.ok_or_else(|| {
                format!(
                    "{refused}. Give a record; the whole flash range passed to `Checkpoint::new`, with an intact \
                     checkpoint of this network; or text with lines such as \"weights 0 0: [1065353216, …]\""
                )
            })?
        }
    };
    let part = parts.find(&header);
    let part = part.ok_or(
        "the record belongs to another network, of other widths, activations or layouts: give the model that the \
         device trains",
    )?;
    Ok((part.to_vec(), parameters))
}

/// The check value that a device prints behind these tensors.
fn seal(fingerprint: u32, tensors: &[Vec<f32>]) -> u32 {
    let count = tensors.iter().map(Vec::len).sum::<usize>();
    // A network of 2³² parameters fits no device.
    let header = Header { version: 0, fingerprint, generation: 0, parameters: count as u32 };
    header.seal(tensors.iter().flatten().map(|parameter| parameter.to_le_bytes()))
}

/// Copies consecutive `parameters` to the trained tensors of `network`.
fn join(network: &mut Network, trained: &[Trained], mut parameters: &[f32]) {
    let tensors = trained.iter().flat_map(|how| how.tensors()).zip(network.tensors_mut());
    for (_, (_, to)) in tensors.filter(|(trained, _)| *trained) {
        let Some((from, rest)) = parameters.split_at_checked(to.len()) else { return };
        to.copy_from_slice(from);
        parameters = rest;
    }
}
