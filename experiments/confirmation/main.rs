//! The confirmation: students that the recipe of distillation chooses, and students that are trained on labels with the same
//! care, on data sets that `sets.py` wrote. `compare.py` compares the arms over the data sets.
//!
//! ```text
//! cargo run --release -p microdistill-experiments --bin confirmation -- FOLDER OUT.jsonl EFFORT NAME…
//! ```
//!
//! EFFORT is `default` or `best`, as for `microdistill distill`, or one of them with `+all`, which scores every candidate and
//! not only the chosen ones. A line per set, appended when the set is finished; sets that OUT.jsonl holds are skipped.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use microdistill_train::class_weights::ClassWeights;
use microdistill_train::dataset::{Columns, Dataset, read, read_like};
use microdistill_train::distill::{
    Candidate, Exam, Lesson, Material, Plan, Problem, Scope, Student, Teachers, Teaching, Trial,
    WEIGHT_DECAYS, best, exams, trials,
};
use microdistill_train::effort::Effort;
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::Model;
use microdistill_train::network::Activation;
use microdistill_train::student::Inputs;
use microdistill_train::teacher::zoo;
use serde::Serialize;

/// Hidden units of the students.
const HIDDEN: usize = 16;
/// Seeds of the students whose test scores are averaged.
const SEEDS: [u64; 3] = [1, 2, 3];

/// Way to choose a student.
struct Arm {
    name: &'static str,
    /// Lessons and inputs that held-out rows choose among, with all weight decays.
    lessons: &'static [Lesson],
    inputs: Forms,
}

#[derive(PartialEq)]
enum Forms {
    Both,
    Pieces,
}

const LABELS: &[Lesson] = &[Lesson::Target, Lesson::SmoothedLabels];
const DISTILLED: &[Lesson] = &[Lesson::TeacherAndSynthetic, Lesson::Synthetic, Lesson::Teacher];

const ARMS: [Arm; 6] = [
    Arm { name: "labels", lessons: LABELS, inputs: Forms::Both },
    Arm { name: "distilled", lessons: DISTILLED, inputs: Forms::Both },
    Arm { name: "any", lessons: &Lesson::ALL, inputs: Forms::Both },
    Arm { name: "pieces, labels", lessons: &[Lesson::Target], inputs: Forms::Pieces },
    Arm { name: "pieces, synthetic", lessons: &[Lesson::Synthetic], inputs: Forms::Pieces },
    Arm {
        name: "pieces, teacher and synthetic",
        lessons: &[Lesson::TeacherAndSynthetic],
        inputs: Forms::Pieces,
    },
];
/// The baseline that the program had before: raw inputs, labels, 200 epochs.
const PRODUCT: &str = "product";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out, effort, names @ ..] = arguments.as_slice() else {
        bail!("usage: confirmation FOLDER OUT.jsonl default|best[+all] NAME…");
    };
    let (effort, every) = match effort.as_str() {
        "default" => (Effort::Default, false),
        "default+all" => (Effort::Default, true),
        "best" => (Effort::Best, false),
        "best+all" => (Effort::Best, true),
        other => bail!("{other} is no effort: default or best"),
    };
    let finished = std::fs::read_to_string(out).unwrap_or_default();
    for name in names {
        if finished.contains(&format!("{{\"set\":\"{name}\"")) {
            continue;
        }
        let set = run(Path::new(folder), name, effort, every).with_context(|| name.clone())?;
        let line = serde_json::to_string(&set)?;
        writeln!(OpenOptions::new().create(true).append(true).open(out)?, "{line}")?;
        eprintln!("{name}: {:.0} s", set.seconds[1]);
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
    teacher: Test,
    /// Held-out loss of the blend on the training rows, and its members.
    blend: serde_json::Value,
    /// Duration of the training of the teacher, and of everything.
    seconds: [f64; 2],
    students: Vec<Row>,
}

/// A candidate.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    trial: Trial,
    /// Number of steps of the training.
    steps: usize,
    /// Arms that chose the candidate.
    arms: Vec<&'static str>,
    /// Test scores by seed.
    test: Vec<Test>,
}

#[derive(Clone, Copy, Serialize)]
struct Test {
    accuracy: f64,
    nll: f64,
}

