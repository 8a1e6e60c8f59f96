//! Text as features: hashed character n-grams, the same bits on the desktop and on a device.
//!
//! ```
//! use microdistill::text::NGrams;
//!
//! const WORDS: NGrams<64> = NGrams::new(1, 3);
//!
//! let features = WORDS.features("Straße");
//! assert_eq!(features, WORDS.features(" straße\n"));
//! assert_ne!(features, WORDS.features("street"));
//! ```
//!
//! What is computed, step by step:
//!
//! 1. A **word** is what stands between ASCII white space. ASCII capitals count as small letters; others do not, as their
//!    tables would take kilobytes of flash and change with Unicode. A space is put before and behind each word, so that
//!    the beginning and the end of a word are told from its middle.
//! 2. An **n-gram** is a run of n of these characters, for every n of the range. The space alone is none, since all words
//!    have it, and no n-gram reaches over two words.
//! 3. Its **hash** is FNV-1a of its UTF-8 bytes (Fowler, Noll and Vo; offset basis and prime of 32 bits), then MurmurHash3's
//!    finalizer (Appleby), without which the first bits of short texts hardly differ.
//! 4. The first bits of the hash choose the feature, `⌊hash · features / 2³²⌋`, and the last one the **sign**: +1 or −1 is
//!    added. So n-grams that share a feature do not pile up: inner products are right on average (Weinberger, Dasgupta,
//!    Langford, Smola and Attenberg 2009, *Feature hashing for large scale multitask learning*).
//! 5. All are divided by their **length**, the square root of the sum of their squares, summed in order: a long text counts as
//!    much as a short one. A text without an n-gram is all zeros.

use core::iter;

use crate::fingerprint::{BASIS, fold};
use crate::scalar::Scalar;

/// Turns texts into `FEATURES` numbers in [−1, 1]: the raw features that a network of texts takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NGrams<const FEATURES: usize> {
    /// Characters of the shortest n-grams, at least 1.
    pub shortest: u8,
    /// Characters of the longest; where these are fewer, there are no n-grams.
    pub longest: u8,
}

impl<const FEATURES: usize> NGrams<FEATURES> {
    /// n-grams of `shortest` to `longest` characters.
    pub const fn new(shortest: u8, longest: u8) -> Self {
        NGrams { shortest, longest }
    }

    /// The features of a text in UTF-8, as `&str` or as bytes; bytes that are no UTF-8 are hashed as they are.
    #[must_use]
    pub fn features(&self, text: impl AsRef<[u8]>) -> [f32; FEATURES] {
        let mut features = [0.0; FEATURES];
        ngrams(text.as_ref(), [self.shortest, self.longest], &mut features);
        features
    }
}

/// What [`NGrams::features`] gives, where the number of features is known at run time: shape (features), overwritten.
/// `lengths`: characters of the shortest n-grams and of the longest.
pub fn ngrams(text: &[u8], lengths: [u8; 2], features: &mut [f32]) {
    features.fill(0.0);
    for word in text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        each(word, lengths, |hash| count(hash, features));
    }
    let squares = features.iter().fold(0.0, |sum, &count| sum + count * count);
    if squares > 0.0 {
        let length = Scalar::sqrt(squares);
        features.iter_mut().for_each(|feature| *feature /= length);
    }
}

/// Calls `found` with the hash of each n-gram of a word.
fn each(word: &[u8], [shortest, longest]: [u8; 2], mut found: impl FnMut(u32)) {
    let mut rest = iter::once(MARK).chain(word.iter().map(u8::to_ascii_lowercase)).chain(iter::once(MARK));
    loop {
        let bytes = rest.clone();
        let Some(first) = rest.next() else { return };
        if continues(first) {
            continue;
        }
        let (mut hash, mut characters) = (BASIS, 0);
        // Behind the last byte a character ends, as it does before one that begins.
        for byte in bytes.map(Some).chain(iter::once(None)) {
            if byte.is_none_or(|byte| !continues(byte)) {
                let mark = characters == 1 && hash == fold(BASIS, MARK);
                if characters > 0 && characters >= shortest && !mark {
                    found(hash);
                }
                if characters >= longest {
                    break;
                }
                characters += 1;
            }
            if let Some(byte) = byte {
                hash = fold(hash, byte);
            }
        }
    }
}

/// Stands before and behind a word, in which it cannot be.
const MARK: u8 = b' ';

/// Returns true if a byte of UTF-8 continues a character.
fn continues(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Adds an n-gram to its feature.
fn count(hash: u32, features: &mut [f32]) {
    let hash = finish(hash);
    let feature = (u64::from(hash) * features.len() as u64) >> 32;
    if let Some(feature) = features.get_mut(feature as usize) {
        *feature += if hash & 1 == 0 { 1.0 } else { -1.0 };
    }
}

/// MurmurHash3's `fmix32`.
fn finish(mut hash: u32) -> u32 {
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    /// The definition in the documentation, with allocations.
    fn by_the_book(text: &str, [shortest, longest]: [u8; 2]) -> Vec<u32> {
        let fnv = |gram: &str| gram.bytes().fold(BASIS, fold);
        let mut hashes = Vec::new();
        for word in text.split(|c: char| c.is_ascii_whitespace()).filter(|word| !word.is_empty()) {
            let characters: Vec<char> = std::format!(" {} ", word.to_ascii_lowercase()).chars().collect();
            for length in usize::from(shortest)..=usize::from(longest) {
                let grams = characters.windows(length).map(|gram| gram.iter().collect::<String>());
                hashes.extend(grams.filter(|gram| gram != " ").map(|gram| fnv(&gram)));
            }
        }
        hashes.sort_unstable();
        hashes
    }

    proptest::proptest! {
        #[test]
        fn ngrams_are_those_of_the_documentation(text in "[a-zäßЖ字🦀A-Z \n]{0,24}", shortest in 1u8..4, more in 0u8..3) {
            let lengths = [shortest, shortest + more];
            let mut hashes = Vec::new();
            for word in text.as_bytes().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
                each(word, lengths, |hash| hashes.push(hash));
            }
            hashes.sort_unstable();
            proptest::prop_assert_eq!(hashes, by_the_book(&text, lengths));
        }
    }

    #[test]
    fn hashes_are_the_published_ones() {
        // The FNV reference's test vectors; fmix32 of SMHasher.
        assert_eq!(b"a".iter().fold(BASIS, |hash, &byte| fold(hash, byte)), 0xe40c_292c);
        assert_eq!(b"foobar".iter().fold(BASIS, |hash, &byte| fold(hash, byte)), 0xbf9c_f968);
        assert_eq!([0, 1].map(finish), [0, 0x514e_28b7]);
    }
}
