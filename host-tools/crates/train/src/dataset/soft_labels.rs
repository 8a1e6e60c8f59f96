//! Soft labels from a file: the outputs of any teacher, which may run anywhere.

use std::path::Path;

use nalgebra::DMatrix;

use super::Task;
use crate::error::Result;
use crate::outputs::TeacherOutputs;
use crate::table::{Notation, Options, Record, Table};

/// Tolerance of the sum of a row's probabilities, because files hold rounded numbers.
const TOLERANCE: f32 = 0.01;

/// Smallest probability. Smaller ones are raised to it, because files have no more digits and 0 has no logarithm.
const LEAST: f32 = 1e-7;

/// Column that `predict` writes: the predicted label, or the value of a single target.
pub const PREDICTION: &str = "prediction";

/// Names of the columns that `predict` writes for the values of `targets`: `prediction`, or `prediction(TARGET)` for each of
/// several.
pub fn prediction_columns(targets: &[String]) -> Vec<String> {
    match targets {
        [_] => vec![PREDICTION.to_owned()],
        targets => targets.iter().map(|target| Form::Prediction.column(target)).collect(),
    }
}

/// Form of the soft labels, told by the names of the columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Column `p(LABEL)`, a probability.
    Probability,
    /// Column `logit(LABEL)`, a logit.
    Logit,
    /// Column `LABEL`, a probability.
    Plain,
    /// Column `prediction(TARGET)`, a value.
    Prediction,
    /// Column `TARGET`, a value.
    Value,
    /// Column `prediction`, the value of the only target.
    Single,
}

impl Form {
    /// The forms for a task, of which the first that is found counts.
    fn all(task: &Task) -> &'static [Form] {
        match task {
            Task::Classification { .. } => &[Form::Probability, Form::Logit, Form::Plain],
            Task::Regression { targets } if targets.len() == 1 => {
                &[Form::Prediction, Form::Value, Form::Single]
            }
            Task::Regression { .. } => &[Form::Prediction, Form::Value],
        }
    }

    fn column(self, output: &str) -> String {
        match self {
            Form::Probability => format!("p({output})"),
            Form::Logit => format!("logit({output})"),
            Form::Prediction => format!("{PREDICTION}({output})"),
            Form::Plain | Form::Value => output.to_owned(),
            Form::Single => PREDICTION.to_owned(),
        }
    }
}

/// Reads the outputs of a teacher for `rows` rows, in their order, from a table with one column per label or target, in any
/// order. Columns `p(LABEL)` and `LABEL` hold probabilities, columns `logit(LABEL)` logits; columns `prediction(TARGET)` and
/// `TARGET`, and `prediction` if there is one target, hold values in the target's unit, from which `target_origin` is
/// subtracted. The output of `predict` can be read, because its column `prediction` of labels is ignored. If the file also
/// has a line for each of the rows that were `left_out` of the data, those lines are ignored.
///
/// # Errors
/// Fails if the file cannot be read, if a column is missing or belongs to no label or target, if a cell is not a valid
/// number, if the probabilities of a row do not sum to 1, and if the number of rows does not fit. The message names the line
/// and the column.
pub fn read_soft_labels(
    path: impl AsRef<Path>,
    task: &Task,
    target_origin: &[f64],
    rows: usize,
    left_out: &[usize],
) -> Result<TeacherOutputs> {
    let file = Table::open(path.as_ref(), &Options { header: Some(true), ..Options::default() })?;
    let stored = Stored::find(&file, task, target_origin)?;
    let passed_over = if file.rows == rows + left_out.len() { left_out } else { &[] };
    let mut outputs = Vec::with_capacity(task.outputs().saturating_mul(file.rows));
    let mut found = 0usize;
    file.each(|line, record| {
        found += 1;
        if passed_over.binary_search(&(found - 1)).is_err() {
            outputs.extend(stored.row(line, record)?);
        }
        Ok(())
    })?;
    if found != rows + passed_over.len() {
        let message = format!(
            "soft labels for {found} rows, but the data has {rows}: give one line per row, in the order of the data"
        );
        return Err(file.error(None, message));
    }
    Ok(DMatrix::from_vec(task.outputs(), rows, outputs).into())
}

/// The columns of a file of soft labels.
struct Stored<'a> {
    file: &'a Table,
    form: Form,
    /// Column, notation and origin of each output.
    columns: Vec<(usize, Notation, f64)>,
}

