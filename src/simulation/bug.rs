//! Planted bugs, to check that each oracle reports the violation that it exists for.

/// A mistake of an honest operator's machine, or of the oracle's knowledge of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Writes are acknowledged and not synced.
    SkipsSync,
    /// The shares are proven from memory.
    SkipsReread,
    /// The shares are never written.
    DropsShares,
    /// The shares are erased with the dealing secrets.
    ErasesShares,
    /// A restart finds no shares.
    LosesShares,
    /// A commit is signed without certificate 1.
    SignsEarly,
    /// Outputs are written when they are staged.
    WritesEarly,
    /// Other outputs are written than were agreed on.
    OtherOutputs,
    /// A share is sent.
    LeaksShare,
    /// Share boxes are not heard.
    Deaf,
    /// The first final of an operator takes its slot, right or wrong.
    FirstFinalTakesSlot,
    /// Two statements of one slot are signed.
    Equivocates,
    /// A share on a disk is changed when all is done.
    SpoilsShare,
    /// Evidence is kept without the statements that prove it.
    LosesEvidence,
    /// A statement of the finished transcript is not the one that was checked.
    SpoilsTranscript,
    /// A share box ends the program.
    Panics,
    /// Answers are dropped, as if too many had been given already.
    DropsAnswers,
    /// The program leaves when its outputs are written, and leaves the others to themselves.
    LeavesEarly,
    /// The program leaves when it has heard of everybody that it has finished, from whomever.
    BelievesHearsay,
    /// An operator that breaks the rules is taken for an honest one.
    Framed,
    /// In a reshare: the machine says that its old keys are stopped, and its person has not.
    StopsAlone,
    /// In a reshare: the machine states less than its person has said.
    StatesLess,
    /// In a reshare: an operator abandons that has signed its final.
    AbandonsAfterFinal,
    /// In a reshare: outputs are written when a person finishes without others, who have not said
    /// the same.
    FinishesAlone,
    /// In a reshare: words with which others were left out are not kept.
    LosesWords,
    /// In a reshare: nothing follows when a person finishes without others.
    DeafToWithout,
    /// In a reshare: of those who are left when seats are lost, witnesses are not counted.
    CountsDealersAlone,
    /// In two reshares of one parent: a note binds to nothing.
    ForgetsNotes,
    /// In a reshare: outputs name another key.
    OtherKey,
    /// In a reshare: a share of the parent is sent.
    LeaksOldShare,
    /// In a repair: a mask is sent.
    LeaksMask,
    /// In a repair: another share is stored than was lost.
    RegainsAnother,
    /// New shares are taken for the parent's.
    MixesGenerations,
    /// In a reshare: the old transcript is not kept.
    LosesParent,
}
