//! Commands that install tools or flash boards.

use std::process::Command;

use microdistill_train::error::{Error, Result};

/// A command that installs a tool or flashes a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Purpose of the command, for display.
    pub purpose: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Commands to run instead if it fails.
    pub otherwise: Vec<Step>,
}

impl Step {
    /// The command as it would be typed.
    pub fn line(&self) -> String {
        let quoted = |word: &String| {
            let plain = !word.contains(|c: char| c.is_whitespace() || "\"$*{}".contains(c));
            if plain { word.clone() } else { format!("'{word}'") }
        };
        self.command.iter().map(quoted).collect::<Vec<_>>().join(" ")
    }

    /// Runs the command, with its output on standard error.
    ///
    /// # Errors
    /// If the command is missing or fails.
    pub fn run(&self) -> Result<()> {
        let [program, arguments @ ..] = self.command.as_slice() else { return Ok(()) };
        let status = Command::new(program)
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(std::io::stderr())
            .status()
            .map_err(Error::io(program))?;
        if status.success() {
            Ok(())
        } else {
            Err(Error::Invalid(format!("`{}` failed ({status})", self.line())))
        }
    }
}

/// Returns the command that installs probe-rs, which takes some minutes.
pub fn flash_tool() -> Step {
    step("the tool that flashes boards", &["cargo", "install", "probe-rs-tools", "--locked"])
}

pub(crate) fn step(purpose: &str, command: &[&str]) -> Step {
    Step {
        purpose: purpose.into(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        otherwise: Vec::new(),
    }
}
