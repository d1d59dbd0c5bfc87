//! The list of rule-breaking behaviours, by name.

use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::message::body::{Commit, Deal, Final, Hello, Prepare, Stored};
use crate::message::envelope::Round;
use crate::primitives::curve::{G1Sum, G2, G2Sum, Scalar, SecretScalar};
use crate::primitives::hash::{DST_ETHEREUM, Digest};
use crate::protocol::items::Item;
use crate::spec::threshold::Index;

use super::forger::Hooks;

macro_rules! adversaries {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What an operator that is not honest does. Each is one deviation; a coalition may mix
        /// them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Adversary { $($(#[$doc])* $name,)* }

        impl Adversary {
            /// Every one.
            pub const ALL: &'static [Adversary] = &[$(Adversary::$name,)*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Adversary::$name => $text,)* }
            }
        }
    };
}

adversaries! {
    /// Breaks no rule: a control.
    PlaysByHand = "plays-by-hand",
    /// R0 names statements before it.
    HelloNamesView = "hello-names-view",
    /// R0 holds one key twice.
    HelloKeyTwice = "hello-key-twice",
    /// R0 copies another's nonce.
    HelloCopied = "hello-copied",
    /// R1 with an envelope of another view.
    DealViewRoot = "deal-view-root",
    /// R1 over other hellos.
    DealOtherHellos = "deal-other-hellos",
    /// R1 does not open its commitment.
    DealWrongOpening = "deal-wrong-opening",
    /// R1 with one constant term for all validators.
    DealEqualConstants = "deal-equal-constants",
    /// R1 with another dealer's constant term.
    DealCopiedConstant = "deal-copied-constant",
    /// R1 with a constant term that cancels the others'.
    DealRogueKey = "deal-rogue-key",
    /// R1 with a proof that does not verify.
    DealFalseProof = "deal-false-proof",
    /// R1 with a negated proof.
    DealNegatedProof = "deal-negated-proof",
    /// R1 after everybody else's, and otherwise right.
    DealLate = "deal-late",
    /// R1 after everybody else's, with other polynomials than committed to.
    DealSwitched = "deal-switched",
    /// Wrong shares for the first operators.
    BadShareLow = "bad-share-low",
    /// Wrong shares for the last operators.
    BadShareHigh = "bad-share-high",
    /// Wrong shares for everybody.
    BadShareAll = "bad-share-all",
    /// Wrong shares whose errors cancel in a plain sum.
    BadShareCancelling = "bad-share-cancelling",
    /// Boxes that do not open.
    BadBox = "bad-box",
    /// Boxes that were not signed.
    UnsignedBox = "unsigned-box",
    /// R2 with another root of the sums.
    PrepareOtherSums = "prepare-other-sums",
    /// R2 over other deals.
    PrepareOtherDeals = "prepare-other-deals",
    /// R2 with a false possession proof.
    PreparePossession = "prepare-possession",
    /// R2 without having stored.
    PrepareNotStored = "prepare-not-stored",
    /// Complains of a good box.
    ComplainsFalsely = "complains-falsely",
    /// Complains, and opens another key.
    ComplainsWithOtherKey = "complains-with-other-key",
    /// Complains in a body that does not decode.
    ComplainsMalformed = "complains-malformed",
    /// Prepares to some, and complains to the others.
    PreparesAndComplains = "prepares-and-complains",
    /// Says that it gives up, and goes on.
    AbandonsAndGoesOn = "abandons-and-goes-on",
    /// R3 with a false partial signature.
    CommitPartial = "commit-partial",
    /// R3 with its share's signature over a preregistration of other credentials.
    CommitPreregistration = "commit-preregistration",
    /// The same over a builder registration of another fee recipient.
    CommitRegistration = "commit-registration",
    /// R3 with errors that cancel.
    CommitCancelling = "commit-cancelling",
    /// R3 over another certificate.
    CommitOtherCertificate = "commit-other-certificate",
    /// R4 with other outputs.
    FinalOutputs = "final-outputs",
    /// R4 over other commits.
    FinalOtherCommits = "final-other-commits",
    /// Two hellos, each for half of the others.
    TwoFacedHello = "two-faced-hello",
    /// Two deals, both right.
    TwoFacedDeal = "two-faced-deal",
    /// Two prepares.
    TwoFacedPrepare = "two-faced-prepare",
    /// Two commits.
    TwoFacedCommit = "two-faced-commit",
    /// Two finals, one of them wrong.
    TwoFacedFinal = "two-faced-final",
    /// Two signatures on each of its statements, one for each half of the others.
    SignsTwice = "signs-twice",
    /// Two wrong commits to some, and to the others the right one.
    JunkCommits = "junk-commits",
    /// Two wrong finals to some, and to the others the right one.
    JunkFinals = "junk-finals",
    /// Two of everything.
    TwoFacedEverywhere = "two-faced-everywhere",
    /// Says nothing.
    Silent = "silent",
    /// Falls silent before R1.
    SilentFromDeal = "silent-from-deal",
    /// Falls silent before R2.
    SilentFromPrepare = "silent-from-prepare",
    /// Falls silent before R3.
    SilentFromCommit = "silent-from-commit",
    /// Falls silent before R4.
    SilentFromFinal = "silent-from-final",
    /// Sends no boxes to half of the others.
    WithholdsBoxes = "withholds-boxes",
    /// Gives boxes to those only who ask for another.
    YieldsBoxes = "yields-boxes",
    /// Speaks to half of the others.
    SpeaksToSome = "speaks-to-some",
    /// Also sends everybody's statements of another ceremony.
    ReplaysForeign = "replays-foreign",
    /// Says that it holds everything, and other things than it does.
    LiesAboutHaving = "lies-about-having",
    /// Also sends noise.
    Babbles = "babbles",
}

