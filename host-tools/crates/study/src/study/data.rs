//! The data of a study: rows, and how each seed draws its training and test rows from them.

use std::collections::BTreeSet;

use rand_pcg::Pcg32;
use sha2::{Digest as _, Sha256};

use super::results::{Condition, GroupCounts};
use super::rows::{STREAM, mislabel, noise, pool, share};
use super::verdict::FEWEST_LEFT_OUT;
use microdistill_train::dataset::{Dataset, Fold, Target, folds, split};
use microdistill_train::error::{Error, Result};

/// A named data set.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Name in tables.
    pub name: String,
    /// Source of the rows.
    pub source: Source,
}

/// Source of the rows of a problem.
#[derive(Clone, Debug)]
pub enum Source {
    /// The same training and test rows for every seed.
    Given {
        /// Training rows.
        train: Box<Dataset>,
        /// Test rows, with the same columns.
        test: Box<Dataset>,
    },
    /// Training and test rows of the same sizes, drawn from all rows for each seed. Groups are never split.
    Redrawn {
        /// All rows.
        all: Box<Dataset>,
        /// Share of the test rows, in (0, 1).
        test: f64,
    },
    /// Each group is the test once, and the rows of all other groups are trained on.
    LeaveOneGroupOut {
        /// All rows.
        all: Box<Dataset>,
        /// Names of the groups, ascending.
        groups: Vec<String>,
    },
    /// Independent features and labels, drawn for each seed, so that there is nothing to learn.
    Noise {
        /// Number of training rows, and of test rows.
        rows: usize,
        /// Number of features, uniform in [0, 1).
        features: usize,
        /// Number of classes, all equally likely.
        classes: usize,
    },
}

/// The training and test rows of one seed, shared by all arms.
pub(super) struct Draw {
    /// All training rows.
    pub(super) train: Dataset,
    /// Folds that judge candidates. The first one also serves for learning curves.
    pub(super) folds: Vec<Fold>,
    /// Rows that no choice depends on.
    pub(super) test: Dataset,
}

impl Draw {
    /// The training rows and the validation rows of this fold.
    pub(super) fn parts(&self, fold: &Fold) -> [Dataset; 2] {
        [&fold.train, &fold.validation].map(|rows| self.train.select(rows))
    }

    /// Numbers of groups, if they are known.
    pub(super) fn groups(&self) -> Option<GroupCounts> {
        let (train, test) = (self.train.group_names()?, self.test.group_names()?);
        let all = train.union(&test).count();
        Some(GroupCounts { train: train.len(), test: test.len(), all })
    }
}

impl Problem {
    /// Creates a problem with training rows and test rows. With `redraw`, each seed draws new ones of the
    /// same sizes from all rows.
    ///
    /// # Errors
    /// Returns an error if rows have no target.
    pub fn new(name: impl Into<String>, mut train: Dataset, test: Dataset, redraw: bool) -> Result<Self> {
        let name = name.into();
        check_targets(&name, [&train, &test])?;
        if train.task.targets().len() > 1 {
            let count = train.task.targets().len();
            train.notes.push(format!(
                "R² is the mean of {count} targets, and RMSE is √(1 − R²), in their standard deviations"
            ));
        }
        let source = if redraw {
            let share = test.rows() as f64 / (train.rows() + test.rows()) as f64;
            Source::Redrawn { all: Box::new(pool(&train, &test)), test: share }
        } else {
            Source::Given { train: Box::new(train), test: Box::new(test) }
        };
        Ok(Problem { name, source })
    }

    /// A problem in which each group is the test once. The rows of `test`, if there are any, are among those that are
    /// divided.
    ///
    /// # Errors
    /// Returns an error if rows have no target or no group, or there are fewer than three groups.
    pub fn leave_one_group_out(
        name: impl Into<String>,
        train: Dataset,
        test: Option<Dataset>,
    ) -> Result<Self> {
        let name = name.into();
        let all = test.map_or_else(|| train.clone(), |test| pool(&train, &test));
        check_targets(&name, [&all])?;
        let Some(groups) = &all.groups else {
            return Err(Error::Invalid(format!(
                "{name}: leaving one group out needs the group of every row: name its column by --groups"
            )));
        };
        let groups: Vec<String> = groups.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        if groups.len() < FEWEST_LEFT_OUT {
            return Err(Error::Invalid(format!(
                "{name}: leaving one group out needs at least {FEWEST_LEFT_OUT} groups, and there are {}: {groups:?}",
                groups.len()
            )));
        }
        Ok(Problem { name, source: Source::LeaveOneGroupOut { all: Box::new(all), groups } })
    }

