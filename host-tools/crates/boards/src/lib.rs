//! Builds, runs, flashes, teaches and measures microdistill firmware, on real boards and in QEMU.
//!
//! A board is a folder of firmware that is built with a given model. It runs on a microcontroller, in QEMU, or on this
//! desktop. The path through this crate has five steps:
//!
//! 1. [`find`] a [`Board`] by its name. [`setup`] knows the commands that install its missing tools.
//! 2. Export models and rows as [`Sources`] for one of its programs, such as `infer` or `distill`.
//! 3. Build the [`Firmware`]. Its [`Elf`] file tells how much flash and RAM it takes.
//! 4. [`run`](run()) it in QEMU or on the desktop, or [`flash`](flash()) it to a real board. The [`Output`] has the bits that
//!    the board computed, to be compared with the desktop's.
//! 5. [`teach`] a student on a running board over a [`serial`] line, or [`bench`](mod@bench) the board's instructions, cycles and
//!    memory.
//!
//! Here an emulated Cortex-M4F predicts the test rows, and its outputs equal the desktop's bit by bit:
//!
//! ```no_run
//! use microdistill_boards::prelude::*;
//! use microdistill_train::dataset::read_like;
//! use microdistill_train::model::Model;
//!
//! # fn main() -> microdistill_train::error::Result<()> {
//! let student = Model::load("student-int8.safetensors")?;
//! let test = read_like("test.csv", student.expected())?;
//!
//! let board = find(&firmware_folder()?, "qemu-mps2")?;
//! let sources = Sources::infer(&board.target_folder(), "model.rs", &student, &test)?;
//! let firmware = Firmware { board: &board, program: "infer", sources, profile: Profile::Release };
//! let elf = firmware.build()?;
//! let Memory { flash, ram } = Elf::load(&elf)?.memory()?;
//! println!("{flash} bytes of flash, {ram} bytes of RAM plus the stack");
//!
//! let output: Output = run(&board, &elf, &mut |_| {})?;
//! let expected = student.predict(&test);
//! let expected: Vec<Vec<f32>> = expected.column_iter().map(|y| y.iter().copied().collect()).collect();
//! assert!(output.success && output.different(&expected) == 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Descriptions of boards
//!
//! The `Cargo.toml` of a board's folder describes it; this crate knows no board by name. A folder may describe several
//! boards that differ only in details:
//!
//! ```toml
//! [package.metadata.boards.mps2-an505]
//! core = "Cortex-M33"
//! target = "thumbv8m.main-none-eabihf"         # without: the desktop's own target
//! rustflags = "-Ctarget-cpu=cortex-m33"        # without: no further compiler flags
//! features = ["an505"]                         # without: the package's default features
//! qemu = "qemu-system-arm -machine mps2-an505" # without: QEMU does not emulate the board
//! chip = "RP2040"                              # for probe-rs; without: the board cannot be flashed
//! ```

pub mod bench;
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

pub use board::{Board, Missing, find, firmware_folder, list, which};
pub use build::{Firmware, Profile};
pub use elf::{Elf, Memory};
pub use flash::{check_flash, flash};
pub use output::{Output, is_story};
pub use run::run;
pub use sources::{Optimizer, Sources};
pub use step::Step;

pub(crate) use board::{SILENCE, SYSTEM_TOOLCHAIN, other_toolchain};

/// The names that most programs need.
///
/// ```
/// use microdistill_boards::prelude::*;
/// ```
pub mod prelude {
    pub use crate::{
        Board, Elf, Firmware, Memory, Optimizer, Output, Profile, Sources, find, firmware_folder, list, run,
    };
}
