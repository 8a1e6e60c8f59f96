//! Growth of one tree of a forest, until its leaves are pure or small.

use rand_core::Rng as _;
use rand_pcg::Pcg32;

use super::Leaves;
use crate::blend::{Chance, Forest, Trees};
use crate::random::below;
use crate::teacher::Target;
use crate::teacher::zoo::grow::{Test, partition};
use crate::teacher::zoo::rows::Rows;

/// With fewer rows, a node sorts them by bin instead of filling a histogram.
const FEW_ROWS: usize = 96;

/// Sums of the outcomes of rows: counts of the classes or sums of the values, then the number of rows.
type Sums = Vec<f32>;

/// Memory of a grower.
pub(super) struct Grower<'a> {
    rows: &'a Rows<'a>,
    settings: &'a Forest,
    varying: Vec<usize>,
    buffer: Vec<u32>,
    /// Outcomes of each bin of one feature, side by side.
    histogram: Vec<f32>,
    sorted: Vec<(u8, u32)>,
    left: Sums,
}

/// Division of a node.
struct Found {
    gain: f32,
    test: Test,
}

impl<'a> Grower<'a> {
    pub(super) fn new(rows: &'a Rows<'a>, settings: &'a Forest) -> Self {
        Grower {
            rows,
            settings,
            varying: rows.bins.varying(),
            buffer: Vec::new(),
            histogram: Vec::new(),
            sorted: Vec::new(),
            left: vec![0.0; rows.outputs + 1],
        }
    }

    /// Grows a tree on these rows, which may repeat, and adds it to `trees`.
    pub(super) fn grow(
        &mut self,
        trees: &mut Trees,
        leaves: &mut Leaves,
        mut rows: Vec<u32>,
        rng: &mut Pcg32,
    ) {
        let mut pending = vec![(trees.plant(), 0, rows.len())];
        while let Some((node, first, count)) = pending.pop() {
            let part = &mut rows[first..first + count];
            let mut total = vec![0.0; self.rows.outputs + 1];
            part.iter().for_each(|&row| self.count(row, &mut total));
            match self.divide(part, &total, rng) {
                Some(test) => {
                    let left = partition(self.rows.bins, test, part, &mut self.buffer);
                    let child = trees.divide(node, test);
                    pending.push((child + 1, first + left, count - left));
                    pending.push((child, first, left));
                }
                None => {
                    let (sums, rows) = total.split_at(self.rows.outputs);
                    let leaf = leaves.leaf(trees, sums, rows[0]);
                    trees.end(node, leaf);
                }
            }
        }
    }

    /// Adds the outcome of a row to sums.
    fn count(&self, row: u32, sums: &mut [f32]) {
        count(self.rows, row, sums);
    }

