//! An operator of a simulated reshare, import or repair that breaks the rules: an honest program
//! behind a mask that changes, withholds and adds to what it says, with the operator's own key.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::body::{Commit, Deal, Final, Hello, Prepare};
use crate::message::complaint::{Abandon, Awaited, Claim, Complaint, Shown};
use crate::message::envelope::{Kind, Round, Statement, view_root};
use crate::message::minima::{Minima, Signed as Minimum};
use crate::message::shape::Shape;
use crate::message::share_box::{self, Address, ShownShare};
use crate::message::sync::Frame;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{G2, Scalar, SecretScalar};
use crate::primitives::hash::{DST_ETHEREUM, Digest, Tag, secret_scalar, tagged};
use crate::primitives::polynomial::Polynomial;
use crate::primitives::secret::Secret32;
use crate::protocol::checks::Signed;
use crate::protocol::dealt::dealt;
use crate::protocol::participant::{OwnSeat, Participant};
use crate::protocol::record::RecordKind;
use crate::spec::threshold::Index;

use super::chance::Chance;
use super::home::Home;
use super::host::Letters;
use super::hub::HostileHub;
use super::lie::Lie;

/// The mask of one operator.
pub struct Mask {
    seat: OwnSeat,
    shape: Shape,
    lie: Lie,
    /// Who sees the second face, or is left out.
    second: BTreeSet<Index>,
    /// What it made of its own statements, by their digest and the face: what it says once, it says
    /// again.
    made: BTreeMap<(Digest, bool), Vec<Statement>>,
    /// Boxes that it gives in the place of its own.
    boxes: BTreeMap<Index, Vec<u8>>,
    secret: [u8; 32],
    told: u64,
    /// What it makes of what others say.
    hub: HostileHub,
    /// What its program deals of, as its disk has it.
    dealing: Option<(Secret32, Vec<SecretScalar>)>,
}

impl Mask {
    /// The mask for a seat.
    pub fn new(seat: OwnSeat, lie: Lie, mut chance: Chance) -> Self {
        let others = seat.ceremony.indices().filter(|index| *index != seat.me);
        let second = others.filter(|_| chance.happens(500)).collect();
        let (shape, secret) = (Shape::of(&seat.ceremony), chance.bytes());
        let (made, boxes) = (BTreeMap::new(), BTreeMap::new());
        let (told, hub, dealing) = (0, HostileHub::default(), None);
        Self { seat, shape, lie, second, made, boxes, secret, told, hub, dealing }
    }

    /// Remembers the seed of its program, which is gone from the disk when it has dealt, and the
    /// shares that it deals.
    pub fn learns(&mut self, home: &Home) {
        let seed = home.disk.durable(RecordKind::Seed).next();
        if let Some(Ok(mut seed)) = seed.map(|seed| <[u8; 32]>::try_from(&**seed))
            && let Some(shares) = &home.old_shares
        {
            let read = |share: &[u8; 32]| SecretScalar::from_be_bytes(share).ok();
            let shares: Option<Vec<SecretScalar>> = shares.iter().map(read).collect();
            self.dealing = shares.map(|shares| (Secret32::new(&mut seed), shares));
        }
    }

    /// What reaches the program: nothing of its own words, which are not what it has said.
    pub fn hears(&self, participant: &Participant, bytes: &[u8]) -> Option<Vec<u8>> {
        match Frame::decode(bytes, &self.shape) {
            Ok(Frame::Statement(statement)) => {
                let opened = Statement::open(&statement, &self.seat.ceremony);
                let own = opened.is_ok_and(|opened| opened.envelope.sender == self.seat.me);
                (!own).then(|| bytes.to_vec())
            }
            Ok(Frame::Have(mut have)) => {
                let own = participant.have(false);
                for (at, (_, sender)) in self.shape.slots().enumerate() {
                    if sender == self.seat.me && have.slots[at].is_some() {
                        have.slots[at] = own.slots[at];
                    }
                }
                if let Some(place) = self.shape.stops().place(self.seat.me) {
                    have.minima[place] = own.minima[place];
                }
                Some(Frame::Have(have).encode())
            }
            _ => Some(bytes.to_vec()),
        }
    }

