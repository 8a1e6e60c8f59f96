//! The data flags, the same for every command.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use microdistill_train::dataset::{
    Columns, Dataset, Expected, Kind, SeenRows, Target, check_shares, read, read_like, read_unlabelled,
    split, suspects,
};
use microdistill_train::model::{Division, Model};
use microdistill_train::table::Options;

use crate::context::Context;
use crate::flags::columns::ColumnFlags;
use crate::flags::unseen::unseen;
use crate::parts::Part;

/// Training and test rows.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataFlags {
    /// Data file (CSV, a spreadsheet, Parquet, NumPy, ARFF), divided by --split; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["train", "test"], required_unless_present_any = ["train", "test"])]
    pub(crate) data: Option<PathBuf>,
    /// Data file of training rows
    #[arg(long, value_name = "FILE")]
    pub(crate) train: Option<PathBuf>,
    /// Data file of test rows, which are never trained on
    #[arg(long, value_name = "FILE")]
    pub(crate) test: Option<PathBuf>,
    /// Shares of --data for training, validation and test, drawn per class with --seed [default: 0.7,0.15,0.15]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', num_args = 1, allow_hyphen_values = true, conflicts_with_all = ["train", "test"])]
    pub(crate) split: Option<Vec<f64>>,
    /// Score test rows that were trained on as well, instead of leaving them out
    #[arg(long)]
    known_rows: bool,
    #[command(flatten)]
    pub(crate) columns: ColumnFlags,
}

/// Default shares of a data file.
pub(crate) const SPLIT: [f64; 3] = [0.7, 0.15, 0.15];
const SPLIT_WITHOUT_TEST: [f64; 2] = [0.85, 0.15];

/// Rows divided into parts. No group is in two parts.
pub(crate) struct Parts {
    /// All rows that are not test rows.
    pub(crate) known: Dataset,
    /// Indices of the known rows among all rows of their file.
    pub(crate) file_rows: Vec<usize>,
    /// Number of rows in that file.
    pub(crate) file_count: usize,
    /// Positions in the file of rows that were left out because they have no target. They do not count as its rows.
    pub(crate) left_out: Vec<usize>,
    /// Indices of the known rows to train on, and of those for early stopping.
    places: [Vec<usize>; 2],
    /// Test rows, which no choice depends on.
    pub(crate) test: Option<Dataset>,
    /// Division of the rows, if one file holds them all.
    division: Option<Division>,
    /// The column or file of the groups.
    groups: Option<String>,
}

impl Parts {
    /// Labels that only test rows have.
    fn absent_labels(&self) -> Vec<&str> {
        let Target::Classes(classes) = &self.known.target else { return Vec::new() };
        let classes: BTreeSet<usize> = classes.iter().copied().collect();
        let labels = self.known.task.labels().iter().enumerate();
        labels.filter(|(class, _)| !classes.contains(class)).map(|(_, label)| label.as_str()).collect()
    }

    /// Labels that no test row has, if there are test rows.
    fn untested_labels(&self) -> Vec<&str> {
        let Some(Target::Classes(tested)) = self.test.as_ref().map(|test| &test.target) else {
            return Vec::new();
        };
        let labels = self.known.task.labels().iter().enumerate();
        labels.filter(|(class, _)| !tested.contains(class)).map(|(_, label)| label.as_str()).collect()
    }

    /// The contents of the parts: the training rows, including those for validation, and the test rows.
    pub(crate) fn contents(&self) -> Vec<Part> {
        let test = self.test.as_ref().map(|test| Part::of("test", test));
        [Part::of("training", &self.known)].into_iter().chain(test).collect()
    }

    /// Prints a line about each part, and what the groups of the test make doubtful.
    pub(crate) fn tell(&self, context: &Context) {
        let contents = self.contents();
        contents.iter().for_each(|part| context.console.note(part.line()));
        if let [training, test] = contents.as_slice() {
            test.doubts(training).into_iter().for_each(|doubt| context.console.note(doubt));
        }
    }

    /// Records in a model that was trained on these rows which rows were held out.
    pub(crate) fn sign(&self, model: &mut Model) {
        model.metadata.division = self.division.clone();
        // The name of a column, not of a file, which another machine may not have.
        let is_column = |groups: &String| self.division.is_none() && !Path::new(groups).is_file();
        model.metadata.groups = self.groups.clone().filter(is_column);
    }

    /// Indices of the known rows to train on, and of the validation rows for early stopping.
    pub(crate) fn for_early_stopping(&self) -> Result<&[Vec<usize>; 2]> {
        if self.places[1].is_empty() {
            bail!("there are too few rows or groups for a validation part: leave out --patience");
        }
        Ok(&self.places)
    }
}

