//! The desktop as a board: its clock and its flash.

mod flash;

use std::hint::black_box;
use std::time::Instant;

pub use flash::flash;

use microdistill_programs::{Meter, Tick};

/// A clock in nanoseconds. It counts no instructions and measures no stack.
#[derive(Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Starts the clock.
    #[allow(clippy::new_without_default)] // a clock has no default time
    pub fn new() -> Self {
        Clock(Instant::now())
    }
}

impl Meter for Clock {
    const TICK: Tick = Tick::Picoseconds(1000);

    fn now(&mut self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }

    fn spin(turns: u32) {
        (0..turns).for_each(|turn| {
            black_box(turn);
        });
    }

    fn stack(work: impl FnOnce()) -> usize {
        work();
        0
    }
}
