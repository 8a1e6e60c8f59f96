//! Parts that all growers of trees share.

use super::bins::Bins;
use crate::blend::{LEAF, Trees};

/// Test of a node: rows in bins up to `bin` go left.
#[derive(Clone, Copy)]
pub(super) struct Test {
    pub(super) feature: usize,
    pub(super) bin: u8,
    /// The same test for a standardized value.
    pub(super) threshold: f32,
}

/// Moves the rows that go left to the front, in their order, and the others behind them, in theirs. Returns the number of the
/// former.
pub(super) fn partition(bins: &Bins, test: Test, rows: &mut [u32], buffer: &mut Vec<u32>) -> usize {
    let codes = &bins.features[test.feature].codes;
    buffer.clear();
    let mut left = 0;
    for index in 0..rows.len() {
        let row = rows[index];
        if codes[row as usize] <= test.bin {
            rows[left] = row;
            left += 1;
        } else {
            buffer.push(row);
        }
    }
    rows[left..].copy_from_slice(buffer);
    left
}

/// Nodes are added to trees parents first, so that a child always lies behind its parent.
impl Trees {
    /// Adds a tree of a single node, and returns the node.
    pub(super) fn plant(&mut self) -> usize {
        let node = self.nodes(1);
        self.roots.push(node as i32);
        node
    }

    /// Turns `node` into a test and returns its left child; the right child is the next node.
    pub(super) fn divide(&mut self, node: usize, test: Test) -> usize {
        let child = self.nodes(2);
        self.features[node] = test.feature as i32;
        self.thresholds[node] = test.threshold;
        self.children[node] = child as i32;
        child
    }

    /// Turns `node` into a leaf with the values at this index.
    pub(super) fn end(&mut self, node: usize, leaf: usize) {
        self.children[node] = leaf as i32;
    }

    fn nodes(&mut self, count: usize) -> usize {
        let first = self.features.len();
        self.features.resize(first + count, LEAF);
        self.thresholds.resize(first + count, 0.0);
        self.children.resize(first + count, 0);
        first
    }
}
