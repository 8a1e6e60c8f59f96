//! UTF-16, which Excel's "Unicode text", PowerShell and some loggers write.

use super::context::Context;
use crate::error::Result;

/// The order of the bytes of a unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn name(self) -> &'static str {
        match self {
            Order::Little => "UTF-16 LE",
            Order::Big => "UTF-16 BE",
        }
    }
}

/// Bytes from the start that tell whether a text is UTF-16.
const HEAD: usize = 1 << 16;

/// The order, and whether a byte order mark tells it. Without a mark the zero bytes do, which ASCII letters have: most of
/// the high bytes are zero, and almost none of the low ones.
pub(super) fn order(bytes: &[u8]) -> Option<(Order, bool)> {
    match bytes {
        [0xFF, 0xFE, ..] => return Some((Order::Little, true)),
        [0xFE, 0xFF, ..] => return Some((Order::Big, true)),
        _ => {}
    }
    let head = &bytes[..bytes.len().min(HEAD)];
    // Zero bytes at the end are the trace of a power cut, in any encoding.
    let head = &head[..head.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)];
    let mut zeros = [0; 2];
    for pair in head.chunks_exact(2) {
        zeros[0] += usize::from(pair[0] == 0);
        zeros[1] += usize::from(pair[1] == 0);
    }
    let pairs = head.len() / 2;
    let most = |zeros: usize| pairs > 0 && zeros * 2 >= pairs;
    let few = |zeros: usize| zeros * 20 <= pairs;
    match zeros {
        [low, high] if most(high) && few(low) => Some((Order::Little, false)),
        [high, low] if most(high) && few(low) => Some((Order::Big, false)),
        _ => None,
    }
}

/// Decodes UTF-16. Half a unit at the end is left out with a note, since a log is often cut; half of a pair is an error.
pub(super) fn decode(bytes: &[u8], order: Order, context: &mut Context) -> Result<String> {
    let bytes = match (order, bytes) {
        (Order::Little, [0xFF, 0xFE, rest @ ..]) | (Order::Big, [0xFE, 0xFF, rest @ ..]) => rest,
        (_, bytes) => bytes,
    };
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().map(|&unit| match order {
        Order::Little => u16::from_le_bytes(unit),
        Order::Big => u16::from_be_bytes(unit),
    });
    let mut text = String::with_capacity(bytes.len() / 2 + bytes.len() / 16);
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => text.push(character),
            Err(unit) => {
                let message = format!(
                    "{:#06x} is half of a character in {}: the file is damaged, or --encoding names what it is",
                    unit.unpaired_surrogate(),
                    order.name(),
                );
                return Err(context.error(Some(lines(text.as_bytes())), message));
            }
        }
    }
    if !rest.is_empty() {
        let line = lines(text.as_bytes());
        context.note(format!("line {line} ends in the middle of a character, which is left out"));
    }
    Ok(text)
}

/// The number of the line that comes after `bytes`, from 1.
pub(super) fn lines(bytes: &[u8]) -> u64 {
    1 + bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}
