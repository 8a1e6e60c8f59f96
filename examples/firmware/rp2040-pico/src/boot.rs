//! The second stage of the RP2040's boot: teaches it the flash chip on the Pico, from which the program then runs.
#![allow(unsafe_code)]

// SAFETY: `memory.x` gives the section the place where the boot ROM looks for these 256 bytes, and nothing else.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;
