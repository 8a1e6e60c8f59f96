//! A data set as Rust source, for firmware that has no sensor yet: its rows arrive from flash.

use super::text::{array, block, item, leaf};
use crate::dataset::{Dataset, Target};
use crate::model::Model;

/// The rows of `data`, which has the model's features, as `ROWS`, and their classes as `CLASSES`; a missing value is
/// the mean that the model puts in.
pub fn rows(model: &Model, data: &Dataset) -> String {
    let mut x = data.x.clone();
    model.scaler.fill_missing(&mut x);
    let (inputs, rows) = x.shape();
    let classes: &[usize] = match &data.target {
        Target::Classes(classes) => classes,
        Target::Values(_) | Target::Absent => &[],
    };
    let mut text = format!("// Rows exported by microdistill.\n//\n// data: {}\n", data.hash);
    let head = format!("static ROWS: [[f32; {inputs}]; {rows}]");
    item(&mut text, "Raw features.", &head, &block(x.column_iter().map(|row| array(row.as_slice()))));
    let head = format!("static CLASSES: [u16; {}]", classes.len());
    item(
        &mut text,
        "Indices into the model's `LABELS`, where the rows have labels.",
        &head,
        &block(classes.iter().map(leaf)),
    );
    text
}
