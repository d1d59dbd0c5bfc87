//! Who takes part, the rules of honest operators, each of which can be broken, and limits on what
//! is said and done. A key generation is a cast without a parent.

use crate::statement::{COMMIT, DEAL, FINAL, PREPARE, SEATS, Seats, among, contains};

/// What a reshare deals again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent {
    /// Its operators, with or without a seat.
    pub(crate) holders: usize,
    pub(crate) threshold: usize,
}

/// Who deals and who receives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cast {
    /// Seats, at most [`SEATS`].
    pub(crate) n: usize,
    pub(crate) dealers: Seats,
    pub(crate) receivers: Seats,
    /// `None` in a key generation: there are no old shares.
    pub(crate) parent: Option<Parent>,
    /// Receivers that sign together.
    pub(crate) threshold: usize,
}

/// Three operators make new keys.
pub(crate) const KEY_GENERATION: Cast =
    Cast { n: 3, dealers: 0b111, receivers: 0b111, parent: None, threshold: 2 };
/// Three operators deal to themselves what they hold.
pub(crate) const REFRESH: Cast =
    Cast { parent: Some(Parent { holders: 3, threshold: 2 }), ..KEY_GENERATION };
/// Two of the parent's three deal to themselves and to a third.
pub(crate) const REPLACE: Cast = Cast { dealers: 0b011, ..REFRESH };
/// Two of the parent's three deal to one of them and to two others.
pub(crate) const HAND_OVER: Cast = Cast { n: 4, dealers: 0b0011, receivers: 0b1110, ..REFRESH };

impl Cast {
    pub(crate) fn seats(&self) -> core::ops::Range<usize> {
        0..self.n
    }

    pub(crate) fn deals(&self, seat: usize) -> bool {
        contains(self.dealers, seat)
    }

    pub(crate) fn receives(&self, seat: usize) -> bool {
        contains(self.receivers, seat)
    }

    /// Whether this operator has old shares, which its person stops before it commits.
    pub(crate) fn stops(&self, seat: usize) -> bool {
        self.parent.is_some() && self.deals(seat)
    }

    /// Who only receives.
    pub(crate) fn pure(&self) -> Seats {
        self.receivers & !self.dealers
    }

    /// `Shape::speaks`.
    pub(crate) fn speaks(&self, seat: usize, round: usize) -> bool {
        seat < self.n && (round != DEAL || self.deals(seat))
    }

    /// `Shape::speakers`.
    pub(crate) fn speakers(&self, round: usize) -> impl Iterator<Item = usize> + use<> {
        let this = *self;
        (0..SEATS).filter(move |seat| this.speaks(*seat, round))
    }

    /// `Shape::dealers_to`.
    pub(crate) fn dealers_to(&self, seat: usize) -> Seats {
        if self.receives(seat) { self.dealers & !(1 << seat) } else { 0 }
    }

    /// `without::enough`. A key generation needs everybody.
    pub(crate) fn enough(&self, lost: Seats) -> bool {
        let agree = |parent: Parent| 2 * among(self.dealers & !lost) > parent.holders;
        self.parent.is_some_and(agree) && among(self.receivers & !lost) >= self.threshold
    }
}

/// A rule broken on purpose. The program keeps all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A statement leaves before it is on the disk.
    SendBeforePersist,
    /// After a restart the commit is signed again.
    SignAgain,
    /// PREPARE is sent though the shares were not written.
    PrepareWithoutShares,
    /// Who has prepared stops at proof of a fault, as if it had not.
    StopAfterPrepare,
    /// The same, and it deletes its shares.
    DeleteAfterPrepare,
    /// Only the first statement of a slot counts, whatever a certificate says.
    FirstCounts,
    /// No third statement of a slot is kept, not even one that is needed.
    FirstTwoOnly,
    /// What was dropped is not offered again.
    OfferOnce,
    /// COMMIT with all prepares but one.
    CommitEarly,
    /// The views of prepares are not compared.
    ViewsUnchecked,
    /// Outputs are written with one's own FINAL alone.
    WriteEarly,
    /// A view that differs is taken for proof against its signer.
    ViewIsProof,
    /// The first FINAL of an operator takes its slot, right or wrong.
    FirstFinalTakesSlot,
    /// A digest covers the signature, so that a second signature on one content is another
    /// statement.
    NamesSignatures,
    /// A COMMIT has several valid contents, like one that holds encrypted shares.
    FreeCommit,

    // Of reshares.
    /// A dealer commits although nobody has stopped it.
    CommitUnstopped,
    /// A dealer does not wait for those that only receive.
    ReceiversLast,
    /// The statement of minima is on the disk after the commit, in another step.
    MinimaLate,
    /// Commits count without the minima of their dealers.
    MinimaUnawaited,
    /// A dealer says again what its keys have signed, and less.
    MinimaLowered,
    /// Two statements of minima are taken for two statements of one slot.
    MinimaInSlot,
    /// The minima of others are not passed on.
    MinimaNotPassedOn,
    /// Without is finished by one's own word alone.
    OneWordIsEnough,
    /// Without is finished, however few are left.
    FewAreEnough,
    /// A word is not on the disk.
    WordNotStored,
    /// Who has signed its FINAL abandons.
    AbandonAfterFinal,
    /// An abandonment is forgotten by the next start.
    AbandonmentForgotten,
    /// Another reshare of the same shares is begun without a look at the note of this one.
    TwoChildren,
    /// The note of this reshare is written after its FINAL.
    NoteLate,
}

