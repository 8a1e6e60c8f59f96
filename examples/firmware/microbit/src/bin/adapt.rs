//! Adaptation on the micro:bit.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill_microbit::{board, run};

#[entry]
fn main() -> ! {
    run(|| microdistill_programs::adapt(board()))
}
