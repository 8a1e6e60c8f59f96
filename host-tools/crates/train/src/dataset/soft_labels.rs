//! Soft labels from a CSV file: the outputs of any teacher, which may run anywhere.

use std::path::Path;

use nalgebra::DMatrix;

use crate::error::Result;
use crate::outputs::TeacherOutputs;
use crate::table::{Notation, Options, Table};

/// Tolerance of the sum of a row's probabilities, because files hold rounded numbers.
const TOLERANCE: f32 = 0.01;

/// Smallest probability. Smaller ones are raised to it, because files have no more digits and 0 has no logarithm.
const LEAST: f32 = 1e-7;

/// Column that stands next to the probabilities in the files that `predict` writes.
const PREDICTION: &str = "prediction";

/// Form of the soft labels, told by the names of the columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Column `p(LABEL)`, a probability.
    Probability,
    /// Column `logit(LABEL)`, a logit.
    Logit,
    /// Column `LABEL`, a probability.
    Plain,
}

impl Form {
    const ALL: [Form; 3] = [Form::Probability, Form::Logit, Form::Plain];

    fn column(self, label: &str) -> String {
        match self {
            Form::Probability => format!("p({label})"),
            Form::Logit => format!("logit({label})"),
            Form::Plain => label.to_owned(),
        }
    }
}

/// Reads soft labels for `rows` rows, in their order, from a table with one column per label, in any order. Columns
/// `p(LABEL)` and `LABEL` hold probabilities, columns `logit(LABEL)` logits. A column `prediction` is ignored, so
/// that the output of `predict` can be read. If the file also has a line for each of the rows that were `left_out` of
/// the data, those lines are ignored.
///
/// # Errors
/// Fails if the file cannot be read, if a column is missing or belongs to no label, if a cell is not a valid number,
/// if the probabilities of a row do not sum to 1, and if the number of rows does not fit. The message names the line
/// and the column.
pub fn read_soft_labels(
    path: impl AsRef<Path>,
    labels: &[String],
    rows: usize,
    left_out: &[usize],
) -> Result<TeacherOutputs> {
    let file = Table::open(path.as_ref(), &Options { header: Some(true), ..Options::default() })?;
    let (columns, form) = columns(&file, labels)?;
    let notations: Vec<Notation> = columns
        .iter()
        .map(|&column| file.numbers(column).map_or(Notation::PLAIN, |(notation, _)| notation))
        .collect();
    let passed_over = if file.rows == rows + left_out.len() { left_out } else { &[] };
    let mut logits = Vec::with_capacity(labels.len().saturating_mul(file.rows));
    let mut found = 0usize;
    file.each(|line, record| {
        found += 1;
        if passed_over.binary_search(&(found - 1)).is_ok() {
            return Ok(());
        }
        let mut values = Vec::with_capacity(columns.len());
        for (&column, notation) in columns.iter().zip(&notations) {
            let (name, text) = (&file.names[column], &record[column]);
            let wrong = |what| file.error(Some(line), format!("column {name:?}: {text:?} is {what}"));
            let value = notation.number(text) as f32;
            if value.is_nan() && text.parse::<f32>().is_err() {
                return Err(wrong("not a number"));
            }
            match form {
                Form::Logit if !value.is_finite() => return Err(wrong("no logit: it must be finite")),
                Form::Probability | Form::Plain if !(0.0..=1.0).contains(&value) => {
                    return Err(wrong("no probability: it must be in [0, 1]"));
                }
                _ => values.push(value),
            }
        }
        if form != Form::Logit {
            let sum: f32 = values.iter().sum();
            if (sum - 1.0).abs() > TOLERANCE {
                return Err(file.error(
                    Some(line),
                    format!(
                        "the probabilities sum to {sum}, not 1: if the columns hold logits, name them logit(LABEL)"
                    ),
                ));
            }
            values.iter_mut().for_each(|value| *value = (*value / sum).max(LEAST).ln());
        }
        logits.extend(values);
        Ok(())
    })?;
    if found != rows + passed_over.len() {
        let message = format!(
            "soft labels for {found} rows, but the data has {rows}: give one line per row, in the order of the data"
        );
        return Err(file.error(None, message));
    }
    Ok(DMatrix::from_vec(labels.len(), rows, logits).into())
}

/// Returns the columns of the labels, in the order of the labels.
fn columns(file: &Table, labels: &[String]) -> Result<(Vec<usize>, Form)> {
    let names = |form: Form| labels.iter().map(move |label| form.column(label));
    let form = Form::ALL.into_iter().find(|&form| names(form).any(|name| file.find(&name).is_some()));
    let Some(form) = form else {
        let message =
            format!("no column of soft labels: give one per label, such as p(LABEL), for {labels:?}");
        return Err(file.error(Some(1), message));
    };
    let columns = names(form).map(|name| file.column(&name, "soft label"));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let stranger = file.named().find(|column| !columns.contains(column) && file.names[*column] != PREDICTION);
    if let Some(column) = stranger {
        let message = format!(
            "the column {:?} belongs to none of the labels {labels:?}: rename or remove it",
            file.names[column]
        );
        return Err(file.error(Some(1), message));
    }
    Ok((columns, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["a", "b"].map(str::to_owned).into()
    }

    fn read(text: &str, rows: usize) -> Result<TeacherOutputs> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read_soft_labels(file.path(), &labels(), rows, &[])
    }

    #[test]
    fn columns_go_by_their_names() {
        for text in ["a,b\n0.25,0.75\n", "prediction,p(b),p(a)\nb,0.75,0.25\n", "b;a\n0.748;0.249\n"] {
            let teacher_outputs = read(text, 1).unwrap();
            let logits = teacher_outputs.logits(1.0);
            assert!((logits[(1, 0)] - logits[(0, 0)] - 3f32.ln()).abs() < 2e-3, "{text}");
        }
        let teacher_outputs = read("logit(b),logit(a)\n-3,12.5\n", 1).unwrap();
        assert_eq!(teacher_outputs.logits(1.0).as_slice(), [12.5, -3.0]);
        // A probability of 1 still has finite logits.
        assert!(read("a,b\n1,0\n", 1).unwrap().logits(1.0).iter().all(|logit| logit.is_finite()));
    }

    #[test]
    fn errors_say_where() {
        for (text, rows, expected) in [
            ("a,b\n0.2,0.7\n", 1, ":2: the probabilities sum to 0.9, not 1"),
            ("a,b\n0.2,0.8\n2,-1\n", 2, ":3: column \"a\": \"2\" is no probability"),
            ("a,b\n0.2,x\n", 1, ":2: column \"b\": \"x\" is not a number"),
            ("a,b\nNaN,0.5\n", 1, ":2: column \"a\": \"NaN\" is no probability"),
            ("logit(a),logit(b)\n1,inf\n", 1, ":2: column \"logit(b)\": \"inf\" is no logit"),
            ("a,b\n0.2,0.8\n", 2, ": soft labels for 1 rows, but the data has 2"),
            ("a,c\n0.2,0.8\n", 1, ":1: no soft label column \"b\""),
            ("a,b,c\n0.2,0.8,0\n", 1, ":1: the column \"c\" belongs to none of the labels"),
            ("x,y\n0.2,0.8\n", 1, ":1: no column of soft labels"),
            ("a,b\n0.2\n", 1, ":2: 1 value, the header has 2"),
        ] {
            let error = read(text, rows).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
