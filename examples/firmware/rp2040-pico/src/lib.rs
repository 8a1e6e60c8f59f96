//! The Raspberry Pi Pico: RP2040, a Cortex-M0+ with 264 KiB of RAM and no FPU; the second core sleeps.
//!
//! It prints with defmt over RTT. The panic handler of the crate `semihosting` prints a panic's message over semihosting and
//! ends the program with a failure.
#![no_std]

mod boot;

use defmt_rtt as _;
use microdistill_programs::PlayedFlash;
use microdistill_support::{CoreMeter, SysTick, played_flash, reset};
use portable_atomic as _;

pub use microdistill_support::run;

/// Takes the meter: SysTick, which counts cycles of the core. The ring oscillator clocks it at about 6 MHz.
pub fn meter() -> Option<CoreMeter<SysTick<0>>> {
    SysTick::start().map(CoreMeter::new)
}

/// Takes memory that stands in for flash. A reset, which leaves memory unchanged, stands in for a power cut.
pub fn flash() -> Option<PlayedFlash<&'static mut [u8]>> {
    played_flash(|_| reset())
}
