//! The compared ways to adapt and their hyperparameters. `field FOLDER tune` prints the scores that they were chosen by.

use microdistill::drift::{DriftLimits, PageHinkleyLimits};
use microdistill::loss::SoftLabels;

/// A way to adapt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Arm {
    pub(crate) name: &'static str,
    pub(crate) lesson: Lesson,
    /// Learning rate of SGD with a momentum of 0.9.
    pub(crate) rate: f32,
    /// Number of rehearsed samples among the eight of a step: labelled rows of the people that the student
    /// was trained for.
    pub(crate) rehearsed: usize,
    /// True if past samples are remembered; otherwise only the latest one is used.
    pub(crate) replay: bool,
    pub(crate) guard: Option<Caution>,
    /// The teacher is asked if the margin between the student's two likeliest classes is below this; above 1, always.
    pub(crate) margin: f32,
    /// Limits of the drift that starts and stops learning; `None` learns always.
    pub(crate) drift: Option<DriftLimits>,
}

/// What a student learns from a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Lesson {
    /// The teacher's probabilities.
    Soft(SoftLabels),
    /// The teacher's class.
    Hard,
    /// The correct class, from the user.
    User,
}

/// Limits of the guard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Caution {
    /// Number of steps before a candidate is evaluated.
    pub(crate) steps: u32,
    /// Loss in nats that may be given up on trusted rows, compared with the shipped student.
    pub(crate) nats: f32,
    /// Errors on trusted rows allowed in addition to the shipped student's; `None` allows none in addition to those of the student in use.
    pub(crate) errors: Option<u32>,
    /// Number of failed evaluations that a candidate survives.
    pub(crate) patience: u32,
}

/// The teacher's soft labels, with everything that the core offers for the field.
pub(crate) const ADAPTED: Arm = Arm {
    name: "soft labels, guard, replay",
    lesson: Lesson::Soft(SoftLabels::DEFAULT),
    rate: 0.001,
    rehearsed: 2,
    replay: true,
    guard: Some(CAUTION),
    margin: 2.0,
    drift: None,
};
pub(crate) const CAUTION: Caution = Caution { steps: 10, nats: 0.05, errors: Some(0), patience: 15 };

/// The compared arms.
pub(crate) const ARMS: [Arm; 9] = [
    ADAPTED,
    Arm { name: "without replay", rehearsed: 4, replay: false, ..ADAPTED },
    Arm { name: "queries when unsure", margin: 0.7, ..ADAPTED },
    Arm {
        name: "after drift is detected",
        drift: Some(DriftLimits {
            start: PageHinkleyLimits { tolerance: 0.02, threshold: 0.5 },
            ..DriftLimits::DEFAULT
        }),
        ..ADAPTED
    },
    Arm {
        name: "default guard",
        guard: Some(Caution { steps: 40, errors: None, patience: 0, ..CAUTION }),
        ..ADAPTED
    },
    Arm { name: "without guard", guard: None, ..ADAPTED },
    Arm { name: "hard labels of the teacher", lesson: Lesson::Hard, rehearsed: 4, ..ADAPTED },
    Arm { name: "labels of the user", lesson: Lesson::User, rate: 0.003, rehearsed: 4, ..ADAPTED },
    Arm {
        name: "labels of the user, without guard",
        lesson: Lesson::User,
        rate: 0.003,
        rehearsed: 0,
        guard: None,
        ..ADAPTED
    },
];
