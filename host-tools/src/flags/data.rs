//! The data flags, the same for every verb.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use microdistill_train::dataset::{
    Columns, Dataset, Expected, Kind, Target, check_shares, read, read_like, read_unlabelled, split,
};
use microdistill_train::model::{Division, Model};
use microdistill_train::table::Options;

use crate::context::Context;
use crate::flags::file::FileFlags;
use crate::flags::text::TextFlags;

/// Rows to train on or to judge by.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataFlags {
    /// One CSV file with a header, to be divided by --split; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["train", "test"], required_unless_present_any = ["train", "test"])]
    pub(crate) data: Option<PathBuf>,
    /// The rows to train on
    #[arg(long, value_name = "FILE")]
    pub(crate) train: Option<PathBuf>,
    /// The rows to judge by, never trained on
    #[arg(long, value_name = "FILE")]
    pub(crate) test: Option<PathBuf>,
    /// Shares of --data for training, validation and test, by class and seed [default: 0.7,0.15,0.15]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', num_args = 1, allow_hyphen_values = true, conflicts_with_all = ["train", "test"])]
    pub(crate) split: Option<Vec<f64>>,
    /// The column to be predicted [default: the last]
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Type of the target [default: guessed, with a note]
    #[arg(long, value_enum)]
    task: Option<TaskFlag>,
    /// Rows of one group (a person, a session) stay together: a column, which is then no feature, or a CSV file
    #[arg(long, value_name = "COLUMN|FILE")]
    groups: Option<String>,
    #[command(flatten)]
    text: TextFlags,
    #[command(flatten)]
    file: FileFlags,
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
pub(crate) struct Parts {
    /// All rows that are not test rows.
    pub(crate) known: Dataset,
    /// Their places among all rows of their file.
    pub(crate) file_rows: Vec<usize>,
    /// Number of rows in that file.
    pub(crate) file_count: usize,
    /// Places of the rows in the file that were left out for want of a target, which do not count as its rows.
    pub(crate) left_out: Vec<usize>,
    /// Indices of those to be trained on, and of those for early stopping.
    places: [Vec<usize>; 2],
    /// Rows that nothing is chosen by.
    pub(crate) test: Option<Dataset>,
    /// Division of the rows, if one file holds them all.
    division: Option<Division>,
}

impl Parts {
    /// Labels that only test rows have.
    fn absent_labels(&self) -> Vec<&str> {
        let Target::Classes(classes) = &self.known.target else { return Vec::new() };
        let classes: BTreeSet<usize> = classes.iter().copied().collect();
        let labels = self.known.task.labels().iter().enumerate();
        labels.filter(|(class, _)| !classes.contains(class)).map(|(_, label)| label.as_str()).collect()
    }

    /// Lets a model that was trained on these rows remember which ones it did not see.
    pub(crate) fn sign(&self, model: &mut Model) {
        model.metadata.division = self.division.clone();
    }

    /// Indices of the known rows to train on, and of those to stop by.
    pub(crate) fn for_early_stopping(&self) -> Result<&[Vec<usize>; 2]> {
        if self.places[1].is_empty() {
            bail!("too few rows, or groups, for a validation part: leave out --patience");
        }
        Ok(&self.places)
    }
}

impl DataFlags {
    /// Columns of a first model's file that are not features.
    pub(crate) fn columns(&self) -> Columns {
        Columns {
            target: self.target.clone(),
            kind: self.task.map(|task| match task {
                TaskFlag::Classification => Kind::Classification,
                TaskFlag::Regression => Kind::Regression,
            }),
            groups: self.groups.clone(),
            text: self.text.columns(),
            options: self.file.options(),
        }
    }