/// What is explored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) cast: Cast,
    /// The seat of the byzantine operator.
    pub(crate) byzantine: usize,
    /// It begins where everybody holds certificate 1, and has said nothing since.
    pub(crate) certified: bool,
    /// Signatures that it makes on one content of PREPARE and of COMMIT, and valid contents of
    /// FINAL.
    pub(crate) variants: [u8; 3],
    /// Hellos that it signs.
    pub(crate) hellos: u8,
    /// Good deals that it signs for a session.
    pub(crate) deals: u8,
    /// It deals bad boxes and wrong deals.
    pub(crate) bad_deals: bool,
    /// It complains.
    pub(crate) complaints: bool,
    /// Wrong statements that it signs for each of the slots of PREPARE, COMMIT and FINAL.
    pub(crate) wrong: [u8; 3],
    /// Statements of minima that it signs.
    pub(crate) minima: u8,
    /// One of them does not decode.
    pub(crate) bad_minima: bool,
    /// It says whom it does without.
    pub(crate) words: bool,
    /// People of honest operators say a second time what their keys have signed.
    pub(crate) raises: bool,
    /// People of honest operators abandon after their COMMIT.
    pub(crate) abandons: bool,
    /// People of honest operators finish without others, whoever these are.
    pub(crate) without: bool,
    /// People of honest operators begin another reshare of the same shares.
    pub(crate) others: bool,
    /// Boxes of honest dealers travel apart from their deals.
    pub(crate) boxes_apart: bool,
    /// Commits and then minima arrive by seat, and finals when the own one is signed: nobody looks
    /// at some of them before all are here, but for those that a dealer waits for, which come
    /// first.
    pub(crate) in_order: bool,
    /// States of the first honest operator that differ in the order of its log alone are different,
    /// and what arrives too early or too late to matter arrives too: whether a restart changes
    /// anything may depend on that order.
    pub(crate) ordered: bool,
    /// Power fails between any two operations of a disk or the network.
    pub(crate) crashes: bool,
    /// The rule that is broken.
    pub(crate) bug: Option<Bug>,
}

/// The byzantine operator could be honest, but for its silence; people stop when they are asked to.
pub(crate) const QUIET: Scope = Scope {
    cast: KEY_GENERATION,
    byzantine: 2,
    certified: false,
    variants: [1, 1, 1],
    hellos: 1,
    deals: 1,
    bad_deals: false,
    complaints: false,
    wrong: [0, 0, 0],
    minima: 1,
    bad_minima: false,
    words: false,
    raises: false,
    abandons: false,
    without: false,
    others: false,
    boxes_apart: false,
    in_order: false,
    ordered: false,
    crashes: true,
    bug: None,
};

impl Scope {
    pub(crate) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Different sound statements over one view that the byzantine operator can sign for a slot of
    /// `round`. Of PREPARE and COMMIT there is one content, which its digest names: a second
    /// signature is the same statement.
    pub(crate) fn sound(&self, round: usize) -> u8 {
        let free = round == FINAL || (round == COMMIT && self.has(Bug::FreeCommit));
        match free || self.has(Bug::NamesSignatures) {
            true => self.variants[round - PREPARE],
            false => self.variants[round - PREPARE].min(1),
        }
    }

    /// The two honest seats that differ in nothing but their names, if there are such.
    pub(crate) fn alike(&self) -> Option<[usize; 2]> {
        let cast = &self.cast;
        let parts = |seat: usize| (cast.deals(seat), cast.receives(seat));
        // Certificates are looked for by seat: nobody else may stand between them.
        let next = |seat: &usize| {
            let two = [*seat, seat + 1];
            seat + 1 < cast.n && !two.contains(&self.byzantine) && parts(*seat) == parts(seat + 1)
        };
        let seat = cast.seats().find(next).filter(|_| !self.ordered)?;
        Some([seat, seat + 1])
    }

    /// Whether this round's COMMIT of `seat` comes before those of dealers.
    pub(crate) fn comes_first(&self, seat: usize, round: usize) -> bool {
        round == COMMIT && contains(self.cast.pure(), seat)
    }
}
