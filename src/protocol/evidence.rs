//! Faults: the broken rule, who is responsible, and the statements that show it.

use crate::message::envelope::{Round, Statement};
use crate::message::share_box::ShareBoxError;
use crate::primitives::codec::DecodeError;
use crate::spec::threshold::Index;

/// The classes of evidence (protocol chapter, "Evidence").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// Two different signed statements for one slot.
    E1 = 1,
    /// A signed body that violates a deterministic rule.
    E2 = 2,
    /// A bad share.
    E3 = 3,
    /// A complaint about a good share.
    E4 = 4,
    /// An invalid possession proof, partial signature or signature on a cluster's lock.
    E5 = 5,
    /// A signed reference that no honest set of statements can contain.
    E6 = 6,
}

/// How sure the blame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The attached statements prove it to a stranger.
    Proven,
    /// Only this operator can see it, or one of several may be at fault.
    Suspected,
    /// Nobody is to blame.
    Nobody,
}

/// A rule that was broken. Validators are positions from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The operator signed two different statements for one round.
    Equivocation {
        /// Who.
        operator: Index,
        /// In which round.
        round: Round,
    },
    /// The body does not decode.
    Malformed {
        /// Who signed it.
        operator: Index,
        /// In which round.
        round: Round,
        /// Why.
        error: DecodeError,
    },
    /// An abandonment whose body does not decode, or whose view root is not zero.
    Abandonment {
        /// Who signed it.
        operator: Index,
        /// In which round.
        round: Round,
        /// Why.
        error: DecodeError,
    },
    /// The view in the body is not the one its envelope names, or not the set of hellos that its
    /// session names.
    ViewRoot {
        /// Who signed it.
        operator: Index,
        /// In which round.
        round: Round,
    },
    /// Two operators' hellos share a nonce, a commitment or a one-time key.
    CopiedHello {
        /// The two.
        operators: [Index; 2],
        /// What they share.
        what: &'static str,
    },
    /// The statement was computed from another statement of `about` than the one held here: one of
    /// the two is at fault.
    View {
        /// Who signed it.
        operator: Index,
        /// In which round.
        round: Round,
        /// Whose statement of the round before differs.
        about: Index,
    },
    /// The deal does not open the hello's commitment.
    Opening {
        /// The dealer.
        dealer: Index,
    },
    /// Two polynomials share a constant term.
    EqualConstants {
        /// Dealer and validator of each.
        rows: [(Index, usize); 2],
    },
    /// The proof of possession of the constant terms does not verify.
    ProofOfPossession {
        /// The dealer.
        dealer: Index,
    },
    /// The share box does not give scalars.
    ShareBox {
        /// The dealer.
        dealer: Index,
        /// Why.
        error: ShareBoxError,
    },
    /// A share does not match its commitments.
    Share {
        /// The dealer.
        dealer: Index,
        /// The validator.
        validator: usize,
    },
    /// In a repair, two helpers deal different masks between them: one of the two is at fault.
    MasksDiffer {
        /// The two.
        operators: [Index; 2],
        /// The first validator for which they differ.
        validator: usize,
    },
    /// In a repair, a mask between the dealer and another helper is not the one that their one-time
    /// keys give.
    Mask {
        /// The dealer.
        dealer: Index,
        /// The validator.
        validator: usize,
    },
    /// A complaint about a share box that is as it should be, or not about the dealer's box.
    FalseComplaint {
        /// Who complained.
        operator: Index,
        /// About whom.
        dealer: Index,
    },
    /// The root of the sums does not follow from the deals it was signed over.
    SumsRoot {
        /// Who signed it.
        operator: Index,
    },
    /// The possession proof does not verify.
    Possession {
        /// Whose.
        operator: Index,
    },
    /// A partial signature does not verify.
    Partial {
        /// Whose.
        operator: Index,
        /// Position among all items.
        item: usize,
    },
    /// The proof of an encrypted share for SSV does not verify.
    EncryptedShare {
        /// Whose.
        operator: Index,
        /// The validator.
        validator: usize,
    },
    /// The output digest does not follow from the commits it was signed over.
    Outputs {
        /// Who signed it.
        operator: Index,
    },
    /// The signature of an operator's shares on the lock of an Obol cluster does not verify.
    LockShares {
        /// Whose.
        operator: Index,
    },
    /// The signature on the lock of an Obol cluster is not by the operator's node.
    LockNode {
        /// Whose.
        operator: Index,
    },
    /// A sum is infinity, two keys are equal, or a share is zero: probability 2^-255 unless all
    /// dealers collude.
    Degenerate,
}

