//! What a hub that breaks rules makes of what others say to each other through it. It has no key
//! but its own.

use std::collections::BTreeMap;

use crate::message::done::Done;
use crate::message::envelope::{Kind, Round, Statement};
use crate::message::shape::Shape;
use crate::message::sync::{Frame, Have};
use crate::primitives::hash::Digest;
use crate::protocol::participant::OwnSeat;
use crate::spec::threshold::Index;

use super::lie::Lie;

/// What it remembers of what it has passed on.
#[derive(Default)]
pub struct HostileHub {
    /// The box before, for somebody.
    sealed: Option<Vec<u8>>,
    /// Words of others.
    dones: BTreeMap<Index, Done>,
}

impl HostileHub {
    /// What goes to `to` instead of a frame that says what others have said, or what is held of
    /// them. `second`: to one of the half that it treats worse.
    pub fn instead(
        &mut self,
        lie: Lie,
        seat: &OwnSeat,
        to: Index,
        second: bool,
        frame: Frame,
    ) -> Vec<Frame> {
        match lie {
            Lie::PassesNothingOn => withheld(seat, frame),
            Lie::SaysDoneForOthers => self.hearsay(seat, to, second, frame),
            Lie::SwapsWhatItPassesOn => self.swapped(seat, frame),
            _ => vec![frame],
        }
    }

    /// Words in the names of all others, beside what it holds and claims; of the others' finals
    /// and words half are kept from half.
    fn hearsay(&mut self, seat: &OwnSeat, to: Index, second: bool, frame: Frame) -> Vec<Frame> {
        match frame {
            Frame::Statement(bytes) => {
                let last = bytes.get(6..8) == Some(&[Kind::Ordinary as u8, Round::Final.number()]);
                if last && second { Vec::new() } else { vec![Frame::Statement(bytes)] }
            }
            Frame::Done(done) if done.operator != seat.me => {
                vec![Frame::Done(forged(seat, done.operator, done.certificate))]
            }
            Frame::Have(have) => {
                let others = seat.ceremony.indices().filter(|who| ![seat.me, to].contains(who));
                let said = others.map(|who| Frame::Done(forged(seat, who, Digest([7; 32]))));
                let confirmed = vec![true; have.confirmed.len()];
                [Frame::Have(Have { confirmed, ..have })].into_iter().chain(said).collect()
            }
            other => vec![other],
        }
    }

    /// One thing for another.
    fn swapped(&mut self, seat: &OwnSeat, frame: Frame) -> Vec<Frame> {
        match frame {
            Frame::Statement(bytes) => vec![
                Frame::Statement(in_the_name_of_another(seat, &bytes)),
                Frame::Statement(with_another_body(seat, &bytes)),
            ],
            Frame::ShareBox { dealer, recipient, sealed } if dealer != seat.me => {
                let before = self.sealed.replace(sealed.clone()).unwrap_or(sealed);
                vec![Frame::ShareBox { dealer, recipient, sealed: before }]
            }
            Frame::Want { dealer, recipient } if recipient != seat.me => {
                vec![Frame::Want { dealer: recipient, recipient: dealer }]
            }
            Frame::Done(done) if done.operator != seat.me => {
                self.dones.insert(done.operator, done.clone());
                let said =
                    self.dones.values().map(|of| Done { operator: done.operator, ..of.clone() });
                said.filter(|said| *said != done).map(Frame::Done).collect()
            }
            Frame::Have(have) => vec![Frame::Have(other_digests(seat, have))],
            other => vec![other],
        }
    }
}

/// Nothing of others.
fn withheld(seat: &OwnSeat, frame: Frame) -> Vec<Frame> {
    let own = match &frame {
        Frame::Statement(_) => false,
        Frame::ShareBox { dealer, .. } => *dealer == seat.me,
        Frame::Want { recipient, .. } => *recipient == seat.me,
        Frame::Done(done) => done.operator == seat.me,
        Frame::Have(_) | Frame::Probe(_) => true,
    };
    if own { vec![frame] } else { Vec::new() }
}

/// The word of somebody else, signed by this operator.
fn forged(seat: &OwnSeat, operator: Index, certificate: Digest) -> Done {
    Done::sign(seat.operator.key(), operator, &seat.ceremony, certificate)
}

/// The same bytes, of the next seat.
fn in_the_name_of_another(seat: &OwnSeat, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let n = seat.ceremony.n();
    if let Some(place) = bytes.get_mut(8..10) {
        let sender = usize::from(u16::from_be_bytes([place[0], place[1]]));
        let next = u16::try_from(sender % n + 1).expect("few seats");
        place.copy_from_slice(&next.to_be_bytes());
    }
    bytes
}

/// A statement of the same sender with another body, signed by this operator.
fn with_another_body(seat: &OwnSeat, bytes: &[u8]) -> Vec<u8> {
    let Ok(statement) = Statement::open(bytes, &seat.ceremony) else { return bytes.to_vec() };
    let envelope = &statement.envelope;
    let mut body = statement.body().to_vec();
    if let Some(last) = body.last_mut() {
        *last ^= 1;
    }
    let (key, sender) = (seat.operator.key(), envelope.sender);
    let (kind, session, root) = (envelope.kind, envelope.session, envelope.view_root);
    let made = Statement::sign_kind(kind, key, sender, envelope.round, session, root, &body);
    made.bytes().to_vec()
}

/// The same of what it holds itself; of others, each digest in another's place.
fn other_digests(seat: &OwnSeat, mut have: Have) -> Have {
    let shape = Shape::of(&seat.ceremony);
    let held = |(at, (_, sender)): (usize, (Round, Index))| {
        (sender != seat.me && have.slots[at].is_some()).then_some(at)
    };
    let places: Vec<usize> = shape.slots().enumerate().filter_map(held).collect();
    let mut digests: Vec<Option<Digest>> = places.iter().map(|at| have.slots[*at]).collect();
    let by = usize::from(!digests.is_empty());
    digests.rotate_left(by);
    for (at, digest) in places.into_iter().zip(digests) {
        have.slots[at] = digest;
    }
    have
}