fn one() -> SecretScalar {
    SecretScalar::reduce(&[1; 48])
}

fn spoil(shares: &mut [SecretScalar]) {
    let last = shares.len() - 1;
    shares[last].add_assign(&one());
}

fn cancelling(commit: &mut Commit) {
    let delta = G2Sum::from(G2::hash(b"delta", DST_ETHEREUM));
    let last = commit.partials.len() - 1;
    for (item, delta) in [(0, delta), (last, delta.negated())] {
        let mut sum = G2Sum::from(commit.partials[item]);
        sum.add_sum(&delta);
        commit.partials[item] = sum.finish().expect("not infinity by chance");
    }
    if last == 0 {
        // With one item nothing can cancel within it.
        commit.partials[0] = G2::hash(b"delta", DST_ETHEREUM);
    }
}

fn negated(deal: &mut Deal) {
    let proof = deal.proof.as_mut().expect("of a key generation");
    proof.r = G1Sum::from(proof.r).negated().finish().expect("not infinity");
}

fn false_proof(deal: &mut Deal) {
    let proof = deal.proof.as_mut().expect("of a key generation");
    proof.z = proof.z + Scalar::one();
}

fn other_hello(hello: &mut Hello) {
    hello.nonce[0] ^= 1;
}

fn stored(prepare: &mut Prepare) -> &mut Stored {
    prepare.stored.as_mut().expect("of a seat that receives")
}

fn other_possession(prepare: &mut Prepare) {
    stored(prepare).possession = G2::hash(b"another", DST_ETHEREUM);
}

fn other_partial(commit: &mut Commit) {
    let last = commit.partials.len() - 1;
    commit.partials[last] = G2::hash(b"another", DST_ETHEREUM);
}

/// Where nobody's money is.
fn elsewhere() -> ExecutionAddress {
    ExecutionAddress::from_bytes([0x5a; 20]).expect("an address that is not zero")
}

fn other_preregistration(item: &mut Item) {
    if let Item::Preregistration(message, _) = item {
        message.withdrawal_credentials = WithdrawalCredentials::execution(elsewhere());
    }
}

fn other_registration(item: &mut Item) {
    if let Item::Registration(message) = item {
        message.fee_recipient = elsewhere();
    }
}

fn other_outputs(last: &mut Final) {
    last.outputs = Digest([2; 32]);
}

fn root_of(round: Round, root: Digest, of: Round) -> Digest {
    if round == of { Digest([1; 32]) } else { root }
}

impl Adversary {
    /// Those about messages that only some ceremonies sign. Where none is signed they break no
    /// rule.
    pub const OF_ITEMS: [Self; 2] = [Self::CommitPreregistration, Self::CommitRegistration];

    /// Those that break a rule, or could, in every ceremony.
    pub fn of_any_ceremony() -> Vec<Self> {
        let any = |kind: &Self| !Self::OF_ITEMS.contains(kind);
        Self::ALL.iter().copied().filter(any).collect()
    }

