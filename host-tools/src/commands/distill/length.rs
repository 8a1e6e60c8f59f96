//! The length of a student's training, chosen on held-out rows.

use anyhow::Result;
use microdistill_train::dataset::{Dataset, Fold, Target};
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::hyperparameters::ChosenLength;
use microdistill_train::model::Task;
use microdistill_train::student::Settings;
use microdistill_train::tune::{LengthChoice, budget, work};

use super::{Distill, Lesson, TrainingSet};
use crate::context::Context;
use crate::flags::length::Lengthened;
use crate::interrupt;

/// Cost of a training step of a student relative to that of a teacher of the same widths: students learn sample by sample.
const SLOWER: usize = 4;

impl Distill {
    /// Chooses the length of trainings with `settings`. `rows` are the data's own rows, the last `validation` of which are
    /// validation rows that the user set aside, if any. `lesson` adds what belongs to a part of them: further rows and hints.
    pub(super) fn choose_length(
        &self,
        context: &Context,
        rows: &TrainingSet,
        validation: usize,
        settings: &Settings,
        samples: usize,
        lesson: impl Fn(TrainingSet) -> LibraryResult<Lesson> + Sync,
    ) -> Result<ChosenLength> {
        let mut settings = settings.clone();
        settings.training.patience = None;
        let training = &settings.training;
        let count = rows.rows.rows();
        let (train, held_out) = ((0..count - validation).collect(), (count - validation..count).collect());
        let fold = (validation > 0).then_some(Fold { train, validation: held_out });
        let judged = judged(rows);
        let work = SLOWER * work(&training.widths, 1);
        let choice = LengthChoice::new(&judged, samples, training, fold, work, self.budget(count));
        Lengthened { label: "student", rows: &judged, choice, settings: training }.choose(
            context,
            |indices| lesson(rows.select(indices)),
            |lesson, length, bar| {
                let mut settings = Settings { blend: lesson.blend, ..settings.clone() };
                settings.training.length = length;
                let steps = settings.training.steps_per_epoch(lesson.samples()) as u64;
                lesson.fit(None, &settings, &mut |_| {
                    bar.inc(steps);
                    interrupt::flow()
                })
            },
        )
    }

    /// Budget of the choice of the length, and of that of the weight decay.
    pub(super) fn budget(&self, rows: usize) -> f64 {
        budget(rows) / 4.0
    }
}

/// The rows with a target each: where it is unknown, the answer of the teacher.
fn judged(set: &TrainingSet) -> Dataset {
    let TrainingSet { rows, teacher_outputs } = set;
    let target = match (&rows.target, &rows.task) {
        (Target::Classes(_) | Target::Values(_), _) => return rows.clone(),
        (_, Task::Regression { .. }) => Target::Values(teacher_outputs.values().into_owned()),
        (_, Task::Classification { .. }) => {
            let logits = teacher_outputs.logits(1.0);
            let answers = logits.column_iter().map(|logits| microdistill::argmax(logits.as_slice()));
            let labels = rows.labels().into_iter().zip(answers);
            Target::Classes(labels.map(|(label, answer)| label.unwrap_or(answer)).collect())
        }
    };
    Dataset { target, ..rows.clone() }
}
