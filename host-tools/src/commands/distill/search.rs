//! `distill --budget-…`: searches for the best student within a budget.

use std::str::FromStr;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use microdistill_study::search::{
    Budget, Candidate, Found, Plan, Problem, Softening, Teachers, Trial, rounds, search, train,
};
use microdistill_train::model::{Model, Task};
use microdistill_train::number::{percent, significant};
use microdistill_train::outputs::TeacherOutputs;
use microdistill_train::student::Taught;
use serde::Serialize;

use crate::context::Context;
use crate::flags::parse::count;
use crate::interrupt;
use crate::table::{self, Table};

/// Flags that conflict with a search, because it chooses their values or does not use them.
const CHOSEN: [&str; 26] = [
    "effort",
    "always_distill",
    "student",
    "activation",
    "inputs",
    "loss",
    "temperature",
    "cooling",
    "alpha",
    "beta",
    "dropout",
    "label_smoothing",
    "mixup",
    "patience",
    "hints",
    "generations",
    "weight_decay",
    "folds",
    "rate",
    "batch",
    "epochs",
    "steps",
    "class_weights",
    "bits",
    "synthetic",
    "unlabelled",
];

#[derive(Args, Debug)]
#[command(next_help_heading = "Search, in place of --student")]
pub(crate) struct SearchFlags {
    /// Find the best int8 or int4 student within this many bytes of flash, such as 4096, 4kB or 4KiB
    #[arg(long, value_name = "BYTES", conflicts_with_all = CHOSEN)]
    budget_flash: Option<Size>,
    /// … within this many bytes of working memory (RAM) per inference on a Cortex-M4
    #[arg(long, value_name = "BYTES", conflicts_with_all = CHOSEN)]
    budget_ram: Option<Size>,
    /// … within this many instructions per inference on a Cortex-M4, estimated to within about 30
    #[arg(long, value_name = "N", conflicts_with_all = CHOSEN, value_parser = count::<u64>)]
    budget_instructions: Option<u64>,
    /// Number of students to start with; the best third of them goes on, round after round
    #[arg(long, value_name = "N", default_value_t = 54, value_parser = clap::value_parser!(u16).range(1..=9999))]
    candidates: u16,
    /// Number of folds of the training rows for cross-validation
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=100))]
    search_folds: u8,
    /// Teachers of the folds [default: own, if the model files record how the teachers were trained on these
    /// rows]
    #[arg(long, value_enum)]
    search_teachers: Option<SearchTeachers>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum SearchTeachers {
    /// Train new teachers like the given ones, on the training rows of each fold alone
    Own,
    /// Use the given teachers, which is faster; scores are optimistic if they were trained on the held-out rows
    Given,
}

/// A number of bytes: `4096`, `4kB` (1000 each) or `4KiB` (1024 each).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size(usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1000,
            "mb" => 1_000_000,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            _ => 0,
        };
        let bytes = digits.trim_end().parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
        bytes
            .filter(|bytes| *bytes > 0)
            .map(Size)
            .ok_or_else(|| "it must be a number of bytes, such as 4096, 4kB or 4KiB".into())
    }
}

/// JSON output of a search.
#[derive(Serialize)]
pub(crate) struct SearchReport {
    best: Trial,
    front: Vec<Trial>,
    candidates: usize,
    /// The kind of teachers that the folds used.
    teachers: SearchTeachers,
}

/// Origin of the teachers, which decides what a search can use.
pub(crate) enum Lineage {
    /// Trained on these rows in a known way: each model with its weight.
    Known(Vec<(f64, Model)>),
    /// Trained on other rows in a known way: each model with its weight.
    OtherRows(Vec<(f64, Model)>),
    /// Trained in an unknown way.
    Unknown,
}

impl SearchFlags {
    /// The budget for a search, if any flag sets one.
    pub(crate) fn budget(&self) -> Option<Budget> {
        let budget = Budget {
            flash: self.budget_flash.map(|size| size.0),
            ram: self.budget_ram.map(|size| size.0),
            instructions: self.budget_instructions,
        };
        (budget != Budget::default()).then_some(budget)
    }

