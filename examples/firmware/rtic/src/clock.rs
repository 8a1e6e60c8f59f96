//! Time in ticks of SysTick, 40 ns each. SysTick also is the timer that brings samples.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// Time from one sample to the next: 20 ms, so 50 samples per second.
pub(crate) const PERIOD: u32 = 500_000;

static PERIODS: AtomicU32 = AtomicU32::new(0);

/// Starts the timer. From now on a period ends every [`PERIOD`] ticks.
pub(crate) fn start(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(PERIOD - 1);
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

/// Notes the end of a period. Returns how many ticks ago it ended.
pub(crate) fn end_period() -> u32 {
    PERIODS.fetch_add(1, Ordering::Relaxed);
    since()
}

/// Ticks since the start of the period.
pub(crate) fn since() -> u32 {
    // SysTick counts down.
    PERIOD - 1 - SYST::get_current()
}

/// Ticks since the start, wrapping.
pub(crate) fn now() -> u32 {
    loop {
        let periods = PERIODS.load(Ordering::Relaxed);
        let since = since();
        // No period ended in between.
        if periods == PERIODS.load(Ordering::Relaxed) {
            return periods.wrapping_mul(PERIOD).wrapping_add(since);
        }
    }
}
