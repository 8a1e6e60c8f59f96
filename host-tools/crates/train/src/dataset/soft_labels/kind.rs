//! Meaning of a teacher's numbers: probabilities, log-probabilities, logits or values.

use std::fmt::{self, Display};

use microdistill::scalar::Scalar;

/// Tolerance of the sum of a row's probabilities, because files hold rounded numbers.
const TOLERANCE: f64 = 0.01;

/// Smallest probability. Smaller ones are raised to it, because files have no more digits and 0 has no logarithm.
const LEAST: f64 = 1e-7;

/// Meaning of a teacher's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// Probabilities, which sum to 1. One column for two labels is the probability of one of them.
    Probabilities,
    /// Natural logarithms of probabilities.
    LogProbabilities,
    /// Logits. One column for two labels is a margin: the logit of one label less that of the other.
    Logits,
    /// Values in the units of the targets.
    Values,
}

impl Display for OutputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OutputKind::Probabilities => "probabilities",
            OutputKind::LogProbabilities => "log-probabilities",
            OutputKind::Logits => "logits",
            OutputKind::Values => "values",
        })
    }
}

/// What is wrong with a row.
pub(super) enum Fault {
    /// A number, by its place in the row.
    Number(usize, &'static str),
    /// The sum of the probabilities.
    Sum(f64),
}

impl OutputKind {
    /// Checks each number of a row.
    fn check(self, row: &[f64]) -> Result<(), Fault> {
        let (fits, what): (fn(&f64) -> bool, _) = match self {
            OutputKind::Probabilities => {
                (|p| (0.0..=1.0).contains(p), "no probability: it must be in [0, 1]")
            }
            OutputKind::LogProbabilities => {
                (|log| *log <= TOLERANCE, "no log-probability: it must be at most 0")
            }
            OutputKind::Logits => (|logit| logit.is_finite(), "no logit: it must be finite"),
            OutputKind::Values => (|value| value.is_finite(), "no value: it must be finite"),
        };
        match row.iter().position(|number| !fits(number)) {
            Some(place) => Err(Fault::Number(place, what)),
            None => Ok(()),
        }
    }

    /// Logits or values of a row with one number per output.
    pub(super) fn outputs(self, row: &[f64]) -> Result<Vec<f64>, Fault> {
        self.check(row)?;
        let probabilities: Vec<f64> = match self {
            OutputKind::Logits | OutputKind::Values => return Ok(row.to_vec()),
            OutputKind::Probabilities => row.to_vec(),
            OutputKind::LogProbabilities => row.iter().map(|&log| Scalar::exp(log)).collect(),
        };
        let sum: f64 = probabilities.iter().sum();
        if (sum - 1.0).abs() > TOLERANCE {
            return Err(Fault::Sum(sum));
        }
        Ok(probabilities.iter().map(|p| logarithm(p / sum)).collect())
    }

    /// Logits of two labels, of which `number` tells about the one with index `label`.
    pub(super) fn two_outputs(self, number: f64, label: usize) -> Result<Vec<f64>, Fault> {
        self.check(&[number])?;
        let own_and_other = match self {
            OutputKind::Logits | OutputKind::Values => [number, 0.0],
            OutputKind::Probabilities => [number, 1.0 - number].map(logarithm),
            OutputKind::LogProbabilities => {
                let p = Scalar::exp(number.min(0.0));
                [p, 1.0 - p].map(logarithm)
            }
        };
        let [own, other] = own_and_other;
        Ok(if label == 0 { vec![own, other] } else { vec![other, own] })
    }
}

fn logarithm(probability: f64) -> f64 {
    Scalar::ln(probability.max(LEAST))
}
