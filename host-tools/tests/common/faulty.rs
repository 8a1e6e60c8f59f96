//! A serial line that loses, repeats, delays and damages frames.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::mem;

use microdistill_boards::serial::Line;
use rand_core::Rng;
use rand_pcg::Pcg32;

/// A line that treats a fifth of the frames in each direction badly.
pub(crate) struct Faulty<L> {
    line: L,
    rng: Pcg32,
    /// Delayed frames of each direction.
    late: [Option<Vec<u8>>; 2],
    /// Received bytes, up to the last whole frame.
    coming: Vec<u8>,
    come: VecDeque<u8>,
    /// Number of frames that were lost, repeated, delayed and damaged.
    pub(crate) faults: [u32; 4],
}

#[derive(Clone, Copy)]
enum Direction {
    There,
    Back,
}

impl<L: Line> Faulty<L> {
    pub(crate) fn new(line: L, seed: u64) -> Self {
        let rng = Pcg32::new(seed, 3);
        Faulty { line, rng, late: [None, None], coming: Vec::new(), come: VecDeque::new(), faults: [0; 4] }
    }

    /// Returns the part of a frame that arrives.
    fn pass(&mut self, direction: Direction, frame: &[u8]) -> Vec<u8> {
        let late = &mut self.late[direction as usize];
        let fault = self.rng.next_u32() as usize % 20;
        if let Some(count) = self.faults.get_mut(fault) {
            *count += 1;
        }
        let mut arrives = match fault {
            0 => Vec::new(),
            1 => [frame, frame].concat(),
            // It arrives after the next frame.
            2 => return late.replace(frame.to_vec()).unwrap_or_default(),
            3 => {
                let mut bytes = frame.to_vec();
                let place = self.rng.next_u32() as usize % bytes.len();
                bytes[place] ^= 1 << (self.rng.next_u32() % 8);
                bytes
            }
            _ => frame.to_vec(),
        };
        arrives.extend(late.take().unwrap_or_default());
        arrives
    }
}

impl<L: Line> Write for Faulty<L> {
    /// Treats each write as one frame.
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        let arrives = self.pass(Direction::There, frame);
        self.line.write_all(&arrives)?;
        Ok(frame.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.line.flush()
    }
}

impl<L: Line> Read for Faulty<L> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.come.is_empty() {
            let count = self.line.read(bytes)?;
            self.coming.extend(&bytes[..count]);
            while let Some(end) = self.coming.iter().position(|&byte| byte == 0) {
                let rest = self.coming.split_off(end + 1);
                let frame = mem::replace(&mut self.coming, rest);
                let arrives = self.pass(Direction::Back, &frame);
                self.come.extend(arrives);
            }
            if self.come.is_empty() && count > 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        self.come.read(bytes)
    }
}
