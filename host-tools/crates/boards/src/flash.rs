//! Flashes real boards with probe-rs.

use std::path::Path;

use crate::step::{Step, flash_tool};
use crate::{Board, which};
use microdistill_train::error::{Error, Result};

/// Returns the command that flashes `elf`, runs it and shows what it prints.
///
/// # Errors
/// If the board has no chip.
pub fn flash(board: &Board, elf: &Path) -> Result<Step> {
    let chip = chip(board)?;
    let command = ["probe-rs", "run", "--chip", chip].map(str::to_owned).into_iter();
    Ok(Step {
        purpose: "flash and run".into(),
        command: command.chain([elf.display().to_string()]).collect(),
        otherwise: Vec::new(),
    })
}

/// Checks that `board` can be flashed from this machine.
///
/// # Errors
/// If the board has no chip, or probe-rs is missing.
pub fn check_flash(board: &Board) -> Result<()> {
    chip(board)?;
    if which("probe-rs").is_none() {
        return Err(Error::Invalid(format!(
            "probe-rs is missing: run `cargo microdistill setup --flash`, which takes some minutes, or `{}`",
            flash_tool().line()
        )));
    }
    Ok(())
}

fn chip(board: &Board) -> Result<&str> {
    let name = &board.name;
    let none =
        || Error::Invalid(format!("{name} cannot be flashed: use `cargo microdistill board run {name}`"));
    board.chip.as_deref().ok_or_else(none)
}
