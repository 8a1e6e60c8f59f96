//! `microdistill board run`

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use microdistill_boards::{self as board, is_story};
use microdistill_train::file::{probe, write};
use serde::Serialize;

use super::build::{Build, Built};
use super::program::Program;
use super::{tell_memory, verdict};
use crate::context::Context;

#[derive(Args, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    build: Build,
    /// Run this firmware file without building anything, as a cargo runner does
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "teacher", "train", "test", "debug"])]
    elf: Option<PathBuf>,
    /// Write everything that the program prints to a file, including the bits of weights, which `import` reads
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Make each instruction take 64 ns of virtual time in QEMU: timer-driven runs become repeatable, and slower
    #[arg(long)]
    count: bool,
}

#[derive(Serialize)]
struct Ran<'a> {
    #[serde(flatten)]
    built: Built<'a>,
    success: bool,
    /// Number of rows compared with the desktop, if the model file is known.
    compared: Option<usize>,
    different: Option<usize>,
    lines: Vec<&'a str>,
    /// Instructions that `adapt` spent, by purpose.
    instructions: BTreeMap<&'a str, u64>,
}

impl Run {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        if let Some(path) = &self.save {
            probe(path)?;
        }
        let board = board::find(&board::firmware_folder()?, &self.build.board)?;
        let program = self.build.program;
        // `adapt` reports how long its windows, trainings and checkpoints take.
        let board =
            if self.count || program == Program::Adapt { board::bench::counting(&board) } else { board };
        if program == Program::Teach {
            bail!("the program `teach` needs a desktop that teaches it: run `board teach {}`", board.name);
        }
        if board.target.is_some() && board.qemu.is_none() {
            let (name, program) = (&board.name, program.name());
            bail!(
                "QEMU does not emulate {name}: run the program on a real board with `board flash {name} {program}`"
            );
        }
        let (elf, expected) = match &self.elf {
            Some(elf) => (elf.clone(), None),
            None => self.build.build(context, &board, |firmware| firmware.build())?,
        };
        let memory = tell_memory(context, &board, &elf)?;
        let output = board::run(&board, &elf, &mut |line| {
            if is_story(line) {
                context.console.note(format_args!("  {line}"));
            }
        })?;
        if let Some(path) = &self.save {
            write(path, (output.lines.join("\n") + "\n").as_bytes())?;
        }
        let mut instructions = BTreeMap::new();
        if program == Program::Adapt && output.success {
            for name in ["longest window", "longest training", "longest checkpoint"] {
                if let Some(count) = board::bench::counted(&board, &output, name)? {
                    context.console.say(format_args!("{name}: {count} instructions"))?;
                    instructions.insert(name, count);
                }
            }
        }
        let different = expected.as_ref().map(|expected| output.different(expected));
        if let (Some(expected), Some(different)) = (&expected, different) {
            let rows = expected.len();
            context
                .console
                .say(format_args!("{rows} rows compared bit by bit with the desktop: {different} differ"))?;
        }
        let built = Built { board: &board.name, program: self.build.program.name(), elf: &elf, memory };
        context.console.json(&Ran {
            built,
            success: output.success,
            compared: expected.as_ref().map(Vec::len),
            different,
            lines: output.story().collect(),
            instructions,
        })?;
        verdict(&board.name, &output, different.unwrap_or(0))
    }
}
