//! A participant: a function of the ceremony, the operator's keys, fresh entropy and the statements received. It opens no file and no
//! socket: every call returns what to write, what to erase, what to send and what to do.
//!
//! The driver's duty, in this order for each [`Step`]: write and sync `persist`; erase `erase`; send `send`; answer `asks`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::identity::operator::Operator;
use crate::message::envelope::{Reject, Round, Statement};
use crate::message::inbox::{Arrival, Inbox};
use crate::message::shape::Shape;
use crate::message::share_box;
use crate::message::sync::{Frame, Have};
use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::Digest;
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::commit::AwaitCommits;
use super::deal::AwaitDeals;
use super::evidence::{Fault, Rule};
use super::finalize::{AwaitFinals, AwaitStaging, Finished};
use super::hello::AwaitHellos;
use super::outcome::Outcome;
use super::prepare::{AwaitPrepares, AwaitReread};
use super::record::{Record, RecordKind, ReplayError};
use super::world::{Advance, Stop, Vault, World, position_without};

/// Who this participant is, and in what.
#[derive(Clone)]
pub struct OwnSeat {
    /// The ceremony.
    pub ceremony: Arc<Ceremony>,
    /// This operator's index in it.
    pub me: Index,
    /// This operator's keys.
    pub operator: Arc<Operator>,
}

impl OwnSeat {
    /// The seat that `operator` has in `ceremony`; `None` if it has none.
    pub fn find(ceremony: Arc<Ceremony>, operator: Arc<Operator>) -> Option<Self> {
        let me = ceremony.roster().find(&operator.key().public())?;
        Some(Self { ceremony, me, operator })
    }

    pub(super) fn shape(&self) -> Shape {
        Shape::of(&self.ceremony)
    }

    pub(super) fn others(&self) -> impl Iterator<Item = Index> + '_ {
        self.ceremony.indices().filter(|index| *index != self.me)
    }

    pub(super) fn sign(&self, round: Round, session: Digest, view_root: Digest, body: &[u8]) -> Statement {
        Statement::sign(self.operator.key(), self.me, round, session, view_root, body)
    }
}

/// Fresh randomness of one ceremony, spent by [`Participant::start`].
pub struct Entropy {
    /// 32 bytes from the operating system, kept secret.
    pub seed: Secret32,
    /// 32 bytes from the operating system, published as the hello's nonce.
    pub nonce: [u8; 32],
    /// Whatever else the operator adds (dice, a coin); may be empty.
    pub extra: SecretBytes,
}

/// What only the driver can do.
pub enum Ask {
    /// Read the records of this kind back through a fresh descriptor and answer with [`Input::Reread`].
    Reread(RecordKind),
    /// Write and stage all outputs but the transcript, then answer with [`Input::Staged`].
    Stage,
    /// Certificate 2 is complete: publish.
    Publish,
}

/// What a call yields.
#[derive(Default)]
pub struct Step {
    /// To be written and synced before anything else of the step happens.
    pub persist: Vec<Record>,
    /// Kinds of records to be erased, once `persist` is durable.
    pub erase: Vec<RecordKind>,
    /// Statements of this operator, for everybody.
    pub send: Vec<Statement>,
    /// What the driver must do next.
    pub asks: Vec<Ask>,
}

/// What happens to a participant.
pub enum Input {
    /// Bytes that claim to be a statement.
    Statement(Vec<u8>),
    /// A share box for this operator.
    ShareBox {
        /// Who dealt it.
        dealer: Index,
        /// The box.
        sealed: Vec<u8>,
    },
    /// What a peer says it holds. Peers that hold everything are remembered: they may say so before we finish, and leave.
    PeerHolds {
        /// The peer.
        peer: Index,
        /// What it says.
        have: Have,
    },
    /// The answer to [`Ask::Reread`].
    Reread(Vec<SecretBytes>),
    /// The answer to [`Ask::Stage`]: outputs are staged; whether keystores are among them.
    Staged {
        /// Keystores were written and read back.
        keystores: bool,
    },
}

