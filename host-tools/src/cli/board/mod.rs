//! `microdistill board`

mod bench;
mod peers;
mod teach;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use microdistill_host_tools::board::{
    self, Elf, Firmware, Memory, Optimizer, Output, Profile, Sources, is_story,
};
use microdistill_host_tools::dataset::{Dataset, Expected, read_like};
use microdistill_host_tools::file::{probe, write};
use microdistill_host_tools::import::trainable;
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
    Bench(bench::Bench),
    Teach(teach::Teach),
}

#[derive(Args, Debug)]
struct Build {
    /// As `board list` names it
    board: String,
    /// What it does
    #[arg(value_enum, default_value = "infer")]
    program: Program,
    #[command(flatten)]
    sources: SourceFlags,
    /// Without optimization
    #[arg(long)]
    debug: bool,
}

/// A program that every board has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Program {
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
    /// Measure samples learned: by descent and by Adam, of three networks
    Learn,
    /// Compare the core's kernels with the portable ones
    Kernels,
}

impl Program {
    fn name(self) -> &'static str {
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

/// How the student on the board moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OptimizerFlag {
    /// With momentum
    Sgd,
    /// Two moments a parameter
    Adam,
}

impl From<OptimizerFlag> for Optimizer {
    fn from(flag: OptimizerFlag) -> Self {
        match flag {
            OptimizerFlag::Sgd => Optimizer::Sgd,
            OptimizerFlag::Adam => Optimizer::Adam,
        }
    }
}

#[derive(Args, Debug)]
struct Run {
    #[command(flatten)]
    build: Build,
    /// Run this firmware, and build nothing: what a cargo runner does
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "teacher", "train", "test", "debug"])]
    elf: Option<PathBuf>,
    /// Writes all that the program prints to a file, bits included: `import` takes the weights from it
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// In QEMU, an instruction takes 64 ns whatever this machine is busy with: runs by a timer repeat, and are slower
    #[arg(long)]
    count: bool,
}

/// What the firmware holds [default: the bundled example's models and rows]
#[derive(Args, Debug)]
struct SourceFlags {
    /// For `infer`: the model file
    #[arg(long, value_name = "MODEL", conflicts_with = "teacher")]
    model: Option<PathBuf>,
    /// For `teach`: the f32 model file to start from
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["model", "teacher", "test"])]
    student: Option<PathBuf>,
    /// For `distill`: the model file to learn from, f32 or int8
    #[arg(long, value_name = "MODEL", requires_all = ["train", "test"])]
    teacher: Option<PathBuf>,
    /// For `distill`: rows to learn from, a CSV file
    #[arg(long, value_name = "FILE", requires = "teacher")]
    train: Option<PathBuf>,
    /// Rows to be judged by, a CSV file
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// For `distill` and `bench`: how the student moves
    #[arg(long, value_enum, default_value = "sgd")]
    optimizer: OptimizerFlag,
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
    /// Of `adapt`, by what they are of.
    instructions: BTreeMap<&'a str, u64>,
}

impl Board {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        match &self.verb {
            Verb::List => list(context),
            Verb::Build(build) => build.run(context),
            Verb::Run(run) => run.run(context),
            Verb::Flash(build) => build.flash(context),
            Verb::Bench(bench) => bench.run(context),
            Verb::Teach(teach) => teach.run(context),
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
    context.console.json(&serde_json::json!({ "boards": listed }))
}

impl Build {
    fn run(&self, context: &Context) -> Result<()> {
        let board = board::find(&board::firmware_folder()?, &self.board)?;
        let (elf, _) = self.build(context, &board, |firmware| firmware.build())?;
        let memory = tell_memory(context, &board, &elf)?;
        context.console.say(elf.display())?;
        context.console.json(&Built { board: &board.name, program: self.program.name(), elf: &elf, memory })
    }

