//! Teacher outputs: logits or values for the rows of a data set.

use std::borrow::Cow;

use microdistill::loss::log_softmax;
use microdistill::scalar::Scalar;
use nalgebra::DMatrix;

use crate::error::{Error, Result};

/// Outputs of one or several teachers for the same rows. Those of several teachers are combined by averaging their
/// *probabilities*, or their values in regression.
#[derive(Clone, Debug, PartialEq)]
pub struct TeacherOutputs {
    /// Weight of each teacher and its logits or values, shape (outputs × rows), which is the same for all. At least
    /// one teacher.
    members: Vec<(f64, DMatrix<f32>)>,
}

/// Creates the outputs of a single teacher, shape (outputs × rows).
impl From<DMatrix<f32>> for TeacherOutputs {
    fn from(outputs: DMatrix<f32>) -> Self {
        TeacherOutputs { members: vec![(1.0, outputs)] }
    }
}

impl TeacherOutputs {
    /// Combines several teachers with relative weights.
    ///
    /// # Errors
    /// Fails if there is no teacher, if teachers have different numbers of outputs or rows, and if a weight is not
    /// above 0.
    pub fn of(teachers: impl IntoIterator<Item = (f64, TeacherOutputs)>) -> Result<Self> {
        let teachers = teachers.into_iter();
        let mut members: Vec<_> = teachers
            .flat_map(|(weight, teacher_outputs)| {
                teacher_outputs.members.into_iter().map(move |(share, outputs)| (weight * share, outputs))
            })
            .collect();
        let Some(shape) = members.first().map(|(_, outputs)| outputs.shape()) else {
            return Err(Error::Invalid("an ensemble needs at least one member".into()));
        };
        if let Some((_, other)) = members.iter().find(|(_, outputs)| outputs.shape() != shape) {
            let ((outputs, rows), (others, other_rows)) = (shape, other.shape());
            return Err(Error::Invalid(format!(
                "a teacher gives {outputs} outputs for {rows} rows, but another gives {others} outputs for \
                 {other_rows} rows: use teachers of the same task and data"
            )));
        }
        let sum: f64 = members.iter().map(|(weight, _)| weight).sum();
        if let Some((weight, _)) =
            members.iter().find(|(weight, _)| !(*weight > 0.0 && (weight / sum).is_finite()))
        {
            return Err(Error::Invalid(format!("a teacher's weight of {weight}: it must be above 0")));
        }
        members.iter_mut().for_each(|(weight, _)| *weight /= sum);
        Ok(TeacherOutputs { members })
    }

    /// Combines several teachers of equal weight, whose outputs have the same shape.
    pub(crate) fn alike(outputs: impl ExactSizeIterator<Item = DMatrix<f32>>) -> Self {
        let weight = 1.0 / outputs.len() as f64;
        TeacherOutputs { members: outputs.map(|outputs| (weight, outputs)).collect() }
    }

    /// Combines several teachers, at least one, whose weights sum to 1 and whose outputs have the same shape.
    pub(crate) fn weighted(members: Vec<(f64, DMatrix<f32>)>) -> Self {
        TeacherOutputs { members }
    }

    /// Returns the number of outputs and the number of rows.
    pub fn shape(&self) -> (usize, usize) {
        self.members.first().map_or((0, 0), |(_, outputs)| outputs.shape())
    }

