//! Ctrl-C: ends the program; in a training, the first ends it in good order.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use microdistill_host_tools::error::{Error, Result};

/// What a shell reports for a program ended by Ctrl-C.
pub(super) const EXIT_CODE: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static GRACEFUL: AtomicBool = AtomicBool::new(false);
static FINISHING: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is noticed.
pub(super) fn listen() -> anyhow::Result<()> {
    let handler = || {
        let again = REQUESTED.swap(true, Ordering::Relaxed) && !FINISHING.load(Ordering::Relaxed);
        if again || !GRACEFUL.load(Ordering::Relaxed) {
            std::process::exit(EXIT_CODE.into());
        }
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")
}

/// From now on the first Ctrl-C is for whoever asks: [`requested`], [`flow`] or [`check`].
pub(super) fn ask() {
    GRACEFUL.store(true, Ordering::Relaxed);
}

/// As [`ask`], and those after the first are for nobody: what is left to do is short, and worth it.
pub(super) fn finish() {
    FINISHING.store(true, Ordering::Relaxed);
    ask();
}

/// Whether Ctrl-C was pressed.
pub(super) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// `Break` once Ctrl-C was pressed: for trainers.
pub(super) fn flow() -> ControlFlow<()> {
    if requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// An error once Ctrl-C was pressed: for work without a half result.
pub(super) fn check() -> Result<()> {
    if requested() { Err(Error::Interrupted) } else { Ok(()) }
}
