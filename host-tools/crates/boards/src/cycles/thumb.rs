//! Decoder of Thumb instructions into kinds with equal cost (Armv7-M Architecture Reference Manual, chapter A5).

/// An instruction of Armv6-M or Armv7-M with the single-precision FPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Size of the instruction: 2 or 4.
    pub(crate) bytes: u32,
    /// Kind of the operation.
    pub(crate) kind: Kind,
    /// Result register of FPU arithmetic.
    pub(crate) result: Option<u32>,
    /// Bit mask of the FPU registers that it needs when it starts.
    pub(crate) operands: u32,
}

/// Kind of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any other instruction: data processing, moves, comparisons, hints.
    Simple,
    /// 32 × 32 → 32 bits, or a product of halfwords.
    Multiply {
        /// True if the product is added to a register.
        accumulate: bool,
    },
    /// 32 × 32 → 64 bits.
    MultiplyLong {
        /// True if the product is added to a register.
        accumulate: bool,
    },
    /// Integer division.
    Divide,
    /// Load of one register, of the FPU or not.
    Load,
    /// Store of one register, of the FPU or not.
    Store,
    /// Load of a jump target.
    LoadJump,
    /// Load or store of several registers.
    Multiple {
        /// Number of words.
        words: u32,
        /// True if the last word is a jump target.
        jump: bool,
    },
    /// Branch to a constant target, conditional or not.
    Branch,
    /// Call of a constant target.
    Call,
    /// Jump to a target in a register.
    Jump,
    /// Jump to a target in a table.
    TableJump,
    /// Access to system registers, and barriers.
    System,
    /// FPU addition, multiplication or conversion.
    Float,
    /// FPU multiply-accumulate, fused or not.
    FloatAccumulate,
    /// FPU division or square root.
    FloatDivide,
    /// Transfer between FPU registers and others.
    FloatTransfer,
}

impl Instruction {
    /// Decodes the instruction that starts with the halfword `first`, followed by `second`.
    pub(crate) fn decode(first: u16, second: u16) -> Self {
        let (first, second) = (u32::from(first), u32::from(second));
        if first >> 11 < 0b11101 {
            return Instruction { bytes: 2, kind: narrow(first), result: None, operands: 0 };
        }
        // Coprocessors 10 and 11 are the FPU.
        if first & 0xec00 == 0xec00 && second & 0x0e00 == 0x0a00 {
            return float(first, second);
        }
        Instruction { bytes: 4, kind: wide(first, second), result: None, operands: 0 }
    }
}

/// Decodes a two-byte instruction.
fn narrow(code: u32) -> Kind {
    let (load, list) = (code & 1 << 11 != 0, (code & 0xff).count_ones());
    match code >> 12 {
        0x4 if code & 0xffc0 == 0x4340 => Kind::Multiply { accumulate: false },
        // ADD and MOV of high registers, whose result may be the program counter.
        0x4 if code & 0xfd87 == 0x4487 => Kind::Jump,
        0x4 if code & 0xff00 == 0x4700 => Kind::Jump,
        0x4 if load => Kind::Load,
        0x5 if code & 0x0e00 < 0x0600 => Kind::Store,
        0x5 => Kind::Load,
        0x6..=0x9 => access(load),
        0xb if code & 0x0500 == 0x0100 => Kind::Branch,
        0xb if code & 0x0e00 == 0x0400 => Kind::Multiple { words: (code & 0x1ff).count_ones(), jump: false },
        0xb if code & 0x0e00 == 0x0c00 => {
            Kind::Multiple { words: (code & 0x1ff).count_ones(), jump: code & 0x100 != 0 }
        }
        0xc => Kind::Multiple { words: list, jump: false },
        0xd if code & 0x0e00 != 0x0e00 => Kind::Branch,
        0xe => Kind::Branch,
        _ => Kind::Simple,
    }
}

