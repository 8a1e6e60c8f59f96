//! Time by a counter of the board, known lengths by a loop, depths of the stack by paint.

use cortex_m::Peripherals;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use microdistill_programs::{Meter, Tick};

use crate::stack;

/// A counter of the board that goes upwards.
pub trait Counter {
    /// What it counts.
    const TICK: Tick;
    /// The largest number it shows: all ones.
    const TOP: u32;

    /// What it shows.
    fn read(&self) -> u32;
}

/// Measures by a counter, whose turns are counted in software.
#[derive(Debug)]
pub struct CoreMeter<C> {
    counter: C,
    last: u32,
    ticks: u64,
}

impl<C: Counter> CoreMeter<C> {
    /// Begins to count.
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
        // `subs`, `bne`: two instructions a turn, of one turn more than asked for.
        cortex_m::asm::delay(turns);
    }

    fn stack(work: impl FnOnce()) -> usize {
        stack::depth(work)
    }
}

/// The core's own timer, 24 bits, at `PICOSECONDS` a tick; 0: the core's clock, whatever that is.
pub struct SysTick<const PICOSECONDS: u32>(SYST);

impl<const PICOSECONDS: u32> SysTick<PICOSECONDS> {
    /// Starts it; `None` if it has been taken before.
    pub fn start() -> Option<Self> {
        let mut timer = Peripherals::take()?.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(Self::TOP);
        timer.clear_current();
        timer.enable_counter();
        Some(SysTick(timer))
    }
}

impl<const PICOSECONDS: u32> Counter for SysTick<PICOSECONDS> {
    const TICK: Tick = if PICOSECONDS == 0 { Tick::Cycle } else { Tick::Picoseconds(PICOSECONDS) };
    const TOP: u32 = 0x00ff_ffff;

    fn read(&self) -> u32 {
        // It counts downwards.
        Self::TOP - SYST::get_current()
    }
}
