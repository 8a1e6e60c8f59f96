//! The global flags, as every command gets them.

use crate::console::Console;

/// The global flags and the console.
pub(crate) struct Context {
    pub(crate) console: Console,
    pub(crate) seed: u64,
    /// The command line as typed, for the metadata of models.
    pub(crate) command: String,
}
