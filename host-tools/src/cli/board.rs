//! `microdistill board`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use microdistill_host_tools::board::{self, Elf, Firmware, Memory, Output, Profile, Sources, is_story};
use microdistill_host_tools::dataset::{Dataset, Expected, read_like};
use microdistill_host_tools::model::Model;
use serde::Serialize;

use super::{Context, table};

#[derive(Args, Debug)]
pub(super) struct Board {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// What boards there are
    List,
    /// Build a program for a board
    Build(Build),
    /// Build a program and run it: in QEMU, or on this desktop
    Run(Run),
}

#[derive(Args, Debug)]
struct Build {
    /// As `board list` names it
    board: String,
    /// `infer`: self-test, then every row of --test; `distill`: learn from the teacher in flash
    #[arg(default_value = "infer")]
    program: String,
    #[command(flatten)]
    sources: SourceFlags,
    /// Without optimization
    #[arg(long)]
    debug: bool,
}

#[derive(Args, Debug)]
struct Run {
    #[command(flatten)]
    build: Build,
    /// Run this firmware, and build nothing: what a cargo runner does
    #[arg(long, value_name = "FILE")]
    elf: Option<PathBuf>,
}

/// What the firmware holds [default: the bundled example's models and rows]
#[derive(Args, Debug)]
struct SourceFlags {
    /// For `infer`: the model file
    #[arg(long, value_name = "MODEL", conflicts_with = "teacher")]
    model: Option<PathBuf>,
    /// For `distill`: the f32 model file to learn from
    #[arg(long, value_name = "MODEL", requires_all = ["train", "test"])]
    teacher: Option<PathBuf>,
    /// For `distill`: rows to learn from, a CSV file
    #[arg(long, value_name = "FILE", requires = "teacher")]
    train: Option<PathBuf>,
    /// Rows to be judged by, a CSV file
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
}

#[derive(Serialize)]
struct Listed {
    board: String,
    core: String,
    target: Option<String>,
    runs: &'static str,
}

#[derive(Serialize)]
struct Built<'a> {
    board: &'a str,
    program: &'a str,
    elf: &'a Path,
    #[serde(flatten)]
    memory: Option<Memory>,
}

#[derive(Serialize)]
struct Ran<'a> {
    #[serde(flatten)]
    built: Built<'a>,
    success: bool,
    /// Rows compared with the desktop, where a model file is known.
    compared: Option<usize>,
    different: Option<usize>,
    lines: Vec<&'a str>,
}

impl Board {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        match &self.verb {
            Verb::List => list(context),
            Verb::Build(build) => build.run(context),
            Verb::Run(run) => run.run(context),
        }
    }
}

fn list(context: &Context) -> Result<()> {
    let boards = board::list(&board::firmware_folder()?)?;
    let listed: Vec<Listed> = boards
        .into_iter()
        .map(|board| Listed {
            runs: match (&board.target, &board.qemu) {
                (None, _) => "here",
                (Some(_), Some(_)) => "in QEMU",
                (Some(_), None) => "when flashed",
            },
            board: board.name,
            core: board.core,
            target: board.target,
        })
        .collect();
    let mut table = table::plain(["board", "core", "target", "runs"]);
    for row in &listed {
        let target = row.target.as_deref().unwrap_or("this machine's");
        table.add_row([&row.board, &row.core, target, row.runs]);
    }
    context.console.say(table)?;
    context.console.json(&listed)
}

impl Build {
    fn run(&self, context: &Context) -> Result<()> {
        let board = board::find(&board::firmware_folder()?, &self.board)?;
        let (elf, _) = self.build(context, &board)?;
        let memory = tell_memory(context, &board, &elf)?;
        context.console.say(elf.display())?;
        context.console.json(&Built { board: &board.name, program: &self.program, elf: &elf, memory })
    }

