//! Model of the cycles that executed instructions take, from the tables in Arm's Technical Reference Manuals. It is not a
//! measurement.
//!
//! The model assumes memory without wait states, pipeline refills for aligned and unpredicted branch targets, and divisions in
//! the middle of their range. It ignores address dependencies on the previous instruction, instructions skipped in an IT
//! block, and contention between code and data in one memory.

use super::thumb::{Instruction, Kind};

/// A processor core whose instruction costs are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Core {
    /// DDI 0432, section 3.3, with the single-cycle multiplier.
    M0,
    /// DDI 0484, section 3.3, with the single-cycle multiplier.
    M0Plus,
    /// DDI 0337, section 3.3.
    M3,
    /// DDI 0439, sections 3.3 and 7.2.
    M4,
}

impl Core {
    /// The core with this name in the manifests of boards.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "Cortex-M0" => Some(Core::M0),
            "Cortex-M0+" => Some(Core::M0Plus),
            "Cortex-M3" => Some(Core::M3),
            "Cortex-M4" | "Cortex-M4F" => Some(Core::M4),
            _ => None,
        }
    }

    /// Cycles of the instructions at the addresses `path`, executed in this order. `fetch` returns the two halfwords at an
    /// address; where it returns `None`, so does this.
    pub(crate) fn cycles(self, path: &[u32], fetch: impl Fn(u32) -> Option<[u16; 2]>) -> Option<u64> {
        let mut cycles = 0;
        let mut previous = None;
        for (index, &address) in path.iter().enumerate() {
            let [first, second] = fetch(address)?;
            let instruction = Instruction::decode(first, second);
            let behind = address.wrapping_add(instruction.bytes);
            // The successor of the last instruction is unknown.
            let straight = path.get(index + 1).is_none_or(|&next| next == behind);
            cycles += u64::from(self.cost(instruction, previous, straight));
            previous = straight.then_some(instruction);
        }
        Some(cycles)
    }

    /// Cycles of one instruction. `previous` is the one before it, unless that jumped; `straight` tells that this one does not
    /// jump.
    fn cost(self, instruction: Instruction, previous: Option<Instruction>, straight: bool) -> u32 {
        let in_order = self == Core::M3 || self == Core::M4;
        let refill = match self {
            Core::M0Plus => 1,
            Core::M0 | Core::M3 | Core::M4 => 2,
        };
        let jumped = if straight { 0 } else { refill };
        let kind = match instruction.kind {
            // The address phase overlaps the data phase of the previous access.
            Kind::Load if in_order && previous.is_some_and(|previous| previous.is_access()) => 1,
            // The write buffer takes it.
            Kind::Store if in_order => 1,
            Kind::Load | Kind::Store => 2,
            Kind::LoadJump => 2 + refill,
            Kind::Multiple { words, jump: false } => 1 + words,
            Kind::Multiple { words, jump: true } if self == Core::M0 => 4 + words,
            Kind::Multiple { words, jump: true } if self == Core::M0Plus => 3 + words,
            Kind::Multiple { words, jump: true } => 1 + words + refill,
            Kind::Multiply { accumulate } if self == Core::M3 => 1 + u32::from(accumulate),
            // 3 to 5, and 4 to 7 cycles: early termination.
            Kind::MultiplyLong { accumulate } if self == Core::M3 => {
                if accumulate {
                    5
                } else {
                    4
                }
            }
            // 2 to 12 cycles: early termination.
            Kind::Divide => 7,
            Kind::Branch => 1 + jumped,
            Kind::Jump => 1 + refill,
            Kind::TableJump => 2 + refill,
            Kind::Call if in_order => 1 + refill,
            // The second halfword takes its own fetch.
            Kind::Call => 2 + refill,
            Kind::System if self == Core::M0 => 4,
            Kind::System if self == Core::M0Plus => 3,
            Kind::FloatAccumulate => 3,
            Kind::FloatDivide => 14,
            Kind::FloatTransfer => 2,
            Kind::Simple | Kind::Multiply { .. } | Kind::MultiplyLong { .. } | Kind::System | Kind::Float => {
                1
            }
        };
        let result = previous.and_then(|previous| previous.result);
        let waits = result.is_some_and(|register| instruction.operands & 1 << register != 0);
        kind + u32::from(waits)
    }
}

