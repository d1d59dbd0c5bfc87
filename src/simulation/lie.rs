//! What operators of a simulated reshare do that break its rules, by name.

use crate::message::envelope::Round;

macro_rules! lies {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What an operator of a reshare does that is not honest. Each is one deviation; several
        /// operators may each have their own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Lie { $($(#[$doc])* $name,)* }

        impl Lie {
            /// Every one.
            pub const ALL: &'static [Lie] = &[$(Lie::$name,)*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Lie::$name => $text,)* }
            }
        }
    };
}

lies! {
    /// Breaks no rule: a control.
    None = "reshares-by-the-rules",
    /// Says nothing.
    Silent = "reshare-silent",
    /// Falls silent before it deals.
    SilentFromDeal = "reshare-silent-from-deal",
    /// Falls silent before it prepares.
    SilentFromPrepare = "reshare-silent-from-prepare",
    /// Falls silent before its commit, its minima too: it does not stop.
    SilentFromCommit = "reshare-silent-from-commit",
    /// Falls silent before its final.
    SilentFromFinal = "reshare-silent-from-final",
    /// Commits, and never says what its keys have signed last.
    WithholdsMinima = "withholds-minima",
    /// Speaks to half of the others.
    SpeaksToSome = "reshare-speaks-to-some",
    /// Gives no boxes to half of the others.
    WithholdsBoxes = "reshare-withholds-boxes",
    /// Deals shares that do not match its commitments, to all.
    BadShareAll = "reshare-bad-share-all",
    /// The same to one receiver.
    BadShareOne = "reshare-bad-share-one",
    /// Boxes that do not hold what their deal lists.
    BadList = "reshare-bad-list",
    /// Boxes that do not open.
    BadBox = "reshare-bad-box",
    /// A deal that does not open its commitment.
    DealOpening = "reshare-deal-opening",
    /// A deal of other commitments: another polynomial than it committed to.
    DealCommitments = "reshare-deal-commitments",
    /// A deal over other hellos.
    DealOtherHellos = "reshare-deal-other-hellos",
    /// A prepare over other deals.
    PrepareOtherDeals = "reshare-prepare-other-deals",
    /// A false possession proof.
    PreparePossession = "reshare-prepare-possession",
    /// A prepare of other sums.
    PrepareOtherSums = "reshare-prepare-other-sums",
    /// Complains of a good share.
    ComplainsFalsely = "reshare-complains-falsely",
    /// A commit over another certificate.
    CommitOtherCertificate = "reshare-commit-other-certificate",
    /// A final with other outputs.
    FinalOutputs = "reshare-final-outputs",
    /// Two hellos, each for half of the others.
    TwoFacedHello = "reshare-two-faced-hello",
    /// Two deals.
    TwoFacedDeal = "reshare-two-faced-deal",
    /// Two prepares.
    TwoFacedPrepare = "reshare-two-faced-prepare",
    /// Two commits.
    TwoFacedCommit = "reshare-two-faced-commit",
    /// Two finals.
    TwoFacedFinal = "reshare-two-faced-final",
    /// Minima that do not decode, in the place of those that do.
    MinimaThatDoNotDecode = "minima-that-do-not-decode",
    /// Different minima to everybody, again and again.
    MinimaWithoutEnd = "minima-without-end",
    /// Says that it gives up after its commit, and goes on.
    AbandonsAndGoesOn = "reshare-abandons-and-goes-on",
}

impl Lie {
    /// The round from which on it is silent.
    pub fn silent_from(self) -> Option<Round> {
        match self {
            Self::Silent => Some(Round::Hello),
            Self::SilentFromDeal => Some(Round::Deal),
            Self::SilentFromPrepare => Some(Round::Prepare),
            Self::SilentFromCommit => Some(Round::Commit),
            Self::SilentFromFinal => Some(Round::Final),
            _ => None,
        }
    }

    /// The round of which it has two faces.
    pub fn two_faced_in(self) -> Option<Round> {
        match self {
            Self::TwoFacedHello => Some(Round::Hello),
            Self::TwoFacedDeal => Some(Round::Deal),
            Self::TwoFacedPrepare => Some(Round::Prepare),
            Self::TwoFacedCommit => Some(Round::Commit),
            Self::TwoFacedFinal => Some(Round::Final),
            _ => None,
        }
    }

    /// The round whose statement it changes for everybody.
    pub fn changes(self) -> Option<Round> {
        match self {
            Self::BadShareAll
            | Self::BadShareOne
            | Self::BadList
            | Self::BadBox
            | Self::DealOpening
            | Self::DealCommitments
            | Self::DealOtherHellos => Some(Round::Deal),
            Self::PrepareOtherDeals
            | Self::PreparePossession
            | Self::PrepareOtherSums
            | Self::ComplainsFalsely => Some(Round::Prepare),
            Self::CommitOtherCertificate => Some(Round::Commit),
            Self::FinalOutputs => Some(Round::Final),
            _ => None,
        }
    }
}
