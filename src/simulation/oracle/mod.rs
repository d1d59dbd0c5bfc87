//! The properties that must hold after every step, checked with a view of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::message::complaint::{Complaint, Shown};
use crate::message::envelope::{ENVELOPE_BYTES, Kind, Round, Statement};
use crate::message::minima::Minima;
use crate::message::shape::Shape;
use crate::message::sync::Frame;
use crate::primitives::hash::Digest;
use crate::protocol::participant::{OwnSeat, Participant};
use crate::protocol::record::Record;
use crate::spec::threshold::Index;

use super::canary::Canaries;
use super::cast::Cast;
use super::certificate::{self, Certificate};
use super::disk::Outputs;
use super::home::Home;

mod blame;
mod bound;
mod generation;
mod repair;

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oracle {
    /// I1: a partial signature of an honest operator exists only if certificate 1 does.
    Release,
    /// I2: an honest operator has prepared only with its shares on its disk and read back; and what
    /// it says is on its disk.
    Durability,
    /// I3: prepared shares never leave the disk.
    Retention,
    /// I4: outputs are written only with certificate 2, or with what stands for it without seats
    /// that are lost.
    Writing,
    /// All honest outcomes are the same.
    Agreement,
    /// No honest operator signs two statements for one slot.
    Equivocation,
    /// No honest operator is blamed.
    Blame,
    /// Evidence convinces a stranger.
    Evidence,
    /// Certificate 1 means that any `t` shares sign.
    Certificate,
    /// No secret leaves a machine.
    Secrecy,
    /// Once faults stop, everybody gets to an end.
    Liveness,
    /// Nobody leaves while somebody honest needs it.
    Parting,
    /// A log replays after any crash.
    Resumption,
    /// A stranger's audit accepts what was written.
    Audit,
    /// Nothing panics.
    Panic,
    /// In a reshare or an import: no operator says that it has stopped before its person has, and
    /// nobody writes outputs before all dealers have.
    Stop,
    /// In a reshare or an import: what a dealer has stated counts for everybody.
    Minima,
    /// Of keys that exist: validators keep them, and a share that was lost comes back as it was.
    Keys,
    /// In a reshare: shares of two generations sign nothing together; in an import no share is the
    /// key.
    Mix,
    /// In a reshare or an import: a final binds, and when anybody finishes too few are left that
    /// sign with what was there before.
    Bound,
    /// Of two reshares of one parent: both are completed only by as many operators that break rules
    /// as it takes, and an audit sees it.
    Fork,
}

impl Oracle {
    /// Every oracle.
    pub const ALL: [Self; 21] = [
        Self::Release,
        Self::Durability,
        Self::Retention,
        Self::Writing,
        Self::Agreement,
        Self::Equivocation,
        Self::Blame,
        Self::Evidence,
        Self::Certificate,
        Self::Secrecy,
        Self::Liveness,
        Self::Parting,
        Self::Resumption,
        Self::Audit,
        Self::Panic,
        Self::Stop,
        Self::Minima,
        Self::Keys,
        Self::Mix,
        Self::Bound,
        Self::Fork,
    ];
}

/// A rule that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Whose rule.
    pub oracle: Oracle,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.oracle, self.what)
    }
}

/// The onlooker.
pub struct Watch {
    /// The ceremony and its operators.
    pub cast: &'static Cast,
    /// Its sizes.
    pub shape: Shape,
    /// Operators that are not held to the rules: they break them, or their disk was put back to an
    /// earlier state.
    pub faulty: BTreeSet<Index>,
    /// Those among them whose disk still held their hello, in a ceremony of honest operators: they
    /// repeat themselves, and say nothing else.
    pub repeating: BTreeSet<Index>,
    /// Those that say other things than their machines do.
    pub masked: BTreeSet<Index>,
    /// What the people of dealers have said, in order.
    pub words: BTreeMap<Index, Vec<Minima>>,
    /// Every statement that anybody signed, by digest; also those that were lost before anybody
    /// else could know them.
    statements: BTreeMap<Digest, Statement>,
    /// Those that have left the machine of their author.
    public: BTreeSet<Digest>,
    /// What did not hold.
    pub violations: Vec<Violation>,
    /// Certificate 1, by its view root: what it certifies, or why it is none.
    certificates: BTreeMap<Digest, Result<Arc<Certificate>, String>>,
    spoken: BTreeMap<(u8, Index), Arc<[u8]>>,
    prepared: BTreeMap<Index, Arc<[u8]>>,
    /// Evidence that was judged.
    proven: Vec<Vec<Statement>>,
    outputs: Option<Outputs>,
    canaries: Canaries,
    /// A mask that a planted mistake sends.
    pub leaked: Option<[u8; 32]>,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(cast: &'static Cast) -> Self {
        Self {
            cast,
            shape: Shape::of(&cast.ceremony),
            faulty: BTreeSet::new(),
            repeating: BTreeSet::new(),
            masked: BTreeSet::new(),
            words: BTreeMap::new(),
            statements: BTreeMap::new(),
            public: BTreeSet::new(),
            violations: Vec::new(),
            certificates: BTreeMap::new(),
            spoken: BTreeMap::new(),
            prepared: BTreeMap::new(),
            proven: Vec::new(),
            outputs: None,
            canaries: Canaries::default(),
            leaked: None,
        }
    }

