//! Parser of the boards' output.
//!
//! | line | meaning |
//! |---|---|
//! | `row 3: [1065353216, …]` | bits of the outputs for row 3 |
//! | `weights 0 16: [1065353216, …]` | bits of the parameters of tensor 0, starting at index 16 |
//! | `weights check: 2774912345` | check value of the parameters above, which `import` verifies |
//! | `accuracy: 310 of 364`, `before: …`, `after: …` | correct predictions |
//! | `network: 51234 ticks` and others | measurements of `bench` |

use microdistill::scalar::Element as _;
use microdistill_train::import::log::{bits, weights_line};

/// Output of one run of a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// The lines as printed.
    pub lines: Vec<String>,
    /// True if the program succeeded.
    pub success: bool,
    /// Text on standard error, for example from the emulator.
    pub stderr: String,
}

impl Output {
    /// Bits of the outputs, row by row.
    pub fn rows(&self) -> Vec<Vec<u32>> {
        self.lines.iter().filter_map(|line| line.strip_prefix("row ").and_then(bits)).collect()
    }

    /// Number of rows that differ from `expected`, which the desktop computed. Any NaN equals any NaN. Missing and surplus rows
    /// count as different.
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

    /// Bits of all parameters, in the core's order.
    pub fn weights(&self) -> Vec<u32> {
        self.lines.iter().filter_map(|line| weights_line(line)).flat_map(|(_, _, bits)| bits).collect()
    }

    /// The text after `name: ` in the first line that starts with it.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Number of correct predictions and of all predictions, from the line that starts with `name`.
    pub fn share(&self, name: &str) -> Option<(usize, usize)> {
        let (right, total) = self.value(name)?.split_once(" of ")?;
        Some((right.parse().ok()?, total.parse().ok()?))
    }

    /// Lines that are meant for people.
    pub fn story(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str).filter(|line| is_story(line))
    }
}

/// Returns true for a line that is meant for people, false for bits.
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
