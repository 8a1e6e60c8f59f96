//! Weights that a board printed, in the log of a terminal: with colors, noise of a reset, several runs, the last of them cut.

use super::log::{check_line, weights_line};
use crate::table::counted;

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

/// Reads the last record whose tensors have the `wanted` lengths. `seal` computes the check value of such tensors.
///
/// # Errors
/// Fails if no record is whole, if the check value of none is right, and, in a log without check values, if a weight looks
/// as if it had lost a digit.
pub(super) fn printed(
    text: &str,
    wanted: &[usize],
    seal: &dyn Fn(&[Vec<f32>]) -> u32,
) -> Result<Printed, String> {
    let mut log =
        Log { wanted, seal, open: Open::default(), sealed: None, bare: None, skipped: Skipped::default() };
    for (line, text) in (1..).zip(text.lines()) {
        log.line(line, text.trim_end());
    }
    log.finish()
}

/// A record whose end is not reached.
#[derive(Debug, Default)]
struct Open {
    tensors: Vec<Vec<f32>>,
    /// The first line that does not go on where the one before ended.
    gap: Option<usize>,
    /// The first weight that looks damaged, with its line.
    odd: Option<(usize, f32)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Skipped {
    /// Lines of weights, or of a check value, that are damaged.
    lines: usize,
    /// Records that are not whole.
    records: usize,
    /// Line of the last check value that does not fit the weights before it, and how many there are.
    wrong: Option<(usize, usize)>,
    /// The first gap.
    gap: Option<usize>,
    /// True if the log ends with a record that is not whole.
    last: bool,
}

/// State of reading a log.
struct Log<'a> {
    wanted: &'a [usize],
    seal: &'a dyn Fn(&[Vec<f32>]) -> u32,
    open: Open,
    /// The last whole record with the right check value.
    sealed: Option<Open>,
    /// The last whole record without any check value.
    bare: Option<Open>,
    skipped: Skipped,
}

impl Log<'_> {
    fn line(&mut self, line: usize, text: &str) {
        if let Some(check) = check_line(text) {
            return self.end(Some((line, check)));
        }
        let Some((tensor, from, bits)) = weights_line(text) else {
            self.skipped.lines += usize::from(text.contains("weights "));
            return;
        };
        if (tensor, from) == (0, 0) {
            self.end(None);
        }
        let Open { tensors, gap, odd } = &mut self.open;
        if (tensor, from) == (tensors.len(), 0) {
            tensors.push(Vec::new());
        }
        let last = tensors.len().wrapping_sub(1);
        match tensors.last_mut().filter(|values| (tensor, from) == (last, values.len())) {
            Some(values) => {
                let new = bits.into_iter().map(f32::from_bits);
                *odd = odd.or_else(|| Some((line, new.clone().find(|&weight| is_odd(weight))?)));
                values.extend(new);
            }
            None => _ = gap.get_or_insert(line),
        }
    }

    /// Ends the open record, with the check value behind it and its line.
    fn end(&mut self, check: Option<(usize, u32)>) {
        let open = std::mem::take(&mut self.open);
        self.skipped.gap = self.skipped.gap.or(open.gap);
        if open.tensors.is_empty() && open.gap.is_none() {
            return;
        }
        let whole = open.gap.is_none() && lengths(&open.tensors) == self.wanted;
        self.skipped.last = !whole;
        match check {
            _ if !whole => self.skipped.records += 1,
            None => self.bare = Some(open),
            Some((_, check)) if check == (self.seal)(&open.tensors) => self.sealed = Some(open),
            Some((line, _)) => {
                let count = self.skipped.wrong.map_or(1, |(_, count)| count + 1);
                self.skipped.wrong = Some((line, count));
            }
        }
    }

    fn finish(mut self) -> Result<Printed, String> {
        let found = lengths(&self.open.tensors);
        self.end(None);
        let skipped = self.skipped;
        let mut notes = skipped.notes();
        if let Some(sealed) = self.sealed {
            if self.bare.is_some() {
                notes.push("skipped records without a check value, since others have one".into());
            }
            return Ok(Printed { tensors: sealed.tensors, notes });
        }
        if let Some((line, _)) = skipped.wrong {
            return Err(format!(
                "line {line}: the check value does not fit the weights above it, so a digit was lost or changed: print the \
                 weights again"
            ));
        }
        match (self.bare, skipped.gap) {
            (Some(Open { odd: Some((line, weight)), .. }), _) => Err(format!(
                "line {line}: a weight is {weight:e}, as if a digit was lost, and no line `weights check: …` tells: print the \
                 weights again, by a program of this version, or give a record"
            )),
            (Some(bare), _) => {
                notes.push(
                    "no check value follows the weights, as older programs print none: a digit lost on the way may go \
                     unnoticed"
                        .into(),
                );
                Ok(Printed { tensors: bare.tensors, notes })
            }
            (None, Some(line)) => {
                Err(format!("line {line}: weights are missing before it; give the whole output of the run"))
            }
            (None, None) => Err(format!(
                "the text has tensors of {found:?} parameters, but the model has {:?}: give the model that the \
                 device trains and the whole output of the run",
                self.wanted
            )),
        }
    }
}

impl Skipped {
    fn notes(self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |count: usize, what: &str, why: &str| {
            if count > 0 {
                notes.push(format!("skipped {}{why}", counted(count, what)));
            }
        };
        note(self.wrong.map_or(0, |(_, count)| count), "record", " whose check value is wrong");
        note(self.records - usize::from(self.last), "record", " not printed whole");
        note(self.lines, "line", " of damaged weights");
        if self.last {
            notes.push("the last record in the log is cut: the whole one before it is taken".into());
        }
        notes
    }
}

fn lengths(tensors: &[Vec<f32>]) -> Vec<usize> {
    tensors.iter().map(Vec::len).collect()
}

/// Returns true for a weight that a lost digit explains better than training: of ten digits, nine are left, and of their bits
/// the exponent is near its end.
fn is_odd(weight: f32) -> bool {
    !weight.is_finite() || weight != 0.0 && !(1e-12..1e6).contains(&weight.abs())
}
