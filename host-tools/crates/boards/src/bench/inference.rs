//! Results of the boards' `bench` program: instructions, cycles and memory.

use std::path::Path;

use serde::Serialize;

use crate::cycles::executed::{self, Executed, TOLERANCE};
use crate::{Board, Output};
use microdistill_train::error::{Error, Result};
use microdistill_train::model::Model;
use microdistill_train::network::macs;

/// QEMU arguments for counting: an instruction takes 2⁶ ns of virtual time.
const COUNTING: &str = " -icount shift=6,align=off,sleep=off";
/// Picoseconds per instruction.
const INSTRUCTION: u64 = 64_000;
/// A row of results: inference or training of a model, measured on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Name of the board.
    pub board: String,
    /// Processor core of the board.
    pub core: String,
    /// Name of the model or, for training, the widths of the student.
    pub model: String,
    /// Arithmetic: `f32` or `int8`.
    pub kind: &'static str,
    /// Number of multiplications in an inference.
    pub macs: u64,
    /// Cycles of the counted instructions, modelled with the tables of the core's manual; `None` for a core
    /// without tables.
    pub cycles: Option<u64>,
    /// Bytes of flash: the network with its input and output conversions, in the layout of the board's kernels, or, for
    /// training, the teacher.
    pub flash: u64,
    /// Bytes of RAM: the working memory of an inference, which is on the stack, or, for training, everything that
    /// training keeps.
    pub ram: u64,
    /// Bytes of stack, measured by painting it.
    pub stack: Option<u64>,
    /// The work that was measured.
    #[serde(flatten)]
    pub work: Work,
}

/// Work that was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Work {
    /// An inference.
    Inference {
        /// Instructions from the network's input, quantized if the network is, to the index of the largest output.
        instructions: Option<u64>,
        /// Instructions per multiplication.
        instructions_per_mac: Option<f64>,
        /// Instructions from raw features to logits.
        instructions_from_features: Option<u64>,
    },
    /// A training sample of a distillation: its gradient and its share of the update.
    Training {
        /// Name of the optimizer.
        optimizer: String,
        /// Batch size: samples per update.
        batch: u64,
        /// Instructions per sample, including its share of the update.
        instructions_per_sample: Option<u64>,
    },
}

/// Returns the board with its emulator, if it has one, set to count instructions.
pub fn counting(board: &Board) -> Board {
    let mut board = board.clone();
    if let Some(qemu) = &mut board.qemu {
        qemu.push_str(COUNTING);
    }
    board
}

/// Runs the board's `bench` program a second time and traces the instructions of every inference and of an update. Returns
/// nothing if the board is not emulated or the costs of its core are not known.
///
/// # Errors
/// If the run cannot be traced.
pub fn executed(board: &Board, elf: &Path) -> Result<Vec<Executed>> {
    // After the two loops, `bench` alternates between the network and the whole inference, and ends with the update.
    executed::executed(board, elf, |index| index > 2 && index % 2 == 1)
}

/// Results of `bench` for inference and for training, from its output on a [`counting`] board, where it runs `model`, and
/// from a second run that was [`executed`].
///
/// # Errors
/// If lines are missing, the counter does not count instructions, or its counts differ from the trace.
pub fn measured(
    board: &Board,
    name: &str,
    model: &Model,
    output: &Output,
    executed: &[Executed],
) -> Result<[Measured; 2]> {
    let run = Run { board, output, tick: tick(board, output)? };
    let (inferences, update) = match executed {
        [inferences @ .., update] => (inferences, std::slice::from_ref(update)),
        [] => (executed, executed),
    };
    Ok([run.inference(name, model, inferences)?, run.training(update)?])
}

/// Output of a run of `bench`.
struct Run<'a> {
    board: &'a Board,
    output: &'a Output,
    /// Picoseconds per tick; `None` if no emulator counts.
    tick: Option<u64>,
}

