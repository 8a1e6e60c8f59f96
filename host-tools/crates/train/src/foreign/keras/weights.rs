//! Weights of Keras in an HDF5 file.

use std::collections::BTreeMap;

use hdf5_pure::{AttrValue, DType, Dataset, Datatype, DatatypeByteOrder, File, FloatingPointLayout, Group};

use crate::foreign::tensor::{Number, Tensor, bfloat16, count};
use crate::table::container::half;

/// Weights of layers: lists of tensors in the order in which Keras keeps them.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// Tensors by the path of their layer, or why they cannot be read, which matters only if they are needed.
    layers: BTreeMap<String, Result<Vec<Tensor>, String>>,
    /// Paths of layers, by the names that the file gives them.
    names: BTreeMap<(String, String), String>,
}

/// Limits of what a file may hold.
struct Budget {
    /// Bytes of tensors that are left.
    bytes: usize,
    /// Groups and tensors that are left.
    objects: usize,
}

/// Most groups in each other.
const MOST_LEVELS: usize = 12;

fn damaged(error: impl std::fmt::Display) -> String {
    format!("the HDF5 file is damaged, or has a part that is not supported: {error}")
}

/// Opens a file that is in memory.
pub(super) fn open(bytes: &[u8]) -> Result<File, String> {
    File::from_bytes(bytes.to_vec()).map_err(damaged)
}

/// Returns an attribute that is a text.
pub(super) fn text(group: &Group, name: &str) -> Option<String> {
    match group.attrs().ok()?.remove(name)? {
        AttrValue::String(text)
        | AttrValue::AsciiString(text)
        | AttrValue::VarLenString(text)
        | AttrValue::VarLenAsciiString(text)
        | AttrValue::StringSized { value: text, .. }
        | AttrValue::AsciiStringSized { value: text, .. } => Some(text.trim_end_matches('\0').to_owned()),
        _ => None,
    }
}

/// Returns an attribute that is a list of texts, which is in several parts if it is long; none if it is absent.
fn texts(group: &Group, name: &str) -> Result<Option<Vec<String>>, String> {
    let mut attributes = group.attrs().map_err(damaged)?;
    let mut part = |name: &str| {
        Some(match attributes.remove(name)? {
            AttrValue::StringArray(texts)
            | AttrValue::AsciiStringArray(texts)
            | AttrValue::VarLenStringArray(texts)
            | AttrValue::VarLenAsciiStringArray(texts)
            | AttrValue::StringArraySized { values: texts, .. }
            | AttrValue::AsciiStringArraySized { values: texts, .. } => texts,
            // An empty list has no type of its own.
            _ => Vec::new(),
        })
    };
    if let Some(texts) = part(name) {
        return Ok(Some(texts));
    }
    let mut all = None;
    for index in 0.. {
        let Some(texts) = part(&format!("{name}{index}")) else { break };
        all.get_or_insert_with(Vec::new).extend(texts);
    }
    Ok(all)
}

impl Weights {
    /// Reads the weights of a `.keras` archive: `layers/NAME/vars/0`, where the name is that of the class.
    pub(super) fn by_class(file: &File, size: usize) -> Result<Self, String> {
        let mut weights = Weights::default();
        weights.walk(&file.root(), "", 0, &mut Budget::new(size))?;
        Ok(weights)
    }

    fn walk(&mut self, group: &Group, path: &str, level: usize, budget: &mut Budget) -> Result<(), String> {
        if level > MOST_LEVELS {
            return Err(format!("the groups of {path:?} are nested too deeply"));
        }
        for name in group.groups().map_err(damaged)? {
            budget.object()?;
            let child = group.group(&name).map_err(damaged)?;
            if name == "vars" {
                let found = numbered(&child, path, budget);
                self.layers.insert(path.to_owned(), found);
                if let (Some(known), Some((parent, _))) = (text(&child, "name"), path.rsplit_once('/')) {
                    self.names.insert((parent.to_owned(), known), path.to_owned());
                }
            } else if !path.is_empty() || name != "optimizer" {
                let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                self.walk(&child, &below, level + 1, budget)?;
            }
        }
        Ok(())
    }

    /// Reads the weights of a legacy file: a group for each layer, with the names of its weights in order.
    pub(super) fn by_name(file: &File, size: usize) -> Result<Self, String> {
        let group = file
            .root()
            .group("model_weights")
            .map_err(|_| "the file has no group model_weights".to_owned())?;
        let mut weights = Weights::default();
        let mut budget = Budget::new(size);
        for layer in group.groups().map_err(damaged)? {
            budget.object()?;
            let own = group.group(&layer).map_err(damaged)?;
            match named(&own, &layer, &mut budget) {
                Ok(tensors) => {
                    // Weights of a layer in a nested model have its name before theirs.
                    for (name, tensor) in &tensors {
                        if let Some(inner) = name.rsplit('/').nth(1) {
                            let below =
                                weights.layers.entry(format!("{layer}/{inner}")).or_insert(Ok(Vec::new()));
                            if let Ok(below) = below {
                                below.push(tensor.clone());
                            }
                        }
                    }
                    let all = tensors.into_iter().map(|(_, tensor)| tensor).collect();
                    weights.layers.insert(layer, Ok(all));
                }
                Err(why) => {
                    weights.layers.insert(layer, Err(why));
                }
            }
        }
        Ok(weights)
    }

