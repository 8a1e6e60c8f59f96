//! `microdistill demo`: the whole pipeline, from the bundled data to an emulated board.

mod boards;
mod report;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use microdistill_study::demo::{self, FOLDS, Tuned};
use microdistill_train::dataset::{Columns, Dataset, Expected, read, read_like};
use microdistill_train::error::Error;
use microdistill_train::file;
use microdistill_train::model::Model;
use microdistill_train::tune::WEIGHT_DECAYS;

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
        let (tuned, seeds) = models(context, &train)?;
        let rows = demo::table(&seeds, &train, &test)?;
        report::table(context, tuned, &rows)?;
        let first = seeds.into_iter().next().ok_or(Error::Interrupted)?;
        let first = save(context, first, &self.out, &train, &test)?;
        let runs = boards::run(context, &boards, &first, &self.out, &train, &test)?;
        let figures = report::Figures::new(context, tuned, rows, runs, start.elapsed());
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

/// Trains the models of every seed, with hyperparameters chosen on the training rows.
fn models(context: &Context, train: &Dataset) -> Result<(Tuned, Vec<[Model; 5]>)> {
    interrupt::ask();
    let console = &context.console;
    let bar = console.bar("choosing weight decays", 2 * FOLDS * WEIGHT_DECAYS.len());
    let tuned = demo::tune(train, context.seed, &|| {
        bar.inc(1);
        interrupt::flow()
    });
    bar.finish_and_clear();
    let tuned = tuned?;
    let seeds: Vec<u64> = (0..SEEDS).map(|index| context.seed.wrapping_add(index)).collect();
    let bar = console.bar("teachers and students", seeds.len());
    let models = demo::train(train, tuned, &seeds, &|| {
        bar.inc(1);
        interrupt::flow()
    });
    bar.finish_and_clear();
    Ok((tuned, models?))
}

/// Writes the model files of one seed.
fn save(
    context: &Context,
    mut models: [Model; 5],
    out: &Path,
    train: &Dataset,
    test: &Dataset,
) -> Result<[Model; 5]> {
    let names = ["teacher", "hard", "l2", "student", "student_int8"];
    for (model, name) in models.iter_mut().zip(names) {
        judge(model, "train", Some(train))?;
        judge(model, "test", Some(test))?;
        model.metadata.command = if context.seed == 1 {
            "microdistill demo".into()
        } else {
            format!("microdistill demo --seed {}", context.seed)
        };
        model.save(out.join(name).with_extension("safetensors"))?;
    }
    Ok(models)
}
