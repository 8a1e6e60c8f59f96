//! `microdistill demo`: the whole pipeline, from the bundled data to an emulated board.

mod boards;
mod report;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use microdistill_study::demo::{self, Chosen};
use microdistill_train::dataset::{Columns, Dataset, Expected, read, read_like};
use microdistill_train::error::Error;
use microdistill_train::file;
use microdistill_train::model::Model;

use crate::context::Context;
use crate::finish::judge;
use crate::interrupt;

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Folder for models, Rust files and all figures
    #[arg(long, value_name = "DIR", default_value = "microdistill-out")]
    out: PathBuf,
}

/// Number of seeds. Everything is trained once per seed, so that real gains can be told from chance.
const SEEDS: u64 = 5;

impl Demo {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let start = Instant::now();
        file::make_folder(&self.out)?;
        let boards = boards::ready(context)?;
        let (train, test) = bundled(&file::repository()?)?;
        report::data(context, &train, &test)?;
        let Trained { chosen, seeds, network } = models(context, &train)?;
        let rows = demo::table(&seeds, &train, &test)?;
        report::table(context, chosen, &rows)?;
        let first = seeds.into_iter().next().ok_or(Error::Interrupted)?;
        let models = save(context, first, network, &self.out, &train, &test)?;
        let runs = boards::run(context, &boards, &models, &self.out, &train, &test)?;
        let figures = report::Figures::new(context, chosen, rows, runs, start.elapsed());
        file::write(self.out.join("demo.json"), &serde_json::to_vec_pretty(&figures)?)?;
        report::end(context, &self.out, &figures)?;
        context.console.json(&figures)?;
        figures.verdict()
    }
}

/// Reads the smartwatch's training rows, grouped by person, and its test rows.
fn bundled(repository: &Path) -> Result<(Dataset, Dataset)> {
    let folder = repository.join("examples/data/watch_small");
    let columns = Columns { groups: Some("person".into()), ..Columns::default() };
    let train = read(folder.join("train.csv"), &columns)?;
    let expected = Expected { groups: Some("person"), ..train.expected() };
    let test = read_like(folder.join("test.csv"), expected)?;
    Ok((train, test))
}

/// The models of every seed.
struct Trained {
    chosen: Chosen,
    /// Models in the order of [`demo::NAMES`].
    seeds: Vec<[Model; 5]>,
    /// Teacher of the boards.
    network: Model,
}

/// Trains all models, with what was chosen on the training rows.
fn models(context: &Context, train: &Dataset) -> Result<Trained> {
    interrupt::ask();
    let console = &context.console;
    let bar = console.bar("choosing among ways to distill", 1);
    let chosen = demo::choose(train, context.seed, &interrupt::flow);
    bar.finish_and_clear();
    let chosen = chosen?;
    let seeds: Vec<u64> = (0..SEEDS).map(|index| context.seed.wrapping_add(index)).collect();
    let bar = console.bar("teachers and students", seeds.len());
    let models = demo::train(train, chosen, &seeds, &interrupt::flow, &|| bar.inc(1));
    bar.finish_and_clear();
    let network = demo::network(train, context.seed, &interrupt::flow)?;
    Ok(Trained { chosen, seeds: models?, network })
}

/// Models that boards run.
struct Flashed {
    /// Teacher of the student that learns on the board.
    teacher: Model,
    student: Model,
    int8: Model,
}

/// Writes the model files of one seed, and returns those for boards.
fn save(
    context: &Context,
    models: [Model; 5],
    network: Model,
    out: &Path,
    train: &Dataset,
    test: &Dataset,
) -> Result<Flashed> {
    let command = if context.seed == 1 {
        "microdistill demo".into()
    } else {
        format!("microdistill demo --seed {}", context.seed)
    };
    let save = |mut model: Model, name: &str| {
        judge(&mut model, "train", Some(train))?;
        judge(&mut model, "test", Some(test))?;
        model.metadata.command.clone_from(&command);
        model.save(out.join(name).with_extension("safetensors"))?;
        anyhow::Ok(model)
    };
    let [teacher, hard, chosen, student, int8] = models;
    save(teacher, "teacher")?;
    save(hard, "hard")?;
    save(chosen, "hard_chosen")?;
    Ok(Flashed {
        teacher: save(network, "network")?,
        student: save(student, "student")?,
        int8: save(int8, "student_int8")?,
    })
}
