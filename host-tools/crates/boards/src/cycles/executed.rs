//! Instructions that firmware executes during its measurements, and their cycles.

use std::path::Path;

use super::cost::Core;
use super::trace::trace;
use crate::{Board, Elf};
use microdistill_train::error::{Error, Result};

/// Measurement tolerance in instructions: the error of two readings of a 16 MHz counter.
pub(crate) const TOLERANCE: u64 = 2;

/// The function of the boards' programs that reads the counter before and after each measurement.
const LOOK: &str = "look";

/// Instructions executed during a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Number of instructions.
    pub instructions: u64,
    /// Cycles of those instructions.
    pub cycles: u64,
}

/// Runs `elf` and traces the instructions of the `wanted` measurements. The first measurement is empty: it shows the cost of
/// reading the counter, which is subtracted from the others. Returns nothing if the board is not emulated or the costs of
/// its core are not known.
///
/// # Errors
/// If the run cannot be traced.
pub(crate) fn executed(board: &Board, elf: &Path, wanted: impl Fn(usize) -> bool) -> Result<Vec<Executed>> {
    let (Some(core), Some(_)) = (Core::named(&board.core), &board.qemu) else { return Ok(Vec::new()) };
    let elf = Elf::load(elf)?;
    let code = elf.code()?;
    let fetch = |address: u32| {
        code.iter().find_map(|&(start, bytes)| {
            let (first, rest) = bytes.get(address.checked_sub(start)? as usize..)?.split_first_chunk()?;
            // There is nothing after the last instruction.
            let second = rest.first_chunk().map_or(0, |&bytes| u16::from_le_bytes(bytes));
            Some([u16::from_le_bytes(*first), second])
        })
    };
    let mut costs = Vec::new();
    for path in trace(board, &elf, LOOK, |index| index == 0 || wanted(index))? {
        let cycles = core.cycles(&path, fetch).ok_or_else(|| {
            Error::Invalid(format!(
                "{} executed instructions that are not in {}",
                board.name,
                elf.path().display()
            ))
        })?;
        costs.push(Executed { instructions: path.len() as u64, cycles });
    }
    let Some((looks, costs)) = costs.split_first() else { return Ok(Vec::new()) };
    let without_looks = |all: &Executed| Executed {
        instructions: all.instructions.saturating_sub(looks.instructions),
        cycles: all.cycles.saturating_sub(looks.cycles),
    };
    Ok(costs.iter().map(without_looks).collect())
}

/// Total cycles of several measurements, for which the board's own counter reports `counted` instructions.
///
/// # Errors
/// If the trace has another number of instructions.
pub(crate) fn cycles(board: &Board, executed: &[Executed], counted: u64) -> Result<u64> {
    let traced: u64 = executed.iter().map(|executed| executed.instructions).sum();
    if counted.abs_diff(traced) > TOLERANCE * executed.len() as u64 {
        return Err(Error::Invalid(format!(
            "{} executed {traced} instructions but counted {counted}: its measurements would be wrong",
            board.name
        )));
    }
    Ok(executed.iter().map(|executed| executed.cycles).sum())
}
