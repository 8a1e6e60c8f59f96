//! Registers of peripherals that no crate describes.
#![allow(unsafe_code)]

/// A register, at its address.
#[derive(Debug)]
pub struct Register<T>(*mut T);

impl<T> Register<T> {
    /// The register at `address`.
    ///
    /// # Safety
    /// It is there, and reading and writing it touches no memory.
    pub const unsafe fn at(address: usize) -> Self {
        Register(address as *mut T)
    }

    /// Reads the register.
    pub fn read(&self) -> T {
        // SAFETY: it is there.
        unsafe { self.0.read_volatile() }
    }

    /// Gives it a value.
    pub fn write(&self, value: T) {
        // SAFETY: it is there, and touches no memory.
        unsafe { self.0.write_volatile(value) };
    }
}
