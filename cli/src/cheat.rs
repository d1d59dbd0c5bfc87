//! Cheating operators for `quorate demo --fault`: the ordinary driver, with a filter between it and
//! the network that changes what this operator sends. Everything is signed with the operator's own
//! key; it cannot change statements of other operators.
//!
//! Only the hidden command `demo-cheat` makes one, and only for a ceremony whose money goes to the
//! demo's address, which nobody owns.

use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::ValueEnum;

use quorate::message::body::{Deal, Hello, Prepare};
use quorate::message::complaint::{Claim, Complaint, Shown};
use quorate::message::envelope::{Kind, Round, Statement, session_id};
use quorate::message::inbox::{Inbox, digests};
use quorate::message::shape::Shape;
use quorate::message::share_box::{self, Address};
use quorate::message::sync::Frame;
use quorate::primitives::commitment::Commitments;
use quorate::primitives::curve::{G1, G1Sum, SecretScalar};
use quorate::primitives::hash::{Tag, secret_scalar, tagged};
use quorate::primitives::secret::Secret32;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::Ceremony;
use quorate::spec::threshold::Index;
use quorate_operator::carrier::{Channels, Event};

/// A recognisable address that nobody owns: all money of a demo goes there.
pub(crate) const DEMO_WITHDRAWAL: &str = "0x000000000000000000000000000000000000dEaD";

/// Which rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rule {
    /// One operator gets shares that do not match the commitments.
    BadShare,
    /// Half of the others get another hello than the other half.
    Equivocate,
    /// The deal waits for all the others, and is then chosen so that the sum is a key of one's own.
    RogueKey,
    /// One operator never gets its share box, whoever asks for it.
    Withhold,
    /// A good share box is complained of.
    FalseComplaint,
}

/// The channels of an operator that breaks a rule: what it says is exchanged on its way out.
pub(crate) struct Cheating<C> {
    channels: C,
    cheat: Cheat,
    /// What has passed in either direction: what the operator itself holds.
    inbox: Mutex<Inbox>,
}

/// Whether all money of a ceremony goes to the demo's address, which nobody owns: only then may
/// anybody cheat.
pub(crate) fn may_cheat(ceremony: &Ceremony) -> bool {
    let mut validators = ceremony.validators().iter();
    validators.all(|one| one.withdrawal.address().to_string() == DEMO_WITHDRAWAL)
}

impl<C> Cheating<C> {
    pub(crate) fn new(channels: C, rule: Rule, seat: OwnSeat) -> Self {
        let inbox = Mutex::new(Inbox::new(seat.ceremony.clone()));
        let victim = victim(&seat.ceremony, seat.me);
        let shape = Shape::of(&seat.ceremony);
        Self { channels, cheat: Cheat { rule, seat, shape, victim }, inbox }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what the operator itself holds, as far as a cheat needs it.
    fn note(&self, statement: &[u8]) {
        let mut inbox = self.inbox();
        let _ = inbox.accept(statement);
        if inbox.session().is_none()
            && let Some(hellos) = inbox.complete(Round::Hello)
        {
            inbox.set_session(session_id(&self.cheat.seat.ceremony, &digests(&hellos)));
        }
    }

    /// What goes to `to` in the place of a frame; nothing if it is kept back.
    fn twisted(&self, to: Index, bytes: &[u8]) -> Option<Frame> {
        let frame = Frame::decode(bytes, &self.cheat.shape).ok()?;
        if let Frame::Statement(statement) = &frame {
            self.note(statement);
        }
        self.cheat.twist(&self.inbox(), to, &frame)
    }

    /// Whether an event is kept from the operator: what comes back from others may be what was said
    /// in its place.
    fn kept_back(&self, event: &Event) -> bool {
        let Event::Frame { bytes, .. } = event else { return false };
        let Ok(Frame::Statement(bytes)) = Frame::decode(bytes, &self.cheat.shape) else {
            return false;
        };
        let own = self.cheat.own(&bytes).is_some();
        if !own {
            self.note(&bytes);
        }
        own
    }
}

impl<C: Channels + Send + Sync> Channels for Cheating<C> {
    async fn next(&mut self) -> Event {
        loop {
            let event = self.channels.next().await;
            if !self.kept_back(&event) {
                return event;
            }
        }
    }