    /// What it says in the place of what its program says; besides every statement that is new.
    pub fn says(
        &mut self,
        participant: &Participant,
        letters: Letters,
    ) -> (Letters, Vec<Statement>) {
        let (mut said, mut new) = (Vec::new(), Vec::new());
        for (to, frame) in letters {
            if self.lie == Lie::Silent || (self.lie == Lie::SpeaksToSome && self.leaves_out(to)) {
                continue;
            }
            match frame {
                Frame::Statement(bytes) => {
                    let Some(own) = self.own(&bytes) else {
                        said.extend(self.passes_on(to, Frame::Statement(bytes)));
                        continue;
                    };
                    for statement in self.instead(participant, &own, to, &mut new) {
                        said.push((to, Frame::Statement(statement.bytes().to_vec())));
                    }
                }
                Frame::ShareBox { dealer, recipient, sealed } if dealer == self.seat.me => {
                    if self.lie == Lie::WithholdsBoxes && self.leaves_out(recipient) {
                        continue;
                    }
                    let sealed = self.boxes.get(&recipient).cloned().unwrap_or(sealed);
                    said.push((to, Frame::ShareBox { dealer, recipient, sealed }));
                }
                other => said.extend(self.passes_on(to, other)),
            }
        }
        (said, new)
    }

    /// What it passes on of others, and claims of them.
    fn passes_on(&mut self, to: Index, frame: Frame) -> Letters {
        let instead = self.hub.instead(self.lie, &self.seat, to, self.leaves_out(to), frame);
        instead.into_iter().map(|frame| (to, frame)).collect()
    }

    pub(super) fn leaves_out(&self, peer: Index) -> bool {
        self.second.contains(&peer)
    }

    fn own(&self, bytes: &[u8]) -> Option<Statement> {
        let opened = Statement::open(bytes, &self.seat.ceremony).ok()?;
        (opened.envelope.sender == self.seat.me).then_some(opened)
    }

    /// What it says to `to` instead of an own statement.
    fn instead(
        &mut self,
        participant: &Participant,
        own: &Statement,
        to: Index,
        new: &mut Vec<Statement>,
    ) -> Vec<Statement> {
        let (round, kind) = (own.envelope.round, own.envelope.kind);
        if self.lie.silent_from().is_some_and(|from| round >= from) {
            return Vec::new();
        }
        if kind == Kind::Minima {
            return self.instead_of_minima(own, new);
        }
        let second = self.lie.two_faced_in() == Some(round) && self.leaves_out(to);
        let key = (own.digest(), second);
        if let Some(made) = self.made.get(&key) {
            return made.clone();
        }
        let changed = second || self.lie.changes() == Some(round);
        let mut made = match (kind, changed) {
            (Kind::Ordinary, true) => {
                vec![self.changed(participant, own).unwrap_or_else(|| own.clone())]
            }
            _ => vec![own.clone()],
        };
        if self.lie == Lie::AbandonsAndGoesOn && round == Round::Commit {
            made.push(self.abandonment());
        }
        new.extend(made.iter().cloned());
        self.made.insert(key, made.clone());
        made
    }

    fn instead_of_minima(&mut self, own: &Statement, new: &mut Vec<Statement>) -> Vec<Statement> {
        let body = match self.lie {
            Lie::WithholdsMinima => return Vec::new(),
            // A flag that nobody knows.
            Lie::MinimaThatDoNotDecode => {
                let mut body = own.body().to_vec();
                body[0] = 7;
                body
            }
            Lie::MinimaWithoutEnd => {
                self.told += 1;
                let told = Minimum { slot: self.told, source: 1, target: 1 + self.told };
                Minima { signed: vec![Some(told); self.shape.v] }.encode()
            }
            _ => own.body().to_vec(),
        };
        let (key, session) = (self.seat.operator.key(), own.envelope.session);
        let made = Statement::sign_minima(key, self.seat.me, session, &body);
        new.push(made.clone());
        vec![made]
    }

