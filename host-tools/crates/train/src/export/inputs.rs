//! The first step of an inference, in an exported file.

use super::text::{Node, array, call, leaf, record};
use crate::model::{Knots, Model, Preparation, Scaler};
use crate::network::int8::{Codes, NetworkI8, Table};

/// Type and value of the first step of an inference by an f32 network.
pub(super) fn preparation(model: &Model) -> (String, Node) {
    let inputs = model.features().len();
    match &model.preparation {
        Preparation::Scaler(Scaler { mean, scale }) => {
            let value = call("::microdistill::Scaler::new", [array(mean), array(scale)]);
            (format!("::microdistill::Scaler<{inputs}>"), value)
        }
        Preparation::Knots(knots) => {
            let missing = knots.coordinates(&knots.mean);
            let parts = [array(&knots.knots), array(&knots.starts), array(missing)];
            let value = call("::microdistill::Knots::new", parts);
            (format!("::microdistill::Knots<{inputs}, {}>", knots.rows()), value)
        }
    }
}

/// Bytes of the first step of an inference by an f32 network.
pub(super) fn preparation_flash(model: &Model) -> usize {
    let inputs = model.features().len();
    match &model.preparation {
        Preparation::Scaler(_) => size_of::<f32>() * 2 * inputs,
        Preparation::Knots(knots) => knots_flash(knots),
    }
}

/// Bytes of the knots of all features.
pub(super) fn knots_flash(knots: &Knots) -> usize {
    let inputs = knots.starts.len();
    let numbers = size_of::<f32>() * (knots.rows() + inputs);
    (numbers + size_of::<u16>() * inputs).next_multiple_of(align_of::<f32>())
}

/// Type and value of the first step of an inference by a network of codes.
pub(super) fn edge(model: &Model, network: &NetworkI8) -> (String, Node) {
    let (inputs, (_, value)) = (model.features().len(), preparation(model));
    match (&model.preparation, &network.table) {
        (Preparation::Knots(knots), Some(Table { steps, .. })) => {
            let name = "::microdistill::quant::QuantizeKnots";
            let parts = [("knots", value), ("steps", leaf(steps))];
            (format!("{name}<{inputs}, {}>", knots.rows()), record(name, parts))
        }
        _ => {
            let (name, Codes { scale, zero }) = ("::microdistill::quant::Quantize", network.input);
            let parts = [("scaler", value), ("scale", leaf(scale)), ("zero", leaf(zero))];
            (format!("{name}<{inputs}>"), record(name, parts))
        }
    }
}
