//! What the boards' `bench` found, in instructions.

use serde::Serialize;

use super::{Board, Output};
use crate::error::{Error, Result};
use crate::model::{Body, Model};

/// QEMU's arguments for counting: an instruction is 2⁶ ns of virtual time.
const COUNTING: &str = " -icount shift=6,align=off,sleep=off";
/// Picoseconds an instruction.
const INSTRUCTION: u64 = 64_000;
/// A loop of known length may seem so many instructions longer or shorter: two readings of a counter of 16 MHz.
const TOLERANCE: u64 = 2;

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
    /// Cycles are not known in QEMU.
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

/// The results of a run of `bench`, with `model` in it, on a [`counting`] board: its inference, and training.
///
/// # Errors
/// Lines that are missing, a counter that does not count instructions.
pub fn measured(board: &Board, name: &str, model: &Model, output: &Output) -> Result<[Measured; 2]> {
    let number = |name: &str| {
        let text = output.value(name).and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        text.ok_or_else(|| Error::Invalid(format!("bench on {} did not print {name:?}", board.name)))
    };
    let emulated = board.qemu.is_some();
    let tick = if emulated { number("tick")? } else { 0 };
    let instructions = |ticks: u64, share: u64| {
        let divisor = INSTRUCTION * share;
        emulated.then(|| (ticks * tick + divisor / 2) / divisor)
    };
    let (found, known) = (instructions(number("loop")?, 1), LOOP);
    if found.is_some_and(|found| found.abs_diff(known) > TOLERANCE) {
        return Err(Error::Invalid(format!(
            "{} counts {found:?} instructions in a loop of {known}: its figures would be wrong",
            board.name
        )));
    }
    let stack = |name| number(name).map(|bytes| board.target.is_some().then_some(bytes));
    let row = |model: &str, kind, macs, flash, ram, stack, work| Measured {
        board: board.name.clone(),
        core: board.core.clone(),
        model: model.into(),
        kind,
        macs,
        cycles: None,
        flash,
        ram,
        stack,
        work,
    };
    let kind = match &model.body {
        Body::F32(_) => "f32",
        Body::Int8(_) => "int8",
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
            kind,
            multiplications,
            number("inference flash")?,
            number("inference RAM")?,
            stack("inference stack")?,
            inference,
        ),
        row(
            student,
            "f32",
            macs(&student_widths),
            number("teacher flash")?,
            number("training RAM")?,
            stack("training stack")?,
            training,
        ),
    ])
}

/// Instructions of the loop that `bench` measures first.
const LOOP: u64 = 20_000;

fn macs(widths: &[usize]) -> u64 {
    widths.windows(2).map(|pair| (pair[0] * pair[1]) as u64).sum()
}
