//! Ctrl-C ends the program. During a training, the first one stops the training and keeps its result.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use microdistill_train::error::{Error, Result};

/// Exit code that a shell reports for a program ended by Ctrl-C.
pub(crate) const EXIT_CODE: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static GRACEFUL: AtomicBool = AtomicBool::new(false);
static FINISHING: AtomicBool = AtomicBool::new(false);

/// Installs the handler for Ctrl-C.
pub(crate) fn listen() -> anyhow::Result<()> {
    let handler = || {
        let again = REQUESTED.swap(true, Ordering::Relaxed) && !FINISHING.load(Ordering::Relaxed);
        if again || !GRACEFUL.load(Ordering::Relaxed) {
            std::process::exit(EXIT_CODE.into());
        }
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")
}

/// From now on the first Ctrl-C does not end the program: the work polls [`requested`], [`flow`] or [`check`].
pub(crate) fn ask() {
    GRACEFUL.store(true, Ordering::Relaxed);
}

/// Like [`ask`], and later ones are ignored too, because the remaining work is short and worth finishing.
pub(crate) fn finish() {
    FINISHING.store(true, Ordering::Relaxed);
    ask();
}

/// Returns true if Ctrl-C was pressed.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Returns `Break` once Ctrl-C was pressed, for training callbacks.
pub(crate) fn flow() -> ControlFlow<()> {
    if requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Returns an error once Ctrl-C was pressed, for work without a partial result.
pub(crate) fn check() -> Result<()> {
    if requested() { Err(Error::Interrupted) } else { Ok(()) }
}
