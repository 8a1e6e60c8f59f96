//! The kernels of the micro:bit.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill_microbit::exit;

#[entry]
fn main() -> ! {
    exit(microdistill_programs::kernels::<2048, 512>())
}
