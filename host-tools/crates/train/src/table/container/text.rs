//! Texts in any encoding, as UTF-8.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::contents::{Contents, Opened, Options, Text};
use super::context::Context;
use super::kind::{self, Kind};
use super::utf16::{self, Order, lines};
use super::{arff, hash};
use crate::error::{Error, Result};

/// The byte order mark in UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Files of this size on are not kept in memory if they are plain UTF-8.
const LARGE: u64 = 64 << 20;

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// Encodings that an error proposes.
const SOME: &str =
    "utf-8, utf-16le, utf-16be, windows-1252, iso-8859-2, windows-1251, shift_jis, euc-kr, gb18030, big5";

/// Reads a large file in UTF-8 once, piece by piece, and leaves it on disk. `None` for any other file.
pub(super) fn stream(path: &Path, options: &Options) -> Result<Option<Opened>> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let about = file.metadata().map_err(Error::io(path))?;
    let utf8 = options.encoding.as_deref().is_none_or(is_utf8);
    if !about.is_file() || about.len() < LARGE || !utf8 || options.sheet.is_some() {
        return Ok(None);
    }
    let mut digest = Sha256::new();
    let mut bytes = vec![0; PIECE];
    // Bytes at the start of the piece that the piece before left: the beginning of a character.
    let (mut kept, mut first) = (0, true);
    let mut skip = 0;
    loop {
        let read = file.read(&mut bytes[kept..]).map_err(Error::io(path))?;
        digest.update(&bytes[kept..kept + read]);
        let piece = &bytes[..kept + read];
        if first {
            if !is_plain(piece) {
                return Ok(None);
            }
            skip = if piece.starts_with(MARK) { MARK.len() as u64 } else { 0 };
            first = false;
        }
        let valid = match std::str::from_utf8(piece) {
            Ok(_) => piece.len(),
            Err(error) if error.error_len().is_none() && read > 0 => error.valid_up_to(),
            Err(_) => return Ok(None),
        };
        if read == 0 {
            break;
        }
        let rest = valid..piece.len();
        kept = rest.len();
        bytes.copy_within(rest, 0);
    }
    let contents = Contents::Text(Text::File { path: path.to_path_buf(), skip });
    Ok(Some(Opened { contents, notes: Vec::new(), hash: hash(digest) }))
}

/// Whether a file that begins with `piece` is a text in UTF-8, as far as that shows, and no ARFF.
fn is_plain(piece: &[u8]) -> bool {
    let plain = matches!(kind::of(piece), Kind::Text) && utf16::order(piece).is_none();
    let end = std::str::from_utf8(piece).map_or_else(|error| error.valid_up_to(), str::len);
    let text = String::from_utf8_lossy(&piece[..end]);
    let text = text.trim_start_matches('\u{FEFF}');
    plain && matches!(kind::of_text(text), Kind::Text) && !arff::is_arff(text)
}

fn is_utf8(label: &str) -> bool {
    matches!(label.trim().to_ascii_lowercase().as_str(), "utf-8" | "utf8" | "ascii" | "us-ascii")
}

/// Decodes a text: by the encoding that is named, by its byte order mark, or by what its bytes look like.
pub(super) fn decode(bytes: Vec<u8>, context: &mut Context) -> Result<String> {
    if let Some(label) = context.options.encoding.clone() {
        return named(bytes, &label, context);
    }
    if let Some((order, _)) = utf16::order(&bytes) {
        context.note(order.name());
        return utf16::decode(&bytes, order, context);
    }
    match utf8(bytes) {
        Ok(text) => Ok(text),
        Err(bytes) if is_damaged_utf8(&bytes) => Ok(damaged(&bytes, context)),
        Err(bytes) => guessed(&bytes, context),
    }
}

/// Decodes UTF-8, or gives the bytes back.
fn utf8(bytes: Vec<u8>) -> Result<String, Vec<u8>> {
    let mut text = String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes)?;
    if text.starts_with('\u{FEFF}') {
        text.drain(..MARK.len());
    }
    Ok(text)
}

