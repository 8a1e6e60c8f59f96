//! What a device learned, read back: its parameters in a model that lends all the rest.

mod dump;

use std::path::Path;

use microdistill::checkpoint::record;

use crate::board::weights_line;
use crate::error::{Error, Result};
use crate::model::{Body, Model};
use crate::network::Network;

/// What a device gives back.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// `like` with the device's parameters.
    pub model: Model,
    /// How many of them are other than those of `like`.
    pub changed: usize,
}

/// Reads the parameters of a network of the shape of `like` from a file: a [record], a raw dump of the flash of checkpoints,
/// or the lines that `distill` on a board prints, among others.
///
/// Scores of `like` are not taken over.
///
/// # Errors
/// The file system's; a file of another network, one that is damaged or has a gap; a `like` that is not f32.
pub fn import(path: impl AsRef<Path>, like: &Model) -> Result<Learned> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let refused = |message| Error::Model { path: path.into(), message };
    learned(&bytes, like, trainable(like)?).map_err(refused)
}

/// [`import`] of what such a file holds.
///
/// # Errors
/// As of [`import`].
pub fn import_bytes(bytes: &[u8], like: &Model) -> Result<Learned> {
    learned(bytes, like, trainable(like)?).map_err(Error::Invalid)
}

/// The network of a model that can learn.
///
/// # Errors
/// A model that is not f32.
pub fn trainable(model: &Model) -> Result<&Network> {
    let Body::F32(network) = &model.body else {
        let kind = model.kind();
        return Err(Error::Invalid(format!(
            "the model is {kind}, which does not learn: give the f32 model that the device started from"
        )));
    };
    Ok(network)
}

fn learned(bytes: &[u8], like: &Model, before: &Network) -> Result<Learned, String> {
    let tensors = match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("weights ") => printed(text)?,
        _ => recorded(bytes, before)?,
    };
    let mut network = before.clone();
    overwrite(&mut network, &tensors)?;
    let mut model = like.clone();
    model.metadata.scores.clear();
    model.metadata.machine = None;
    model.metadata.training = None;
    let pairs = before.parameter_values().zip(network.parameter_values());
    let changed = pairs.filter(|(before, after)| before.to_bits() != after.to_bits()).count();
    model.body = Body::F32(network);
    Ok(Learned { model, changed })
}

/// Tensors of the shapes of `network`, from a record, or from flash with checkpoints.
fn recorded(bytes: &[u8], network: &Network) -> Result<Vec<Vec<f32>>, String> {
    let parameters = match record::split(bytes) {
        Ok((header, _)) if header.fingerprint != network.fingerprint() => {
            return Err("the record of another network: of other widths, activations or layouts".into());
        }
        Ok((_, parameters)) => parameters.iter().copied().map(f32::from_le_bytes).collect(),
        Err(refused) => {
            let found = dump::newest(bytes, network.fingerprint(), network.parameters());
            found.ok_or_else(|| {
                format!(
                    "{refused}; no flash with a whole checkpoint of this network either, if that is all of the range \
                     that `Checkpoint::new` gets; and no text with lines as \"weights 0 0: [1065353216, …]\""
                )
            })?
        }
    };
    let mut parameters = parameters.into_iter();
    Ok(network.tensors().map(|(_, tensor)| parameters.by_ref().take(tensor.len()).collect()).collect())
}

/// The tensors of the last run in a text.
fn printed(text: &str) -> Result<Vec<Vec<f32>>, String> {
    let mut tensors: Vec<Vec<f32>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some((tensor, from, bits)) = weights_line(line) else { continue };
        if (tensor, from) == (0, 0) {
            tensors.clear();
        }
        if (tensor, from) == (tensors.len(), 0) {
            tensors.push(Vec::new());
        }
        let last = tensors.len().wrapping_sub(1);
        match tensors.last_mut().filter(|values| (tensor, from) == (last, values.len())) {
            Some(values) => values.extend(bits.into_iter().map(f32::from_bits)),
            None => return Err(format!("line {}: weights are missing before it", index + 1)),
        }
    }
    Ok(tensors)
}

fn overwrite(network: &mut Network, tensors: &[Vec<f32>]) -> Result<(), String> {
    let found: Vec<usize> = tensors.iter().map(Vec::len).collect();
    let wanted: Vec<usize> = network.tensors().map(|(_, tensor)| tensor.len()).collect();
    if found != wanted {
        return Err(format!("tensors of {found:?} parameters, the model has {wanted:?}"));
    }
    for ((_, to), from) in network.tensors_mut().zip(tensors) {
        to.copy_from_slice(from);
    }
    Ok(())
}