/// A broken rule with the signed statements that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What was broken.
    pub rule: Rule,
    /// The statements, as received.
    pub evidence: Vec<Statement>,
}

impl Rule {
    /// Who is to blame. Exhaustive, so that a new rule must answer.
    pub fn culprits(&self) -> Vec<Index> {
        match *self {
            Self::Equivocation { operator, .. }
            | Self::Malformed { operator, .. }
            | Self::Abandonment { operator, .. }
            | Self::ViewRoot { operator, .. }
            | Self::FalseComplaint { operator, .. }
            | Self::SumsRoot { operator }
            | Self::Possession { operator }
            | Self::Partial { operator, .. }
            | Self::EncryptedShare { operator, .. }
            | Self::Outputs { operator }
            | Self::LockShares { operator }
            | Self::LockNode { operator } => vec![operator],
            Self::CopiedHello { operators, .. } | Self::MasksDiffer { operators, .. } => {
                operators.to_vec()
            }
            Self::View { operator, about, .. } => vec![operator, about],
            Self::Opening { dealer }
            | Self::ProofOfPossession { dealer }
            | Self::ShareBox { dealer, .. }
            | Self::Share { dealer, .. }
            | Self::Mask { dealer, .. } => vec![dealer],
            Self::EqualConstants { rows: [(a, _), (b, _)] } if a == b => vec![a],
            Self::EqualConstants { rows: [(a, _), (b, _)] } => vec![a, b],
            Self::Degenerate => Vec::new(),
        }
    }

    /// The class of evidence; `None` where nobody is to blame.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Equivocation { .. } => Some(Class::E1),
            Self::Malformed { .. }
            | Self::Abandonment { .. }
            | Self::ViewRoot { .. }
            | Self::CopiedHello { .. }
            | Self::Opening { .. }
            | Self::EqualConstants { .. }
            | Self::MasksDiffer { .. }
            | Self::ProofOfPossession { .. } => Some(Class::E2),
            Self::ShareBox { .. } | Self::Share { .. } | Self::Mask { .. } => Some(Class::E3),
            Self::FalseComplaint { .. } => Some(Class::E4),
            Self::Possession { .. }
            | Self::Partial { .. }
            | Self::EncryptedShare { .. }
            | Self::LockShares { .. }
            | Self::LockNode { .. } => Some(Class::E5),
            Self::View { .. } | Self::SumsRoot { .. } | Self::Outputs { .. } => Some(Class::E6),
            Self::Degenerate => None,
        }
    }

    /// Whether the verdict follows from everything that its statement was computed from.
    pub(super) fn follows_from_past(&self) -> bool {
        matches!(
            self,
            Self::SumsRoot { .. }
                | Self::Possession { .. }
                | Self::Partial { .. }
                | Self::EncryptedShare { .. }
                | Self::Outputs { .. }
                | Self::LockShares { .. }
                | Self::LockNode { .. }
        )
    }

    /// How sure the blame is. A differing view or a copied hello has two candidates.
    pub fn certainty(&self) -> Certainty {
        match self {
            Self::CopiedHello { operators: [a, b], .. } if a != b => Certainty::Suspected,
            Self::View { .. } | Self::MasksDiffer { .. } => Certainty::Suspected,
            Self::Degenerate => Certainty::Nobody,
            Self::Equivocation { .. }
            | Self::Malformed { .. }
            | Self::Abandonment { .. }
            | Self::ViewRoot { .. }
            | Self::CopiedHello { .. }
            | Self::Opening { .. }
            | Self::EqualConstants { .. }
            | Self::ProofOfPossession { .. }
            | Self::ShareBox { .. }
            | Self::Share { .. }
            | Self::Mask { .. }
            | Self::FalseComplaint { .. }
            | Self::SumsRoot { .. }
            | Self::Possession { .. }
            | Self::Partial { .. }
            | Self::EncryptedShare { .. }
            | Self::Outputs { .. }
            | Self::LockShares { .. }
            | Self::LockNode { .. } => Certainty::Proven,
        }
    }
}

impl Fault {
    /// A fault shown by `statements`.
    pub fn new<'a>(rule: Rule, statements: impl IntoIterator<Item = &'a Statement>) -> Box<Self> {
        Box::new(Self { rule, evidence: statements.into_iter().cloned().collect() })
    }
}
