//! Colluding operators: they share what they receive, and each is scripted.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::body::{Deal, Hello};
use crate::message::envelope::{Kind, Round, Statement, session_id};
use crate::message::inbox::digests;
use crate::message::shape::Shape;
use crate::message::sync::{Frame, Have};
use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::{Digest, Tag, secret_scalar, tagged};
use crate::protocol::outcome::Sums;
use crate::protocol::participant::OwnSeat;
use crate::spec::threshold::Index;

use super::adversary::Adversary;
use super::cast::Cast;
use super::chance::Chance;
use super::forger::Forger;

mod lies;
mod speech;

/// What a member shows to some of the others.
struct Face {
    forger: Forger,
    said: BTreeMap<Round, Statement>,
    /// Wrong statements in the place of what it has said.
    junk: Vec<Statement>,
    boxes: BTreeMap<Index, Vec<u8>>,
    sums: Option<Sums>,
    shares: Option<Vec<SecretScalar>>,
    /// It cannot go on.
    stuck: bool,
}

/// An operator of the coalition.
struct Member {
    seat: OwnSeat,
    kind: Adversary,
    faces: Vec<Face>,
    told: BTreeSet<(Index, Digest)>,
}

/// Sender, recipient, bytes.
pub type Letter = (Index, Index, Vec<u8>);

/// Operators that act as one.
pub struct Coalition {
    cast: &'static Cast,
    shape: Shape,
    members: Vec<Member>,
    /// Honest statements, in the order in which they were heard.
    heard: BTreeMap<(Round, Index), Vec<Statement>>,
    /// By dealer and recipient.
    boxes: BTreeMap<(Index, Index), Vec<u8>>,
    /// Who sees the second face, and is left out by those that leave out some.
    second: BTreeSet<Index>,
    chance: Chance,
}

impl Coalition {
    /// The coalition of these seats.
    pub fn new(cast: &'static Cast, kinds: &[(usize, Adversary)], mut chance: Chance) -> Self {
        let secret = chance.bytes();
        let mut second: BTreeSet<Index> =
            cast.ceremony.indices().filter(|_| chance.happens(500)).collect();
        let honest: Vec<Index> = cast
            .ceremony
            .indices()
            .filter(|index| kinds.iter().all(|(position, _)| *position != index.position()))
            .collect();
        // Both halves have somebody, if there are two.
        second.insert(honest[0]);
        second.retain(|index| honest.len() < 2 || *index != honest[honest.len() - 1]);
        let members = kinds
            .iter()
            .map(|(position, kind)| member(&cast.seats[*position], *kind, &secret))
            .collect();
        let (heard, boxes) = (BTreeMap::new(), BTreeMap::new());
        Self { cast, shape: Shape::of(&cast.ceremony), members, heard, boxes, second, chance }
    }

    /// The shares of the members that have come to any, with the digest of what they are shares of.
    pub fn shares(&self) -> impl Iterator<Item = (Index, &Digest, &Vec<SecretScalar>)> {
        let faces = self
            .members
            .iter()
            .flat_map(|member| member.faces.iter().map(|face| (member.seat.me, face)));
        faces.filter_map(|(me, face)| {
            Some((me, face.sums.as_ref()?.digest(), face.shares.as_ref()?))
        })
    }

    fn face_for(&self, member: &Member, peer: Index) -> usize {
        usize::from(member.faces.len() > 1 && self.second.contains(&peer))
    }

    fn honest(&self) -> Vec<Index> {
        let is_member = |index: &Index| self.members.iter().any(|member| member.seat.me == *index);
        self.cast.ceremony.indices().filter(|index| !is_member(index)).collect()
    }

    /// A member hears something; every member knows it then.
    pub fn hear(&mut self, to: Index, from: Index, bytes: &[u8]) -> Vec<Letter> {
        match Frame::decode(bytes, &self.shape) {
            Err(_) => Vec::new(),
            Ok(Frame::Have(have)) => self.answer(to, from, &have),
            Ok(Frame::Statement(bytes)) => {
                let honest = self.honest();
                let known = self.heard.values().flatten().any(|known| known.bytes() == bytes);
                let opened =
                    (!known).then(|| Statement::open(&bytes, &self.cast.ceremony).ok()).flatten();
                if let Some(statement) =
                    opened.filter(|statement| honest.contains(&statement.envelope.sender))
                {
                    let slot = (statement.envelope.round, statement.envelope.sender);
                    self.heard.entry(slot).or_default().push(statement);
                }
                Vec::new()
            }
            Ok(Frame::ShareBox { dealer, recipient, sealed }) => {
                self.boxes.entry((dealer, recipient)).or_insert(sealed);
                Vec::new()
            }
            Ok(Frame::Done(_) | Frame::Probe(_)) => Vec::new(),
            Ok(Frame::Want { dealer, recipient }) => self.yield_box(to, from, dealer, recipient),
        }
    }

