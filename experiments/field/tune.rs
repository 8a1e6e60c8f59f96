//! Choice of the hyperparameters of [`arms`](crate::arms), on rows that the study trains on at the desktop.

use std::path::Path;

use anyhow::Result;
use microdistill::drift::{DriftLimits, PageHinkleyLimits};

use crate::arms::{ADAPTED, ARMS, Arm, CAUTION, Caution, Lesson};
use crate::problem::TUNING;
use crate::study::Outcome;
use crate::{Scenario, outcomes};

/// Prints the scores of every candidate, averaged over new people and people with a shifted sensor.
pub(crate) fn tune(folder: &Path) -> Result<()> {
    let arms = candidates();
    let sets = TUNING.map(|(set, _)| set);
    let outcomes = outcomes(folder, &sets, &[Scenario::NewPeople, Scenario::Shifted], &arms)?;
    println!(
        "| candidate | NLL, ratio | accuracy, pp | at home: NLL, nats | accuracy, pp | share asked | share learning |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (index, arm) in arms.iter().enumerate() {
        let mean = |of: &dyn Fn(&Outcome, &Outcome) -> f64| {
            let of_set = |(set, (_, weight)): (&Vec<Vec<Vec<Outcome>>>, (_, f64))| {
                let pairs = || set.iter().flatten().map(|seed| of(&seed[1], &seed[2 + index]));
                weight * pairs().sum::<f64>() / pairs().count() as f64
            };
            outcomes.iter().zip(TUNING).map(of_set).sum::<f64>()
        };
        println!(
            "| {} | {:.4} | {:+.2} | {:+.4} | {:+.2} | {:.2} | {:.2} |",
            describe(arm),
            mean(&|before, after| (after.field().likelihood() / before.field().likelihood()).ln()).exp(),
            mean(&|before, after| after.field().accuracy() - before.field().accuracy()),
            mean(&|before, after| after.home().likelihood() - before.home().likelihood()),
            mean(&|before, after| after.home().accuracy() - before.home().accuracy()),
            mean(&|_, after| f64::from(after.asked) / f64::from(after.samples)),
            mean(&|_, after| f64::from(after.learning) / f64::from(after.samples)),
        );
    }
    Ok(())
}

/// Candidates for each way to adapt: its learning rate and its number of rehearsed samples. The other hyperparameters are
/// varied for soft labels only, one after the other.
fn candidates() -> Vec<Arm> {
    let mut arms = Vec::new();
    let own = |arm: &&Arm| {
        arm.margin > 1.0 && arm.drift.is_none() && arm.guard.is_none_or(|guard| guard == CAUTION)
    };
    for kind in ARMS.iter().filter(own) {
        for rate in [0.001, 0.003, 0.01] {
            arms.extend([0, 2, 4].map(|rehearsed| Arm { rate, rehearsed, ..*kind }));
        }
    }
    for steps in [10, 20, 40] {
        for errors in [None, Some(0), Some(2), Some(4)] {
            let guards = [0, 3, 15].map(|patience| Some(Caution { steps, errors, patience, ..CAUTION }));
            arms.extend(guards.map(|guard| Arm { guard, ..ADAPTED }));
        }
    }
    arms.extend([0.1, 0.3, 0.5, 0.7, 0.9].map(|margin| Arm { margin, ..ADAPTED }));
    for tolerance in [0.01, 0.02, 0.05] {
        let starts = [0.5, 1.0, 2.0, 3.0].map(|threshold| PageHinkleyLimits { tolerance, threshold });
        let limits = starts.map(|start| DriftLimits { start, ..DriftLimits::DEFAULT });
        arms.extend(limits.map(|limits| Arm { drift: Some(limits), ..ADAPTED }));
    }
    arms
}

fn describe(arm: &Arm) -> String {
    let mut text = match arm.lesson {
        Lesson::Soft(_) => "soft".to_string(),
        Lesson::Hard => "hard".into(),
        Lesson::User => "user's".into(),
    };
    text += &format!(", rate {}, {} of 8 rehearsed", arm.rate, arm.rehearsed);
    if !arm.replay {
        text += ", no replay";
    }
    text += &match arm.guard {
        Some(Caution { steps, nats, errors, patience }) => {
            format!(", {steps} steps, {nats} nats, errors {errors:?}, patience {patience}")
        }
        None => ", no guard".into(),
    };
    if arm.margin <= 1.0 {
        text += &format!(", margin {}", arm.margin);
    }
    if let Some(DriftLimits { start, .. }) = arm.drift {
        text += &format!(", drift {} {}", start.tolerance, start.threshold);
    }
    text
}
