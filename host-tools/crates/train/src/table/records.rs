//! Division of a prepared text into records and cells, exactly as the crate `csv` divides it.
//!
//! A line without a quote is divided at its separators by `memchr`, which takes a fifth of the time of `csv` on a table of
//! numbers. A line with a quote goes through `csv-core`, the parser inside `csv`.

use std::ops::{Index, Range};

use csv::StringRecord;
use csv_core::ReadRecordResult;
use memchr::{memchr, memchr_iter, memchr2};

/// The cells of a record, without spaces around them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    text: &'a str,
    cells: &'a [Range<usize>],
}

impl<'a> Record<'a> {
    /// Number of cells.
    pub(crate) fn len(self) -> usize {
        self.cells.len()
    }

    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = &'a str> {
        self.cells.iter().map(move |cell| &self.text[cell.clone()])
    }

    /// Returns true if all cells are empty.
    pub(super) fn is_empty(self) -> bool {
        self.cells.iter().all(Range::is_empty)
    }

    /// Returns true if a cell holds a NUL byte.
    pub(super) fn has_nul(self) -> bool {
        memchr(0, self.text.as_bytes()).is_some() && self.iter().any(|cell| cell.contains('\0'))
    }

    pub(super) fn equals(self, other: &StringRecord) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Index<usize> for Record<'_> {
    type Output = str;

    #[inline]
    fn index(&self, column: usize) -> &str {
        &self.text[self.cells[column].clone()]
    }
}

/// Place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Bytes before it.
    pub(super) byte: u64,
    /// Its line, from 1.
    pub(super) line: u64,
}

/// Divides a text that comes in blocks.
#[derive(Debug)]
pub(super) struct Divider {
    separator: u8,
    quote: u8,
    quoted: Quoted,
    cells: Vec<Range<usize>>,
    /// Place of the next byte.
    place: Place,
}

impl Divider {
    pub(super) fn new(separator: u8, quote: u8, escape: Option<u8>) -> Self {
        Divider {
            separator,
            quote,
            quoted: Quoted::new(separator, quote, escape),
            cells: Vec::new(),
            place: Place { byte: 0, line: 1 },
        }
    }

    /// Gives the records of a block to `each` and returns the number of bytes taken. Bytes that are left, the beginning of a
    /// record, must begin the next block; of the last block none are left.
    pub(super) fn divide<E>(
        &mut self,
        block: &str,
        last: bool,
        each: &mut impl FnMut(Place, Record<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let bytes = block.as_bytes();
        let mut at = 0;
        while let Some(&first) = bytes.get(at) {
            if matches!(first, b'\n' | b'\r') {
                at += self.skip(&bytes[at..=at]);
                continue;
            }
            let end = memchr2(b'\n', b'\r', &bytes[at..]).map(|length| at + length);
            if end.is_none() && !last {
                break;
            }
            let line = &block[at..end.unwrap_or(bytes.len())];
            let taken = if memchr(self.quote, line.as_bytes()).is_some() {
                let Some(taken) = self.quoted.read(&bytes[at..], last) else { break };
                each(self.place, self.quoted.record())?;
                taken
            } else {
                self.cut(line);
                each(self.place, Record { text: line, cells: &self.cells })?;
                line.len()
            };
            at += self.skip(&bytes[at..at + taken]);
        }
        Ok(at)
    }

    /// Goes on behind these bytes, and returns their number.
    fn skip(&mut self, bytes: &[u8]) -> usize {
        self.place.byte += bytes.len() as u64;
        // A line without a quote holds no end of a line.
        if bytes.len() == 1 || memchr(b'\n', bytes).is_some() {
            self.place.line += memchr_iter(b'\n', bytes).count() as u64;
        }
        bytes.len()
    }

    /// Divides a line without quotes at its separators.
    fn cut(&mut self, line: &str) {
        self.cells.clear();
        let mut start = 0;
        for end in memchr_iter(self.separator, line.as_bytes()) {
            self.cells.push(trimmed(line, start..end));
            start = end + 1;
        }
        self.cells.push(trimmed(line, start..line.len()));
    }
}

/// The part of `cell` without white space at its ends.
#[inline]
fn trimmed(text: &str, cell: Range<usize>) -> Range<usize> {
    // Nearly all cells have none.
    let plain = |byte: &u8| byte.is_ascii_graphic();
    let bytes = &text.as_bytes()[cell.clone()];
    if bytes.first().is_none_or(plain) && bytes.last().is_none_or(plain) {
        return cell;
    }
    let whole = &text[cell.clone()];
    let rest = whole.trim_start();
    let start = cell.start + whole.len() - rest.len();
    start..start + rest.trim_end().len()
}

/// Reader of records with quotes.
#[derive(Debug)]
struct Quoted {
    parser: csv_core::Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
    text: String,
    cells: Vec<Range<usize>>,
}

impl Quoted {
    fn new(separator: u8, quote: u8, escape: Option<u8>) -> Self {
        let parser = csv_core::ReaderBuilder::new().delimiter(separator).quote(quote).escape(escape).build();
        Quoted { parser, output: vec![0; 256], ends: vec![0; 32], text: String::new(), cells: Vec::new() }
    }