/// Why an input was not taken. None of these ends the ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not believed; nobody is to blame.
    #[error(transparent)]
    Reject(#[from] Reject),
    /// A box whose digest its dealer has not signed (yet).
    #[error("a share box that its dealer has not signed")]
    UnsignedBox,
    /// An answer to nothing that was asked.
    #[error("an answer to nothing that was asked")]
    NotAsked,
    /// The log or the stored shares are damaged. The participant must be dropped.
    #[error(transparent)]
    Storage(#[from] ReplayError),
    /// The ceremony is over for this operator.
    #[error("the ceremony was stopped by a fault")]
    Stopped,
}

/// Where a participant stands. One struct for each thing awaited.
pub(super) enum Stage {
    Hellos(AwaitHellos),
    Deals(Box<AwaitDeals>),
    Reread(Box<AwaitReread>),
    Prepares(Box<AwaitPrepares>),
    Commits(Box<AwaitCommits>),
    Staging(Box<AwaitStaging>),
    Finals(Box<AwaitFinals>),
    Finished(Box<Finished>),
    Stopped(Box<Fault>),
}

/// One operator's side of a ceremony.
pub struct Participant {
    pub(super) world: World,
    pub(super) stage: Stage,
    pub(super) confirmed: BTreeSet<Index>,
}

/// Whom a participant waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The round whose statements are awaited; `None` when nothing is.
    pub round: Option<Round>,
    /// Whose statement is missing.
    pub statements: Vec<Index>,
    /// Whose share box is missing.
    pub boxes: Vec<Index>,
}

impl Waiting {
    /// Everybody of whom something is missing, by index.
    pub fn everybody(&self) -> Vec<Index> {
        let all: BTreeSet<Index> = self.statements.iter().chain(&self.boxes).copied().collect();
        all.into_iter().collect()
    }
}

impl Participant {
    pub(super) fn new(seat: OwnSeat) -> Self {
        let inbox = Inbox::new(seat.ceremony.clone());
        let shape = seat.shape();
        let world = World {
            seat,
            shape,
            inbox,
            vault: Vault::default(),
            received: BTreeMap::new(),
            sent: BTreeMap::new(),
            recalled: BTreeMap::new(),
        };
        Self { world, stage: Stage::Hellos(AwaitHellos), confirmed: BTreeSet::new() }
    }

    /// Takes an input. The step is empty if nothing follows from it.
    pub fn handle(&mut self, input: Input) -> Result<Step, Refused> {
        if let Stage::Stopped(_) = self.stage {
            // An abort keeps listening: a second statement may turn a suspicion into evidence.
            return match input {
                Input::Statement(bytes) => self.take_statement(&bytes),
                _ => Err(Refused::Stopped),
            };
        }
        match input {
            Input::Statement(bytes) => self.take_statement(&bytes),
            Input::ShareBox { dealer, sealed } => self.take_box(dealer, sealed),
            Input::PeerHolds { peer, have } => {
                let mut step = Step::default();
                if have.is_complete(&self.world.shape) && self.confirmed.insert(peer) {
                    step.persist.push(Record::confirmed(peer));
                }
                Ok(step)
            }
            Input::Reread(bodies) => self.answer(|stage, world, step| match stage {
                Stage::Reread(stage) => stage.reread(world, &bodies, step).map_err(|(stage, stop)| (Stage::Reread(stage), stop)),
                other => Err((other, None)),
            }),
            Input::Staged { keystores } => self.answer(|stage, world, step| match stage {
                Stage::Staging(stage) => {
                    stage.staged(world, keystores, step).map_err(|(stage, stop)| (Stage::Staging(stage), stop))
                }
                other => Err((other, None)),
            }),
        }
    }

    fn take_statement(&mut self, bytes: &[u8]) -> Result<Step, Refused> {
        let (arrival, statement) = self.world.inbox.accept(bytes)?;
        let mut step = Step::default();
        if matches!(arrival, Arrival::New | Arrival::Conflict) {
            step.persist.push(Record::statement(&statement));
            self.advance(&mut step)?;
        }
        Ok(step)
    }

