//! NumPy arrays and archives of them.
#![no_main]

mod container;

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: container::catch(), |bytes: &[u8]| container::check(bytes));