/// Decodes a four-byte instruction that is not for the FPU.
fn wide(first: u32, second: u32) -> Kind {
    let load = first & 1 << 4 != 0;
    if first >> 11 == 0b11110 && second & 0x8000 != 0 {
        return match second & 0x5000 {
            0x5000 => Kind::Call,
            0x0000 if first & 0x0380 == 0x0380 => Kind::System,
            _ => Kind::Branch,
        };
    }
    match first & 0xff80 {
        _ if first & 0xfe40 == 0xe800 => {
            Kind::Multiple { words: second.count_ones(), jump: load && second & 0x8000 != 0 }
        }
        _ if first & 0xfff0 == 0xe8d0 && second & 0xffe0 == 0xf000 => Kind::TableJump,
        // Loads and stores of pairs have a write-back or an offset bit; exclusive accesses have neither.
        _ if first & 0xfe40 == 0xe840 && first & 0x0120 != 0 => Kind::Multiple { words: 2, jump: false },
        _ if first & 0xfe40 == 0xe840 => access(load),
        // Only for a word: with smaller sizes, the program counter as the register means a hint.
        _ if first & 0xfe70 == 0xf850 && second >> 12 == 15 => Kind::LoadJump,
        _ if first & 0xfe10 == 0xf810 && second >> 12 == 15 => Kind::Simple,
        _ if first & 0xfe00 == 0xf800 => access(load),
        0xfb00 => Kind::Multiply { accumulate: second >> 12 != 15 },
        0xfb80 if first & 0x0050 == 0x0010 => Kind::Divide,
        0xfb80 => Kind::MultiplyLong { accumulate: first & 0x0040 != 0 },
        _ => Kind::Simple,
    }
}

fn access(load: bool) -> Kind {
    if load { Kind::Load } else { Kind::Store }
}