    /// Notes that a rule did not hold.
    pub fn violation(&mut self, oracle: Oracle, what: String) {
        self.violations.push(Violation { oracle, what });
    }

    /// Certificates seen.
    pub fn certificates(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.certificates.values().flatten()
    }

    /// Every statement that anybody signed.
    pub fn signed(&self) -> impl Iterator<Item = &Statement> {
        self.statements.values()
    }

    /// What honest operators wrote, if any did.
    pub fn outputs(&self) -> Option<&Outputs> {
        self.outputs.as_ref()
    }

    fn is_faulty(&self, who: Index) -> bool {
        self.faulty.contains(&who)
    }

    /// Records that an honest operator is about to write.
    pub fn records(&mut self, seat: &OwnSeat, records: &[Record]) {
        if self.masked.contains(&seat.me) {
            return;
        }
        records.iter().for_each(|record| self.canaries.watch(seat, record));
        self.regains(seat, records);
    }

    /// A statement that somebody else has made and may say to anybody.
    pub fn hears_of(&mut self, statement: Statement) {
        self.public.insert(statement.digest());
        self.statements.insert(statement.digest(), statement);
    }

    /// A statement that an honest operator has made.
    pub fn signs(&mut self, home: &Home, statement: &Statement) {
        let me = home.seat.me;
        let round = statement.envelope.round;
        self.statements.insert(statement.digest(), statement.clone());
        // The one secret that may be said, also by an operator that was set back.
        if statement.envelope.kind == Kind::Complaint
            && let Ok(complaint) = Complaint::decode(statement.body(), &self.shape, me)
        {
            match complaint.shown {
                Shown::Box { opened, .. } | Shown::Key { opened, .. } => {
                    self.canaries.forget(&opened)
                }
                Shown::Share(shown) => self.canaries.forget(&shown.share),
            }
        }
        if (statement.envelope.kind, round) == (Kind::Ordinary, Round::Deal)
            && !self.masked.contains(&me)
        {
            self.masks(home, statement);
        }
        if self.is_faulty(me) {
            return;
        }
        match (statement.envelope.kind, round) {
            (Kind::Ordinary, Round::Prepare) if !home.receives() => (),
            (Kind::Ordinary, Round::Prepare) => {
                let on_disk = home.holds_shares();
                if on_disk.is_none() || on_disk != home.reread() {
                    self.violation(
                        Oracle::Durability,
                        format!("operator {me} prepared without reading its shares back"),
                    );
                }
            }
            (Kind::Ordinary, Round::Commit) => {
                if let Err(why) = self.certificate(statement) {
                    self.violation(
                        Oracle::Release,
                        format!("operator {me} released partial signatures: {why}"),
                    );
                }
                self.has_stopped(home);
            }
            (Kind::Complaint | Kind::Abandon, _)
            | (Kind::Minima | Kind::Without, _)
            | (_, Round::Hello | Round::Deal | Round::Final) => (),
        }
    }

    /// Certificate 1 as the commit names it.
    fn certificate(&mut self, commit: &Statement) -> Result<Arc<Certificate>, String> {
        let key = commit.envelope.view_root;
        if let Some(known) = self.certificates.get(&key) {
            return known.clone();
        }
        let found = certificate::find(&self.cast.ceremony, &self.statements, commit).map(Arc::new);
        self.certificates.insert(key, found.clone());
        if self.certificates().count() > 1 {
            self.violation(
                Oracle::Agreement,
                "two sets of prepares are both certificates".to_owned(),
            );
        }
        found
    }

    /// An operator says that its log was put back to an earlier state.
    pub fn put_back(&mut self, home: &Home) {
        let me = home.seat.me;
        if !self.is_faulty(me) {
            let what = format!("operator {me} says that its log was put back, and it was not");
            self.violation(Oracle::Resumption, what);
        }
    }