    /// A peer says what it holds: what it lacks of `me` is sent again.
    fn answer(&mut self, me: Index, peer: Index, have: &Have) -> Vec<Letter> {
        let Some(at) = self.members.iter().position(|member| member.seat.me == me) else {
            return Vec::new();
        };
        let face = self.face_for(&self.members[at], peer);
        let member = &mut self.members[at];
        let lacks_box = have.lacks_box(&self.shape, me);
        for statement in member.faces[face].said.values() {
            let round = statement.envelope.round;
            if have.slot(&self.shape, round, me).is_none() || (round == Round::Deal && lacks_box) {
                member.told.remove(&(peer, statement.digest()));
            }
        }
        Vec::new()
    }

    /// Some answer everybody but the one who needs it.
    fn yield_box(&self, me: Index, asking: Index, dealer: Index, recipient: Index) -> Vec<Letter> {
        let member = self
            .members
            .iter()
            .find(|member| member.seat.me == me && me == dealer && asking != recipient);
        let Some(member) = member.filter(|member| member.kind == Adversary::YieldsBoxes) else {
            return Vec::new();
        };
        let sealed = member.faces[0].boxes.get(&recipient);
        let frame =
            sealed.map(|sealed| Frame::ShareBox { dealer, recipient, sealed: sealed.clone() });
        frame.map(|frame| (me, asking, frame.encode())).into_iter().collect()
    }

    /// Makes whatever can be made, and gives every statement that is new.
    pub fn advance(&mut self) -> Vec<Statement> {
        let mut made = Vec::new();
        loop {
            let before = made.len();
            for member in 0..self.members.len() {
                for face in 0..self.members[member].faces.len() {
                    let next = self.next(member, face);
                    let junk = next.as_ref().map(|next| self.spoil(member, face, next));
                    made.extend(next.into_iter().chain(junk.into_iter().flatten()));
                }
            }
            if made.len() == before {
                return made;
            }
        }
    }

    fn collect(
        &self,
        round: Round,
        face: usize,
        session: Option<Digest>,
    ) -> Option<Vec<Statement>> {
        let of = |index: Index| match self.members.iter().find(|member| member.seat.me == index) {
            Some(member) => {
                member.faces[face.min(member.faces.len() - 1)].said.get(&round).cloned()
            }
            None => {
                let heard = self.heard.get(&(round, index))?;
                let mut heard =
                    heard.iter().filter(|statement| statement.envelope.kind == Kind::Ordinary);
                heard
                    .find(|statement| {
                        session.is_none_or(|session| statement.envelope.session == session)
                    })
                    .cloned()
            }
        };
        self.cast.ceremony.indices().map(of).collect()
    }

    fn session(&self, face: usize) -> Option<Digest> {
        Some(session_id(&self.cast.ceremony, &digests(&self.collect(Round::Hello, face, None)?)))
    }

