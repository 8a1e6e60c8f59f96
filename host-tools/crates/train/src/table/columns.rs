//! Columns of a text: their names, and the place where the rows begin.

use std::collections::BTreeSet;

use csv::StringRecord;

use super::dialect::{Dialect, usual_width};
use super::header::{self, Header};
use super::{Options, counted, notation};

/// Rows that the first one is compared with.
const COMPARED: usize = 1000;

/// Lines of text before a table that are skipped.
const MOST_PREAMBLE: usize = 100;

/// A line, where it is known, and what is wrong there.
type Fault = (Option<u64>, String);

/// Everything before the first row.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// Names of the columns; a column that is ignored has none.
    pub(super) names: Vec<String>,
    /// The header as it stands in the text; it may stand there again.
    pub(super) header: Option<StringRecord>,
    /// Line of the header, or 1.
    pub(super) header_line: u64,
    /// Byte of the prepared text at which the first row begins.
    pub(super) first: u64,
    pub(super) notes: Vec<String>,
}

/// The first records, with their lines.
struct Sample {
    records: Vec<StringRecord>,
    lines: Vec<u64>,
    /// Number of cells that most records have.
    width: usize,
}

impl Sample {
    fn of(text: &str, dialect: &Dialect) -> Option<Self> {
        let prepared = dialect.prepare(text);
        let records = dialect.reader(prepared.as_bytes()).into_records().map_while(std::result::Result::ok);
        let records: Vec<StringRecord> = records
            .filter(|record| !record.iter().all(str::is_empty))
            .take(COMPARED + MOST_PREAMBLE)
            .collect();
        let lines = records.iter().map(|record| line_of(&prepared, record)).collect();
        let width = usual_width(&records)?;
        Some(Sample { records, lines, width })
    }

    /// The records from `place` on that are rows by their width.
    fn rows(&self, place: usize) -> Vec<StringRecord> {
        let rows = self.records.iter().skip(place);
        rows.filter(|row| row.len() == self.width).cloned().collect()
    }

    fn line(&self, place: usize) -> Option<u64> {
        self.lines.get(place).copied()
    }
}

/// Line on which a record of `text` begins.
fn line_of(text: &str, record: &StringRecord) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    position.line() + text.as_bytes().get(from..).map_or(0, gap)
}

/// Number of line ends between the end of one record and the beginning of the next, which is where a reader counts from:
/// empty lines, and the second half of a CRLF.
fn gap(text: &[u8]) -> u64 {
    let gap = text.iter().take_while(|&&byte| matches!(byte, b'\r' | b'\n'));
    gap.filter(|&&byte| byte == b'\n').count() as u64
}

impl Columns {
    /// Learns the columns from the first lines of a text.
    pub(super) fn learn(text: &str, dialect: &Dialect, options: &Options) -> Result<Self, Fault> {
        let Some(sample) = Sample::of(text, dialect) else {
            return Err((None, "the file is empty: a header and rows are needed".into()));
        };
        let mut columns = Columns::default();
        let mut place = columns.skip_preamble(&sample, options)?;
        let first = &sample.records[place];
        columns.header_line = sample.lines[place];
        if first.len() + 1 == sample.width && options.header != Some(false) {
            columns.take_short_header(first, &sample.rows(place + 1), sample.width);
            place += 1;
        } else if let Some(names) =
            dialect.commented_header(text, sample.width).filter(|_| options.header.is_none())
        {
            columns.notes.push(format!("names of the columns are taken from a comment: {names:?}"));
            columns.names = names;
        } else if columns.take_header(&sample, place, options)? {
            place += 1;
        }
        columns.check_names()?;
        columns.skip_units(&sample, &mut place);
        columns.first = sample
            .records
            .get(place)
            .and_then(|row| row.position())
            .map_or(u64::MAX, |position| position.byte());
        Ok(columns)
    }

