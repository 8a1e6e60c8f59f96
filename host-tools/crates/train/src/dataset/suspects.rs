//! Suspects: columns and rows that may make a score too good.
//!
//! In a file that is sorted by class, a row counter tells the class. A code of the label is the label. Overlapping windows are
//! nearly the same row. A device in use knows none of these. Suspects are guesses from the numbers, so they only produce
//! warnings.

use std::collections::{BTreeSet, HashMap};

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::sorted::Sorted;
use super::{Dataset, Scaler, Target};
use crate::number::significant;

/// A column or a set of rows that may make a score too good.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Suspect {
    /// Kind of the suspicion.
    pub kind: Suspicion,
    /// The features concerned.
    pub columns: Vec<String>,
    /// A sentence for the user, with the remedy.
    pub text: String,
}

/// Kind of a suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Suspicion {
    /// It counts rows or time.
    Counter,
    /// It tells the label or the value.
    TellsTarget,
    /// It and the target are one label in several columns.
    OneHot,
    /// It holds a number that stands for a missing value.
    Sentinel,
    /// Neighbouring rows are nearly equal.
    NearDuplicates,
    /// It names what rows belong to.
    Groups,
}

/// Fewer rows than this tell nothing.
const FEWEST: usize = 20;

/// Finds columns and rows that may make a score too good. The features are taken in the order of the rows.
pub fn suspects(data: &Dataset) -> Vec<Suspect> {
    let rows = data.rows();
    if rows < FEWEST {
        return Vec::new();
    }
    let labels = match &data.target {
        Target::Classes(classes) => {
            Some(Labels::new(classes, data.task.labels().len(), &data.task.targets()[0]))
        }
        _ => None,
    };
    let of_column = |feature: usize| {
        let column = Column { name: &data.features[feature], sorted: Sorted::new(&data.x, feature) };
        let origin = data.origin.get(feature).copied().unwrap_or(0.0);
        let tells = labels.as_ref().and_then(|labels| column.tells(labels));
        [column.counter(), column.sentinel(origin), tells]
    };
    let of_columns = (0..data.features.len()).into_par_iter().map(of_column).collect::<Vec<_>>();
    let mut found: Vec<Suspect> = of_columns.into_iter().flatten().flatten().collect();
    found.extend(one_hot(data));
    found.extend((0..data.task.targets().len()).filter_map(|target| sum_of_others(data, target)));
    let counters: BTreeSet<String> = found
        .iter()
        .filter(|suspect| suspect.kind == Suspicion::Counter)
        .flat_map(|suspect| suspect.columns.clone())
        .collect();
    if data.groups.is_none() {
        found.extend(groups(data, &counters));
    }
    found
}

/// The target's classes.
struct Labels<'a> {
    classes: &'a [usize],
    /// Number of rows per class.
    counts: Vec<usize>,
    target: &'a str,
}

impl<'a> Labels<'a> {
    fn new(classes: &'a [usize], labels: usize, target: &'a str) -> Self {
        let mut counts = vec![0; labels];
        classes.iter().for_each(|&class| counts[class] += 1);
        Labels { classes, counts, target }
    }
}

/// A feature.
struct Column<'a> {
    name: &'a str,
    sorted: Sorted,
}

