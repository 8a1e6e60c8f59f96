//! Detection of a text's CSV dialect from its first lines: separator, quotes, comments and lines that are not rows.

use std::borrow::Cow;

use csv::StringRecord;

use super::profile::is_missing;
use super::records::Divider;
use super::{notation, time};

/// Rules that divide a text into cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) separator: Separator,
    quote: u8,
    /// `\"` stands for a quote inside of quotes.
    backslash: bool,
    /// Prefix of comment lines.
    comment: Option<&'static str>,
    /// Each line starts with the clock of a serial monitor, `12:00:01.000 -> `.
    clock: bool,
    /// Each line ends with a semicolon, which separates nothing.
    terminated: bool,
    /// Excel's `sep=;` stands in the first line.
    announced: bool,
}

/// Separator of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// One character.
    Byte(u8),
    /// Any number of spaces and tabs.
    Spaces,
}

impl Separator {
    /// Names the separator in a message.
    pub(crate) fn name(self) -> String {
        match self {
            Separator::Byte(b'\t') => "tabs".into(),
            Separator::Byte(byte) => format!("`{}`", char::from(byte)),
            Separator::Spaces => "spaces".into(),
        }
    }
}

impl std::str::FromStr for Separator {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "tab" | "\\t" | "\t" => Ok(Separator::Byte(b'\t')),
            "space" | "spaces" | " " => Ok(Separator::Spaces),
            _ => match text.as_bytes() {
                &[byte] if byte.is_ascii_punctuation() && !matches!(byte, b'"' | b'.' | b'-' | b'+') => {
                    Ok(Separator::Byte(byte))
                }
                _ => Err("a separator is one character such as `,` or `;`, or the word tab or spaces".into()),
            },
        }
    }
}

/// Candidate separators. Of two that fit equally well, the first is chosen, so those that are rare in text come first.
const SEPARATORS: [Separator; 5] = [
    Separator::Byte(b'\t'),
    Separator::Byte(b';'),
    Separator::Byte(b'|'),
    Separator::Byte(b','),
    Separator::Spaces,
];

/// Marks of a comment at the beginning of a line.
const COMMENTS: [&str; 3] = ["#", "%", "//"];

/// Number of records that a dialect is judged by.
const JUDGED: usize = 300;

impl Dialect {
    /// The dialect of texts that are written by this crate: commas and double quotes.
    pub(crate) fn written() -> Self {
        Dialect {
            separator: Separator::Byte(b','),
            quote: b'"',
            backslash: false,
            comment: None,
            clock: false,
            terminated: false,
            announced: false,
        }
    }

    /// Learns the dialect from the first lines of a text, whole lines; `separator` if the user gave one.
    pub(crate) fn learn(sample: &str, separator: Option<Separator>) -> Self {
        let announced = announced(sample);
        let mut dialect = Dialect {
            backslash: sample.contains("\\\""),
            comment: comment(sample),
            announced: announced.is_some(),
            ..Dialect::written()
        };
        let lines = || sample.lines().filter(|line| !line.trim().is_empty() && !dialect.is_comment(line));
        let lines: Vec<&str> = lines().skip(usize::from(announced.is_some())).collect();
        let clocks = lines.iter().filter(|line| clock(line) > 0).count();
        dialect.clock = clocks > 0 && clocks * 10 >= lines.len() * 9;
        let ended = lines.iter().filter(|line| line.trim_end().ends_with(';')).count();
        // The separator of an export may be wrong in its own first line; what the user says is not.
        let given = separator.or(announced.map(Separator::Byte));
        let candidates = given.map_or(SEPARATORS.to_vec(), |given| vec![given]);
        let mut best = (f64::MIN, dialect.clone());
        for separator in candidates {
            let terminated = separator != Separator::Byte(b';') && ended > 0 && ended + 1 >= lines.len();
            for quote in [b'"', b'\''] {
                let candidate = Dialect { separator, terminated, quote, ..dialect.clone() };
                if quote == b'\'' && !candidate.is_quoted_by_apostrophes(&lines) {
                    continue;
                }
                let score = candidate.score(sample, given.is_some());
                if score > best.0 + 1e-9 {
                    best = (score, candidate);
                }
            }
        }
        best.1
    }

