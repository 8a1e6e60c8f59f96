//! Cost of few bits: students with 16 hidden units in f32, int8, int4 and int3, quantized after training or with
//! quantization-aware training. Prints the tables of `docs/results/quantization.md`.
//!
//! ```sh
//! cargo run --release --package microdistill-experiments --bin few_bits -- FOLDER watch_small emg_myo …
//! ```
//!
//! `FOLDER` has a folder for each data set, with `train.csv`, `test.csv` and, if rows have groups, `groups_train.csv`.
//! Settings are the defaults of the command line; the teacher's weight decay is that of `--weight-decay auto`. Test
//! rows are scored once and influence no choice.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use microdistill::loss::SoftLabels;
use microdistill_study::demo::Summary;
use microdistill_train::dataset::{Columns, Dataset, read, read_like};
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::Model;
use microdistill_train::network::precision::{Bits, Precision};
use microdistill_train::quantize::quantize;
use microdistill_train::student::{self, Recipe, Taught};
use microdistill_train::teacher;
use microdistill_train::tune::{FOLDS, Tuning, work};
use rayon::prelude::*;

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
const TEACHER: [usize; 2] = [128, 128];
const STUDENT: [usize; 1] = [16];

/// A row of the tables: its name, the precision of the weights, and whether the training is quantization-aware.
type Kind = (&'static str, Option<Precision>, bool);

const KINDS: [Kind; 10] = [
    ("f32", None, false),
    ("int8", Some(Precision::per_channel(Bits::Eight)), false),
    ("int8, quantization-aware", Some(Precision::per_channel(Bits::Eight)), true),
    ("int4", Some(Precision::per_channel(Bits::Four)), false),
    ("int4 in groups", Some(Precision::per_group(Bits::Four)), false),
    ("int4, quantization-aware", Some(Precision::per_channel(Bits::Four)), true),
    ("int4 in groups, quantization-aware", Some(Precision::per_group(Bits::Four)), true),
    ("int3", Some(Precision::per_channel(Bits::Three)), false),
    ("int3, quantization-aware", Some(Precision::per_channel(Bits::Three)), true),
    ("int3 in groups, quantization-aware", Some(Precision::per_group(Bits::Three)), true),
];

/// Accuracy in % and NLL in nats of each kind.
type Scored = [(f64, f64); KINDS.len()];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("give the folder of the data sets and their names")?;
    let names: Vec<String> = arguments.collect();
    let sets: Vec<Vec<Scored>> =
        names.iter().map(|name| scores(&Path::new(&folder).join(name))).collect::<Result<_>>()?;
    let accuracy = |kind: usize, set: &[Scored]| Summary::of(set.iter().map(|seed| seed[kind].0).collect());
    print("Accuracy on test rows, %:", 2, &names, &sets, accuracy);
    print(
        "Accuracy minus that of f32 of the same seed, percentage points:",
        2,
        &names,
        &sets,
        |kind, set| accuracy(kind, set).minus(&accuracy(0, set)),
    );
    print("NLL on test rows, nats:", 3, &names, &sets, |kind, set| {
        Summary::of(set.iter().map(|seed| seed[kind].1).collect())
    });
    Ok(())
}

/// Prints a Markdown table with a row per kind, a column per data set, and the mean over the data sets.
fn print(
    title: &str,
    digits: usize,
    names: &[String],
    sets: &[Vec<Scored>],
    of: impl Fn(usize, &[Scored]) -> Summary,
) {
    println!("{title}\n\n| | {} | mean |\n|---|{}", names.join(" | "), "---|".repeat(names.len() + 1));
    for (kind, (name, ..)) in KINDS.iter().enumerate() {
        let summaries: Vec<Summary> = sets.iter().map(|set| of(kind, set)).collect();
        let cell = |Summary { mean, std, .. }: &Summary| format!(" {mean:.digits$} ± {std:.digits$} |");
        let mean = summaries.iter().map(|summary| summary.mean).sum::<f64>() / summaries.len() as f64;
        println!("| {name} |{} {mean:.digits$} |", summaries.iter().map(cell).collect::<String>());
    }
    println!();
}

/// Scores on the test rows of a data set, by seed.
fn scores(folder: &Path) -> Result<Vec<Scored>> {
    let groups = folder.join("groups_train.csv");
    let groups = groups.exists().then(|| groups.display().to_string());
    let train = read(folder.join("train.csv"), &Columns { groups, ..Columns::default() })?;
    let test = read_like(folder.join("test.csv"), train.expected())?;
    let decay = tune(&train)?;
    eprintln!("{}: {} rows, teacher's weight decay {decay}", folder.display(), train.rows());
    SEEDS.par_iter().map(|&seed| judge(&train, &test, decay, seed)).collect()
}

/// Chooses the teacher's weight decay as `train` does.
fn tune(train: &Dataset) -> LibraryResult<f32> {
    let settings = teacher::Settings::new(train.widths(&TEACHER), train.rows(), 1);
    let work = work(&settings.widths, settings.epochs(train.rows()));
    let tuning = Tuning::new(train, FOLDS, work, 1)?;
    Ok(tuning.choose(|rows, decay| teacher(rows, decay, 1))?.weight_decay)
}

fn judge(train: &Dataset, test: &Dataset, decay: f32, seed: u64) -> Result<Scored> {
    let teacher = teacher(train, decay, seed)?;
    let float = student(train, &teacher, None, seed)?;
    let mut scored = Scored::default();
    for ((_, precision, trained), score) in KINDS.into_iter().zip(&mut scored) {
        let trained = if trained { student(train, &teacher, precision, seed)? } else { float.clone() };
        let model = match precision {
            Some(precision) => quantize(&trained, &train.x, precision)?,
            None => trained,
        };
        let Scores::Classification(scores) = evaluate(&model, test)? else {
            bail!("the comparison needs classifiers")
        };
        *score = (100.0 * scores.accuracy, scores.nll);
    }
    Ok(scored)
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
    let rows = Taught { data: rows, teacher: Some(&teacher.teacher_outputs(rows)) };
    student::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))
}
