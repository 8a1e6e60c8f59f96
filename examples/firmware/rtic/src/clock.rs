//! Time in ticks of SysTick, 40 ns each, which also is the timer that samples come by.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// From one sample to the next: 20 ms, so 50 samples a second.
pub(crate) const PERIOD: u32 = 500_000;

static PERIODS: AtomicU32 = AtomicU32::new(0);

/// From now on a period ends every [`PERIOD`].
pub(crate) fn start(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(PERIOD - 1);
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

/// A period has ended: how many ticks ago.
pub(crate) fn end_period() -> u32 {
    PERIODS.fetch_add(1, Ordering::Relaxed);
    since()
}

/// Ticks since the period began.
pub(crate) fn since() -> u32 {
    // It counts downwards.
    PERIOD - 1 - SYST::get_current()
}

/// Ticks since the start, which wrap.
pub(crate) fn now() -> u32 {
    loop {
        let periods = PERIODS.load(Ordering::Relaxed);
        let since = since();
        // Nothing ended a period in between.
        if periods == PERIODS.load(Ordering::Relaxed) {
            return periods.wrapping_mul(PERIOD).wrapping_add(since);
        }
    }
}
