//! The context of every command.

use crate::console::Console;

/// The context of every command.
pub(crate) struct Context {
    pub(crate) console: Console,
    pub(crate) seed: u64,
    /// The command line as typed, for the metadata of models.
    pub(crate) command: String,
}
