//! A desktop teaches the micro:bit.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill_microbit::{run, serial};
use microdistill_programs::Outcome;

#[entry]
fn main() -> ! {
    run(|| serial().map_or(Outcome::Failed, microdistill_programs::teach))
}
