//! Changes to the rows of a study: pooled, drawn, mislabelled, made of noise.

use nalgebra::DMatrix;
use rand_core::Rng as _;
use rand_pcg::Pcg32;

use microdistill_train::dataset::{Dataset, Target, split};
use microdistill_train::error::Result;
use microdistill_train::model::Task;
use microdistill_train::random::{below, shuffle};

/// Random stream for the draws of a study.
pub(super) const STREAM: u64 = 0x5354_5544_5953;

/// Combines the rows of both data sets.
pub(super) fn pool(a: &Dataset, b: &Dataset) -> Dataset {
    let columns: Vec<_> = a.x.column_iter().chain(b.x.column_iter()).collect();
    let target = match (&a.target, &b.target) {
        (Target::Classes(a), Target::Classes(b)) => Target::Classes([a.as_slice(), b].concat()),
        (Target::Values(a), Target::Values(b)) => {
            let columns: Vec<_> = a.column_iter().chain(b.column_iter()).collect();
            Target::Values(DMatrix::from_columns(&columns))
        }
        _ => Target::Absent,
    };
    let groups = a.groups.as_ref().zip(b.groups.as_ref());
    Dataset {
        x: DMatrix::from_columns(&columns),
        target,
        groups: groups.map(|(a, b)| [a.as_slice(), b].concat()),
        ..a.clone()
    }
}

/// Selects this share of the rows of each class. Every group keeps some rows, but fewer.
pub(super) fn share(data: Dataset, share: f64, seed: u64) -> Result<Dataset> {
    if share >= 1.0 {
        return Ok(data);
    }
    let ungrouped = Dataset { groups: None, ..data.clone() };
    Ok(data.select(&split(&ungrouped, &[share, 1.0 - share], seed ^ STREAM)?[0]))
}

/// Replaces the labels of `share` of the rows, rounded to whole rows, by another label, all equally likely.
pub(super) fn mislabel(mut data: Dataset, share: f64, seed: u64) -> Dataset {
    let labels = data.task.labels().len();
    let Target::Classes(classes) = &mut data.target else { return data };
    if labels < 2 {
        return data;
    }
    let mut rng = Pcg32::new(seed, STREAM);
    let mut rows: Vec<usize> = (0..classes.len()).collect();
    shuffle(&mut rows, &mut rng);
    rows.truncate((share * classes.len() as f64).round() as usize);
    for row in rows {
        classes[row] = (classes[row] + 1 + below(labels - 1, &mut rng)) % labels;
    }
    data
}

/// Random features and labels, so that there is nothing to learn.
pub(super) fn noise(rows: usize, features: usize, classes: usize, rng: &mut Pcg32) -> Dataset {
    let x = DMatrix::from_fn(features, rows, |_, _| (rng.next_u32() >> 8) as f32 / (1 << 24) as f32);
    Dataset {
        features: (0..features).map(|feature| format!("x{feature}")).collect(),
        x,
        task: Task::Classification {
            target: "class".into(),
            labels: (0..classes).map(|class| class.to_string()).collect(),
        },
        target: Target::Classes((0..rows).map(|_| below(classes, rng)).collect()),
        groups: None,
        hash: String::new(),
        origin: Vec::new(),
        target_origin: Vec::new(),
        left_out: Vec::new(),
        keys: None,
        options: microdistill_train::table::Options::default(),
        notes: Vec::new(),
    }
}
