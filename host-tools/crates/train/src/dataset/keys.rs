//! Keys of rows: a column whose texts name the rows, so that another file can tell of the same rows in any order.

use std::collections::HashMap;

use super::target::label;
use crate::error::Result;
use crate::table::Table;

/// The keys of all rows, of which `texts` are the cells in `column` and `lines` the lines. 2.0 is the key 2.
///
/// # Errors
/// A row has no key, or that of another row.
pub(super) fn keys_of(file: &Table, column: usize, texts: &[String], lines: &[u64]) -> Result<Vec<String>> {
    let name = &file.names[column];
    let keys: Vec<String> = texts.iter().map(|text| label(text)).collect();
    let mut first = HashMap::with_capacity(keys.len());
    for (key, &line) in keys.iter().zip(lines) {
        if file.is_missing(key) {
            return Err(file.error(Some(line), format!("no key in {name:?}: fill it in")));
        }
        if let Some(before) = first.insert(key.as_str(), line) {
            let message = format!(
                "the key {key:?} in {name:?} is that of line {before}, too: keep one row per key, or name another column"
            );
            return Err(file.error(Some(line), message));
        }
    }
    Ok(keys)
}
