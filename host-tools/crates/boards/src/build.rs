//! Builds firmware, which is an ordinary cargo package. Environment variables tell it which models and rows to include.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Board, Sources, other_toolchain};
use microdistill_train::error::{Error, Result};

/// A program of a board and the options to build it with.
#[derive(Clone, Debug)]
pub struct Firmware<'a> {
    /// The board.
    pub board: &'a Board,
    /// Name of a binary in the board's folder, such as `infer`.
    pub program: &'a str,
    /// Models and rows to include.
    pub sources: Sources,
    /// Optimization level.
    pub profile: Profile,
}

/// Optimization level of firmware.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// For size, as firmware is shipped: `opt-level = "s"`.
    #[default]
    Release,
    /// For speed: `opt-level = 3`, otherwise like `Release`.
    Speed,
    /// No optimization.
    Debug,
}

impl Firmware<'_> {
    /// Builds the program and returns the path of its ELF file.
    ///
    /// # Errors
    /// If the build fails, with the compiler's messages.
    pub fn build(&self) -> Result<PathBuf> {
        self.build_with(&[])
    }

    /// Like [`build`](Self::build), for a board on a debug probe, which the program prints to.
    ///
    /// # Errors
    /// See [`build`](Self::build).
    pub fn build_for_probe(&self) -> Result<PathBuf> {
        self.build_with(&["--features", "rtt"])
    }

    fn build_with(&self, arguments: &[&str]) -> Result<PathBuf> {
        let mut command = Command::new("cargo");
        if let Some(toolchain) = self.board.target.as_deref().and_then(other_toolchain) {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        command.args(["build", "--locked", "--quiet", "--message-format=json-render-diagnostics"]);
        command.args(arguments).args(["--bin", self.program]).current_dir(&self.board.folder);
        if let Some(target) = &self.board.target {
            command.args(["--target", target]);
        }
        for feature in &self.board.features {
            command.args(["--features", feature]);
        }
        match self.profile {
            Profile::Release => command.arg("--release"),
            Profile::Speed => command.arg("--release").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
            Profile::Debug => &mut command,
        };
        // Settings of the desktop's own build do not apply to the board's.
        for name in
            ["CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"]
        {
            command.env_remove(name);
        }
        command.env("RUSTFLAGS", &self.board.rustflags);
        // Boards share compiled dependencies, but not programs, because those have the same names.
        let target = self.board.target_folder();
        command.arg("--target-dir").arg(target.join(&self.board.name)).env("CARGO_BUILD_BUILD_DIR", target);
        let Sources { model, student, teacher, train, test, optimizer } = &self.sources;
        command.env("MICRODISTILL_OPTIMIZER", optimizer.name());
        let files =
            [("MODEL", model), ("STUDENT", student), ("TEACHER", teacher), ("TRAIN", train), ("TEST", test)];
        for (name, path) in files {
            let name = format!("MICRODISTILL_{name}");
            match path {
                Some(path) => command.env(name, std::path::absolute(path).map_err(Error::io(path))?),
                None => command.env_remove(name),
            };
        }
        let output = command.stdin(Stdio::null()).output().map_err(Error::io("cargo"))?;
        let (board, program) = (&self.board.name, self.program);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::Invalid(format!(
                "building {program} for {board} failed:\n{}",
                said.trim_end()
            )));
        }
        let mut messages = output.stdout.split(|&byte| byte == b'\n');
        messages
            .find_map(|line| executable(line, program))
            .ok_or_else(|| Error::Invalid(format!("cargo did not build a program {program} for {board}")))
    }
}

/// Path of the program, if this line of cargo's JSON names it.
fn executable(line: &[u8], program: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_slice(line).ok()?;
    let path = message.get("executable")?.as_str()?;
    (message["target"]["name"] == program).then(|| Path::new(path).to_owned())
}