    /// Returns the tensors of a layer of the model at `place`. `class` is its name by its class.
    pub(super) fn of(&self, place: &Place, class: &str, name: &str) -> Result<&[Tensor], String> {
        let path = |parts: [&str; 3]| {
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
        };
        let siblings = path([&place.path, "layers", ""]);
        let candidates = [
            self.names.get(&(siblings, name.to_owned())).cloned().unwrap_or_default(),
            path([&place.path, "layers", class]),
            path([&place.path, "_layer_checkpoint_dependencies", name]),
            path([&place.path, "_layer_checkpoint_dependencies", class]),
            path([&place.outermost, name, ""]),
        ];
        match candidates.iter().filter(|path| !path.is_empty()).find_map(|path| self.layers.get(path)) {
            None => Ok(&[]),
            Some(Ok(tensors)) => Ok(tensors),
            Some(Err(why)) => Err(why.clone()),
        }
    }
}

/// Place of a model in a file; empty for the outermost one.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Path of the model in an archive.
    pub(super) path: String,
    /// Name of the layer of the outermost model that it is in.
    pub(super) outermost: String,
}

/// Reads the tensors of a layer in an archive, whose names are their numbers.
fn numbered(group: &Group, path: &str, budget: &mut Budget) -> Result<Vec<Tensor>, String> {
    let mut found = Vec::new();
    for name in group.datasets().map_err(damaged)? {
        let Ok(place) = name.parse::<usize>() else { continue };
        let wrong = |why: String| format!("{path}/vars/{name}: {why}");
        found.push((place, tensor(&group.dataset(&name).map_err(damaged)?, budget).map_err(wrong)?));
    }
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, tensor)| tensor).collect())
}

/// Reads the tensors of a layer in a legacy file with their names, which an attribute lists in order.
fn named(group: &Group, layer: &str, budget: &mut Budget) -> Result<Vec<(String, Tensor)>, String> {
    let mut tensors = Vec::new();
    for name in texts(group, "weight_names")?.unwrap_or_default() {
        let wrong = |why: String| format!("model_weights/{layer}/{name}: {why}");
        let dataset = group.dataset(&name).map_err(|error| wrong(damaged(error)))?;
        let tensor = tensor(&dataset, budget).map_err(wrong)?;
        tensors.push((name, tensor));
    }
    Ok(tensors)
}

impl Budget {
    fn new(size: usize) -> Self {
        Budget { bytes: size.saturating_mul(32).saturating_add(32 << 20).min(1 << 30), objects: 20_000 }
    }

    fn object(&mut self) -> Result<(), String> {
        self.objects = self.objects.checked_sub(1).ok_or("the file has too many groups")?;
        Ok(())
    }
}

/// Reads a tensor.
fn tensor(dataset: &Dataset, budget: &mut Budget) -> Result<Tensor, String> {
    budget.object()?;
    let shape: Option<Vec<usize>> =
        dataset.shape().map_err(damaged)?.into_iter().map(|length| usize::try_from(length).ok()).collect();
    let shape = shape.ok_or("its shape is too large")?;
    let size = usize::try_from(dataset.element_size().map_err(damaged)?)
        .map_err(|_| "its elements are too large")?;
    let bytes = count(&shape).and_then(|count| count.checked_mul(size.max(1)));
    let too_large = || format!("its shape {shape:?} is larger than the file can hold");
    let left = bytes.and_then(|bytes| budget.bytes.checked_sub(bytes)).ok_or_else(too_large)?;
    budget.bytes = left;
    let kind = dataset.datatype().map_err(damaged)?;
    let raw = dataset.read_raw().map_err(damaged)?;
    let (values, number) = elements(&kind, &raw, dataset)?;
    Tensor::new(shape, values, number)
}

/// Returns the elements of a tensor. Floating-point numbers are decoded here, because the library reads those of 16 bits as
/// integers.
fn elements(kind: &Datatype, raw: &[u8], dataset: &Dataset) -> Result<(Vec<f64>, Number), String> {
    macro_rules! chunks {
        ($element:expr) => {
            raw.as_chunks().0.iter().map(|&bytes| $element(bytes)).collect::<Vec<f64>>()
        };
    }
    match kind {
        Datatype::FloatingPoint { byte_order, .. } if *byte_order != DatatypeByteOrder::LittleEndian => {
            Err("its numbers are not little-endian".into())
        }
        Datatype::FloatingPoint {
            size,
            layout: FloatingPointLayout { exponent_size, mantissa_size, .. },
            ..
        } => {
            let values = match (size, exponent_size, mantissa_size) {
                (4, 8, 23) => chunks!(|bytes| f64::from(f32::from_le_bytes(bytes))),
                (8, 11, 52) => chunks!(f64::from_le_bytes),
                (2, 5, 10) => chunks!(|bytes| half(u16::from_le_bytes(bytes))),
                (2, 8, 7) => chunks!(|bytes| bfloat16(u16::from_le_bytes(bytes))),
                _ => return Err(format!("its numbers have {size} bytes in an unknown form")),
            };
            Ok((values, Number::Float))
        }
        // HDF5 has no name for bfloat16, so Keras stores its bytes.
        Datatype::Opaque { size: 2, .. } => {
            Ok((chunks!(|bytes| bfloat16(u16::from_le_bytes(bytes))), Number::Float))
        }
        Datatype::FixedPoint { .. } => {
            let values = match dataset.dtype().map_err(damaged)? {
                DType::U64 => {
                    dataset.read_u64().map_err(damaged)?.into_iter().map(|value| value as f64).collect()
                }
                _ => dataset.read_i64().map_err(damaged)?.into_iter().map(|value| value as f64).collect(),
            };
            Ok((values, Number::Integer))
        }
        _ => Err("it holds no numbers".into()),
    }
}