fn run(folder: &Path, name: &str, effort: Effort, every: bool) -> Result<Set> {
    let (train, test) = load(&folder.join(name))?;
    let start = std::time::Instant::now();
    let flow = &|| ControlFlow::Continue(());
    let fitted = zoo::fit(&train, &zoo::Settings::of(effort, 1), &|_| ControlFlow::Continue(()))?;
    let blend = fitted.model;
    let taught = start.elapsed().as_secs_f64();
    let scope = Scope { effort, inputs: None, asks_teacher: true, may_ignore_teacher: true };
    let plan = Plan::new(&train, &[HIDDEN], scope);
    let teachers = [(1.0, blend.clone())];
    let problem = Problem { rows: &train, teachers: Teachers::Like(&teachers), student: &student(1, 0) };
    let exams = exams(problem, &plan, flow)?;

    let trials = trials(&student(1, plan.trial_steps), &exams, &plan.candidates, flow)?;
    let mut students: Vec<Row> = trials
        .into_iter()
        .map(|trial| Row { trial, steps: plan.steps, arms: Vec::new(), test: Vec::new() })
        .collect();
    for arm in ARMS {
        let fits = |candidate: &Candidate| {
            let inputs = arm.inputs == Forms::Both || candidate.inputs != Inputs::Standardized;
            inputs && arm.lessons.contains(&candidate.lesson)
        };
        choose(&mut students, &fits, arm.name)?;
    }
    students.extend(product(&train, &exams)?);
    students.retain(|row| every || !row.arms.is_empty());

    let material = material(&blend, &train)?;
    let mut lengths: Vec<usize> = students.iter().map(|row| row.steps).collect();
    lengths.sort_unstable();
    lengths.dedup();
    for steps in lengths {
        let mut rows: Vec<&mut Row> = students.iter_mut().filter(|row| row.steps == steps).collect();
        let candidates: Vec<Candidate> = rows.iter().map(|row| row.trial.candidate).collect();
        for seed in SEEDS {
            let models = student(seed, steps).train(&material, &candidates, flow)?;
            for (row, model) in rows.iter_mut().zip(models) {
                let Some(model) = model else { bail!("{name}: a training diverged") };
                row.test.push(score(&model, &test)?);
            }
        }
    }
    Ok(Set {
        set: name.into(),
        rows: train.rows(),
        features: train.features.len(),
        classes: train.task.labels().len(),
        teacher: score(&blend, &test)?,
        blend: serde_json::to_value(&blend.metadata.blend)?,
        seconds: [taught, start.elapsed().as_secs_f64()],
        students,
    })
}

/// Training and test rows.
fn load(folder: &Path) -> Result<(Dataset, Dataset)> {
    let first = std::fs::read_to_string(folder.join("train.csv"))?;
    let grouped = first.lines().next().is_some_and(|line| line.split(',').any(|name| name == "group"));
    let columns = Columns {
        targets: vec!["target".into()],
        groups: grouped.then(|| "group".into()),
        ..Columns::default()
    };
    let train = read(folder.join("train.csv"), &columns)?;
    let mut expected = train.expected();
    expected.groups = None;
    let test = read_like(folder.join("test.csv"), expected)?;
    Ok((train, test))
}

/// Students of the program's earlier baseline, of which the best is chosen.
fn product(train: &Dataset, exams: &[Exam]) -> Result<Vec<Row>> {
    let candidates: Vec<Candidate> = WEIGHT_DECAYS
        .map(|weight_decay| Candidate { lesson: Lesson::Target, inputs: Inputs::Standardized, weight_decay })
        .into();
    let epochs = 200.min((2_000_000 / train.rows()).max(5));
    let steps = epochs * train.rows().div_ceil(32);
    let trials = trials(&student(1, steps), exams, &candidates, &|| ControlFlow::Continue(()))?;
    let mut rows: Vec<Row> =
        trials.into_iter().map(|trial| Row { trial, steps, arms: Vec::new(), test: Vec::new() }).collect();
    choose(&mut rows, &|_| true, PRODUCT)?;
    Ok(rows)
}

/// Chooses one of the candidates that `fits`, as the recipe does.
fn choose(rows: &mut [Row], fits: &dyn Fn(&Candidate) -> bool, arm: &'static str) -> Result<()> {
    let trials = rows.iter().map(|row| &row.trial).filter(|trial| fits(&trial.candidate));
    let chosen = best(trials).context("every training diverged")?.candidate;
    rows.iter_mut().filter(|row| row.trial.candidate == chosen).for_each(|row| row.arms.push(arm));
    Ok(())
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
