//! `microdistill study`

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use indicatif::ProgressStyle;
use microdistill_study::report;
use microdistill_study::study::results::Condition;
use microdistill_study::study::{self, Journal, Problem, Results, Shard, Source, Study as Plan, Watch};
use microdistill_train::dataset::{Columns, Expected, read, read_like};
use microdistill_train::effort::Effort;
use microdistill_train::error::Error;
use microdistill_train::file;

use crate::context::Context;
use crate::flags::data::DataFlags;
use crate::flags::parse::count;
use crate::flags::teacher::EffortFlag;
use crate::interrupt;

mod tables;

#[derive(Args, Debug)]
#[command(mut_arg("data", |arg| arg.required_unless_present_any(["folder", "preset"])))]
pub(crate) struct Study {
    /// Folder for study.html, study.json, study.csv and study.md, and for finished trainings, so that an interrupted study can
    /// continue
    #[arg(long, value_name = "DIR", default_value = "microdistill-study")]
    out: PathBuf,
    /// Number of seeds. Everything is trained once per seed, starting at --seed, so that real gains can be told from chance
    /// [default: 10, or 1 with --leave-one-group-out]
    #[arg(long, value_name = "N", value_parser = count::<u64>)]
    seeds: Option<u64>,
    /// Recipes to compare in addition to those that are always compared
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1)]
    recipes: Vec<String>,
    /// Shares of the training rows that get a wrong label; each value is studied on its own
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, default_value = "0")]
    label_noise: Vec<f64>,
    /// Shares of the training rows that are used; each value is studied on its own
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, default_value = "1")]
    training_share: Vec<f64>,
    /// Draw training and test rows anew from all rows for each seed, keeping groups together
    #[arg(long, conflicts_with = "preset")]
    redraw: bool,
    /// Make each group of --groups the test once, trained on all other groups. Differences are then paired by group
    #[arg(long, conflicts_with_all = ["preset", "redraw"])]
    leave_one_group_out: bool,
    /// Hidden widths of the student
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, default_value = "16", value_parser = count::<usize>)]
    hidden: Vec<usize>,
    /// Makes the teacher a network with these hidden widths and tuned weight decay [default: the blend that `train` makes]
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, value_parser = count::<usize>)]
    teacher_hidden: Vec<usize>,
    /// Time for the blend and for the choice of the recipe of `distill`
    #[arg(long, value_enum, value_name = "EFFORT", default_value_t)]
    effort: EffortFlag,
    /// Trains part I of N, from 1, and writes no report: for N machines that share --out, or whose ledgers are copied there
    #[arg(long, value_name = "I/N", value_parser = shard, conflicts_with = "merge")]
    shard: Option<Part>,
    /// Joins the finished parts in --out, trains what they left, and writes the report
    #[arg(long)]
    merge: bool,
    /// Predefined study, which needs no data
    #[arg(long, value_enum, conflicts_with_all = ["data", "train", "test", "recipes", "hidden", "teacher_hidden", "effort", "label_noise", "training_share"])]
    preset: Option<Preset>,
    #[command(flatten)]
    sets: Sets,
    #[command(flatten)]
    data: DataFlags,
}

/// Many data sets at once.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data")]
struct Sets {
    /// Folder of data sets, one folder each with train.csv and test.csv, and groups_train.csv and groups_test.csv if rows have
    /// groups
    #[arg(long, value_name = "DIR", conflicts_with_all = ["data", "train", "test", "preset"])]
    folder: Option<PathBuf>,
    /// Data sets of --folder to compare on [default: all]
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, requires = "folder")]
    sets: Vec<String>,
    /// Data sets that recipes were not developed on; they get tables of their own
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, requires = "folder")]
    held_out: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// The project's first example: 1,000 rows of random features and random labels, from which nothing can be learned
    #[value(alias = "mission")]
    RandomLabels,
}

/// A part of a study.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Number of the part, from 1.
    number: usize,
    of: usize,
    shard: Shard,
}

impl Part {
    /// Name of the file of finished trainings.
    fn ledger(&self) -> String {
        format!("ledger-{}-of-{}.jsonl", self.number, self.of)
    }
}

fn shard(text: &str) -> Result<Part, String> {
    let numbers = text.split_once('/').and_then(|(number, of)| {
        Some((number.trim().parse::<usize>().ok()?, of.trim().parse::<usize>().ok()?))
    });
    let part = numbers
        .and_then(|(number, of)| Some(Part { number, of, shard: Shard::new(number.checked_sub(1)?, of)? }));
    part.ok_or_else(|| "write a part and the number of parts, such as 1/4 for the first of four".into())
}