    /// Number of divisions per seed: the number of groups, if each is left out once, and otherwise 1.
    pub fn count(&self) -> usize {
        self.draws().len()
    }

    /// The groups of which each is the test once; none if groups are not left out.
    pub(super) fn groups(&self) -> Vec<&str> {
        match &self.source {
            Source::LeaveOneGroupOut { groups, .. } => groups.iter().map(String::as_str).collect(),
            Source::Given { .. } | Source::Redrawn { .. } | Source::Noise { .. } => Vec::new(),
        }
    }

    /// The group that is left out in each draw of a seed.
    pub(super) fn draws(&self) -> Vec<Option<&str>> {
        match self.groups().as_slice() {
            [] => vec![None],
            groups => groups.iter().copied().map(Some).collect(),
        }
    }

    /// Returns true if the target is a value instead of a class.
    pub fn has_values(&self) -> bool {
        let data = match &self.source {
            Source::Given { train, .. } => train,
            Source::Redrawn { all, .. } | Source::LeaveOneGroupOut { all, .. } => all,
            Source::Noise { .. } => return false,
        };
        matches!(data.target, Target::Values(_))
    }

    /// Hash of everything that determines the training and test rows: 16 hexadecimal digits.
    pub(super) fn hash(&self) -> String {
        let mut sha = Sha256::new();
        let mut add = |data: &Dataset| {
            sha.update(data.hash.as_bytes());
            match &data.target {
                Target::Classes(classes) => {
                    classes.iter().for_each(|&class| sha.update((class as u64).to_le_bytes()));
                }
                Target::Values(values) => values.iter().for_each(|value| sha.update(value.to_le_bytes())),
                Target::Partial(_) | Target::Absent => {}
            }
            data.x.iter().for_each(|value| sha.update(value.to_le_bytes()));
            data.groups.iter().flatten().for_each(|group| sha.update(format!("{group}\n")));
        };
        match &self.source {
            Source::Given { train, test } => [train, test].into_iter().for_each(|data| add(data)),
            Source::Redrawn { all, test } => {
                add(all);
                sha.update(test.to_le_bytes());
            }
            Source::LeaveOneGroupOut { all, .. } => {
                add(all);
                sha.update("each group is the test once");
            }
            Source::Noise { rows, features, classes } => {
                sha.update(format!("noise {rows} {features} {classes}"));
            }
        }
        sha.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Ratio of test rows to training rows if pairs draw overlapping parts from one pool, otherwise 0: see
    /// [`Estimate::of`](super::statistics::Estimate::of).
    pub(super) fn overlap(&self) -> f64 {
        match &self.source {
            Source::Redrawn { test, .. } => test / (1.0 - test),
            Source::LeaveOneGroupOut { groups, .. } => 1.0 / (groups.len() as f64 - 1.0),
            Source::Given { .. } | Source::Noise { .. } => 0.0,
        }
    }

    /// Notes about the rows.
    pub(super) fn notes(&self) -> &[String] {
        match &self.source {
            Source::Given { train, .. } => &train.notes,
            Source::Redrawn { all, .. } | Source::LeaveOneGroupOut { all, .. } => &all.notes,
            Source::Noise { .. } => &[],
        }
    }

    /// Approximate number of training rows, and number of features.
    pub(super) fn size(&self, condition: Condition) -> (usize, usize) {
        let (rows, features) = match &self.source {
            Source::Given { train, .. } => (train.rows() as f64, train.features.len()),
            Source::Redrawn { all, test } => ((1.0 - test) * all.rows() as f64, all.features.len()),
            Source::LeaveOneGroupOut { all, groups } => {
                let share = 1.0 - 1.0 / groups.len() as f64;
                (share * all.rows() as f64, all.features.len())
            }
            Source::Noise { rows, features, .. } => (*rows as f64, *features),
        };
        ((rows * condition.training_share) as usize, features)
    }

    /// Returns true if every seed has the same training rows with the same labels, for each group left out.
    pub(super) fn is_fixed(&self, condition: Condition) -> bool {
        let Condition { label_noise, training_share } = condition;
        let fixed = matches!(self.source, Source::Given { .. } | Source::LeaveOneGroupOut { .. });
        fixed && label_noise == 0.0 && training_share == 1.0
    }

    /// Draws the training and test rows of `seed`, with the training rows in `count` folds. Label noise and
    /// the training share affect only training rows. `left_out` is one of [`draws`](Problem::draws).
    pub(super) fn draw(
        &self,
        condition: Condition,
        count: usize,
        seed: u64,
        left_out: Option<&str>,
    ) -> Result<Draw> {
        let without = left_out.map_or(String::new(), |group| format!(", without the group {group:?}"));
        let named = |error: Error| Error::Invalid(format!("{}{without}: {error}", self.name));
        let (train, test) = self.parts(seed, left_out).map_err(named)?;
        let train = share(train, condition.training_share, seed).map_err(named)?;
        check_classes(&train).map_err(named)?;
        let train = mislabel(train, condition.label_noise, seed);
        let folds = folds(&train, count, seed).map_err(named)?;
        Ok(Draw { train, folds, test })
    }

    fn parts(&self, seed: u64, left_out: Option<&str>) -> Result<(Dataset, Dataset)> {
        match &self.source {
            Source::Given { train, test } => Ok((Dataset::clone(train), Dataset::clone(test))),
            Source::Redrawn { all, test } => {
                // The folds of one seed must not equal the test split of another.
                let parts = split(all, &[1.0 - test, *test], seed ^ STREAM)?;
                Ok((all.select(&parts[0]), all.select(&parts[1])))
            }
            Source::LeaveOneGroupOut { all, .. } => {
                let groups = all.groups.iter().flatten();
                let (test, train): (Vec<_>, Vec<_>) =
                    groups.enumerate().partition(|(_, group)| Some(group.as_str()) == left_out);
                let rows =
                    |of: Vec<(usize, &String)>| all.select(&of.iter().map(|of| of.0).collect::<Vec<_>>());
                Ok((rows(train), rows(test)))
            }
            &Source::Noise { rows, features, classes } => {
                let mut rng = Pcg32::new(seed, STREAM);
                let mut part = || noise(rows, features, classes, &mut rng);
                Ok((part(), part()))
            }
        }
    }
}

fn check_targets<const N: usize>(name: &str, parts: [&Dataset; N]) -> Result<()> {
    let has_target = |data: &&Dataset| matches!(data.target, Target::Classes(_) | Target::Values(_));
    if parts.iter().all(has_target) {
        return Ok(());
    }
    Err(Error::Invalid(format!("{name}: some rows have no target: add it, or remove these rows")))
}

fn check_classes(train: &Dataset) -> Result<()> {
    let Target::Classes(classes) = &train.target else { return Ok(()) };
    let present: BTreeSet<usize> = classes.iter().copied().collect();
    let labels = train.task.labels().iter().enumerate();
    let absent: Vec<&String> =
        labels.filter(|(class, _)| !present.contains(class)).map(|(_, label)| label).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let mend = "add such rows, or remove these classes from the data";
    Err(Error::Invalid(format!("no training row has the labels {absent:?}: {mend}")))
}

#[cfg(test)]
mod tests {
    use microdistill_train::model::Task;
    use nalgebra::DMatrix;

