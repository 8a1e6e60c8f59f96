//! Adaptation on the desktop.

use microdistill_host::{Clock, flash};
use microdistill_programs::Outcome;

fn main() -> std::io::Result<Outcome> {
    Ok(microdistill_programs::adapt(Some((Clock::new(), flash()?))))
}
