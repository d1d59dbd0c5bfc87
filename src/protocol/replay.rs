//! Starts or resumes a participant from the records in its log.

use crate::message::envelope::{Kind, Round};
use crate::primitives::secret::wiping;

use super::participant::Participant;
use super::put_back::{Beside, PutBack};
use super::record::{Record, RecordKind, ReplayError};
use super::seat::OwnSeat;
use super::ssv;
use super::step::{Entropy, Refused, Step};

impl Participant {
    /// Starts from what the log holds: resumes if it holds a statement, begins if this operator has
    /// said nothing yet (records of a beginning that was cut short are then superseded: the last of
    /// a kind counts).
    pub fn start(
        seat: OwnSeat,
        records: Vec<Record>,
        entropy: impl FnOnce() -> Entropy,
    ) -> Result<(Self, Step), ReplayError> {
        Self::start_beside(seat, records, Beside::default(), entropy)
    }

    /// As [`Participant::start`], compared with what the operator's store holds beside the log. If
    /// they show that the log was put back ([`Participant::put_back`]), nothing is begun or
    /// replayed, and the step is empty.
    pub fn start_beside(
        seat: OwnSeat,
        records: Vec<Record>,
        beside: Beside,
        entropy: impl FnOnce() -> Entropy,
    ) -> Result<(Self, Step), ReplayError> {
        if seat.ceremony.reshare().is_some() && seat.ceremony.parent_shares().is_none() {
            return Err(ReplayError::NoParent);
        }
        if let Some(put_back) = PutBack::of(&seat, &records, &beside)? {
            let mut participant = Self::new(seat);
            participant.world.put_back = put_back;
            return Ok((participant, Step::default()));
        }
        match records.iter().any(|record| record.kind == RecordKind::Statement) {
            true => Self::resume(seat, records, beside),
            false => {
                let version = seat.ceremony.version();
                if !version.is_current() {
                    return Err(ReplayError::Version(version));
                }
                if !seat.is_of_this_install() {
                    return Err(ReplayError::OtherInstall);
                }
                // An operator that could not sign in the end does not begin.
                ssv::own_key(&seat)?;
                Self::begin(seat, entropy())
            }
        }
    }

    /// Starts from nothing: consents to the ceremony and says hello. Spends the entropy.
    fn begin(seat: OwnSeat, entropy: Entropy) -> Result<(Self, Step), ReplayError> {
        let mut participant = Self::new(seat);
        let mut step = Step::default();
        super::hello::say_hello(&mut participant.world, entropy, &mut step)?;
        Ok((participant, step))
    }

    /// Replays the log. The step re-asks whatever was interrupted, and erases whatever should be
    /// gone by now.
    /// What stands beside it and is not in it comes last, as if a peer had shown it.
    fn resume(
        seat: OwnSeat,
        records: Vec<Record>,
        beside: Beside,
    ) -> Result<(Self, Step), ReplayError> {
        let mut participant = Self::new(seat);
        let shape = participant.world.shape;
        let mut statements = Vec::new();
        let world = &mut participant.world;
        for record in records {
            match record.kind {
                RecordKind::Seed => world.vault.seed = Some(wiping(|| record.to_seed())?),
                RecordKind::OneTimeKeys => {
                    let count = shape.keyed_for(world.seat.me).len();
                    world.vault.one_time_keys = Some(wiping(|| record.to_one_time_keys(count))?)
                }
                RecordKind::OwnShares => {
                    world.vault.own_shares = Some(wiping(|| record.to_shares(shape.v))?)
                }
                RecordKind::Shares => {
                    world.vault.shares = Some(wiping(|| record.to_shares(shape.v))?)
                }
                RecordKind::Statement => {
                    let bytes = record.body.expose().to_vec();
                    let statement = record.to_statement(&world.seat)?;
                    let own = statement.envelope.sender == world.seat.me;
                    if own && statement.envelope.kind == Kind::Abandon {
                        return Err(ReplayError::Abandoned);
                    }
                    match own {
                        // The first is ours; a second one for the slot would be evidence against
                        // us, and is replayed as such.
                        true if !matches!(
                            statement.envelope.kind,
                            Kind::Minima | Kind::Without
                        ) && !world.recalled.contains_key(&statement.envelope.round) =>
                        {
                            world.recalled.insert(statement.envelope.round, statement);
                        }
                        _ => statements.push(bytes),
                    }
                }
                RecordKind::ReceivedBox => {
                    let (dealer, sealed) = record.to_sealed_box()?;
                    world.received.insert(dealer, sealed);
                }
                RecordKind::Confirmed => {
                    let (peer, _) = record.to_sealed_box()?;
                    participant.confirmed.insert(peer);
                }
                RecordKind::Done => {
                    let done = record.to_done(&world.seat)?;
                    participant.confirmed.insert(done.operator);
                    participant.dones.insert(done.operator, done);
                }
                // Of what comes after the ceremony.
                RecordKind::Signed => {}
                RecordKind::SentBox => {
                    let (recipient, sealed) = record.to_sealed_box()?;
                    world.sent.insert(recipient, sealed);
                }
            }
        }
        if !world.recall(Round::Hello) {
            return Err(ReplayError::Incomplete { missing: "hello" });
        }
        let mut step = Step::default();
        for statement in beside.elsewhere.iter().chain(&beside.outputs) {
            step.persist.extend(participant.world.adopt(statement));
        }
        // Statements enter again in the order in which they were believed, so the session is known
        // where it was known then.
        for bytes in &statements {
            participant.advance(&mut step)?;
            // And also where it was known although the hellos do not hold: while a peer was waited
            // for to show own statements.
            participant.world.know_session();
            let accepted = participant.world.inbox.accept_logged(bytes);
            accepted.map_err(|_| ReplayError::Record { kind: RecordKind::Statement })?;
        }
        participant.advance(&mut step)?;
        if participant.is_prepared() {
            for statement in &beside.outputs {
                if statement.envelope.kind == Kind::Without {
                    participant.world.words.push(statement.clone());
                    continue;
                }
                // From one of another session, say, nothing follows.
                let taken = participant.take_into(statement.bytes(), &mut step);
                if let Err(Refused::Storage(error)) = taken {
                    return Err(error);
                }
            }
        }
        Ok((participant, step))
    }
}
