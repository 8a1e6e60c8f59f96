//! `distill --budget-…`: the student is searched for.

use std::str::FromStr;

use anyhow::{Result, bail};
use clap::Args;
use comfy_table::Table;
use microdistill_host_tools::model::{Model, Task};
use microdistill_host_tools::search::{
    Budget, Candidate, Found, Plan, Problem, Trial, rounds, search, train,
};
use microdistill_host_tools::student::Taught;
use serde::Serialize;

use super::{Context, interrupt, table};

/// Flags for what a search chooses, and for what it does without.
const CHOSEN: [&str; 22] = [
    "student",
    "activation",
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
    "class_weights",
    "bits",
    "synthetic",
    "unlabelled",
];

#[derive(Args, Debug)]
#[command(next_help_heading = "Search, in place of --student")]
pub(super) struct SearchFlags {
    /// Find the best int8 or int4 student whose network takes at most so many bytes of flash, as 4096, 4kB or 4KiB
    #[arg(long, value_name = "BYTES", conflicts_with_all = CHOSEN)]
    budget_flash: Option<Size>,
    /// … whose inference works in at most so many bytes of RAM, on a Cortex-M4
    #[arg(long, value_name = "BYTES", conflicts_with_all = CHOSEN)]
    budget_ram: Option<Size>,
    /// … whose inference takes at most so many instructions on a Cortex-M4, which is known of int8
    #[arg(long, value_name = "N", conflicts_with_all = CHOSEN)]
    budget_instructions: Option<u64>,
    /// Students to begin with; a third of them goes on, again and again
    #[arg(long, value_name = "N", default_value_t = 54, value_parser = clap::value_parser!(u16).range(1..=9999))]
    candidates: u16,
    /// Folds of the training rows that they are judged on
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=100))]
    search_folds: u8,
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
            .ok_or_else(|| "it must be bytes, as 4096, 4kB or 4KiB".into())
    }
}

/// What a search tells machines.
#[derive(Serialize)]
pub(super) struct Outcome {
    best: Trial,
    front: Vec<Trial>,
    candidates: usize,
}

impl SearchFlags {
    /// What a student may cost, if it is to be searched for.
    pub(super) fn budget(&self) -> Option<Budget> {
        let budget = Budget {
            flash: self.budget_flash.map(|size| size.0),
            ram: self.budget_ram.map(|size| size.0),
            instructions: self.budget_instructions,
        };
        (budget != Budget::default()).then_some(budget)
    }

    /// The best student within `budget`, trained on all `rows`, and what was found on the way.
    pub(super) fn run(
        &self,
        context: &Context,
        budget: Budget,
        rows: Taught<'_>,
    ) -> Result<(Model, Outcome)> {
        let Taught { data, teacher: Some(answers) } = rows else { bail!("a search needs a teacher") };
        let (candidates, folds) = (usize::from(self.candidates), usize::from(self.search_folds));
        let plan = Plan { candidates, folds, seed: context.seed };
        let bar = context.console.bar("search", rounds(candidates).iter().sum::<usize>() * folds);
        let problem = Problem { data, answers, budget };
        let found = search(problem, plan, &|| bar.inc(1), &interrupt::flow);
        bar.finish_and_clear();
        let found = found?;
        context.console.say(front(&found, &data.task))?;
        context.console.say(
            "Loss and score are means over folds of the training rows, which are too good where the teacher was trained on \
             all of them. Who was trained for a share of the epochs seems worse than it is.",
        )?;
        let outcome = Outcome {
            best: found.best().clone(),
            front: found.front().into_iter().cloned().collect(),
            candidates: found.trials.len(),
        };
        let best = found.best().candidate.clone();
        if interrupt::requested() {
            let Some(model) = found.student() else { bail!("nothing was found") };
            return Ok((model, outcome));
        }
        Ok((self.train(context, &best, rows)?, outcome))
    }

    /// Ctrl-C ends this training, too, which leaves a student trained for a while.
    fn train(&self, context: &Context, best: &Candidate, rows: Taught<'_>) -> Result<Model> {
        let regression = matches!(rows.data.task, Task::Regression { .. });
        let bar =
            context.console.bar("student", best.settings(rows.data.rows(), regression, context.seed).epochs);
        let model = train(best, rows, |epochs| epochs, context.seed, &mut |epoch| {
            bar.set_position(epoch.number as u64);
            interrupt::flow()
        });
        bar.finish_and_clear();
        Ok(model?)
    }
}

/// The Pareto front, the best marked.
fn front(found: &Found, task: &Task) -> Table {
    let score = if task.labels().is_empty() { "r2" } else { "accuracy" };
    let header = ["", "student", "bits", "flash", "ram", "instructions", "epochs", "loss", score, "recipe"];
    let mut table = table::table(header);
    for trial in found.front() {
        let Trial { candidate, cost, share, loss, score, .. } = trial;
        let widths: Vec<String> = candidate.widths.iter().map(usize::to_string).collect();
        let Candidate { temperature, alpha, weight_decay, dropout, .. } = candidate;
        table.add_row([
            if trial == found.best() { "best".into() } else { String::new() },
            widths.join("-"),
            u8::from(candidate.bits).to_string(),
            cost.flash.to_string(),
            cost.ram.to_string(),
            cost.instructions.map_or("?".into(), |count| count.to_string()),
            format!("{:.0} %", 100.0 * share),
            format!("{loss:.4}"),
            format!("{score:.4}"),
            format!("T {temperature}, α {alpha}, L2 {weight_decay}, dropout {dropout}"),
        ]);
    }
    table
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