    fn take_box(&mut self, dealer: Index, sealed: Vec<u8>) -> Result<Step, Refused> {
        let world = &mut self.world;
        let mut step = Step::default();
        if dealer == world.seat.me || self.has_box(dealer) {
            return Ok(step);
        }
        let world = &mut self.world;
        let deal = world.inbox.get(Round::Deal, dealer).ok_or(Refused::UnsignedBox)?;
        let signed = super::deal::signed_box_digest(deal, &world.shape, position_without(dealer, world.seat.me));
        if signed != Some(share_box::digest(&sealed)) {
            return Err(Refused::UnsignedBox);
        }
        step.persist.push(Record::sealed_box(RecordKind::ReceivedBox, dealer, &sealed));
        world.received.insert(dealer, sealed);
        self.advance(&mut step)?;
        Ok(step)
    }

    fn answer(
        &mut self,
        act: impl FnOnce(Stage, &mut World, &mut Step) -> Result<Stage, (Stage, Option<ReplayError>)>,
    ) -> Result<Step, Refused> {
        let mut step = Step::default();
        let stage = core::mem::replace(&mut self.stage, Stage::Hellos(AwaitHellos));
        match act(stage, &mut self.world, &mut step) {
            Ok(next) => self.stage = next,
            Err((stage, error)) => {
                self.stage = stage;
                return Err(error.map_or(Refused::NotAsked, Refused::Storage));
            }
        }
        self.advance(&mut step)?;
        Ok(step)
    }

    /// Leaves stages as long as they can be left.
    pub(super) fn advance(&mut self, step: &mut Step) -> Result<(), ReplayError> {
        loop {
            if let Some(conflict) = self.equivocation_before_prepare() {
                self.stage = Stage::Stopped(conflict);
            }
            let stage = core::mem::replace(&mut self.stage, Stage::Hellos(AwaitHellos));
            let world = &mut self.world;
            let advance = match stage {
                Stage::Hellos(stage) => stage.advance(world, step),
                Stage::Deals(stage) => stage.advance(world, step),
                Stage::Prepares(stage) => stage.advance(world, step),
                Stage::Commits(stage) => stage.advance(world, step),
                Stage::Finals(stage) => stage.advance(world, step),
                waiting @ (Stage::Reread(_) | Stage::Staging(_) | Stage::Finished(_) | Stage::Stopped(_)) => {
                    Ok(Advance::Stay(waiting))
                }
            };
            match advance {
                Ok(Advance::Next(next)) => self.stage = next,
                Ok(Advance::Stay(stage)) => {
                    self.stage = stage;
                    return Ok(());
                }
                Err(Stop::Fault(fault)) => self.stage = Stage::Stopped(fault),
                Err(Stop::Storage(error)) => return Err(error),
            }
        }
    }

    /// Before this operator has prepared, proof of equivocation ends the ceremony; later, only certificates count.
    fn equivocation_before_prepare(&self) -> Option<Box<Fault>> {
        let prepared = self.world.inbox.get(Round::Prepare, self.world.seat.me).is_some();
        let weak = match &self.stage {
            Stage::Stopped(fault) => !matches!(fault.rule, Rule::Equivocation { .. }),
            _ => !prepared,
        };
        let conflict = self.world.inbox.conflicts().next().filter(|_| weak)?;
        let envelope = conflict.first.envelope;
        let rule = Rule::Equivocation { operator: envelope.sender, round: envelope.round };
        Some(Fault::new(rule, [&conflict.first, &conflict.second]))
    }

    fn has_box(&self, dealer: Index) -> bool {
        let prepared = self.world.inbox.get(Round::Prepare, self.world.seat.me).is_some();
        prepared || dealer == self.world.seat.me || self.world.received.contains_key(&dealer)
    }

    /// This operator's seat.
    pub fn seat(&self) -> &OwnSeat {
        &self.world.seat
    }

    /// The statements believed so far.
    pub fn inbox(&self) -> &Inbox {
        &self.world.inbox
    }

