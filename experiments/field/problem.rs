//! Data sets for the field: people to train on, and people that the device meets later.

use std::path::Path;

use anyhow::{Result, bail};
use microdistill_train::dataset::{Columns, Dataset, Expected, Target, read, read_like};
use microdistill_train::model::Scaler;
use nalgebra::DMatrix;

use crate::shift::Shift;

/// Description of a data set.
#[derive(Clone, Copy)]
pub(crate) struct Set {
    /// Name of its folder.
    pub(crate) name: &'static str,
    pub(crate) field: Field,
    /// Length of a block of rows of one person, for a file that does not name people but is sorted by class
    /// and then by person.
    pub(crate) block: Option<usize>,
    /// The shift that the desktop prepares for, in both directions.
    pub(crate) shift: Shift,
}

/// Source of the people in the field.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    /// The people of `test.csv`.
    TestFile,
    /// Every third person of `train.csv`, starting at 0, 1 or 2.
    EveryThird { from: usize },
    /// The people of `train.csv` in the second half of their rows, which is another session.
    SecondHalf,
}

const WATCH: Set = Set {
    name: "watch_small",
    field: Field::TestFile,
    block: None,
    shift: Shift::Gain { factor: 1.5, except: &[] },
};
const EMG: Set = Set { name: "emg_myo", field: Field::TestFile, block: None, shift: Shift::Turned { by: 1 } };

/// The data sets of the study.
pub(crate) const SETS: [Set; 4] = [
    WATCH,
    EMG,
    Set {
        name: "gesture_27people",
        field: Field::TestFile,
        block: None,
        shift: Shift::Gain { factor: 1.5, except: &["dur_ms"] },
    },
    Set {
        name: "spoken_digits",
        field: Field::EveryThird { from: 2 },
        block: Some(45),
        shift: Shift::Tilted { tilt: 1.0 },
    },
];

/// Data sets for choosing hyperparameters: rows that the study trains on at the desktop. Each has a weight.
pub(crate) const TUNING: [(Set, f64); 4] = [
    (Set { field: Field::EveryThird { from: 0 }, ..WATCH }, 1.0 / 6.0),
    (Set { field: Field::EveryThird { from: 1 }, ..WATCH }, 1.0 / 6.0),
    (Set { field: Field::EveryThird { from: 2 }, ..WATCH }, 1.0 / 6.0),
    (Set { field: Field::SecondHalf, ..EMG }, 1.0 / 2.0),
];

/// A data set, divided into parts.
pub(crate) struct Problem {
    /// Training rows on the desktop.
    pub(crate) train: Dataset,
    /// The same rows, and for each the row from a sensor with the shift and from one with the inverse shift.
    pub(crate) prepared: Dataset,
    /// Held-out rows of the same people, for the guard.
    pub(crate) trusted: Dataset,
    /// More held-out rows of the same people, to measure forgetting.
    pub(crate) home: Dataset,
    pub(crate) people: Vec<Person>,
}

/// A person in the field.
pub(crate) struct Person {
    /// The first half of the rows of each class, which arrive at the device.
    pub(crate) arriving: Dataset,
    /// The other half, for scores only.
    pub(crate) judging: Dataset,
}

