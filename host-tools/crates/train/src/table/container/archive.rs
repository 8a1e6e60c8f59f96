//! Zip archives: spreadsheets, NumPy's `.npz`, and others, which are refused by name.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::context::Context;
use super::kind::Refused;
use super::{Contents, npz, xlsx};
use crate::error::Result;

pub(super) type Archive = ZipArchive<Cursor<Vec<u8>>>;

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

/// Unpacks a file of the archive. What all of them unpack to is limited.
pub(super) fn unpack(
    archive: &mut Archive,
    index: usize,
    left: &mut usize,
    context: &Context,
) -> Result<Vec<u8>> {
    let damaged = |error: &dyn std::fmt::Display| {
        context.error(None, format!("file {} of the archive is damaged: {error}", index + 1))
    };
    let file = archive.by_index(index).map_err(|error| damaged(&error))?;
    let mut bytes = Vec::new();
    let read = file.take(*left as u64 + 1).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    *left = left.checked_sub(read).ok_or_else(|| context.unpacks_too_large())?;
    Ok(bytes)
}
