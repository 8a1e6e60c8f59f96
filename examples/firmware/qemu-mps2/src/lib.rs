//! Arm's MPS boards with a Cortex-M3, M4F, M7, M33 or M55, as QEMU emulates them: the FPGA image, which a feature names,
//! is the microcontroller.
//!
//! They print with defmt over semihosting. A panic's message goes to standard error, and the emulator ends with a
//! failure: that is the handler of the crate `semihosting`.
//!
//! The FPU stays as reset leaves it, which equal bits rely on: FPSCR has FZ = DN = 0 (subnormals are kept, a NaN stays
//! itself), rounding is to nearest.
#![no_std]

mod uart;

use defmt_semihosting as _;
use microdistill_support::{CoreMeter, Polled, SysTick};

pub use microdistill_support::run;
pub use uart::Uart0;

/// Picoseconds of the board's clock: 20, 32 or 25 MHz.
const TICK: u32 = if cfg!(feature = "an505") {
    50_000
} else if cfg!(feature = "an547") {
    31_250
} else {
    40_000
};

/// SysTick counts the board's clock.
pub fn meter() -> Option<CoreMeter<SysTick<TICK>>> {
    SysTick::start().map(CoreMeter::new)
}

/// UART 0, which is QEMU's first serial port.
pub fn serial() -> Polled<Uart0> {
    Polled(Uart0::start())
}
