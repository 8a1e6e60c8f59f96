//! What boards need on this machine, and the commands that install it.

use std::process::Command;

use crate::board::{Board, Missing, which};
use crate::error::{Error, Result};

/// A command that installs something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What for.
    pub purpose: String,
    /// Program and arguments.
    pub command: Vec<String>,
}

/// The commands that give this machine all that `boards` need; none if it has it.
///
/// # Errors
/// Something is missing, and this machine has no installer that we know.
pub fn steps(boards: &[Board]) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for missing in boards.iter().flat_map(Board::missing) {
        for step in install(&missing)? {
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    Ok(steps)
}

fn install(missing: &Missing) -> Result<Vec<Step>> {
    let step = |purpose: &str, command: &[&str]| Step {
        purpose: purpose.into(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
    };
    match missing {
        Missing::Target(target) => {
            Ok(vec![step("the core library for boards", &["rustup", "target", "add", target])])
        }
        Missing::Emulator(program) => {
            // Debian and its kin name the package as the program; `sudo` where we are not root.
            let sudo: &[&str] = if is_root() { &[] } else { &["sudo"] };
            let package = program.as_str();
            if which("apt-get").is_some() {
                Ok(vec![
                    step("the list of packages", &[sudo, &["apt-get", "update", "--quiet=2"]].concat()),
                    step(
                        "the emulator",
                        &[
                            sudo,
                            &["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", package],
                        ]
                        .concat(),
                    ),
                ])
            } else if which("brew").is_some() {
                Ok(vec![step("the emulator", &["brew", "install", "qemu"])])
            } else {
                Err(Error::Invalid(format!(
                    "{program} is missing: install QEMU (7.2 or later) and try again"
                )))
            }
        }
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

impl Step {
    /// The command as it would be typed.
    pub fn line(&self) -> String {
        self.command.join(" ")
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