    /// The files that rows are read from.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let rows = [&self.data, &self.train, &self.test].into_iter().flatten().map(PathBuf::as_path);
        rows.chain(self.groups.as_deref().map(Path::new))
    }

    /// Name of the rows: that of their file.
    pub(crate) fn name(&self) -> String {
        let stem = self.data.as_deref().or(self.train.as_deref()).and_then(Path::file_stem);
        stem.map_or_else(|| "data".into(), |stem| stem.to_string_lossy().into_owned())
    }

    /// Rows for a first model: the columns tell what the task is.
    pub(crate) fn read_new(&self, context: &Context) -> Result<Parts> {
        let columns = self.columns();
        let path = self.known()?;
        let known = tell(context, path, read(path, &columns)?);
        let test = self.read_test(context, known.expected())?;
        let parts = self.divide(known, test, self.division(context)?)?;
        let absent = parts.absent_labels();
        if !absent.is_empty() {
            context.console.note(format_args!("no row to train on has the labels {absent:?}"));
        }
        Ok(parts)
    }

    /// Rows for a known model. In the file that it was trained on, the test rows stay what they were then.
    pub(crate) fn read_like(&self, context: &Context, model: &Model, target_optional: bool) -> Result<Parts> {
        let expected = Expected { target_optional, options: self.options(model), ..model.expected() };
        self.check(&expected)?;
        let path = self.known()?;
        let read = |groups| read_like(path, Expected { groups, ..expected.clone() });
        let mut known = tell(context, path, read(self.groups.as_deref())?);
        let mut division = self.division(context)?;
        if let Some(kept) = self.kept(model, &known)? {
            if self.groups.is_none() && kept.groups.is_some() {
                known = read(kept.groups.as_deref())?;
            }
            division = kept.clone();
        }
        let test = self.read_test(context, expected)?;
        self.divide(known, test, division)
    }

    /// The division of --data.
    fn division(&self, context: &Context) -> Result<Division> {
        let shares = self.split.clone().unwrap_or(SPLIT.into());
        check_shares(&shares).context("--split")?;
        Ok(Division { shares, seed: context.seed, groups: self.groups.clone() })
    }

    /// The division of `rows` of --data when the model was trained on them.
    fn kept<'m>(&self, model: &'m Model, rows: &Dataset) -> Result<Option<&'m Division>> {
        let same = self.data.is_some() && rows.hash == model.metadata.data_hash;
        let Some(kept) = model.metadata.division.as_ref().filter(|_| same) else { return Ok(None) };
        if self.split.as_ref().is_some_and(|split| *split != kept.shares) {
            bail!("the model was trained on these rows, divided by {:?}: leave out --split", kept.shares);
        }
        if self.groups.is_some() && self.groups != kept.groups {
            let groups = kept.groups.as_deref().unwrap_or("no groups");
            bail!("the model was trained on these rows, divided by {groups}: leave out --groups");
        }
        Ok(Some(kept))
    }

    /// The file with the rows to train on.
    pub(crate) fn known(&self) -> Result<&Path> {
        match self.data.as_deref().or(self.train.as_deref()) {
            Some(path) => Ok(path),
            None => bail!("no rows to train on: give --data FILE, or --train FILE and --test FILE"),
        }
    }

    fn read_test(&self, context: &Context, expected: Expected<'_>) -> Result<Option<Dataset>> {
        let Some(path) = &self.test else { return Ok(None) };
        Ok(Some(tell(context, path, read_like(path, expected)?)))
    }

    /// Rows to judge a known model by: those of --test; of --data, those that it was not trained on, as far as it knows, or
    /// the test part of a --split; else all.
    pub(crate) fn read_judged(&self, context: &Context, model: &Model) -> Result<Dataset> {
        if let (None, Some(path), None) = (&self.test, &self.data, &self.split) {
            let rows = self.read_whole(context, path, model, false)?;
            if self.kept(model, &rows)?.is_none() {
                return Ok(rows);
            }
            context.console.note("the model was trained on rows of this file: the others are judged");
            let parts = self.read_like(context, model, false)?;
            return Ok(parts.test.unwrap_or(parts.known));
        }
        self.read_asked(context, model, false)
    }

    /// Rows for a known model: those of --test, the test part of a --split of --data, or all of --data.
    pub(crate) fn read_asked(
        &self,
        context: &Context,
        model: &Model,
        target_optional: bool,
    ) -> Result<Dataset> {
        match (&self.test, &self.data, &self.split) {
            (None, Some(_), Some(_)) => {
                let parts = self.read_like(context, model, target_optional)?;
                Ok(parts.test.unwrap_or(parts.known))
            }
            (Some(path), _, _) | (None, Some(path), None) => {
                self.read_whole(context, path, model, target_optional)
            }
            (None, None, _) => bail!("no rows: give --test FILE, or --data FILE"),
        }
    }

    /// Rows that a known model is to label.
    pub(crate) fn read_unlabelled(&self, context: &Context, path: &Path, model: &Model) -> Result<Dataset> {
        let expected = Expected { options: self.options(model), ..model.expected() };
        Ok(tell(context, path, read_unlabelled(path, expected)?))
    }

    fn read_whole(
        &self,
        context: &Context,
        path: &Path,
        model: &Model,
        target_optional: bool,
    ) -> Result<Dataset> {
        let expected = Expected { target_optional, options: self.options(model), ..model.expected() };
        self.check(&expected)?;
        Ok(tell(context, path, read_like(path, expected)?))
    }

    /// How a file is written: as the flags say, with the texts for missing values of the rows that the model was trained
    /// on.
    fn options(&self, model: &Model) -> Options {
        let mut options = self.file.options();
        let known = model.expected().options.missing;
        options.missing.extend(known.into_iter().filter(|text| !self.file.options().missing.contains(text)));
        options
    }

    /// The model knows its target; flags that say otherwise are a mistake.
    fn check(&self, expected: &Expected<'_>) -> Result<()> {
        let known = expected.task.target();
        if let Some(asked) = self.target.as_ref().filter(|asked| *asked != known) {
            bail!("the model predicts {known:?}, not {asked:?}: leave out --target");
        }
        if !self.text.columns().is_empty() {
            bail!("the model knows which columns are text: leave out --text");
        }
        let regression = expected.task.labels().is_empty();
        if self.task.is_some_and(|task| (task == TaskFlag::Regression) != regression) {
            bail!("the model predicts {}: leave out --task", if regression { "values" } else { "labels" });
        }
        Ok(())
    }

    fn divide(&self, rows: Dataset, test: Option<Dataset>, division: Division) -> Result<Parts> {
        let Some(path) = &self.data else {
            // Few rows may not suffice for a validation part, which early stopping alone needs.
            let places = split(&rows, &SPLIT_WITHOUT_TEST, division.seed).ok();
            let places = places.and_then(|parts| parts.try_into().ok());
            let file_rows: Vec<usize> = (0..rows.rows()).collect();
            let places = places.unwrap_or_else(|| [file_rows.clone(), Vec::new()]);
            let file_count = rows.rows();
            let left_out = rows.left_out.clone();
            return Ok(Parts { known: rows, file_rows, file_count, left_out, places, test, division: None });
        };
        let parts =
            split(&rows, &division.shares, division.seed).with_context(|| path.display().to_string())?;
        let Ok([train, validation, test]) = <[Vec<usize>; 3]>::try_from(parts) else {
            bail!("--split takes three shares: for training, validation and test, as 0.7,0.15,0.15");
        };
        let mut known: Vec<usize> = [train.as_slice(), &validation].concat();
        known.sort_unstable();
        let place = |rows: Vec<usize>| {
            rows.into_iter().filter_map(|row| known.binary_search(&row).ok()).collect::<Vec<_>>()
        };
        let places = [place(train), place(validation)];
        Ok(Parts {
            known: rows.select(&known),
            file_rows: known,
            file_count: rows.rows(),
            left_out: rows.left_out.clone(),
            places,
            test: Some(rows.select(&test)),
            division: Some(division),
        })
    }
}

/// Passes on what was noticed in a file.
fn tell(context: &Context, path: &Path, data: Dataset) -> Dataset {
    for note in &data.notes {
        context.console.note(format_args!("{}: {note}", path.display()));
    }
    data
}