    /// The firmware, and what the desktop says of its rows, where the model file is known.
    fn build(&self, context: &Context, board: &board::Board) -> Result<(PathBuf, Option<Vec<Vec<f32>>>)> {
        let lacking = board.missing();
        if !lacking.is_empty() {
            bail!("{} needs more on this machine: run `cargo microdistill setup`", board.name);
        }
        let (sources, expected) = self.sources.export(board)?;
        let profile = if self.debug { Profile::Debug } else { Profile::Release };
        let spinner = context.console.spinner(format!("building {} for {}", self.program, board.name));
        let elf = Firmware { board, program: &self.program, sources, profile }.build();
        spinner.finish_and_clear();
        Ok((elf?, expected))
    }
}

impl SourceFlags {
    /// Exports what was given into the build folder of all firmware.
    fn export(&self, board: &board::Board) -> Result<(Sources, Option<Vec<Vec<f32>>>)> {
        let folder = board.folder.join("../target/sources");
        std::fs::create_dir_all(&folder)?;
        let rows = |model: &Model, path: &Path| {
            read_like(path, Expected { target_optional: true, ..model.expected() })
        };
        if let (Some(teacher), Some(train), Some(test)) = (&self.teacher, &self.train, &self.test) {
            let teacher = Model::load(teacher)?;
            let (train, test) = (rows(&teacher, train)?, rows(&teacher, test)?);
            return Ok((Sources::distill(&folder, &teacher, &train, &test)?, None));
        }
        match (&self.model, &self.test) {
            (None, None) => Ok((Sources::default(), None)),
            (None, Some(_)) => bail!("--test needs the model that its rows are for: give --model"),
            (Some(path), test) => {
                let model = Model::load(path)?;
                let test = match test {
                    Some(test) => rows(&model, test)?,
                    None => Dataset::of_examples(&model),
                };
                let expected = model.predict(&test).column_iter().map(|y| y.as_slice().to_vec()).collect();
                Ok((Sources::infer(&folder, "model.rs", &model, &test)?, Some(expected)))
            }
        }
    }
}

impl Run {
    fn run(&self, context: &Context) -> Result<()> {
        let board = board::find(&board::firmware_folder()?, &self.build.board)?;
        let (elf, expected) = match &self.elf {
            Some(elf) => (elf.clone(), None),
            None => self.build.build(context, &board)?,
        };
        let memory = tell_memory(context, &board, &elf)?;
        let output = board::run(&board, &elf, &mut |line| {
            if is_story(line) {
                context.console.note(format_args!("  {line}"));
            }
        })?;
        let different = expected.as_ref().map(|expected| output.different(expected));
        if let (Some(expected), Some(different)) = (&expected, different) {
            let rows = expected.len();
            context
                .console
                .say(format_args!("{rows} rows compared with the desktop to the bit: {different} differ"))?;
        }
        let built = Built { board: &board.name, program: &self.build.program, elf: &elf, memory };
        context.console.json(&Ran {
            built,
            success: output.success,
            compared: expected.as_ref().map(Vec::len),
            different,
            lines: output.story().collect(),
        })?;
        verdict(&board.name, &output, different.unwrap_or(0))
    }
}

fn verdict(board: &str, output: &Output, different: usize) -> Result<()> {
    if !output.success {
        bail!("the program on {board} ended with a failure\n{}", output.stderr.trim_end());
    }
    if different > 0 {
        bail!("{board} and the desktop differ in {different} rows");
    }
    Ok(())
}

/// Flash and RAM of a microcontroller's firmware.
fn tell_memory(context: &Context, board: &board::Board, elf: &Path) -> Result<Option<Memory>> {
    if board.target.is_none() {
        return Ok(None);
    }
    let memory = Elf::load(elf)?.memory()?;
    let Memory { flash, ram } = memory;
    context
        .console
        .note(format_args!("{}: {flash} bytes of flash, {ram} bytes of RAM and the stack", board.name));
    Ok(Some(memory))
}
