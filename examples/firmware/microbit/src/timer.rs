//! TIMER0 of the nRF51 (reference manual 3.0, chapter 18).
#![allow(unsafe_code)]

use microdistill_programs::Tick;
use microdistill_support::Counter;
use nrf51_pac::TIMER0;

/// 32-bit timer at 16 MHz.
pub struct Timer0(TIMER0);

impl Timer0 {
    /// Starts the timer.
    pub(crate) fn start(timer: TIMER0) -> Self {
        timer.bitmode.write(|w| w.bitmode()._32bit());
        // SAFETY: 0 is a prescaler of 2⁰.
        timer.prescaler.write(|w| unsafe { w.bits(0) });
        // SAFETY: a task starts when 1 is written to it.
        timer.tasks_start.write(|w| unsafe { w.bits(1) });
        Timer0(timer)
    }
}

impl Counter for Timer0 {
    const TICK: Tick = Tick::Picoseconds(62_500);
    const TOP: u32 = u32::MAX;

    fn read(&self) -> u32 {
        // SAFETY: a task starts when 1 is written to it; this one copies the count to CC[0].
        self.0.tasks_capture[0].write(|w| unsafe { w.bits(1) });
        self.0.cc[0].read().bits()
    }
}
