//! Boards: folders of firmware that are built with a given model and run in QEMU, or on this desktop.
//!
//! A board describes itself in its `Cargo.toml`; nothing here knows a board by name:
//!
//! ```toml
//! [package.metadata.board]
//! core = "Cortex-M4F"
//! target = "thumbv7em-none-eabihf"                          # none: the desktop
//! qemu = ["qemu-system-arm", "-machine", "mps2-an386", "…"] # none: QEMU does not emulate it
//! chip = "RP2040"                                           # for probe-rs; none: there is nothing to flash
//! ```

mod bench;
mod build;
mod cost;
mod elf;
mod flash;
mod gdb;
mod output;
mod run;
mod sources;
mod thumb;
mod trace;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, Result};

pub use bench::{Executed, Measured, Work, counting, executed, measured};
pub use build::{Firmware, Profile};
pub use elf::{Elf, Memory};
pub use flash::{check_flash, flash};
pub use output::{Output, is_story};
pub use run::run;
pub use sources::{Optimizer, Sources};

/// A board that says nothing for so long will not say anything again.
const SILENCE: Duration = Duration::from_secs(120);

/// A folder of firmware.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// The folder's name.
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Its processor core, for people.
    pub core: String,
    /// The target it is built for; the desktop's own if there is none.
    pub target: Option<String>,
    /// The emulator and its arguments, without those that name the firmware.
    pub qemu: Option<Vec<String>>,
    /// The chip, as probe-rs names it.
    pub chip: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    metadata: PackageMetadata,
}

#[derive(Default, Deserialize)]
struct PackageMetadata {
    board: Option<Description>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    core: String,
    target: Option<String>,
    qemu: Option<Vec<String>>,
    chip: Option<String>,
}

/// The folder of all boards in the [repository](crate::file::repository).
///
/// # Errors
/// No clone of the repository.
pub fn firmware_folder() -> Result<PathBuf> {
    Ok(crate::file::repository()?.join(FIRMWARE))
}

const FIRMWARE: &str = "examples/firmware";

/// Every board in `folder`, by name.
///
/// # Errors
/// A folder that cannot be read, a manifest that cannot be understood.
pub fn list(folder: &Path) -> Result<Vec<Board>> {
    let mut boards = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        let path = entry.path().join("Cargo.toml");
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let manifest: Manifest = toml::from_str(&text).map_err(|error| Error::Data {
            path,
            line: None,
            message: error.to_string(),
        })?;
        if let Some(Description { core, target, qemu, chip }) = manifest.package.metadata.board {
            let name = entry.file_name().to_string_lossy().into_owned();
            boards.push(Board { name, folder: entry.path(), core, target, qemu, chip });
        }
    }
    boards.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(boards)
}

/// The board of this name in `folder`.
///
/// # Errors
/// As of [`list`], and no such board.
pub fn find(folder: &Path, name: &str) -> Result<Board> {
    let boards = list(folder)?;
    let names: Vec<String> = boards.iter().map(|board| board.name.clone()).collect();
    let unknown = || Error::Invalid(format!("no board {name:?}: there are {}", names.join(", ")));
    boards.into_iter().find(|board| board.name == name).ok_or_else(unknown)
}

impl Board {
    /// What this machine lacks to build for the board and to run its firmware.
    pub fn missing(&self) -> Vec<Missing> {
        let target = self.target.iter().filter(|target| !has_target(target));
        let emulator = self.qemu.iter().filter_map(|command| command.first());
        let emulator = emulator.filter(|program| which(program).is_none());
        target.cloned().map(Missing::Target).chain(emulator.cloned().map(Missing::Emulator)).collect()
    }
}

impl Board {
    /// Name and version of the compiler of the board's firmware: sizes and counts depend on it.
    ///
    /// # Errors
    /// No compiler.
    pub fn compiler(&self) -> Result<String> {
        let mut rustc = std::process::Command::new("rustc");
        if let Some(toolchain) = self.target.as_deref().and_then(other_toolchain) {
            rustc.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        let output = rustc.arg("--version").current_dir(&self.folder).output().map_err(Error::io("rustc"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// Something to be installed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// A target of the Rust toolchain.
    Target(String),
    /// An emulator, by its program's name.
    Emulator(String),
}

/// The linked toolchain of the system's own compiler, where rustup has no core library for a target.
pub(crate) const SYSTEM_TOOLCHAIN: &str = "debian";

/// The toolchain, other than the one in use, that firmware for `target` is built by, if there is need of one.
fn other_toolchain(target: &str) -> Option<&'static str> {
    (!library(target, None) && library(target, Some(SYSTEM_TOOLCHAIN))).then_some(SYSTEM_TOOLCHAIN)
}

/// Whether there is a core library for `target`.
fn has_target(target: &str) -> bool {
    library(target, None) || library(target, Some(SYSTEM_TOOLCHAIN))
}

/// Whether `toolchain`, or the one in use, has the core library for `target`.
fn library(target: &str, toolchain: Option<&str>) -> bool {
    let mut rustc = std::process::Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]);
    if let Some(toolchain) = toolchain {
        rustc.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    let output = rustc.output().ok().filter(|output| output.status.success());
    let folder = output.and_then(|output| String::from_utf8(output.stdout).ok());
    folder.is_some_and(|folder| Path::new(folder.trim()).is_dir())
}

/// Where `program` is on the PATH.
pub fn which(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}
