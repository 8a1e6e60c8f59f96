//! UART 0 of QEMU's board `virt`: a 16550.
#![allow(unsafe_code)]

use microdistill_support::{Register, Uart};

// SAFETY: registers of the UART.
const DATA: Register<u8> = unsafe { Register::at(0x1000_0000) };
const LINE_STATUS: Register<u8> = unsafe { Register::at(0x1000_0005) };

/// Bit of [`LINE_STATUS`].
const RECEIVED: u8 = 1 << 0;
const SEND_EMPTY: u8 = 1 << 5;

/// UART in its state after reset, which needs no setup.
#[derive(Debug)]
pub struct Uart0(());

impl Uart0 {
    pub(crate) fn start() -> Self {
        Uart0(())
    }
}

impl Uart for Uart0 {
    fn receive(&mut self) -> Option<u8> {
        (LINE_STATUS.read() & RECEIVED != 0).then(|| DATA.read())
    }
    fn is_free(&mut self) -> bool {
        LINE_STATUS.read() & SEND_EMPTY != 0
    }
    fn send(&mut self, byte: u8) {
        DATA.write(byte);
    }
}
