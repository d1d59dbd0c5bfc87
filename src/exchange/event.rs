//! What happens to an exchange, and what it does about it.

use std::time::Duration;

use crate::message::sync::Frame;
use crate::primitives::codec::DecodeError;
use crate::protocol::evidence::Fault;
use crate::protocol::participant::Refused;
use crate::protocol::put_back::PutBack;
use crate::spec::threshold::Index;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// There is a channel to this operator; both ends know who they are.
    Up(Index),
    /// It is gone. Frames that were on their way are lost.
    Down(Index),
    /// A frame came from this operator. It may be anything.
    Frame {
        /// From whom.
        from: Index,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// Some time has passed: [`super::Pacing::tick`] since the last one.
    Tick,
}

/// When something happened, and how much was still on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    /// Time since some fixed moment; never goes back.
    pub now: Duration,
    /// Bytes of frames that are queued for each operator, by seat; missing ones count as 0.
    pub queued: Vec<usize>,
}

/// What to do, in order. A driver that leaves one out must not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Queue this frame for `to`, if there is a channel. A frame that is lost is asked for again.
    Send {
        /// To whom.
        to: Index,
        /// What.
        frame: Frame,
    },
    /// Tell the person.
    Tell(Notice),
    /// The run is over. Nothing follows.
    Done(Ending),
}

/// What a person may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A peer sent bytes that are no frame. They are ignored.
    NotAFrame {
        /// Who.
        from: Index,
        /// Why they are none.
        error: DecodeError,
    },
    /// A peer sent what the participant does not take.
    Ignored {
        /// Who.
        from: Index,
        /// Why not.
        refused: Refused,
    },
    /// The log was put back to an earlier state: nothing more is signed from it.
    PutBack(PutBack),
    /// This peer says that it holds a statement of this operator which its log lacks. It is asked
    /// to show it, and until then nothing is signed.
    Claimed(Index),
    /// Certificate 1 of a reshare is complete, and this operator deals: its person may stop the old
    /// keys now, and is awaited to.
    MayStop,
    /// A fault stands in the way. The others are being told.
    Fault(Box<Fault>),
    /// A fault is proven to anybody, and is not the one that stands in this operator's way.
    Proven(Box<Fault>),
    /// The outputs are written. This operator stays, so that the others get everything.
    Written {
        /// Everybody has confirmed already; it stays this long, for those who may not have heard
        /// that it knows.
        parting: Option<Duration>,
    },
    /// The outputs are written, and these have not confirmed that they hold everything.
    StayingFor(Vec<Index>),
    /// Nothing new for a while: time to say again who is awaited.
    StillWaiting,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Outputs are written and every peer has confirmed that it holds everything.
    Complete,
    /// Outputs are written; these peers had not confirmed when the time given was over, or when the
    /// person stopped.
    Written {
        /// Who.
        unconfirmed: Vec<Index>,
    },
    /// Stopped by the person before the end; safe to run again.
    Interrupted {
        /// Who was awaited.
        waiting: Vec<Index>,
        /// Whether this operator's own person was, to stop the keys that it deals.
        stop: bool,
    },
    /// This operator's log was put back to an earlier state: nothing more is signed from it.
    PutBack(PutBack),
    /// A fault stopped the ceremony for this operator.
    Fault {
        /// What was broken.
        fault: Box<Fault>,
        /// Whether this operator had signed that its shares are stored.
        prepared: bool,
    },
}

/// Actions being collected, with what they add to the queues.
pub(super) struct Outbox<'a> {
    pub(super) now: Duration,
    moment: &'a Moment,
    added: Vec<usize>,
    actions: Vec<Action>,
}

impl<'a> Outbox<'a> {
    pub(super) fn new(moment: &'a Moment) -> Self {
        Self { now: moment.now, moment, added: Vec::new(), actions: Vec::new() }
    }

    pub(super) fn queued(&self, to: Index) -> usize {
        let of = |bytes: &[usize]| bytes.get(to.position()).copied().unwrap_or(0);
        of(&self.moment.queued).saturating_add(of(&self.added))
    }

    pub(super) fn send(&mut self, to: Index, frame: Frame) {
        if self.added.len() <= to.position() {
            self.added.resize(to.position() + 1, 0);
        }
        self.added[to.position()] += frame.encoded_bytes();
        self.push(Action::Send { to, frame });
    }

    pub(super) fn tell(&mut self, notice: Notice) {
        self.push(Action::Tell(notice));
    }

    pub(super) fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(super) fn into_actions(self) -> Vec<Action> {
        self.actions
    }
}