    /// What it shows to each half of the others: one face, or two.
    pub fn faces(self) -> Vec<Hooks> {
        let honest = Hooks::default;
        let one = match self {
            Self::HelloNamesView => {
                Hooks { view_root: |round, root| root_of(round, root, Round::Hello), ..honest() }
            }
            Self::HelloKeyTwice => {
                Hooks { hello: |hello| hello.one_time_keys[0] = hello.one_time_keys[1], ..honest() }
            }
            Self::DealViewRoot => {
                Hooks { view_root: |round, root| root_of(round, root, Round::Deal), ..honest() }
            }
            Self::DealOtherHellos => {
                Hooks { deal: |deal| deal.view[0] = Digest([1; 32]), ..honest() }
            }
            Self::DealWrongOpening => Hooks {
                deal: |deal| deal.salt.iter_mut().for_each(|salt| salt[0] ^= 1),
                ..honest()
            },
            Self::DealFalseProof => Hooks { deal: false_proof, ..honest() },
            Self::DealNegatedProof => Hooks { deal: negated, ..honest() },
            Self::BadShareLow => {
                Hooks { shares: |to, shares| spoil_if(to.get() <= 2, shares), ..honest() }
            }
            Self::BadShareHigh => {
                Hooks { shares: |to, shares| spoil_if(to.get() >= 3, shares), ..honest() }
            }
            Self::BadShareAll => Hooks { shares: |_, shares| spoil(shares), ..honest() },
            Self::BadShareCancelling => Hooks { shares: cancelling_shares, ..honest() },
            Self::BadBox => {
                Hooks { sealed: |to, sealed| flip_if(to.get() % 2 == 1, sealed), ..honest() }
            }
            Self::PrepareOtherSums => {
                Hooks { prepare: |prepare| stored(prepare).sums_root = Digest([1; 32]), ..honest() }
            }
            Self::PrepareOtherDeals => {
                Hooks { prepare: |prepare| prepare.view[0] = Digest([1; 32]), ..honest() }
            }
            Self::PreparePossession => Hooks { prepare: other_possession, ..honest() },
            Self::PrepareNotStored => {
                Hooks { prepare: |prepare| stored(prepare).flags = 0, ..honest() }
            }
            Self::CommitPartial => Hooks { commit: other_partial, ..honest() },
            Self::CommitPreregistration => Hooks { item: other_preregistration, ..honest() },
            Self::CommitRegistration => Hooks { item: other_registration, ..honest() },
            Self::CommitCancelling => Hooks { commit: cancelling, ..honest() },
            Self::CommitOtherCertificate => {
                Hooks { commit: |commit| commit.view[0] = Digest([1; 32]), ..honest() }
            }
            Self::FinalOutputs => Hooks { last: |last| last.outputs = Digest([1; 32]), ..honest() },
            Self::FinalOtherCommits => {
                Hooks { last: |last| last.view[0] = Digest([1; 32]), ..honest() }
            }
            _ => honest(),
        };
        let other = match self {
            Self::TwoFacedHello => Hooks { hello: other_hello, ..honest() },
            Self::TwoFacedDeal | Self::PreparesAndComplains => honest(),
            Self::TwoFacedPrepare => Hooks { prepare: other_possession, ..honest() },
            Self::TwoFacedCommit => Hooks { commit: other_partial, ..honest() },
            Self::TwoFacedFinal => Hooks { last: other_outputs, ..honest() },
            Self::SignsTwice => honest(),
            Self::TwoFacedEverywhere => Hooks {
                deal: |deal| deal.salt.iter_mut().for_each(|salt| salt[0] ^= 1),
                prepare: other_possession,
                commit: other_partial,
                last: other_outputs,
                ..honest()
            },
            _ => return vec![one],
        };
        vec![one, other]
    }

    /// Whether it complains, on this face, in the place of R2.
    pub fn complains(self, face: usize) -> bool {
        match self {
            Self::ComplainsFalsely | Self::ComplainsWithOtherKey | Self::ComplainsMalformed => true,
            Self::PreparesAndComplains => face == 1,
            _ => false,
        }
    }

    /// Whether what it shows on its second face is the first once more, signed again.
    pub fn signs_twice(self) -> bool {
        self == Self::SignsTwice
    }

    /// The round of which half of the others get wrong statements instead of the right one.
    pub fn junk_in(self) -> Option<Round> {
        match self {
            Self::JunkCommits => Some(Round::Commit),
            Self::JunkFinals => Some(Round::Final),
            _ => None,
        }
    }

    /// Whether half of the others get no boxes from it unasked.
    pub fn withholds_boxes(self) -> bool {
        matches!(self, Self::WithholdsBoxes | Self::YieldsBoxes)
    }

    /// Whether its polynomials have one constant term.
    pub fn equal_constants(self) -> bool {
        self == Self::DealEqualConstants
    }

    /// Whether it deals after everybody else.
    pub fn deals_late(self) -> bool {
        matches!(
            self,
            Self::DealLate | Self::DealSwitched | Self::DealRogueKey | Self::DealCopiedConstant
        )
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
}

fn spoil_if(wrong: bool, shares: &mut [SecretScalar]) {
    if wrong {
        spoil(shares);
    }
}

fn flip_if(wrong: bool, sealed: &mut [u8]) {
    if wrong && let Some(last) = sealed.last_mut() {
        *last ^= 1;
    }
}

/// With one validator there is nothing to cancel with, so that one is wrong.
#[allow(clippy::ptr_arg)] // the hook's type
fn cancelling_shares(_: Index, shares: &mut Vec<SecretScalar>) {
    shares[0].add_assign(&one());
    let last = shares.len() - 1;
    if last > 0 {
        shares[last].add_assign(&one().scaled(&-Scalar::one()));
    }
}
