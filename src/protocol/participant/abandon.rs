//! Giving a ceremony up, for good.

use crate::message::complaint::{Abandon, Awaited};
use crate::message::envelope::Statement;
use crate::protocol::record::{Record, ReplayError};

use super::Participant;

impl Participant {
    /// Whether this operator may still give up.
    ///
    /// # Errors
    /// [`ReplayError::PutBack`] if the log was put back: others may hold this operator's FINAL and
    /// count on its share. [`ReplayError::Agreed`] once it has signed its FINAL, or the word that
    /// it does without somebody, which follows it: by what its log holds or others have shown it.
    pub fn may_abandon(&self) -> Result<(), ReplayError> {
        if self.put_back().is_some() {
            return Err(ReplayError::PutBack);
        }
        let bound = !self.does_without(self.world.seat.me).is_empty();
        if bound || self.has_said(self.world.shape.last_round()) {
            return Err(ReplayError::Agreed);
        }
        Ok(())
    }

    /// Gives up, for good: signs whom this operator waits for, as an accusation. From then on the
    /// log starts no participant. A share that is stored stays stored.
    ///
    /// # Errors
    /// Those of [`Participant::may_abandon`].
    pub fn abandon(self) -> Result<(Record, Statement), ReplayError> {
        self.may_abandon()?;
        Ok(self.abandonment())
    }

    /// The abandonment itself, whatever was signed before.
    pub(crate) fn abandonment(&self) -> (Record, Statement) {
        let waiting = self.waiting();
        let of = |index| Awaited {
            statement: waiting.statements.contains(&index),
            share_box: waiting.boxes.contains(&index),
        };
        let seat = &self.world.seat;
        let body = Abandon { awaited: seat.ceremony.indices().map(of).collect() };
        let round = waiting.round.unwrap_or(self.world.shape.last_round());
        let key = seat.operator.key();
        let statement =
            Statement::sign_abandonment(key, seat.me, round, &seat.ceremony, &body.encode());
        (Record::statement(&statement), statement)
    }
}
