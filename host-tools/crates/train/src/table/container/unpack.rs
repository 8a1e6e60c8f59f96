//! gzip and zstd, unpacked within the limits.

use std::io::{ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::context::Context;
use crate::error::Result;

/// Unpacks all members of a gzip file.
pub(super) fn gzip(bytes: &[u8], context: &mut Context) -> Result<Vec<u8>> {
    note(context, "gzip");
    let mut unpacked = Vec::new();
    read(MultiGzDecoder::new(bytes), &mut unpacked, "gzip", context)?;
    Ok(unpacked)
}

/// Unpacks all frames of a zstd file.
pub(super) fn zstd(mut bytes: &[u8], context: &mut Context) -> Result<Vec<u8>> {
    note(context, "zstd");
    let mut unpacked = Vec::new();
    while !bytes.is_empty() {
        // The window lies in memory beside what was unpacked.
        let window = context.limits.unpacked as u64;
        match StreamingDecoder::new_with_max_window_size(&mut bytes, window) {
            Ok(decoder) => read(decoder, &mut unpacked, "zstd", context)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                bytes = bytes.get(length as usize..).unwrap_or_default();
            }
            Err(error) => return Err(context.error(None, format!("the zstd file is damaged: {error}"))),
        }
    }
    Ok(unpacked)
}

fn note(context: &mut Context, kind: &str) {
    context.packed = true;
    context.note(kind);
}

/// Reads all that `reader` unpacks, if it is not too much.
fn read(reader: impl Read, unpacked: &mut Vec<u8>, kind: &str, context: &Context) -> Result<()> {
    let left = context.limits.unpacked.saturating_sub(unpacked.len()) as u64;
    let read = reader.take(left + 1).read_to_end(unpacked).map_err(|error| {
        let message = match error.kind() {
            ErrorKind::UnexpectedEof => format!("the {kind} file ends early: was it copied whole?"),
            _ => format!("the {kind} file is damaged: {error}"),
        };
        context.error(None, message)
    })?;
    if read as u64 > left { Err(context.unpacks_too_large()) } else { Ok(()) }
}
