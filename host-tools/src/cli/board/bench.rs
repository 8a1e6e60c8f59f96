//! `microdistill board bench`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use microdistill_host_tools::board::{self, Elf, Firmware, Optimizer, Profile, Sources};
use microdistill_host_tools::file;
use microdistill_host_tools::model::Model;
use serde::Serialize;

use super::super::{Context, table};
use super::{OptimizerFlag, ready, sources_folder, tell_memory, verdict};

#[derive(Args, Debug)]
pub(super) struct Bench {
    /// As `board list` names them
    #[arg(required = true, value_name = "BOARD")]
    boards: Vec<String>,
    /// Model files, f32 or int8, of which an inference is measured [default: the bundled example's students]
    #[arg(long = "model", value_name = "MODEL", num_args = 1..)]
    models: Vec<PathBuf>,
    /// How the student moves while it learns
    #[arg(long, value_enum, default_value = "sgd")]
    optimizer: OptimizerFlag,
}

/// The models of the bundled example whose inference is measured.
const STUDENTS: [&str; 2] = ["student", "student_int8"];

#[derive(Serialize)]
struct Results<'a> {
    results: &'a [board::Measured],
}

impl Bench {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
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
                let [inference, learning] = measure(context, board, path, self.optimizer.into())?;
                results.push(inference);
                // It is the same whatever model is beside it.
                training.get_or_insert(learning);
            }
            results.extend(training);
        }
        let header =
            ["board", "model", "kind", "", "instructions", "cycles", "MACs", "flash B", "RAM B", "stack B"];
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
                known(row.cycles),
                row.macs.to_string(),
                row.flash.to_string(),
                row.ram.to_string(),
                known(row.stack),
            ]);
        }
        context.console.say(table)?;
        context.console.say(
            "Instructions: of the network alone; of a sample learned, with its share of the update. Cycles: of the same, modelled\n\
             by the tables of the core's manual without wait states.\n\
             Flash: network and edges, or the teacher's. RAM: working memory, which is on the stack, or all that training keeps.",
        )?;
        context.console.json(&Results { results: &results })
    }
}

/// An inference of the model at `path`, and a sample of training, on `board`.
fn measure(
    context: &Context,
    board: &board::Board,
    path: &Path,
    optimizer: Optimizer,
) -> Result<[board::Measured; 2]> {
    ready(board)?;
    let model = Model::load(path)?;
    let sources = Sources { optimizer, ..Sources::bench(&sources_folder(board)?, "bench.rs", &model)? };
    let spinner = context.console.spinner(format!("measuring on {}", board.name));
    let elf = Firmware { board, program: "bench", sources, profile: Profile::Release }.build()?;
    let counting = board::counting(board);
    let output = board::run(&counting, &elf, &mut |_| {})?;
    let executed = board::executed(board, &Elf::load(&elf)?)?;
    spinner.finish_and_clear();
    tell_memory(context, board, &elf)?;
    verdict(&board.name, &output, 0)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(board::measured(board, &name, &model, &output, &executed)?)
}