    /// Returns true if the text must be rewritten by [`prepare`](Dialect::prepare) before it is divided.
    pub(crate) fn rewrites(&self) -> bool {
        self.comment.is_some()
            || self.clock
            || self.terminated
            || self.announced
            || self.separator == Separator::Spaces
    }

    /// Rewrites a text line by line, so that what is left is cells between separators. Numbers of lines stay.
    pub(crate) fn prepare<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.rewrites() {
            return Cow::Borrowed(text);
        }
        let mut prepared = String::with_capacity(text.len());
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let bare = line.trim_end_matches(['\n', '\r']);
            if !(number == 0 && self.announced || self.is_comment(bare)) {
                let mut cells = if self.clock { &bare[clock(bare)..] } else { bare };
                if self.terminated {
                    cells = cells.trim_end().trim_end_matches(';');
                }
                match self.separator {
                    Separator::Byte(_) => prepared.push_str(cells),
                    Separator::Spaces => self.push_spaced(cells, &mut prepared),
                }
            }
            prepared.push_str(&line[bare.len()..]);
        }
        Cow::Owned(prepared)
    }

    /// Puts one tab in place of each run of spaces and tabs outside of quotes.
    fn push_spaced(&self, cells: &str, prepared: &mut String) {
        let (mut quoted, mut gap) = (false, false);
        for char in cells.trim().chars() {
            quoted ^= char == char::from(self.quote);
            if !quoted && char.is_whitespace() {
                gap = true;
                continue;
            }
            if std::mem::take(&mut gap) {
                prepared.push('\t');
            }
            prepared.push(char);
        }
    }

    /// A reader of the cells of a prepared text; lengths of records may differ, and no record is taken for a header.
    pub(crate) fn reader<R: std::io::Read>(&self, prepared: R) -> csv::Reader<R> {
        csv::ReaderBuilder::new()
            .delimiter(self.delimiter())
            .quote(self.quote)
            .escape(self.escape())
            .trim(csv::Trim::All)
            .flexible(true)
            .has_headers(false)
            .from_reader(prepared)
    }

    /// The same division of a prepared text, faster.
    pub(super) fn divider(&self) -> Divider {
        Divider::new(self.delimiter(), self.quote, self.escape())
    }

    /// The byte between the cells of a prepared text.
    fn delimiter(&self) -> u8 {
        match self.separator {
            Separator::Byte(byte) => byte,
            Separator::Spaces => b'\t',
        }
    }

    fn escape(&self) -> Option<u8> {
        self.backslash.then_some(b'\\')
    }

    /// The names in the last comment before the first row, if it has as many words as the rows have cells.
    pub(crate) fn commented_header(&self, text: &str, width: usize) -> Option<Vec<String>> {
        let mark = self.comment?;
        let mut last = None;
        for (number, line) in (1..).zip(text.lines()) {
            match line.trim_start().strip_prefix(mark) {
                Some(names) => last = Some(names),
                None if line.trim().is_empty() || number == 1 && self.announced => {}
                None => break,
            }
        }
        let names = last?;
        let bare = Dialect { comment: None, clock: false, announced: false, ..self.clone() };
        let prepared = bare.prepare(names);
        let mut record = StringRecord::new();
        let found = bare.reader(prepared.as_bytes()).read_record(&mut record).ok()?;
        let names: Vec<String> = record.iter().map(str::to_owned).collect();
        (found
            && names.len() == width
            && names.iter().all(|name| !name.is_empty() && notation::number(name).is_none()))
        .then_some(names)
    }

    /// Notes on everything that a user might not expect.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Separator::Spaces | Separator::Byte(b'|') = self.separator {
            notes.push(format!("cells are separated by {}", self.separator.name()));
        }
        if self.quote == b'\'' {
            notes.push("cells are quoted by apostrophes".into());
        }
        if let Some(mark) = self.comment {
            notes.push(format!("lines that start with `{mark}` are comments"));
        }
        if self.clock {
            notes.push("left out the clock before `->` in each line".into());
        }
        if self.terminated {
            notes.push("left out the `;` at the end of each line".into());
        }
        notes
    }

    fn is_comment(&self, line: &str) -> bool {
        self.comment.is_some_and(|mark| line.trim_start().starts_with(mark))
    }

    fn is_quoted_by_apostrophes(&self, lines: &[&str]) -> bool {
        let separators = |char: char| match self.separator {
            Separator::Byte(byte) => char == char::from(byte),
            Separator::Spaces => char.is_whitespace(),
        };
        let quoted = |line: &&&str| {
            let cells: Vec<&str> = line.split(separators).map(str::trim).collect();
            let opened = cells.iter().filter(|cell| cell.starts_with('\'')).count();
            opened > 0 && opened == cells.iter().filter(|cell| cell.len() > 1 && cell.ends_with('\'')).count()
        };
        let quoted = lines.iter().filter(quoted).count();
        quoted > 0 && quoted * 2 > lines.len()
    }

    /// Share of the records that have the usual number of cells, times the share of their cells that hold one thing:
    /// a number, a time, a word without another separator in it.
    fn score(&self, sample: &str, given: bool) -> f64 {
        let prepared = self.prepare(sample);
        let records: Vec<StringRecord> =
            self.reader(prepared.as_bytes()).into_records().map_while(Result::ok).take(JUDGED).collect();
        let Some(width) = usual_width(&records) else { return -1.0 };
        if width < 2 && !given {
            // One column: anything with several that are alike is better.
            return 0.3;
        }
        let alike: Vec<&StringRecord> = records.iter().filter(|record| record.len() == width).collect();
        let cells = alike.len() * width;
        let (mut worth, mut numbers) = (0.0, 0);
        for cell in alike.iter().flat_map(|record| record.iter()) {
            let number = notation::number(cell).is_some();
            numbers += usize::from(number);
            worth += if number || is_missing(cell) || time::is_time(cell) {
                1.0
            } else if cell.contains(['\t', ';', '|', ',', char::from(self.quote)]) {
                0.4
            } else {
                1.0
            };
        }
        // Words with spaces between them are prose, unless every record has as many; numbers may have a few that differ.
        let all = alike.len() == records.len();
        if self.separator == Separator::Spaces
            && !given
            && !all
            && (numbers == 0 || alike.len() * 10 < records.len() * 9)
        {
            return 0.0;
        }
        let sure = if self.separator == Separator::Spaces && !given && numbers == 0 { 0.5 } else { 1.0 };
        sure * alike.len() as f64 / records.len() as f64 * worth / cells as f64
    }
}