/// Length of a tick, if an emulator counts.
///
/// # Errors
/// If the counter does not count instructions.
fn tick(board: &Board, output: &Output) -> Result<Option<u64>> {
    let ticks = number(board, output, "loop")?;
    if board.qemu.is_none() {
        return Ok(None);
    }
    let tick = number(board, output, "tick")?;
    let found = instructions(ticks, tick, 1);
    if found.abs_diff(LOOP) > TOLERANCE {
        return Err(Error::Invalid(format!(
            "{} counts {found} instructions in a loop of {LOOP}: its measurements would be wrong",
            board.name
        )));
    }
    Ok(Some(tick))
}

impl Run<'_> {
    fn inference(&self, name: &str, model: &Model, executed: &[Executed]) -> Result<Measured> {
        let (runs, macs) = (self.number("inferences")?, macs(&model.widths()));
        let network = self.instructions("network", runs)?;
        Ok(Measured {
            board: self.board.name.clone(),
            core: self.board.core.clone(),
            model: name.into(),
            kind: model.kind(),
            macs,
            cycles: self.cycles("network", executed, runs)?,
            flash: self.number("inference flash")?,
            ram: self.number("inference RAM")?,
            stack: self.stack("inference stack")?,
            work: Work::Inference {
                instructions: network,
                instructions_per_mac: network.map(|count| count as f64 / macs as f64),
                instructions_from_features: self.instructions("features to logits", runs)?,
            },
        })
    }

    fn training(&self, executed: &[Executed]) -> Result<Measured> {
        let batch = self.number("samples per update")?;
        let student = self.output.value("student").unwrap_or_default();
        let widths: Vec<usize> = student.split('-').filter_map(|width| width.parse().ok()).collect();
        Ok(Measured {
            board: self.board.name.clone(),
            core: self.board.core.clone(),
            model: student.into(),
            kind: "f32",
            macs: macs(&widths),
            cycles: self.cycles("update", executed, batch)?,
            flash: self.number("teacher flash")?,
            ram: self.number("training RAM")?,
            stack: self.stack("training stack")?,
            work: Work::Training {
                optimizer: self.output.value("optimizer").unwrap_or_default().to_owned(),
                batch,
                instructions_per_sample: self.instructions("update", batch)?,
            },
        })
    }

    fn number(&self, name: &str) -> Result<u64> {
        number(self.board, self.output, name)
    }

    /// Instructions of the measurement `name`, divided by `share`.
    fn instructions(&self, name: &str, share: u64) -> Result<Option<u64>> {
        let ticks = self.number(name)?;
        Ok(self.tick.map(|tick| instructions(ticks, tick, share)))
    }

    /// Cycles of the measurement `name`, divided by `share`; `None` if nothing was traced.
    fn cycles(&self, name: &str, executed: &[Executed], share: u64) -> Result<Option<u64>> {
        match self.instructions(name, 1)? {
            Some(counted) if !executed.is_empty() => {
                Ok(Some((executed::cycles(self.board, executed, counted)? + share / 2) / share))
            }
            _ => Ok(None),
        }
    }

    /// Depth of the stack; `None` on the desktop, where it is not painted.
    fn stack(&self, name: &str) -> Result<Option<u64>> {
        let bytes = self.number(name)?;
        Ok(self.board.target.is_some().then_some(bytes))
    }
}

/// Instructions of the measurement `name` by a program on a [`counting`] board; `None` if no emulator
/// counted.
///
/// # Errors
/// If the line is missing.
pub fn counted(board: &Board, output: &Output, name: &str) -> Result<Option<u64>> {
    if board.qemu.is_none() {
        return Ok(None);
    }
    Ok(Some(instructions(number(board, output, name)?, number(board, output, "tick")?, 1)))
}

/// Number of instructions in the loop that `bench` measures first.
const LOOP: u64 = 20_000;

/// Parses the number after `name: ` in the output.
pub(crate) fn number(board: &Board, output: &Output, name: &str) -> Result<u64> {
    let text = output.value(name).and_then(|text| text.split(' ').next()?.parse().ok());
    text.ok_or_else(|| Error::Invalid(format!("the program on {} did not print {name:?}", board.name)))
}

/// Instructions in `ticks` ticks of `tick` picoseconds each, divided by `share`.
pub(crate) fn instructions(ticks: u64, tick: u64, share: u64) -> u64 {
    let divisor = INSTRUCTION * share;
    (ticks * tick + divisor / 2) / divisor
}
