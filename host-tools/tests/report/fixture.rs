//! A made-up study with the shape of a real one and random numbers.

use std::collections::BTreeMap;

use microdistill_study::study::results::*;
use microdistill_train::metrics::{Classification, Scores};
use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg32;

/// Name, kind, accuracy on training and on test rows, and NLL.
type Arm = (&'static str, ArmKind, f64, f64, f64);

const ARMS: [Arm; 6] = [
    ("teacher", ArmKind::Teacher, 0.99, 0.86, 0.42),
    ("hard", ArmKind::Hard, 1.00, 0.83, 0.81),
    ("hard-l2", ArmKind::Hard, 0.95, 0.85, 0.41),
    ("hard-dropout", ArmKind::Hard, 0.96, 0.84, 0.45),
    ("output-mse", ArmKind::Distilled, 0.96, 0.82, 0.62),
    ("default", ArmKind::Distilled, 0.97, 0.86, 0.37),
];

const BINS: usize = 15;

/// Data sets with these labels.
pub(crate) fn study(sets: &[(&str, Vec<String>)], seeds: u64) -> Results {
    let arm = |(name, kind, ..): Arm| ArmInfo {
        name: name.into(),
        description: format!("What `{name}` is."),
        kind,
    };
    let mut random = Pcg32::seed_from_u64(1);
    let sets: Vec<SetResults> =
        sets.iter().map(|(name, labels)| set(name, labels, seeds, &mut random)).collect();
    let overall = Overall {
        title: "All data sets".into(),
        sets: sets.iter().map(|set| set.name.clone()).collect(),
        condition: CONDITION,
        summaries: sets.first().map_or(Vec::new(), |set| set.summaries.clone()),
        comparisons: sets.first().map_or(Vec::new(), |set| set.comparisons.clone()),
        ratios: vec![Ratio { a: "default".into(), b: "hard".into(), metric: "nll".into(), ratio: 0.47 }],
    };
    Results {
        title: "Does distillation cure overfitting?".into(),
        command: "microdistill study --data wine.csv --seeds 10".into(),
        version: "0.1.0".into(),
        preset: None,
        seeds: (1..=seeds).collect(),
        settings: StudySettings {
            hidden: vec![16],
            teacher_hidden: vec![128, 128],
            bins: BINS,
            candidates: 5,
            folds: 5,
            division: Division::Redrawn,
        },
        arms: ARMS.map(arm).into(),
        sets,
        overall: vec![overall],
        sentences: vec!["The default recipe is better than hard labels in likelihood.".into()],
    }
}

/// `class 1`, `class 2`, …
pub(crate) fn classes(count: usize) -> Vec<String> {
    (1..=count).map(|class| format!("class {class}")).collect()
}

const CONDITION: Condition = Condition { label_noise: 0.0, training_share: 1.0 };

fn set(name: &str, labels: &[String], seeds: u64, random: &mut Pcg32) -> SetResults {
    let mut cells = Vec::new();
    for (i, arm) in ARMS.iter().enumerate() {
        cells.extend((1..=seeds).map(|seed| cell(arm, i, labels.len(), seed, random)));
    }
    let of = |arm: &str, metric: &str| -> Vec<f64> {
        cells.iter().filter(|cell| cell.arm == arm).map(|cell| score(cell, metric)).collect()
    };
    let summary = |(arm, ..): Arm| {
        let scores = METRICS.iter().map(|&metric| (metric.into(), mean_std(&of(arm, metric))));
        Summary { arm: arm.into(), scores: scores.collect::<BTreeMap<_, _>>() }
    };
    let mut comparisons = Vec::new();
    for metric in ["test accuracy", "nll", "gap"] {
        for b in ["hard", "hard-l2", "hard-dropout", "output-mse", "teacher"] {
            let pairs = of("default", metric).into_iter().zip(of(b, metric));
            let differences: Vec<f64> = pairs.map(|(a, b)| a - b).collect();
            comparisons.push(Comparison {
                a: "default".into(),
                b: b.into(),
                metric: metric.into(),
                larger: differences.iter().filter(|difference| **difference > 0.0).count(),
                smaller: differences.iter().filter(|difference| **difference < 0.0).count(),
                estimate: Estimate::of(&differences, 0.0, 3),
            });
        }
    }
    let near = |mean: f64| MeanStd { mean, std: 0.01, n: seeds as usize };
    let temperature = |temperature: f64| TemperaturePoint {
        temperature,
        accuracy: near(0.84 + 0.01 * temperature.ln()),
        nll: near(0.45 - 0.03 * temperature.ln()),
    };
    let size = |(arm, width): (&str, usize)| {
        let parameters = (20 + labels.len()) * width;
        SizePoint {
            arm: arm.into(),
            widths: vec![20, width, labels.len()],
            parameters,
            flash_bytes: 4 * parameters,
            accuracy: Some(near(0.7 + 0.03 * (width as f64).ln() + if arm == "hard" { 0.0 } else { 0.03 })),
            nll: Some(near(0.5)),
            r2: None,
            rmse: None,
            front: arm != "hard",
        }
    };
    let sizes = ["hard", "default"].into_iter().flat_map(|arm| [4, 8, 16, 32].map(|width| (arm, width)));
    SetResults {
        name: name.into(),
        held_out: false,
        condition: CONDITION,
        rows: RowCounts { train: 500, validation: 75, test: 200 },
        features: 20,
        labels: labels.into(),
        groups: Some(GroupCounts { train: 16, test: 7, all: 23 }),
        hash: "sha256:0123456789abcdef".into(),
        notes: vec!["3 columns never change and are left out".into()],
        summaries: ARMS.map(summary).into(),
        recommendation: None,
        comparisons,
        temperatures: [0.5, 1.0, 2.0, 4.0, 8.0].map(temperature).into(),
        sizes: sizes.map(size).collect(),
        cells,
    }
}

fn cell(arm: &Arm, index: usize, classes: usize, seed: u64, random: &mut Pcg32) -> Cell {
    let mut noise = |scale: f64| scale * (f64::from(random.next_u32()) / f64::from(u32::MAX) - 0.5);
    let &(name, kind, train, test, nll) = arm;
    let (test, train) = (test + noise(0.04), (train + noise(0.01)).min(1.0));
    let parameters = if kind == ArmKind::Teacher { 21383 } else { 615 };
    let right = (200.0 * test / classes as f64) as usize;
    let confusion = (0..classes).map(|i| {
        (0..classes).map(|j| if i == j { right } else { (i * 7 + j * 3 + index) % 5 / 2 }).collect()
    });
    let scores = |accuracy: f64, nll: f64| {
        Scores::Classification(Classification {
            rows: 200,
            groups: Some(7),
            accuracy,
            nll,
            brier: 0.5 * nll,
            ece: 0.1 * nll,
            confusion: confusion.clone().collect(),
        })
    };
    let curve = |epoch: usize| {
        let t = epoch as f64 / 60.0;
        CurvePoint {
            epoch,
            train_nll: Some(2.0 * (-4.0 * t).exp()),
            train_accuracy: Some(train * (1.0 - (-6.0 * t).exp())),
            validation_nll: Some(nll + 1.5 * (-6.0 * t).exp() + (nll - 0.3) * t),
            validation_accuracy: Some(test * (1.0 - (-7.0 * t).exp())),
            ..CurvePoint::default()
        }
    };
    let bin = |bin: usize| {
        let confidence = (bin as f64 + 0.5) / BINS as f64;
        Bin { confidence, accuracy: (confidence - 0.2 * (nll - 0.3)).max(0.0), rows: 1 + bin * bin / 4 }
    };
    let curve: Vec<CurvePoint> = if seed == 1 { (1..=60).map(curve).collect() } else { Vec::new() };
    Cell {
        arm: name.into(),
        seed,
        group: None,
        widths: vec![20, 16, classes],
        parameters,
        flash_bytes: Some(4 * parameters),
        flash_bytes_int8: Some(parameters + 100),
        chosen: (name == "hard-l2")
            .then(|| format!("weight decay {}", if seed.is_multiple_of(2) { 0.5 } else { 0.1 })),
        train: scores(train, 0.1),
        test: scores(test, nll + noise(0.1)),
        test_int8: (kind != ArmKind::Teacher).then(|| scores(test - 0.002, nll)),
        curve,
        reliability: (3..BINS).map(bin).collect(),
        predictions: Vec::new(),
    }
}

fn score(cell: &Cell, metric: &str) -> f64 {
    let (Scores::Classification(train), Scores::Classification(test)) = (&cell.train, &cell.test) else {
        return f64::NAN;
    };
    match metric {
        "train accuracy" => train.accuracy,
        "test accuracy" => test.accuracy,
        "gap" => train.accuracy - test.accuracy,
        "nll" => test.nll,
        "brier" => test.brier,
        "ece" => test.ece,
        "parameters" => cell.parameters as f64,
        _ => cell.flash_bytes.map_or(f64::NAN, |bytes| bytes as f64),
    }
}

pub(crate) fn mean_std(values: &[f64]) -> MeanStd {
    MeanStd::of(values)
}