    /// What is on an honest operator's disk after a write or an erasure; whether it has prepared.
    pub fn disk(&mut self, home: &Home, prepared: bool) {
        let me = home.seat.me;
        if self.is_faulty(me) {
            return;
        }
        match (self.prepared.get(&me), home.holds_shares()) {
            (Some(before), now) if now != Some(before) => {
                self.violation(
                    Oracle::Retention,
                    format!("the prepared shares of operator {me} are gone"),
                );
            }
            (None, None) if prepared && home.receives() => {
                self.violation(
                    Oracle::Retention,
                    format!("operator {me} has prepared, and its shares are gone"),
                );
            }
            (None, Some(now)) if prepared => {
                self.prepared.insert(me, now.clone());
            }
            _ => (),
        }
    }

    /// Bytes that leave an honest operator's machine.
    pub fn leaves(&mut self, home: &Home, frame: &Frame, bytes: &[u8]) {
        let me = home.seat.me;
        if self.masked.contains(&me) {
            return;
        }
        if self.canaries.sing(bytes) {
            self.violation(Oracle::Secrecy, format!("operator {me} sent a secret"));
        }
        let Frame::Statement(statement) = frame else { return };
        let (Some(slot), Some(sender)) = (slot(statement), sender(statement)) else { return };
        if sender != me {
            return;
        }
        if let Ok(opened) = Statement::open(statement, &self.cast.ceremony) {
            self.hears_of(opened);
        }
        if self.is_faulty(me) && !self.repeating.contains(&me) {
            return;
        }
        // In no slot; there may be several.
        if [Kind::Minima as u8, Kind::Without as u8].contains(&statement[6]) {
            if !self.is_faulty(me) && !home.has_noted(statement) {
                let what = format!("operator {me} said what is not on its disk, in no slot");
                self.violation(Oracle::Durability, what);
            }
            return;
        }
        match self.spoken.get(&(slot, me)) {
            Some(first) if **first == **statement => return,
            Some(_) => self.violation(
                Oracle::Equivocation,
                format!("operator {me} signed two statements for round {slot}"),
            ),
            None => {
                self.spoken.insert((slot, me), statement.as_slice().into());
            }
        }
        if self.is_faulty(me) {
            return;
        }
        if !home.has_noted(statement) {
            self.violation(
                Oracle::Durability,
                format!("operator {me} said what is not on its disk, round {slot}"),
            );
        }
        let ordinary = statement[6] == Kind::Ordinary as u8;
        if slot == Round::Commit.number() && ordinary {
            self.commit_leaves(home);
        }
        let shares = home.holds_shares().is_some() || !home.receives();
        if slot == Round::Prepare.number() && ordinary && !shares {
            self.violation(
                Oracle::Durability,
                format!("operator {me} said that it has shares, and has none"),
            );
        }
    }

    /// Outputs that an honest operator is about to write.
    pub fn writes(&mut self, seat: &OwnSeat, participant: &Participant, outputs: &Outputs) {
        let me = seat.me;
        if self.masked.contains(&me) {
            return;
        }
        self.writes_of_a_reshare(me, participant, outputs);
        self.nobody_signs_with_old_shares(me, participant);
        if let Err(why) = bound::completes(participant, outputs, self) {
            self.violation(Oracle::Writing, format!("operator {me} writes: {why}"));
        }
        match &self.outputs {
            Some(others) if others != outputs => {
                self.violation(
                    Oracle::Agreement,
                    format!("operator {me} writes other outputs than another did"),
                );
            }
            Some(_) => (),
            None => self.outputs = Some(outputs.clone()),
        }
    }

    /// An outcome that an honest operator has come to, written or not.
    pub fn outcome(&mut self, me: Index, participant: &Participant) {
        let Some(outcome) = participant.outcome().filter(|_| !self.masked.contains(&me)) else {
            return;
        };
        let differs = self.outputs.as_ref().is_some_and(|known| {
            (known.digest, known.outputs, &known.validators)
                != (outcome.digest, outcome.outputs, &outcome.validators)
        });
        if differs {
            self.violation(Oracle::Agreement, format!("operator {me} comes to another outcome"));
        }
    }
}

/// The slot that bytes claim: a round, which a complaint shares, or the one place of an
/// abandonment.
fn slot(statement: &[u8]) -> Option<u8> {
    let abandon = Kind::Abandon as u8;
    (statement.len() >= ENVELOPE_BYTES)
        .then(|| if statement[6] == abandon { u8::MAX } else { statement[7] })
}

/// The sender that bytes claim.
fn sender(statement: &[u8]) -> Option<Index> {
    let number = statement.get(8..10)?;
    Index::new(u16::from_be_bytes([number[0], number[1]]))
}