/// Decodes an FPU instruction. The lowest bit of a register number is stored apart from the other four.
fn float(first: u32, second: u32) -> Instruction {
    let d = second >> 12 << 1 | first >> 6 & 1;
    let n = (first & 15) << 1 | second >> 7 & 1;
    let m = (second & 15) << 1 | second >> 5 & 1;
    let load = first & 1 << 4 != 0;
    let instruction = |kind, result, operands| Instruction { bytes: 4, kind, result, operands };
    if first & 0xfe00 == 0xec00 {
        let words = second & 0xff;
        let double = second & 0x0100 != 0;
        // The registers that it stores.
        let list = |words: u32| if load { 0 } else { (((1_u64 << words.min(32)) - 1) << d) as u32 };
        return match first & 0xff20 {
            _ if first & 0xffe0 == 0xec40 => instruction(Kind::FloatTransfer, None, 0),
            0xed00 if double => instruction(Kind::Multiple { words: 2, jump: false }, None, 0),
            0xed00 => instruction(access(load), None, list(1)),
            _ => instruction(Kind::Multiple { words, jump: false }, None, list(words)),
        };
    }
    if second & 0x10 != 0 {
        // VMRS transfers the flags of a comparison, VMOV a value.
        return match first & 0xe0 {
            0xe0 => instruction(Kind::Simple, None, 0),
            _ => instruction(Kind::FloatTransfer, None, if load { 1 << n } else { 0 }),
        };
    }
    // Mask out the register bit.
    match (first & 0xb0, first & 15) {
        // The addend is needed only once the product is ready.
        (0x00 | 0x10 | 0x90 | 0xa0, _) => instruction(Kind::FloatAccumulate, Some(d), 1 << n | 1 << m),
        (0x20 | 0x30, _) => instruction(Kind::Float, Some(d), 1 << n | 1 << m),
        (0x80, _) => instruction(Kind::FloatDivide, Some(d), 1 << n | 1 << m),
        // A constant.
        (_, _) if second & 0x40 == 0 => instruction(Kind::Simple, None, 0),
        (_, 1) if second & 0x80 != 0 => instruction(Kind::FloatDivide, Some(d), 1 << m),
        (_, 0 | 1) => instruction(Kind::Simple, None, 1 << m),
        (_, 4) => instruction(Kind::Simple, None, 1 << d | 1 << m),
        (_, 5) => instruction(Kind::Simple, None, 1 << d),
        _ => instruction(Kind::Float, Some(d), 1 << m),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodings as an assembler gives them.
    #[test]
    fn instructions_are_told_apart() {
        let multiple = |words, jump| Kind::Multiple { words, jump };
        let narrow: [(u16, Kind); 25] = [
            (0x2200, Kind::Simple),                         // movs r2, #0
            (0x4281, Kind::Simple),                         // cmp r1, r0
            (0x4351, Kind::Multiply { accumulate: false }), // muls r1, r2, r1
            (0x466f, Kind::Simple),                         // mov r7, sp
            (0x46f7, Kind::Jump),                           // mov pc, lr
            (0x4770, Kind::Jump),                           // bx lr
            (0x4790, Kind::Jump),                           // blx r2
            (0x4812, Kind::Load),                           // ldr r0, [pc, #72]
            (0x5111, Kind::Store),                          // str r1, [r2, r4]
            (0x5651, Kind::Load),                           // ldrsb r1, [r2, r1]
            (0x5d53, Kind::Load),                           // ldrb r3, [r2, r5]
            (0x6001, Kind::Store),                          // str r1, [r0]
            (0x6801, Kind::Load),                           // ldr r1, [r0]
            (0x7008, Kind::Store),                          // strb r0, [r1]
            (0x9901, Kind::Load),                           // ldr r1, [sp, #4]
            (0xb082, Kind::Simple),                         // sub sp, #8
            (0xb108, Kind::Branch),                         // cbz r0, +2
            (0xb580, multiple(2, false)),                   // push {r7, lr}
            (0xbd80, multiple(2, true)),                    // pop {r7, pc}
            (0xbc70, multiple(3, false)),                   // pop {r4, r5, r6}
            (0xbf00, Kind::Simple),                         // nop
            (0xc004, multiple(1, false)),                   // stm r0!, {r2}
            (0xcb0e, multiple(3, false)),                   // ldm r3!, {r1, r2, r3}
            (0xd001, Kind::Branch),                         // beq +2
            (0xe7fb, Kind::Branch),                         // b -10
        ];
        for (code, kind) in narrow {
            let found = Instruction::decode(code, 0xffff);
            assert_eq!((found.bytes, found.kind), (2, kind), "{code:04x}");
        }
        let wide: [(u16, u16, Kind); 24] = [
            (0xf000, 0xffbb, Kind::Call),                               // bl
            (0xf000, 0xb800, Kind::Branch),                             // b.w
            (0xf43f, 0xaf60, Kind::Branch),                             // beq.w
            (0xf3ef, 0x8008, Kind::System),                             // mrs r0, msp
            (0xf3bf, 0x8f4f, Kind::System),                             // dsb sy
            (0xe92d, 0x4ff0, multiple(9, false)),                       // push.w {r4-r11, lr}
            (0xe8bd, 0x8ff0, multiple(9, true)),                        // pop.w {r4-r11, pc}
            (0xe9d0, 0x1202, multiple(2, false)),                       // ldrd r1, r2, [r0, #8]
            (0xe8e0, 0x1202, multiple(2, false)),                       // strd r1, r2, [r0], #8
            (0xe8d0, 0x1f4f, Kind::Load),                               // ldrexb r1, [r0]
            (0xe8df, 0xf001, Kind::TableJump),                          // tbb [pc, r1]
            (0xf8d0, 0x1804, Kind::Load),                               // ldr.w r1, [r0, #2052]
            (0xf8c0, 0x1804, Kind::Store),                              // str.w r1, [r0, #2052]
            (0xf913, 0x1b01, Kind::Load),                               // ldrsb r1, [r3], #1
            (0xf85d, 0xfb04, Kind::LoadJump),                           // ldr pc, [sp], #4
            (0xf890, 0xf000, Kind::Simple),                             // pld [r0]
            (0xfb01, 0xf002, Kind::Multiply { accumulate: false }),     // mul r0, r1, r2
            (0xfb21, 0x0003, Kind::Multiply { accumulate: true }),      // smlad r0, r1, r3, r0
            (0xfb83, 0x1204, Kind::MultiplyLong { accumulate: false }), // smull r1, r2, r3, r4
            (0xfbc3, 0x1204, Kind::MultiplyLong { accumulate: true }),  // smlal r1, r2, r3, r4
            (0xfb91, 0xf0f2, Kind::Divide),                             // sdiv r0, r1, r2
            (0xfbb1, 0xf0f2, Kind::Divide),                             // udiv r0, r1, r2
            (0xf04f, 0x30ff, Kind::Simple),                             // mov.w r0, #-1
            (0xfa2f, 0xf183, Kind::Simple),                             // sxtb16 r1, r3
        ];
        for (first, second, kind) in wide {
            let found = Instruction::decode(first, second);
            assert_eq!((found.bytes, found.kind), (4, kind), "{first:04x} {second:04x}");
        }
    }

    #[test]
    fn so_are_those_of_the_fpu() {
        let mask = |registers: &[u32]| registers.iter().map(|register| 1 << register).sum();
        let float = |first, second| {
            let Instruction { kind, result, operands, .. } = Instruction::decode(first, second);
            (kind, result, operands)
        };
        let multiple = |words| Kind::Multiple { words, jump: false };
        // vldmia r3!, {s2}; vldr s0, [r0]; vstr s1, [r0]; vpush {s16-s19} as {d8, d9}; vstmia r0!, {s4-s6}
        assert_eq!(float(0xecb3, 0x1a01), (multiple(1), None, 0));
        assert_eq!(float(0xed90, 0x0a00), (Kind::Load, None, 0));
        assert_eq!(float(0xedc0, 0x0a00), (Kind::Store, None, mask(&[1])));
        assert_eq!(float(0xed2d, 0x8b04).0, multiple(4));
        assert_eq!(float(0xeca0, 0x2a03), (multiple(3), None, mask(&[4, 5, 6])));
        // vmul.f32 s15, s15, s3; vadd.f32 s0, s1, s2; vfma.f32 s2, s4, s0; vmla.f32 s2, s4, s0
        assert_eq!(float(0xee67, 0x7aa1), (Kind::Float, Some(15), mask(&[15, 3])));
        assert_eq!(float(0xee30, 0x0a81), (Kind::Float, Some(0), mask(&[1, 2])));
        assert_eq!(float(0xeea2, 0x1a00), (Kind::FloatAccumulate, Some(2), mask(&[4, 0])));
        assert_eq!(float(0xee02, 0x1a00), (Kind::FloatAccumulate, Some(2), mask(&[4, 0])));
        // vdiv.f32 s0, s1, s2; vsqrt.f32 s0, s1; vneg.f32 s0, s1; vcvt.s32.f32 s0, s1
        assert_eq!(float(0xee80, 0x0a81), (Kind::FloatDivide, Some(0), mask(&[1, 2])));
        assert_eq!(float(0xeeb1, 0x0ae0), (Kind::FloatDivide, Some(0), mask(&[1])));
        assert_eq!(float(0xeeb1, 0x0a60), (Kind::Simple, None, mask(&[1])));
        assert_eq!(float(0xeebd, 0x0ae0), (Kind::Float, Some(0), mask(&[1])));
        // vcmp.f32 s0, s1; vcmp.f32 s0, #0; vmrs apsr_nzcv, fpscr; vmov.f32 s0, #1.0
        assert_eq!(float(0xeeb4, 0x0a60), (Kind::Simple, None, mask(&[0, 1])));
        assert_eq!(float(0xeeb5, 0x0a40), (Kind::Simple, None, mask(&[0])));
        assert_eq!(float(0xeef1, 0xfa10), (Kind::Simple, None, 0));
        assert_eq!(float(0xeeb7, 0x0a00), (Kind::Simple, None, 0));
        // vmov r0, s1; vmov s1, r0; vmov r0, r1, s2, s3
        assert_eq!(float(0xee10, 0x0a90), (Kind::FloatTransfer, None, mask(&[1])));
        assert_eq!(float(0xee00, 0x0a90), (Kind::FloatTransfer, None, 0));
        assert_eq!(float(0xec51, 0x0a11), (Kind::FloatTransfer, None, 0));
    }
}
