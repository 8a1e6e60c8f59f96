//! Serial ports by polling.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, Write};

/// Operations of a UART that do not wait.
pub trait Uart {
    /// The next byte, if one has arrived.
    fn receive(&mut self) -> Option<u8>;
    /// Returns true if it can take a byte to send.
    fn is_free(&mut self) -> bool;
    /// Sends a byte. It must be [free](Self::is_free).
    fn send(&mut self, byte: u8);
}

/// A serial port that polls a [`Uart`] until it is ready.
#[derive(Debug)]
pub struct Polled<U>(pub U);

impl<U> ErrorType for Polled<U> {
    type Error = Infallible;
}

impl<U: Uart> Read for Polled<U> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(byte) = bytes.first_mut() else { return Ok(0) };
        loop {
            if let Some(received) = self.0.receive() {
                *byte = received;
                return Ok(1);
            }
        }
    }
}

impl<U: Uart> Write for Polled<U> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while !self.0.is_free() {}
            self.0.send(byte);
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> Result<(), Infallible> {
        while !self.0.is_free() {}
        Ok(())
    }
}
