//! Which operators collect the answers, and which of them connect.

use crate::signing::{Cleared, Delivery, Parent};
use crate::spec::threshold::Index;

/// What this operator has to do with the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Answers are for everybody: it collects them as all do.
    Everybody,
    /// It is the custodian, and collects them alone.
    Custodian,
    /// It answers to this custodian.
    Contributor(Index),
}

impl Role {
    /// The role of operator `me`. `None`: the custodian is no operator of the ceremony, or its card
    /// has another channel key than the ceremony's; answers to it go by files.
    pub fn of(cleared: &Cleared, parent: &Parent, me: Index) -> Option<Self> {
        let card = match &cleared.request.delivery {
            Delivery::Public => return Some(Self::Everybody),
            Delivery::Custodian(card) => card,
        };
        let roster = parent.ceremony().roster();
        let custodian = roster.find(&card.key)?;
        roster.get(custodian).filter(|seat| seat.card.noise == card.noise)?;
        Some(if custodian == me { Self::Custodian } else { Self::Contributor(custodian) })
    }

    /// Whether this operator has a channel to `other`.
    pub fn speaks_with(self, other: Index) -> bool {
        match self {
            Self::Everybody | Self::Custodian => true,
            Self::Contributor(custodian) => custodian == other,
        }
    }

    /// Whether `other` takes part beside this operator: it has shares, or is the custodian that
    /// this one answers to. Nobody waits for one that only dealt.
    pub fn is_peer(self, parent: &Parent, other: Index) -> bool {
        let has_shares = parent.ceremony().parts().receivers.contains(other);
        self.speaks_with(other) && (has_shares || self == Self::Contributor(other))
    }
}
