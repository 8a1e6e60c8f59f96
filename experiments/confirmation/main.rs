//! The confirmation: students of all candidates of the recipe, and the product's earlier baseline, on data sets that `sets.py`
//! wrote. `compare.py` chooses among the candidates by their held-out losses and compares the arms.
//!
//! ```text
//! cargo run --release -p microdistill-experiments --bin confirmation -- FOLDER OUT.jsonl NAME…
//! ```
//!
//! A line per set, appended when the set is finished; sets that OUT.jsonl holds are skipped.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use microdistill_train::class_weights::ClassWeights;
use microdistill_train::dataset::{Columns, Dataset, read, read_like};
use microdistill_train::distill::{
    Candidate, Lesson, Material, Plan, Problem, Student, Teachers, Teaching, WEIGHT_DECAYS, all, exams,
    pieces, trials,
};
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::Model;
use microdistill_train::network::Activation;
use microdistill_train::student::Inputs;
use microdistill_train::teacher::zoo;
use serde::Serialize;

/// Hidden units of the students.
const HIDDEN: usize = 16;
/// Folds of the training rows, of which so many judge the candidates.
const FOLDS: usize = 5;
const EXAMS: usize = 3;
/// Seeds of the students whose test scores are averaged.
const SEEDS: [u64; 3] = [1, 2, 3];
/// Steps of a student in all arms of the recipe: those of the best effort.
const STEPS: usize = 16_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out, names @ ..] = arguments.as_slice() else {
        bail!("usage: confirmation FOLDER OUT.jsonl NAME…");
    };
    let finished = std::fs::read_to_string(out).unwrap_or_default();
    for name in names {
        if finished.contains(&format!("{{\"set\":\"{name}\"")) {
            continue;
        }
        let line = serde_json::to_string(&run(Path::new(folder), name).with_context(|| name.clone())?)?;
        writeln!(OpenOptions::new().create(true).append(true).open(out)?, "{line}")?;
        eprintln!("{name}: finished");
    }
    Ok(())
}

/// Results of one data set.
#[derive(Serialize)]
struct Set {
    set: String,
    rows: usize,
    features: usize,
    classes: usize,
    /// Test scores of the blend.
    blend: Test,
    /// Held-out loss of the blend on the training rows, and its members.
    teacher: serde_json::Value,
    seconds: [f64; 2],
    students: Vec<Row>,
}

/// A candidate.
#[derive(Serialize)]
struct Row {
    /// `product` is the baseline that the program had before: raw inputs, labels, 200 epochs.
    arm: &'static str,
    lesson: Lesson,
    inputs: Inputs,
    weight_decay: f32,
    /// Mean loss of the held-out rows; none if a training diverged.
    held_out: Option<f64>,
    /// Test scores by seed.
    test: Vec<Test>,
}

#[derive(Clone, Copy, Serialize)]
struct Test {
    accuracy: f64,
    nll: f64,
}

fn run(folder: &Path, name: &str) -> Result<Set> {
    let path = |part: &str| folder.join(name).join(format!("{part}.csv"));
    let first = std::fs::read_to_string(path("train"))?;
    let grouped = first.lines().next().is_some_and(|line| line.split(',').any(|name| name == "group"));
    let columns = Columns {
        targets: vec!["target".into()],
        groups: grouped.then(|| "group".into()),
        ..Columns::default()
    };
    let train = read(path("train"), &columns)?;
    let mut expected = train.expected();
    expected.groups = None;
    let test = read_like(path("test"), expected)?;

    let start = std::time::Instant::now();
    let flow = &|| ControlFlow::Continue(());
    let fitted = zoo::fit(&train, &zoo::Settings::new(1), &|_| ControlFlow::Continue(()))?;
    let blend = fitted.model;
    let taught = start.elapsed().as_secs_f64();
    let inputs = [Inputs::Standardized, Inputs::Pieces(pieces(train.features.len(), HIDDEN))];
    let recipe = all(&Lesson::ALL, &inputs);
    let plan = Plan { candidates: Vec::new(), folds: FOLDS, exams: EXAMS, trial_steps: STEPS, steps: STEPS };
    let teachers = [(1.0, blend.clone())];
    let problem = Problem { rows: &train, teachers: Teachers::Like(&teachers), student: &student(1, STEPS) };
    let exams = exams(problem, &plan, flow)?;
    let material = material(&blend, &train)?;

    let product: Vec<Candidate> = WEIGHT_DECAYS
        .map(|weight_decay| Candidate { lesson: Lesson::Target, inputs: Inputs::Standardized, weight_decay })
        .into();
    let epoch = train.rows().div_ceil(32);
    let epochs = 200.min((2_000_000 / train.rows()).max(5));
    let mut students = Vec::new();
    for (arm, candidates, steps) in [("recipe", recipe, STEPS), ("product", product, epochs * epoch)] {
        let judged = trials(&student(1, steps), &exams, &candidates, flow)?;
        let mut rows: Vec<Row> = judged
            .into_iter()
            .map(|trial| {
                let Candidate { lesson, inputs, weight_decay } = trial.candidate;
                Row { arm, lesson, inputs, weight_decay, held_out: trial.loss, test: Vec::new() }
            })
            .collect();
        for seed in SEEDS {
            let models = student(seed, steps).train(&material, &candidates, flow)?;
            for (row, model) in rows.iter_mut().zip(models) {
                let Some(model) = model else { bail!("{name}: a training diverged") };
                row.test.push(score(&model, &test)?);
            }
        }
        students.extend(rows);
    }
    Ok(Set {
        set: name.into(),
        rows: train.rows(),
        features: train.features.len(),
        classes: train.task.labels().len(),
        blend: score(&blend, &test)?,
        teacher: serde_json::to_value(&blend.metadata.blend)?,
        seconds: [taught, start.elapsed().as_secs_f64()],
        students,
    })
}

fn student(seed: u64, steps: usize) -> Student {
    Student {
        hidden: vec![HIDDEN],
        activation: Activation::Relu,
        steps,
        class_weights: ClassWeights::None,
        seed,
    }
}

fn material(teacher: &Model, rows: &Dataset) -> Result<Material> {
    let ask = |rows: &Dataset| Ok(teacher.teacher_outputs(rows));
    Ok(Material::new(rows, Teaching::Ask(&ask), 7)?)
}

fn score(model: &Model, test: &Dataset) -> Result<Test> {
    match evaluate(model, test)? {
        Scores::Classification(scores) => Ok(Test { accuracy: scores.accuracy, nll: scores.nll }),
        Scores::Regression(_) => bail!("the confirmation compares classifiers"),
    }
}
