//! Preregistrations of withdrawal credentials. A DRAFT: EIP-8205, and the consensus specification's
//! `_features/eip8205`. No network takes them yet, and what is signed may still change.

use super::deposit::WithdrawalCredentials;
use super::network::Network;
use super::ssz::{self, Chunk};

/// A state of the draft, which fixes what is signed. A later one gets a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Draft {
    /// As of 17 August 2026: type of domain `0x11000000`, with the genesis validators root.
    August2026,
}

impl Draft {
    /// Every one that is known, in order of its number.
    pub const ALL: [Self; 1] = [Self::August2026];
    /// The newest, which new files name.
    pub const NEWEST: Self = Self::August2026;

    /// Its number in canonical bytes.
    pub const fn number(self) -> u8 {
        match self {
            Self::August2026 => 1,
        }
    }

    /// The date by which files name it.
    pub const fn date(self) -> &'static str {
        match self {
            Self::August2026 => "2026-08-17",
        }
    }

    /// The one of this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|draft| draft.number() == number)
    }

    /// The one of this date.
    pub fn from_date(date: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|draft| draft.date() == date)
    }

    /// The type of its domain.
    pub const fn domain_type(self) -> [u8; 4] {
        match self {
            Self::August2026 => [0x11, 0, 0, 0],
        }
    }
}

/// `ValidatorPreregistration`: binds a key to withdrawal credentials before its first deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preregistration {
    /// The validator's public key, compressed.
    pub pubkey: [u8; 48],
    /// The only credentials that a first deposit of this key may have.
    pub withdrawal_credentials: WithdrawalCredentials,
}

impl Preregistration {
    /// `hash_tree_root`.
    pub fn root(&self) -> Chunk {
        ssz::two(ssz::bytes48(&self.pubkey), *self.withdrawal_credentials.as_bytes())
    }

    /// What the validator's key signs, by this state of the draft.
    pub fn signing_root(&self, network: &Network, draft: Draft) -> Chunk {
        network.preregistration_domain(draft).signing_root(self.root())
    }
}
