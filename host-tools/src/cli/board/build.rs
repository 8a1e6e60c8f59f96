//! `microdistill board build` and `board flash`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use microdistill_host_tools::board::{self, Firmware, Memory, Profile};
use serde::Serialize;

use super::super::Context;
use super::sources::SourceFlags;
use super::{ready, tell_memory};

#[derive(Args, Debug)]
pub(super) struct Build {
    /// As `board list` names it
    pub(super) board: String,
    /// What it does
    #[arg(value_enum, default_value = "infer")]
    pub(super) program: Program,
    #[command(flatten)]
    sources: SourceFlags,
    /// Without optimization
    #[arg(long)]
    debug: bool,
}

/// A program that boards have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Program {
    /// Self-test, then every row of --test
    Infer,
    /// Learn from the teacher in flash
    Distill,
    /// Adapt to other people and another gain, and keep it through power cuts: the bundled example's story
    Adapt,
    /// Be taught over the serial port, by `board teach`
    Teach,
    /// Measure an inference, and a sample learned
    Bench,
    /// Measure samples learned: by descent, with momentum and by Adam, of three networks
    Learn,
    /// Compare the core's kernels with the portable ones
    Kernels,
}

impl Program {
    pub(super) fn name(self) -> &'static str {
        match self {
            Program::Infer => "infer",
            Program::Distill => "distill",
            Program::Adapt => "adapt",
            Program::Teach => "teach",
            Program::Bench => "bench",
            Program::Learn => "learn",
            Program::Kernels => "kernels",
        }
    }
}

#[derive(Serialize)]
pub(super) struct Built<'a> {
    pub(super) board: &'a str,
    pub(super) program: &'a str,
    pub(super) elf: &'a Path,
    #[serde(flatten)]
    pub(super) memory: Option<Memory>,
}

impl Build {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let board = board::find(&board::firmware_folder()?, &self.board)?;
        let (elf, _) = self.build(context, &board, |firmware| firmware.build())?;
        let memory = tell_memory(context, &board, &elf)?;
        context.console.say(elf.display())?;
        context.console.json(&Built { board: &board.name, program: self.program.name(), elf: &elf, memory })
    }

    pub(super) fn flash(&self, context: &Context) -> Result<()> {
        let board = board::find(&board::firmware_folder()?, &self.board)?;
        board::check_flash(&board)?;
        let (elf, _) = self.build(context, &board, |firmware| firmware.build_for_probe())?;
        let memory = tell_memory(context, &board, &elf)?;
        let step = board::flash(&board, &elf)?;
        context.console.note(format_args!("$ {}", step.line()));
        step.run()?;
        context.console.json(&Built { board: &board.name, program: self.program.name(), elf: &elf, memory })
    }

    /// The firmware, and what the desktop says of its rows, where the model file is known.
    pub(super) fn build(
        &self,
        context: &Context,
        board: &board::Board,
        build: impl Fn(&Firmware<'_>) -> microdistill_host_tools::error::Result<PathBuf>,
    ) -> Result<(PathBuf, Option<Vec<Vec<f32>>>)> {
        let programs = board.folder.join("src/bin");
        if !programs.join(self.program.name()).with_extension("rs").is_file() {
            let (board, program, programs) = (&board.name, self.program.name(), programs.display());
            bail!("{board} has no program `{program}`: those that it has are in {programs}");
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
