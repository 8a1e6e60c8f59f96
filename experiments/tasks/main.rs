//! Scores and costs of one student per task. Prints `docs/results/tasks.md`.
//!
//! ```sh
//! cargo run --release --package microdistill-experiments --bin tasks -- words FOLDER/words
//! cargo run --release --package microdistill-experiments --bin tasks -- table FOLDER > docs/results/tasks.md
//! ```
//!
//! `FOLDER` has a folder for each data set, with `train.csv`, `test.csv` and, if rows have groups, `groups_train.csv`.
//! Settings are the defaults of the command line; the teacher's weight decay is that of `--weight-decay auto`. Test
//! rows are scored once and influence no choice.

mod words;

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use microdistill::loss::SoftLabels;
use microdistill_study::demo::Summary;
use microdistill_study::search::Cost;
use microdistill_train::dataset::{Columns, Dataset, Kind, Text, read, read_like};
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::{Model, Task};
use microdistill_train::network::precision::Precision;
use microdistill_train::quantize::quantize;
use microdistill_train::student::{self, Recipe, Taught};
use microdistill_train::teacher;
use microdistill_train::tune::{FOLDS, Tuning, work};
use rayon::prelude::*;

/// A task: the folder of its data, their description, and the hidden widths of its student.
type Line = (&'static str, &'static str, &'static [usize]);

const LINES: [Line; 9] = [
    ("digits8x8", "images: digits, 8 × 8", &[16]),
    ("mnist5k_14x14", "images: digits, 14 × 14", &[32]),
    ("watch_small", "sensor: wrist exercises, other people", &[16]),
    ("emg_myo", "sensor: gestures from muscle signals, a later session", &[32]),
    ("gesture_27people", "sensor: gestures, other people", &[16]),
    ("spoken_digits", "speech: digits, MFCC", &[16]),
    ("words", "text: the language of a word, n-grams", &[32]),
    ("airquality_co_reg", "regression: CO from low-cost sensors", &[16]),
    ("diabetes_reg", "regression: progress of a disease", &[4]),
];

const SEEDS: [u64; 3] = [1, 2, 3];
const TEACHER: [usize; 2] = [128, 128];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["words", folder] => words::make(Path::new(folder)),
        ["table", folder] => table(Path::new(folder)),
        _ => bail!("give `words FOLDER` to make the data set of words, or `table FOLDER` to print the table"),
    }
}

fn table(folder: &Path) -> Result<()> {
    print!("{}", include_str!("page.md"));
    for (name, title, hidden) in LINES {
        let row = row(&folder.join(name), title, hidden).with_context(|| format!("the data set {name}"))?;
        println!("{row}");
    }
    Ok(())
}

fn row(folder: &Path, title: &str, hidden: &[usize]) -> Result<String> {
    let (train, test) = data(folder)?;
    let decay = tune(&train)?;
    let scores: Vec<[f64; 3]> =
        SEEDS.par_iter().map(|&seed| scores(&train, &test, hidden, decay, seed)).collect::<Result<_>>()?;
    let (unit, digits) = if train.task.labels().is_empty() { (1.0, 3) } else { (100.0, 1) };
    let score = |kind: usize| {
        let Summary { mean, std, .. } =
            Summary::of(scores.iter().map(|scores| unit * scores[kind]).collect());
        format!("{mean:.digits$} ± {std:.digits$}")
    };
    let widths = train.widths(hidden);
    let Cost { flash, ram, instructions } =
        Cost::of(&widths, Precision::default(), train.task.labels().is_empty());
    let parameters = |widths: &[usize]| widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum::<usize>();
    let shape: Vec<String> = widths.iter().map(usize::to_string).collect();
    Ok(format!(
        "| {title} | {} / {} | {} | {} | {} | {} | {} | {} | {} | {flash} | {ram} | {} |",
        train.rows(),
        test.rows(),
        shape.join("-"),
        score(0),
        parameters(&train.widths(&TEACHER)),
        score(1),
        score(2),
        parameters(&widths),
        parameters(&train.widths(&TEACHER)) / parameters(&widths),
        instructions,
    ))
}

fn data(folder: &Path) -> Result<(Dataset, Dataset)> {
    let groups = folder.join("groups_train.csv");
    let groups = groups.exists().then(|| groups.display().to_string());
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let word = Text { column: "word".into(), lengths: [1, 3], features: 256 };
    let columns = Columns {
        groups,
        kind: name.ends_with("_reg").then_some(Kind::Regression),
        text: if name == "words" { vec![word] } else { Vec::new() },
        ..Columns::default()
    };
    let train = read(folder.join("train.csv"), &columns)?;
    let test = read_like(folder.join("test.csv"), train.expected())?;
    Ok((train, test))
}

/// Chooses the teacher's weight decay as `train` does.
fn tune(train: &Dataset) -> LibraryResult<f32> {
    let settings = teacher::Settings::new(train.widths(&TEACHER), train.rows(), 1);
    let work = work(&settings.widths, settings.epochs(train.rows()));
    let tuning = Tuning::new(train, FOLDS, work, 1)?;
    Ok(tuning.choose(|rows, decay| teacher(rows, decay, 1))?.weight_decay)
}

/// Accuracy or R² on test rows of the teacher, of its student in f32, and of the student in int8.
fn scores(train: &Dataset, test: &Dataset, hidden: &[usize], decay: f32, seed: u64) -> Result<[f64; 3]> {
    let teacher = teacher(train, decay, seed)?;
    let recipe = match train.task {
        Task::Classification { .. } => Recipe::SoftLabels(SoftLabels::DEFAULT),
        Task::Regression { .. } => Recipe::ValueMse,
    };
    let settings = student::Settings::new(train.widths(hidden), recipe, train.rows(), seed);
    let rows = Taught { data: train, teacher: Some(&teacher.teacher_outputs(train)) };
    let student = student::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))?;
    let int8 = quantize(&student, &train.x, Precision::default())?;
    let score = |model: &Model| -> LibraryResult<f64> {
        Ok(match evaluate(model, test)? {
            Scores::Classification(scores) => scores.accuracy,
            Scores::Regression(scores) => scores.r2,
        })
    };
    Ok([score(&teacher)?, score(&student)?, score(&int8)?])
}

fn teacher(rows: &Dataset, decay: f32, seed: u64) -> LibraryResult<Model> {
    let mut settings = teacher::Settings::new(rows.widths(&TEACHER), rows.rows(), seed);
    settings.rates.weight_decay = decay;
    teacher::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))
}