    /// The fault that stopped this participant.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.stage {
            Stage::Stopped(fault) => Some(fault),
            _ => None,
        }
    }

    /// The outcome, once every signature is verified. Not to be published before [`Participant::is_finished`].
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Stage::Staging(stage) => Some(&stage.outcome),
            Stage::Finals(stage) => Some(&stage.outcome),
            Stage::Finished(stage) => Some(&stage.outcome),
            _ => None,
        }
    }

    /// Whether certificate 2 is complete.
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Finished(_))
    }

    /// Whether this operator has signed that its shares are stored. From then on nothing deletes them.
    pub fn is_prepared(&self) -> bool {
        self.world.inbox.get(Round::Prepare, self.world.seat.me).is_some()
    }

    /// The final shares, one for each validator, once they are stored.
    ///
    /// # Security
    /// For the keystores, and nothing else.
    pub fn shares(&self) -> Option<&[SecretScalar]> {
        self.world.vault.shares.as_deref()
    }

    /// Who has not told yet that it holds everything. While there is such a peer, it may need this operator's statements.
    pub fn unconfirmed(&self) -> Vec<Index> {
        self.world.seat.others().filter(|index| !self.confirmed.contains(index)).collect()
    }

    /// Whom this participant waits for.
    pub fn waiting(&self) -> Waiting {
        let round = match self.stage {
            Stage::Hellos(_) => Some(Round::Hello),
            Stage::Deals(_) => Some(Round::Deal),
            Stage::Prepares(_) => Some(Round::Prepare),
            Stage::Commits(_) => Some(Round::Commit),
            Stage::Finals(_) => Some(Round::Final),
            Stage::Reread(_) | Stage::Staging(_) | Stage::Finished(_) | Stage::Stopped(_) => None,
        };
        let statements = round.map(|round| self.world.inbox.missing(round)).unwrap_or_default();
        let boxes = match round {
            Some(Round::Deal) => self.world.seat.others().filter(|dealer| !self.has_box(*dealer)).collect(),
            _ => Vec::new(),
        };
        Waiting { round, statements, boxes }
    }

    /// What this operator holds, for its peers.
    pub fn have(&self, help: bool) -> Have {
        let slot = |round, index| self.world.inbox.get(round, index).map(Statement::digest);
        let indices: Vec<Index> = self.world.seat.ceremony.indices().collect();
        let slots = Round::ALL.into_iter().flat_map(|round| indices.iter().map(move |index| slot(round, *index))).collect();
        let boxes = indices.iter().map(|dealer| self.has_box(*dealer)).collect();
        let confirmed = indices.iter().map(|peer| self.confirmed.contains(peer)).collect();
        Have { help, slots, boxes, confirmed }
    }

    /// What `peer`, who holds `theirs`, lacks and this operator can give: its own statements and its box for the peer; with
    /// `theirs.help`, statements of others too, and those that differ from the peer's.
    pub fn lacking(&self, peer: Index, theirs: &Have) -> Vec<Frame> {
        let (me, shape) = (self.world.seat.me, &self.world.shape);
        let mut frames = Vec::new();
        for statement in self.world.inbox.statements() {
            let envelope = statement.envelope;
            let held = theirs.slot(shape, envelope.round, envelope.sender);
            let wanted = held.is_none() && (envelope.sender == me || theirs.help);
            let differs = held.is_some_and(|held| held != statement.digest());
            if wanted || differs {
                frames.push(Frame::Statement(statement.bytes().to_vec()));
            }
        }
        if let Some(sealed) = self.world.sent.get(&peer)
            && theirs.boxes.get(me.position()) == Some(&false)
        {
            frames.push(Frame::ShareBox { dealer: me, sealed: sealed.clone() });
        }
        frames
    }

    /// This operator's box for `peer`, once it has dealt.
    pub fn box_for(&self, peer: Index) -> Option<Frame> {
        let sealed = self.world.sent.get(&peer)?.clone();
        Some(Frame::ShareBox { dealer: self.world.seat.me, sealed })
    }
}