impl Column<'_> {
    fn suspect(&self, kind: Suspicion, text: String) -> Option<Suspect> {
        Some(Suspect { kind, columns: vec![self.name.to_owned()], text })
    }

    /// Numbers that rise from row to row by nearly equal steps, or that are those of the rows in another order.
    fn counter(&self) -> Option<Suspect> {
        let values = &self.sorted.values;
        let rows = values.len();
        if self.sorted.present() < rows {
            return None;
        }
        let steps = || values.windows(2).map(|pair| f64::from(pair[1]) - f64::from(pair[0]));
        let one_way = steps().all(|step| step > 0.0) || steps().all(|step| step < 0.0);
        let mean = steps().sum::<f64>() / (rows - 1) as f64;
        let spread = (steps().map(|step| (step - mean).powi(2)).sum::<f64>() / (rows - 1) as f64).sqrt();
        let even = one_way && spread < 0.5 * mean.abs();
        let whole = values.iter().all(|value| value.fract() == 0.0);
        let text = || {
            format!(
                "{:?} counts rows or time, which no device can know of new ones: leave it out by --ignore {}",
                self.name,
                crate::table::quoted(self.name)
            )
        };
        if even || one_way && whole && rows >= 100 {
            return self.suspect(Suspicion::Counter, text());
        }
        let (least, most) = (f64::from(self.sorted.value(0)?), f64::from(self.sorted.value(rows - 1)?));
        let different = self.sorted.different();
        let numbered = whole && different == rows && (most - least + 1.0) as usize == rows;
        let named = [
            "id",
            "index",
            "idx",
            "row",
            "no",
            "nr",
            "seq",
            "sample",
            "counter",
            "timestamp",
            "millis",
            "time",
        ]
        .iter()
        .any(|name| self.name.eq_ignore_ascii_case(name));
        if numbered || named && whole && different == rows {
            return self.suspect(Suspicion::Counter, text());
        }
        None
    }

    /// A number far outside of the others that stands in several rows.
    fn sentinel(&self, origin: f64) -> Option<Suspect> {
        let sorted: Vec<f64> = self.sorted.rows().map(|row| f64::from(self.sorted.values[row])).collect();
        let (&least, &most) = (sorted.first()?, sorted.last()?);
        let at_start = sorted.partition_point(|&value| value == least);
        let at_end = sorted.len() - sorted.partition_point(|&value| value < most);
        let all = sorted.len();
        for (value, count, others) in
            [(least, at_start, &sorted[at_start..]), (most, at_end, &sorted[..all - at_end])]
        {
            let (Some(low), Some(high)) = (others.first(), others.last()) else { continue };
            let (gap, range) = ((value - low).abs().min((value - high).abs()), high - low);
            let different = || others.windows(2).filter(|pair| pair[0] != pair[1]).count() + 1;
            let whole = (value + origin).fract() == 0.0;
            if count >= 3 && count * 2 < all && whole && range > 0.0 && gap > 2.0 * range && different() >= 10
            {
                let value = value + origin;
                let text = format!(
                    "{:?} is {value} in {count} rows, far outside of its other values ({} to {}): if that means a missing value, \
                     give --missing {value}",
                    self.name,
                    significant(low + origin, 4),
                    significant(high + origin, 4)
                );
                return self.suspect(Suspicion::Sentinel, text);
            }
        }
        None
    }

    /// Returns a suspect if the class follows from this column alone.
    fn tells(&self, labels: &Labels<'_>) -> Option<Suspect> {
        let Labels { classes, counts, target } = labels;
        let rows = classes.len();
        let (mut right, mut different) = (0, 0);
        let mut alike = vec![0; counts.len()];
        for run in self.sorted.runs() {
            run.iter().for_each(|&row| alike[classes[row as usize]] += 1);
            right += run.iter().map(|&row| alike[classes[row as usize]]).max().unwrap_or(0);
            run.iter().for_each(|&row| alike[classes[row as usize]] = 0);
            different += 1;
        }
        let few = different <= 4 * counts.len() && different * 5 <= rows;
        // What always guesses the most frequent class is right as often without the column.
        let most = counts.iter().copied().max().unwrap_or(0);
        let code = few && right as f64 >= 0.99 * rows as f64 && (rows - right) * 10 <= rows - most;
        let next = self.sorted.rows().skip(1);
        let changes = self.sorted.rows().zip(next).filter(|&(a, b)| classes[a] != classes[b]).count();
        let seen = counts.iter().filter(|&&count| count > 0).count();
        let intervals = changes + 1 == seen && seen > 1 && self.sorted.present() == rows && most < rows - 2;
        (code || intervals).then(|| Suspect {
            kind: Suspicion::TellsTarget,
            columns: vec![self.name.to_owned()],
            text: format!(
                "{:?} alone tells {target:?} in {} % of the rows: if it was made of the label, leave it out by --ignore {}",
                self.name,
                if intervals { "100".into() } else { significant(100.0 * right as f64 / rows as f64, 3) },
                crate::table::quoted(self.name)
            ),
        })
    }
}

/// Columns of zeros and ones that, with a target of zeros and ones, have one 1 in each row.
fn one_hot(data: &Dataset) -> Option<Suspect> {
    let Target::Classes(classes) = &data.target else { return None };
    if data.task.labels() != ["0", "1"] {
        return None;
    }
    let binary = |feature: &usize| data.x.row(*feature).iter().all(|&value| value == 0.0 || value == 1.0);
    let features: Vec<usize> = (0..data.features.len()).filter(binary).collect();
    // The last of them first: the columns of one label stand side by side, before the target.
    let mut sum: Vec<f32> = classes.iter().map(|&class| class as f32).collect();
    let mut together = Vec::new();
    for &feature in features.iter().rev() {
        let next: Vec<f32> =
            sum.iter().zip(data.x.row(feature).iter()).map(|(sum, value)| sum + value).collect();
        if next.iter().any(|&sum| sum > 1.0) {
            continue;
        }
        sum = next;
        together.push(data.features[feature].clone());
    }
    if together.is_empty() || sum.iter().any(|&sum| sum != 1.0) {
        return None;
    }
    together.reverse();
    let text = format!(
        "{together:?} and the target {:?} are one label in {} columns, of which one is 1 in each row: make one column of them",
        data.task.targets()[0],
        together.len() + 1
    );
    Some(Suspect { kind: Suspicion::OneHot, columns: together, text })
}