    fn abandonment(&self) -> Statement {
        let ceremony = &self.seat.ceremony;
        let body = Abandon { awaited: vec![Awaited::default(); ceremony.n()] }.encode();
        let (key, me) = (self.seat.operator.key(), self.seat.me);
        Statement::sign_abandonment(key, me, Round::Commit, ceremony, &body)
    }

    /// The same statement with another body; the envelope says what the body does.
    fn resigned(&self, like: &Statement, kind: Kind, view: &[Digest], body: &[u8]) -> Statement {
        let envelope = &like.envelope;
        let root = match envelope.round {
            Round::Hello => Digest::ZERO,
            _ => view_root(view),
        };
        let (key, me) = (self.seat.operator.key(), self.seat.me);
        Statement::sign_kind(kind, key, me, envelope.round, envelope.session, root, body)
    }

    /// A changed statement; `None` if its seat says nothing there that could be changed.
    fn changed(&mut self, participant: &Participant, own: &Statement) -> Option<Statement> {
        let me = self.seat.me;
        match own.envelope.round {
            Round::Hello => {
                let mut body = Hello::decode(own.body(), &self.shape, me).ok()?;
                body.nonce[0] ^= 1;
                Some(self.resigned(own, Kind::Ordinary, &[], &body.encode()))
            }
            Round::Deal => self.changed_deal(participant, own),
            Round::Prepare if self.lie == Lie::ComplainsFalsely => self.complaint(own),
            Round::Prepare if self.lie == Lie::ComplainsOfMask => self.complaint_of_mask(own),
            Round::Prepare => {
                let mut body = Prepare::decode(own.body(), &self.shape, me).ok()?;
                match (self.lie, &mut body.stored) {
                    (Lie::PrepareOtherDeals, _) | (_, None) => body.view[0] = Digest([1; 32]),
                    (Lie::PrepareOtherSums, Some(stored)) => stored.sums_root = Digest([1; 32]),
                    (_, Some(stored)) => stored.possession = G2::hash(b"another", DST_ETHEREUM),
                }
                let view = body.view.clone();
                Some(self.resigned(own, Kind::Ordinary, &view, &body.encode()))
            }
            Round::Commit => {
                let mut body = Commit::decode(own.body(), &self.shape, me).ok()?;
                body.view[0] = Digest([1; 32]);
                let view = body.view.clone();
                Some(self.resigned(own, Kind::Ordinary, &view, &body.encode()))
            }
            Round::Final => {
                let mut body = Final::decode(own.body(), &self.shape, me).ok()?;
                body.outputs = Digest([1; 32]);
                let view = body.view.clone();
                Some(self.resigned(own, Kind::Ordinary, &view, &body.encode()))
            }
        }
    }

    fn changed_deal(&mut self, participant: &Participant, own: &Statement) -> Option<Statement> {
        let me = self.seat.me;
        let mut body = Deal::decode(own.body(), &self.shape, me).ok()?;
        match self.lie {
            lie if lie == Lie::DealCommitments
                || lie == Lie::TwoFacedDeal && self.shape.masks() =>
            {
                let mut points: Vec<_> = (0..body.commitments.len())
                    .flat_map(|v| body.commitments.row(v).to_vec())
                    .collect();
                points[0] = SecretScalar::reduce(&[3; 48]).base_mult()?;
                body.commitments = Commitments::new(body.commitments.t(), points);
            }
            Lie::DealOtherHellos => body.view[0] = Digest([1; 32]),
            Lie::BadShareAll
            | Lie::BadShareOne
            | Lie::DealsAnotherKey
            | Lie::BadList
            | Lie::BadBox => {
                let signed = Signed { statement: own.clone(), body: body.clone() };
                let root = dealt(&self.seat.ceremony, &signed).merkle_root();
                let all = self.shape.recipients_of(me);
                let most = if self.lie == Lie::BadShareOne { 1 } else { all.len() };
                for recipient in all.iter().take(most) {
                    let address =
                        Address { session: own.envelope.session, dealer: me, recipient, root };
                    let (sealed, list) = self.bad_box(participant, &address)?;
                    let place = self.shape.place_of_box(me, recipient)?;
                    body.box_digests[place] = share_box::digest(&sealed);
                    if self.lie != Lie::BadList {
                        body.share_lists[place] = list;
                    }
                    self.boxes.insert(recipient, sealed);
                }
            }
            _ => body.salt.as_mut()?[0] ^= 1,
        }
        let view = body.view.clone();
        Some(self.resigned(own, Kind::Ordinary, &view, &body.encode()))
    }

