//! The kernels of the micro:bit.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill_microbit::run;

#[entry]
fn main() -> ! {
    run(microdistill_programs::kernels::<1024, 256>)
}
