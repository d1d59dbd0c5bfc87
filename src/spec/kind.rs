//! The kinds of ceremony, and what each seat does in one.

use super::seats::Seats;

/// What a ceremony makes. Its number is the kind byte of the canonical encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CeremonyKind {
    /// A key generation: new keys, which every seat deals and of which every seat gets a share.
    Dkg,
    /// A reshare: keys that a parent made, of which its operators deal their shares anew to new
    /// operators. Which seats do what, its spec says.
    Reshare,
    /// An import: keys that one operator holds whole, which it deals to all that receive.
    Import,
    /// A repair: the share that one operator of a parent has lost, which others of its operators
    /// give it again. Nobody else's share changes.
    Repair,
}

impl CeremonyKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Dkg, Self::Reshare, Self::Import, Self::Repair];

    /// The number in the canonical encoding.
    pub const fn number(self) -> u8 {
        match self {
            Self::Dkg => 1,
            Self::Reshare => 2,
            Self::Import => 3,
            Self::Repair => 4,
        }
    }

    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// What the seats of a ceremony do. A seat may deal and receive, or witness and receive; one that
/// does not receive and does not deal only signs what it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Who deals: commits to polynomials and sends shares.
    pub dealers: Seats,
    /// Who receives: stores shares, proves them and signs with them.
    pub receivers: Seats,
    /// Who witnesses a reshare: deals nothing of what it holds of the parent, and stops like those
    /// that deal.
    pub witnesses: Seats,
}

impl Parts {
    /// Each of `seats` seats (at most 255) deals and receives, as in a key generation.
    pub const fn all(seats: usize) -> Self {
        let all = Seats::first(seats);
        Self { dealers: all, receivers: all, witnesses: Seats::first(0) }
    }
}
