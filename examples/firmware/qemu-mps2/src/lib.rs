//! Arm's MPS2 board with a Cortex-M4F, as QEMU emulates it (`mps2-an386`).
//!
//! It prints with defmt over semihosting. A panic's message goes to standard error, and the emulator ends with a
//! failure: that is the handler of the crate `semihosting`.
//!
//! The FPU stays as reset leaves it, which equal bits rely on: FPSCR has FZ = DN = 0 (subnormals are kept, a NaN stays
//! itself), rounding is to nearest.
#![no_std]

use cortex_m as _;
use defmt_semihosting as _;
use microdistill_programs::Outcome;
use semihosting::process::ExitCode;

/// Ends the emulator, with the outcome as its exit code.
pub fn exit(outcome: Outcome) -> ! {
    let code = match outcome {
        Outcome::Passed => ExitCode::SUCCESS,
        Outcome::Failed => ExitCode::FAILURE,
    };
    code.exit_process()
}
