//! A network as bytes: what a checkpoint keeps in flash, and what `microdistill import` reads.
//!
//! | bytes | what, little-endian |
//! |---|---|
//! | 4 | `mdw1`: the format |
//! | 4 | version of the shipped model, as the firmware counts it |
//! | 4 | [fingerprint](crate::fingerprint) of the network |
//! | 4 | generation: how many checkpoints came before |
//! | 4 | number of parameters |
//! | 4 each | parameters, f32, in the order of [`Params::tensors`] |
//! | 4 | CRC-32 of all before |

use crate::crc32::{self, Digest};
use crate::layer::Params;

const FORMAT: u32 = u32::from_le_bytes(*b"mdw1");

/// The header of a record, stored before the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// Version of the shipped model: a network of the same type that was trained for something else has another.
    pub version: u32,
    /// Fingerprint of the network.
    pub fingerprint: u32,
    /// Number of earlier checkpoints.
    pub generation: u32,
    /// Number of parameters.
    pub parameters: u32,
}

impl Header {
    pub(super) const BYTES: usize = 20;

    /// Before the parameters of a `P`.
    pub(super) const fn of<P: Params>(version: u32, generation: u32) -> Self {
        Header { version, fingerprint: P::FINGERPRINT, generation, parameters: P::COUNT as u32 }
    }

    /// The header as it is stored.
    pub(super) fn to_words(self) -> [[u8; 4]; Self::BYTES / 4] {
        [FORMAT, self.version, self.fingerprint, self.generation, self.parameters].map(u32::to_le_bytes)
    }

    /// Parses a stored header; `None` if the bytes are not one.
    pub(super) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let &[format, version, fingerprint, generation, parameters] = bytes.as_chunks().0 else {
            return None;
        };
        let header = Header {
            version: u32::from_le_bytes(version),
            fingerprint: u32::from_le_bytes(fingerprint),
            generation: u32::from_le_bytes(generation),
            parameters: u32::from_le_bytes(parameters),
        };
        (u32::from_le_bytes(format) == FORMAT).then_some(header)
    }

    /// The CRC-32 of this header, to be continued with the parameters.
    pub(super) fn digest(self) -> Digest {
        let mut digest = crc32::digest();
        digest.update(self.to_words().as_flattened());
        digest
    }

    /// The CRC-32 of this header and the parameters behind it, little-endian: what a record ends with. [`seal`] is the same
    /// for a network whose type is known.
    pub fn seal(self, parameters: impl IntoIterator<Item = [u8; 4]>) -> u32 {
        let mut digest = self.digest();
        for parameter in parameters {
            digest.update(&parameter);
        }
        digest.finalize()
    }
}

/// All parameters as bytes.
pub(super) fn parameters<P: Params<Scalar = f32>>(network: &P) -> impl Iterator<Item = [u8; 4]> {
    network.tensors().flat_map(|(_, tensor)| tensor).map(|parameter| parameter.to_le_bytes())
}

/// Overwrites the parameters from an index on.
pub(super) fn overwrite<P: Params<Scalar = f32>>(network: &mut P, from: usize, bytes: &[u8]) {
    let parameters = network.tensors_mut().flat_map(|(_, tensor)| tensor).skip(from);
    for (parameter, &bytes) in parameters.zip(bytes.as_chunks().0) {
        *parameter = f32::from_le_bytes(bytes);
    }
}

/// Size of the record of `parameters` parameters, in words of 32 bits.
#[must_use]
pub const fn words(parameters: usize) -> usize {
    Header::BYTES / 4 + parameters + 1
}

/// The record of a network, byte by byte, as a device sends it to the desktop.
///
/// ```
/// use microdistill::checkpoint::record;
/// use microdistill::{Mlp, Params};
///
/// type Student = Mlp![2, 8, 3];
/// let bytes: Vec<u8> = record::encode(&Student::ZERO, 1).collect();
/// let mut student = Student::ZERO;
/// assert_eq!(record::decode(&bytes, 1, &mut student), Ok(()));
/// ```
pub fn encode<P: Params<Scalar = f32>>(network: &P, version: u32) -> impl Iterator<Item = u8> {
    let header = Header::of::<P>(version, 0);
    let seal = seal(network, version).to_le_bytes();
    header.to_words().into_iter().chain(parameters(network)).chain([seal]).flatten()
}

/// The CRC-32 that [`encode`] ends with: by it a device and the desktop tell whether they have the same network.
pub fn seal<P: Params<Scalar = f32>>(network: &P, version: u32) -> u32 {
    Header::of::<P>(version, 0).seal(parameters(network))
}

/// Why a record was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refused {
    /// Not a record, or a damaged one.
    Damaged,
    /// A record of another network, or another version.
    Foreign,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Refused::Damaged => "no record of a network, or a damaged one",
            Refused::Foreign => "the record of another network, or of another version",
        })
    }
}

impl core::error::Error for Refused {}

/// Splits a whole record into its header and the parameters' bytes.
///
/// # Errors
/// [`Refused::Damaged`].
pub fn split(bytes: &[u8]) -> Result<(Header, &[[u8; 4]]), Refused> {
    let split = || {
        let (sealed, &seal) = bytes.split_last_chunk()?;
        let (header, parameters) = sealed.split_first_chunk()?;
        let (header, (parameters, [])) = (Header::from_bytes(header)?, parameters.as_chunks()) else {
            return None;
        };
        let mut digest = crc32::digest();
        digest.update(sealed);
        let whole = digest.finalize() == u32::from_le_bytes(seal)
            && u32::try_from(parameters.len()) == Ok(header.parameters);
        whole.then_some((header, parameters))
    };
    split().ok_or(Refused::Damaged)
}

/// Gives `network` the parameters of a whole record; on an error it stays as it is.
///
/// # Errors
/// A damaged record, one of another network or version.
pub fn decode<P: Params<Scalar = f32>>(bytes: &[u8], version: u32, network: &mut P) -> Result<(), Refused> {
    let (header, parameters) = split(bytes)?;
    if header != Header::of::<P>(version, header.generation) {
        return Err(Refused::Foreign);
    }
    overwrite(network, 0, parameters.as_flattened());
    Ok(())
}
