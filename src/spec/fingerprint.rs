//! The fingerprint words by which people compare digests.

use bip39::Language;

use crate::primitives::hash::Digest;

/// Words of a fingerprint.
pub const FINGERPRINT_WORDS: usize = 12;
/// Most words of a typed fingerprint that are looked at.
const MOST_WORDS: usize = 1000;

/// Why words are not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Not twelve words.
    #[error("{0} words; a fingerprint has {FINGERPRINT_WORDS}")]
    Count(usize),
    /// A word that is not in the list.
    #[error("word {position}, {word:?}, is not in the list of fingerprint words")]
    Word {
        /// Which, from 1.
        position: usize,
        /// The word.
        word: String,
    },
}

/// The first 132 bits of a digest as twelve words of the English list of BIP-39, 11 bits each.
///
/// It lets people see by voice that they hold different files before they start. What they then
/// agree to is the whole digest, which every operator signs first of all. Whoever writes the file
/// can try many: two files that share their words cost about 2^66 attempts.
pub fn fingerprint(digest: &Digest) -> Vec<&'static str> {
    let list = Language::English.word_list();
    let bit = |at: usize| usize::from(digest.0[at / 8] >> (7 - at % 8) & 1);
    let word = |w: usize| list[(11 * w..11 * (w + 1)).fold(0, |number, at| number << 1 | bit(at))];
    (0..FINGERPRINT_WORDS).map(word).collect()
}

/// Reads a fingerprint as people type it: any case, words apart by spaces, line ends, commas or
/// hyphens.
pub fn parse_fingerprint(text: &str) -> Result<Vec<&'static str>, FingerprintError> {
    let words = fingerprint_words(text)?;
    match words.len() {
        FINGERPRINT_WORDS => Ok(words),
        found => Err(FingerprintError::Count(found)),
    }
}

/// Some of the words of a fingerprint, as a person types or copies them: the numbers that stand
/// before them on a screen are not words.
///
/// # Errors
///
/// A word that is not in the list.
pub fn fingerprint_words(text: &str) -> Result<Vec<&'static str>, FingerprintError> {
    let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let words = text
        .split(|c: char| c.is_whitespace() || c == '-' || c == ',')
        .filter(|word| !is_number(word))
        .take(MOST_WORDS);
    let list = Language::English.word_list();
    let find = |(position, word): (usize, &str)| {
        let at = list.binary_search(&word.to_ascii_lowercase().as_str()).map_err(|_| {
            FingerprintError::Word { position: position + 1, word: word.chars().take(20).collect() }
        })?;
        Ok(list[at])
    };
    words.enumerate().map(find).collect()
}
