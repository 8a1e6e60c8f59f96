//! Weights that a board printed, in the log of a terminal: with colors, noise of a reset, several runs, the last of them cut.

use super::log::weights_line;

/// Tensors of the last whole record in a log.
pub(super) struct Printed {
    pub(super) tensors: Vec<Vec<f32>>,
    /// What was skipped.
    pub(super) notes: Vec<String>,
}

/// Returns the text of a log that has lines of weights; none for other bytes.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let wide = |from: fn([u8; 2]) -> u16| -> String {
        let units = bytes.chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    // Text of mostly Latin letters has a zero in every other byte.
    let zeros = |first: usize| {
        let half = bytes.iter().skip(first).step_by(2).take(500);
        half.clone().count() > 8 && half.clone().filter(|&&byte| byte == 0).count() * 2 > half.count()
    };
    // Noise of a reset may look like a byte order mark, so that zeros alone tell UTF-16.
    let text = match (zeros(0), zeros(1)) {
        (false, true) => wide(u16::from_le_bytes),
        (true, false) => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    let text = without_colors(&text);
    text.lines().any(|line| weights_line(line.trim_end()).is_some()).then_some(text)
}

/// Removes the escape sequences by which terminals are colored.
fn without_colors(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\u{1b}' {
            plain.push(char);
        } else if chars.as_str().starts_with('[') {
            // It ends with a letter: `ESC [ 32 m`.
            chars.by_ref().skip(1).find(|char| ('@'..='~').contains(char));
        } else {
            chars.next();
        }
    }
    plain
}

/// Reads the last record whose tensors have the `wanted` lengths.
pub(super) fn printed(text: &str, wanted: &[usize]) -> Result<Printed, String> {
    let mut whole = None;
    let (mut tensors, mut gap) = (Vec::<Vec<f32>>::new(), None);
    let (mut skipped, mut incomplete) = (0, 0);
    let lengths = |tensors: &[Vec<f32>]| tensors.iter().map(Vec::len).collect::<Vec<_>>();
    for (line, text) in (1..).zip(text.lines()) {
        let Some((tensor, from, bits)) = weights_line(text.trim_end()) else {
            skipped += usize::from(text.contains("weights "));
            continue;
        };
        if (tensor, from) == (0, 0) && !tensors.is_empty() {
            if lengths(&tensors) == wanted {
                whole = Some(std::mem::take(&mut tensors));
            } else {
                incomplete += 1;
                tensors.clear();
            }
            gap = None;
        }
        if (tensor, from) == (tensors.len(), 0) {
            tensors.push(Vec::new());
        }
        let last = tensors.len().wrapping_sub(1);
        match tensors.last_mut().filter(|values| (tensor, from) == (last, values.len())) {
            Some(values) => values.extend(bits.into_iter().map(f32::from_bits)),
            None => _ = gap.get_or_insert(line),
        }
    }
    let mut notes = Vec::new();
    let found = lengths(&tensors);
    if found == wanted {
        whole = Some(tensors);
    } else if whole.is_some() {
        notes.push("the last record in the log is cut: the whole one before it is taken".into());
    }
    if incomplete > 0 {
        notes.push(format!(
            "skipped {} before it that are not whole",
            crate::table::counted(incomplete, "record")
        ));
    }
    if skipped > 0 {
        notes.push(format!("skipped {} of weights that are damaged", crate::table::counted(skipped, "line")));
    }
    match (whole, gap) {
        (Some(tensors), _) => Ok(Printed { tensors, notes }),
        (None, Some(line)) => {
            Err(format!("line {line}: weights are missing before it; give the whole output of the run"))
        }
        (None, None) => Err(format!(
            "the text has tensors of {found:?} parameters, but the model has {wanted:?}: give the model that the \
             device trains and the whole output of the run"
        )),
    }
}
