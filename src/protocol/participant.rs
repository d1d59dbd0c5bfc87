//! A participant: a function of the ceremony, the operator's keys, fresh entropy and the statements
//! received. It opens no file and no socket: every call returns what to write, what to erase, what
//! to send and what to do.
//!
//! The driver's duty, in this order for each [`Step`]: write and sync `persist`; erase `erase`;
//! send `send`; answer `asks`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ethereum::obol::lock::ClusterLock;
use crate::ethereum::secp256k1::NodeSecret;
use crate::ethereum::ssv::RsaSecret;
use crate::identity::operator::Operator;
use crate::message::complaint::{Abandon, Awaited};
use crate::message::envelope::{Kind, Reject, Round, Statement};
use crate::message::inbox::{Arrival, Inbox};
use crate::message::shape::Shape;
use crate::message::share_box;
use crate::message::sync::Have;
use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::Digest;
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::commit::AwaitCommits;
use super::deal::AwaitDeals;
use super::evidence::{Certainty, Fault};
use super::finalize::{AwaitFinals, AwaitStaging, Finished};
use super::hello::AwaitHellos;
use super::outcome::Outcome;
use super::prepare::{AwaitPrepares, AwaitReread};
use super::record::{Record, RecordKind, ReplayError};
use super::relay::Errands;
use super::world::{Advance, Stop, Vault, World};

/// Who this participant is, and in what.
#[derive(Clone)]
pub struct OwnSeat {
    /// The ceremony.
    pub ceremony: Arc<Ceremony>,
    /// This operator's index in it.
    pub me: Index,
    /// This operator's keys.
    pub operator: Arc<Operator>,
    /// Its RSA key, for a ceremony for SSV.
    pub ssv_key: Option<Arc<RsaSecret>>,
    /// The key of its node, for a ceremony that makes an Obol cluster.
    pub(super) node_key: Option<Arc<NodeSecret>>,
}

impl OwnSeat {
    /// The seat that `operator` has in `ceremony`; `None` if it has none.
    pub fn find(ceremony: Arc<Ceremony>, operator: Arc<Operator>) -> Option<Self> {
        let me = ceremony.roster().find(&operator.key().public())?;
        Some(Self { ceremony, me, operator, ssv_key: None, node_key: None })
    }

    /// The same seat with the RSA key that a ceremony for SSV asks for.
    pub fn with_ssv_key(self, key: Arc<RsaSecret>) -> Self {
        Self { ssv_key: Some(key), ..self }
    }

    pub(super) fn shape(&self) -> Shape {
        Shape::of(&self.ceremony)
    }

