//! `microdistill board`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use microdistill_host_tools::board::{self, Elf, Firmware, Memory, Output, Profile, Sources, is_story};
use microdistill_host_tools::dataset::{Dataset, Expected, read_like};
use microdistill_host_tools::file;
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
    /// Build a program, flash a real board with it and show what it prints, by probe-rs
    Flash(Build),
    /// Instructions, flash, RAM and stack of an inference and of learning
    Bench(Bench),
}

#[derive(Args, Debug)]
struct Bench {
    /// As `board list` names them
    #[arg(required = true, value_name = "BOARD")]
    boards: Vec<String>,
    /// Model files, f32 or int8, of which an inference is measured [default: the bundled example's students]
    #[arg(long = "model", value_name = "MODEL", num_args = 1..)]
    models: Vec<PathBuf>,
}

#[derive(Args, Debug)]
struct Build {
    /// As `board list` names it
    board: String,
    /// `infer`: self-test, then every row of --test; `distill`: learn from the teacher in flash; `bench`: measure both
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
    /// For `distill`: the model file to learn from, f32 or int8
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
            Verb::Flash(build) => build.flash(context),
            Verb::Bench(bench) => bench.run(context),
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
        let (elf, _) = self.build(context, &board, |firmware| firmware.build())?;
        let memory = tell_memory(context, &board, &elf)?;
        context.console.say(elf.display())?;
        context.console.json(&Built { board: &board.name, program: &self.program, elf: &elf, memory })
    }

    fn flash(&self, context: &Context) -> Result<()> {
        let board = board::find(&board::firmware_folder()?, &self.board)?;
        board::check_flash(&board)?;
        let (elf, _) = self.build(context, &board, |firmware| firmware.build_for_probe())?;
        let memory = tell_memory(context, &board, &elf)?;
        let step = board::flash(&board, &elf)?;
        context.console.note(format_args!("$ {}", step.line()));
        step.run()?;
        context.console.json(&Built { board: &board.name, program: &self.program, elf: &elf, memory })
    }

    /// The firmware, and what the desktop says of its rows, where the model file is known.
    fn build(
        &self,
        context: &Context,
        board: &board::Board,
        build: impl Fn(&Firmware<'_>) -> microdistill_host_tools::error::Result<PathBuf>,
    ) -> Result<(PathBuf, Option<Vec<Vec<f32>>>)> {
        ready(board)?;
        let (sources, expected) = self.sources.export(board)?;
        let profile = if self.debug { Profile::Debug } else { Profile::Release };
        let spinner = context.console.spinner(format!("building {} for {}", self.program, board.name));
        let elf = build(&Firmware { board, program: &self.program, sources, profile });
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
            None => self.build.build(context, &board, |firmware| firmware.build())?,
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

/// The models of the bundled example whose inference is measured.
const STUDENTS: [&str; 2] = ["student", "student_int8"];

#[derive(Serialize)]
struct Results<'a> {
    results: &'a [board::Measured],
}

impl Bench {
    fn run(&self, context: &Context) -> Result<()> {
        let boards = self.boards.iter().map(|name| board::find(&board::firmware_folder()?, name));
        let boards = boards.collect::<Result<Vec<_>, _>>()?;
        let models = if self.models.is_empty() {
            let folder = file::repository()?.join("examples/models/watch_small");
            STUDENTS.map(|name| folder.join(name).with_extension("safetensors")).into()
        } else {
            self.models.clone()
        };
        let mut results: Vec<board::Measured> = Vec::new();
        for board in &boards {
            let mut training = None;
            for path in &models {
                let [inference, learning] = measure(context, board, path)?;
                results.push(inference);
                // It is the same whatever model is beside it.
                training.get_or_insert(learning);
            }
            results.extend(training);
        }
        let header = ["board", "model", "kind", "", "instructions", "MACs", "flash B", "RAM B", "stack B"];
        let mut table = table::table(header);
        let known = |number: Option<u64>| number.map_or("–".to_owned(), |number| number.to_string());
        for row in &results {
            let (what, instructions) = match &row.work {
                board::Work::Inference { instructions, .. } => ("inference".to_owned(), *instructions),
                board::Work::Training { optimizer, batch, instructions_per_sample } => {
                    (format!("sample, {optimizer}, batch {batch}"), *instructions_per_sample)
                }
            };
            table.add_row([
                row.board.clone(),
                row.model.clone(),
                row.kind.to_owned(),
                what,
                known(instructions),
                row.macs.to_string(),
                row.flash.to_string(),
                row.ram.to_string(),
                known(row.stack),
            ]);
        }
        context.console.say(table)?;
        context.console.say(
            "Instructions: of the network alone; of a sample learned, with its share of the update.\n\
             Flash: network and edges, or the teacher's. RAM: working memory, which is on the stack, or all that training keeps.",
        )?;
        context.console.json(&Results { results: &results })
    }
}

/// An inference of the model at `path`, and a sample of training, on `board`.
fn measure(context: &Context, board: &board::Board, path: &Path) -> Result<[board::Measured; 2]> {
    ready(board)?;
    let model = Model::load(path)?;
    let folder = board.folder.join("../target/sources");
    std::fs::create_dir_all(&folder)?;
    let sources = Sources::bench(&folder, "bench.rs", &model)?;
    let spinner = context.console.spinner(format!("measuring on {}", board.name));
    let elf = Firmware { board, program: "bench", sources, profile: Profile::Release }.build()?;
    let counting = board::counting(board);
    let output = board::run(&counting, &elf, &mut |_| {})?;
    spinner.finish_and_clear();
    tell_memory(context, board, &elf)?;
    verdict(&board.name, &output, 0)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(board::measured(board, &name, &model, &output)?)
}

/// An error if something is missing to build for `board`.
fn ready(board: &board::Board) -> Result<()> {
    if !board.missing().is_empty() {
        bail!("{} needs more on this machine: run `cargo microdistill setup`", board.name);
    }
    Ok(())
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
