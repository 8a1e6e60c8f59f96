//! The meaning of a target column: classes or values.

use serde::{Deserialize, Serialize};

/// Meaning of the outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Task {
    /// One logit a label.
    Classification {
        /// The column of the labels.
        target: String,
        /// In the order of the logits.
        labels: Vec<String>,
    },
    /// One value, in the unit of the column: the last layer undoes the standardization of the targets.
    Regression {
        /// The column of the values.
        target: String,
    },
}

impl Task {
    /// Labels in the order of the logits; none for regression.
    pub fn labels(&self) -> &[String] {
        match self {
            Task::Classification { labels, .. } => labels,
            Task::Regression { .. } => &[],
        }
    }

    /// The target column.
    pub fn target(&self) -> &str {
        match self {
            Task::Classification { target, .. } | Task::Regression { target } => target,
        }
    }
}
