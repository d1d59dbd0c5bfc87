//! Where a ceremony of this operator stands, as far as files tell.

use super::evidence::Evidence;
use crate::messages;
use crate::report::CliError;
use quorate::spec::CeremonyKind;
use quorate_operator::store::CeremonyView;

/// Where a ceremony stands, as far as files tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// Outputs are written.
    Finished,
    /// This operator gave it up, for good.
    GivenUp,
    /// Evidence of a fault is kept, and there are no outputs.
    Faulted,
    /// There is a log.
    Begun,
    /// There is nothing: this operator has said nothing to anybody.
    Empty,
    /// There was a log, and it is gone.
    LogGone,
    /// The log was put back to an earlier state.
    PutBack,
}

impl Stand {
    pub(super) fn of(view: &CeremonyView, evidence: &Evidence) -> Result<Self, CliError> {
        if view.is_written().map_err(messages::store)? {
            return Ok(Self::Finished);
        }
        if evidence.is_given_up() {
            return Ok(Self::GivenUp);
        }
        if evidence.is_faulted() {
            return Ok(Self::Faulted);
        }
        Ok(
            match (
                view.has_log().map_err(messages::store)?,
                view.has_traces().map_err(messages::store)?,
            ) {
                (true, _) => Self::Begun,
                (false, true) => Self::LogGone,
                (false, false) => Self::Empty,
            },
        )
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::GivenUp => "given-up",
            Self::Faulted => "faulted",
            Self::Begun => "begun",
            Self::Empty => "empty",
            Self::LogGone => "log-gone",
            Self::PutBack => "put-back",
        }
    }

    pub(super) fn sentence(self, kind: CeremonyKind) -> &'static str {
        let (reshare, repair) = (kind == CeremonyKind::Reshare, kind == CeremonyKind::Repair);
        match self {
            Self::GivenUp if repair => {
                "abandoned: this operator signs nothing more in it. Nobody else's share has changed"
            }
            Self::LogGone if repair => {
                "started, but its log is missing: it cannot be started again. Agree on a new file \
                 for the next attempt: it gives back the same share"
            }
            Self::GivenUp if reshare => {
                "abandoned: this operator signs nothing more in it. The others may have finished, \
                 or may finish, without it. Load nothing again until each of them has said that it \
                 has abandoned, too. What ran before goes on where it was not removed"
            }
            Self::LogGone if reshare => {
                "started, but its log is missing: it cannot be started again. Ask the others \
                 whether they have outputs: then its new shares exist. If nobody has, agree on a \
                 new file for the next attempt"
            }
            Self::Finished => "finished: its outputs are written",
            Self::GivenUp => {
                "abandoned: this operator signs nothing more in it. Unless a newer log of it has \
                 signed more, its keys must never receive a deposit"
            }
            Self::Faulted => "stopped by a fault; the evidence is kept",
            Self::Begun => {
                "started, not finished. For whom it waits, see: quorate status --passphrase-file \
                 FILE"
            }
            Self::Empty => "not started",
            Self::LogGone => {
                "started, but its log is missing: it cannot be started again. Ask the others \
                 whether they have outputs: then its keys exist. If nobody has, agree on a new \
                 file for the next attempt"
            }
            Self::PutBack => {
                "its log was put back to an earlier state: this operator signs nothing more from \
                 it, and waits for nobody"
            }
        }
    }
}
