//! Boards: folders of firmware that are built with a given model and run in QEMU, or on this desktop.
//!
//! Boards are described in the `Cargo.toml` of their folder; nothing here knows one by name. A folder may hold several
//! that differ in little:
//!
//! ```toml
//! [package.metadata.boards.mps2-an505]
//! core = "Cortex-M33"
//! target = "thumbv8m.main-none-eabihf"       # none: the desktop
//! rustflags = "-Ctarget-cpu=cortex-m33"      # none: what the target says
//! features = ["an505"]                       # of the package; none: its defaults
//! qemu = "qemu-system-arm -machine mps2-an505" # none: QEMU does not emulate it
//! chip = "RP2040"                            # for probe-rs; none: there is nothing to flash
//! ```

mod bench;
mod board;
mod build;
mod cycles;
mod elf;
mod flash;
mod output;
mod run;
pub mod serial;
pub mod setup;
mod sources;
mod step;
pub mod teach;

pub use bench::{
    Learning, Measured, Work, counted, counting, executed, executed_learning, learned, measured, peers,
    references,
};
pub use board::{Board, Missing, find, firmware_folder, list, which};
pub use build::{Firmware, Profile};
pub use cycles::Executed;
pub use elf::{Elf, Memory};
pub use flash::{check_flash, flash};
pub use output::{Output, is_story};
pub use run::run;
pub use sources::{Optimizer, Sources};
pub use step::Step;

pub(crate) use board::{SILENCE, SYSTEM_TOOLCHAIN, other_toolchain};