    /// Searches for the best student within `budget` and trains it on all `rows`. Also returns the search's results.
    pub(crate) fn run(
        &self,
        context: &Context,
        budget: Budget,
        rows: Taught<'_>,
        lineage: &Lineage,
    ) -> Result<(Model, SearchReport)> {
        let Taught { data, teacher: Some(teacher_outputs) } = rows else { bail!("a search needs a teacher") };
        let (teachers, what) = self.teachers(teacher_outputs, lineage)?;
        let (candidates, folds) = (usize::from(self.candidates), usize::from(self.search_folds));
        let plan = Plan { candidates, folds, seed: context.seed };
        let bar = context.console.bar("search", (1 + rounds(candidates).iter().sum::<usize>()) * folds);
        let problem = Problem { data, teachers, budget };
        let found = search(problem, plan, &|| bar.inc(1), &interrupt::flow);
        bar.finish_and_clear();
        let found = found?;
        context.console.table(&front(&found, &data.task))?;
        context.console.say(format_args!(
            "Loss and score are means over folds of the training rows: {what}.\nStudents trained for a share of the epochs \
             score worse than they would after all of them."
        ))?;
        let report = SearchReport {
            best: found.best().clone(),
            front: found.front().into_iter().cloned().collect(),
            candidates: found.trials.len(),
            teachers: match teachers {
                Teachers::Given(_) => SearchTeachers::Given,
                Teachers::Like(_) => SearchTeachers::Own,
            },
        };
        let best = found.best().candidate.clone();
        if interrupt::requested() {
            let Some(model) = found.student() else { bail!("no student was found") };
            return Ok((model, report));
        }
        Ok((self.train(context, &best, rows)?, report))
    }

    /// The teachers of the folds, and a note on how far their scores can be trusted.
    fn teachers<'a>(
        &self,
        teacher_outputs: &'a TeacherOutputs,
        lineage: &'a Lineage,
    ) -> Result<(Teachers<'a>, &'static str)> {
        use SearchTeachers::{Given, Own};
        Ok(match (lineage, self.search_teachers) {
            (Lineage::Known(models), None | Some(Own)) | (Lineage::OtherRows(models), Some(Own)) => (
                Teachers::Like(models),
                "each fold has teachers trained on its other rows alone, so held-out rows are unseen",
            ),
            (Lineage::Unknown, Some(Own)) => bail!(
                "--search-teachers own: soft labels, programs, and models that `train` did not write or an older version wrote, do \
                 not record how to train others like them; train the teacher again, or leave the flag out"
            ),
            (Lineage::Known(_), Some(Given)) => (
                Teachers::Given(teacher_outputs),
                "the given teachers were trained on the held-out rows, so scores are optimistic",
            ),
            (Lineage::OtherRows(_), None | Some(Given)) => (
                Teachers::Given(teacher_outputs),
                "the given teachers were trained on another file; scores are optimistic if it has the held-out \
                 rows too",
            ),
            (Lineage::Unknown, None | Some(Given)) => (
                Teachers::Given(teacher_outputs),
                "it is unknown how the given teachers were trained; scores are optimistic if they were trained \
                 on the held-out rows",
            ),
        })
    }

    /// Trains the best candidate on all rows. Ctrl-C ends this training early and keeps the student trained so far.
    fn train(&self, context: &Context, best: &Candidate, rows: Taught<'_>) -> Result<Model> {
        let bar = context
            .console
            .bar("student", best.settings(rows.data.rows(), context.seed).training.epochs(rows.data.rows()));
        let model = train(best, rows, |epochs| epochs, context.seed, &mut |progress| {
            bar.set_position(progress.epoch.number as u64);
            interrupt::flow()
        });
        bar.finish_and_clear();
        Ok(model?)
    }
}

/// Table of the Pareto front, with the best student marked.
fn front(found: &Found, task: &Task) -> Table {
    let score = match task {
        Task::Classification { .. } => "accuracy",
        Task::Regression { targets } if targets.len() == 1 => "r2",
        Task::Regression { .. } => "mean R²",
    };
    let header = ["", "student", "bits", "flash", "ram", "instructions", "epochs", "loss", score, "recipe"];
    let mut table = table::table(header);
    for trial in found.front() {
        let Trial { candidate, cost, share, loss, score, .. } = trial;
        let widths: Vec<String> = candidate.widths.iter().map(usize::to_string).collect();
        table.add_row([
            if trial == found.best() { "best".into() } else { String::new() },
            widths.join("-"),
            u8::from(candidate.bits).to_string(),
            cost.flash.to_string(),
            cost.ram.to_string(),
            cost.instructions.to_string(),
            format!("{} %", percent(*share, 2)),
            significant(*loss, 4),
            significant(*score, 4),
            recipe(candidate),
        ]);
    }
    table
}

fn recipe(candidate: &Candidate) -> String {
    let Candidate { softening, weight_decay, dropout, mixup, .. } = candidate;
    let softening = softening.map(|Softening { temperature, alpha, beta }| {
        let beta = beta.map_or(String::new(), |beta| format!(", β {beta}"));
        format!("T {temperature}, α {alpha}{beta}")
    });
    let mixup = mixup.map(|mixup| format!("mixup {mixup}"));
    let regularizers = format!("L2 {weight_decay}, dropout {dropout}");
    let parts: Vec<String> = softening.into_iter().chain([regularizers]).chain(mixup).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in
            [("4096", 4096), ("4kB", 4000), ("4KiB", 4096), ("4 KiB", 4096), ("1k", 1024), ("2MiB", 2 << 20)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in
            ["", "0", "KiB", "4.5k", "-1", "4 lots", "99999999999999999999", "9999999999999999999k", "4é"]
        {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