    /// Reads the record that `bytes` begin with, and returns its length; none if its end is not there.
    fn read(&mut self, bytes: &[u8], last: bool) -> Option<usize> {
        self.parser.reset();
        let (mut read, mut written, mut cells) = (0, 0, 0);
        loop {
            let (output, ends) = (&mut self.output[written..], &mut self.ends[cells..]);
            let (result, took, wrote, ended) = self.parser.read_record(&bytes[read..], output, ends);
            (read, written, cells) = (read + took, written + wrote, cells + ended);
            match result {
                // An empty input then tells the parser that this is the end.
                ReadRecordResult::InputEmpty if last => {}
                ReadRecordResult::InputEmpty => return None,
                ReadRecordResult::OutputFull => self.output.resize(2 * self.output.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        self.text.clear();
        self.cells.clear();
        let mut start = 0;
        for &end in &self.ends[..cells] {
            let place = self.text.len();
            // Quotes are ASCII, so a cell of a text is a text, too.
            self.text.push_str(&String::from_utf8_lossy(&self.output[start..end]));
            self.cells.push(trimmed(&self.text, place..self.text.len()));
            start = end;
        }
        Some(read)
    }

    fn record(&self) -> Record<'_> {
        Record { text: &self.text, cells: &self.cells }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    type Found = (u64, Vec<String>);

    /// Records of a text that comes in blocks of at least `size` bytes.
    fn divided(text: &str, size: usize, escape: Option<u8>) -> Vec<Found> {
        let mut divider = Divider::new(b',', b'"', escape);
        let mut found = Vec::new();
        let mut each = |place: Place, record: Record<'_>| {
            found.push((place.line, record.iter().map(str::to_owned).collect()));
            Ok::<_, Infallible>(())
        };
        let (mut from, mut size_now) = (0, size);
        loop {
            let mut end = text.len().min(from + size_now);
            while !text.is_char_boundary(end) {
                end += 1;
            }
            let last = end == text.len();
            let taken = divider.divide(&text[from..end], last, &mut each).unwrap();
            if last {
                return found;
            }
            from += taken;
            size_now = if taken == 0 { 2 * size_now } else { size };
        }
    }

    fn by_csv(text: &str, escape: Option<u8>) -> Vec<Found> {
        let mut builder = csv::ReaderBuilder::new();
        builder.trim(csv::Trim::All).flexible(true).has_headers(false).escape(escape);
        let line = |record: &StringRecord| {
            let from = record.position().unwrap().byte() as usize;
            let start = from + text[from..].find(|char| !matches!(char, '\n' | '\r')).unwrap();
            1 + text[..start].matches('\n').count() as u64
        };
        let records = builder.from_reader(text.as_bytes()).into_records().map(Result::unwrap);
        records.map(|record| (line(&record), record.iter().map(str::to_owned).collect())).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn records_are_those_of_csv(
            parts in prop::collection::vec(
                prop::sample::select(vec!["1", "a b", "é", ",", ",", "\n", "\r\n", "\r", "\"", "\"\"", "\\", " ", "\u{a0}", "\t"]),
                0..40,
            ),
            size in 1usize..50,
            escape in any::<bool>(),
        ) {
            let text = parts.concat();
            let escape = escape.then_some(b'\\');
            prop_assert_eq!(divided(&text, size, escape), by_csv(&text, escape));
        }
    }

    #[test]
    fn cells_are_trimmed_and_unquoted() {
        let text = "a, b ,\"c \"\"d\"\"\ne\"\n\n1,,2";
        let expected = [(1, vec!["a", "b", "c \"d\"\ne"]), (4, vec!["1", "", "2"])];
        let expected = expected.map(|(line, cells)| (line, cells.into_iter().map(str::to_owned).collect()));
        assert_eq!(divided(text, 8, None), expected);
    }
}
