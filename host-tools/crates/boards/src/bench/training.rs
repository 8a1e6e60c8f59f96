//! Results of the boards' `learn` program: the cost per sample learned.

use std::path::Path;

use serde::Serialize;

use super::inference::{instructions, number};
use crate::cycles::executed::{self, Executed};
use crate::{Board, Output};
use microdistill_train::error::{Error, Result};

/// A sample learned on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Learning {
    /// The board's name.
    pub board: String,
    /// Its core.
    pub core: String,
    /// The network: `a` (10-32-10), `b` (64-32-10) or `c` (128-64-64-12).
    pub network: &'static str,
    /// `f32`, or `fused`: products and sums rounded once.
    pub kind: &'static str,
    /// `all` of the network, its `last layer`, or its `biases`.
    pub trained: &'static str,
    /// `sgd`, batch 1, or, batch 8, `momentum` or `adam`.
    pub optimizer: &'static str,
    /// Weights and biases that are trained.
    pub parameters: u64,
    /// A sample, with its share of the update.
    pub instructions: u64,
    /// Cycles of the counted instructions, modelled by the tables of the core's manual; none for a core
    /// without tables.
    pub cycles: Option<u64>,
    /// Bytes of RAM beyond the parameters, without the stack.
    pub ram: u64,
}

/// In the order of the program.
const NETWORKS: [&str; 3] = ["a", "b", "c"];
/// The program's name of a variant, its kind, and what of the network is trained.
const VARIANTS: [[&str; 3]; 4] = [
    ["f32", "f32", "all"],
    ["fused", "fused", "all"],
    ["f32 last layer", "f32", "last layer"],
    ["f32 biases", "f32", "biases"],
];
const OPTIMIZERS: [&str; 3] = ["sgd", "momentum", "adam"];

/// Traces what the board's `learn` executes, as [`executed`](super::executed()) does for `bench`.
///
/// # Errors
/// A run that cannot be traced.
pub fn executed_learning(board: &Board, elf: &Path) -> Result<Vec<Executed>> {
    executed::executed(board, elf, |_| true)
}

/// The results of a run of `learn` on a [`counting`](super::counting) board, and of what was executed in another.
///
/// # Errors
/// Lines that are missing, and others than were executed.
pub fn learned(board: &Board, output: &Output, executed: &[Executed]) -> Result<Vec<Learning>> {
    let tick = number(board, output, "tick")?;
    let mut executed = executed.iter();
    let mut results = Vec::new();
    for network in NETWORKS {
        for [variant, kind, trained] in VARIANTS {
            for optimizer in OPTIMIZERS {
                let name = format!("{network} {variant} {optimizer}");
                let samples = samples(board, output, &name)?;
                let counted = instructions(number(board, output, &name)?, tick, 1);
                let cycles = match executed.next() {
                    Some(traced) => {
                        let all = executed::cycles(board, std::slice::from_ref(traced), counted)?;
                        Some((all + samples / 2) / samples)
                    }
                    None => None,
                };
                results.push(Learning {
                    board: board.name.clone(),
                    core: board.core.clone(),
                    network,
                    kind,
                    trained,
                    optimizer,
                    parameters: number(board, output, &format!("{network} {variant} parameters"))?,
                    instructions: (counted + samples / 2) / samples,
                    cycles,
                    ram: number(board, output, &format!("{name} RAM"))?,
                });
            }
        }
    }
    Ok(results)
}

/// Reads `12345 ticks for 8 samples, …`.
fn samples(board: &Board, output: &Output, name: &str) -> Result<u64> {
    let text = output.value(name).and_then(|text| text.split(' ').nth(3)?.parse().ok());
    text.filter(|&samples| samples > 0).ok_or_else(|| {
        Error::Invalid(format!("the program on {} did not say how many samples {name:?} are", board.name))
    })
}
