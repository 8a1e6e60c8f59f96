//! Benefit of adaptation in the field: new people and changed sensors, on real data, with the code that a device runs.
//! Prints the tables of `docs/results/field.md`, which describes the protocol.
//!
//! ```sh
//! cargo run --release --package microdistill-experiments --bin field -- FOLDER
//! cargo run --release --package microdistill-experiments --bin field -- FOLDER tune
//! cargo run --release --package microdistill-experiments --bin field -- FOLDER ruin
//! ```
//!
//! `FOLDER` has a folder for each data set, with `train.csv`, `test.csv` and, unless [`problem::SETS`] tells which person a
//! row belongs to, `groups_train.csv` and `groups_test.csv`. `tune` prints the scores that the hyperparameters of [`arms`] were
//! chosen by; it does not read the people that the study is scored on. `ruin` tests the guard on streams that would ruin a student.

mod arms;
mod device;
mod problem;
mod ruin;
mod shift;
#[path = "../../tests/field/streams.rs"]
mod streams;
mod study;
mod table;
mod tune;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use arms::{ARMS, Arm};
use problem::{Problem, SETS, Set};
use shift::Shift;
use study::{Models, Outcome};

/// Seeds of teachers, students, the order of arrival, and the device's random numbers.
const SEEDS: std::ops::Range<u64> = 0..10;

/// A scenario in the field.
#[derive(Clone, Copy)]
enum Scenario {
    NewPeople,
    /// The shift that the desktop prepared for.
    Shifted,
    /// Twice that shift.
    ShiftedTwice,
}

impl Scenario {
    const ALL: [(Scenario, &str); 3] = [
        (Scenario::NewPeople, "New people"),
        (Scenario::Shifted, "New people, shifted sensor"),
        (Scenario::ShiftedTwice, "New people, sensor shifted twice as far"),
    ];

    fn shift(self, set: &Set) -> Option<Shift> {
        match self {
            Scenario::NewPeople => None,
            Scenario::Shifted => Some(set.shift),
            Scenario::ShiftedTwice => Some(set.shift.twice()),
        }
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("give the folder of the data sets")?;
    let folder = Path::new(&folder);
    match arguments.next().as_deref() {
        None => study(folder),
        Some("tune") => tune::tune(folder),
        Some("ruin") => ruin::ruin(folder),
        Some(other) => bail!("unknown command {other}: give `tune`, `ruin` or nothing"),
    }
}

fn study(folder: &Path) -> Result<()> {
    let outcomes = outcomes(folder, &SETS, &Scenario::ALL.map(|(scenario, _)| scenario), &ARMS)?;
    for (index, (_, title)) in Scenario::ALL.iter().enumerate() {
        println!("### {title}\n");
        let sets: Vec<_> = outcomes.iter().map(|set| &set[index][..]).collect();
        table::scores(&sets);
        if index == 0 {
            table::details(&sets);
        }
    }
    Ok(())
}

/// Outcomes by data set, scenario and seed: the teacher's, the shipped student's, and those of `arms`.
fn outcomes(
    folder: &Path,
    sets: &[Set],
    scenarios: &[Scenario],
    arms: &[Arm],
) -> Result<Vec<Vec<Vec<Vec<Outcome>>>>> {
    let bar = bar(sets.len() as u64 * (SEEDS.end - SEEDS.start))?;
    let outcomes = sets.iter().map(|&set| {
        let problem = Problem::read(folder, set)?;
        let decay = study::tune(&problem)?;
        let people = problem.people.len();
        bar.suspend(|| {
            let rows = [&problem.train, &problem.trusted, &problem.home].map(|data| data.rows());
            eprintln!("{}: {rows:?} rows, {people} people in the field, weight decay {decay}", set.name);
        });
        let seed = |seed: u64| -> Result<Vec<Vec<Outcome>>> {
            let models = Models::train(&problem, decay, seed)?;
            let lives = |scenario: &Scenario| models.live(&problem, scenario.shift(&set), arms, seed);
            let lives = scenarios.iter().map(lives).collect();
            bar.inc(1);
            lives
        };
        let seeds: Vec<_> = SEEDS.into_par_iter().map(seed).collect::<Result<_>>()?;
        // Order by scenario first.
        Ok((0..scenarios.len()).map(|index| seeds.iter().map(|seed| seed[index].clone()).collect()).collect())
    });
    let outcomes = outcomes.collect();
    bar.finish_and_clear();
    outcomes
}

fn bar(length: u64) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len}, {eta} left")?;
    Ok(ProgressBar::new(length).with_style(style))
}
