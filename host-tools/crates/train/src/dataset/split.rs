//! Division of rows into parts and folds: seeded, stratified by class, and without splitting a group.

use std::collections::{BTreeMap, HashMap};

use rand_pcg::Pcg32;

use super::seen::first_equal;
use super::{Dataset, Target};
use crate::error::{Error, Result};
use crate::random::shuffle;

/// Row indices of one round of cross-validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Training rows.
    pub train: Vec<usize>,
    /// Validation rows.
    pub validation: Vec<usize>,
}

/// Divides rows into parts with the given shares, which must be positive and sum to 1. Returns the row indices of
/// each part, in ascending order.
///
/// With groups, whole groups are assigned to parts; otherwise the rows of each class are.
///
/// # Errors
/// Fails if the shares are invalid, if there are fewer groups than parts, and if a part would have no rows.
pub fn split(dataset: &Dataset, shares: &[f64], seed: u64) -> Result<Vec<Vec<usize>>> {
    check_shares(shares)?;
    let mut rng = Pcg32::new(seed, STREAM);
    let mut parts = vec![Vec::new(); shares.len()];
    if let Some(groups) = &dataset.groups {
        let groups = shuffled_groups(groups, &mut rng);
        if groups.len() < parts.len() {
            let (have, need) = (groups.len(), parts.len());
            return Err(Error::Invalid(format!(
                "{have} groups cannot be divided into {need} parts: a group is never split, so every part needs one"
            )));
        }
        let mut groups = groups.into_iter();
        for (part, group) in parts.iter_mut().zip(groups.by_ref()) {
            part.extend(group);
        }
        for group in groups {
            let missing =
                |(part, share): (&Vec<usize>, &f64)| share * dataset.rows() as f64 - part.len() as f64;
            let missing: Vec<f64> = parts.iter().zip(shares).map(missing).collect();
            let neediest = (0..parts.len()).reduce(|a, b| if missing[b] > missing[a] { b } else { a });
            parts[neediest.unwrap_or_default()].extend(group);
        }
    } else {
        let classes = shuffled_classes(dataset, &mut rng);
        parts = deal(&classes, shares, false);
        // With many small classes, rounding may leave a part without rows.
        if parts.iter().any(Vec::is_empty) {
            parts = deal(&classes, shares, true);
        }
        keep_equal_rows_together(dataset, &mut parts);
    }
    if let Some(empty) = parts.iter().position(Vec::is_empty) {
        let (rows, share) = (dataset.rows(), shares[empty]);
        let need = "every part needs rows, and the first part a row of each label or group";
        return Err(Error::Invalid(format!("{rows} rows are too few for a part of {share} of them: {need}")));
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    Ok(parts)
}

/// Checks that shares are positive and sum to 1.
///
/// # Errors
/// Fails if a share is not positive, or if the sum is not 1.
pub fn check_shares(shares: &[f64]) -> Result<()> {
    let sum: f64 = shares.iter().sum();
    if shares.iter().any(|&share| share.is_nan() || share <= 0.0) || (sum - 1.0).abs() > 1e-6 {
        return Err(Error::Invalid(format!("the shares {shares:?} must be positive and sum to 1")));
    }
    Ok(())
}

/// Divides the rows of each class by `shares`. With `carry`, a rounding error in one class is carried to the next;
/// still, the first part gets at least one row of each class.
fn deal(classes: &[Vec<usize>], shares: &[f64], carry: bool) -> Vec<Vec<usize>> {
    let mut parts = vec![Vec::new(); shares.len()];
    let mut before = 0.0;
    for class in classes {
        let rows = class.len() as f64;
        let (mut from, mut share) = (0, 0.0);
        for (index, (part, next)) in parts.iter_mut().zip(shares).enumerate() {
            share += next;
            let mut to = (share * (before + rows)).round() - (share * before).round();
            if carry && index == 0 {
                to = to.max(1.0);
            }
            let to = (to as usize).clamp(from, class.len());
            part.extend(&class[from..to]);
            from = to;
        }
        before += if carry { rows } else { 0.0 };
    }
    parts
}

/// Moves each row to the part of the first row that is equal to it: a row that is in two parts tells its own label.
fn keep_equal_rows_together(dataset: &Dataset, parts: &mut [Vec<usize>]) {
    let Some(first) = first_equal(&dataset.x) else { return };
    let mut part_of = vec![0; dataset.rows()];
    for (part, rows) in parts.iter_mut().enumerate() {
        rows.drain(..).for_each(|row| part_of[row] = part);
    }
    (0..dataset.rows()).for_each(|row| parts[part_of[first[row]]].push(row));
}

/// Divides rows into `count` folds, at least 2. Each row is a validation row in exactly one fold.
///
/// With groups, whole groups are held out, and there are at most as many folds as groups.
///
/// # Errors
/// Fails if there are fewer than two folds, groups or rows.
pub fn folds(dataset: &Dataset, count: usize, seed: u64) -> Result<Vec<Fold>> {
    let mut rng = Pcg32::new(seed, STREAM);
    let units = match &dataset.groups {
        Some(groups) => {
            let mut groups = shuffled_groups(groups, &mut rng);
            groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
            groups
        }
        None => units_of_equal_rows(dataset, shuffled_classes(dataset, &mut rng).into_iter().flatten()),
    };
    let count = count.min(units.len());
    if count < 2 {
        let unit = if dataset.groups.is_some() { "groups" } else { "rows" };
        return Err(Error::Invalid(format!("cross-validation needs at least two folds and two {unit}")));
    }
    let mut parts = vec![Vec::new(); count];
    for unit in units {
        if let Some(smallest) = parts.iter_mut().min_by_key(|part| part.len()) {
            smallest.extend(unit);
        }
    }
    let fold = |validation: Vec<usize>| {
        let mut held_out = vec![false; dataset.rows()];
        validation.iter().for_each(|&row| held_out[row] = true);
        let rows = |held: bool| (0..dataset.rows()).filter(|&row| held_out[row] == held).collect();
        Fold { train: rows(false), validation: rows(true) }
    };
    Ok(parts.into_iter().map(fold).collect())
}

/// Rows in their order, those that are equal to an earlier one with it.
fn units_of_equal_rows(dataset: &Dataset, rows: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let Some(first) = first_equal(&dataset.x) else { return rows.map(|row| vec![row]).collect() };
    let mut place = HashMap::new();
    let mut units: Vec<Vec<usize>> = Vec::new();
    for row in rows {
        let unit = *place.entry(first[row]).or_insert(units.len());
        match units.get_mut(unit) {
            Some(equal) => equal.push(row),
            None => units.push(vec![row]),
        }
    }
    units
}

/// Random stream for divisions of data.
const STREAM: u64 = 0x5350_4C54;

/// Returns the rows of each group, with the groups in random order.
fn shuffled_groups(groups: &[String], rng: &mut Pcg32) -> Vec<Vec<usize>> {
    let mut rows = BTreeMap::<&str, Vec<usize>>::new();
    for (row, group) in groups.iter().enumerate() {
        rows.entry(group).or_default().push(row);
    }
    let mut groups: Vec<Vec<usize>> = rows.into_values().collect();
    shuffle(&mut groups, rng);
    groups
}

/// Returns the rows of each class in random order; in regression, all rows as one class.
fn shuffled_classes(dataset: &Dataset, rng: &mut Pcg32) -> Vec<Vec<usize>> {
    let mut classes = BTreeMap::<usize, Vec<usize>>::new();
    for row in 0..dataset.rows() {
        let class = if let Target::Classes(classes) = &dataset.target { classes[row] } else { 0 };
        classes.entry(class).or_default().push(row);
    }
    let mut classes: Vec<Vec<usize>> = classes.into_values().collect();
    classes.iter_mut().for_each(|class| shuffle(class, rng));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Task;
    use nalgebra::DMatrix;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn dataset(classes: &[usize], groups: Option<&[usize]>) -> Dataset {
        let labels = (0..10).map(|label| label.to_string()).collect();
        Dataset {
            features: vec!["x".into()],
            x: DMatrix::from_fn(1, classes.len(), |_, row| row as f32),
            task: Task::Classification { target: "y".into(), labels },
            target: Target::Classes(classes.to_vec()),
            groups: groups.map(|groups| groups.iter().map(usize::to_string).collect()),
            hash: String::new(),
            origin: Vec::new(),
            target_origin: Vec::new(),
            left_out: Vec::new(),
            keys: None,
            options: crate::table::Options::default(),
            notes: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn parts_hold_every_row_once_and_never_share_a_group(
            rows in prop::collection::vec((0usize..4, 0usize..6), 60..200),
            grouped: bool,
            seed: u64,
        ) {
            let (classes, groups): (Vec<usize>, Vec<usize>) = rows.into_iter().unzip();
            let dataset = dataset(&classes, grouped.then_some(&groups));
            let parts = split(&dataset, &[0.7, 0.15, 0.15], seed).unwrap();
            prop_assert_eq!(&parts, &split(&dataset, &[0.7, 0.15, 0.15], seed).unwrap());
            let mut all: Vec<usize> = parts.concat();
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..dataset.rows()));
            let folds = folds(&dataset, 4, seed).unwrap();
            let mut all: Vec<usize> = folds.iter().flat_map(|fold| fold.validation.clone()).collect();
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..dataset.rows()));
            let pairs = parts.iter().map(|part| {
                (part.clone(), (0..dataset.rows()).filter(|row| !part.contains(row)).collect())
            });
            for (inside, outside) in pairs.chain(folds.into_iter().map(|fold| (fold.validation, fold.train))) {
                prop_assert_eq!(inside.len() + outside.len(), dataset.rows());
                if grouped {
                    let groups = |rows: &[usize]| rows.iter().map(|&row| groups[row]).collect::<BTreeSet<_>>();
                    prop_assert!(groups(&inside).is_disjoint(&groups(&outside)));
                }
            }
        }
    }

    #[test]
    fn every_part_has_its_share_of_each_class() {
        let classes: Vec<usize> = (0..200).map(|row| usize::from(row >= 180)).collect();
        for part in split(&dataset(&classes, None), &[0.7, 0.15, 0.15], 1).unwrap() {
            let rare = part.iter().filter(|&&row| classes[row] == 1).count();
            assert_eq!(rare * 10, part.len(), "a tenth is of the rare class");
        }
        for fold in folds(&dataset(&classes, None), 5, 1).unwrap() {
            assert_eq!(fold.validation.iter().filter(|&&row| classes[row] == 1).count(), 4);
        }
    }

    #[test]
    fn as_many_folds_as_groups_leave_one_group_out() {
        let groups = [0, 0, 0, 1, 1, 2];
        let folds = folds(&dataset(&[0; 6], Some(&groups)), 10, 1).unwrap();
        let mut left_out: Vec<Vec<usize>> = folds.into_iter().map(|fold| fold.validation).collect();
        left_out.sort();
        assert_eq!(left_out, [vec![0, 1, 2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn small_classes_fill_every_part() {
        let classes: Vec<usize> = (0..50).map(|row| row / 5).collect();
        let parts = split(&dataset(&classes, None), &[0.7, 0.15, 0.15], 1).unwrap();
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 50);
        assert!(parts[1].len() > 4 && parts[2].len() > 4, "{parts:?}");
        assert!((0..10).all(|class| parts[0].iter().any(|&row| classes[row] == class)));
    }

    #[test]
    fn a_row_alone_in_its_class_is_trained_on() {
        let parts = split(&dataset(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], None), &[0.6, 0.2, 0.2], 3).unwrap();
        assert!(parts[0].contains(&10));
    }

    #[test]
    fn impossible_divisions_say_why() {
        let error = |result: Result<_>| result.unwrap_err().to_string();
        let few = dataset(&[0; 4], Some(&[0, 0, 1, 1]));
        assert_eq!(
            error(split(&few, &[0.6, 0.2, 0.2], 1)),
            "2 groups cannot be divided into 3 parts: a group is never split, so every part needs one"
        );
        let few = dataset(&[0; 2], None);
        assert!(
            error(split(&few, &[0.9, 0.1], 1)).starts_with("2 rows are too few for a part of 0.1 of them")
        );
        assert!(error(split(&few, &[0.9, 0.2], 1)).contains("sum to 1"));
        let one = dataset(&[0; 3], Some(&[5, 5, 5]));
        let error = folds(&one, 3, 1).unwrap_err().to_string();
        assert_eq!(error, "cross-validation needs at least two folds and two groups");
    }
}
