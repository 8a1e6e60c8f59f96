//! Summary of the models: means, differences, the student to ship and Pareto fronts.

use std::collections::BTreeMap;

use super::arms::names;
use super::choice::{self, Metrics};
use super::data::Problem;
use super::journal::Journal;
use super::metric::values;
use super::results::{
    ArmKind, Cell, Comparison, Condition, Estimate, METRICS, MeanStd, Overall, Ratio, Recommendation,
    Results, RowCounts, SetResults, SizePoint, StudySettings, Summary, TemperaturePoint, VALUE_METRICS,
};
use super::run::Replicate;
use super::{Arm, BINS, CANDIDATES, SIZES, Study, narrative};
use microdistill_train::error::{Error, Result};

/// Compared metrics. Training and test rows together show whether a student overfits; the test rows alone
/// show how good it is.
const COMPARED: [&str; 3] = ["test accuracy", "nll", "gap"];

/// Compared metrics for values.
const COMPARED_VALUES: [&str; 3] = ["r2", "rmse", "r2 gap"];

impl Study {
    fn metrics(&self) -> &'static [&'static str] {
        if self.has_values() { &VALUE_METRICS } else { &METRICS }
    }

    fn compared(&self) -> [&'static str; 3] {
        if self.has_values() { COMPARED_VALUES } else { COMPARED }
    }
}

/// Returns true if the metric has the same meaning in all data sets.
fn is_common(metric: &str) -> bool {
    !metric.ends_with("rmse")
}

pub(super) fn results(study: &Study, journal: &Journal, command: &str) -> Result<Results> {
    let hashes = study.hashes();
    let mut sets = Vec::new();
    for (problem, hash) in study.problems.iter().zip(&hashes) {
        for &condition in &study.conditions {
            sets.push(set(study, journal, problem, hash, condition)?);
        }
    }
    let mut results = Results {
        title: study.title.clone(),
        command: command.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        preset: study.preset.clone(),
        seeds: study.seeds.clone(),
        settings: StudySettings {
            hidden: study.hidden.clone(),
            teacher_hidden: study.teacher_hidden.clone(),
            bins: BINS,
            candidates: CANDIDATES,
            folds: study.folds,
            division: study.division(),
        },
        arms: study.arms.iter().map(Arm::info).collect(),
        overall: study.conditions.iter().flat_map(|&condition| over(study, &sets, condition)).collect(),
        sets,
        sentences: Vec::new(),
    };
    results.sentences = narrative::write(&results);
    Ok(results)
}

/// The pairs of arms that are compared: a distilled student, that of the default recipe if there is one, with every other
/// student and with its teacher. A short list needs less correction.
fn pairs(arms: &[Arm]) -> Vec<(&str, &str)> {
    let distilled = || arms.iter().filter(|arm| arm.method.kind == ArmKind::Distilled);
    let Some(ours) = distilled().find(|arm| arm.name == names::DEFAULT).or_else(|| distilled().next_back())
    else {
        return Vec::new();
    };
    let students = arms.iter().filter(|arm| arm.method.kind != ArmKind::Teacher && arm.name != ours.name);
    let rivals = students.map(|arm| arm.name.as_str()).chain([names::TEACHER]);
    rivals.map(|rival| (ours.name.as_str(), rival)).collect()
}

/// The finished models of one data set and condition.
struct Finished<'a> {
    study: &'a Study,
    journal: &'a Journal,
    problem: &'a Problem,
    replicates: Vec<Replicate<'a>>,
}