impl Instruction {
    fn is_access(self) -> bool {
        matches!(self.kind, Kind::Load | Kind::Store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cycles of `code`, executed in the order of these indices of halfwords.
    fn cycles(core: Core, code: &[u16], path: &[u32]) -> u64 {
        let path: Vec<u32> = path.iter().map(|index| 0x100 + 2 * index).collect();
        let fetch = |address: u32| {
            let at = (address as usize - 0x100) / 2;
            Some([*code.get(at)?, code.get(at + 1).copied().unwrap_or(0)])
        };
        core.cycles(&path, fetch).unwrap()
    }

    #[test]
    fn a_loop_costs_its_branches() {
        // subs r0, #1; bne: three iterations, then a nop.
        let (code, path) = ([0x3801, 0xd1fd, 0xbf00], [0, 1, 0, 1, 0, 1, 2]);
        assert_eq!(cycles(Core::M4, &code, &path), 4 + 4 + 2 + 1);
        assert_eq!(cycles(Core::M0Plus, &code, &path), 3 + 3 + 2 + 1);
    }

    #[test]
    fn neighbouring_loads_are_pipelined() {
        // ldr r1, [r0]; ldr r2, [r0]; str r2, [r0]; ldr r1, [r0]; adds r1, r1; ldr r1, [r0]
        let (code, path) = ([0x6801, 0x6802, 0x6002, 0x6801, 0x1849, 0x6801], [0, 1, 2, 3, 4, 5]);
        assert_eq!(cycles(Core::M4, &code, &path), 2 + 1 + 1 + 1 + 1 + 2);
        assert_eq!(cycles(Core::M0, &code, &path), 2 + 2 + 2 + 2 + 1 + 2);
        // push {r7, lr}; pop {r7, pc}
        let (code, path) = ([0xb580, 0xbd80], [0, 1]);
        assert_eq!(cycles(Core::M4, &code, &path), 3 + 5);
        assert_eq!(cycles(Core::M0, &code, &path), 3 + 6);
        assert_eq!(cycles(Core::M0Plus, &code, &path), 3 + 5);
    }

    #[test]
    fn a_result_of_the_fpu_is_late() {
        let [multiply, add, other] = [[0xee21, 0x0a01], [0xee32, 0x1a00], [0xee73, 0x2a24]];
        // vmul.f32 s0, s2, s2; vadd.f32 s2, s4, s0
        assert_eq!(cycles(Core::M4, [multiply, add].as_flattened(), &[0, 2]), 3);
        // vmul.f32 s0, s2, s2; vadd.f32 s5, s6, s9; vadd.f32 s2, s4, s0
        assert_eq!(cycles(Core::M4, [multiply, other, add].as_flattened(), &[0, 2, 4]), 3);
        // vmul.f32 s0, s2, s2; vfma.f32 s0, s4, s6: the addend is ready in time.
        assert_eq!(cycles(Core::M4, [multiply, [0xeea2, 0x0a03]].as_flattened(), &[0, 2]), 4);
    }

    #[test]
    fn multiplications_and_divisions_cost_what_the_core_has() {
        // smlal r1, r2, r3, r4; mla r0, r1, r2, r3; sdiv r0, r1, r2
        let (code, path) = ([0xfbc3, 0x1204, 0xfb01, 0x3002, 0xfb91, 0xf0f2], [0, 2, 4]);
        assert_eq!(cycles(Core::M4, &code, &path), 1 + 1 + 7);
        assert_eq!(cycles(Core::M3, &code, &path), 5 + 2 + 7);
        // vdiv.f32 s0, s2, s4
        assert_eq!(cycles(Core::M4, &[0xee81, 0x0a02], &[0]), 14);
    }

    #[test]
    fn code_that_is_not_there_has_no_cost() {
        assert_eq!(Core::M4.cycles(&[0], |_| None), None);
        assert_eq!(Core::named("Cortex-M85"), None);
    }
}
