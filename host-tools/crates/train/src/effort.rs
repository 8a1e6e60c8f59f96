//! Effort: how much time a choice may take.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Time that a choice among models may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// About a second for a few thousand rows.
    Quick,
    /// About ten seconds for a few thousand rows.
    #[default]
    Default,
    /// More of everything: minutes.
    Best,
}

impl Effort {
    /// All efforts.
    pub const ALL: [Effort; 3] = [Effort::Quick, Effort::Default, Effort::Best];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Effort::Quick => "quick",
            Effort::Default => "default",
            Effort::Best => "best",
        }
    }
}

impl FromStr for Effort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Effort::ALL.into_iter().find(|effort| effort.name() == text);
        found.ok_or_else(|| format!("it must be one of {}", Effort::ALL.map(Effort::name).join(", ")))
    }
}