    /// Chooses the test of a node, or none if it is to be a leaf.
    fn divide(&mut self, rows: &[u32], total: &[f32], rng: &mut Pcg32) -> Option<Test> {
        let fewest = self.settings.fewest_rows;
        if rows.len() < 2 * fewest.max(1) || self.is_pure(rows, total) {
            return None;
        }
        let mut best: Option<Found> = None;
        let mut tried = 0;
        for place in 0..self.varying.len() {
            let other = place + below(self.varying.len() - place, rng);
            self.varying.swap(place, other);
            let feature = self.varying[place];
            // A feature that is constant here is no try.
            let codes = &self.rows.bins.features[feature].codes;
            let (low, high) = rows.iter().fold((u8::MAX, 0), |(low, high), &row| {
                let code = codes[row as usize];
                (low.min(code), high.max(code))
            });
            if low >= high {
                continue;
            }
            let found = match self.settings.chance {
                Chance::Rows if rows.len() < FEW_ROWS => self.best_of_few(feature, rows, total),
                Chance::Rows => self.best_of_many(feature, rows, total, low, high),
                Chance::Thresholds => self.random(feature, rows, total, low, high, rng),
            };
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.gain > best.gain)
            {
                best = Some(found);
            }
            tried += 1;
            if tried >= self.settings.tries && best.is_some() {
                break;
            }
        }
        best.map(|best| best.test)
    }

    /// Returns true if all outcomes are equal.
    fn is_pure(&self, rows: &[u32], total: &[f32]) -> bool {
        match self.rows.target {
            Target::Classes(_) => {
                let count = total[self.rows.outputs];
                total[..self.rows.outputs].contains(&count)
            }
            Target::Values(values) => {
                let first = values.column(rows[0] as usize);
                rows.iter().all(|&row| values.column(row as usize) == first)
            }
        }
    }

    /// Gain of a division: the sums of squares of both sides, each over its rows. Maximal where the squared error, which for
    /// classes is Gini's impurity, is minimal.
    fn gain(&self, total: &[f32]) -> Option<f32> {
        let outputs = self.rows.outputs;
        let (left, right) = (self.left[outputs], total[outputs] - self.left[outputs]);
        let fewest = self.settings.fewest_rows.max(1) as f32;
        if left < fewest || right < fewest {
            return None;
        }
        let (mut below, mut above) = (0.0, 0.0);
        for (left, total) in self.left[..outputs].iter().zip(total) {
            below += left * left;
            above += (total - left) * (total - left);
        }
        Some(below / left + above / right)
    }

    fn test(&self, feature: usize, bin: u8) -> Test {
        Test { feature, bin, threshold: self.rows.bins.features[feature].edges[usize::from(bin)] }
    }

    /// Finds the best threshold of a feature by sorting the rows.
    fn best_of_few(&mut self, feature: usize, rows: &[u32], total: &[f32]) -> Option<Found> {
        let codes = &self.rows.bins.features[feature].codes;
        self.sorted.clear();
        self.sorted.extend(rows.iter().map(|&row| (codes[row as usize], row)));
        self.sorted.sort_unstable();
        self.left.fill(0.0);
        let mut best: Option<(f32, u8)> = None;
        for place in 0..self.sorted.len() - 1 {
            let (bin, row) = self.sorted[place];
            count(self.rows, row, &mut self.left);
            if bin == self.sorted[place + 1].0 {
                continue;
            }
            self.improve(total, bin, &mut best);
        }
        best.map(|(gain, bin)| Found { gain, test: self.test(feature, bin) })
    }

    /// Takes the threshold above `bin`, whose smaller codes have been counted, if it gains more than the `best` one.
    fn improve(&self, total: &[f32], bin: u8, best: &mut Option<(f32, u8)>) {
        if let Some(gain) = self.gain(total).filter(|gain| best.is_none_or(|(best, _)| *gain > best)) {
            *best = Some((gain, bin));
        }
    }

    /// Finds the best threshold of a feature by a histogram.
    fn best_of_many(
        &mut self,
        feature: usize,
        rows: &[u32],
        total: &[f32],
        low: u8,
        high: u8,
    ) -> Option<Found> {
        let width = self.rows.outputs + 1;
        let codes = &self.rows.bins.features[feature].codes;
        self.histogram.clear();
        self.histogram.resize((usize::from(high - low) + 1) * width, 0.0);
        for &row in rows {
            let cell = usize::from(codes[row as usize] - low) * width;
            count(self.rows, row, &mut self.histogram[cell..cell + width]);
        }
        self.left.fill(0.0);
        let mut best: Option<(f32, u8)> = None;
        for bin in low..high {
            let cell = usize::from(bin - low) * width;
            let cell = &self.histogram[cell..cell + width];
            if cell[width - 1] == 0.0 {
                continue;
            }
            self.left.iter_mut().zip(cell).for_each(|(left, cell)| *left += cell);
            self.improve(total, bin, &mut best);
        }
        best.map(|(gain, bin)| Found { gain, test: self.test(feature, bin) })
    }

    /// Draws a threshold between the smallest and the largest value.
    fn random(
        &mut self,
        feature: usize,
        rows: &[u32],
        total: &[f32],
        low: u8,
        high: u8,
        rng: &mut Pcg32,
    ) -> Option<Found> {
        let feature_bins = &self.rows.bins.features[feature];
        let (from, to) = (feature_bins.centers[usize::from(low)], feature_bins.centers[usize::from(high)]);
        let share = (rng.next_u32() >> 8) as f32 / (1 << 24) as f32;
        let threshold = from + share * (to - from);
        let bin = feature_bins.centers.partition_point(|center| *center <= threshold);
        let bin = bin.saturating_sub(1).clamp(usize::from(low), usize::from(high) - 1) as u8;
        self.left.fill(0.0);
        for &row in rows.iter().filter(|&&row| feature_bins.codes[row as usize] <= bin) {
            count(self.rows, row, &mut self.left);
        }
        let gain = self.gain(total)?;
        Some(Found { gain, test: Test { feature, bin, threshold } })
    }
}

/// Adds the outcome of a row to sums.
fn count(rows: &Rows<'_>, row: u32, sums: &mut [f32]) {
    let outputs = rows.outputs;
    match rows.target {
        Target::Classes(classes) => sums[classes[row as usize]] += 1.0,
        Target::Values(values) => {
            sums.iter_mut().zip(values.column(row as usize).iter()).for_each(|(sum, value)| *sum += value);
        }
    }
    sums[outputs] += 1.0;
}
