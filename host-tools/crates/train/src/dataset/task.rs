//! The meaning of a target column: classes or values.

use serde::{Deserialize, Serialize};

/// Contents of a target column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Labels.
    Classification,
    /// Values.
    Regression,
}

/// Meaning of the outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Task {
    /// Classification, with one logit per label.
    Classification {
        /// Column of the labels.
        target: String,
        /// Labels in the order of the logits.
        labels: Vec<String>,
    },
    /// Regression, with one value in the unit of its column: the last layer includes the inverse standardization of
    /// the target.
    Regression {
        /// Column of the values.
        target: String,
    },
}

impl Task {
    /// Returns the labels in the order of the logits; empty for regression.
    pub fn labels(&self) -> &[String] {
        match self {
            Task::Classification { labels, .. } => labels,
            Task::Regression { .. } => &[],
        }
    }

    /// Returns the name of the target column.
    pub fn target(&self) -> &str {
        match self {
            Task::Classification { target, .. } | Task::Regression { target } => target,
        }
    }
}
