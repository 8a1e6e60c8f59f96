//! Second-stage boot loader of the RP2040, which sets up the flash chip on the Pico that the program runs from.
#![allow(unsafe_code)]

// SAFETY: `memory.x` places only this section at the address where the boot ROM expects these 256 bytes.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;