    fn send(&self, to: Index, frame: Vec<u8>) -> bool {
        self.twisted(to, &frame).is_some_and(|frame| self.channels.send(to, frame.encode()))
    }

    fn queued(&self, to: Index) -> usize {
        self.channels.queued(to)
    }

    fn hang_up(&self, peer: Index) {
        self.channels.hang_up(peer);
    }

    async fn shutdown(self) {
        self.channels.shutdown().await;
    }
}

/// An operator that breaks a rule.
struct Cheat {
    rule: Rule,
    seat: OwnSeat,
    shape: Shape,
    victim: Index,
}

impl Cheat {
    fn own(&self, bytes: &[u8]) -> Option<Statement> {
        Statement::open(bytes, &self.seat.ceremony)
            .ok()
            .filter(|statement| statement.envelope.sender == self.seat.me)
    }

    /// What goes to `peer` in the place of `frame`; nothing if it is kept back. The same every
    /// time.
    fn twist(&self, inbox: &Inbox, peer: Index, frame: &Frame) -> Option<Frame> {
        match frame {
            Frame::Statement(bytes) => match self.own(bytes) {
                Some(statement) => {
                    Some(Frame::Statement(self.say(inbox, peer, statement)?.bytes().to_vec()))
                }
                None => Some(frame.clone()),
            },
            Frame::ShareBox { dealer, recipient, .. }
                if (*dealer, *recipient) == (self.seat.me, self.victim) =>
            {
                match self.rule {
                    Rule::Withhold => None,
                    Rule::BadShare => {
                        let sealed = self.bad_box(inbox, inbox.get(Round::Deal, self.seat.me)?)?;
                        Some(Frame::ShareBox { dealer: *dealer, recipient: *recipient, sealed })
                    }
                    Rule::Equivocate | Rule::RogueKey | Rule::FalseComplaint => Some(frame.clone()),
                }
            }
            Frame::ShareBox { .. }
            | Frame::Want { .. }
            | Frame::Have(_)
            | Frame::Done(_)
            | Frame::Probe(_) => Some(frame.clone()),
        }
    }

    /// What this operator says to `peer` in the place of `statement`.
    fn say(&self, inbox: &Inbox, peer: Index, statement: Statement) -> Option<Statement> {
        match (self.rule, statement.envelope.round) {
            (Rule::Withhold, _) => Some(statement),
            (Rule::Equivocate, Round::Hello)
                if self.shape.place_of_box(self.seat.me, peer)? % 2 == 1 =>
            {
                let mut body =
                    Hello::decode(statement.body(), &self.shape, statement.envelope.sender).ok()?;
                body.nonce = self.noise("another nonce", &[]);
                Some(self.sign(&statement, &body.encode()))
            }
            (Rule::BadShare, Round::Deal) => {
                let mut body =
                    Deal::decode(statement.body(), &self.shape, statement.envelope.sender).ok()?;
                body.box_digests[self.shape.place_of_box(self.seat.me, self.victim)?] =
                    share_box::digest(&self.bad_box(inbox, &statement)?);
                Some(self.sign(&statement, &body.encode()))
            }
            (Rule::RogueKey, Round::Deal) => {
                let mut body =
                    Deal::decode(statement.body(), &self.shape, statement.envelope.sender).ok()?;
                body.commitments = self.rogue(inbox, &body.commitments)?;
                Some(self.sign(&statement, &body.encode()))
            }
            (Rule::FalseComplaint, Round::Prepare) => Some(self.complaint(&statement)?),
            (_, Round::Hello | Round::Deal) => Some(statement),
            // What would follow from what it has not said.
            (_, Round::Prepare | Round::Commit | Round::Final) => None,
        }
    }

