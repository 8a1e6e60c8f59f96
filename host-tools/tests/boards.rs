//! Firmware on emulated boards, compared with the desktop to the bit.

fn main() {}
