//! What few bits cost: students of 16 hidden units in f32, int8, int4 and int3, quantized after training and trained
//! for it. Prints the table of `docs/quantization.md`.
//!
//! ```sh
//! cargo run --release --package microdistill-host-tools --example few_bits -- FOLDER digits8x8 …
//! ```
//!
//! `FOLDER` holds a folder for each data set, with `train.csv`, `test.csv` and, where rows belong together,
//! `groups_train.csv`. Test rows are scored, once, and decide nothing.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use microdistill::loss::SoftLabels;
use microdistill_host_tools::dataset::{Columns, Dataset, folds, read, read_like};
use microdistill_host_tools::demo::Summary;
use microdistill_host_tools::error::Result as LibraryResult;
use microdistill_host_tools::metrics::{Scores, evaluate};
use microdistill_host_tools::model::Model;
use microdistill_host_tools::precision::{Bits, Precision, Scales};
use microdistill_host_tools::quantize::quantize;
use microdistill_host_tools::student::{self, Recipe};
use microdistill_host_tools::teacher;
use microdistill_host_tools::tune::{WEIGHT_DECAYS, beside_rows, sufficient, trials};
use rayon::prelude::*;

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
const TEACHER: [usize; 2] = [128, 128];
const STUDENT: [usize; 1] = [16];
const FOLDS: usize = 7;

/// A column of models in the table: its name, what its weights are rounded to, and whether it was trained for that.
const KINDS: [(&str, Option<Precision>, bool); 10] = [
    ("f32", None, false),
    ("int8", Some(Precision::per_channel(Bits::Eight)), false),
    ("int8, trained for it", Some(Precision::per_channel(Bits::Eight)), true),
    ("int4", Some(Precision::per_channel(Bits::Four)), false),
    ("int4 by group", Some(Precision::per_group(Bits::Four)), false),
    ("int4, trained for it", Some(Precision::per_channel(Bits::Four)), true),
    ("int4 by group, trained for it", Some(Precision::per_group(Bits::Four)), true),
    ("int3", Some(Precision::per_channel(Bits::Three)), false),
    ("int3, trained for it", Some(Precision::per_channel(Bits::Three)), true),
    ("int3 by group, trained for it", Some(Precision::per_group(Bits::Three)), true),
];

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().context("give the folder of the data sets, and their names")?;
    for name in arguments {
        let (train, test) = data(&Path::new(&folder).join(&name))?;
        let decay = tune(&train)?;
        eprintln!("{}: {} rows, teacher's weight decay {decay}", name.display(), train.rows());
        let scores: Vec<Vec<(f64, f64)>> =
            SEEDS.par_iter().map(|&seed| scores(&train, &test, decay, seed)).collect::<Result<_>>()?;
        let column = |kind: usize, of: fn(&(f64, f64)) -> f64| {
            Summary::of(scores.iter().map(|s| of(&s[kind])).collect())
        };
        let accuracy = |kind| column(kind, |s| 100.0 * s.0);
        let nll = |kind| column(kind, |s| s.1);
        for (kind, (kind_name, ..)) in KINDS.iter().enumerate() {
            let (a, n) = (accuracy(kind), nll(kind));
            let d = a.minus(&accuracy(0));
            println!(
                "{:16} {:32} {:5.2} ± {:.2}  {:+.2} ± {:.2}  nll {:.4} ± {:.4}",
                name.display(),
                kind_name,
                a.mean,
                a.std,
                d.mean,
                d.std,
                n.mean,
                n.std
            );
        }
    }
    Ok(())
}

fn data(folder: &Path) -> Result<(Dataset, Dataset)> {
    let groups = folder.join("groups_train.csv");
    let groups = groups.exists().then(|| groups.display().to_string());
    let train = read(folder.join("train.csv"), &Columns { groups, ..Columns::default() })?;
    let test = read_like(folder.join("test.csv"), train.expected())?;
    Ok((train, test))
}

fn tune(train: &Dataset) -> Result<f32> {
    let candidates = WEIGHT_DECAYS.map(|candidate| beside_rows(candidate, train.rows()));
    let trials = trials(train, &folds(train, FOLDS, 1)?, &candidates, |rows, decay| teacher(rows, decay, 1))?;
    Ok(sufficient(&trials).map_or(0.0, |trial| trial.weight_decay))
}

fn teacher(rows: &Dataset, decay: f32, seed: u64) -> LibraryResult<Model> {
    let mut settings = teacher::Settings::new(rows.widths(&TEACHER), rows.rows(), seed);
    settings.rates.weight_decay = decay;
    teacher::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))
}

fn student(rows: &Dataset, teacher: &Model, precision: Option<Precision>, seed: u64) -> LibraryResult<Model> {
    let recipe = Recipe::SoftLabels(SoftLabels::DEFAULT);
    let mut settings = student::Settings::new(rows.widths(&STUDENT), recipe, rows.rows(), seed);
    settings.precision = precision;
    student::fit(rows, Some(&teacher.predict(rows)), &settings, &mut |_| ControlFlow::Continue(()))
}

/// Accuracy and NLL on the test rows of each of [`KINDS`].
fn scores(train: &Dataset, test: &Dataset, decay: f32, seed: u64) -> Result<Vec<(f64, f64)>> {
    let teacher = teacher(train, decay, seed)?;
    let float = student(train, &teacher, None, seed)?;
    let mut all = Vec::new();
    for (_, precision, aware) in KINDS {
        let trained = if aware { student(train, &teacher, precision, seed)? } else { float.clone() };
        let model = match precision {
            Some(precision) => quantize(&trained, &train.x, precision)?,
            None => trained,
        };
        match evaluate(&model, test)? {
            Scores::Classification(scores) => all.push((scores.accuracy, scores.nll)),
            Scores::Regression(_) => bail!("the comparison is of classifiers"),
        }
    }
    Ok(all)
}
