//! The meaning of the target columns: classes or values.

use std::slice;

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
    /// Regression, with one value per target, in the unit of its column: the last layer includes the inverse
    /// standardization of the targets.
    Regression {
        /// Columns of the values, in the order of the outputs, at least one.
        #[serde(rename = "target", with = "one_or_more")]
        targets: Vec<String>,
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

    /// Returns the names of the target columns: one for classes, and one per output for values.
    pub fn targets(&self) -> &[String] {
        match self {
            Task::Classification { target, .. } => slice::from_ref(target),
            Task::Regression { targets } => targets,
        }
    }

    /// Returns the number of outputs of a model: one per label or per target.
    pub fn outputs(&self) -> usize {
        match self {
            Task::Classification { labels, .. } => labels.len(),
            Task::Regression { targets } => targets.len(),
        }
    }

    /// Returns the targets as messages name them: `"a"`, or `["a", "b"]`.
    pub fn named_targets(&self) -> String {
        match self.targets() {
            [target] => format!("{target:?}"),
            targets => format!("{targets:?}"),
        }
    }
}

/// One element as itself, several as a list.
pub(crate) mod one_or_more {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::{Deserialize as _, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        match values {
            [value] => value.serialize(to),
            values => values.serialize(to),
        }
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
    where
        T: DeserializeOwned,
        D: Deserializer<'de>,
    {
        // A value of JSON holds numbers of any precision.
        let value = serde_json::Value::deserialize(from)?;
        let values = match value {
            serde_json::Value::Array(values) => values,
            value => vec![value],
        };
        values.into_iter().map(|value| serde_json::from_value(value).map_err(D::Error::custom)).collect()
    }
}
