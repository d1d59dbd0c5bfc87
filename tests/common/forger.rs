//! An operator that plays the protocol by hand, and can break any rule of it.
#![allow(dead_code, clippy::unwrap_used)]

use quorate::ethereum::bls::message_point;
use quorate::message::body::{Commit, Deal, Final, Hello, Prepare};
use quorate::message::envelope::{Round, Statement, session_id, view_root};
use quorate::message::inbox::digests;
use quorate::message::shape::Shape;
use quorate::message::share_box::{self, Address};
use quorate::message::sync::Frame;
use quorate::primitives::commitment::Commitments;
use quorate::primitives::curve::{Scalar, SecretScalar};
use quorate::primitives::hash::{Digest, Tag, secret_scalar};
use quorate::primitives::polynomial::Polynomial;
use quorate::primitives::possession;
use quorate::primitives::secret::Secret32;
use quorate::primitives::x25519::DhSecret;
use quorate::protocol::checks::{self, Signed};
use quorate::protocol::items::{outputs_digest, signing_roots};
use quorate::protocol::outcome::Sums;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::threshold::Index;

use super::{Machine, bytes};

/// Where the forger leaves the protocol. Every hook sees what an honest operator would send, and may change it.
pub struct Hooks {
    pub coefficient: fn(usize, usize) -> SecretScalar,
    pub hello: fn(&mut Hello),
    pub deal: fn(&mut Deal),
    /// Shares for a recipient, before they are boxed.
    pub shares: fn(Index, &mut Vec<SecretScalar>),
    pub sealed: fn(Index, &mut Vec<u8>),
    pub prepare: fn(&mut Prepare),
    pub commit: fn(&mut Commit),
    pub last: fn(&mut Final),
    /// The view root that the envelope names, by round.
    pub view_root: fn(Round, Digest) -> Digest,
}

fn coefficient(v: usize, k: usize) -> SecretScalar {
    secret_scalar(Tag::Coefficient, &[b"forger", &[u8::try_from(v).unwrap(), u8::try_from(k).unwrap()]])
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            coefficient,
            hello: |_| (),
            deal: |_| (),
            shares: |_, _| (),
            sealed: |_, _| (),
            prepare: |_| (),
            commit: |_| (),
            last: |_| (),
            view_root: |_, root| root,
        }
    }
}

/// The operator at `seat`, played by hand among `machines` (which hold all other seats).
pub struct Forger {
    pub seat: OwnSeat,
    pub hooks: Hooks,
    shape: Shape,
    nonce: [u8; 32],
    salt: [u8; 32],
    keys: Vec<DhSecret>,
}

impl Forger {
    pub fn new(seat: OwnSeat, hooks: Hooks) -> Self {
        let shape = Shape::of(&seat.ceremony);
        let key = |i: usize| DhSecret::new(Secret32::new(&mut bytes(&format!("forger key {i}"))));
        let keys = (0..shape.n - 1).map(key).collect();
        Self { seat, hooks, shape, nonce: bytes("forger nonce"), salt: bytes("forger salt"), keys }
    }

    fn sign(&self, round: Round, session: Digest, view: &[Digest], body: &[u8]) -> Statement {
        let honest = if round == Round::Hello { Digest::ZERO } else { view_root(view) };
        let root = (self.hooks.view_root)(round, honest);
        Statement::sign(self.seat.operator.key(), self.seat.me, round, session, root, body)
    }

    fn polynomials(&self) -> Vec<Polynomial> {
        let row = |v| Polynomial::from_coefficients((0..self.shape.t).map(|k| (self.hooks.coefficient)(v, k)).collect());
        (0..self.shape.v).map(|v| row(v).unwrap()).collect()
    }

    fn commitments(&self) -> Commitments {
        Commitments::new(self.shape.t, self.polynomials().iter().flat_map(Polynomial::commit).collect())
    }

    fn others(&self) -> Vec<Index> {
        self.seat.ceremony.indices().filter(|index| *index != self.seat.me).collect()
    }

    fn position(of: Index, without: Index) -> usize {
        of.position() - usize::from(of > without)
    }

    pub fn hello(&self) -> Statement {
        let root = self.commitments().merkle_root();
        let mut body = Hello {
            nonce: self.nonce,
            commitment: checks::hello_commitment(&self.seat.ceremony, self.seat.me, &self.nonce, &self.salt, &root),
            anchor: [0; 32],
            one_time_keys: self.keys.iter().map(DhSecret::public).collect(),
        };
        (self.hooks.hello)(&mut body);
        self.sign(Round::Hello, self.seat.ceremony.digest(), &[], &body.encode())
    }

    /// The deal and the boxes, given all hellos.
    pub fn deal(&self, hellos: &[Statement]) -> (Statement, Vec<(Index, Vec<u8>)>) {
        let (me, view) = (self.seat.me, digests(hellos));
        let session = session_id(&self.seat.ceremony, &view);
        let (polynomials, commitments) = (self.polynomials(), self.commitments());
        let root = commitments.merkle_root();
        let statement = possession::Statement { session, dealer: me.get(), root };
        let nonce = secret_scalar(Tag::PopNonce, &[b"forger", session.as_ref()]);
        let proof = statement.prove(polynomials.iter().map(Polynomial::constant), nonce).unwrap();
        let mut boxes = Vec::new();
        for recipient in self.others() {
            let x = Scalar::from_u64(self.seat.ceremony.roster().get(recipient).unwrap().point);
            let mut shares = polynomials.iter().map(|polynomial| polynomial.evaluate(&x)).collect();
            (self.hooks.shares)(recipient, &mut shares);
            let hello = Hello::decode(hellos[recipient.position()].body(), &self.shape).unwrap();
            let to = hello.one_time_keys[Self::position(me, recipient)];
            let address = Address { session, dealer: me, recipient, root };
            let seed = Secret32::new(&mut bytes(&format!("forger box {}", recipient.get())));
            let mut sealed = share_box::seal(&address, &to, &shares, seed);
            (self.hooks.sealed)(recipient, &mut sealed);
            boxes.push((recipient, sealed));
        }
        let box_digests = boxes.iter().map(|(_, sealed)| share_box::digest(sealed)).collect();
        let mut body = Deal { view, salt: self.salt, box_digests, proof, commitments };
        (self.hooks.deal)(&mut body);
        (self.sign(Round::Deal, session, &body.view.clone(), &body.encode()), boxes)
    }

