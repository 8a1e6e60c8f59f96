//! Reading of data files: any container and any dialect of CSV becomes one table of named columns.
//!
//! Notes tell the user what was skipped and guessed. A file that can be read in two ways is an error that names the flag that
//! decides.

mod columns;
pub mod container;
mod dialect;
mod header;
mod notation;
mod profile;
mod records;
mod source;
mod time;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use crate::error::{Error, Result};
use columns::Columns;
use dialect::Dialect;
pub use dialect::Separator;
pub(crate) use notation::Notation;
pub(crate) use profile::{Content, Evidence, MOST_CATEGORIES, Profile, is_placeholder, quoted};
use records::Place;
pub(crate) use records::Record;
use source::Source;

/// Format of a file, as far as the user states it; everything else is detected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Separator of cells.
    pub separator: Option<Separator>,
    /// True if the first line holds the columns' names, false if it is a row.
    pub header: Option<bool>,
    /// Decimal separator: `.` or `,`.
    pub decimal: Option<char>,
    /// Separator between thousands: `.`, `,`, `'`, `_` or a space.
    pub thousands: Option<char>,
    /// Texts that mark a missing value, in addition to the empty one, `NA`, `NaN`, `null` and `?`.
    pub missing: Vec<String>,
    /// Columns to leave out.
    pub ignore: Vec<String>,
    /// Encoding of a text, such as `windows-1252`.
    pub encoding: Option<String>,
    /// Sheet of a spreadsheet.
    pub sheet: Option<String>,
}

impl Options {
    /// Returns true for a text that the user named as missing. -200 also matches -200.0.
    pub(crate) fn is_missing(&self, text: &str) -> bool {
        self.missing.iter().any(|missing| {
            missing == text || text.parse::<f64>().is_ok_and(|number| missing.parse() == Ok(number))
        })
    }
}

/// A file as rows of cells in named columns. Each pass reads the rows again, so they are not kept in memory as cells.
pub(crate) struct Table {
    pub(crate) path: PathBuf,
    /// Names of the columns; a column that is ignored has none.
    pub(crate) names: Vec<String>,
    /// First 16 hexadecimal digits of the SHA-256 of the file.
    pub(crate) hash: String,
    pub(crate) notes: Vec<String>,
    pub(crate) options: Options,
    /// One per column, of all rows.
    pub(crate) profiles: Vec<Profile>,
    pub(crate) evidence: Evidence,
    /// Number of rows.
    pub(crate) rows: usize,
    source: Source,
    dialect: Dialect,
    /// The header as it stands in the file; it may stand there again.
    header: Option<StringRecord>,
    /// Its line, or 1.
    header_line: u64,
    /// Byte at which the first row begins.
    first: u64,
}

/// Size of the sample that a dialect is detected from, in bytes; cut to whole lines.
const SAMPLE: usize = 1 << 18;

