//! What boards with a Cortex-M share: how a program ends, and what it is measured with.
#![no_std]

mod meter;
mod stack;

use microdistill_programs::Outcome;
use semihosting::process::ExitCode;

pub use meter::{CoreMeter, Counter, SysTick};

/// Says how deep the stack was, and ends: the emulator's exit code, or what `probe-rs run` ends with, is the outcome.
pub fn exit(outcome: Outcome) -> ! {
    defmt::println!("stack: {} bytes at its deepest", stack::deepest());
    defmt::flush();
    let code = match outcome {
        Outcome::Passed => ExitCode::SUCCESS,
        Outcome::Failed => ExitCode::FAILURE,
    };
    code.exit_process()
}
