//! `microdistill board bench`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use microdistill_boards::{self as board, Firmware, Learning, Measured, Profile, Sources, Work};
use microdistill_train::model::Model;
use serde::Serialize;

use super::sources::OptimizerFlag;
use super::{peers, ready, sources_folder, tell_memory, verdict};
use crate::context::Context;
use crate::table::{self, known};

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Boards to measure, as named by `board list`
    #[arg(required_unless_present_any = ["all", "peers"], value_name = "BOARD")]
    boards: Vec<String>,
    /// Every board that QEMU emulates
    #[arg(long, conflicts_with = "boards")]
    all: bool,
    /// Other libraries beside ours, on the emulated Cortex-M4F, with the same networks a, b and c, weights and inputs
    #[arg(long, conflicts_with_all = ["boards", "all", "models", "optimizer"])]
    peers: bool,
    /// Model files, f32 or int8, of which an inference is measured [default: networks a (10-32-10), b (64-32-10) and
    /// c (128-64-64-12) of random weights, in f32 and in int8]
    #[arg(long = "model", value_name = "MODEL", num_args = 1..)]
    models: Vec<PathBuf>,
    /// Optimizer of the student while it learns
    #[arg(long, value_enum, default_value = "sgd")]
    optimizer: OptimizerFlag,
    /// The compiler's `opt-level`: for size, as firmware is shipped, or for speed
    #[arg(long, value_enum, default_value = "s")]
    opt: Opt,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Opt {
    /// Size
    #[value(name = "s")]
    Size,
    /// Speed
    #[value(name = "3")]
    Speed,
}

#[derive(Serialize)]
struct Results<'a> {
    results: &'a [Measured],
    learning: &'a [Learning],
}

impl Bench {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        if self.peers {
            return peers::run(context, self.profile());
        }
        let models = self.models()?;
        let mut results: Vec<Measured> = Vec::new();
        let mut learnings: Vec<Learning> = Vec::new();
        for board in self.boards()? {
            let mut training = None;
            for (name, model) in &models {
                let [inference, learning] = self.measure(context, &board, name, model)?;
                results.push(inference);
                // It is the same whatever model is beside it.
                training.get_or_insert(learning);
            }
            results.extend(training);
            if board.has("learn") {
                learnings.extend(self.learn(context, &board)?);
            }
        }
        context.console.say(inferences(&results))?;
        context.console.say(
            "Instructions: of a whole inference, from the network's input to the index of the largest output.\n\
             Cycles: of the same, modelled by the tables of the core's manual; memory without wait states.\n\
             Flash: network and edges. RAM: working memory, which is on the stack.\n",
        )?;
        context.console.say(trainings(&results))?;
        context.console.say(
            "Instructions: of a sample learned, with its share of the update. RAM: all that training keeps.",
        )?;
        if !learnings.is_empty() {
            context.console.say("")?;
            context.console.say(learned(&learnings))?;
            context.console.say(
                "A sample of descent, batch 1, and of momentum and Adam, batch 8, with soft labels. RAM: beyond the parameters.\n\
                 fused: products and sums rounded once (`Fused`), with other bits.",
            )?;
        }
        context.console.json(&Results { results: &results, learning: &learnings })
    }

    fn boards(&self) -> Result<Vec<board::Board>> {
        let folder = board::firmware_folder()?;
        if self.all {
            return Ok(board::list(&folder)?.into_iter().filter(|board| board.qemu.is_some()).collect());
        }
        Ok(self.boards.iter().map(|name| board::find(&folder, name)).collect::<Result<_, _>>()?)
    }

    fn profile(&self) -> Profile {
        match self.opt {
            Opt::Size => Profile::Release,
            Opt::Speed => Profile::Speed,
        }
    }

    /// The models with their names.
    fn models(&self) -> Result<Vec<(String, Model)>> {
        if self.models.is_empty() {
            let references = board::references()?;
            return Ok(references.into_iter().map(|(name, model)| (name.to_owned(), model)).collect());
        }
        let load = |path: &PathBuf| Ok((name(path), Model::load(path)?));
        self.models.iter().map(load).collect()
    }

    /// An inference of the model, and a sample of training, on `board`.
    fn measure(
        &self,
        context: &Context,
        board: &board::Board,
        name: &str,
        model: &Model,
    ) -> Result<[Measured; 2]> {
        ready(board)?;
        let sources = Sources {
            optimizer: self.optimizer.into(),
            ..Sources::bench(&sources_folder(board)?, "bench.rs", model)?
        };
        let spinner = context.console.spinner(format!("measuring {name} on {}", board.name));
        let elf = Firmware { board, program: "bench", sources, profile: self.profile() }.build()?;
        let output = board::run(&board::counting(board), &elf, &mut |_| {})?;
        let executed = board::executed(board, &elf)?;
        spinner.finish_and_clear();
        tell_memory(context, board, &elf)?;
        verdict(&board.name, &output, 0)?;
        Ok(board::measured(board, name, model, &output, &executed)?)
    }

    /// Samples learned on `board`.
    fn learn(&self, context: &Context, board: &board::Board) -> Result<Vec<Learning>> {
        let spinner = context.console.spinner(format!("learning on {}", board.name));
        let firmware =
            Firmware { board, program: "learn", sources: Sources::default(), profile: self.profile() };
        let elf = firmware.build()?;
        let output = board::run(&board::counting(board), &elf, &mut |_| {})?;
        let executed = board::executed_learning(board, &elf)?;
        spinner.finish_and_clear();
        verdict(&board.name, &output, 0)?;
        Ok(board::learned(board, &output, &executed)?)
    }
}

