//! The answer to "which student do I ship?".

use serde::{Deserialize, Serialize};

use super::statistics::{Estimate, MeanStd};

/// The student to ship, by the figures of one data set.
///
/// It is the smallest one that is not shown to have a lower accuracy or R² than the best one and comes within a hundredth
/// of it; among students of the same size, the one with the smallest loss. As test rows choose it, its own score is
/// slightly too good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The student.
    pub student: Candidate,
    /// The student with the highest mean score, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// Difference in accuracy or R² that int8 makes, paired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub int8: Option<Estimate>,
    /// Number of students compared.
    pub among: usize,
}

/// A student with a higher mean score than the recommended one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The student.
    pub student: Candidate,
    /// Score of the recommended student minus that of this one, paired. Not corrected for the number of students, because
    /// that would excuse worse ones.
    pub difference: Estimate,
}

/// A student that could be shipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Name of the arm.
    pub arm: String,
    /// Widths of the layers, from input to output.
    pub widths: Vec<usize>,
    /// Flash of network and scaler in f32, in bytes.
    pub flash_bytes: usize,
    /// The same in int8.
    pub flash_bytes_int8: usize,
    /// Accuracy or R² on the test rows.
    pub score: MeanStd,
    /// 95 % confidence interval of the mean score; `None` for a single seed.
    pub interval: Option<(f64, f64)>,
    /// NLL in nats, or RMSE in the unit of the target.
    pub loss: MeanStd,
}
