//! The data flags, the same for every verb.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use microdistill_host_tools::dataset::{Columns, Dataset, Expected, Kind, Target, read, read_like, split};

use super::Context;

/// Rows to train on or to judge by.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data")]
pub(super) struct DataFlags {
    /// One CSV file with a header, to be divided by --split; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["train", "test"], required_unless_present_any = ["train", "test"])]
    pub(super) data: Option<PathBuf>,
    /// The rows to train on
    #[arg(long, value_name = "FILE")]
    pub(super) train: Option<PathBuf>,
    /// The rows to judge by, never trained on
    #[arg(long, value_name = "FILE")]
    pub(super) test: Option<PathBuf>,
    /// Shares of --data for training, validation and test, by class and seed [default: 0.7,0.15,0.15]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', num_args = 1, conflicts_with_all = ["train", "test"])]
    pub(super) split: Option<Vec<f64>>,
    /// The column to be predicted [default: the last]
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// What the target holds [default: guessed, and said]
    #[arg(long, value_enum)]
    task: Option<TaskFlag>,
    /// Rows of one group (a person, a session) stay together: a column, which is then no feature, or a CSV file
    #[arg(long, value_name = "COLUMN|FILE")]
    groups: Option<String>,
    /// A text that stands for a missing value, as -200: beside the empty one, NA, NaN, null and ?
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    missing: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TaskFlag {
    /// Labels
    Classification,
    /// Values
    Regression,
}

/// Shares of one data file, and of one training file without the test rows.
const SPLIT: [f64; 3] = [0.7, 0.15, 0.15];
const SPLIT_WITHOUT_TEST: [f64; 2] = [0.85, 0.15];

/// Rows, divided. No group is in two parts.
pub(super) struct Parts {
    /// All rows that are not test rows.
    pub(super) known: Dataset,
    /// Indices of those to be trained on, and of those for early stopping.
    division: [Vec<usize>; 2],
    /// Rows that nothing is chosen by.
    pub(super) test: Option<Dataset>,
}

impl Parts {
    /// Labels that only test rows have.
    fn absent_labels(&self) -> Vec<&str> {
        let Target::Classes(classes) = &self.known.target else { return Vec::new() };
        let classes: BTreeSet<usize> = classes.iter().copied().collect();
        let labels = self.known.task.labels().iter().enumerate();
        labels.filter(|(class, _)| !classes.contains(class)).map(|(_, label)| label.as_str()).collect()
    }

    /// Rows to train on, and rows to stop by.
    pub(super) fn for_early_stopping(&self) -> Result<(Dataset, Dataset)> {
        let [train, validation] = &self.division;
        if validation.is_empty() {
            bail!("too few rows, or groups, for a validation part: leave out --patience");
        }
        Ok((self.known.select(train), self.known.select(validation)))
    }
}

impl DataFlags {
    /// Rows for a first model: the columns tell what the task is.
    pub(super) fn read_new(&self, context: &Context) -> Result<Parts> {
        let columns = Columns {
            target: self.target.clone(),
            kind: self.task.map(|task| match task {
                TaskFlag::Classification => Kind::Classification,
                TaskFlag::Regression => Kind::Regression,
            }),
            groups: self.groups.clone(),
            missing: self.missing.clone(),
        };
        let path = self.known()?;
        let known = tell(context, path, read(path, &columns)?);
        let test = self.read_test(context, known.expected())?;
        let parts = self.divide(context, known, test)?;
        let absent = parts.absent_labels();
        if !absent.is_empty() {
            context.console.note(format_args!("no row to train on has the labels {absent:?}"));
        }
        Ok(parts)
    }

    /// Rows for a known model.
    pub(super) fn read_like(&self, context: &Context, expected: Expected<'_>) -> Result<Parts> {
        self.check(expected)?;
        let path = self.known()?;
        let grouped = Expected { groups: self.groups.as_deref(), missing: &self.missing, ..expected };
        let known = tell(context, path, read_like(path, grouped)?);
        let test = self.read_test(context, expected)?;
        self.divide(context, known, test)
    }

    /// The file with the rows to train on.
    fn known(&self) -> Result<&Path> {
        match self.data.as_deref().or(self.train.as_deref()) {
            Some(path) => Ok(path),
            None => bail!("no rows to train on: give --data FILE, or --train FILE and --test FILE"),
        }
    }

    fn read_test(&self, context: &Context, expected: Expected<'_>) -> Result<Option<Dataset>> {
        let Some(path) = &self.test else { return Ok(None) };
        let expected = Expected { missing: &self.missing, ..expected };
        Ok(Some(tell(context, path, read_like(path, expected)?)))
    }

    /// Rows to judge a known model by: those of --test, the test part of a --split, or all of --data.
    pub(super) fn read_judged(&self, context: &Context, expected: Expected<'_>) -> Result<Dataset> {
        self.check(expected)?;
        match (&self.test, &self.data, &self.split) {
            (None, Some(_), Some(_)) => {
                let parts = self.read_like(context, expected)?;
                Ok(parts.test.unwrap_or(parts.known))
            }
            (Some(path), _, _) | (None, Some(path), None) => {
                let expected = Expected { missing: &self.missing, ..expected };
                Ok(tell(context, path, read_like(path, expected)?))
            }
            (None, None, _) => bail!("no rows to judge by: give --test FILE, or --data FILE"),
        }
    }

    /// The model knows its target; flags that say otherwise are a mistake.
    fn check(&self, expected: Expected<'_>) -> Result<()> {
        let known = expected.task.target();
        if let Some(asked) = self.target.as_ref().filter(|asked| *asked != known) {
            bail!("the model predicts {known:?}, not {asked:?}: leave out --target");
        }
        let regression = expected.task.labels().is_empty();
        if self.task.is_some_and(|task| (task == TaskFlag::Regression) != regression) {
            bail!("the model predicts {}: leave out --task", if regression { "values" } else { "labels" });
        }
        Ok(())
    }

    fn divide(&self, context: &Context, rows: Dataset, test: Option<Dataset>) -> Result<Parts> {
        let whole = |rows: Dataset| {
            let all = (0..rows.rows()).collect();
            Parts { known: rows, division: [all, Vec::new()], test: None }
        };
        if self.data.is_none() {
            // Few rows may not suffice for a validation part, which early stopping alone needs.
            let division = split(&rows, &SPLIT_WITHOUT_TEST, context.seed).ok();
            let division = division.and_then(|parts| parts.try_into().ok());
            return Ok(match division {
                Some(division) => Parts { known: rows, division, test },
                None => Parts { test, ..whole(rows) },
            });
        }
        let shares = self.split.as_deref().unwrap_or(&SPLIT);
        let parts = split(&rows, shares, context.seed)?;
        let Ok([train, validation, test]) = <[Vec<usize>; 3]>::try_from(parts) else {
            bail!("--split takes three shares: for training, validation and test, as 0.7,0.15,0.15");
        };
        let mut known: Vec<usize> = [train.as_slice(), &validation].concat();
        known.sort_unstable();
        let place = |rows: Vec<usize>| {
            rows.into_iter().filter_map(|row| known.binary_search(&row).ok()).collect::<Vec<_>>()
        };
        let division = [place(train), place(validation)];
        Ok(Parts { known: rows.select(&known), division, test: Some(rows.select(&test)) })
    }
}

/// Passes on what was noticed in a file.
fn tell(context: &Context, path: &Path, data: Dataset) -> Dataset {
    for note in &data.notes {
        context.console.note(format_args!("{}: {note}", path.display()));
    }
    data
}
