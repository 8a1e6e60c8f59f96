//! `microdistill board bench`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use microdistill_boards::bench::{
    Learning, Measured, Work, counting, executed, executed_learning, measured, references,
};
use microdistill_boards::{self as board, Firmware, Profile, Sources};
use microdistill_train::model::Model;
use microdistill_train::number::significant;
use serde::Serialize;

use super::sources::OptimizerFlag;
use super::{peers, ready, sources_folder, tell_memory, verdict};
use crate::context::Context;
use crate::table::{self, Table, known};

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Boards to measure, as named by `board list`
    #[arg(required_unless_present_any = ["all", "peers"], value_name = "BOARD")]
    boards: Vec<String>,
    /// Measure every board that QEMU emulates
    #[arg(long, conflicts_with = "boards")]
    all: bool,
    /// Compare with other libraries on the emulated Cortex-M4F: the same networks (a, b and c), weights and inputs
    #[arg(long, conflicts_with_all = ["boards", "all", "models", "optimizer"])]
    peers: bool,
    /// Model files (f32 or int8) whose inference is measured [default: networks a (10-32-10), b (64-32-10) and
    /// c (128-64-64-12) with random weights, in f32 and in int8]
    #[arg(long = "model", value_name = "MODEL", num_args = 1..)]
    models: Vec<PathBuf>,
    /// Optimizer that trains the student on the board
    #[arg(long, value_enum, default_value = "sgd")]
    optimizer: OptimizerFlag,
    /// Compiler optimization level (`opt-level`): for size, as firmware is shipped, or for speed
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
                // The cost of training does not depend on the model, so it is kept once per board.
                training.get_or_insert(learning);
            }
            results.extend(training);
            if board.has("learn") {
                learnings.extend(self.learn(context, &board)?);
            }
        }
        context.console.table(&inferences(&results))?;
        context.console.say(
            "Instructions: one whole inference, from the network's input to the index of the largest output.\n\
             Cycles: the same inference, modelled with the tables of the core's manual and memory without wait states.\n\
             Flash: the network and its input and output conversions. RAM: working memory, which is on the stack.\n",
        )?;
        context.console.table(&trainings(&results))?;
        context.console.say(
            "Instructions: per sample learned, including its share of the update. RAM: everything that training keeps.",
        )?;
        if !learnings.is_empty() {
            context.console.say("")?;
            context.console.table(&learned(&learnings))?;
            context.console.say(
                "Per sample learned from soft labels: SGD with batch size 1, momentum and Adam with batch size 8. RAM: in addition to\n\
                 the parameters. fused: each product and sum is rounded once (`Fused`), so the bits differ from those of f32.",
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

    /// Models to measure, with their names.
    fn models(&self) -> Result<Vec<(String, Model)>> {
        if self.models.is_empty() {
            let references = references()?;
            return Ok(references.into_iter().map(|(name, model)| (name.to_owned(), model)).collect());
        }
        let load = |path: &PathBuf| Ok((name(path), Model::load(path)?));
        self.models.iter().map(load).collect()
    }

    /// Measures an inference of the model and a training sample on `board`.
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
        let output = board::run(&counting(board), &elf, &mut |_| {})?;
        let executed = executed(board, &elf)?;
        spinner.finish_and_clear();
        tell_memory(context, board, &elf)?;
        verdict(&board.name, &output, 0)?;
        Ok(measured(board, name, model, &output, &executed)?)
    }

    /// Measures the cost per sample learned on `board`, for each network and optimizer.
    fn learn(&self, context: &Context, board: &board::Board) -> Result<Vec<Learning>> {
        let spinner = context.console.spinner(format!("learning on {}", board.name));
        let firmware =
            Firmware { board, program: "learn", sources: Sources::default(), profile: self.profile() };
        let elf = firmware.build()?;
        let output = board::run(&counting(board), &elf, &mut |_| {})?;
        let executed = executed_learning(board, &elf)?;
        spinner.finish_and_clear();
        verdict(&board.name, &output, 0)?;
        Ok(board::bench::learned(board, &output, &executed)?)
    }
}

/// Table of the cost per sample learned.
fn learned(results: &[Learning]) -> Table {
    let mut table = table::table([
        "board",
        "network",
        "kind",
        "trained",
        "optimizer",
        "parameters",
        "instructions",
        "per parameter",
        "cycles",
        "per parameter",
        "RAM B",
    ]);
    for row in results {
        let share = |count: u64| significant(count as f64 / row.parameters as f64, 3);
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

/// Name of a model file without folder and extension.
fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn inferences(results: &[Measured]) -> Table {
    let mut table = table::table([
        "board",
        "core",
        "model",
        "kind",
        "instructions",
        "per MAC",
        "cycles",
        "per MAC",
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
            instructions_per_mac.map_or("–".into(), |number| significant(number, 3)),
            known(row.cycles),
            row.cycles.map_or("–".into(), |cycles| significant(cycles as f64 / row.macs as f64, 3)),
            row.macs.to_string(),
            row.flash.to_string(),
            row.ram.to_string(),
            known(row.stack),
        ]);
    }
    table
}

fn trainings(results: &[Measured]) -> Table {
    let mut table = table::table([
        "board",
        "core",
        "student",
        "optimizer",
        "batch",
        "instructions",
        "cycles",
        "teacher flash B",
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
