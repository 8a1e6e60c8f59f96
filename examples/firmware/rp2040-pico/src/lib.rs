//! The Raspberry Pi Pico: RP2040, a Cortex-M0+ with 264 KiB of RAM and no FPU; the second core sleeps.
//!
//! It prints with defmt over RTT. A panic's message goes over semihosting, and the program ends with a failure: that is
//! the handler of the crate `semihosting`.
#![no_std]

mod boot;

use defmt_rtt as _;
use microdistill_programs::PlayedFlash;
use microdistill_support::{CoreMeter, SysTick, played_flash, reset};
use portable_atomic as _;

pub use microdistill_support::run;

/// SysTick counts cycles of the core, which the ring oscillator clocks with 6 MHz, more or less.
pub fn meter() -> Option<CoreMeter<SysTick<0>>> {
    SysTick::start().map(CoreMeter::new)
}

/// Memory plays flash; a reset, which leaves memory as it is, plays a power cut.
pub fn flash() -> Option<PlayedFlash<&'static mut [u8]>> {
    played_flash(|_| reset())
}