/// Two or more features of which a target is the sum, or another exact combination: further targets.
fn sum_of_others(data: &Dataset, target: usize) -> Option<Suspect> {
    let Target::Values(values) = &data.target else { return None };
    let (features, rows) = (data.features.len(), data.rows());
    if !(2..=100).contains(&features) || rows < 5 * (features + 1) {
        return None;
    }
    let z = Scaler::fit(&data.x).apply(&data.x).map(f64::from);
    let y = values.row(target).transpose().map(f64::from);
    let mean = y.mean();
    let y = y.add_scalar(-mean);
    let total = y.norm_squared();
    let gram = &z * z.transpose() + DMatrix::identity(features, features) * (1e-9 * rows as f64);
    let weights = gram.cholesky()?.solve(&(&z * &y));
    let left = (&y - z.transpose() * &weights).norm_squared();
    if total <= 0.0 || left > 1e-6 * total {
        return None;
    }
    let share = |feature: usize| weights[feature].powi(2) * rows as f64 / total;
    let columns: Vec<String> = (0..features)
        .filter(|&feature| share(feature) > 1e-3)
        .map(|feature| data.features[feature].clone())
        .collect();
    // One column in another unit is a calibration; that is for a model to learn.
    if columns.len() < 2 {
        return None;
    }
    let list = |names: &mut dyn Iterator<Item = &String>| {
        names.map(|name| crate::table::quoted(name)).collect::<Vec<_>>().join(",")
    };
    let text = format!(
        "the target {:?} is an exact sum of {columns:?}: if those are targets, too, predict them by --target {}, or leave them out \
         by --ignore {}",
        data.task.targets()[target],
        list(&mut data.task.targets().iter().chain(&columns)),
        list(&mut columns.iter())
    );
    Some(Suspect { kind: Suspicion::TellsTarget, columns, text })
}

/// A column that names groups, or neighbouring rows that are nearly equal, which one group should hold together.
fn groups(data: &Dataset, counters: &BTreeSet<String>) -> Option<Suspect> {
    let named = data.features.iter().enumerate().find(|(_, name)| {
        let name = name.split('=').next().unwrap_or_default().to_ascii_lowercase();
        ["person", "subject", "user", "participant", "patient", "recording", "session", "group", "device"]
            .contains(&name.as_str())
    });
    if let Some((_, name)) = named {
        let column = name.split('=').next().unwrap_or(name);
        let text = format!(
            "{column:?} seems to name what rows belong to: --groups {} keeps its rows in one part, and it is then no feature",
            crate::table::quoted(column)
        );
        return Some(Suspect { kind: Suspicion::Groups, columns: vec![column.to_owned()], text });
    }
    let share = neighbour_distance(data, counters)?;
    (share < NEAR).then(|| Suspect {
        kind: Suspicion::NearDuplicates,
        columns: Vec::new(),
        text: format!(
            "rows that follow each other are nearly equal (their distance is {} of that of rows by chance), as windows of one \
             recording are: a score is too good if a recording is in two parts; give --groups a column that names it",
            significant(share, 2)
        ),
    })
}

/// Neighbouring rows closer than this share of the distance of rows of the same class by chance are suspected.
const NEAR: f64 = 0.35;

/// Median distance of neighbouring rows over that of rows of one class that stand far apart.
fn neighbour_distance(data: &Dataset, counters: &BTreeSet<String>) -> Option<f64> {
    let rows = data.rows();
    let features: Vec<usize> =
        (0..data.features.len()).filter(|&feature| !counters.contains(&data.features[feature])).collect();
    if features.len() < 2 || rows < 60 {
        return None;
    }
    let z = Scaler::fit(&data.x).apply(&data.x);
    let labels = data.labels();
    let distance = |a: usize, b: usize| {
        features
            .iter()
            .map(|&feature| f64::from(z[(feature, a)] - z[(feature, b)]).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let mut by_class = HashMap::<Option<usize>, Vec<usize>>::new();
    (0..rows).for_each(|row| by_class.entry(labels[row]).or_default().push(row));
    let (mut near, mut far) = (Vec::new(), Vec::new());
    // At most a few thousand pairs, spread over the file.
    let step = rows.div_ceil(4000);
    for row in (0..rows - 1).step_by(step) {
        if labels[row] == labels[row + 1] {
            near.push(distance(row, row + 1));
        }
        let class = &by_class[&labels[row]];
        let place = class.partition_point(|&other| other < row);
        far.push(distance(row, class[(place + class.len() / 2) % class.len()]));
    }
    if near.len() * 4 < far.len() {
        return None;
    }
    let (near, far) = (median(near)?, median(far)?);
    // Rows that are equal are told elsewhere.
    (far > 0.0 && near > 0.0).then(|| near / far)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
