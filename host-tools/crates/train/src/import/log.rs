//! Parsing of the lines in which boards print numbers. They print the bits, so that nothing is rounded.

/// Parses a line such as `weights 0 16: [1065353216, …]`, whatever a logger put before it. Returns the index of the
/// tensor, the index of the first parameter, and the bits of the parameters.
pub fn weights_line(line: &str) -> Option<(usize, usize, Vec<u32>)> {
    let (_, line) = line.split_once("weights ")?;
    let (tensor, index) = line.split_once(": ")?.0.split_once(' ')?;
    Some((tensor.parse().ok()?, index.parse().ok()?, bits(line)?))
}

/// Parses the line behind the last weights, `weights check: 2774912345`: the
/// [seal](microdistill::checkpoint::record::seal) of a record of version 0 with these weights.
pub fn check_line(line: &str) -> Option<u32> {
    let (_, check) = line.split_once("weights check: ")?;
    check.parse().ok()
}

/// Parses the numbers in brackets after the first colon.
pub fn bits(line: &str) -> Option<Vec<u32>> {
    let (_, list) = line.split_once(": [")?;
    let list = list.strip_suffix(']')?;
    list.split(", ").filter(|number| !number.is_empty()).map(|number| number.parse().ok()).collect()
}
