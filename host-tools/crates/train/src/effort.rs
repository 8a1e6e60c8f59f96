//! Effort: how much time a choice may take.

/// Time that a choice among models may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// About a second for a few thousand rows.
    Quick,
    /// About ten seconds for a few thousand rows.
    #[default]
    Default,
    /// More of everything: minutes.
    Best,
}
