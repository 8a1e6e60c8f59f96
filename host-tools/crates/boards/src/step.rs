//! A command that installs or flashes something.

use std::process::Command;

use microdistill_train::error::{Error, Result};

/// A command that installs something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Purpose of the command, for people.
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

    /// Runs the command; its output goes where ours goes for people, to standard error.
    ///
    /// # Errors
    /// A command that is missing or fails.
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

/// The command that installs the flash tool, which takes some minutes.
pub fn flash_tool() -> Step {
    step("what flashes boards", &["cargo", "install", "probe-rs-tools", "--locked"])
}

pub(crate) fn step(purpose: &str, command: &[&str]) -> Step {
    Step {
        purpose: purpose.into(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        otherwise: Vec::new(),
    }
}
