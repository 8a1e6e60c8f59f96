//! The text that a program reads, and the answers that it writes.

use csv::{ReaderBuilder, StringRecord, Trim, WriterBuilder};
use microdistill_train::dataset::{Dataset, Layout, OutputKind};
use microdistill_train::error::{Error, Result as LibraryResult};

/// The rows as lines of CSV: raw features, with nothing where one is missing.
pub(super) fn lines(rows: &Dataset) -> LibraryResult<Vec<String>> {
    let origins: Vec<f64> =
        rows.origin.iter().copied().chain(std::iter::repeat(0.0)).take(rows.x.nrows()).collect();
    let cell = |(&value, &origin): (&f32, &f64)| match value {
        value if value.is_nan() => String::new(),
        // The shortest text of an f32 is mostly the text that it was read from.
        value if origin == 0.0 => value.to_string(),
        value => (f64::from(value) + origin).to_string(),
    };
    let line = |row: usize| record(rows.x.column(row).iter().zip(&origins).map(cell));
    (0..rows.x.ncols()).map(line).collect()
}

/// A line of CSV.
fn record(cells: impl Iterator<Item = String>) -> LibraryResult<String> {
    let mut writer = WriterBuilder::new().buffer_capacity(256).from_writer(Vec::new());
    let broken = |error: String| Error::Invalid(format!("a row cannot be written as CSV: {error}"));
    writer.write_record(cells.map(String::into_bytes)).map_err(|error| broken(error.to_string()))?;
    let bytes = writer.into_inner().map_err(|error| broken(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| broken(error.to_string()))
}

/// The text for a program: the names of the features, and the lines of the rows.
pub(super) fn input<'a>(rows: &Dataset, lines: impl Iterator<Item = &'a str>) -> LibraryResult<Vec<u8>> {
    let mut text = record(rows.features.iter().cloned())?;
    text.extend(lines);
    Ok(text.into_bytes())
}

/// Answers of a program.
pub(super) struct Answers {
    /// Logits or values, row by row.
    pub(super) rows: Vec<Vec<f64>>,
    /// How columns without names were understood.
    pub(super) note: Option<String>,
}

/// Reads the answers for `count` rows like these. The first line is a header if there is one line more than rows, or if
/// only that line holds words.
pub(super) fn read(
    text: &str,
    rows: &Dataset,
    count: usize,
    kind: Option<OutputKind>,
) -> Result<Answers, String> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text.as_bytes());
    let records: Vec<StringRecord> = reader
        .records()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("its answer is no CSV: {error}"))?;
    let has_word =
        |record: &StringRecord| record.iter().any(|cell| !cell.is_empty() && cell.parse::<f64>().is_err());
    let begins_with_words = records.first().is_some_and(has_word) && !records.iter().skip(1).any(has_word);
    let (header, answers) = records
        .split_at(usize::from(!records.is_empty() && (records.len() == count + 1 || begins_with_words)));
    if answers.len() != count {
        let besides = if begins_with_words { " after a header" } else { "" };
        return Err(format!(
            "it wrote {} lines{besides} for {count} rows: one per row is needed",
            answers.len()
        ));
    }
    let width = records.first().map_or(0, StringRecord::len);
    let names: Vec<String> = match header {
        [header] => header.iter().map(str::to_owned).collect(),
        _ => (1..=width).map(|column| format!("column{column}")).collect(),
    };
    let layout = Layout::find(&names, &rows.task, kind).map_err(|problem| match header {
        [header] if !has_word(header) => format!(
            "it wrote {} lines for {count} rows, and the first one names no columns: one line per row is needed",
            records.len()
        ),
        _ => problem,
    })?;
    let kind = layout.kind().unwrap_or(OutputKind::Probabilities);
    let answer = |record: &StringRecord| {
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |problem: String| format!("line {line} of its answer: {problem}");
        if record.len() != width {
            return Err(wrong(format!("{} columns, the first line has {width}", record.len())));
        }
        let number = |&column: &usize| {
            let text = record.get(column).unwrap_or_default();
            let name = &names[column];
            text.parse().map_err(|_| wrong(format!("column {name:?}: {text:?} is not a number")))
        };
        let numbers = layout.columns().iter().map(number).collect::<Result<Vec<f64>, _>>()?;
        layout.outputs(kind, &numbers).map_err(wrong)
    };
    let rows = answers.iter().map(answer).collect::<Result<Vec<_>, _>>()?;
    Ok(Answers { rows, note: layout.note().map(str::to_owned) })
}
