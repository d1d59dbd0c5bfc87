//! The rules of honest operators, each of which can be broken, and limits on what the byzantine
//! operator may say.

use crate::statement::{COMMIT, FINAL, PREPARE};

/// A rule broken on purpose. The program keeps all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A statement leaves before it is on the disk.
    SendBeforePersist,
    /// PREPARE is sent though the shares were not written.
    PrepareWithoutShares,
    /// Who has prepared stops at proof of a fault, as if it had not.
    StopAfterPrepare,
    /// The same, and it deletes its shares.
    DeleteAfterPrepare,
    /// Only the first statement of a slot counts, whatever a certificate says.
    FirstCounts,
    /// No third statement of a slot is kept, not even one that a held commit names.
    FirstTwoOnly,
    /// What was dropped is not offered again.
    OfferOnce,
    /// COMMIT with all prepares but one.
    CommitEarly,
    /// The views of prepares are not compared.
    ViewsUnchecked,
    /// Outputs are written with one's own FINAL alone.
    WriteEarly,
    /// After a restart the commit is signed again.
    SignAgain,
    /// A view that differs is taken for proof against its signer.
    ViewIsProof,
    /// The first FINAL of an operator takes its slot, right or wrong.
    FirstFinalTakesSlot,
    /// A digest covers the signature, so that a second signature on one content is another
    /// statement.
    NamesSignatures,
    /// A COMMIT has several valid contents, like one that holds encrypted shares.
    FreeCommit,
}

/// What is explored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    /// The seat of the byzantine operator: 0, 1 or 2. It matters for the order in which
    /// certificates are looked for.
    pub(crate) byzantine: usize,
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
    /// Boxes of honest dealers travel apart from their deals.
    pub(crate) boxes_apart: bool,
    /// States of the first honest operator that differ in the order of its log alone are different,
    /// and what arrives too late to matter arrives too: whether a restart changes anything may
    /// depend on that order.
    pub(crate) ordered: bool,
    /// Power fails between any two operations of a disk or the network.
    pub(crate) crashes: bool,
    /// The rule that is broken.
    pub(crate) bug: Option<Bug>,
}

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
}