/// A table of samples learned.
fn learned(results: &[Learning]) -> comfy_table::Table {
    let mut table = table::table([
        "board",
        "network",
        "kind",
        "trained",
        "optimizer",
        "parameters",
        "instructions",
        "a parameter",
        "cycles",
        "a parameter",
        "RAM B",
    ]);
    for row in results {
        let share = |count: u64| format!("{:.2}", count as f64 / row.parameters as f64);
        table.add_row([
            row.board.clone(),
            row.network.to_owned(),
            row.kind.to_owned(),
            row.trained.to_owned(),
            row.optimizer.to_owned(),
            row.parameters.to_string(),
            row.instructions.to_string(),
            share(row.instructions),
            known(row.cycles),
            row.cycles.map_or("–".into(), share),
            row.ram.to_string(),
        ]);
    }
    table
}

/// A model file's name, without folder and extension.
fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn inferences(results: &[Measured]) -> comfy_table::Table {
    let mut table = table::table([
        "board",
        "core",
        "model",
        "kind",
        "instructions",
        "a MAC",
        "cycles",
        "a MAC",
        "MACs",
        "flash B",
        "RAM B",
        "stack B",
    ]);
    for row in results {
        let Work::Inference { instructions, instructions_per_mac, .. } = row.work else { continue };
        table.add_row([
            row.board.clone(),
            row.core.clone(),
            row.model.clone(),
            row.kind.to_owned(),
            known(instructions),
            instructions_per_mac.map_or("–".into(), |number| format!("{number:.2}")),
            known(row.cycles),
            row.cycles.map_or("–".into(), |cycles| format!("{:.2}", cycles as f64 / row.macs as f64)),
            row.macs.to_string(),
            row.flash.to_string(),
            row.ram.to_string(),
            known(row.stack),
        ]);
    }
    table
}

fn trainings(results: &[Measured]) -> comfy_table::Table {
    let mut table = table::table([
        "board",
        "core",
        "student",
        "optimizer",
        "batch",
        "instructions",
        "cycles",
        "teacher's flash B",
        "RAM B",
        "stack B",
    ]);
    for row in results {
        let Work::Training { optimizer, batch, instructions_per_sample } = &row.work else { continue };
        table.add_row([
            row.board.clone(),
            row.core.clone(),
            row.model.clone(),
            optimizer.clone(),
            batch.to_string(),
            known(*instructions_per_sample),
            known(row.cycles),
            row.flash.to_string(),
            row.ram.to_string(),
            known(row.stack),
        ]);
    }
    table
}
