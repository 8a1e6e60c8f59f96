//! Streams that would ruin a student, from people that neither student nor guard has seen, and how far its accuracy falls.

use std::path::Path;

use anyhow::{Result, bail};
use microdistill::Mlp;
use rayon::prelude::*;

use crate::arms::CAUTION;
use crate::device::{Sample, Student};
use crate::problem::{Problem, SETS};
use crate::streams::{STREAMS, Stream, Victim};
use crate::study::{Models, for_device, of_student, tune};
use crate::{SEEDS, bar};

/// Number of streams per kind and student: 10,080 streams in total.
const STREAMS_A_SEED: u64 = 36;

/// Allowance and patience of the guard: the defaults, and those of [`CAUTION`].
const GUARDS: [(Option<u32>, u32); 2] = [(None, 0), (CAUTION.errors, CAUTION.patience)];

/// Changes of the shipped student's accuracy in percentage points, with each guard and without one.
type Falls = [f64; GUARDS.len() + 1];

/// Prints the mean and the worst difference from the shipped student, by data set and kind of stream.
pub(crate) fn ruin(folder: &Path) -> Result<()> {
    println!("| data set | stream | default guard | guard with allowance and patience | no guard |");
    println!("|---|---|---|---|---|");
    let bar = bar(SETS.len() as u64 * STREAMS.len() as u64 * (SEEDS.end - SEEDS.start))?;
    for set in SETS {
        let problem = Problem::read(folder, set)?;
        let decay = tune(&problem)?;
        let train = |seed| Models::train(&problem, decay, seed);
        let models: Vec<Models> = SEEDS.into_par_iter().map(train).collect::<Result<_>>()?;
        for stream in STREAMS {
            let ruined = |models: &Models| {
                bar.inc(1);
                for_device!(models, falls(models, &problem, stream))
            };
            let falls = models.par_iter().map(ruined).collect::<Result<Vec<Vec<Falls>>>>()?.concat();
            let cell = |way: usize| {
                let mean = falls.iter().map(|falls| falls[way]).sum::<f64>() / falls.len() as f64;
                let worst = falls.iter().map(|falls| falls[way]).fold(f64::INFINITY, f64::min);
                format!("{mean:+.1} ({worst:+.1})")
            };
            bar.suspend(|| {
                println!("| {} | {stream:?} | {} | {} | {} |", set.name, cell(0), cell(1), cell(2))
            });
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn falls<S: Student<I, C>, const I: usize, const C: usize>(
    models: &Models,
    problem: &Problem,
    stream: Stream,
) -> Result<Vec<Falls>> {
    let shipped = models.ship::<S, I, C>(problem)?;
    let people = problem.people.iter().flat_map(|person| [&person.arriving, &person.judging]);
    let unseen: Vec<Sample<I, C>> = people.flat_map(|rows| models.samples(rows)).collect();
    let accuracy = |student: &S| of_student(student, &unseen).accuracy();
    let trusted = shipped.trusted.iter().map(|(x, class)| (shipped.edge.apply(x), *class));
    let rows = models.samples::<I, C>(&problem.train);
    let mut victim = Victim {
        student: shipped.student,
        trusted: trusted.collect(),
        rows: rows.iter().map(|sample| (sample.x, sample.teacher)).collect(),
        allowance: None,
        patience: 0,
    };
    let before = accuracy(&shipped.student);
    let mut fall = |seed: u64| {
        let mut falls = Falls::default();
        for (way, guard) in GUARDS.into_iter().enumerate() {
            (victim.allowance, victim.patience) = guard;
            let [guarded, alone] = stream.run(&victim, seed);
            falls[way] = accuracy(&guarded) - before;
            falls[GUARDS.len()] = accuracy(&alone) - before;
        }
        falls
    };
    Ok((0..STREAMS_A_SEED).map(&mut fall).collect())
}