impl Finished<'_> {
    /// The models of an arm with these hidden widths, one per replicate.
    fn cells(&self, arm: &Arm, hidden: &[usize]) -> Result<Vec<Cell>> {
        self.cells_of(arm, hidden, |_| true)
    }

    fn cells_of(
        &self,
        arm: &Arm,
        hidden: &[usize],
        wanted: impl Fn(&Replicate<'_>) -> bool,
    ) -> Result<Vec<Cell>> {
        let missing = || {
            Error::Invalid(format!(
                "{}: {} is not finished: run the study again",
                self.problem.name, arm.name
            ))
        };
        let replicates = self.replicates.iter().filter(|replicate| wanted(replicate));
        replicates.map(|of| of.cell(self.journal, arm, hidden).ok_or_else(missing)).collect()
    }

    fn temperatures(&self) -> Result<Vec<TemperaturePoint>> {
        let point = |arm: Arm| {
            let cells = self.cells(&arm, &self.study.hidden)?;
            Ok(TemperaturePoint {
                temperature: arm.method.recipe.temperature().into(),
                accuracy: MeanStd::of(&values(&cells, "test accuracy")),
                nll: MeanStd::of(&values(&cells, "nll")),
            })
        };
        self.study.temperatures().into_iter().map(point).collect()
    }

    /// The models of each arm that is tried in several sizes, by arm and size.
    fn sized(&self) -> Result<Vec<Vec<Cell>>> {
        let arms = self.study.sized();
        let all = arms.iter().flat_map(|arm| SIZES.iter().map(move |&size| (arm, size)));
        all.map(|(arm, size)| self.cells_of(arm, &[size], |of| of.index < self.study.size_seeds())).collect()
    }

    /// The student to ship. None in a study of several data sets, and in a preset, which has nothing to ship.
    fn recommendation(&self, cells: &[Cell], sized: &[Vec<Cell>]) -> Option<Recommendation> {
        let study = self.study;
        if study.problems.len() > 1 || study.preset.is_some() {
            return None;
        }
        let students = study.arms.iter().filter(|arm| arm.method.kind != ArmKind::Teacher);
        let mut students: Vec<Vec<Cell>> = students.map(|arm| of(cells, &arm.name)).collect();
        let known = |cells: &[Cell]| cells.first().map(|cell| (cell.arm.clone(), cell.widths.clone()));
        for cells in sized {
            if !students.iter().any(|other| known(other) == known(cells)) {
                students.push(cells.clone());
            }
        }
        let [score, loss, _] = study.compared();
        choice::recommend(students, &Metrics { score, loss }, self.problem.overlap())
    }
}

fn set(
    study: &Study,
    journal: &Journal,
    problem: &Problem,
    hash: &str,
    condition: Condition,
) -> Result<SetResults> {
    let replicates = study.replicates_of(problem, hash, condition).collect();
    let finished = Finished { study, journal, problem, replicates };
    let mut cells = Vec::new();
    for arm in &study.arms {
        cells.extend(finished.cells(arm, &study.hidden_of(arm))?);
    }
    let first = problem.draw(condition, study.folds, study.seeds[0], problem.groups().first().copied())?;
    let sized = finished.sized()?;
    let mut sizes: Vec<SizePoint> = sized.iter().filter_map(|cells| size_point(cells)).collect();
    front(&mut sizes);
    Ok(SetResults {
        name: problem.name.clone(),
        held_out: study.held_out.contains(&problem.name),
        condition,
        rows: RowCounts {
            train: first.train.rows(),
            validation: first.folds[0].validation.len(),
            test: first.test.rows(),
        },
        features: first.train.features.len(),
        labels: first.train.task.labels().to_vec(),
        groups: first.groups(),
        hash: hash.into(),
        notes: problem.notes().to_vec(),
        summaries: study.arms.iter().map(|arm| summary(study, &arm.name, &of(&cells, &arm.name))).collect(),
        recommendation: finished.recommendation(&cells, &sized),
        comparisons: compare(&study.compared(), &pairs(&study.arms), problem.overlap(), |arm, metric| {
            values(&of(&cells, arm), metric)
        }),
        temperatures: finished.temperatures()?,
        cells,
        sizes,
    })
}

/// Summaries over the data sets of one condition.
fn over(study: &Study, sets: &[SetResults], condition: Condition) -> Vec<Overall> {
    let sets: Vec<&SetResults> = sets.iter().filter(|set| set.condition == condition).collect();
    let part = |title: &str, held_out: Option<bool>| {
        let sets: Vec<&SetResults> =
            sets.iter().copied().filter(|set| held_out.is_none_or(|wanted| set.held_out == wanted)).collect();
        (!sets.is_empty()).then(|| overall(study, title, &sets, condition))
    };
    if study.held_out.is_empty() {
        return part("All data sets", None).into_iter().collect();
    }
    let parts = [
        part("Data sets that recipes were developed on", Some(false)),
        part("Data sets held out", Some(true)),
        part("All data sets", None),
    ];
    parts.into_iter().flatten().collect()
}