impl DataFlags {
    /// The files that rows are read from.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let rows = [&self.data, &self.train, &self.test].into_iter().flatten().map(PathBuf::as_path);
        rows.chain(self.columns.file())
    }

    /// Name of the data set: the name of its file.
    pub(crate) fn name(&self) -> String {
        let stem = self.data.as_deref().or(self.train.as_deref()).and_then(Path::file_stem);
        stem.map_or_else(|| "data".into(), |stem| stem.to_string_lossy().into_owned())
    }

    /// Reads rows for a new model. The columns determine the task; `key` is the column of the rows' keys.
    pub(crate) fn read_new(&self, context: &Context, key: Option<&str>) -> Result<Parts> {
        let columns = Columns { key: key.map(str::to_owned), ..self.columns.columns() };
        let path = self.known()?;
        let known = tell(context, path, read(path, &columns)?);
        for suspect in suspects(&known) {
            context.console.note(format_args!("{}: WARNING: {}", path.display(), suspect.text));
        }
        let test = self.read_test(context, known.expected(), None)?;
        let parts = self.divide(known, test, self.division(context)?)?;
        let parts = self.without_seen(context, SeenRows::default(), parts)?;
        let absent = parts.absent_labels();
        if !absent.is_empty() {
            context.console.note(format_args!("no training row has these labels: {absent:?}"));
        }
        let untested = parts.untested_labels();
        if !untested.is_empty() {
            let note = "no test row has these labels, so the test scores say nothing about them";
            context.console.note(format_args!("{note}: {untested:?}"));
        }
        Ok(parts)
    }

    /// Reads rows for an existing model. In the file that it was trained on, the same rows are test rows as
    /// then; rows that are among the `seen` ones are no test rows in any file. `key` is the column of the rows' keys.
    pub(crate) fn read_like(
        &self,
        context: &Context,
        model: &Model,
        seen: &SeenRows,
        target_optional: bool,
        key: Option<&str>,
    ) -> Result<Parts> {
        let expected = Expected { target_optional, options: self.options(model), ..model.expected() };
        self.check(&expected)?;
        let path = self.known()?;
        let read = |groups| read_like(path, Expected { groups, key, ..expected.clone() });
        let mut known = tell(context, path, read(self.columns.groups.as_deref())?);
        let mut division = self.division(context)?;
        if let Some(kept) = self.kept(model, &known)? {
            if self.columns.groups.is_none() && kept.groups.is_some() {
                known = read(kept.groups.as_deref())?;
            }
            division = kept.clone();
        }
        let test = self.read_test(context, expected, model.metadata.known_groups())?;
        let parts = self.divide(known, test, division)?;
        self.without_seen(context, seen.clone(), parts)
    }

    /// Leaves out test rows that are among the `seen` ones or, of a file of their own, among those to train on.
    fn without_seen(&self, context: &Context, mut seen: SeenRows, mut parts: Parts) -> Result<Parts> {
        if self.test.is_some() {
            seen.extend(&SeenRows::of(&parts.known.x));
        }
        let unseen = |test| unseen(&context.console, &seen, test, self.known_rows);
        parts.test = parts.test.map(unseen).transpose()?;
        Ok(parts)
    }

    /// The division of --data.
    fn division(&self, context: &Context) -> Result<Division> {
        let shares = self.split.clone().unwrap_or(SPLIT.into());
        check_shares(&shares).context("--split")?;
        Ok(Division { shares, seed: context.seed, groups: self.columns.groups.clone() })
    }

    /// The division that the model recorded, if it was trained on these `rows` of --data.
    fn kept<'m>(&self, model: &'m Model, rows: &Dataset) -> Result<Option<&'m Division>> {
        let same = self.data.is_some() && rows.hash == model.metadata.data_hash;
        let Some(kept) = model.metadata.division.as_ref().filter(|_| same) else { return Ok(None) };
        if self.split.as_ref().is_some_and(|split| *split != kept.shares) {
            bail!("the model was trained on these rows, divided by {:?}: leave out --split", kept.shares);
        }
        if self.columns.groups.is_some() && self.columns.groups != kept.groups {
            let groups = kept.groups.as_deref().unwrap_or("no groups");
            bail!("the model was trained on these rows, divided by {groups}: leave out --groups");
        }
        Ok(Some(kept))
    }

    /// The file with the rows to train on.
    pub(crate) fn known(&self) -> Result<&Path> {
        match self.data.as_deref().or(self.train.as_deref()) {
            Some(path) => Ok(path),
            None => bail!("there are no rows to train on: give --data FILE, or --train FILE and --test FILE"),
        }
    }

    /// Reads the rows of --test, with the groups asked for or `known`, if they are a column of it.
    fn read_test(
        &self,
        context: &Context,
        expected: Expected<'_>,
        known: Option<&str>,
    ) -> Result<Option<Dataset>> {
        let Some(path) = &self.test else { return Ok(None) };
        let asked = self.columns.groups.as_deref();
        let expected = Expected { groups: asked.or(known), groups_optional: true, ..expected };
        let test = tell(context, path, read_like(path, expected)?);
        if let Some(groups) = asked.filter(|_| test.groups.is_none()) {
            context.console.note(format_args!(
                "{}: there is no column {groups:?}, so the number of groups in the test is unknown",
                path.display()
            ));
        }
        Ok(Some(test))
    }

    /// Reads the rows to score an existing model on: those of --test or, from --data, the test part of a --split or the rows that
    /// the model does not record as training rows.
    pub(crate) fn read_judged(&self, context: &Context, model: &Model) -> Result<Dataset> {
        if let (None, Some(path), None) = (&self.test, &self.data, &self.split) {
            let rows = self.read_whole(context, path, model, false)?;
            if self.kept(model, &rows)?.is_none() {
                return unseen(&context.console, &model.metadata.seen, rows, self.known_rows);
            }
            context
                .console
                .note("the model was trained on some rows of this file: only the others are scored");
            let parts = self.read_like(context, model, &model.metadata.seen, false, None)?;
            return Ok(parts.test.unwrap_or(parts.known));
        }
        let rows = self.read_asked(context, model, false)?;
        unseen(&context.console, &model.metadata.seen, rows, self.known_rows)
    }

    /// Reads the rows that an existing model is to predict: those of --test, the test part of a --split of --data, or all of --data.
    pub(crate) fn read_asked(
        &self,
        context: &Context,
        model: &Model,
        target_optional: bool,
    ) -> Result<Dataset> {
        match (&self.test, &self.data, &self.split) {
            (None, Some(_), Some(_)) => {
                let parts = self.read_like(context, model, &SeenRows::default(), target_optional, None)?;
                Ok(parts.test.unwrap_or(parts.known))
            }
            (Some(path), _, _) | (None, Some(path), None) => {
                self.read_whole(context, path, model, target_optional)
            }
            (None, None, _) => bail!("there are no rows: give --test FILE or --data FILE"),
        }
    }

    /// Reads unlabelled rows, which the teacher of the rows `like` these is to label.
    pub(crate) fn read_unlabelled(&self, context: &Context, path: &Path, like: &Dataset) -> Result<Dataset> {
        Ok(tell(context, path, read_unlabelled(path, like.expected())?))
    }

    fn read_whole(
        &self,
        context: &Context,
        path: &Path,
        model: &Model,
        target_optional: bool,
    ) -> Result<Dataset> {
        // The groups that the model was divided by are known to it; others are asked for.
        let asked = self.columns.groups.as_deref();
        let expected = Expected {
            target_optional,
            groups: asked.or(model.metadata.known_groups()),
            groups_optional: asked.is_none(),
            options: self.options(model),
            ..model.expected()
        };
        self.check(&expected)?;
        Ok(tell(context, path, read_like(path, expected)?))
    }

    /// Options to read a file with: the flags, and the texts for missing values that the model was trained with.
    fn options(&self, model: &Model) -> Options {
        let mut options = self.columns.options();
        let known = model.expected().options.missing;
        options
            .missing
            .extend(known.into_iter().filter(|text| !self.columns.options().missing.contains(text)));
        options
    }

    /// Refuses flags that contradict the target of the model.
    fn check(&self, expected: &Expected<'_>) -> Result<()> {
        // Rows to predict need no target, so another column is just not it.
        if !expected.target_optional && self.columns.contradicts(expected.task.targets()) {
            let (known, asked) = (expected.task.named_targets(), self.columns.targets());
            bail!("the model predicts {known}, not {asked:?}: leave out --target");
        }
        if self.columns.names_text() {
            bail!("the model already records which columns are text: leave out --text");
        }
        let regression = expected.task.labels().is_empty();
        if self.columns.kind().is_some_and(|kind| (kind == Kind::Regression) != regression) {
            bail!("the model predicts {}: leave out --task", if regression { "values" } else { "labels" });
        }
        Ok(())
    }

    fn divide(&self, rows: Dataset, test: Option<Dataset>, division: Division) -> Result<Parts> {
        let Some(path) = &self.data else {
            // Few rows may not suffice for a validation part, which only early stopping needs.
            let places = split(&rows, &SPLIT_WITHOUT_TEST, division.seed).ok();
            let places = places.and_then(|parts| parts.try_into().ok());
            let file_rows: Vec<usize> = (0..rows.rows()).collect();
            let places = places.unwrap_or_else(|| [file_rows.clone(), Vec::new()]);
            let file_count = rows.rows();
            let (left_out, groups) = (rows.left_out.clone(), division.groups);
            return Ok(Parts {
                known: rows,
                file_rows,
                file_count,
                left_out,
                places,
                test,
                division: None,
                groups,
            });
        };
        let parts =
            split(&rows, &division.shares, division.seed).with_context(|| path.display().to_string())?;
        let Ok([train, validation, test]) = <[Vec<usize>; 3]>::try_from(parts) else {
            bail!("--split takes three shares, for training, validation and test, such as 0.7,0.15,0.15");
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
            groups: division.groups.clone(),
            division: Some(division),
        })
    }
}

/// Prints the notes that reading a file produced.
fn tell(context: &Context, path: &Path, data: Dataset) -> Dataset {
    for note in &data.notes {
        context.console.note(format_args!("{}: {note}", path.display()));
    }
    data
}