    pub(super) fn others(&self) -> impl Iterator<Item = Index> + '_ {
        self.ceremony.indices().filter(|index| *index != self.me)
    }

    pub(super) fn sign(
        &self,
        round: Round,
        session: Digest,
        view_root: Digest,
        body: &[u8],
    ) -> Statement {
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
    /// Read the records of this kind back through a fresh descriptor and answer with
    /// [`Input::Reread`].
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
    /// What a peer says it holds. Peers that hold everything are remembered: they may say so before
    /// we finish, and leave.
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
    #[error("a share box whose digest its dealer has not signed")]
    UnsignedBox,
    /// An answer to nothing that was asked.
    #[error("an answer to something that was not asked")]
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
    /// What keeps an operator that has prepared from going on, until a certificate comes.
    stalled: Option<Box<Fault>>,
    pub(super) confirmed: BTreeSet<Index>,
    pub(super) errands: Errands,
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
            echoes: BTreeMap::new(),
        };
        let stage = Stage::Hellos(AwaitHellos);
        Self {
            world,
            stage,
            stalled: None,
            confirmed: BTreeSet::new(),
            errands: Errands::default(),
        }
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
                if self.needs_nothing(&have) && self.confirmed.insert(peer) {
                    step.persist.push(Record::confirmed(peer));
                }
                Ok(step)
            }
            Input::Reread(bodies) => self.answer(|stage, world, step| match stage {
                Stage::Reread(stage) => stage
                    .reread(world, &bodies, step)
                    .map_err(|(stage, stop)| (Stage::Reread(stage), stop)),
                other => Err((other, None)),
            }),
            Input::Staged { keystores } => self.answer(|stage, world, step| match stage {
                Stage::Staging(stage) => stage
                    .staged(world, keystores, step)
                    .map_err(|(stage, stop)| (Stage::Staging(stage), stop)),
                other => Err((other, None)),
            }),
        }
    }

    fn take_statement(&mut self, bytes: &[u8]) -> Result<Step, Refused> {
        let statement = self.world.inbox.open(bytes)?;
        let mut step = Step::default();
        if self.world.is_echo(&statement) {
            self.world.echoes.insert(statement.envelope.round, statement);
            return Ok(step);
        }
        let arrival = self.world.inbox.file(statement.clone());
        if matches!(arrival, Arrival::New | Arrival::Conflict) {
            step.persist.push(Record::statement(&statement));
            self.advance(&mut step)?;
        }
        Ok(step)
    }

    fn take_box(&mut self, dealer: Index, sealed: Vec<u8>) -> Result<Step, Refused> {
        let world = &self.world;
        let mut step = Step::default();
        if dealer == world.seat.me || self.has_box(dealer) {
            return Ok(step);
        }
        let fits = sealed.len() == self.world.shape.box_bytes();
        if !fits
            || self.signed_box_digest(dealer, self.world.seat.me)
                != Some(share_box::digest(&sealed))
        {
            return Err(Refused::UnsignedBox);
        }
        let world = &mut self.world;
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
            self.stop_if_proven();
            let stage = core::mem::replace(&mut self.stage, Stage::Hellos(AwaitHellos));
            let world = &mut self.world;
            let advance = match stage {
                Stage::Hellos(stage) => stage.advance(world, step),
                Stage::Deals(stage) => stage.advance(world, step),
                Stage::Prepares(stage) => stage.advance(world, step),
                Stage::Commits(stage) => stage.advance(world, step),
                Stage::Finals(stage) => stage.advance(world, step),
                waiting @ (Stage::Reread(_)
                | Stage::Staging(_)
                | Stage::Finished(_)
                | Stage::Stopped(_)) => Ok(Advance::Stay(waiting)),
            };
            match advance {
                Ok(Advance::Next(next)) => self.stage = next,
                Ok(Advance::Stay(stage)) => {
                    // An operator that complained or equivocated may never prepare.
                    let futile = matches!(stage, Stage::Prepares(_))
                        .then(|| self.world.proven_fault())
                        .flatten();
                    self.stalled = futile.map(|fault| self.world.prove(fault));
                    self.stage = stage;
                    return Ok(());
                }
                Ok(Advance::Stall(stage, fault)) => {
                    self.stalled = Some(self.strongest(fault));
                    self.stage = stage;
                    return Ok(());
                }
                Err(Stop::Fault(fault)) => self.stage = Stage::Stopped(self.strongest(fault)),
                Err(Stop::Storage(error)) => return Err(error),
            }
        }
    }

    /// Before this operator has prepared, proof of a fault ends the ceremony; later, certificates
    /// count more.
    fn stop_if_proven(&mut self) {
        let weak = match &self.stage {
            Stage::Stopped(fault) => fault.rule.certainty() != Certainty::Proven,
            _ => !self.world.is_prepared(),
        };
        if weak && let Some(proven) = self.world.proven_fault() {
            self.stage = Stage::Stopped(self.world.prove(proven));
        }
    }

    /// `fault` with its proof, or a proven one in the place of a suspicion.
    fn strongest(&self, fault: Box<Fault>) -> Box<Fault> {
        let better = match fault.rule.certainty() {
            Certainty::Proven => None,
            Certainty::Suspected | Certainty::Nobody => self.world.proven_fault(),
        };
        self.world.prove(better.unwrap_or(fault))
    }

    /// Whether a peer holds everything that this operator could give it.
    fn needs_nothing(&self, have: &Have) -> bool {
        let last = |index| {
            (
                have.slot(&self.world.shape, Round::Final, index),
                self.world.inbox.get(Round::Final, index),
            )
        };
        let differs =
            |index| matches!(last(index), (Some(theirs), Some(ours)) if theirs != ours.digest());
        have.is_complete(&self.world.shape) && !self.world.seat.ceremony.indices().any(differs)
    }

    /// Gives up, for good: signs whom this operator waits for, as an accusation. From then on the
    /// log starts no participant. A share that is stored stays stored.
    pub fn abandon(self) -> (Record, Statement) {
        let waiting = self.waiting();
        let of = |index| Awaited {
            statement: waiting.statements.contains(&index),
            share_box: waiting.boxes.contains(&index),
        };
        let seat = &self.world.seat;
        let body = Abandon { awaited: seat.ceremony.indices().map(of).collect() };
        let round = waiting.round.unwrap_or(Round::Final);
        let (key, session) = (seat.operator.key(), seat.ceremony.digest());
        let statement = Statement::sign_kind(
            Kind::Abandon,
            key,
            seat.me,
            round,
            session,
            Digest::ZERO,
            &body.encode(),
        );
        (Record::statement(&statement), statement)
    }

    pub(super) fn has_box(&self, dealer: Index) -> bool {
        let past = self.world.inbox.get(Round::Prepare, self.world.seat.me).is_some();
        past || dealer == self.world.seat.me || self.world.received.contains_key(&dealer)
    }

    /// This operator's seat.
    pub fn seat(&self) -> &OwnSeat {
        &self.world.seat
    }

    /// The statements believed so far.
    pub fn inbox(&self) -> &Inbox {
        &self.world.inbox
    }

    /// The fault that stopped this participant; or, if it has prepared, the one that keeps it from
    /// going on until a certificate comes.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.stage {
            Stage::Stopped(fault) => Some(fault),
            Stage::Finished(_) => None,
            _ => self.stalled.as_deref(),
        }
    }

    /// A fault that can be proven to anybody, whether or not it keeps this participant from going
    /// on.
    pub fn proven_fault(&self) -> Option<Box<Fault>> {
        match self.fault().filter(|fault| fault.rule.certainty() == Certainty::Proven) {
            Some(fault) => Some(Box::new(fault.clone())),
            None => self.world.proven_fault().map(|fault| self.world.prove(fault)),
        }
    }

    /// Whether nothing can make this participant go on.
    pub fn is_stopped(&self) -> bool {
        matches!(self.stage, Stage::Stopped(_))
    }

    /// The outcome, once every signature is verified. Not to be published before
    /// [`Participant::is_finished`].
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Stage::Staging(stage) => Some(&stage.outcome),
            Stage::Finals(stage) => Some(&stage.outcome),
            Stage::Finished(stage) => Some(&stage.outcome),
            _ => None,
        }
    }

    /// The lock of an Obol cluster, once certificate 2 is complete.
    pub fn lock(&self) -> Option<&ClusterLock> {
        match &self.stage {
            Stage::Finished(stage) => stage.lock.as_ref(),
            _ => None,
        }
    }

    /// Whether certificate 2 is complete.
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Finished(_))
    }

    /// Whether this operator has signed that its shares are stored. From then on nothing deletes
    /// them.
    pub fn is_prepared(&self) -> bool {
        self.world.is_prepared()
    }

    /// The final shares, one for each validator, once they are stored.
    ///
    /// # Security
    /// For the keystores, and nothing else.
    pub fn shares(&self) -> Option<&[SecretScalar]> {
        self.world.vault.shares.as_deref()
    }

    /// Who has not told yet that it holds everything. While there is such a peer, it may need this
    /// operator's statements.
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
            Some(Round::Deal) => {
                self.world.seat.others().filter(|dealer| !self.has_box(*dealer)).collect()
            }
            _ => Vec::new(),
        };
        Waiting { round, statements, boxes }
    }
}
