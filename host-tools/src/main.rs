//! The command line of microdistill.
fn main() {}