fn overall(study: &Study, title: &str, sets: &[&SetResults], condition: Condition) -> Overall {
    let pairs = pairs(&study.arms);
    let means = |arm: &str, metric: &str| -> Vec<f64> {
        let summaries = sets.iter().filter_map(|set| set.summaries.iter().find(|summary| summary.arm == arm));
        summaries.filter_map(|summary| summary.scores.get(metric)).map(|score| score.mean).collect()
    };
    let summary = |arm: &Arm| Summary {
        arm: arm.name.clone(),
        scores: study
            .metrics()
            .iter()
            .filter(|metric| is_common(metric))
            .map(|&metric| (metric.into(), means(&arm.name, metric)))
            .filter(|(_, means): &(String, Vec<f64>)| !means.is_empty())
            .map(|(metric, means)| (metric, MeanStd::of(&means)))
            .collect(),
    };
    let loss = study.compared()[1];
    let ratio = |&(a, b): &(&str, &str)| {
        let logs: Vec<f64> = means(a, loss).iter().zip(means(b, loss)).map(|(a, b)| (a / b).ln()).collect();
        Ratio { a: a.into(), b: b.into(), metric: loss.into(), ratio: MeanStd::of(&logs).mean.exp() }
    };
    let common: Vec<&str> = study.compared().into_iter().filter(|metric| is_common(metric)).collect();
    // A single set is not a sample of data sets, so its seeds are used instead.
    let (summaries, comparisons) = match sets {
        [one] => (one.summaries.clone(), one.comparisons.clone()),
        _ => (study.arms.iter().map(summary).collect(), compare(&common, &pairs, 0.0, means)),
    };
    Overall {
        title: title.into(),
        sets: sets.iter().map(|set| set.name.clone()).collect(),
        condition,
        summaries,
        comparisons,
        ratios: pairs.iter().map(ratio).collect(),
    }
}

/// Paired differences of all `pairs`, with intervals and p-values corrected for the number of comparisons.
fn compare(
    metrics: &[&str],
    pairs: &[(&str, &str)],
    overlap: f64,
    values: impl Fn(&str, &str) -> Vec<f64>,
) -> Vec<Comparison> {
    let family = metrics.len() * pairs.len();
    let all = metrics.iter().flat_map(|&metric| pairs.iter().map(move |&pair| (metric, pair)));
    let comparison = |(metric, (a, b)): (&str, (&str, &str))| {
        let differences: Vec<f64> =
            values(a, metric).iter().zip(values(b, metric)).map(|(a, b)| a - b).collect();
        Comparison {
            a: a.into(),
            b: b.into(),
            metric: metric.into(),
            larger: differences.iter().filter(|&&difference| difference > 0.0).count(),
            smaller: differences.iter().filter(|&&difference| difference < 0.0).count(),
            estimate: Estimate::of(&differences, overlap, family),
        }
    };
    all.map(comparison).collect()
}

fn of(cells: &[Cell], arm: &str) -> Vec<Cell> {
    cells.iter().filter(|cell| cell.arm == arm).cloned().collect()
}

fn summary(study: &Study, arm: &str, cells: &[Cell]) -> Summary {
    let of = |metric: &str| Some(values(cells, metric)).filter(|of| !of.is_empty());
    let scores =
        study.metrics().iter().filter_map(|&metric| Some((metric.to_owned(), MeanStd::of(&of(metric)?))));
    Summary { arm: arm.into(), scores: scores.collect::<BTreeMap<_, _>>() }
}

/// Makes the point of one arm and size.
fn size_point(cells: &[Cell]) -> Option<SizePoint> {
    let first = cells.first()?;
    let of =
        |metric: &str| Some(values(cells, metric)).filter(|of| !of.is_empty()).map(|of| MeanStd::of(&of));
    Some(SizePoint {
        arm: first.arm.clone(),
        widths: first.widths.clone(),
        parameters: first.parameters,
        flash_bytes: first.flash_bytes?,
        accuracy: of("test accuracy"),
        nll: of("nll"),
        r2: of("r2"),
        rmse: of("rmse"),
        front: false,
    })
}

/// Marks the points on the Pareto front.
fn front(points: &mut [SizePoint]) {
    let score = |point: &SizePoint| point.score().map_or(f64::NAN, |score| score.mean);
    let all: Vec<(usize, f64)> = points.iter().map(|point| (point.flash_bytes, score(point))).collect();
    for (point, &(bytes, score)) in points.iter_mut().zip(&all) {
        let beats = |&(other_bytes, other): &(usize, f64)| {
            other_bytes <= bytes && other >= score && (other_bytes, other) != (bytes, score)
        };
        point.front = !all.iter().any(beats);
    }
}
