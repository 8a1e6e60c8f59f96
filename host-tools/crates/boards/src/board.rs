//! Boards: the targets of firmware, described by the manifests of the firmware folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use microdistill_train::error::{Error, Result};

/// Timeout: a board that prints nothing for this long counts as hung.
pub(crate) const SILENCE: Duration = Duration::from_secs(120);

/// A target of firmware: a real or emulated board, or the desktop.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// Unique name.
    pub name: String,
    /// Folder of the package with its firmware.
    pub folder: PathBuf,
    /// Display name of its processor core.
    pub core: String,
    /// Compiler target; `None` means the desktop's own.
    pub target: Option<String>,
    /// Additional compiler flags, separated by spaces, such as a core that the target does not name.
    pub rustflags: String,
    /// Features of the package that select this board.
    pub features: Vec<String>,
    /// Emulator and its arguments, separated by spaces; `None` if QEMU does not emulate the board.
    pub qemu: Option<String>,
    /// Name of the chip in probe-rs; `None` if the board cannot be flashed.
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
    #[serde(default)]
    boards: BTreeMap<String, Description>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    core: String,
    target: Option<String>,
    #[serde(default)]
    rustflags: String,
    #[serde(default)]
    features: Vec<String>,
    qemu: Option<String>,
    chip: Option<String>,
}

/// Returns the folder of all boards in the [repository](microdistill_train::file::repository).
///
/// # Errors
/// If there is no clone of the repository.
pub fn firmware_folder() -> Result<PathBuf> {
    Ok(microdistill_train::file::repository()?.join(FIRMWARE))
}

const FIRMWARE: &str = "examples/firmware";

/// Lists all boards in `folder`, sorted by name.
///
/// # Errors
/// If the folder cannot be read, or a manifest is malformed.
pub fn list(folder: &Path) -> Result<Vec<Board>> {
    let mut boards = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        let folder = entry.path();
        let path = folder.join("Cargo.toml");
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let manifest: Manifest = toml::from_str(&text).map_err(|error| Error::Data {
            path,
            line: None,
            message: error.to_string(),
        })?;
        for (name, description) in manifest.package.metadata.boards {
            let Description { core, target, rustflags, features, qemu, chip } = description;
            let folder = folder.clone();
            boards.push(Board { name, folder, core, target, rustflags, features, qemu, chip });
        }
    }
    boards.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(boards)
}

/// Finds the board called `name` in `folder`.
///
/// # Errors
/// See [`list`]; also if there is no such board.
pub fn find(folder: &Path, name: &str) -> Result<Board> {
    let boards = list(folder)?;
    let names: Vec<String> = boards.iter().map(|board| board.name.clone()).collect();
    let unknown =
        || Error::Invalid(format!("there is no board {name:?}; known boards: {}", names.join(", ")));
    boards.into_iter().find(|board| board.name == name).ok_or_else(unknown)
}

impl Board {
    /// Returns true if the board has a program with this name.
    pub fn has(&self, program: &str) -> bool {
        self.folder.join("src/bin").join(program).with_extension("rs").is_file()
    }

    /// The build folder that the firmware of all boards shares.
    pub fn target_folder(&self) -> PathBuf {
        self.folder.with_file_name("target")
    }

    /// Tools missing on this machine for building the board's firmware and running it.
    pub fn missing(&self) -> Vec<Missing> {
        let target = self.target.iter().filter(|target| !has_target(target));
        let emulator = self.qemu.as_deref().and_then(|command| command.split_whitespace().next());
        let emulator = emulator.filter(|program| which(program).is_none());
        let emulator = emulator.map(|program| Missing::Emulator(program.to_owned()));
        target.cloned().map(Missing::Target).chain(emulator).collect()
    }

    /// Name and version of the compiler that builds the board's firmware. Sizes and counts depend on it.
    ///
    /// # Errors
    /// If there is no compiler.
    pub fn compiler(&self) -> Result<String> {
        let mut rustc = std::process::Command::new("rustc");
        if let Some(toolchain) = self.target.as_deref().and_then(other_toolchain) {
            rustc.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        let output = rustc.arg("--version").current_dir(&self.folder).output().map_err(Error::io("rustc"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// A missing tool.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The core library for a target of the Rust toolchain.
    Target(String),
    /// An emulator, by the name of its program.
    Emulator(String),
}

/// Toolchain that links the system's own compiler, for targets whose core library rustup does not have.
pub(crate) const SYSTEM_TOOLCHAIN: &str = "debian";

/// The toolchain that builds firmware for `target`, if the one in use cannot.
pub(crate) fn other_toolchain(target: &str) -> Option<&'static str> {
    (!library(target, None) && library(target, Some(SYSTEM_TOOLCHAIN))).then_some(SYSTEM_TOOLCHAIN)
}

/// Returns true if a core library for `target` is installed.
fn has_target(target: &str) -> bool {
    library(target, None) || library(target, Some(SYSTEM_TOOLCHAIN))
}

/// Returns true if `toolchain`, or the one in use, has the core library for `target`.
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

/// Path of `program`, if it is in `PATH`.
pub fn which(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}