    fn sums(&self, session: &Digest, deals: &[Statement]) -> Sums {
        let deals: Vec<Signed<Deal>> = checks::decode(deals, |bytes| Deal::decode(bytes, &self.shape)).unwrap();
        checks::add_up(&self.seat.ceremony, session, &deals).unwrap()
    }

    /// The forger's shares: its own dealing, and what `boxes` hold for it.
    fn shares(&self, session: Digest, deals: &[Statement], boxes: &[(Index, Vec<u8>)]) -> Vec<SecretScalar> {
        let x = Scalar::from_u64(self.seat.ceremony.roster().get(self.seat.me).unwrap().point);
        let mut sums: Vec<SecretScalar> = self.polynomials().iter().map(|polynomial| polynomial.evaluate(&x)).collect();
        for (dealer, sealed) in boxes {
            let root = Deal::decode(deals[dealer.position()].body(), &self.shape).unwrap().commitments.merkle_root();
            let address = Address { session, dealer: *dealer, recipient: self.seat.me, root };
            let key = &self.keys[Self::position(*dealer, self.seat.me)];
            let opened = share_box::open(&address, key, sealed, &self.shape).unwrap();
            sums.iter_mut().zip(&opened).for_each(|(sum, share)| sum.add_assign(share));
        }
        sums
    }

    /// Plays along as far as the honest machines go. Returns everything the forger signed.
    pub fn play(&self, machines: &mut [Machine]) -> Vec<Statement> {
        let give = |machines: &mut [Machine], statement: &Statement| {
            for machine in machines.iter_mut() {
                let _ = machine.receive(Frame::Statement(statement.bytes().to_vec())).unwrap();
            }
            super::run(machines, &mut super::honest);
        };
        let complete = |machines: &[Machine], round| machines[0].participant().inbox().complete(round);
        super::run(machines, &mut super::honest);
        let mut signed = vec![self.hello()];
        give(machines, &signed[0]);
        let Some(hellos) = complete(machines, Round::Hello) else { return signed };
        let session = session_id(&self.seat.ceremony, &digests(&hellos));

        let mine = |machines: &[Machine]| -> Vec<(Index, Vec<u8>)> {
            let box_of = |machine: &Machine| match machine.participant().box_for(self.seat.me) {
                Some(Frame::ShareBox { dealer, sealed }) => Some((dealer, sealed)),
                _ => None,
            };
            machines.iter().filter_map(box_of).collect()
        };
        let my_boxes = mine(machines);
        let (deal, boxes) = self.deal(&hellos);
        give(machines, &deal);
        signed.push(deal);
        for (recipient, sealed) in boxes {
            let machine = machines.iter_mut().find(|machine| machine.seat.me == recipient).unwrap();
            let _ = machine.receive(Frame::ShareBox { dealer: self.seat.me, sealed }).unwrap();
        }
        super::run(machines, &mut super::honest);
        let Some(deals) = complete(machines, Round::Deal) else { return signed };
        if my_boxes.len() + 1 < self.shape.n || machines.iter().all(|machine| machine.participant().fault().is_some()) {
            return signed;
        }

        let sums = self.sums(&session, &deals);
        let shares = self.shares(session, &deals, &my_boxes);
        let message = checks::possession_message(sums.digest(), self.seat.me);
        let possession = sums.confirmation_secret(&shares).sign(&message).unwrap();
        let mut body = Prepare { view: digests(&deals), sums_root: sums.root(), possession, flags: Prepare::DURABLE };
        (self.hooks.prepare)(&mut body);
        signed.push(self.sign(Round::Prepare, session, &body.view.clone(), &body.encode()));
        give(machines, &signed[2]);
        let Some(prepares) = complete(machines, Round::Prepare) else { return signed };

        let roots = signing_roots(&self.seat.ceremony, sums.public_keys());
        let partials = roots.iter().map(|(v, root)| shares[*v].sign(&message_point(root)).unwrap()).collect();
        let mut body = Commit { view: digests(&prepares), partials };
        (self.hooks.commit)(&mut body);
        signed.push(self.sign(Round::Commit, session, &body.view.clone(), &body.encode()));
        give(machines, &signed[3]);
        let Some(commits) = complete(machines, Round::Commit) else { return signed };

        let decoded = checks::decode(&commits, |bytes| Commit::decode(bytes, &self.shape)).unwrap();
        let signatures = checks::combine(&self.seat.ceremony, &decoded, roots.len()).unwrap();
        let outputs = outputs_digest(sums.digest(), &roots, &signatures);
        let mut body = Final { view: digests(&commits), outputs, flags: Final::ERASED };
        (self.hooks.last)(&mut body);
        signed.push(self.sign(Round::Final, session, &body.view.clone(), &body.encode()));
        give(machines, &signed[4]);
        signed
    }
}