    fn next(&mut self, at: usize, face: usize) -> Option<Statement> {
        let (me, kind) = (self.members[at].seat.me, self.members[at].kind);
        let own = &self.members[at].faces[face];
        let round = (self.shape.rounds().iter().copied())
            .find(|round| !own.said.contains_key(round))
            .filter(|_| !own.stuck)?;
        let forger = &own.forger;
        let made = match round {
            Round::Hello => self.edit_hello(kind, forger.hello())?,
            Round::Deal => {
                let hellos = self.collect(Round::Hello, face, None)?;
                let late = kind.deals_late().then(|| self.honest_deals());
                let others = late.map_or(Some(Vec::new()), |others| others)?;
                if hellos.iter().any(|hello| {
                    Hello::decode(hello.body(), &self.shape, hello.envelope.sender).is_err()
                }) {
                    return None;
                }
                let (deal, boxes) = forger.deal(&hellos);
                let deal = self.edit_deal(at, deal, &others);
                self.members[at].faces[face].boxes = boxes.into_iter().collect();
                deal
            }
            Round::Prepare => {
                let session = self.session(face)?;
                let deals = self.collect(Round::Deal, face, Some(session))?;
                let boxes = self.boxes_for(me, face)?;
                let sums = forger.sums(&session, &deals);
                let shares = forger.shares(session, &deals, &boxes);
                let (Some(sums), Some(shares)) = (sums, shares) else {
                    self.members[at].faces[face].stuck = true;
                    return None;
                };
                let prepare = match kind.complains(face) {
                    true => self.complain(kind, forger, session, &deals, &boxes),
                    false => forger.prepare(session, &deals, &sums, &shares),
                };
                let own = &mut self.members[at].faces[face];
                (own.sums, own.shares) = (Some(sums), Some(shares));
                // Nothing can follow from a complaint.
                own.stuck = kind.complains(face);
                prepare
            }
            Round::Commit => {
                let session = self.session(face)?;
                let prepares = self.collect(Round::Prepare, face, Some(session))?;
                forger.commit(session, &prepares, own.sums.as_ref()?, own.shares.as_ref()?)
            }
            Round::Final => {
                let session = self.session(face)?;
                let commits = self.collect(Round::Commit, face, Some(session))?;
                let Some(last) =
                    forger.last(session, &commits, own.sums.as_ref()?, own.shares.as_ref()?)
                else {
                    self.members[at].faces[face].stuck = true;
                    return None;
                };
                last
            }
        };
        let forger = &self.members[at].faces[face].forger;
        let made = if face == 1 && kind.signs_twice() { forger.again(&made) } else { made };
        self.members[at].faces[face].said.insert(round, made.clone());
        Some(made)
    }

    /// Wrong statements in the place of this one, of a member that makes such.
    fn spoil(&mut self, at: usize, face: usize, made: &Statement) -> Vec<Statement> {
        if self.members[at].kind.junk_in() != Some(made.envelope.round) {
            return Vec::new();
        }
        let face = &mut self.members[at].faces[face];
        face.junk = (0..2).map(|number| face.forger.junk(made, number)).collect();
        face.junk.clone()
    }

    fn boxes_for(&self, me: Index, face: usize) -> Option<Vec<(Index, Vec<u8>)>> {
        let others = self.cast.ceremony.indices().filter(|index| *index != me);
        let sealed =
            |dealer: Index| match self.members.iter().find(|member| member.seat.me == dealer) {
                Some(member) => {
                    member.faces[face.min(member.faces.len() - 1)].boxes.get(&me).cloned()
                }
                None => self.boxes.get(&(dealer, me)).cloned(),
            };
        others.map(|dealer| Some((dealer, sealed(dealer)?))).collect()
    }

    fn honest_deals(&self) -> Option<Vec<Deal>> {
        let heard = |index| self.heard.get(&(Round::Deal, index))?.first();
        let deals = self.honest().into_iter().map(heard).collect::<Option<Vec<&Statement>>>()?;
        deals
            .into_iter()
            .map(|deal| Deal::decode(deal.body(), &self.shape, deal.envelope.sender).ok())
            .collect()
    }
}

fn member(seat: &OwnSeat, kind: Adversary, secret: &[u8; 32]) -> Member {
    let me = seat.me.get().to_be_bytes();
    let label =
        |what: &str| tagged(Tag::BatchSeed, &[b"coalition", secret, &me, what.as_bytes()]).0;
    let coefficient = |v: usize, k: usize| {
        let v = if k == 0 && kind.equal_constants() { 0 } else { v };
        let place = [v, k].map(|number| u8::try_from(number).expect("small numbers"));
        secret_scalar(Tag::Coefficient, &[b"coalition", secret, &me, &place])
    };
    let face = |(number, hooks)| {
        let mut forger = Forger::with_secrets(seat.clone(), hooks, label, coefficient);
        // Another seed seals other boxes, and so makes another deal that is right all the same.
        let differs = number == 1 && matches!(kind, Adversary::TwoFacedDeal);
        forger.box_seed = label(if differs { "second boxes" } else { "boxes" });
        let (said, junk, boxes) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Face { forger, said, junk, boxes, sums: None, shares: None, stuck: false }
    };
    let faces = kind.faces().into_iter().enumerate().map(face).collect();
    Member { seat: seat.clone(), kind, faces, told: BTreeSet::new() }
}
