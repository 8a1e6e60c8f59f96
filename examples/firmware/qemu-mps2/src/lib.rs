//! Arm's MPS boards with a Cortex-M3, M4F, M7, M33 or M55, as QEMU emulates them. The FPGA image is the microcontroller, and a
//! feature selects it.
//!
//! They print with defmt over semihosting. The panic handler of the crate `semihosting` prints a panic's message to standard
//! error and ends the emulator with a failure.
//!
//! Equal bits rely on the FPU's state after reset, which is left unchanged: FPSCR has FZ = DN = 0 (subnormals and NaN payloads
//! are kept), and rounding is to nearest.
#![no_std]

mod uart;

use defmt_semihosting as _;
use microdistill_programs::PlayedFlash;
use microdistill_support::{CoreMeter, Polled, SysTick, played_flash, reset};

pub use microdistill_support::run;
pub use uart::Uart0;

/// Picoseconds per cycle of the board's clock: 20, 32 or 25 MHz.
const TICK: u32 = if cfg!(feature = "an505") {
    50_000
} else if cfg!(feature = "an547") {
    31_250
} else {
    40_000
};

/// Takes the meter: SysTick, which counts cycles of the board's clock.
pub fn meter() -> Option<CoreMeter<SysTick<TICK>>> {
    SysTick::start().map(CoreMeter::new)
}

/// Takes memory that stands in for flash. A reset, which leaves memory unchanged, stands in for a power cut.
pub fn flash() -> Option<PlayedFlash<&'static mut [u8]>> {
    played_flash(|_| reset())
}

/// Takes UART 0, which is QEMU's first serial port.
pub fn serial() -> Polled<Uart0> {
    Polled(Uart0::start())
}
