//! RISC-V microcontrollers without an FPU, as QEMU emulates them: its own board `virt`, and SiFive's E (feature
//! `sifive-e`) with 16 KiB of RAM.
//!
//! They print with defmt over semihosting. A panic's message goes to standard error, and the emulator ends with a
//! failure: that is the handler of the crate `semihosting`.
#![no_std]

#[cfg_attr(feature = "sifive-e", path = "uart_sifive.rs")]
#[cfg_attr(not(feature = "sifive-e"), path = "uart_16550.rs")]
mod uart;

use defmt_semihosting as _;
use microdistill_support::{CoreMeter, Polled, Retired};
use portable_atomic as _;

pub use microdistill_support::run;
pub use uart::Uart0;

/// The core counts its instructions.
pub fn meter() -> Option<CoreMeter<Retired>> {
    Some(CoreMeter::new(Retired))
}

/// UART 0, which is QEMU's first serial port.
pub fn serial() -> Polled<Uart0> {
    Polled(Uart0::start())
}
