//! UART0 of the nRF51 (reference manual 3.0, chapter 29), which the micro:bit's USB shows as a serial port.
#![allow(unsafe_code)]

use microdistill_support::Uart;
use nrf51_pac::{Peripherals, UART0};

/// The micro:bit's pins to its USB chip.
const RXD: u32 = 25;
const TXD: u32 = 24;

/// UART at 115,200 baud with a receive buffer of six bytes.
pub struct Uart0 {
    registers: UART0,
    /// True while a byte is being sent; an event signals its end.
    sending: bool,
}

impl Uart0 {
    /// Starts the UART; `None` if it has been taken before.
    pub(crate) fn start() -> Option<Self> {
        let peripherals = Peripherals::take()?;
        // An idle line is high.
        peripherals.GPIO.outset.write(|w| w.pin24().set());
        peripherals.GPIO.dirset.write(|w| w.pin24().set());
        let uart = peripherals.UART0;
        // SAFETY: these pins exist.
        uart.pselrxd.write(|w| unsafe { w.bits(RXD) });
        // SAFETY: as before.
        uart.pseltxd.write(|w| unsafe { w.bits(TXD) });
        uart.baudrate.write(|w| w.baudrate().baud115200());
        uart.enable.write(|w| w.enable().enabled());
        // SAFETY: a task starts when 1 is written to it.
        uart.tasks_startrx.write(|w| unsafe { w.bits(1) });
        // SAFETY: as before.
        uart.tasks_starttx.write(|w| unsafe { w.bits(1) });
        Some(Uart0 { registers: uart, sending: false })
    }
}

impl Uart for Uart0 {
    fn receive(&mut self) -> Option<u8> {
        if self.registers.events_rxdrdy.read().bits() == 0 {
            return None;
        }
        self.registers.events_rxdrdy.reset();
        Some(self.registers.rxd.read().rxd().bits())
    }
    fn is_free(&mut self) -> bool {
        self.sending = self.sending && self.registers.events_txdrdy.read().bits() == 0;
        !self.sending
    }
    fn send(&mut self, byte: u8) {
        self.registers.events_txdrdy.reset();
        self.sending = true;
        // SAFETY: all 8 bits are data.
        self.registers.txd.write(|w| unsafe { w.txd().bits(byte) });
    }
}
