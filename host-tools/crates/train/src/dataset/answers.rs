//! Rows as text for a program that teaches, and the answers that it writes.

use csv::{ReaderBuilder, StringRecord, Trim, WriterBuilder};

use super::soft_labels::Layout;
use super::{Dataset, OutputKind, Task};
use crate::error::{Error, Result};

/// Returns the rows as lines of CSV: raw features, with nothing where one is missing.
///
/// # Errors
/// Fails if memory runs out.
pub fn lines(rows: &Dataset) -> Result<Vec<String>> {
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
fn record(cells: impl Iterator<Item = String>) -> Result<String> {
    let mut writer = WriterBuilder::new().buffer_capacity(256).from_writer(Vec::new());
    let broken = |error: String| Error::Invalid(format!("a row cannot be written as CSV: {error}"));
    writer.write_record(cells.map(String::into_bytes)).map_err(|error| broken(error.to_string()))?;
    let bytes = writer.into_inner().map_err(|error| broken(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| broken(error.to_string()))
}

/// Returns the text for a program: the names of the features, and the lines of rows, as [`lines`] returns them.
///
/// # Errors
/// Fails as [`lines`] does.
pub fn input<'a>(rows: &Dataset, lines: impl Iterator<Item = &'a str>) -> Result<Vec<u8>> {
    let mut text = record(rows.features.iter().cloned())?;
    text.extend(lines);
    Ok(text.into_bytes())
}

/// Answers of a program.
#[derive(Clone, Debug)]
pub struct Answers {
    /// Logits or values, row by row.
    pub rows: Vec<Vec<f64>>,
    /// How columns without names were understood.
    pub note: Option<String>,
}

/// Reads the answers for `count` rows, with one line per row. Columns go by their names or, without a header, by
/// the order of the labels or targets. Numbers are probabilities or values, unless `kind` or the names say otherwise. The first line is a header if there is one line more than rows, or if
/// only that line holds words.
///
/// # Errors
/// Fails if a line is missing or too many, and if a number is not what it should be. The message names the line and the column.
pub fn read_answers(text: &str, task: &Task, count: usize, kind: Option<OutputKind>) -> Result<Answers> {
    read_text(text, task, count, kind).map_err(Error::Invalid)
}

fn read_text(text: &str, task: &Task, count: usize, kind: Option<OutputKind>) -> Result<Answers, String> {
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
    let layout = Layout::find(&names, task, kind).map_err(|problem| match header {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Task {
        Task::Classification { target: "y".into(), labels: vec!["a".into(), "b".into()] }
    }

    #[test]
    fn a_first_line_is_a_header_where_it_can_be_one() {
        for text in [
            "0.25,0.75\n1,0\n",
            "p(b),p(a)\n0.75,0.25\n0,1\n",
            "a,b\r\n0.25,0.75\r\n\r\n1,0",
            "0,1\n.25,.75\n1,0\n",
            ",a,b\n0,0.25,0.75\n1,1,0\n",
        ] {
            let answers =
                read_answers(text, &task(), 2, None).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!((answers.rows[0][1] - answers.rows[0][0] - 3f64.ln()).abs() < 1e-9, "{text}");
            assert!(answers.rows[1][0] > answers.rows[1][1] + 10.0, "{text}");
        }
        let values = Task::Regression { targets: vec!["v".into()] };
        assert_eq!(read_answers("-3.5\n1e3\n", &values, 2, None).unwrap().rows, [[-3.5], [1000.0]]);
        for (text, expected) in [
            ("a,b\n1,0\n", "it wrote 1 lines after a header for 2 rows"),
            ("1,0\n1,0\n1,0\n1,0\n", "it wrote 4 lines for 2 rows"),
            ("0.5,0.5\n1,0\n1,0\n", "it wrote 3 lines for 2 rows, and the first one names no columns"),
            ("x,1\n1,x\n", "line 1 of its answer: column \"column1\": \"x\" is not a number"),
            ("", "it wrote 0 lines for 2 rows"),
        ] {
            let error = read_answers(text, &task(), 2, None).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
        assert!(read_answers("", &task(), 0, None).is_err(), "no columns");
    }
}
