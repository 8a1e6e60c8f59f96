//! Adaptation on the Raspberry Pi Pico.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill_rp2040_pico::{flash, meter, run};

#[entry]
fn main() -> ! {
    run(|| microdistill_programs::adapt(meter().zip(flash())))
}