impl<'a> Stored<'a> {
    /// Finds the columns of the labels or targets, in their order.
    fn find(file: &'a Table, task: &Task, origins: &[f64]) -> Result<Self> {
        let (outputs, kind, form, origins) = match task {
            Task::Classification { labels, .. } => (labels, "label", "p(LABEL)", &[][..]),
            Task::Regression { targets } => (targets, "target", "prediction(TARGET)", origins),
        };
        let names = |form: Form| outputs.iter().map(move |output| form.column(output));
        let is_there = |&&form: &&Form| names(form).any(|name| file.find(&name).is_some());
        let Some(&form) = Form::all(task).iter().find(is_there) else {
            let message =
                format!("no column of soft labels: give one per {kind}, such as {form}, for {outputs:?}");
            return Err(file.error(Some(1), message));
        };
        let columns = names(form).map(|name| file.column(&name, "soft label")).collect::<Result<Vec<_>>>()?;
        let stranger = file.named().find(|column| {
            !columns.contains(column) && (file.names[*column] != PREDICTION || kind == "target")
        });
        if let Some(column) = stranger {
            let message = format!(
                "the column {:?} belongs to none of the {kind}s {outputs:?}: rename or remove it",
                file.names[column]
            );
            return Err(file.error(Some(1), message));
        }
        let notation = |column| file.numbers(column).map_or(Notation::PLAIN, |(notation, _)| notation);
        let origins = origins.iter().copied().chain(std::iter::repeat(0.0));
        let columns = columns.into_iter().zip(origins);
        let columns = columns.map(|(column, origin)| (column, notation(column), origin)).collect();
        Ok(Stored { file, form, columns })
    }

    /// The logits or values of a row.
    fn row(&self, line: u64, record: Record<'_>) -> Result<Vec<f32>> {
        let file = self.file;
        let mut values = Vec::with_capacity(self.columns.len());
        for (column, notation, origin) in &self.columns {
            let (name, text) = (&file.names[*column], &record[*column]);
            let wrong = |what| file.error(Some(line), format!("column {name:?}: {text:?} is {what}"));
            let value = (notation.number(text) - origin) as f32;
            if value.is_nan() && text.parse::<f32>().is_err() {
                return Err(wrong("not a number"));
            }
            match self.form {
                Form::Logit if !value.is_finite() => return Err(wrong("no logit: it must be finite")),
                Form::Prediction | Form::Value | Form::Single if !value.is_finite() => {
                    return Err(wrong("no value: it must be finite"));
                }
                Form::Probability | Form::Plain if !(0.0..=1.0).contains(&value) => {
                    return Err(wrong("no probability: it must be in [0, 1]"));
                }
                _ => values.push(value),
            }
        }
        if let Form::Probability | Form::Plain = self.form {
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
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn read_as(text: &str, task: &Task, origin: &[f64], rows: usize) -> Result<TeacherOutputs> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read_soft_labels(file.path(), task, origin, rows, &[])
    }

    fn read(text: &str, rows: usize) -> Result<TeacherOutputs> {
        read_as(text, &Task::Classification { target: "y".into(), labels: names(&["a", "b"]) }, &[], rows)
    }

    #[test]
    fn values_go_by_their_targets() {
        let task = |targets: &[&str]| Task::Regression { targets: names(targets) };
        for (text, targets) in [
            ("prediction(b),prediction(a)\n0.5,1013.25\n-1,990\n", &["a", "b"][..]),
            ("a;b\n1013,25;0,5\n990,00;-1,0\n", &["a", "b"]),
            ("prediction\n1013.25\n990\n", &["a"]),
            ("a\n1013.25\n990\n", &["a"]),
        ] {
            let outputs = read_as(text, &task(targets), &[1000.0, 0.0], 2).unwrap();
            let values = outputs.values();
            assert_eq!(values.row(0).iter().copied().collect::<Vec<_>>(), [13.25, -10.0], "{text}");
            if targets.len() > 1 {
                assert_eq!(values.row(1).iter().copied().collect::<Vec<_>>(), [0.5, -1.0], "{text}");
            }
        }
        for (text, expected) in [
            ("a,c\n1,2\n", ":1: no soft label column \"b\""),
            (
                "prediction\n1\n",
                ":1: no column of soft labels: give one per target, such as prediction(TARGET)",
            ),
            ("a,b,prediction\n1,2,3\n", ":1: the column \"prediction\" belongs to none of the targets"),
            ("a,b\n1,inf\n", ":2: column \"b\": \"inf\" is no value: it must be finite"),
        ] {
            let error = read_as(text, &task(&["a", "b"]), &[], 1).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
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
