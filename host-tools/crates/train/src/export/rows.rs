//! A data set as Rust source, for firmware that has no sensor yet: its rows arrive from flash.

use super::parts::{DEQUANTIZE, dequantize};
use super::text::{Items, array, block, call, leaf};
use crate::dataset::{Dataset, Target};
use crate::model::{Body, Model};
use crate::network::int8::NetworkI8;

/// Contents of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Raw features, f32.
    #[default]
    Raw,
    /// The input of an int8 model, a quarter of that; raw features where the model is f32.
    Codes,
}

/// The rows of `data`, which has the model's features, as `ROWS`, what codes in them stand for as `CODES`, and their
/// classes as `CLASSES`; a missing value is the mean that the model puts in. Like the data, the rows are relative to the
/// model's origins.
pub fn rows(model: &Model, data: &Dataset, form: Form) -> String {
    let mut x = data.x.clone();
    model.preparation.fill_missing(&mut x);
    let (inputs, rows) = x.shape();
    let classes: &[usize] = match &data.target {
        Target::Classes(classes) => classes,
        Target::Partial(_) | Target::Values(_) | Target::Absent => &[],
    };
    let header = format!("// Rows exported by microdistill.\n//\n// data: {}\n", data.hash);
    let mut items = Items::new("generated_rows");
    let raw = x.column_iter();
    let (doc, number, values, codes) = match (&model.body, form) {
        (Body::Int8(network) | Body::Int4(network), Form::Codes) => {
            let row = |raw: &[f32]| array(network.quantize(&model.prepare(raw)));
            let values = block(raw.map(|raw| row(raw.as_slice())));
            let NetworkI8 { input, .. } = network;
            ("Standardized features as codes.", "i8", values, call("Some", [dequantize(input)]))
        }
        (Body::F32(_) | Body::Ensemble(_) | Body::Blend(_), _) | (_, Form::Raw) => {
            let doc = match data.origin.iter().any(|origin| *origin != 0.0) {
                true => "Raw features, less the `ORIGIN` of the model.",
                false => "Raw features.",
            };
            (doc, "f32", block(raw.map(|raw| array(raw.as_slice()))), leaf(None::<()>))
        }
    };
    items.item(doc, &format!("static ROWS: [[{number}; {inputs}]; {rows}]"), &values);
    let doc = "Real values of the codes in the rows, if they are codes.";
    items.item(doc, &format!("static CODES: Option<{DEQUANTIZE}>"), &codes);
    let head = format!("static CLASSES: [u16; {}]", classes.len());
    let doc = "Indices into the model's `LABELS`, where the rows have labels.";
    items.item(doc, &head, &block(classes.iter().map(leaf)));
    header + &items.finish()
}
