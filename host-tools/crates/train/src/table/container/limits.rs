//! Limits of memory, so that no small file fills a machine.

/// What a file of a given size on disk may become in memory. Ordinary files stay far below: CSV text is packed to a tenth
/// to a thirtieth, and a cell takes two bytes of a file at least.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Most bytes that a packed file may be unpacked to: 32 MB plus 32 times its size.
    pub unpacked: usize,
    /// Most bytes that cells may take: 32 MB plus 48 times the file's size.
    pub cells: usize,
}

/// A mebibyte.
pub(super) const MB: usize = 1 << 20;

/// Bytes of a text cell besides its letters: the string, and what an allocation costs.
const TEXT: usize = 48;

impl Limits {
    /// The limits of a file of `bytes` bytes.
    pub fn new(bytes: usize) -> Self {
        let times = |factor| bytes.saturating_mul(factor).saturating_add(32 * MB);
        Limits { unpacked: times(32), cells: times(48) }
    }
}

/// Memory of cells that is left to a file.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Budget { left: limits.cells }
    }

    /// Takes the memory of a text of `length` bytes; false if none is left.
    pub(super) fn text(&mut self, length: usize) -> bool {
        self.bytes(length.saturating_add(TEXT))
    }

    /// Takes the memory of `count` numbers; false if none is left.
    pub(super) fn numbers(&mut self, count: usize) -> bool {
        self.bytes(count.saturating_mul(size_of::<f64>()))
    }

    /// Takes `count` bytes; false if none are left.
    pub(super) fn bytes(&mut self, count: usize) -> bool {
        self.left.checked_sub(count).map(|left| self.left = left).is_some()
    }
}
