//! Growth of one boosted tree: the leaf whose division gains most is divided next.

use crate::blend::{Boosting, Trees};
use crate::teacher::zoo::bins::Bins;
use crate::teacher::zoo::grow::{Test, partition};

/// Sum of gradients, of second derivatives, and number of rows; the last element is unused.
type Cell = [f32; 4];

/// Smallest sum of second derivatives in a leaf.
const FEWEST_HESSIANS: f32 = 1e-3;

/// Memory of a grower, and the tree that it grew last.
pub(super) struct Grower<'a> {
    bins: &'a Bins,
    settings: &'a Boosting,
    /// Gradient, second derivative and 1 for every row of the data set.
    pub(super) gradients: Vec<Cell>,
    /// First cell of each feature in a histogram.
    starts: Vec<usize>,
    /// Histograms that are not in use.
    spare: Vec<Vec<Cell>>,
    rows: Vec<u32>,
    buffer: Vec<u32>,
    gathered: Vec<Cell>,
    leaves: Vec<Leaf>,
    /// Tests of the tree by node, counted from its root: the test and the left child; none for a leaf, with its value.
    nodes: Vec<Node>,
}

struct Leaf {
    node: usize,
    first: usize,
    count: usize,
    total: Cell,
    histogram: Vec<Cell>,
    best: Option<(f32, Test)>,
}

#[derive(Clone, Copy)]
struct Node {
    test: Option<(Test, usize)>,
    value: f32,
}

impl<'a> Grower<'a> {
    pub(super) fn new(bins: &'a Bins, settings: &'a Boosting) -> Self {
        let mut starts = vec![0];
        for feature in &bins.features {
            starts.push(starts[starts.len() - 1] + feature.bins());
        }
        Grower {
            bins,
            settings,
            gradients: vec![[0.0; 4]; bins.rows()],
            starts,
            spare: Vec::new(),
            rows: Vec::new(),
            buffer: Vec::new(),
            gathered: Vec::new(),
            leaves: Vec::new(),
            nodes: Vec::new(),
        }
    }

    /// Grows a tree on the rows `seen` and adds it to `trees`.
    pub(super) fn grow(&mut self, trees: &mut Trees, seen: &[u32], features: &[usize]) {
        self.rows.clear();
        self.rows.extend_from_slice(seen);
        self.nodes.clear();
        self.nodes.push(Node { test: None, value: 0.0 });
        self.spare.extend(self.leaves.drain(..).map(|leaf| leaf.histogram));
        let mut histogram = self.spare.pop().unwrap_or_default();
        self.fill(&mut histogram, 0, seen.len(), features);
        let total = self.total(0, seen.len());
        let root = Leaf { node: 0, first: 0, count: seen.len(), total, histogram, best: None };
        let best = self.best(&root, features);
        self.leaves.push(Leaf { best, ..root });
        while self.leaves.len() < self.settings.leaves {
            let gain = |leaf: &Leaf| leaf.best.map_or(0.0, |(gain, _)| gain);
            let Some(place) = (0..self.leaves.len())
                .filter(|&leaf| self.leaves[leaf].best.is_some())
                .max_by(|&a, &b| gain(&self.leaves[a]).total_cmp(&gain(&self.leaves[b])).then(b.cmp(&a)))
            else {
                break;
            };
            self.divide(place, features);
        }
        self.store(trees);
    }

    /// Divides a leaf that has a best test.
    fn divide(&mut self, place: usize, features: &[usize]) {
        let leaf = self.leaves.swap_remove(place);
        let Some((_, test)) = leaf.best else { return };
        let rows = &mut self.rows[leaf.first..leaf.first + leaf.count];
        let left = partition(self.bins, test, rows, &mut self.buffer);
        let (middle, right) = (leaf.first + left, leaf.count - left);
        let child = self.nodes.len();
        self.nodes[leaf.node].test = Some((test, child));
        self.nodes.extend([Node { test: None, value: 0.0 }; 2]);
        // The larger child's histogram is the parent's less that of the smaller one.
        let mut small = self.spare.pop().unwrap_or_default();
        let (first, count) = if left <= right { (leaf.first, left) } else { (middle, right) };
        self.fill(&mut small, first, count, features);
        let mut large = leaf.histogram;
        for &feature in features {
            let cells = self.starts[feature]..self.starts[feature + 1];
            for (large, small) in large[cells.clone()].iter_mut().zip(&small[cells]) {
                large.iter_mut().zip(small).for_each(|(large, small)| *large -= small);
            }
        }
        let of_small = self.total(first, count);
        let mut of_large = leaf.total;
        of_large.iter_mut().zip(of_small).for_each(|(large, small)| *large -= small);
        let ((left_histogram, left_total), (right_histogram, right_total)) = if left <= right {
            ((small, of_small), (large, of_large))
        } else {
            ((large, of_large), (small, of_small))
        };
        let children = [
            (child, leaf.first, left, left_histogram, left_total),
            (child + 1, middle, right, right_histogram, right_total),
        ];
        for (node, first, count, histogram, total) in children {
            let leaf = Leaf { node, first, count, total, histogram, best: None };
            let best = self.best(&leaf, features);
            self.leaves.push(Leaf { best, ..leaf });
        }
    }

