//! Cortex-M: the stack pointer, a loop of known length, reset, and SysTick.

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

/// Loops over `subs` and `bne`: two instructions per turn, and one more turn than asked for.
pub(crate) fn spin(turns: u32) {
    cortex_m::asm::delay(turns);
}

/// Restarts the program at the reset vector, with memory unchanged.
pub fn reset() -> ! {
    // `sys_reset` waits for all writes to memory.
    cortex_m::peripheral::SCB::sys_reset()
}

/// The core's own 24-bit timer, with `PICOSECONDS` per tick; 0 means cycles of the core, whatever their length.
pub struct SysTick<const PICOSECONDS: u32>(SYST);

impl<const PICOSECONDS: u32> SysTick<PICOSECONDS> {
    /// Starts the timer; `None` if it has been taken before.
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
        // SysTick counts down.
        Self::TOP - SYST::get_current()
    }
}