/// Prints the work before it begins: the number of trainings, and the groups that multiply them.
fn tell_cost(context: &Context, plan: &Plan, journal: &Journal, shard: Shard) {
    let left = plan.trainings(journal, shard);
    if left == 0 {
        return;
    }
    let draws: usize = plan.problems.iter().map(Problem::count).sum();
    let what = if plan.problems.iter().any(|problem| problem.count() > 1) {
        format!("{draws} groups, each left out once, × ")
    } else {
        String::new()
    };
    let seeds = plan.seeds.len();
    context.console.note(format_args!(
        "{left} trainings are left: {what}{seeds} {}, {} arms, and candidates for those that are tuned; Ctrl-C keeps what is \
         finished",
        if seeds == 1 { "seed" } else { "seeds" },
        plan.arms.len()
    ));
}

/// Number of folds of the training rows for choosing hyperparameters.
const FOLDS: usize = 5;

impl Study {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let plan = self.plan(context)?;
        plan.check()?;
        file::make_folder(&self.out)?;
        let (name, shard) = match &self.shard {
            Some(part) => (part.ledger(), part.shard),
            None => ("ledger.jsonl".into(), Shard::ALL),
        };
        let journal = Journal::open(self.out.join(&name), &plan.fingerprint())?;
        if self.merge {
            self.absorb(context, &plan, &journal)?;
        }
        interrupt::ask();
        tell_cost(context, &plan, &journal, shard);
        self.train(context, &plan, &journal, shard)?;
        if let Some(part) = &self.shard {
            let file = self.out.join(name);
            context.console.say(format_args!(
                "{} holds part {} of {}. When all parts are finished, run the same command with --merge instead of --shard",
                file.display(),
                part.number,
                part.of
            ))?;
            return context
                .console
                .json(&serde_json::json!({ "ledger": file, "part": part.number, "of": part.of }));
        }
        let results = plan.results(&journal, &context.command)?;
        self.write(&results)?;
        tables::console(&context.console, &results)?;
        context
            .console
            .say(format_args!("\n{} holds the report, study.html, and all figures", self.out.display()))?;
        context.console.json(&results)
    }

    /// Adds the results of all parts to the journal.
    fn absorb(&self, context: &Context, plan: &Plan, journal: &Journal) -> Result<()> {
        let entries = fs::read_dir(&self.out).map_err(Error::io(&self.out))?;
        let paths = entries.map(|entry| Ok(entry.map_err(Error::io(&self.out))?.path()));
        let mut parts: Vec<PathBuf> = paths.collect::<Result<_>>()?;
        parts.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("ledger-") && name.ends_with(".jsonl")
        });
        parts.sort();
        if parts.is_empty() {
            bail!(
                "{}: it has no finished part, such as ledger-1-of-4.jsonl: run study --shard first",
                self.out.display()
            );
        }
        for path in parts {
            let added = journal.absorb(&Journal::open(&path, &plan.fingerprint())?)?;
            context.console.note(format_args!("{}: {added} results", path.display()));
        }
        Ok(())
    }

    fn train(&self, context: &Context, plan: &Plan, journal: &Journal, shard: Shard) -> Result<()> {
        // The bar counts parts of the whole, because the time of a single training is not known better.
        const PARTS: u64 = 1000;
        let work = plan.work(journal, shard).max(1);
        let bar = context.console.bar("teachers and students", PARTS as usize);
        let style = ProgressStyle::with_template("{msg:24} {wide_bar} {percent:>3} % {eta:>6}");
        bar.set_style(style.context("the progress bar")?);
        let done = std::sync::atomic::AtomicU64::new(0);
        let trained = plan.run(
            journal,
            shard,
            &Watch {
                stop: &interrupt::requested,
                done: &|more| {
                    let done = done.fetch_add(more, std::sync::atomic::Ordering::Relaxed) + more;
                    bar.set_position((done as f64 / work as f64 * PARTS as f64) as u64);
                },
            },
        );
        bar.finish_and_clear();
        if matches!(trained, Err(Error::Interrupted)) {
            context.console.note(format_args!(
                "finished trainings are kept in {}: run the same command to continue",
                self.out.display()
            ));
        }
        Ok(trained?)
    }

    fn write(&self, results: &Results) -> Result<()> {
        let place = |name| self.out.join(name);
        file::write(place("study.json"), &serde_json::to_vec_pretty(results)?)?;
        file::write(place("study.csv"), report::csv(results)?.as_bytes())?;
        file::write(place("study.html"), report::html(results)?.as_bytes())?;
        file::write(place("study.md"), tables::markdown(results).as_bytes())?;
        Ok(())
    }

    fn plan(&self, context: &Context) -> Result<Plan> {
        let seeds = self.seeds.unwrap_or(if self.leave_one_group_out { 1 } else { 10 });
        let seeds = (0..seeds).map(|index| context.seed.wrapping_add(index)).collect();
        if self.preset == Some(Preset::RandomLabels) {
            return Ok(Plan {
                title: "Random rows with random labels".into(),
                preset: Some("random-labels".into()),
                problems: vec![Problem {
                    name: "random".into(),
                    source: Source::Noise { rows: 1000, features: 10, classes: 10 },
                }],
                held_out: Vec::new(),
                conditions: vec![Condition { label_noise: 0.0, training_share: 1.0 }],
                arms: study::random_labels(),
                seeds,
                hidden: vec![32],
                teacher_hidden: vec![64],
                effort: Effort::Default,
                folds: 10,
            });
        }
        let conditions = self.label_noise.iter().flat_map(|&label_noise| {
            self.training_share.iter().map(move |&training_share| Condition { label_noise, training_share })
        });
        let problems = self.problems(context)?;
        let (always, others) = if problems.iter().any(Problem::has_values) {
            (study::always_of_values(), study::others_of_values())
        } else {
            (study::always(), study::others())
        };
        let mut arms = [always, study::by_name(&others, &self.recipes)?].concat();
        if !self.teacher_hidden.is_empty() {
            arms = study::taught_by_a_network(arms);
        }
        Ok(Plan {
            title: "Does distillation cure overfitting?".into(),
            preset: None,
            problems,
            held_out: self.sets.held_out.clone(),
            conditions: conditions.collect(),
            arms,
            seeds,
            hidden: self.hidden.clone(),
            teacher_hidden: self.teacher_hidden.clone(),
            effort: self.effort.into(),
            folds: FOLDS,
        })
    }

    fn problems(&self, context: &Context) -> Result<Vec<Problem>> {
        if let Some(folder) = &self.sets.folder {
            let problem = |name: String| self.of_folder(&folder.join(&name), name);
            return self.names(folder)?.into_iter().map(problem).collect();
        }
        let (name, parts) = (self.data.name(), self.data.read_new(context, None)?);
        if self.leave_one_group_out {
            return Ok(vec![Problem::leave_one_group_out(name, parts.known, parts.test)?]);
        }
        let Some(test) = parts.test else {
            bail!("a study needs test rows: give --test FILE in addition to --train, or --data FILE");
        };
        Ok(vec![Problem::new(name, parts.known, test, self.redraw)?])
    }

    /// Names of the data sets asked for, or of all in the folder.
    fn names(&self, folder: &Path) -> Result<Vec<String>> {
        if !self.sets.sets.is_empty() {
            return Ok(self.sets.sets.clone());
        }
        let entries = fs::read_dir(folder).map_err(Error::io(folder))?;
        let paths =
            entries.map(|entry| Ok(entry.map_err(Error::io(folder))?.path())).collect::<Result<Vec<_>>>()?;
        let sets =
            paths.iter().filter(|path| path.join("train.csv").is_file() && path.join("test.csv").is_file());
        let names = sets.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let names: BTreeSet<String> = names.collect();
        if names.is_empty() {
            bail!("{}: none of its folders has both train.csv and test.csv", folder.display());
        }
        Ok(names.into_iter().collect())
    }

    fn of_folder(&self, folder: &Path, name: String) -> Result<Problem> {
        let groups = |part: &str| {
            let path = folder.join(format!("groups_{part}.csv"));
            path.is_file().then(|| path.to_string_lossy().into_owned())
        };
        let columns = Columns { groups: groups("train"), ..self.data.columns.columns() };
        let train = read(folder.join("train.csv"), &columns)?;
        let test_groups = groups("test");
        let expected = Expected { groups: test_groups.as_deref(), ..train.expected() };
        let test = read_like(folder.join("test.csv"), expected)?;
        if self.leave_one_group_out {
            return Ok(Problem::leave_one_group_out(name, train, Some(test))?);
        }
        Ok(Problem::new(name, train, test, self.redraw)?)
    }
}