    fn total(&self, first: usize, count: usize) -> Cell {
        let mut total = [0.0f64; 4];
        for &row in &self.rows[first..first + count] {
            let cell = &self.gradients[row as usize];
            total.iter_mut().zip(cell).for_each(|(total, value)| *total += f64::from(*value));
        }
        total.map(|total| total as f32)
    }

    /// Fills the histogram of some rows.
    fn fill(&mut self, histogram: &mut Vec<Cell>, first: usize, count: usize, features: &[usize]) {
        histogram.resize(self.starts[self.starts.len() - 1], [0.0; 4]);
        let rows = &self.rows[first..first + count];
        self.gathered.clear();
        self.gathered.extend(rows.iter().map(|&row| self.gradients[row as usize]));
        for &feature in features {
            let cells = &mut histogram[self.starts[feature]..self.starts[feature + 1]];
            cells.fill([0.0; 4]);
            let codes = &self.bins.features[feature].codes;
            for (&row, gradient) in rows.iter().zip(&self.gathered) {
                let cell = &mut cells[usize::from(codes[row as usize])];
                *cell = [
                    cell[0] + gradient[0],
                    cell[1] + gradient[1],
                    cell[2] + gradient[2],
                    cell[3] + gradient[3],
                ];
            }
        }
    }

    /// Finds the test of a leaf that gains most.
    fn best(&self, leaf: &Leaf, features: &[usize]) -> Option<(f32, Test)> {
        let [gradient, hessian, count, _] = leaf.total;
        let lambda = self.settings.lambda;
        let fewest = self.settings.fewest_rows as f32;
        if count < 2.0 * fewest {
            return None;
        }
        let parent = gradient * gradient / (hessian + lambda);
        let mut best: Option<(f32, usize, usize)> = None;
        let mut most = parent * (1.0 + 1e-6) + 1e-7;
        for &feature in features {
            let cells = &leaf.histogram[self.starts[feature]..self.starts[feature + 1]];
            let mut left = [0.0f32; 3];
            for (bin, cell) in cells[..cells.len() - 1].iter().enumerate() {
                if cell[2] < 0.5 {
                    continue;
                }
                left = [left[0] + cell[0], left[1] + cell[1], left[2] + cell[2]];
                let right = [gradient - left[0], hessian - left[1], count - left[2]];
                if left[2] < fewest || left[1] < FEWEST_HESSIANS {
                    continue;
                }
                if right[2] < fewest || right[1] < FEWEST_HESSIANS {
                    break;
                }
                let (below, above) = (left[1] + lambda, right[1] + lambda);
                // The quotient of these is the gain. There is one division per better test, not per bin.
                let (sum, product) = (left[0] * left[0] * above + right[0] * right[0] * below, below * above);
                if sum > most * product {
                    most = sum / product;
                    best = Some((most - parent, feature, bin));
                }
            }
        }
        let (gain, feature, bin) = best?;
        let threshold = self.bins.features[feature].edges[bin];
        Some((gain, Test { feature, bin: bin as u8, threshold }))
    }

    /// Sets the values of the leaves and adds the tree to `trees`.
    fn store(&mut self, trees: &mut Trees) {
        for leaf in &self.leaves {
            let [gradient, hessian, ..] = leaf.total;
            self.nodes[leaf.node].value = -self.settings.rate * gradient / (hessian + self.settings.lambda);
        }
        let mut pending = vec![(0, trees.plant())];
        while let Some((from, to)) = pending.pop() {
            match self.nodes[from].test {
                Some((test, child)) => {
                    let made = trees.divide(to, test);
                    pending.extend([(child + 1, made + 1), (child, made)]);
                }
                None => {
                    trees.end(to, trees.leaves.len());
                    trees.leaves.push(self.nodes[from].value);
                }
            }
        }
    }

    /// Adds the values of the last tree to the sums of the rows that it was grown on, and of the rows `unseen`.
    pub(super) fn add(&self, sums: &mut [f32], unseen: &[u32]) {
        for leaf in &self.leaves {
            let value = self.nodes[leaf.node].value;
            self.rows[leaf.first..leaf.first + leaf.count]
                .iter()
                .for_each(|&row| sums[row as usize] += value);
        }
        unseen.iter().for_each(|&row| sums[row as usize] += self.value(row as usize));
    }

    /// Adds the values of the last tree to the sums of the rows `index`.
    pub(super) fn add_elsewhere(&self, sums: &mut [f32], index: &[usize]) {
        index.iter().for_each(|&row| sums[row] += self.value(row));
    }

    fn value(&self, row: usize) -> f32 {
        let mut node = &self.nodes[0];
        while let Some((test, child)) = node.test {
            let right = self.bins.features[test.feature].codes[row] > test.bin;
            node = &self.nodes[child + usize::from(right)];
        }
        node.value
    }
}
