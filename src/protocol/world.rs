//! The data that the stages of a participant work on: statements, boxes and secrets.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::complaint::{Abandon, Complaint};
use crate::message::envelope::{Kind, Round, Statement, view_root};
use crate::message::inbox::{Arrival, Inbox, digests};
use crate::message::minima::Minima;
use crate::message::shape::Shape;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::Digest;
use crate::primitives::secret::{Secret32, wiping_all};
use crate::primitives::x25519::DhSecret;
use crate::spec::threshold::Index;

use super::evidence::{Certainty, Fault, Rule};
use super::hello::Dealing;
use super::judge;
use super::put_back::PutBack;
use super::record::{Record, ReplayError};
use super::seat::OwnSeat;
use super::stage::Stage;
use super::step::Step;

/// Secrets on hand, each taken by the call that spends it. After a restart, those that were already
/// spent are absent.
#[derive(Default)]
pub(super) struct Vault {
    pub(super) seed: Option<Secret32>,
    /// What follows from the seed, kept between the hello and the deal so as not to be computed
    /// twice; gone with the seed.
    pub(super) dealing: Option<Dealing>,
    /// What this operator has committed to, if it did so in this run.
    pub(super) dealt: Option<Commitments>,
    pub(super) one_time_keys: Option<Vec<DhSecret>>,
    pub(super) own_shares: Option<Vec<SecretScalar>>,
    pub(super) shares: Option<Vec<SecretScalar>>,
}

/// Everything a stage may use.
pub(super) struct World {
    pub(super) seat: OwnSeat,
    pub(super) shape: Shape,
    pub(super) inbox: Inbox,
    pub(super) vault: Vault,
    pub(super) received: BTreeMap<Index, Vec<u8>>,
    pub(super) sent: BTreeMap<Index, Vec<u8>>,
    /// Own statements of an earlier run that the replay has not reached yet.
    pub(super) recalled: BTreeMap<Round, Statement>,
    /// What shows that the log was put back to an earlier state.
    pub(super) put_back: PutBack,
    /// Own statements that came before the session was known.
    pub(super) early: Vec<Statement>,
    /// Words without others from this operator's outputs, until their certificate is computed.
    pub(super) words: Vec<Statement>,
}

impl World {
    /// What this operator has signed for the slot of its PREPARE.
    pub(super) fn own_prepare(&self) -> Option<&Statement> {
        let filed = self.inbox.get(Round::Prepare, self.seat.me);
        filed.or_else(|| self.recalled.get(&Round::Prepare))
    }

    /// This operator's shares; none of one that receives none.
    pub(super) fn shares(&self) -> Result<&[SecretScalar], ReplayError> {
        match &self.vault.shares {
            Some(shares) => Ok(shares),
            None if self.shape.parts.receivers.contains(self.seat.me) => {
                Err(ReplayError::Incomplete { missing: "shares" })
            }
            None => Ok(&[]),
        }
    }

    fn in_slot_of_prepare(&self) -> Option<Kind> {
        self.own_prepare().map(|statement| statement.envelope.kind)
    }

    /// Whether this operator has signed that its shares are stored.
    pub(super) fn is_prepared(&self) -> bool {
        self.in_slot_of_prepare() == Some(Kind::Ordinary)
    }

    /// Whether this operator has complained of a share.
    pub(super) fn has_complained(&self) -> bool {
        self.in_slot_of_prepare() == Some(Kind::Complaint)
    }

    /// The verdict on a complaint that is here, if what it is about is here too.
    pub(super) fn verdict(&self, statement: &Statement) -> Option<Box<Fault>> {
        let round = |round, sender: Index, digest: &Digest| {
            self.inbox.all(round, sender).find(|held| held.digest() == *digest)
        };
        let (operator, view) = (statement.envelope.sender, self.inbox.view(statement)?);
        let body = match Complaint::decode(statement.body(), &self.shape, operator) {
            Ok(body) => body,
            Err(error) => {
                let rule = Rule::Malformed { operator, round: Round::Prepare, error };
                return Some(Fault::new(rule, [statement]));
            }
        };
        let deal = self.shape.named(&view, Round::Deal, body.dealer)?;
        let deal = round(Round::Deal, body.dealer, deal)?;
        let hellos = self.inbox.view(deal)?;
        let hello = self.shape.named(&hellos, Round::Hello, operator)?;
        let hello = round(Round::Hello, operator, hello)?;
        let dealers = self.shape.named(&hellos, Round::Hello, body.dealer)?;
        let dealers = round(Round::Hello, body.dealer, dealers)?;
        judge::complaint(&self.seat.ceremony, [hello, dealers], deal, statement)
    }

    /// A fault that the statements here prove to anybody.
    pub(super) fn proven_fault(&self) -> Option<Box<Fault>> {
        self.proven_faults(&BTreeSet::new()).next()
    }

