//! What every verb gets.

use crate::console::Console;

/// What every verb gets.
pub(crate) struct Context {
    pub(crate) console: Console,
    pub(crate) seed: u64,
    /// What was typed, for the metadata of models.
    pub(crate) command: String,
}