/// The most frequent number of cells of a record; of two, the greater.
pub(crate) fn usual_width(records: &[StringRecord]) -> Option<usize> {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for record in records {
        *counts.entry(record.len()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|&(width, count)| (count, width)).map(|(width, _)| width)
}

/// The separator of Excel's first line `sep=;`.
fn announced(text: &str) -> Option<u8> {
    let first = text.lines().next()?.trim_matches('"');
    let mark = first.get(..4).filter(|mark| mark.eq_ignore_ascii_case("sep="))?;
    match &first.as_bytes()[mark.len()..] {
        &[byte] => Some(byte),
        b"" => Some(b'\t'),
        _ => None,
    }
}

/// The mark of comments, if the first line that is not empty starts with one and another line does not.
fn comment(text: &str) -> Option<&'static str> {
    let mut lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty());
    let first = lines.find(|line| announced(line).is_none())?;
    let mark = COMMENTS.into_iter().find(|mark| first.starts_with(mark))?;
    lines.any(|line| !line.starts_with(mark)).then_some(mark)
}

/// Length of a serial monitor's clock at the beginning of a line, `12:00:01.000 -> `.
fn clock(line: &str) -> usize {
    match line.split_once("->") {
        Some((clock, rest)) if time::is_time(clock.trim()) => line.len() - rest.trim_start().len(),
        _ => 0,
    }
}
