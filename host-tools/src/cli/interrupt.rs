//! Ctrl-C: the first ends a training in good order, the second ends the program.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use microdistill_host_tools::error::{Error, Result};

/// What a shell reports for a program ended by Ctrl-C.
pub(super) const EXIT_CODE: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is noticed.
pub(super) fn listen() -> anyhow::Result<()> {
    let handler = || {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            std::process::exit(EXIT_CODE.into());
        }
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")
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
