//! The BBC micro:bit (version 1): nRF51822, a Cortex-M0 with 16 KiB of RAM and no FPU.
//!
//! It prints with defmt: over semihosting in QEMU, over RTT on the board (feature `rtt`). A panic's message goes over
//! semihosting, and the program ends with a failure: that is the handler of the crate `semihosting`.
#![no_std]

mod flash;
mod timer;
mod uart;

#[cfg(feature = "rtt")]
use defmt_rtt as _;
#[cfg(not(feature = "rtt"))]
use defmt_semihosting as _;
use microdistill_support::{CoreMeter, Polled};
use nrf51_pac::Peripherals;
use portable_atomic as _;

pub use flash::Flash;
pub use microdistill_support::run;
pub use timer::Timer0;
pub use uart::Uart0;

/// The meter, and flash to write to; `None` if they have been taken before. The nRF51 has no SysTick: TIMER0
/// counts
/// its 16 MHz.
pub fn board() -> Option<(CoreMeter<Timer0>, Flash)> {
    let peripherals = Peripherals::take()?;
    Some((CoreMeter::new(Timer0::start(peripherals.TIMER0)), Flash::new(peripherals.NVMC)))
}

/// The serial port of its USB.
pub fn serial() -> Option<Polled<Uart0>> {
    Uart0::start().map(Polled)
}