impl Problem {
    /// Reads and divides the set in `folder`.
    pub(crate) fn read(folder: &Path, set: Set) -> Result<Self> {
        let folder = folder.join(set.name);
        let groups = |part: &str| folder.join(format!("groups_{part}.csv")).display().to_string();
        let named = set.block.is_none().then(|| groups("train"));
        let mut all = read(folder.join("train.csv"), &Columns { groups: named, ..Columns::default() })?;
        if let Some(block) = set.block {
            all.groups = Some(blocks(&all, block)?);
        }
        let mut known = people(&all)?;
        let met = match set.field {
            Field::TestFile => {
                let groups = groups("test");
                let expected = Expected { groups: Some(&groups), ..all.expected() };
                let test = read_like(folder.join("test.csv"), expected)?;
                people(&test)?.iter().map(|rows| Person::of(&test, rows)).collect()
            }
            Field::EveryThird { from } => {
                let mut index = 0..;
                let third = |_: &mut Vec<usize>| index.next().is_some_and(|index| index % 3 == from);
                let met: Vec<_> = known.extract_if(.., third).collect();
                met.iter().map(|rows| Person::of(&all, rows)).collect()
            }
            Field::SecondHalf => {
                known.iter_mut().map(|rows| Person::of(&all, &rows.split_off(rows.len() / 2))).collect()
            }
        };
        // The last fifth of each person's rows of a class is held out.
        let (mut train, mut kept) = (Vec::new(), Vec::new());
        for rows in known.iter().flat_map(|rows| by_class(&all, rows)) {
            let (learned, back) = rows.split_at(rows.len() - rows.len() / 5);
            train.extend_from_slice(learned);
            kept.extend_from_slice(back);
        }
        let every_other = |from| kept.iter().skip(from).step_by(2).copied().collect::<Vec<_>>();
        let train = all.select(&train);
        Ok(Problem {
            prepared: prepare(&train, set.shift),
            train,
            trusted: all.select(&every_other(0)),
            home: all.select(&every_other(1)),
            people: met,
        })
    }
}

impl Person {
    fn of(data: &Dataset, rows: &[usize]) -> Self {
        let (mut arriving, mut judging) = (Vec::new(), Vec::new());
        for rows in by_class(data, rows) {
            let (first, second) = rows.split_at(rows.len().div_ceil(2));
            arriving.extend_from_slice(first);
            judging.extend_from_slice(second);
        }
        arriving.sort_unstable(); // in the order of recording
        Person { arriving: data.select(&arriving), judging: data.select(&judging) }
    }
}

/// The class of each row.
pub(crate) fn classes(data: &Dataset) -> &[usize] {
    if let Target::Classes(classes) = &data.target { classes } else { &[] }
}

/// The rows of each person, in the order in which they appear.
fn people(data: &Dataset) -> Result<Vec<Vec<usize>>> {
    let Some(groups) = &data.groups else { bail!("the persons of the rows are unknown") };
    let mut people = Vec::<(&str, Vec<usize>)>::new();
    for (row, group) in groups.iter().enumerate() {
        match people.iter_mut().find(|(name, _)| name == group) {
            Some((_, rows)) => rows.push(row),
            None => people.push((group, vec![row])),
        }
    }
    Ok(people.into_iter().map(|(_, rows)| rows).collect())
}

/// `rows` of each class, in their order.
fn by_class(data: &Dataset, rows: &[usize]) -> Vec<Vec<usize>> {
    let mut parts = vec![Vec::new(); data.task.labels().len()];
    for &row in rows {
        parts[classes(data)[row]].push(row);
    }
    parts
}

/// The person of each row, from [`Set::block`].
fn blocks(data: &Dataset, block: usize) -> Result<Vec<String>> {
    let all: Vec<usize> = (0..data.rows()).collect();
    let mut groups = vec![String::new(); data.rows()];
    for rows in by_class(data, &all) {
        if rows.len() % block != 0 || rows.windows(2).any(|pair| pair[1] != pair[0] + 1) {
            bail!("rows are not sorted by class with blocks of {block} rows per person")
        }
        for (index, row) in rows.into_iter().enumerate() {
            groups[row] = (index / block).to_string();
        }
    }
    Ok(groups)
}

/// The rows, followed by the rows from sensors that are shifted either way.
fn prepare(data: &Dataset, shift: Shift) -> Dataset {
    let scaler = Scaler::fit(&data.x);
    let copies = [shift, shift.inverse()].map(|shift| shift.apply(data, &scaler).x);
    let columns = data.x.column_iter().chain(copies.iter().flat_map(DMatrix::column_iter));
    let x = DMatrix::from_columns(&columns.collect::<Vec<_>>());
    let target = Target::Classes(classes(data).repeat(1 + copies.len()));
    let groups = data.groups.as_ref().map(|groups| vec![groups.clone(); 1 + copies.len()].concat());
    Dataset { x, target, groups, ..data.clone() }
}
