//! `microdistill board build` and `board flash`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use microdistill_boards::{self as board, Firmware, Memory, Profile};
use serde::Serialize;

use super::program::Program;
use super::sources::SourceFlags;
use super::{ready, tell_memory};
use crate::context::Context;

#[derive(Args, Debug)]
pub(crate) struct Build {
    /// Board to build for, as named by `board list`
    pub(crate) board: String,
    /// Program to build
    #[arg(value_enum, default_value = "infer")]
    pub(crate) program: Program,
    #[command(flatten)]
    sources: SourceFlags,
    /// Build without optimization
    #[arg(long)]
    debug: bool,
}

#[derive(Serialize)]
pub(crate) struct Built<'a> {
    pub(crate) board: &'a str,
    pub(crate) program: &'a str,
    pub(crate) elf: &'a Path,
    #[serde(flatten)]
    pub(crate) memory: Option<Memory>,
}

impl Build {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let board = board::find(&board::firmware_folder()?, &self.board)?;
        let (elf, _) = self.build(context, &board, |firmware| firmware.build())?;
        let memory = tell_memory(context, &board, &elf)?;
        context.console.say(elf.display())?;
        context.console.json(&Built { board: &board.name, program: self.program.name(), elf: &elf, memory })
    }

    pub(crate) fn flash(&self, context: &Context) -> Result<()> {
        let board = board::find(&board::firmware_folder()?, &self.board)?;
        board::check_flash(&board)?;
        let (elf, _) = self.build(context, &board, |firmware| firmware.build_for_probe())?;
        let memory = tell_memory(context, &board, &elf)?;
        let step = board::flash(&board, &elf)?;
        context.console.note(format_args!("$ {}", step.line()));
        step.run()?;
        context.console.json(&Built { board: &board.name, program: self.program.name(), elf: &elf, memory })
    }

    /// Builds the firmware. Also returns the desktop's outputs for its test rows, if the model file is known.
    pub(crate) fn build(
        &self,
        context: &Context,
        board: &board::Board,
        build: impl Fn(&Firmware<'_>) -> microdistill_train::error::Result<PathBuf>,
    ) -> Result<(PathBuf, Option<Vec<Vec<f32>>>)> {
        let programs = board.folder.join("src/bin");
        if !programs.join(self.program.name()).with_extension("rs").is_file() {
            let (board, program, programs) = (&board.name, self.program.name(), programs.display());
            bail!("{board} has no program `{program}`: its programs are in {programs}");
        }
        ready(board)?;
        let (sources, expected) = self.sources.export(board, self.program)?;
        let profile = if self.debug { Profile::Debug } else { Profile::Release };
        let spinner = context.console.spinner(format!("building {} for {}", self.program.name(), board.name));
        let elf = build(&Firmware { board, program: self.program.name(), sources, profile });
        spinner.finish_and_clear();
        Ok((elf?, expected))
    }
}
