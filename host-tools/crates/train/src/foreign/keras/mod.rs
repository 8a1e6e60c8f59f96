//! Keras 2 and 3: `.keras` archives and legacy HDF5 files.

mod activations;
mod layers;
mod model;
mod weights;

use std::io::{Cursor, Read as _};

use serde_json::Value;
use zip::ZipArchive;

use self::model::Reader;
use self::weights::Weights;
use super::graph::Graph;
use crate::table::container::{Limits, caught};

const DAMAGED: &str = "the file is damaged: was it copied whole?";

/// Reads a `.keras` archive.
pub(super) fn archive(bytes: &[u8]) -> Result<Graph, String> {
    caught(|| read_archive(bytes)).unwrap_or_else(|| Err(DAMAGED.into()))
}

/// Reads a legacy HDF5 file.
pub(super) fn legacy(bytes: &[u8]) -> Result<Graph, String> {
    caught(|| read_legacy(bytes)).unwrap_or_else(|| Err(DAMAGED.into()))
}

fn read_archive(bytes: &[u8]) -> Result<Graph, String> {
    let damaged = |error: &dyn std::fmt::Display| {
        format!("the zip archive is damaged ({error}): was the file copied whole?")
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let mut left = Limits::new(bytes.len()).unpacked;
    let mut unpack = |name: &str| {
        let wrong =
            |error: &dyn std::fmt::Display| format!("{name} in the archive is missing or damaged: {error}");
        let file = archive.by_name(name).map_err(|error| wrong(&error))?;
        let mut contents = Vec::new();
        let read = file.take(left as u64 + 1).read_to_end(&mut contents).map_err(|error| wrong(&error))?;
        left = left
            .checked_sub(read)
            .ok_or_else(|| format!("{name} unpacks to more than a file of this size may"))?;
        Ok::<_, String>(contents)
    };
    let config = json("config.json", &unpack("config.json")?)?;
    let version = unpack("metadata.json").ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let version = version.and_then(|value| Some(value.get("keras_version")?.as_str()?.to_owned()));
    let weights = unpack("model.weights.h5")?;
    let weights = Weights::by_class(&weights::open(&weights)?, weights.len())?;
    Reader::new(&weights, version.as_deref().unwrap_or("3")).read(&config)
}

fn read_legacy(bytes: &[u8]) -> Result<Graph, String> {
    let file = weights::open(bytes)?;
    let root = file.root();
    let Some(config) = weights::text(&root, "model_config") else {
        let groups = root.groups().unwrap_or_default();
        let is_weights = ["layers", "vars", "top_level_model_weights", "_layer_checkpoint_dependencies"];
        return Err(if groups.iter().any(|group| is_weights.contains(&group.as_str())) {
            "this file has the weights of a model, but not its layers and activations: write both by model.save(\"x.keras\")".into()
        } else {
            "this HDF5 file is no model of Keras, which has the attribute model_config: write one by model.save(\"x.keras\")".into()
        });
    };
    let config = json("the attribute model_config", config.as_bytes())?;
    let version = weights::text(&root, "keras_version").unwrap_or_else(|| "2".into());
    let weights = Weights::by_name(&file, bytes.len())?;
    Reader::new(&weights, &version).read(&config)
}

fn json(what: &str, bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes)
        .map_err(|error| format!("{what} is no whole JSON ({error}): was the file copied whole?"))
}