    /// Returns logits whose softmax at this `temperature` is the weighted mean of the teachers' probabilities: `T·ln
    /// Σ w·softmax(v/T)`, shape (outputs × rows). The logits of a single teacher are returned unchanged.
    pub fn logits(&self, temperature: f32) -> Cow<'_, DMatrix<f32>> {
        if let [(_, outputs)] = self.members.as_slice() {
            return Cow::Borrowed(outputs);
        }
        let (outputs, rows) = self.shape();
        let temperature = f64::from(temperature);
        let mut logits = DMatrix::zeros(outputs, rows);
        for (row, mut logits) in logits.column_iter_mut().enumerate() {
            let members = self.members.iter().map(|(weight, outputs)| {
                let mut logs: Vec<f64> =
                    outputs.column(row).iter().map(|&v| f64::from(v) / temperature).collect();
                log_softmax(&mut logs);
                (Scalar::ln(*weight), logs)
            });
            let members: Vec<_> = members.collect();
            for (output, logit) in logits.iter_mut().enumerate() {
                let shares: Vec<f64> = members.iter().map(|(weight, logs)| weight + logs[output]).collect();
                *logit = (temperature * log_sum(&shares)) as f32;
            }
        }
        Cow::Owned(logits)
    }

    /// Returns the weighted mean of the teachers' values, shape (outputs × rows).
    pub fn values(&self) -> Cow<'_, DMatrix<f32>> {
        if let [(_, outputs)] = self.members.as_slice() {
            return Cow::Borrowed(outputs);
        }
        let (outputs, rows) = self.shape();
        Cow::Owned(DMatrix::from_fn(outputs, rows, |output, row| {
            let values =
                self.members.iter().map(|(weight, outputs)| weight * f64::from(outputs[(output, row)]));
            values.sum::<f64>() as f32
        }))
    }

    /// Selects the outputs for the rows of these indices, each below the number of rows.
    pub fn select(&self, rows: &[usize]) -> Self {
        let members = self.members.iter().map(|(weight, outputs)| (*weight, outputs.select_columns(rows)));
        TeacherOutputs { members: members.collect() }
    }
}

/// Returns `ln Σ exp(z)`, which stays finite even if powers underflow.
fn log_sum(z: &[f64]) -> f64 {
    let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    top + Scalar::ln(z.iter().map(|z| Scalar::exp(z - top)).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::probabilities;

    fn two() -> [(f64, DMatrix<f32>); 2] {
        let column = |values: &[f32; 6]| DMatrix::from_column_slice(3, 2, values);
        [
            (1.0, column(&[2.0, 0.0, -1.0, 0.5, 0.5, 3.0])),
            (3.0, column(&[-1.0, 4.0, 0.0, 900.0, -900.0, 0.0])),
        ]
    }

    #[test]
    fn probabilities_are_averaged_at_the_temperature_of_the_loss() {
        let teacher_outputs =
            TeacherOutputs::of(two().map(|(weight, outputs)| (weight, outputs.into()))).unwrap();
        for temperature in [0.5, 1.0, 4.0] {
            let soften = |logits: &DMatrix<f32>, row: usize| {
                let z: Vec<f32> = logits.column(row).iter().map(|z| z / temperature).collect();
                probabilities(&z).0
            };
            let logits = teacher_outputs.logits(temperature);
            for row in 0..2 {
                let [a, b] = two().map(|(_, logits)| soften(&logits, row));
                for ((found, a), b) in soften(&logits, row).iter().zip(a).zip(b) {
                    assert!((found - (0.25 * a + 0.75 * b)).abs() < 1e-6, "at {temperature}, row {row}");
                }
            }
        }
        // This is not the mean of the logits, which would be confident wherever one teacher is.
        assert!((teacher_outputs.logits(1.0)[(0, 1)] - 0.75 * 900.0).abs() > 100.0);
    }

    #[test]
    fn values_are_averaged_and_one_teacher_is_taken_at_its_word() {
        let teacher_outputs =
            TeacherOutputs::of(two().map(|(weight, outputs)| (weight, outputs.into()))).unwrap();
        assert_eq!(teacher_outputs.values()[(0, 0)], 0.25 * 2.0 - 0.75);
        let [(_, one), _] = two();
        let single = TeacherOutputs::from(one.clone());
        assert_eq!((single.logits(3.0).as_ref(), single.values().as_ref()), (&one, &one));
        assert_eq!(single.select(&[1, 1, 0]).logits(1.0).column(2), one.column(0));
    }

    #[test]
    fn teachers_that_do_not_fit_are_refused() {
        let error =
            |members: Vec<(f64, TeacherOutputs)>| TeacherOutputs::of(members).unwrap_err().to_string();
        let one = TeacherOutputs::from(DMatrix::zeros(3, 2));
        assert_eq!(error(Vec::new()), "an ensemble needs at least one member");
        let other = TeacherOutputs::from(DMatrix::zeros(2, 2));
        let message = error(vec![(1.0, one.clone()), (1.0, other)]);
        assert_eq!(
            message,
            "a teacher gives 3 outputs for 2 rows, but another gives 2 outputs for 2 rows: use teachers of the same \
             task and data"
        );
        for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let message = error(vec![(1.0, one.clone()), (weight, one.clone())]);
            assert!(message.contains("it must be above 0"), "{message}");
        }
    }
}
