//! Distillation on the Raspberry Pi Pico.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill_rp2040_pico::exit;

#[entry]
fn main() -> ! {
    exit(microdistill_programs::distill())
}
