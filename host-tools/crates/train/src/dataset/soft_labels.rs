//! Soft labels from a CSV file: what some teacher, wherever it runs, said about rows.

use std::path::Path;

use nalgebra::DMatrix;

use super::file::File;
use crate::error::Result;
use crate::outputs::TeacherOutputs;

/// By how much the probabilities of a row may miss 1: they were rounded for the file.
const TOLERANCE: f32 = 0.01;

/// Smaller probabilities count as this: files have no more digits, and 0 has no logarithm.
const LEAST: f32 = 1e-7;

/// A column that goes with probabilities in the files that `predict` writes.
const PREDICTION: &str = "prediction";

/// Contents of soft labels, told by the names of the columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `p(LABEL)`, a probability.
    Probability,
    /// `logit(LABEL)`
    Logit,
    /// `LABEL`, a probability.
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

/// Reads soft labels for `rows` rows, in their order: a CSV file with one column a label, in any order. `p(LABEL)` and
/// `LABEL` are probabilities, `logit(LABEL)` logits; a column `prediction` is passed over, so that what `predict` wrote can
/// be read.
///
/// # Errors
/// A file that cannot be read, a column too few or too many, a cell that is no such number, probabilities that do not add
/// up to 1, and more or fewer rows.
pub fn read_soft_labels(path: impl AsRef<Path>, labels: &[String], rows: usize) -> Result<TeacherOutputs> {
    let file = File::open(path.as_ref(), &[])?;
    let (columns, form) = columns(&file, labels)?;
    let mut logits = Vec::with_capacity(labels.len().saturating_mul(rows));
    let mut found = 0usize;
    file.each(|line, record| {
        found += 1;
        let mut values = Vec::with_capacity(columns.len());
        for &column in &columns {
            let (name, text) = (&file.header[column], &record[column]);
            let wrong = |what| file.error(Some(line), format!("column {name:?}: {text:?} is {what}"));
            let value: f32 = text.parse().map_err(|_| wrong("not a number"))?;
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
                        "the probabilities sum to {sum}, not 1: name columns logit(LABEL) if they hold logits"
                    ),
                ));
            }
            values.iter_mut().for_each(|value| *value = (*value / sum).max(LEAST).ln());
        }
        logits.extend(values);
        Ok(())
    })?;
    if found != rows {
        let message =
            format!("soft labels for {found} rows, the data has {rows}: one line a row, in the data's order");
        return Err(file.error(None, message));
    }
    Ok(DMatrix::from_vec(labels.len(), rows, logits).into())
}

/// The columns of the labels, in their order.
fn columns(file: &File, labels: &[String]) -> Result<(Vec<usize>, Form)> {
    let names = |form: Form| labels.iter().map(move |label| form.column(label));
    let form = Form::ALL.into_iter().find(|&form| names(form).any(|name| file.find(&name).is_some()));
    let Some(form) = form else {
        let message = format!("no column of soft labels: one a label is needed, as p(LABEL), of {labels:?}");
        return Err(file.error(Some(1), message));
    };
    let columns = names(form).map(|name| file.column(&name, "soft label"));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let stranger =
        file.named().find(|column| !columns.contains(column) && file.header[*column] != PREDICTION);
    if let Some(column) = stranger {
        let message = format!("the column {:?} is of none of the labels {labels:?}", file.header[column]);
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
        read_soft_labels(file.path(), &labels(), rows)
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
        // A certainty has finite logits.
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
            ("a,b\n0.2,0.8\n", 2, ": soft labels for 1 rows, the data has 2"),
            ("a,c\n0.2,0.8\n", 1, ":1: no soft label column \"b\""),
            ("a,b,c\n0.2,0.8,0\n", 1, ":1: the column \"c\" is of none of the labels"),
            ("x,y\n0.2,0.8\n", 1, ":1: no column of soft labels"),
            ("a,b\n0.2\n", 1, ":2: 1 values, the header has 2"),
        ] {
            let error = read(text, rows).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
