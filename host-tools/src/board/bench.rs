//! What the boards' `bench` found: instructions, and what they cost.

use std::path::Path;

use serde::Serialize;

use super::executed::{self, Executed, TOLERANCE};
use super::{Board, Output};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::network::macs;

/// QEMU's arguments for counting: an instruction is 2⁶ ns of virtual time.
const COUNTING: &str = " -icount shift=6,align=off,sleep=off";
/// Picoseconds an instruction.
const INSTRUCTION: u64 = 64_000;
/// One row of results: something measured on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The board's name.
    pub board: String,
    /// Its core.
    pub core: String,
    /// The model's name; of training, the student's widths.
    pub model: String,
    /// Of the arithmetic: `f32` or `int8`.
    pub kind: &'static str,
    /// Multiplications of an inference.
    pub macs: u64,
    /// Of the instructions counted, modelled by the tables of the core's manual; none where there are none.
    pub cycles: Option<u64>,
    /// Bytes of flash: a network and its edges, as the board's kernels lay them out; of training, the teacher's.
    pub flash: u64,
    /// Bytes of RAM: working memory of an inference by the board's kernels, which is on its stack; of training, all that
    /// it keeps.
    pub ram: u64,
    /// Bytes of stack, painted.
    pub stack: Option<u64>,
    /// What was done.
    #[serde(flatten)]
    pub work: Work,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Work {
    /// An inference.
    Inference {
        /// From the network's input, which is quantized where the network is, to the index of the largest output.
        instructions: Option<u64>,
        /// Those, for each multiplication.
        instructions_per_mac: Option<f64>,
        /// From raw features to logits.
        instructions_from_features: Option<u64>,
    },
    /// A sample of a distillation: its gradient and its share of the update.
    Training {
        /// Which optimizer.
        optimizer: String,
        /// Samples an update.
        batch: u64,
        /// Of all instructions of an update.
        instructions_per_sample: Option<u64>,
    },
}

/// The board with an emulator that counts instructions, where there is one.
pub fn counting(board: &Board) -> Board {
    let mut board = board.clone();
    if let Some(qemu) = &mut board.qemu {
        qemu.push_str(COUNTING);
    }
    board
}

/// Runs the board's `bench` a second time, tracing what an inference executes, each time, and an update. Nothing, if the
/// board is not emulated or its core's costs are not known.
///
/// # Errors
/// A run that cannot be traced.
pub fn executed(board: &Board, elf: &Path) -> Result<Vec<Executed>> {
    // Behind the two loops come the network and the whole in turn, and at last the update.
    executed::executed(board, elf, |index| index > 2 && index % 2 == 1)
}

/// The results of a run of `bench`, with `model` in it, on a [`counting`] board: its inference, and training; and what
/// was [`executed`] in another.
///
/// # Errors
/// Lines that are missing, a counter that does not count instructions, or others than were executed.
pub fn measured(
    board: &Board,
    name: &str,
    model: &Model,
    output: &Output,
    executed: &[Executed],
) -> Result<[Measured; 2]> {
    let number = |name: &str| number(board, output, name);
    let emulated = board.qemu.is_some();
    let tick = if emulated { number("tick")? } else { 0 };
    let instructions = |ticks: u64, share: u64| emulated.then(|| instructions(ticks, tick, share));
    let (found, known) = (instructions(number("loop")?, 1), LOOP);
    if found.is_some_and(|found| found.abs_diff(known) > TOLERANCE) {
        return Err(Error::Invalid(format!(
            "{} counts {found:?} instructions in a loop of {known}: its figures would be wrong",
            board.name
        )));
    }
    let (inferences, update) = match executed {
        [inferences @ .., update] => (inferences, std::slice::from_ref(update)),
        [] => (executed, executed),
    };
    let cycles = |name: &str, executed: &[Executed], share: u64| match instructions(number(name)?, 1) {
        Some(counted) if !executed.is_empty() => {
            Ok(Some((executed::cycles(board, executed, counted)? + share / 2) / share))
        }
        _ => Ok::<_, Error>(None),
    };
    let stack = |name| number(name).map(|bytes| board.target.is_some().then_some(bytes));
    let row = |model: &str, kind, macs, cycles, flash, ram, stack, work| Measured {
        board: board.name.clone(),
        core: board.core.clone(),
        model: model.into(),
        kind,
        macs,
        cycles,
        flash,
        ram,
        stack,
        work,
    };
    let (runs, multiplications) = (number("inferences")?, macs(&model.widths()));
    let network = instructions(number("network")?, runs);
    let inference = Work::Inference {
        instructions: network,
        instructions_per_mac: network.map(|count| count as f64 / multiplications as f64),
        instructions_from_features: instructions(number("features to logits")?, runs),
    };
    let batch = number("samples an update")?;
    let training = Work::Training {
        optimizer: output.value("optimizer").unwrap_or_default().to_owned(),
        batch,
        instructions_per_sample: instructions(number("update")?, batch),
    };
    let student = output.value("student").unwrap_or_default();
    let student_widths: Vec<usize> = student.split('-').filter_map(|width| width.parse().ok()).collect();
    Ok([
        row(
            name,
            model.kind(),
            multiplications,
            cycles("network", inferences, runs)?,
            number("inference flash")?,
            number("inference RAM")?,
            stack("inference stack")?,
            inference,
        ),
        row(
            student,
            "f32",
            macs(&student_widths),
            cycles("update", update, batch)?,
            number("teacher flash")?,
            number("training RAM")?,
            stack("training stack")?,
            training,
        ),
    ])
}

/// How many instructions a program on a [`counting`] board took for what it calls `name`; none, if no emulator counted.
///
/// # Errors
/// A line that is missing.
pub fn counted(board: &Board, output: &Output, name: &str) -> Result<Option<u64>> {
    if board.qemu.is_none() {
        return Ok(None);
    }
    Ok(Some(instructions(number(board, output, name)?, number(board, output, "tick")?, 1)))
}

/// Instructions of the loop that `bench` measures first.
const LOOP: u64 = 20_000;

/// What `output` says behind `name: `.
pub(super) fn number(board: &Board, output: &Output, name: &str) -> Result<u64> {
    let text = output.value(name).and_then(|text| text.split(' ').next()?.parse().ok());
    text.ok_or_else(|| Error::Invalid(format!("the program on {} did not print {name:?}", board.name)))
}

/// How many instructions take so many `ticks`, each of so many picoseconds; divided by `share`.
pub(super) fn instructions(ticks: u64, tick: u64, share: u64) -> u64 {
    let divisor = INSTRUCTION * share;
    (ticks * tick + divisor / 2) / divisor
}