    use super::*;

    const PLAIN: Condition = Condition { label_noise: 0.0, training_share: 1.0 };

    /// Rows identified by their feature, with `labels` classes and either twelve groups or none.
    fn rows(from: usize, count: usize, labels: usize, grouped: bool) -> Dataset {
        let all = from..from + count;
        Dataset {
            features: vec!["x".into()],
            x: DMatrix::from_iterator(1, count, all.clone().map(|row| row as f32)),
            task: Task::Classification {
                target: "y".into(),
                labels: (0..labels).map(|label| label.to_string()).collect(),
            },
            target: Target::Classes(all.clone().map(|row| row % labels).collect()),
            groups: grouped.then(|| all.map(|row| (row / labels % 12).to_string()).collect()),
            hash: String::new(),
            origin: Vec::new(),
            target_origin: Vec::new(),
            left_out: Vec::new(),
            keys: None,
            options: microdistill_train::table::Options::default(),
            notes: Vec::new(),
        }
    }

    fn ids(data: &Dataset) -> Vec<usize> {
        data.x.iter().map(|&x| x as usize).collect()
    }

    fn labels(data: &Dataset) -> &[usize] {
        if let Target::Classes(classes) = &data.target { classes } else { &[] }
    }

    #[test]
    fn a_seed_has_one_draw_and_the_test_rows_stay() {
        let problem = Problem::new("toy", rows(0, 240, 4, true), rows(240, 60, 4, true), false).unwrap();
        let [first, same, other] = [7, 7, 8].map(|seed| problem.draw(PLAIN, 4, seed, None).unwrap());
        assert_eq!((&first.folds, first.folds.len()), (&same.folds, 4));
        assert_ne!(first.folds, other.folds);
        assert_eq!((&first.train, &first.test), (&other.train, &other.test));
        let groups = |data: &Dataset| data.groups.iter().flatten().cloned().collect::<BTreeSet<_>>();
        let mut judging = Vec::new();
        for fold in &first.folds {
            let [inner, validation] = first.parts(fold);
            assert!(groups(&inner).is_disjoint(&groups(&validation)));
            judging.extend(ids(&validation));
        }
        judging.sort_unstable();
        assert_eq!(judging, ids(&first.train), "every training row is held out once");
    }

