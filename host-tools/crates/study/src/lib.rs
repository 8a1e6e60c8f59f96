//! Fair comparisons of distilled students, reports about them, and the search for the best student within a budget.
//!
//! Two questions come before a student is shipped. Does distillation help on these data, or would the same network trained
//! on labels do as well? And which network fits the flash, RAM and time of the device? This crate answers both.
//!
//! **A [`study`] compares.** Its [arms](study::Arm) are ways to train a student. All arms share the rows, initial weights and
//! order of samples of each seed, and tuned arms have the same number of candidates. Finished trainings go to a
//! [`Journal`](study::Journal), so that an interrupted study can continue. The [`Results`](study::Results) have means, paired
//! differences with p-values, and sentences that say what the figures show. [`report`] turns them into an HTML page and a
//! CSV table.
//!
//! ```
//! use microdistill_study::prelude::*;
//! use microdistill_train::dataset::{Columns, read, read_like};
//! use microdistill_train::effort::Effort;
//!
//! # fn main() -> microdistill_train::error::Result<()> {
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/data/watch_small");
//! # let out = std::env::temp_dir().join(format!("microdistill-study-{}", std::process::id()));
//! # std::fs::create_dir_all(&out).unwrap();
//! let columns = Columns { groups: Some("person".into()), ..Columns::default() };
//! let train = read(format!("{folder}/train.csv"), &columns)?;
//! let test = read_like(format!("{folder}/test.csv"), train.expected())?;
//! # let train = train.select(&(0..train.rows()).step_by(9).collect::<Vec<_>>());
//!
//! let study = Study {
//!     title: "Smartwatch exercises".into(),
//!     preset: None,
//!     problems: vec![Problem::new("watch", train, test, false)?],
//!     held_out: Vec::new(),
//!     conditions: vec![Condition { label_noise: 0.0, training_share: 1.0 }],
//!     arms: study::always(), // teacher, students on hard labels, and the default recipe of distillation
//!     seeds: (1..=10).collect(),
//!     hidden: vec![16],
//!     teacher_hidden: Vec::new(), // the teacher is a blend, not a network
//!     effort: Effort::Default,
//!     folds: 5,
//! };
//! # let study = Study { arms: study::random_labels(), seeds: vec![1], teacher_hidden: vec![8], folds: 2, ..study };
//! study.check()?;
//! let journal = Journal::open(out.join("ledger.jsonl"), &study.fingerprint())?;
//! study.run(&journal, Shard::ALL, &Watch { stop: &|| false, done: &|_| {} })?;
//!
//! let results: Results = study.results(&journal, "the command that repeats this study")?;
//! results.sentences.iter().for_each(|sentence| println!("{sentence}"));
//! let page = report::html(&results)?;
//! # assert!(page.contains("Smartwatch exercises"));
//! # std::fs::remove_dir_all(&out).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! **A [`search`](mod@search) chooses.** It draws hundreds of students that fit a [`Budget`](search::Budget), trains them by
//! successive halving, and returns the Pareto front of cost and held-out loss.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//!
//! use microdistill_study::prelude::*;
//! # use microdistill_train::dataset::Dataset;
//! # use microdistill_train::model::Model;
//!
//! # fn best(data: &Dataset, teacher: Model) -> microdistill_train::error::Result<()> {
//! let teachers = [(1.0, teacher)]; // each fold trains its own teachers like these
//! let budget = Budget { flash: Some(4096), ram: Some(1024), instructions: None };
//! let problem = search::Problem { data, teachers: Teachers::Like(&teachers), budget };
//! let plan = search::Plan { candidates: 54, folds: 3, seed: 1 };
//! let found = search::search(problem, plan, &|| {}, &|| ControlFlow::Continue(()))?;
//! println!("{:?} costs {:?}", found.best().candidate, found.best().cost);
//! # Ok(())
//! # }
//! ```
//!
//! The [`demo`] module is the comparison that `microdistill demo` shows.

pub mod demo;
pub mod report;
pub mod search;
pub mod study;

/// The names that most programs need.
///
/// ```
/// use microdistill_study::prelude::*;
/// ```
pub mod prelude {
    pub use crate::report;
    pub use crate::search::{self, Budget, Found, Teachers};
    pub use crate::study::results::Condition;
    pub use crate::study::{self, Arm, Journal, Problem, Results, Shard, Study, Watch};
}
