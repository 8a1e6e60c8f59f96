//! The kind of a model file, told by its contents, and what to do about kinds that are not read.

use std::path::Path;

use memchr::memmem;

use super::WAY_OUT;

/// A kind of file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Onnx,
    TfLite,
    Keras,
    Hdf5,
    Safetensors,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Onnx => "an ONNX model",
            Kind::TfLite => "a TensorFlow Lite model",
            Kind::Keras => "a Keras model (.keras)",
            Kind::Hdf5 => "a Keras model (HDF5)",
            Kind::Safetensors => "weights in safetensors",
        }
    }
}

const SAVED_MODEL: &str = "this is a TensorFlow SavedModel, which is not read: write the Keras model by model.save(\"x.keras\"), or \
     convert it by tf.lite.TFLiteConverter.from_saved_model";
const TORCH: &str = "this is a file of PyTorch that holds pickled code, which is never loaded: write the weights by \
     safetensors.torch.save_file(model.state_dict(), \"x.safetensors\"), or the model by torch.onnx.export";
const TORCH_SCRIPT: &str =
    "this is a TorchScript archive, which is not read: write the model by torch.onnx.export";
const EXPORTED: &str =
    "this is a program of torch.export (.pt2), which is not read: write the model by torch.onnx.export";
const PICKLE: &str = "this is a Python pickle, which is code and never loaded: convert a scikit-learn model by \
     skl2onnx.to_onnx(model, X[:1].astype(\"float32\")), and write weights of PyTorch by safetensors.torch.save_file";
const TREES: &str = "this is an ensemble of decision trees, which is no network";

/// Returns what to do about a folder.
pub(super) fn of_folder(path: &Path) -> String {
    if path.join("saved_model.pb").is_file() {
        SAVED_MODEL.into()
    } else {
        "this is a folder: name a file".into()
    }
}

/// Returns the kind of a file.
///
/// # Errors
/// Says what the file is and what to do, if it is of no kind that is read.
pub(super) fn of(bytes: &[u8]) -> Result<Kind, String> {
    let refused = |what: &str| Err(format!("{what}. {WAY_OUT}"));
    match bytes {
        [] => Err("the file is empty: was it copied whole?".into()),
        [b'P', b'K', 3, 4, ..] => archive(bytes),
        [0x89, b'H', b'D', b'F', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Kind::Hdf5),
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => Ok(Kind::TfLite),
        [_, _, _, _, _, _, _, _, b'{', ..] => Ok(Kind::Safetensors),
        // A pickle begins with the number of its protocol; protocol 0 is text.
        [0x80, 2..=5, ..] if is_torch(bytes) => refused(TORCH),
        [0x80, 2..=5, ..] => refused(PICKLE),
        [0x1f, 0x8b, ..] => Err("this is a gzip file: unpack it first".into()),
        [b'G', b'G', b'U', b'F', ..] => refused("this is a GGUF model, which is no small network"),
        [b't', b'r', b'e', b'e', b'\n' | b'\r', ..] => refused(TREES),
        _ => match text(bytes) {
            Some(text) => refused(of_text(text)),
            None => Ok(Kind::Onnx),
        },
    }
}

fn is_torch(bytes: &[u8]) -> bool {
    has(bytes, "torch")
}

fn has(bytes: &[u8], text: &str) -> bool {
    memmem::find(bytes, text.as_bytes()).is_some()
}

/// Kinds of zip archives, by the names in them.
fn archive(bytes: &[u8]) -> Result<Kind, String> {
    let refused = |what: &str| Err(format!("{what}. {WAY_OUT}"));
    if has(bytes, "saved_model.pb") {
        refused(SAVED_MODEL)
    } else if has(bytes, "model.weights.h5") || has(bytes, "config.json") && !has(bytes, "archive_format") {
        Ok(Kind::Keras)
    } else if has(bytes, "serialized_exported_program")
        || has(bytes, "archive_format")
        || has(bytes, "models/model.json")
    {
        refused(EXPORTED)
    } else if has(bytes, "constants.pkl") && has(bytes, "/code/") {
        refused(TORCH_SCRIPT)
    } else if has(bytes, "data.pkl") {
        refused(TORCH)
    } else if has(bytes, ".npy") {
        Err("this is an archive of NumPy arrays, not a model: a model of Keras, TensorFlow Lite, ONNX or safetensors is read".into())
    } else {
        Err("this is a zip archive, but no model of Keras: unpack it first, or name the file of the model"
            .into())
    }
}

/// Returns the file as text, unless it has bytes that texts have not.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let control = |byte: &u8| matches!(byte, 0..=8 | 14..=31);
    (!text.as_bytes().iter().any(control)).then_some(text)
}

/// Says what a text is.
fn of_text(text: &str) -> &'static str {
    let start = text.trim_start();
    let is_json = start.starts_with('{');
    let trees = ["\"learner\"", "\"tree_info\"", "\"oblivious_trees\""];
    let is_trees = is_json && trees.iter().any(|member| text.contains(member));
    if is_trees || start.starts_with("tree") || text.contains("num_leaves=") {
        TREES
    } else if is_json && text.contains("\"class_name\"") {
        "this is the architecture of a Keras model without its weights: write both by model.save(\"x.keras\")"
    } else if text.contains("git-lfs") {
        "this is a pointer of Git LFS: fetch the file itself (`git lfs pull`)"
    } else if start.starts_with("<PMML") || text.contains("<PMML") {
        "this is a PMML document, which is not read: convert a scikit-learn model by skl2onnx.to_onnx"
    } else {
        "this is a text and no model of another tool; for the log of a device, name the model that it started from by --like FILE"
    }
}
