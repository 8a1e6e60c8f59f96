//! Checksums.

pub(crate) mod crc32;
