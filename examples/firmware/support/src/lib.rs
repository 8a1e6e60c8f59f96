//! The parts that boards share: start and end of a program, meters, and serial lines.
#![no_std]

#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "riscv32", path = "riscv.rs")]
mod machine;
mod meter;
mod played;
mod register;
mod serial;
mod stack;

use microdistill_programs::Outcome;
use semihosting::process::ExitCode;

#[cfg(target_arch = "riscv32")]
pub use machine::Retired;
#[cfg(target_arch = "arm")]
pub use machine::{SysTick, reset};
pub use meter::{CoreMeter, Counter};
pub use played::played_flash;
pub use register::Register;
pub use serial::{Polled, Uart};

/// Runs `program`, prints how deep the stack was, and ends. The outcome becomes the exit code of the emulator or of
/// `probe-rs run`.
pub fn run(program: impl FnOnce() -> Outcome) -> ! {
    stack::paint();
    let outcome = program();
    defmt::println!("stack: {} bytes at its deepest", stack::deepest());
    defmt::flush();
    let code = match outcome {
        Outcome::Passed => ExitCode::SUCCESS,
        Outcome::Failed => ExitCode::FAILURE,
    };
    code.exit_process()
}
