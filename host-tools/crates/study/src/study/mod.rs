//! Studies: does distillation cure overfitting on your data? Students taught in several ways are compared
//! fairly.
//!
//! A [`Study`] is the product of problems, conditions, seeds and [`Arm`]s. All arms of a seed share its
//! training and test rows, its initial weights and its order of samples. Hyperparameters are tuned by
//! cross-validation on training rows, with the same number of candidates for every tuned arm. Finished models
//! are written to a [`Journal`], from which [`Results`] are made.

pub(crate) mod advice;
mod arms;
mod choice;
mod data;
mod diagnostics;
pub mod figures;
mod journal;
mod metric;
mod narrative;
mod recommendation;
pub mod results;
mod rows;
mod run;
pub(crate) mod statistics;
mod summary;
#[cfg(test)]
mod tests;
mod training;
mod tuning;
pub(crate) mod verdict;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use microdistill_train::effort::Effort;
use microdistill_train::error::{Error, Result};
use microdistill_train::metrics::BINS;

pub use arms::{
    Arm, always, always_of_values, by_name, others, others_of_values, random_labels, taught_by_a_network,
};
pub(crate) use arms::{CANDIDATES, names};
pub use data::{Problem, Source};
pub use journal::Journal;
pub use results::Results;
use results::{ArmKind, Condition, Division};
use run::Replicate;
pub use training::Watch;

/// Temperatures at which soft labels are tried in addition to the usual one.
const TEMPERATURES: [f32; 5] = [1.0, 2.0, 4.0, 8.0, 16.0];

/// Hidden widths in which some arms are tried.
const SIZES: [usize; 4] = [4, 8, 16, 32];

/// Number of seeds of the arms that are tried in several sizes, in a study of several data sets.
const SIZE_SEEDS: usize = 3;

/// Names of the arms that are tried in several sizes.
const SIZED: [&str; 3] = [names::HARD, names::LABELS, names::DEFAULT];

/// A part of a study, for one of several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Index of the part, from 0.
    index: usize,
    /// Number of parts, at least 1.
    of: usize,
}

impl Shard {
    /// The whole study.
    pub const ALL: Shard = Shard { index: 0, of: 1 };

    /// Part `index` of `of`, from 0; none if there is no such part.
    pub fn new(index: usize, of: usize) -> Option<Self> {
        (index < of).then_some(Shard { index, of })
    }

    fn has(self, place: usize) -> bool {
        place % self.of == self.index
    }
}

/// A study: arms, data sets, conditions and seeds.
#[derive(Clone, Debug)]
pub struct Study {
    /// Title, one line.
    pub title: String,
    /// Name of the preset, if the study is one.
    pub preset: Option<String>,
    /// The data sets, with distinct names.
    pub problems: Vec<Problem>,
    /// Names of the data sets that recipes were not developed on.
    pub held_out: Vec<String>,
    /// Conditions applied to the training rows.
    pub conditions: Vec<Condition>,
    /// The arms. The first one is the teacher of the others.
    pub arms: Vec<Arm>,
    /// The seeds, all distinct.
    pub seeds: Vec<u64>,
    /// Hidden widths of the students.
    pub hidden: Vec<usize>,
    /// Hidden widths of the teachers that are networks.
    pub teacher_hidden: Vec<usize>,
    /// Time that blends and the recipe of `distill` may take.
    pub effort: Effort,
    /// Number of folds of the training rows in which candidates are judged: at least 2, and at most one per
    /// group.
    pub folds: usize,
}

