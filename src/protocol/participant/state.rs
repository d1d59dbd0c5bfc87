//! What a participant can be asked: how far it is, what it holds, and who has told that it holds
//! everything.

use crate::ethereum::obol::lock::ClusterLock;
use crate::message::envelope::Round;
use crate::message::inbox::Inbox;
use crate::primitives::curve::SecretScalar;
use crate::protocol::evidence::{Certainty, Fault};
use crate::protocol::outcome::Outcome;
use crate::protocol::put_back::PutBack;
use crate::protocol::seat::OwnSeat;
use crate::protocol::stage::Stage;
use crate::spec::threshold::Index;

use super::Participant;

impl Participant {
    /// How it is known that this operator's log was put back to an earlier state, if it is. Such a
    /// participant signs nothing more, waits for nobody and cannot give up.
    pub fn put_back(&self) -> Option<&PutBack> {
        Some(&self.world.put_back).filter(|put_back| put_back.is_known())
    }

    /// Whether `peer` says that it holds an own statement which the log lacks, and is asked to show
    /// it. Until then nothing is signed.
    pub fn is_to_show(&self, peer: Index) -> bool {
        self.claims.is_open_for(peer)
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
            Some(Stage::Stopped(fault)) => Some(fault),
            None | Some(Stage::Finished(_)) => None,
            Some(_) => self.stalled.as_deref(),
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
        matches!(self.stage, Some(Stage::Stopped(_)))
    }

    /// The outcome, once every signature is verified. Not to be published before
    /// [`Participant::is_finished`].
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Some(Stage::Staging(stage)) => Some(&stage.outcome),
            Some(Stage::Finals(stage)) => Some(&stage.outcome),
            Some(Stage::Finished(stage)) => Some(stage.outcome()),
            _ => None,
        }
    }

    /// The lock of an Obol cluster, once certificate 2 is complete.
    pub fn lock(&self) -> Option<&ClusterLock> {
        match &self.stage {
            Some(Stage::Finished(stage)) => stage.lock.as_ref(),
            _ => None,
        }
    }

    /// Whether certificate 2 is complete.
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Some(Stage::Finished(_)))
    }

    /// Whether this operator has signed that its shares are stored. From then on nothing deletes
    /// them.
    pub fn is_prepared(&self) -> bool {
        self.world.is_prepared()
    }

    /// Whether this operator has signed its statement of `round`, or is known to have.
    pub fn has_said(&self, round: Round) -> bool {
        let filed = self.world.inbox.all(round, self.world.seat.me).next();
        filed.is_some() || self.world.recalled.contains_key(&round)
    }

    /// The final shares, one for each validator, once they are stored.
    ///
    /// # Security
    /// For the keystores, and nothing else.
    pub fn shares(&self) -> Option<&[SecretScalar]> {
        self.world.vault.shares.as_deref()
    }

    /// Who has not told yet that it holds everything; without those that the reshare was finished
    /// without. While there is such a peer, it may need this
    /// operator's statements.
    pub fn unconfirmed(&self) -> Vec<Index> {
        let lost = self.finished_without();
        let others = self.world.seat.others().filter(|index| !lost.contains(*index));
        others.filter(|index| !self.confirmed.contains(index)).collect()
    }

    /// Whether all others have told that they hold everything, those too that the reshare was
    /// finished without.
    pub(crate) fn is_confirmed_by_all(&self) -> bool {
        self.world.seat.others().all(|index| self.confirmed.contains(&index))
    }
}
