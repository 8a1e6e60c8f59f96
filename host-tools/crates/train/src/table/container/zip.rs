//! Zip archives: spreadsheets, NumPy's `.npz`, and others, which are refused by name.

use std::io::Cursor;

use zip::ZipArchive;

use super::contents::Contents;
use super::context::Context;
use super::kind::Refused;
use super::{npz, xlsx};
use crate::error::Result;

/// Reads the table of a zip archive.
pub(super) fn contents(bytes: Vec<u8>, context: &mut Context) -> Result<Contents> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
        context.error(None, format!("the zip archive is damaged ({error}): was the file copied whole?"))
    })?;
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap_or_default().into_owned()).collect();
    let has = |start: &str| names.iter().any(|name| name.starts_with(start));
    if !names.is_empty() && names.iter().all(|name| name.ends_with(".npy")) {
        return npz::columns(&mut archive, &names, context).map(Contents::Columns);
    }
    let refuse = |what, remedy| Err(context.refuse(&Refused { what, remedy }));
    if names.iter().any(|name| name.ends_with("data.pkl")) {
        return refuse("a PyTorch file", "save its arrays (`numpy.savez`)");
    }
    if has("word/") {
        return refuse("a Word document", "a table is needed, such as CSV");
    }
    if has("xl/") && !has("xl/workbook.bin") {
        return xlsx::cells(archive, context).map(Contents::Cells);
    }
    if has("xl/") {
        return refuse("a binary Excel file (.xlsb)", "save it as .xlsx or CSV");
    }
    if has("content.xml") {
        return refuse("an OpenDocument file", "save it as .xlsx or CSV");
    }
    if has("Index/") {
        return refuse("a Numbers document", "export it as CSV");
    }
    if has("config.json") && has("model.weights.h5") {
        return refuse("a Keras model", "a table of data is needed, not a model");
    }
    let some: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
    Err(context.error(
        None,
        format!("this is a zip archive of {} files ({}, …): unpack it first", names.len(), some.join(", ")),
    ))
}