    /// Shares for a receiver of its program's polynomials, with another constant; if it deals.
    fn shares_of_another_key(&self, to: Index) -> Option<Vec<SecretScalar>> {
        let (seed, constants) = self.dealing.as_ref()?;
        let point = Scalar::from_u64(self.seat.ceremony.roster().get(to)?.point);
        let share = |(v, constant): (usize, &SecretScalar)| {
            let number = |number: usize| u32::try_from(number).expect("small numbers");
            let coefficient = |k: usize| {
                let place = [number(v), number(k), 0].map(u32::to_be_bytes).concat();
                let spec = self.seat.ceremony.digest();
                secret_scalar(Tag::Coefficient, &[seed.expose(), spec.as_ref(), &place])
            };
            let mut constant = constant.scaled(&Scalar::one());
            constant.add_assign(&SecretScalar::reduce(&[5; 48]));
            let rest = (1..self.shape.t).map(coefficient);
            let all = [constant].into_iter().chain(rest).collect();
            Some(Polynomial::from_coefficients(all)?.evaluate(&point))
        };
        constants.iter().enumerate().map(share).collect()
    }

    /// A box of shares that have nothing to do with any polynomial, and the list of it.
    fn bad_box(&self, participant: &Participant, address: &Address) -> Option<(Vec<u8>, Digest)> {
        let to = address.recipient;
        let hello = participant.inbox().get(Round::Hello, to)?;
        let hello = Hello::decode(hello.body(), &self.shape, to).ok()?;
        let key = &hello.one_time_keys[self.shape.place_of_key(to, self.seat.me)?];
        let share = |v: usize| {
            let v = u8::try_from(v).expect("few validators");
            secret_scalar(Tag::Coefficient, &[b"bad share", &self.secret, &[v]])
        };
        let shares = match self.lie {
            Lie::DealsAnotherKey => self.shares_of_another_key(to)?,
            _ => (0..self.shape.v).map(share).collect(),
        };
        let seed = |what: &str| {
            Secret32::new(&mut tagged(Tag::BatchSeed, &[what.as_bytes(), &self.secret]).0)
        };
        let (mut sealed, list) =
            share_box::seal_listed(address, key, &shares, &seed("blinds"), seed("ephemeral"));
        if self.lie == Lie::BadBox
            && let Some(last) = sealed.last_mut()
        {
            *last ^= 1;
        }
        Some((sealed, list))
    }

    /// A complaint about a share that nobody has dealt. `None` of who gets no boxes.
    fn complaint(&self, own: &Statement) -> Option<Statement> {
        let me = self.seat.me;
        let view = Prepare::decode(own.body(), &self.shape, me).ok()?.view;
        let dealer = self.shape.dealers_to(me).iter().next()?;
        let list = vec![Digest([4; 32]); self.shape.v];
        let shown = Shown::Share(ShownShare { blind: [2; 32], share: [3; 32], list });
        let claim = Claim::Mismatch { validator: 0 };
        let body = Complaint { view: view.clone(), dealer, claim, shown }.encode();
        Some(self.resigned(own, Kind::Complaint, &view, &body))
    }

    /// A complaint about a mask of another helper, with a key that nobody has. `None` of who has no
    /// masks.
    fn complaint_of_mask(&self, own: &Statement) -> Option<Statement> {
        let me = self.seat.me;
        let view = Prepare::decode(own.body(), &self.shape, me).ok()?.view;
        let helpers = self.shape.parts.dealers;
        let dealer = helpers.without(me).iter().next().filter(|_| helpers.contains(me))?;
        let shown = Shown::Key { opened: self.secret, validators: self.shape.v };
        let claim = Claim::Mask { validator: 0 };
        let body = Complaint { view: view.clone(), dealer, claim, shown }.encode();
        Some(self.resigned(own, Kind::Complaint, &view, &body))
    }
}