    fn flash(&self, context: &Context) -> Result<()> {
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
    fn build(
        &self,
        context: &Context,
        board: &board::Board,
        build: impl Fn(&Firmware<'_>) -> microdistill_host_tools::error::Result<PathBuf>,
    ) -> Result<(PathBuf, Option<Vec<Vec<f32>>>)> {
        ready(board)?;
        let (sources, expected) = self.sources.export(board, self.program)?;
        let profile = if self.debug { Profile::Debug } else { Profile::Release };
        let spinner = context.console.spinner(format!("building {} for {}", self.program.name(), board.name));
        let elf = build(&Firmware { board, program: self.program.name(), sources, profile });
        spinner.finish_and_clear();
        Ok((elf?, expected))
    }
}

impl SourceFlags {
    /// Exports what was given into the build folder of all firmware.
    fn export(&self, board: &board::Board, program: Program) -> Result<(Sources, Option<Vec<Vec<f32>>>)> {
        let bundled = Sources { optimizer: self.optimizer.into(), ..Sources::default() };
        if let Some(student) = &self.student {
            if program != Program::Teach {
                bail!("a student to start from is for `teach`: name that program");
            }
            let student = Model::load(student)?;
            trainable(&student)?;
            return Ok((Sources::teach(&sources_folder(board)?, &student)?, None));
        }
        let (sources, expected) = match (program, &self.model, &self.teacher) {
            (Program::Teach, Some(_), _) => {
                bail!("`teach` starts from a student: give --student, not --model")
            }
            (Program::Distill, Some(_), _) => {
                bail!("`distill` learns from a teacher: give --teacher, not --model")
            }
            (Program::Adapt, Some(_), _) => bail!("`adapt` tells the example's story, with its models"),
            (Program::Kernels, Some(_), _) => bail!("`kernels` compares kernels, without a model"),
            (Program::Learn, Some(_), _) => bail!("`learn` measures its own networks, without a model"),
            (
                Program::Infer
                | Program::Adapt
                | Program::Teach
                | Program::Bench
                | Program::Learn
                | Program::Kernels,
                _,
                Some(_),
            ) => {
                bail!(
                    "a teacher is for `distill`: name that program, as in `board run {} distill`",
                    board.name
                )
            }
            (Program::Infer, Some(model), _) => self.for_infer(&sources_folder(board)?, model)?,
            (Program::Bench, Some(model), _) => {
                (Sources::bench(&sources_folder(board)?, "bench.rs", &Model::load(model)?)?, None)
            }
            (Program::Distill, None, Some(teacher)) => {
                (self.for_distill(&sources_folder(board)?, teacher)?, None)
            }
            (_, None, None) if self.test.is_some() => {
                bail!("--test needs the model that its rows are for: give --model")
            }
            (_, None, None) => (bundled.clone(), None),
        };
        Ok((Sources { optimizer: bundled.optimizer, ..sources }, expected))
    }

    /// The model, its rows, and what the desktop makes of them.
    fn for_infer(&self, folder: &Path, model: &Path) -> Result<(Sources, Option<Vec<Vec<f32>>>)> {
        let model = Model::load(model)?;
        let test = match &self.test {
            Some(test) => rows(&model, test)?,
            None => Dataset::of_examples(&model),
        };
        let expected = model.predict(&test).column_iter().map(|y| y.as_slice().to_vec()).collect();
        Ok((Sources::infer(folder, "model.rs", &model, &test)?, Some(expected)))
    }

    fn for_distill(&self, folder: &Path, teacher: &Path) -> Result<Sources> {
        let teacher = Model::load(teacher)?;
        if teacher.labels().is_empty() {
            bail!("`distill` learns from a teacher that tells classes apart; this one gives values");
        }
        let (Some(train), Some(test)) = (&self.train, &self.test) else {
            bail!("a teacher needs rows: give --train and --test");
        };
        let (train, test) = (rows(&teacher, train)?, rows(&teacher, test)?);
        Ok(Sources::distill(folder, &teacher, &train, &test)?)
    }
}

/// Rows for a board, which need no target.
fn rows(model: &Model, path: &Path) -> Result<Dataset> {
    Ok(read_like(path, Expected { target_optional: true, ..model.expected() })?)
}

/// Where exported files go: the build folder of all firmware.
fn sources_folder(board: &board::Board) -> Result<PathBuf> {
    let folder = board.target_folder().join("sources");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

impl Run {
    fn run(&self, context: &Context) -> Result<()> {
        if let Some(path) = &self.save {
            probe(path)?;
        }
        let board = board::find(&board::firmware_folder()?, &self.build.board)?;
        let program = self.build.program;
        // `adapt` tells how long things take.
        let board = if self.count || program == Program::Adapt { board::counting(&board) } else { board };
        if program == Program::Teach {
            bail!("a board is taught by its desktop: `board teach {}`", board.name);
        }
        if board.target.is_some() && board.qemu.is_none() {
            let (name, program) = (&board.name, program.name());
            bail!("QEMU does not emulate {name}: run it on a real one, by `board flash {name} {program}`");
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
                if let Some(count) = board::counted(&board, &output, name)? {
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
                .say(format_args!("{rows} rows compared with the desktop to the bit: {different} differ"))?;
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
