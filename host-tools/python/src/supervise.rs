//! Work without the interpreter's lock, which Ctrl-C ends.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use microdistill_train::error::{Error, Result};
use pyo3::prelude::*;

use crate::border::exception;

/// Time between two looks at the signals.
const PERIOD: Duration = Duration::from_millis(50);

/// Runs `work` in a thread of its own. Signals are handled in this one, because Python handles them in its main thread only. After
/// one that raises an exception, such as Ctrl-C, the callback of `work` gives `Break`.
///
/// # Errors
/// Fails as `work` does, and with the exception of a signal.
pub(crate) fn supervise<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&(dyn Fn() -> ControlFlow<()> + Sync)) -> Result<T> + Send,
) -> PyResult<T> {
    let stop = AtomicBool::new(false);
    let flow = || match stop.load(Ordering::Relaxed) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let mut raised = None;
    let done = py.detach(|| {
        thread::scope(|scope| {
            let (sender, receiver) = channel();
            scope.spawn(move || sender.send(work(&flow)));
            loop {
                match receiver.recv_timeout(PERIOD) {
                    Ok(done) => return Some(done),
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(error) = Python::attach(|py| py.check_signals()) {
                            stop.store(true, Ordering::Relaxed);
                            raised.get_or_insert(error);
                        }
                    }
                    // The work panicked, and so does the scope when it ends.
                    Err(RecvTimeoutError::Disconnected) => return None,
                }
            }
        })
    });
    match (raised, done) {
        (Some(error), _) => Err(error),
        (None, done) => done.unwrap_or(Err(Error::Interrupted)).map_err(exception),
    }
}
