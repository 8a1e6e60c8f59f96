//! A CSV file: its header and its rows, or exactly where it is wrong.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// A file in memory, read as often as it needs to be.
pub(super) struct File {
    pub(super) path: PathBuf,
    /// Names of the columns; a column that is ignored has none.
    pub(super) header: Vec<String>,
    pub(super) separator: u8,
    bytes: Vec<u8>,
    pub(super) hash: String,
    pub(super) notes: Vec<String>,
    /// Texts that stand for a missing value, beside the usual ones.
    pub(super) missing: Vec<String>,
}

impl File {
    /// Reads all of it; `-` is standard input.
    pub(super) fn open(path: &Path, missing: &[String]) -> Result<Self> {
        let mut bytes = Vec::new();
        let mut path = path.to_path_buf();
        if path.as_os_str() == "-" {
            path = "standard input".into();
            std::io::stdin().read_to_end(&mut bytes).map_err(Error::io(&path))?;
        } else {
            bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        }
        let hash = Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        if bytes.starts_with(b"\xEF\xBB\xBF") {
            bytes.drain(..3);
        }
        let separator = separator(&bytes);
        let missing = missing.to_vec();
        let mut file = File { path, header: Vec::new(), separator, bytes, hash, notes: Vec::new(), missing };
        let header = file.reader().headers().map_err(|error| file.of_csv(&error))?.clone();
        file.header = header.iter().map(str::to_owned).collect();
        file.check_header()?;
        file.check_nameless()?;
        file.check_quotes()?;
        Ok(file)
    }

    fn check_header(&self) -> Result<()> {
        let header = &self.header;
        if header.iter().all(String::is_empty) {
            return Err(self.error(None, "the file is empty: a header and rows are needed"));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = header.iter().filter(|name| !name.is_empty()).find(|name| !seen.insert(*name)) {
            return Err(self.error(Some(1), format!("two columns are named {twice:?}: rename one")));
        }
        if header.iter().all(|name| name.parse::<f64>().is_ok()) {
            return Err(self.error(
                Some(1),
                "the first line holds numbers only: a header with the columns' names is needed",
            ));
        }
        Ok(())
    }

    /// A column without a name is empty, or the row numbers that some programs write; else its name is wanted.
    fn check_nameless(&mut self) -> Result<()> {
        for column in (0..self.header.len()).filter(|&column| self.header[column].is_empty()) {
            let (mut empty, mut numbers, mut before) = (true, true, None::<i64>);
            self.each(|_, record| {
                let number = record[column].parse::<i64>().ok();
                empty &= record[column].is_empty();
                // From 0, or from 1.
                numbers &= match before {
                    None => matches!(number, Some(0 | 1)),
                    Some(before) => number == Some(before + 1),
                };
                before = number;
                Ok(())
            })?;
            let place = column + 1;
            if !empty && !numbers {
                return Err(self.error(Some(1), format!("column {place} of the header has no name")));
            }
            let note = "which has no name: it is empty or numbers the rows";
            self.notes.push(format!("ignored column {place}, {note}"));
        }
        Ok(())
    }

    /// A quote that nothing closes takes all that follows for one cell, the last one.
    fn check_quotes(&self) -> Result<()> {
        let bytes = self.bytes.trim_ascii_end();
        if !bytes.contains(&b'"') || bytes.ends_with(b"\"") {
            return Ok(());
        }
        let mut last = None;
        self.each(|line, record| {
            let lines = record.iter().next_back().is_some_and(|cell| cell.contains(['\n', '\r']));
            last = lines.then_some(line);
            Ok(())
        })?;
        match last {
            None => Ok(()),
            line => {
                Err(self.error(line, "a quote in the last column is never closed: close it, or take it out"))
            }
        }
    }

    /// Columns with a name.
    pub(super) fn named(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.header.len()).filter(|&column| !self.header[column].is_empty())
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.named().find(|&column| self.header[column] == name)
    }

    pub(super) fn column(&self, name: &str, what: &str) -> Result<usize> {
        self.find(name).ok_or_else(|| {
            let message = format!("no {what} column {name:?}: the columns are {:?}", self.header);
            self.error(Some(1), message)
        })
    }

    /// Calls `row` with the line and the cells of each row that is not empty, and returns how many are.
    pub(super) fn each(&self, mut row: impl FnMut(u64, &StringRecord) -> Result<()>) -> Result<usize> {
        let (mut reader, mut record, mut empty) = (self.reader(), StringRecord::new(), 0);
        // Else what is wrong in the first row is told of the header's line.
        reader.headers().map_err(|error| self.of_csv(&error))?;
        while reader.read_record(&mut record).map_err(|error| self.of_csv(&error))? {
            if record.iter().all(str::is_empty) {
                empty += 1;
            } else {
                row(record.position().map_or(0, csv::Position::line), &record)?;
            }
        }
        Ok(empty)
    }

    pub(super) fn is_missing(&self, text: &str) -> bool {
        matches!(text, "" | "?" | "NA" | "N/A" | "na" | "n/a" | "NaN" | "nan" | "NULL" | "null")
            || self.missing.iter().any(|missing| {
                // -200 is also -200.0.
                missing == text || text.parse::<f64>().is_ok_and(|number| missing.parse() == Ok(number))
            })
    }

    pub(super) fn error(&self, line: Option<u64>, message: impl Into<String>) -> Error {
        Error::Data { path: self.path.clone(), line, message: message.into() }
    }

    fn reader(&self) -> csv::Reader<&[u8]> {
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(self.separator).trim(csv::Trim::All).from_reader(&self.bytes)
    }

    fn of_csv(&self, error: &csv::Error) -> Error {
        let line = error.position().map(csv::Position::line);
        let message = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} values, the header has {expected_len}")
            }
            csv::ErrorKind::Utf8 { .. } => "not UTF-8: save the file as UTF-8".into(),
            _ => error.to_string(),
        };
        self.error(line, message)
    }
}

/// The separator that the header has most of, outside quotes.
fn separator(bytes: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for &byte in bytes {
        quoted ^= byte == b'"';
        if byte == b'\n' && !quoted {
            break;
        }
        for (separator, count) in &mut counts {
            *count += usize::from(byte == *separator && !quoted);
        }
    }
    let [first, rest @ ..] = counts;
    rest.into_iter().fold(first, |best, next| if next.1 > best.1 { next } else { best }).0
}
