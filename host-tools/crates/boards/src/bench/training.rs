//! Results of the boards' `learn` program: the cost per sample learned.

use std::path::Path;

use serde::Serialize;

use super::inference::{instructions, number};
use crate::cycles::executed::{self, Executed};
use crate::{Board, Output};
use microdistill_train::error::{Error, Result};

/// Cost per sample learned on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Learning {
    /// Name of the board.
    pub board: String,
    /// Processor core of the board.
    pub core: String,
    /// The network: `a` (10-32-10), `b` (64-32-10) or `c` (128-64-64-12).
    pub network: &'static str,
    /// `f32`, or `fused`, where each product and sum is rounded once.
    pub kind: &'static str,
    /// The trained part of the network: `all`, its `last layer`, or its `biases`.
    pub trained: &'static str,
    /// `sgd` with batch size 1, or `momentum` or `adam` with batch size 8.
    pub optimizer: &'static str,
    /// Number of weights and biases that are trained.
    pub parameters: u64,
    /// Instructions per sample, including its share of the update.
    pub instructions: u64,
    /// Cycles of the counted instructions, modelled with the tables of the core's manual; `None` for a core
    /// without tables.
    pub cycles: Option<u64>,
    /// Bytes of RAM in addition to the parameters, without the stack.
    pub ram: u64,
}

/// Names of the networks, in the order of the program.
const NETWORKS: [&str; 3] = ["a", "b", "c"];
/// Variants: the program's name, the arithmetic, and the trained part of the network.
const VARIANTS: [[&str; 3]; 4] = [
    ["f32", "f32", "all"],
    ["fused", "fused", "all"],
    ["f32 last layer", "f32", "last layer"],
    ["f32 biases", "f32", "biases"],
];
const OPTIMIZERS: [&str; 3] = ["sgd", "momentum", "adam"];

/// Traces the instructions of the board's `learn` program, as [`executed`](super::executed()) does for `bench`.
///
/// # Errors
/// If the run cannot be traced.
pub fn executed_learning(board: &Board, elf: &Path) -> Result<Vec<Executed>> {
    executed::executed(board, elf, |_| true)
}

/// Results of `learn`, from its output on a [`counting`](super::counting) board and from a second run that was traced.
///
/// # Errors
/// If lines are missing, or counts differ from the trace.
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

/// Parses the number of samples in `12345 ticks for 8 samples, …`.
fn samples(board: &Board, output: &Output, name: &str) -> Result<u64> {
    let text = output.value(name).and_then(|text| text.split(' ').nth(3)?.parse().ok());
    text.filter(|&samples| samples > 0).ok_or_else(|| {
        Error::Invalid(format!(
            "the program on {} did not print the number of samples of {name:?}",
            board.name
        ))
    })
}