    /// Returns the number of records before the table, which are text.
    fn skip_preamble(&mut self, sample: &Sample, options: &Options) -> Result<usize, Fault> {
        let (records, width) = (&sample.records, sample.width);
        let fits = |record: &StringRecord| record.len() == width || record.len() + 1 == width && width > 2;
        let skipped = records.iter().position(fits).unwrap_or(0);
        if skipped == 0 {
            return Ok(0);
        }
        let before = &records[..skipped];
        let titles = before.iter().all(|record| record.len() == 1);
        let prose =
            titles || before.iter().all(|record| record.iter().all(|cell| notation::number(cell).is_none()));
        let is_header = options.header.unwrap_or_else(|| {
            let rows = sample.rows(skipped + 1);
            records[skipped].len() == width && header::header(&records[skipped], &rows) == Header::Names
        });
        if skipped > MOST_PREAMBLE || !prose || !(is_header || titles) {
            let message = format!(
                "{}, the lines below have {width} (line {}): if this line is no header, delete it",
                counted(records[0].len(), "value"),
                sample.lines[skipped]
            );
            return Err((sample.line(0), message));
        }
        let (from, to) = (sample.lines[0], sample.lines[skipped - 1]);
        let lines = if from == to { format!("line {from}") } else { format!("lines {from} to {to}") };
        let text = records[0].iter().collect::<Vec<_>>().join(" ");
        self.notes.push(format!("skipped {lines} before the table: {text:?}"));
        Ok(skipped)
    }

    /// A header one name short: R's, which gives no name to the names of rows, or one whose rows end with a separator.
    fn take_short_header(&mut self, names: &StringRecord, rows: &[StringRecord], width: usize) {
        self.names = names.iter().map(str::to_owned).collect();
        self.header = Some(names.clone());
        let trailing = rows.iter().all(|row| row.get(width - 1).is_some_and(str::is_empty));
        let place = if trailing { self.names.len() } else { 0 };
        self.names.insert(place, String::new());
    }

    /// Takes the names from a record, and returns true if it holds names.
    fn take_header(&mut self, sample: &Sample, place: usize, options: &Options) -> Result<bool, Fault> {
        let first = &sample.records[place];
        let found = match options.header {
            Some(true) => Header::Names,
            Some(false) => Header::Row,
            None => header::header(first, &sample.rows(place + 1)),
        };
        match found {
            Header::Names => {
                self.names = first.iter().map(str::to_owned).collect();
                self.header = Some(first.clone());
                Ok(true)
            }
            Header::Row => {
                self.names = (1..=sample.width).map(|column| format!("column{column}")).collect();
                // Rows that end with a separator have an empty cell behind it.
                if sample.rows(place).iter().all(|row| row.get(sample.width - 1).is_some_and(str::is_empty)) {
                    self.names[sample.width - 1].clear();
                }
                if options.header.is_none() {
                    self.notes.push(format!(
                        "the first line is a row like those below, so there is no header: the columns are column1 to column{} \
                         (--header if the line holds names)",
                        sample.width
                    ));
                }
                Ok(false)
            }
            Header::Unclear(reason) => {
                let message = format!(
                    "this line may hold the columns' names or a row; {reason}: give --header if it holds names, else --no-header"
                );
                Err((sample.line(place), message))
            }
        }
    }

    fn check_names(&self) -> Result<(), Fault> {
        let mut seen = BTreeSet::new();
        if let Some(twice) =
            self.names.iter().filter(|name| !name.is_empty()).find(|name| !seen.insert(*name))
        {
            let message = format!(
                "two columns are named {twice:?}: rename one, or give --no-header if the line is a row"
            );
            return Err((Some(self.header_line), message));
        }
        Ok(())
    }

    /// Skips records of units and types below a header.
    fn skip_units(&mut self, sample: &Sample, place: &mut usize) {
        while let Some(units) = sample.records.get(*place).filter(|_| self.header.is_some()) {
            if units.len() != sample.width || !header::is_units(units, &sample.rows(*place + 1)) {
                return;
            }
            let texts: Vec<&str> = units.iter().collect();
            self.notes
                .push(format!("line {} holds units, which are left out: {texts:?}", sample.lines[*place]));
            *place += 1;
        }
    }
}
