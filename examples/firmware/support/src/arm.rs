//! Cortex-M: its stack pointer, a loop of known length, its own timer.

use cortex_m::Peripherals;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use microdistill_programs::Tick;

use crate::Counter;

/// The stack pointer.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    cortex_m::register::msp::read() as usize
}

/// `subs`, `bne`: two instructions a turn, of one turn more than asked for.
pub(crate) fn spin(turns: u32) {
    cortex_m::asm::delay(turns);
}

/// Starts the program again, at the reset vector, with memory as it is.
pub fn reset() -> ! {
    // It waits for all writes to memory.
    cortex_m::peripheral::SCB::sys_reset()
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