/// Decodes by the encoding of a name, strictly.
fn named(bytes: Vec<u8>, label: &str, context: &mut Context) -> Result<String> {
    let order = match label.trim().to_ascii_lowercase().as_str() {
        "utf-16" | "utf16" => Some(utf16::order(&bytes).map_or(Order::Little, |(order, _)| order)),
        "utf-16le" | "utf-16-le" | "utf16le" => Some(Order::Little),
        "utf-16be" | "utf-16-be" | "utf16be" => Some(Order::Big),
        _ => None,
    };
    if let Some(order) = order {
        return utf16::decode(&bytes, order, context);
    }
    if is_utf8(label) {
        return utf8(bytes).map_err(|bytes| {
            let valid = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
            let byte = bytes.get(valid).copied().unwrap_or_default();
            let message = format!(
                "byte {byte:#04x} is not UTF-8: --encoding can name another encoding, such as {SOME}"
            );
            context.error(Some(lines(&bytes[..valid])), message)
        });
    }
    legacy(&bytes, label, context)
}

/// Whether bytes that are no UTF-8 were UTF-8 once: most of the letters beyond ASCII are whole.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut whole, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        // The bytes that continue a letter are not counted.
        whole += chunk.valid().bytes().filter(|&byte| byte >= 0xC0).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    bytes.starts_with(MARK) || whole > 2 * broken
}

/// Decodes UTF-8 of which some letters are broken.
fn damaged(bytes: &[u8], context: &mut Context) -> String {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let (mut before, mut broken, mut first) = (0, 0, 0);
    for chunk in bytes.utf8_chunks() {
        before += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            if broken == 0 {
                first = lines(&bytes[..before]);
            }
            broken += 1;
        }
        before += chunk.invalid().len();
    }
    let line = if broken == 1 { format!("in line {first}") } else { format!("the first in line {first}") };
    let s = if broken == 1 { "" } else { "s" };
    context.note(format!("UTF-8 with {broken} broken character{s}, {line}, read as \u{FFFD}"));
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(feature = "formats")]
fn guessed(bytes: &[u8], context: &mut Context) -> Result<String> {
    use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let name = detector.guess(None, Utf8Detection::Deny).name();
    context
        .note(format!("encoding {name}, guessed from the letters beyond ASCII (--encoding names another)"));
    legacy(bytes, name, context)
}

#[cfg(not(feature = "formats"))]
fn guessed(_: &[u8], context: &mut Context) -> Result<String> {
    Err(context.needs_feature("a text that is not UTF-8"))
}

#[cfg(feature = "formats")]
fn legacy(bytes: &[u8], label: &str, context: &mut Context) -> Result<String> {
    let encoding = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
    let encoding = encoding.ok_or_else(|| {
        context.error(None, format!("no encoding is named {label:?}: some names are {SOME}"))
    })?;
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::new();
    // A piece at a time, since the worst case of the whole is three times its size.
    let mut rest = bytes;
    loop {
        let piece = &rest[..rest.len().min(PIECE)];
        let room = decoder.max_utf8_buffer_length_without_replacement(piece.len()).unwrap_or(usize::MAX);
        text.reserve(room);
        let last = piece.len() == rest.len();
        let (result, read) = decoder.decode_to_string_without_replacement(piece, &mut text, last);
        rest = &rest[read..];
        match result {
            encoding_rs::DecoderResult::InputEmpty if last => return Ok(text),
            encoding_rs::DecoderResult::InputEmpty | encoding_rs::DecoderResult::OutputFull => {}
            encoding_rs::DecoderResult::Malformed(..) => {
                let name = encoding.name();
                let message =
                    format!("a character is not {name}: --encoding can name another, such as {SOME}");
                return Err(context.error(Some(lines(text.as_bytes())), message));
            }
        }
    }
}

#[cfg(not(feature = "formats"))]
fn legacy(_: &[u8], label: &str, context: &mut Context) -> Result<String> {
    Err(context.needs_feature(&format!("a text in {label:?} ({SOME} are known)")))
}
