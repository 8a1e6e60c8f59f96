//! Files in a zip archive, unpacked within limits.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::context::Context;
use crate::error::Result;

pub(super) type Archive = ZipArchive<Cursor<Vec<u8>>>;

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
