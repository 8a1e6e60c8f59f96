//! RISC-V microcontrollers without an FPU, as QEMU emulates them: its own board `virt`, and SiFive's E (feature
//! `sifive-e`) with 16 KiB of RAM.
//!
//! They print with defmt over semihosting. The panic handler of the crate `semihosting` prints a panic's message to standard
//! error and ends the emulator with a failure.
#![no_std]

#[cfg(not(feature = "sifive-e"))]
mod flash;
#[cfg_attr(feature = "sifive-e", path = "uart_sifive.rs")]
#[cfg_attr(not(feature = "sifive-e"), path = "uart_16550.rs")]
mod uart;

use defmt_semihosting as _;
use microdistill_support::{CoreMeter, Polled, Retired};
use portable_atomic as _;

#[cfg(not(feature = "sifive-e"))]
pub use flash::flash;
pub use microdistill_support::run;
pub use uart::Uart0;

/// Takes the meter: the core's counter of its own instructions.
pub fn meter() -> Option<CoreMeter<Retired>> {
    Some(CoreMeter::new(Retired))
}

/// Takes UART 0, which is QEMU's first serial port.
pub fn serial() -> Polled<Uart0> {
    Polled(Uart0::start())
}
