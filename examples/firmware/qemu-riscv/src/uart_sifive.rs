//! UART 0 of SiFive's E (FE310-G000 manual, chapter 18).
#![allow(unsafe_code)]

use microdistill_support::{Register, Uart};

// SAFETY: registers of the UART.
const SEND: Register<u32> = unsafe { Register::at(0x1001_3000) };
const RECEIVE: Register<u32> = unsafe { Register::at(0x1001_3004) };
const SEND_CONTROL: Register<u32> = unsafe { Register::at(0x1001_3008) };
const RECEIVE_CONTROL: Register<u32> = unsafe { Register::at(0x1001_300c) };

/// Bit of both control registers.
const ENABLE: u32 = 1 << 0;
/// Bit that is set while [`SEND`] is full.
const FULL: u32 = 1 << 31;
/// Bit that is set while [`RECEIVE`] is empty.
const EMPTY: u32 = 1 << 31;

/// UART with a buffer of eight bytes in each direction.
#[derive(Debug)]
pub struct Uart0(());

impl Uart0 {
    pub(crate) fn start() -> Self {
        SEND_CONTROL.write(ENABLE);
        RECEIVE_CONTROL.write(ENABLE);
        Uart0(())
    }
}

impl Uart for Uart0 {
    fn receive(&mut self) -> Option<u8> {
        let received = RECEIVE.read();
        (received & EMPTY == 0).then_some(received as u8)
    }
    fn is_free(&mut self) -> bool {
        SEND.read() & FULL == 0
    }
    fn send(&mut self, byte: u8) {
        SEND.write(byte.into());
    }
}
