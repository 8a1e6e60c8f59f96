//! The BBC micro:bit (version 1): nRF51822, a Cortex-M0 with 16 KiB of RAM and no FPU.
//!
//! It prints with defmt, over semihosting in QEMU and over RTT on the board (feature `rtt`). The panic handler of the crate
//! `semihosting` prints a panic's message over semihosting and ends the program with a failure.
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

/// Takes the meter and the writable flash; `None` if they have been taken before. TIMER0 counts at 16 MHz, because the nRF51
/// has no SysTick.
pub fn board() -> Option<(CoreMeter<Timer0>, Flash)> {
    let peripherals = Peripherals::take()?;
    Some((CoreMeter::new(Timer0::start(peripherals.TIMER0)), Flash::new(peripherals.NVMC)))
}

/// Takes the serial port that USB shows.
pub fn serial() -> Option<Polled<Uart0>> {
    Uart0::start().map(Polled)
}