impl Table {
    /// Reads all of a file; `-` is standard input.
    ///
    /// # Errors
    /// Every file that cannot be read, or that may be read in two ways, with its line.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self> {
        let named = container::Options { encoding: options.encoding.clone(), sheet: options.sheet.clone() };
        let opened = container::open(path, &named)?;
        let path = if path.as_os_str() == "-" { "standard input".into() } else { path.to_path_buf() };
        let source = Source::of(opened.contents);
        let sample = source.sample(SAMPLE)?;
        let dialect = source.written.clone().unwrap_or_else(|| Dialect::learn(&sample, options.separator));
        let mut table = Table {
            path,
            names: Vec::new(),
            hash: opened.hash,
            notes: opened.notes,
            options: options.clone(),
            profiles: Vec::new(),
            evidence: Evidence::default(),
            rows: 0,
            source,
            dialect,
            header: None,
            header_line: 1,
            first: 0,
        };
        table.notes.extend(table.dialect.notes());
        table.learn_columns()?;
        table.learn_profiles()?;
        table.check_nameless()?;
        table.ignore_columns()?;
        Ok(table)
    }

    fn learn_columns(&mut self) -> Result<()> {
        let mut options = self.options.clone();
        if self.source.names {
            options.header = Some(true);
        }
        let columns = Columns::learn(&self.source.sample(4 * SAMPLE)?, &self.dialect, &options);
        let columns = columns.map_err(|(line, message)| self.error(line, message))?;
        (self.names, self.header) = (columns.names, columns.header);
        (self.header_line, self.first) = (columns.header_line, columns.first);
        self.notes.extend(columns.notes);
        self.source.prepare(&self.dialect)
    }

    /// Profiles every column in one pass over the rows.
    fn learn_profiles(&mut self) -> Result<()> {
        let mut profiles = vec![Profile::default(); self.names.len()];
        let options = self.options.clone();
        let (mut rows, mut unclosed) = (0, None);
        let skipped = self.each(|line, record| {
            for (profile, cell) in profiles.iter_mut().zip(record.iter()) {
                profile.add(&options, line, cell);
            }
            rows += 1;
            let lines = record.iter().next_back().is_some_and(|cell| cell.contains(['\n', '\r']));
            unclosed = lines.then_some(line);
            Ok(())
        })?;
        if rows == 0 {
            return Err(self.error(None, "only a header: rows are needed"));
        }
        // A quote that nothing closes takes all that follows for one cell, the last one.
        if unclosed.is_some() && !self.source.tail()?.trim_ascii_end().ends_with(b"\"") {
            return Err(
                self.error(unclosed, "a quote in the last column is never closed: close it, or take it out")
            );
        }
        self.rows = rows;
        self.notes.extend(skipped.notes());
        profiles.iter().for_each(|profile| profile.testify(&mut self.evidence));
        self.profiles = profiles;
        Ok(())
    }

    /// A column without a name is empty, or the row numbers that some programs write; else its name is wanted.
    fn check_nameless(&mut self) -> Result<()> {
        for column in (0..self.names.len()).filter(|&column| self.names[column].is_empty()) {
            let (mut empty, mut numbers, mut before) = (true, true, None::<i64>);
            let mut different = BTreeSet::new();
            self.each(|_, record| {
                let number = record[column].parse::<i64>().ok();
                empty &= record[column].is_empty();
                // From 0, or from 1.
                numbers &= match before {
                    None => matches!(number, Some(0 | 1)),
                    Some(before) => number == Some(before + 1),
                };
                before = number;
                different.insert(record[column].to_owned());
                Ok(())
            })?;
            let place = column + 1;
            // R gives each row a name of its own.
            let names_rows =
                column == 0 && self.profiles[0].words == self.rows && different.len() == self.rows;
            if !empty && !numbers && !names_rows {
                let line = self.header_line;
                return Err(self.error(Some(line), format!("column {place} of the header has no name")));
            }
            let what = if names_rows { "it names the rows" } else { "it is empty or numbers the rows" };
            self.notes.push(format!("ignored column {place}, which has no name: {what}"));
        }
        Ok(())
    }

    /// Takes the names from columns that are to be left out.
    fn ignore_columns(&mut self) -> Result<()> {
        for name in self.options.ignore.clone() {
            let column = self.column(&name, "--ignore")?;
            self.names[column].clear();
        }
        if !self.options.ignore.is_empty() {
            self.notes.push(format!("ignored the columns {:?}, as asked", self.options.ignore));
        }
        Ok(())
    }

    /// Returns true if the file names its columns.
    pub(crate) fn has_header(&self) -> bool {
        self.header.is_some() || self.names.first().is_some_and(|name| name != "column1")
    }

    /// Columns with a name.
    pub(crate) fn named(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.names.len()).filter(|&column| !self.names[column].is_empty())
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.named().find(|&column| self.names[column] == name)
    }

    pub(crate) fn column(&self, name: &str, what: &str) -> Result<usize> {
        self.find(name).ok_or_else(|| {
            let names: Vec<&String> = self.named().map(|column| &self.names[column]).collect();
            self.error(
                Some(self.header_line),
                format!("no {what} column {name:?}: the columns are {names:?}"),
            )
        })
    }

    /// What a column is.
    pub(crate) fn content(&self, column: usize) -> Result<Content> {
        self.profiles[column]
            .content(&self.options, self.evidence)
            .map_err(|(line, problem)| self.column_error(column, line, &problem))
    }

    /// The notation of a column that must hold numbers only.
    pub(crate) fn numbers(&self, column: usize) -> Result<(Notation, String)> {
        self.profiles[column]
            .numbers(&self.options, self.evidence)
            .map_err(|(line, problem)| self.column_error(column, line, &problem))
    }

    fn column_error(&self, column: usize, line: Option<u64>, problem: &str) -> Error {
        self.error(line, format!("column {:?}: {problem}", self.names[column]))
    }

    /// Calls `row` with the line and the cells of each row, and returns what was skipped.
    pub(crate) fn each(&self, mut row: impl FnMut(u64, Record<'_>) -> Result<()>) -> Result<Skipped> {
        let mut divider = self.dialect.divider();
        let mut skipped = Skipped::default();
        // The line and the cells of a record of another length, until it is known if another record follows.
        let mut odd = None;
        let mut each = |place: Place, record: Record<'_>| {
            if let Some((line, values)) = odd {
                return Err(self.wrong_length(line, values, false));
            }
            if place.byte < self.first {
                return Ok(());
            }
            if record.is_empty() {
                skipped.empty += 1;
            } else if record.has_nul() {
                skipped.nul += 1;
            } else if self.header.as_ref().is_some_and(|header| record.equals(header)) {
                skipped.headers += 1;
            } else if record.len() != self.names.len() {
                odd = Some((place.line, record.len()));
            } else {
                row(place.line, record)?;
            }
            Ok(())
        };
        self.source.blocks(|block, last| divider.divide(block, last, &mut each))?;
        match odd {
            Some((line, values)) => Err(self.wrong_length(line, values, true)),
            None => Ok(skipped),
        }
    }

    pub(crate) fn is_missing(&self, text: &str) -> bool {
        profile::is_missing(text) || self.options.is_missing(text)
    }

    /// The number of a cell; NaN if it is missing.
    #[inline]
    pub(crate) fn number(&self, notation: &Notation, text: &str) -> f64 {
        // A short number is missing only if the user says so.
        if self.options.missing.is_empty()
            && let Some(number) = notation.short(text)
        {
            return number;
        }
        if self.is_missing(text) { f64::NAN } else { notation.number(text) }
    }

    pub(crate) fn error(&self, line: Option<u64>, message: impl Into<String>) -> Error {
        Error::Data { path: self.path.clone(), line, message: message.into() }
    }

    fn wrong_length(&self, line: u64, values: usize, last: bool) -> Error {
        let width = self.names.len();
        let above = if self.header.is_some() { "the header has" } else { "the rows above have" };
        let cut = last && values < width && self.source.tail().is_ok_and(|tail| !tail.ends_with(b"\n"));
        let hint = if cut { "; the last line is cut off: delete it" } else { "" };
        self.error(Some(line), format!("{}, {above} {width}{hint}", counted(values, "value")))
    }
}

/// Records that are no rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skipped {
    /// Rows without any value.
    pub(crate) empty: usize,
    nul: usize,
    headers: usize,
}

impl Skipped {
    fn notes(self) -> Vec<String> {
        let Skipped { empty, nul, headers } = self;
        let note = |count: usize, what: &str| {
            (count > 0).then(|| format!("ignored {} {what}", counted(count, "row")))
        };
        [
            note(empty, "without any value"),
            note(nul, "with NUL bytes, as a power cut leaves them"),
            note(headers, "that repeated the header"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Returns true for a cell that is a number in some notation.
pub(crate) fn is_number(text: &str) -> bool {
    notation::number(text).is_some()
}
