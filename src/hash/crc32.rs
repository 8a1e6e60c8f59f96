//! CRC-32 as Ethernet, zip and PNG have it, bit by bit: a table would cost a kilobyte of flash.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

static CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

pub(crate) type Digest = crc::Digest<'static, u32, NoTable>;

pub(crate) fn digest() -> Digest {
    CRC.digest()
}