impl Study {
    /// Checks that the study can be run.
    ///
    /// # Errors
    /// Returns an error if there is nothing to compare, a share is out of range, or a name occurs twice.
    pub fn check(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::Invalid(message));
        if self.seeds.is_empty() || self.problems.is_empty() || self.conditions.is_empty() {
            return invalid("a study needs at least one seed, one data set and one condition".into());
        }
        for Condition { label_noise, training_share } in &self.conditions {
            if !(0.0..1.0).contains(label_noise) {
                return invalid(format!("label noise {label_noise}: it must be at least 0 and below 1"));
            }
            if !(*training_share > 0.0 && *training_share <= 1.0) {
                return invalid(format!("training share {training_share}: it must be above 0 and at most 1"));
            }
        }
        if let [first, ..] = self.problems.as_slice()
            && let Some(other) = self.problems.iter().find(|other| other.has_values() != first.has_values())
        {
            return invalid(format!(
                "{} and {}: one has labels and the other values, so their scores have no common mean: study them separately",
                first.name, other.name
            ));
        }
        if self.has_values() && self.conditions.iter().any(|condition| condition.label_noise > 0.0) {
            return invalid(
                "label noise needs class labels, but the target holds values: set it to 0".into(),
            );
        }
        let names = self.problems.iter().map(|problem| &problem.name);
        if let Some(name) = twice(names).or_else(|| twice(self.arms.iter().map(|arm| &arm.name))) {
            return invalid(format!("{name} occurs twice: list each data set and recipe once"));
        }
        if let Some(name) = self.held_out.iter().find(|name| !self.problems.iter().any(|p| p.name == **name))
        {
            return invalid(format!(
                "{name} is held out, but is not one of the data sets: add it or correct the name"
            ));
        }
        // Problems are found here, before hours of work.
        for problem in &self.problems {
            for (&condition, left_out) in
                self.conditions.iter().flat_map(|of| problem.draws().into_iter().map(move |draw| (of, draw)))
            {
                let draw = problem.draw(condition, self.folds, self.seeds[0], left_out)?;
                let classes = draw.train.task.labels().len();
                // Recipes for values have no requirements on the classes.
                for arm in self.arms.iter().filter(|_| classes > 0) {
                    let named = |error| Error::Invalid(format!("{}, {}: {error}", problem.name, arm.name));
                    arm.method.recipe.check(classes).map_err(named)?;
                }
            }
        }
        Ok(())
    }

    /// Fingerprint of everything that the records of a journal have in common: rows, widths, effort and folds. Seeds,
    /// arms and conditions are left out, because they may be added later. 16 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let sets: Vec<_> = self.problems.iter().map(|problem| (&problem.name, problem.hash())).collect();
        let all = (sets, &self.hidden, &self.teacher_hidden, self.effort, self.folds);
        Sha256::digest(format!("{all:?}")).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Trains every model of the `shard` that `journal` does not hold yet, on all cores. The result does not depend on the
    /// number of cores, nor on the shards.
    ///
    /// # Errors
    /// Returns the first error of any training, or [`Error::Interrupted`]. Models finished before the error
    /// are in the journal.
    pub fn run(&self, journal: &Journal, shard: Shard, watch: &Watch<'_>) -> Result<()> {
        let hashes = self.hashes();
        let (choosing, running) = self.share(&hashes, shard);
        choosing.par_iter().try_for_each(|replicate| replicate.choose(journal, watch))?;
        running.par_iter().try_for_each(|replicate| replicate.run(journal, watch))
    }

    /// Estimates the work that [`run`](Study::run) has left, in the unit of [`Watch::done`].
    pub fn work(&self, journal: &Journal, shard: Shard) -> u64 {
        let hashes = self.hashes();
        let (choosing, running) = self.share(&hashes, shard);
        let choices: u64 = choosing.iter().map(|replicate| replicate.work_of_choices(journal)).sum();
        choices + running.iter().map(|replicate| replicate.work(journal)).sum::<u64>()
    }

    /// Number of trainings that [`run`](Study::run) has left, including those that judge candidates.
    pub fn trainings(&self, journal: &Journal, shard: Shard) -> usize {
        let hashes = self.hashes();
        let (choosing, running) = self.share(&hashes, shard);
        let choices: usize = choosing.iter().map(|replicate| replicate.trainings_of_choices(journal)).sum();
        choices + running.iter().map(|replicate| replicate.trainings(journal)).sum::<usize>()
    }

    /// The replicates of a shard: those that choose, and those that train. Shards whose replicates share a choice repeat it,
    /// with the same outcome, because they cannot wait for each other.
    fn share<'a>(&'a self, hashes: &'a [String], shard: Shard) -> (Vec<Replicate<'a>>, Vec<Replicate<'a>>) {
        let all = || self.replicates(hashes);
        let running: Vec<Replicate<'_>> =
            all().enumerate().filter(|(place, _)| shard.has(*place)).map(|(_, of)| of).collect();
        let chooses =
            |of: &Replicate<'_>| of.chooses() && running.iter().any(|other| other.shares_choices_with(of));
        (all().filter(chooses).collect(), running)
    }

    /// Computes the results from the models of the journal.
    ///
    /// # Errors
    /// Returns an error if models are missing: call [`run`](Study::run) first.
    pub fn results(&self, journal: &Journal, command: &str) -> Result<Results> {
        summary::results(self, journal, command)
    }

    fn hashes(&self) -> Vec<String> {
        self.problems.iter().map(Problem::hash).collect()
    }

    /// All replicates, ordered by data set, condition, group left out and seed.
    fn replicates<'a>(&'a self, hashes: &'a [String]) -> impl Iterator<Item = Replicate<'a>> {
        self.problems.iter().zip(hashes).flat_map(move |(problem, hash)| {
            self.conditions.iter().flat_map(move |&condition| self.replicates_of(problem, hash, condition))
        })
    }

    /// The replicates of one data set and condition, ordered by group left out and seed.
    fn replicates_of<'a>(
        &'a self,
        problem: &'a Problem,
        hash: &'a str,
        condition: Condition,
    ) -> impl Iterator<Item = Replicate<'a>> {
        problem.draws().into_iter().flat_map(move |left_out| {
            (0..self.seeds.len()).map(move |index| Replicate {
                study: self,
                problem,
                hash,
                condition,
                left_out,
                index,
            })
        })
    }

    /// Choice of the test rows, the same for all data sets.
    fn division(&self) -> Division {
        let of = |problem: &Problem| match problem.source {
            Source::Given { .. } => Division::Given,
            Source::Redrawn { .. } | Source::Noise { .. } => Division::Redrawn,
            Source::LeaveOneGroupOut { .. } => Division::LeaveOneGroupOut,
        };
        // The given rows of one data set make the intervals of all a statement about them.
        let divisions: Vec<Division> = self.problems.iter().map(of).collect();
        let given = divisions.iter().find(|&&division| division == Division::Given);
        given.or(divisions.first()).copied().unwrap_or(Division::Given)
    }

    /// Number of seeds of the arms that are tried in several sizes. Where a student is recommended, small ones are compared
    /// with large ones, which takes all seeds.
    fn size_seeds(&self) -> usize {
        if self.problems.len() == 1 { self.seeds.len() } else { SIZE_SEEDS }
    }

    /// Returns true if the models predict values, which are scored by R² and RMSE, instead of classes.
    pub(super) fn has_values(&self) -> bool {
        self.problems.iter().any(Problem::has_values)
    }

    fn teacher(&self) -> &Arm {
        &self.arms[0]
    }

    fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    fn hidden_of(&self, arm: &Arm) -> Vec<usize> {
        match arm.method.kind {
            ArmKind::Teacher => self.teacher_hidden.clone(),
            ArmKind::Hard | ArmKind::Distilled => self.hidden.clone(),
        }
    }

    /// Soft labels of several temperatures.
    fn temperatures(&self) -> Vec<Arm> {
        let soft = self.arm(names::SOFT).into_iter();
        soft.flat_map(|arm| TEMPERATURES.iter().filter_map(|&t| arms::at_temperature(arm, t))).collect()
    }

    /// The arms that are tried in several sizes.
    fn sized(&self) -> Vec<Arm> {
        // A preset defines its sizes itself.
        let wanted = self.preset.is_none() && self.hidden.len() == 1;
        let names = SIZED.iter().filter(|_| wanted);
        names.filter_map(|name| self.arm(name)).cloned().collect()
    }
}

fn twice<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}
