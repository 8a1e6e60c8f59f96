//! Ctrl-C: ends the program; in a training, the first ends it in good order.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use microdistill_train::error::{Error, Result};

/// Exit code that a shell reports for a program ended by Ctrl-C.
pub(crate) const EXIT_CODE: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static GRACEFUL: AtomicBool = AtomicBool::new(false);
static FINISHING: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is noticed.
pub(crate) fn listen() -> anyhow::Result<()> {
    let handler = || {
        let again = REQUESTED.swap(true, Ordering::Relaxed) && !FINISHING.load(Ordering::Relaxed);
        if again || !GRACEFUL.load(Ordering::Relaxed) {
            std::process::exit(EXIT_CODE.into());
        }
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")
}

/// From now on the first Ctrl-C is for whoever asks: [`requested`], [`flow`] or [`check`].
pub(crate) fn ask() {
    GRACEFUL.store(true, Ordering::Relaxed);
}

/// As [`ask`], and those after the first are for nobody: what is left to do is short, and worth it.
pub(crate) fn finish() {
    FINISHING.store(true, Ordering::Relaxed);
    ask();
}

/// Returns true if Ctrl-C was pressed.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// `Break` once Ctrl-C was pressed: for trainers.
pub(crate) fn flow() -> ControlFlow<()> {
    if requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// An error once Ctrl-C was pressed: for work without a half result.
pub(crate) fn check() -> Result<()> {
    if requested() { Err(Error::Interrupted) } else { Ok(()) }
}
