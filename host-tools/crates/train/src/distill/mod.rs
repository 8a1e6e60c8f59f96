//! The recipe of distillation: what a student learns from, the form of its inputs and its weight decay, chosen on held-out
//! rows.
//!
//! A student that is distilled beats one that is trained on labels with the same care if three things come together:
//! a teacher that is a [blend](crate::teacher) of different models, [synthetic rows](crate::synthetic) that the teacher labels
//! (Bucilă et al. 2006, Fakoor et al. 2020), and piecewise-linear inputs where trees are better than networks (Gorishniy et
//! al. 2022). Which of them helps depends on the data, so [candidates](Candidate) are compared on held-out rows, whose teachers have not
//! seen these rows either. Training on labels alone is among the candidates.

mod candidate;
mod choice;
mod fit;
mod lesson;
mod material;
mod plan;
mod school;

pub use candidate::{Candidate, WEIGHT_DECAYS, all};
pub use choice::{Exam, Trial, best, trials};
pub use fit::{Choice, Distilled, Problem, Teachers, choose, exams, fit, material};
pub use lesson::Lesson;
pub use material::{Ask, Material, SYNTHETIC, Teaching};
pub use plan::{Plan, Scope, pieces};
pub use school::{Graduate, Student};
