//! Registers of peripherals that no crate describes.
#![allow(unsafe_code)]

/// A register at its address.
#[derive(Debug)]
pub struct Register<T>(*mut T);

impl<T> Register<T> {
    /// The register at `address`.
    ///
    /// # Safety
    /// There must be a register at `address`, and reading and writing it must not touch memory.
    pub const unsafe fn at(address: usize) -> Self {
        Register(address as *mut T)
    }

    /// Reads the register.
    pub fn read(&self) -> T {
        // SAFETY: the register exists, as `at` requires.
        unsafe { self.0.read_volatile() }
    }

    /// Writes the register.
    pub fn write(&self, value: T) {
        // SAFETY: the register exists and touches no memory, as `at` requires.
        unsafe { self.0.write_volatile(value) };
    }
}