    fn sign(&self, instead: &Statement, body: &[u8]) -> Statement {
        let envelope = &instead.envelope;
        let key = self.seat.operator.key();
        Statement::sign(
            key,
            self.seat.me,
            envelope.round,
            envelope.session,
            envelope.view_root,
            body,
        )
    }

    /// 32 bytes that are the same every time; not secret, as nothing here has to be.
    fn noise(&self, label: &str, more: &[u8]) -> [u8; 32] {
        tagged(
            Tag::BatchSeed,
            &[b"demo cheat", self.seat.ceremony.digest().as_ref(), label.as_bytes(), more],
        )
        .0
    }

    fn scalar(&self, label: &str, number: usize) -> SecretScalar {
        let number = u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes();
        secret_scalar(Tag::Coefficient, &[&self.noise(label, &number)])
    }

    /// A box for the victim with shares that are anything but its shares.
    fn bad_box(&self, inbox: &Inbox, deal: &Statement) -> Option<Vec<u8>> {
        let hello =
            Hello::decode(inbox.get(Round::Hello, self.victim)?.body(), &self.shape, self.victim)
                .ok()?;
        let to = hello.one_time_keys[self.shape.place_of_key(self.victim, self.seat.me)?];
        let root = Deal::decode(deal.body(), &self.shape, deal.envelope.sender)
            .ok()?
            .commitments
            .merkle_root();
        let address = Address {
            session: deal.envelope.session,
            dealer: self.seat.me,
            recipient: self.victim,
            root,
        };
        let shares: Vec<SecretScalar> =
            (0..self.shape.v).map(|v| self.scalar("a bad share", v)).collect();
        Some(share_box::seal(
            &address,
            &to,
            &shares,
            Secret32::new(&mut self.noise("a bad box", &[])),
        ))
    }

    /// `C_0 = k·G - Σ others`: the sum of all would be `k·G`. Nothing before all others are known.
    fn rogue(&self, inbox: &Inbox, own: &Commitments) -> Option<Commitments> {
        let others = self.seat.ceremony.indices().filter(|index| *index != self.seat.me);
        let others: Option<Vec<Commitments>> = others
            .map(|index| {
                Some(
                    Deal::decode(inbox.get(Round::Deal, index)?.body(), &self.shape, index)
                        .ok()?
                        .commitments,
                )
            })
            .collect();
        let others = others?;
        let mut points: Vec<G1> = own.rows().flatten().copied().collect();
        for v in 0..self.shape.v {
            let mut sum = G1Sum::zero();
            others.iter().for_each(|other| sum.add(&other.row(v)[0]));
            let mut rogue = sum.negated();
            rogue.add(&self.scalar("a key of one's own", v).base_mult()?);
            points[v * self.shape.t] = rogue.finish()?;
        }
        Some(Commitments::new(self.shape.t, points))
    }

    /// A complaint about the victim's box, which was good.
    fn complaint(&self, prepare: &Statement) -> Option<Statement> {
        let body = Complaint {
            view: Prepare::decode(prepare.body(), &self.shape, prepare.envelope.sender).ok()?.view,
            dealer: self.victim,
            claim: Claim::Sealed,
            shown: Shown::Box {
                opened: self.noise("no one-time secret", &[]),
                sealed: vec![0; self.shape.box_bytes()],
            },
        };
        let (key, envelope) = (self.seat.operator.key(), &prepare.envelope);
        let round = Round::Prepare;
        Some(Statement::sign_kind(
            Kind::Complaint,
            key,
            self.seat.me,
            round,
            envelope.session,
            envelope.view_root,
            &body.encode(),
        ))
    }
}

/// Whom a cheat harms: the second operator, or the first if the cheat is the second.
pub(crate) fn victim(ceremony: &Ceremony, cheat: Index) -> Index {
    let mut others = ceremony.indices().filter(|index| *index != cheat);
    let first = others.next().expect("at least three operators");
    if cheat.get() > 2 { others.next().unwrap_or(first) } else { first }
}
