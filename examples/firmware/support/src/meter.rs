//! Meters: time from a counter of the board, loops of known length, and stack depth by painting.

use microdistill_programs::{Meter, Tick};

use crate::{machine, stack};

/// A counter of the board that counts up.
pub trait Counter {
    /// Length of a count.
    const TICK: Tick;
    /// The largest count: all ones.
    const TOP: u32;

    /// Current count.
    fn read(&self) -> u32;
}

/// Measures with a counter, whose wraps are counted in software.
#[derive(Debug)]
pub struct CoreMeter<C> {
    counter: C,
    last: u32,
    ticks: u64,
}

impl<C: Counter> CoreMeter<C> {
    /// Starts counting.
    pub fn new(counter: C) -> Self {
        CoreMeter { last: counter.read(), counter, ticks: 0 }
    }
}

impl<C: Counter> Meter for CoreMeter<C> {
    const TICK: Tick = C::TICK;

    fn now(&mut self) -> u64 {
        let now = self.counter.read();
        self.ticks += u64::from(now.wrapping_sub(self.last) & C::TOP);
        self.last = now;
        self.ticks
    }

    fn spin(turns: u32) {
        machine::spin(turns);
    }

    fn stack(work: impl FnOnce()) -> usize {
        stack::depth(work)
    }
}
