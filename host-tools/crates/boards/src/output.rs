//! Parser of the boards' output.
//!
//! | line | meaning |
//! |---|---|
//! | `row 3: [1065353216, …]` | bits of the outputs for a row |
//! | `weights 0 16: [1065353216, …]` | bits of the parameters of a tensor, from an index on |
//! | `accuracy: 310 of 364`, `before: …`, `after: …` | right answers |
//! | `network: 51234 ticks` and the like | what `bench` measured |

use microdistill::scalar::Element as _;
use microdistill_train::import::log::{bits, weights_line};

/// All lines of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// The lines as printed.
    pub lines: Vec<String>,
    /// True if the program ended with success.
    pub success: bool,
    /// Text on standard error, from the emulator for example.
    pub stderr: String,
}

impl Output {
    /// The bits of the outputs, row by row.
    pub fn rows(&self) -> Vec<Vec<u32>> {
        self.lines.iter().filter_map(|line| line.strip_prefix("row ").and_then(bits)).collect()
    }

    /// Number of rows that differ from `expected`, which the desktop computed. Any NaN equals any NaN, and a
    /// row that is
    /// missing or too many differs.
    pub fn different(&self, expected: &[Vec<f32>]) -> usize {
        let rows = self.rows();
        let same = |(found, expected): (&Vec<u32>, &Vec<f32>)| {
            let mut pairs = found.iter().zip(expected);
            found.len() == expected.len()
                && pairs.all(|(&found, expected)| f32::from_bits(found).same_bits(*expected))
        };
        let equal = rows.iter().zip(expected).filter(|&pair| same(pair)).count();
        rows.len().max(expected.len()) - equal
    }

    /// The bits of all parameters, in the core's order.
    pub fn weights(&self) -> Vec<u32> {
        self.lines.iter().filter_map(|line| weights_line(line)).flat_map(|(_, _, bits)| bits).collect()
    }

    /// The text after `name: `, in the first line that begins so.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Right answers and all of them, of the line that begins with `name`.
    pub fn share(&self, name: &str) -> Option<(usize, usize)> {
        let (right, total) = self.value(name)?.split_once(" of ")?;
        Some((right.parse().ok()?, total.parse().ok()?))
    }

    /// The lines that are for people.
    pub fn story(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str).filter(|line| is_story(line))
    }
}

/// Returns true for a line meant for people, false for bits.
pub fn is_story(line: &str) -> bool {
    !line.starts_with("row ") && !line.starts_with("weights ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let lines = ["self-test: passed", "row 0: [1, 2]", "row 1: [3, 4294967295]", "accuracy: 1 of 2"];
        let mut output = Output { lines: lines.map(str::to_owned).into(), ..Output::default() };
        assert_eq!(output.rows(), [vec![1, 2], vec![3, u32::MAX]]);
        let [one, two, three] = [1, 2, 3].map(f32::from_bits);
        assert_eq!(output.different(&[vec![one, two], vec![three, f32::NAN]]), 0);
        assert_eq!(output.different(&[vec![one, one], vec![three, 1.0]]), 2);
        assert_eq!(output.different(&[vec![one, two]]), 1);
        assert_eq!(output.share("accuracy"), Some((1, 2)));
        assert_eq!(output.share("after"), None);
        assert_eq!(output.story().collect::<Vec<_>>(), ["self-test: passed", "accuracy: 1 of 2"]);
        output.lines = ["weights 0 0: [7, 8]", "weights 1 0: [9]"].map(str::to_owned).into();
        assert_eq!(output.weights(), [7, 8, 9]);
    }
}
