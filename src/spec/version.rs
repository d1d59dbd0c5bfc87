//! Versions of a ceremony: what its canonical bytes and the envelopes of its statements carry, and
//! what decides how bodies are laid out and how statements are named.

use core::fmt;

/// A version. Two versions never mix in one ceremony: every statement carries its ceremony's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Read and audited; no ceremony of it is begun or continued.
    One,
    /// The one of every new ceremony.
    Two,
}

impl Version {
    /// All versions that are read.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];
    /// The version of new ceremonies, and the only one that is run.
    pub const CURRENT: Self = Self::Two;

    /// The number in canonical bytes, envelopes and ceremony files.
    pub const fn number(self) -> u16 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// The version with this number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.number() == number)
    }

    /// Whether a ceremony of it can be begun and continued.
    pub fn is_current(self) -> bool {
        self == Self::CURRENT
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}