    #[test]
    fn noise_turns_exactly_its_share_and_no_test_label() {
        let (train, test) = (rows(0, 200, 5, false), rows(200, 50, 5, false));
        let problem = Problem::new("toy", train.clone(), test.clone(), false).unwrap();
        let draw = problem.draw(Condition { label_noise: 0.3, ..PLAIN }, 4, 3, None).unwrap();
        let turned = labels(&draw.train).iter().zip(labels(&train)).filter(|(a, b)| a != b).count();
        assert_eq!(turned, 60);
        assert_eq!((&draw.train.x, &draw.test), (&train.x, &test));
        // The rows that judge candidates have the same wrong labels.
        let [_, validation] = draw.parts(&draw.folds[0]);
        let validation = labels(&validation).iter().zip(ids(&validation));
        assert!(validation.clone().all(|(&label, row)| label == labels(&draw.train)[row]));
        assert!(validation.filter(|&(&label, row)| label != row % 5).count() > 0);
    }

    #[test]
    fn a_share_of_the_rows_keeps_the_classes_in_proportion() {
        let problem = Problem::new("toy", rows(0, 240, 4, true), rows(240, 60, 4, true), false).unwrap();
        let draw = problem.draw(Condition { training_share: 0.5, ..PLAIN }, 4, 3, None).unwrap();
        assert_eq!((draw.train.rows(), draw.test.rows()), (120, 60));
        for class in 0..4 {
            assert_eq!(labels(&draw.train).iter().filter(|&&label| label == class).count(), 30);
        }
    }

    #[test]
    fn redrawn_parts_hold_every_row_once_and_whole_groups() {
        let problem = Problem::new("toy", rows(0, 240, 4, true), rows(240, 60, 4, true), true).unwrap();
        assert!((problem.overlap() - 0.25).abs() < 1e-12);
        let [first, other] = [1, 2].map(|seed| problem.draw(PLAIN, 4, seed, None).unwrap());
        assert_ne!(ids(&first.test), ids(&other.test));
        let mut all = [ids(&first.train), ids(&first.test)].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..300));
        let groups = |data: &Dataset| data.groups.iter().flatten().cloned().collect::<BTreeSet<_>>();
        assert!(groups(&first.train).is_disjoint(&groups(&first.test)));
    }

    #[test]
    fn random_rows_are_new_for_each_seed() {
        let source = Source::Noise { rows: 100, features: 10, classes: 10 };
        let problem = Problem { name: "random".into(), source };
        let [first, same, other] = [1, 1, 2].map(|seed| problem.draw(PLAIN, 10, seed, None).unwrap());
        assert_eq!((&first.train, &first.test), (&same.train, &same.test));
        assert_ne!(first.train.x, other.train.x);
        assert_ne!(first.train.x, first.test.x);
        assert_eq!((first.train.x.shape(), first.folds[0].validation.len()), ((10, 100), 10));
        assert!(first.train.x.iter().all(|x| (0.0..1.0).contains(x)));
    }

    #[test]
    fn what_cannot_be_studied_is_refused() {
        let error = |problem: Result<Draw>| problem.err().map(|error| error.to_string()).unwrap_or_default();
        let mut train = rows(0, 40, 4, false);
        train.target = Target::Classes((0..40).map(|row| row % 3).collect());
        let problem = Problem::new("toy", train, rows(40, 12, 4, false), false).unwrap();
        let message = error(problem.draw(PLAIN, 4, 1, None));
        assert!(message.starts_with("toy: no training row has the labels [\"3\"]"), "{message}");
        let few = Problem::new("toy", rows(0, 3, 3, false), rows(3, 3, 3, false), false).unwrap();
        assert!(
            error(few.draw(Condition { training_share: 0.01, ..PLAIN }, 4, 1, None)).starts_with("toy: ")
        );
        let mut absent = rows(0, 4, 2, false);
        absent.target = Target::Absent;
        let message = Problem::new("toy", absent.clone(), absent, false).unwrap_err().to_string();
        assert_eq!(message, "toy: some rows have no target: add it, or remove these rows");
    }
}