    /// The faults that the statements here prove to anybody: equivocations, what complaints show
    /// but those `judged` already, and abandonments that are none.
    pub(super) fn proven_faults(
        &self,
        judged: &BTreeSet<Digest>,
    ) -> impl Iterator<Item = Box<Fault>> {
        let equivocations = self.inbox.conflicts().map(|conflict| {
            let envelope = &conflict.first.envelope;
            let rule = Rule::Equivocation { operator: envelope.sender, round: envelope.round };
            Fault::new(rule, [conflict.first, conflict.second])
        });
        let complaint = |statement: &&Statement| statement.envelope.kind == Kind::Complaint;
        let complaints = self.inbox.everything().filter(complaint);
        let complaints = complaints.filter(|statement| !judged.contains(&statement.digest()));
        let shown = complaints.filter_map(|statement| self.verdict(statement));
        let malformed = self.inbox.abandoned().filter_map(|statement| {
            let error = Abandon::fault(statement, &self.shape)?;
            let (operator, round) = (statement.envelope.sender, statement.envelope.round);
            Some(Fault::new(Rule::Abandonment { operator, round, error }, [statement]))
        });
        let minima = self.inbox.malformed_minima().filter_map(|statement| {
            let error = Minima::fault(statement, &self.shape)?;
            let (operator, round) = (statement.envelope.sender, statement.envelope.round);
            Some(Fault::new(Rule::Malformed { operator, round, error }, [statement]))
        });
        equivocations.chain(shown).chain(malformed).chain(minima)
    }

    /// A fault with everything that a stranger needs to see it too.
    pub(super) fn prove(&self, fault: Box<Fault>) -> Box<Fault> {
        match fault.rule.certainty() {
            Certainty::Proven => {
                let held: Vec<Statement> = self.inbox.everything().cloned().collect();
                judge::prove(&self.seat.ceremony, &held, *fault)
            }
            Certainty::Suspected | Certainty::Nobody => fault,
        }
    }

    /// Whether this operator's statement of `round` is made: it is in the inbox, or the log of an
    /// earlier run has it.
    pub(super) fn recall(&mut self, round: Round) -> bool {
        if let Some(statement) = self.recalled.remove(&round) {
            // A log that holds a statement of another session holds another ceremony's; it was
            // opened, so this cannot happen by chance.
            let arrival = self.inbox.accept(statement.bytes());
            debug_assert!(arrival.is_ok(), "our own statement is of our own session");
        }
        self.inbox.all(round, self.seat.me).next().is_some()
    }

    /// Makes this operator's statement of `round`, if it owes one and has not made it before: an
    /// operator signs one statement for each slot, ever.
    pub(super) fn own(
        &mut self,
        round: Round,
        step: &mut Step,
        make: impl FnOnce(&mut Self) -> Made,
    ) -> Result<(), ReplayError> {
        if self.recall(round) || !self.shape.speaks(self.seat.me, round) {
            return Ok(());
        }
        if self.put_back.is_known() {
            return Err(ReplayError::PutBack);
        }
        let (records, statement) = wiping_all(|| make(self))?;
        step.persist.extend(records);
        step.persist.push(Record::statement(&statement));
        let accepted = self.inbox.accept(statement.bytes());
        debug_assert!(
            matches!(accepted, Ok((Arrival::New, _))),
            "our own statement is well-formed and new"
        );
        step.send.push(statement);
        Ok(())
    }
}

/// A statement just signed, with the records it depends on; or a damaged log.
pub(super) type Made = Result<(Vec<Record>, Statement), ReplayError>;

/// How a stage is left: by the next stage, or not yet.
pub(super) enum Advance {
    Stay(Stage),
    Next(Stage),
    /// Not yet, and as it stands not ever; but this operator has prepared, and a certificate may
    /// still come.
    Stall(Stage, Box<Fault>),
}

impl Advance {
    /// Not yet; with what stands in the way, if that is known.
    pub(super) fn wait(stage: Stage, fault: Option<Box<Fault>>) -> Self {
        match fault {
            None => Self::Stay(stage),
            Some(fault) => Self::Stall(stage, fault),
        }
    }
}

/// Complete sets of statements that are no certificate, so that none is checked twice.
#[derive(Default)]
pub(super) struct Failed {
    sets: BTreeSet<Digest>,
    first: Option<Box<Fault>>,
}

impl Failed {
    fn name(statements: &[Statement]) -> Digest {
        view_root(&digests(statements))
    }

    pub(super) fn untried(&self, candidates: Vec<Vec<Statement>>) -> Vec<Vec<Statement>> {
        candidates
            .into_iter()
            .filter(|statements| !self.sets.contains(&Self::name(statements)))
            .collect()
    }

    pub(super) fn note(&mut self, statements: &[Statement], fault: Box<Fault>) {
        self.sets.insert(Self::name(statements));
        self.first.get_or_insert(fault);
    }

    /// Why the first of them is none.
    pub(super) fn first(&self) -> Option<Box<Fault>> {
        self.first.clone()
    }
}

/// Why a stage cannot go on.
pub(super) enum Stop {
    Fault(Box<Fault>),
    Storage(ReplayError),
}

impl From<Box<Fault>> for Stop {
    fn from(fault: Box<Fault>) -> Self {
        Self::Fault(fault)
    }
}

impl From<ReplayError> for Stop {
    fn from(error: ReplayError) -> Self {
        Self::Storage(error)
    }
}
