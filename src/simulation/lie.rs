//! What operators of simulated reshares, imports and repairs do that break rules, by name.

use crate::message::envelope::Round;

use super::roster::Life;

macro_rules! lies {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What an operator of a ceremony of keys that exist does that is not honest. Each is one
        /// deviation; several operators may each have their own.
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
    None = "plays-by-the-rules",
    /// Says nothing.
    Silent = "silent",
    /// Falls silent before it deals.
    SilentFromDeal = "silent-from-deal",
    /// Falls silent before it prepares.
    SilentFromPrepare = "silent-from-prepare",
    /// Falls silent before its commit, its minima too: it does not stop.
    SilentFromCommit = "silent-from-commit",
    /// Falls silent before its final.
    SilentFromFinal = "silent-from-final",
    /// Commits, and never says what its keys have signed last.
    WithholdsMinima = "withholds-minima",
    /// Speaks to half of the others.
    SpeaksToSome = "speaks-to-some",
    /// Gives no boxes to half of the others.
    WithholdsBoxes = "withholds-boxes",
    /// Deals shares that do not match its commitments, to all.
    BadShareAll = "bad-share-all",
    /// The same to one receiver.
    BadShareOne = "bad-share-one",
    /// Shares of another key than it holds, all consistent with each other.
    DealsAnotherKey = "deals-another-key",
    /// Boxes that do not hold what their deal lists.
    BadList = "bad-list",
    /// Boxes that do not open.
    BadBox = "bad-box",
    /// A deal that does not open its commitment.
    DealOpening = "deal-opening",
    /// A deal of other commitments: another polynomial than it committed to. In a repair a mask
    /// that the other helper does not have.
    DealCommitments = "deal-commitments",
    /// A deal over other hellos.
    DealOtherHellos = "deal-other-hellos",
    /// A prepare over other deals.
    PrepareOtherDeals = "prepare-other-deals",
    /// A false possession proof.
    PreparePossession = "prepare-possession",
    /// A prepare of other sums.
    PrepareOtherSums = "prepare-other-sums",
    /// Complains of a good share.
    ComplainsFalsely = "complains-falsely",
    /// Of a repair: complains of a good mask.
    ComplainsOfMask = "complains-of-a-good-mask",
    /// A commit over another certificate.
    CommitOtherCertificate = "commit-other-certificate",
    /// A final with other outputs.
    FinalOutputs = "final-outputs",
    /// Two hellos, each for half of the others.
    TwoFacedHello = "two-faced-hello",
    /// Two deals.
    TwoFacedDeal = "two-faced-deal",
    /// Two prepares.
    TwoFacedPrepare = "two-faced-prepare",
    /// Two commits.
    TwoFacedCommit = "two-faced-commit",
    /// Two finals.
    TwoFacedFinal = "two-faced-final",
    /// Minima that do not decode, in the place of those that do.
    MinimaThatDoNotDecode = "minima-that-do-not-decode",
    /// Different minima to everybody, again and again.
    MinimaWithoutEnd = "minima-without-end",
    /// Says that it gives up after its commit, and goes on.
    AbandonsAndGoesOn = "abandons-and-goes-on",
    /// Of what others say, passes nothing on: no statement, no box, no wish, no word.
    PassesNothingOn = "passes-nothing-on",
    /// Tells everybody that everybody else has finished, and keeps half of the others' finals and
    /// words from half of them.
    SaysDoneForOthers = "says-done-for-others",
    /// Passes one thing on for another: statements in another's name or with another body, boxes
    /// and wishes of somebody else, words of one as those of another; and claims to hold what it
    /// does not.
    SwapsWhatItPassesOn = "swaps-what-it-passes-on",
}

impl Lie {
    /// Those about what others say: of an operator through which others reach each other. What it
    /// says for itself is as it should be.
    pub const OF_HUBS: [Self; 3] =
        [Self::PassesNothingOn, Self::SaysDoneForOthers, Self::SwapsWhatItPassesOn];

    /// Those that say something else for themselves in a ceremony of this kind than an honest
    /// operator.
    pub fn of(life: Life) -> Vec<Self> {
        let fits = |lie: &Self| match lie {
            // Nobody stops in a repair, and no hello commits to anything.
            Self::WithholdsMinima
            | Self::MinimaThatDoNotDecode
            | Self::MinimaWithoutEnd
            | Self::DealsAnotherKey
            | Self::DealOpening => life != Life::Repair,
            Self::ComplainsOfMask => life == Life::Repair,
            lie => !Self::OF_HUBS.contains(lie),
        };
        Self::ALL.iter().copied().filter(fits).collect()
    }

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
            | Self::DealsAnotherKey
            | Self::BadList
            | Self::BadBox
            | Self::DealOpening
            | Self::DealCommitments
            | Self::DealOtherHellos => Some(Round::Deal),
            Self::PrepareOtherDeals
            | Self::PreparePossession
            | Self::PrepareOtherSums
            | Self::ComplainsFalsely
            | Self::ComplainsOfMask => Some(Round::Prepare),
            Self::CommitOtherCertificate => Some(Round::Commit),
            Self::FinalOutputs => Some(Round::Final),
            _ => None,
        }
    }
}
