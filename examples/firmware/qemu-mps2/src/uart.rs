//! UART 0 of the MPS boards: Arm's CMSDK UART (DDI 0479, chapter 4.3).
#![allow(unsafe_code)]

use microdistill_support::{Register, Uart};

/// Address of the UART; its secure address, if there are two.
const BASE: usize = if cfg!(feature = "an505") {
    0x5020_0000
} else if cfg!(feature = "an547") {
    0x5930_3000
} else {
    0x4000_4000
};

// SAFETY: registers of the UART.
const DATA: Register<u32> = unsafe { Register::at(BASE) };
const STATE: Register<u32> = unsafe { Register::at(BASE + 0x4) };
const CTRL: Register<u32> = unsafe { Register::at(BASE + 0x8) };
const BAUDDIV: Register<u32> = unsafe { Register::at(BASE + 0x10) };

/// Bit of [`STATE`].
const SEND_FULL: u32 = 1 << 0;
const RECEIVE_FULL: u32 = 1 << 1;
/// Bits of [`CTRL`] for both directions.
const ENABLE: u32 = 0b11;
/// Divisor for 115,200 baud at 25 MHz.
const DIVISOR: u32 = 217;

/// UART with a buffer of one byte in each direction.
#[derive(Debug)]
pub struct Uart0(());

impl Uart0 {
    pub(crate) fn start() -> Self {
        BAUDDIV.write(DIVISOR);
        CTRL.write(ENABLE);
        Uart0(())
    }
}

impl Uart for Uart0 {
    fn receive(&mut self) -> Option<u8> {
        (STATE.read() & RECEIVE_FULL != 0).then(|| DATA.read() as u8)
    }
    fn is_free(&mut self) -> bool {
        STATE.read() & SEND_FULL == 0
    }
    fn send(&mut self, byte: u8) {
        DATA.write(byte.into());
    }
}
