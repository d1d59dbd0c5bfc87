//! A scripted operator that can break any rule of the protocol.

use crate::ethereum::bls::message_point;
use crate::message::body::{Commit, Deal, Final, Hello, Prepare};
use crate::message::complaint::{Abandon, Awaited, Claim, Complaint, Shown};
use crate::message::envelope::{Envelope, Kind, Round, Statement, session_id, view_root};
use crate::message::inbox::digests;
use crate::message::shape::Shape;
use crate::message::share_box::{self, Address};
use crate::message::sync::Frame;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{G2, Scalar, SecretScalar};
use crate::primitives::hash::{DST_ETHEREUM, Digest, Tag, secret_bytes, secret_scalar};
use crate::primitives::polynomial::Polynomial;
use crate::primitives::possession;
use crate::primitives::secret::Secret32;
use crate::primitives::x25519::DhSecret;
use crate::protocol::checks::{self, Signed};
use crate::protocol::items::{Item, items, outputs_digest, signing_roots};
use crate::protocol::outcome::Sums;
use crate::protocol::participant::OwnSeat;
use crate::protocol::ssv::seal;
use crate::spec::threshold::Index;

use super::machine::{Machine, bytes, honest, run};

/// Where the forger leaves the protocol. Every hook sees what an honest operator would send, and
/// may change it.
pub struct Hooks {
    /// The coefficient for a validator, at a power.
    pub coefficient: fn(usize, usize) -> SecretScalar,
    /// R0.
    pub hello: fn(&mut Hello),
    /// R1.
    pub deal: fn(&mut Deal),
    /// Shares for a recipient, before they are boxed.
    pub shares: fn(Index, &mut Vec<SecretScalar>),
    /// The box for a recipient.
    pub sealed: fn(Index, &mut Vec<u8>),
    /// R2.
    pub prepare: fn(&mut Prepare),
    /// Each message that R3 signs.
    pub item: fn(&mut Item),
    /// R3.
    pub commit: fn(&mut Commit),
    /// R4.
    pub last: fn(&mut Final),
    /// The view root that the envelope names, by round.
    pub view_root: fn(Round, Digest) -> Digest,
}

fn coefficient(v: usize, k: usize) -> SecretScalar {
    let place = [v, k].map(|number| u8::try_from(number).expect("small numbers"));
    secret_scalar(Tag::Coefficient, &[b"forger", &place])
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
            item: |_| (),
            commit: |_| (),
            last: |_| (),
            view_root: |_, root| root,
        }
    }
}

/// The operator at `seat`, played by hand.
pub struct Forger {
    /// The seat.
    pub seat: OwnSeat,
    /// What it does otherwise than the protocol says.
    pub hooks: Hooks,
    shape: Shape,
    nonce: [u8; 32],
    salt: [u8; 32],
    keys: Vec<DhSecret>,
    polynomials: Vec<Polynomial>,
    /// What the boxes are sealed from: other bytes make other boxes of the same shares.
    pub box_seed: [u8; 32],
}

impl Forger {
    /// A forger with secrets that are the same in every run.
    pub fn new(seat: OwnSeat, hooks: Hooks) -> Self {
        let label = |what: &str| bytes(&format!("forger {what}"));
        let coefficient = hooks.coefficient;
        Self::with_secrets(seat, hooks, label, coefficient)
    }

    /// A forger with the secrets that `label` and `coefficient` give.
    pub fn with_secrets(
        seat: OwnSeat,
        hooks: Hooks,
        label: impl Fn(&str) -> [u8; 32],
        coefficient: impl Fn(usize, usize) -> SecretScalar,
    ) -> Self {
        let shape = Shape::of(&seat.ceremony);
        let keys = (0..shape.n - 1)
            .map(|i| DhSecret::new(Secret32::new(&mut label(&format!("key {i}")))))
            .collect();
        let row =
            |v| Polynomial::from_coefficients((0..shape.t).map(|k| coefficient(v, k)).collect());
        let polynomials = (0..shape.v).map(|v| row(v).expect("no coefficient is zero")).collect();
        Self {
            seat,
            hooks,
            shape,
            nonce: label("nonce"),
            salt: label("salt"),
            keys,
            polynomials,
            box_seed: label("box"),
        }
    }

    fn sign(&self, round: Round, session: Digest, view: &[Digest], body: &[u8]) -> Statement {
        let honest = if round == Round::Hello { Digest::ZERO } else { view_root(view) };
        let root = (self.hooks.view_root)(round, honest);
        Statement::sign(self.seat.operator.key(), self.seat.me, round, session, root, body)
    }

    /// The same content with another signature of this operator.
    pub fn again(&self, statement: &Statement) -> Statement {
        let signed = statement.bytes().len() - statement.body().len() - 64;
        let (content, _) = statement.bytes().split_at(signed);
        let again = self.seat.operator.key().sign_again(Tag::EnvelopeSignature, content);
        let bytes = [content, &again, statement.body()].concat();
        Statement::open(&bytes, &self.seat.ceremony).expect("the second signature verifies")
    }

    /// A statement like this one, with another content that does not hold.
    pub fn junk(&self, statement: &Statement, number: u8) -> Statement {
        let Envelope { round, session, view_root, .. } = statement.envelope;
        let body = match round {
            Round::Commit => {
                let mut body = Commit::decode(statement.body(), &self.shape, self.seat.me)
                    .expect("its own commit");
                body.partials[0] = G2::hash(&[number], DST_ETHEREUM);
                body.encode()
            }
            _ => {
                let mut body = statement.body().to_vec();
                let last = body.len() - 1;
                body[last] ^= number.wrapping_add(1);
                body
            }
        };
        Statement::sign(self.seat.operator.key(), self.seat.me, round, session, view_root, &body)
    }

    fn commitments(&self) -> Commitments {
        Commitments::new(
            self.shape.t,
            self.polynomials.iter().flat_map(Polynomial::commit).collect(),
        )
    }

    fn others(&self) -> Vec<Index> {
        self.seat.ceremony.indices().filter(|index| *index != self.seat.me).collect()
    }

    fn position(of: Index, without: Index) -> usize {
        of.position() - usize::from(of > without)
    }

    /// R0.
    pub fn hello(&self) -> Statement {
        let root = self.commitments().merkle_root();
        let mut body = Hello {
            nonce: self.nonce,
            commitment: Some(checks::hello_commitment(
                &self.seat.ceremony,
                self.seat.me,
                &self.nonce,
                &self.salt,
                &root,
            )),
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
        let (polynomials, commitments) = (&self.polynomials, self.commitments());
        let root = commitments.merkle_root();
        let statement = possession::Statement { session, dealer: me.get(), root };
        let nonce = secret_scalar(Tag::PopNonce, &[b"forger", session.as_ref()]);
        let proof = statement
            .prove(polynomials.iter().map(Polynomial::constant), nonce)
            .expect("the nonce is not zero");
        let mut boxes = Vec::new();
        for recipient in self.others() {
            let x = Scalar::from_u64(
                self.seat.ceremony.roster().get(recipient).expect("a seat of the roster").point,
            );
            let mut shares = polynomials.iter().map(|polynomial| polynomial.evaluate(&x)).collect();
            (self.hooks.shares)(recipient, &mut shares);
            let hello = Hello::decode(
                hellos[recipient.position()].body(),
                &self.shape,
                hellos[recipient.position()].envelope.sender,
            );
            let to = hello.expect("honest operators deal to hellos that decode").one_time_keys
                [Self::position(me, recipient)];
            let address = Address { session, dealer: me, recipient, root };
            let seed =
                secret_bytes(Tag::BoxEphemeral, &[&self.box_seed, &recipient.get().to_be_bytes()]);
            let mut sealed = share_box::seal(&address, &to, &shares, seed);
            (self.hooks.sealed)(recipient, &mut sealed);
            boxes.push((recipient, sealed));
        }
        let box_digests = boxes.iter().map(|(_, sealed)| share_box::digest(sealed)).collect();
        let (salt, proof, share_lists) = (self.salt, Some(proof), Vec::new());
        let mut body =
            Deal { view, salt: Some(salt), box_digests, share_lists, proof, commitments };
        (self.hooks.deal)(&mut body);
        (self.sign(Round::Deal, session, &body.view.clone(), &body.encode()), boxes)
    }

    /// What the deals add up to; `None` if they add up to nothing.
    pub fn sums(&self, session: &Digest, deals: &[Statement]) -> Option<Sums> {
        let deals: Vec<Signed<Deal>> =
            checks::decode(deals, |bytes, from| Deal::decode(bytes, &self.shape, from)).ok()?;
        checks::add_up(&self.seat.ceremony, session, &deals).ok()
    }

    /// The forger's shares: its own dealing, and what `boxes` hold for it. `None` if a box does not
    /// open.
    pub fn shares(
        &self,
        session: Digest,
        deals: &[Statement],
        boxes: &[(Index, Vec<u8>)],
    ) -> Option<Vec<SecretScalar>> {
        let x = Scalar::from_u64(
            self.seat.ceremony.roster().get(self.seat.me).expect("a seat of the roster").point,
        );
        let mut sums: Vec<SecretScalar> =
            self.polynomials.iter().map(|polynomial| polynomial.evaluate(&x)).collect();
        for (dealer, sealed) in boxes {
            let root = Deal::decode(
                deals[dealer.position()].body(),
                &self.shape,
                deals[dealer.position()].envelope.sender,
            )
            .ok()?
            .commitments
            .merkle_root();
            let address = Address { session, dealer: *dealer, recipient: self.seat.me, root };
            let key = &self.keys[Self::position(*dealer, self.seat.me)];
            let opened = share_box::open(&address, key, sealed, &self.shape).ok()?;
            sums.iter_mut().zip(&opened).for_each(|(sum, share)| sum.add_assign(share));
        }
        Some(sums)
    }

    /// R2, made from these shares.
    pub fn prepare(
        &self,
        session: Digest,
        deals: &[Statement],
        sums: &Sums,
        shares: &[SecretScalar],
    ) -> Statement {
        let message = checks::possession_message(sums.digest(), self.seat.me);
        let possession =
            sums.confirmation_secret(shares).sign(&message).expect("the secret is not zero");
        let mut body = Prepare::of(digests(deals), sums.root(), possession);
        (self.hooks.prepare)(&mut body);
        self.sign(Round::Prepare, session, &body.view.clone(), &body.encode())
    }

    /// In the place of R2: a complaint of `dealer`'s box, with the one-time secret for `opened`,
    /// changed by `edit`.
    pub fn complain(
        &self,
        session: Digest,
        deals: &[Statement],
        (dealer, opened): (Index, Index),
        sealed: &[u8],
        edit: fn(&mut Vec<u8>),
    ) -> Statement {
        let view = digests(deals);
        let root = view_root(&view);
        let claim = Claim::Mismatch { validator: 0 };
        let opened = *self.keys[Self::position(opened, self.seat.me)].expose();
        let shown = Shown::Box { opened, sealed: sealed.to_vec() };
        let mut body = Complaint { view, dealer, claim, shown }.encode();
        edit(&mut body);
        let key = self.seat.operator.key();
        Statement::sign_kind(
            Kind::Complaint,
            key,
            self.seat.me,
            Round::Prepare,
            session,
            root,
            &body,
        )
    }

    /// Says that it gives up.
    pub fn abandon(&self) -> Statement {
        let body = Abandon { awaited: vec![Awaited::default(); self.shape.n] }.encode();
        let (key, session) = (self.seat.operator.key(), self.seat.ceremony.digest());
        Statement::sign_kind(
            Kind::Abandon,
            key,
            self.seat.me,
            Round::Prepare,
            session,
            Digest::ZERO,
            &body,
        )
    }

    /// R3, made from these shares.
    pub fn commit(
        &self,
        session: Digest,
        prepares: &[Statement],
        sums: &Sums,
        shares: &[SecretScalar],
    ) -> Statement {
        let ceremony = &self.seat.ceremony;
        let sign = |v: usize, mut item: Item| {
            (self.hooks.item)(&mut item);
            let point = message_point(&item.signing_root(ceremony));
            shares[v].sign(&point).expect("the share is not zero")
        };
        let of = |(v, key)| items(ceremony, v, key).into_iter().map(move |item| sign(v, item));
        let partials = sums.public_keys().iter().enumerate().flat_map(of).collect();
        let mut body = Commit { view: digests(prepares), partials, sealed: Vec::new() };
        (self.hooks.commit)(&mut body);
        self.sign(Round::Commit, session, &body.view.clone(), &body.encode())
    }

    /// R4, made from these shares; `None` if the commits do not combine.
    pub fn last(
        &self,
        session: Digest,
        commits: &[Statement],
        sums: &Sums,
        shares: &[SecretScalar],
    ) -> Option<Statement> {
        let roots = signing_roots(&self.seat.ceremony, sums.public_keys());
        let decoded =
            checks::decode(commits, |bytes, from| Commit::decode(bytes, &self.shape, from)).ok()?;
        let signatures = checks::combine(&self.seat.ceremony, &decoded).ok()?;
        let outputs = outputs_digest(sums.digest(), &roots, &signatures);
        let sealed = seal(&self.seat, sums, shares)
            .expect("the seat has its RSA key, if there has to be one");
        let view = digests(commits);
        let mut body = Final { view, outputs, flags: None, sealed, lock: None };
        (self.hooks.last)(&mut body);
        Some(self.sign(Round::Final, session, &body.view.clone(), &body.encode()))
    }

    /// Plays along among `machines`, which hold all other seats, as far as they go. Returns
    /// everything the forger signed.
    pub fn play(&self, machines: &mut [Machine]) -> Vec<Statement> {
        let give = |machines: &mut [Machine], statement: &Statement| {
            for machine in machines.iter_mut() {
                let _ = machine
                    .receive(Frame::Statement(statement.bytes().to_vec()))
                    .expect("no crash is planned");
            }
            run(machines, &mut honest);
        };
        let complete =
            |machines: &[Machine], round| machines[0].participant().inbox().complete(round);
        run(machines, &mut honest);
        let mut signed = vec![self.hello()];
        give(machines, &signed[0]);
        let Some(hellos) = complete(machines, Round::Hello) else { return signed };
        let session = session_id(&self.seat.ceremony, &digests(&hellos));

        let mine = |machines: &[Machine]| -> Vec<(Index, Vec<u8>)> {
            let box_of = |machine: &Machine| match machine.participant().box_for(self.seat.me) {
                Some(Frame::ShareBox { dealer, sealed, .. }) => Some((dealer, sealed)),
                _ => None,
            };
            machines.iter().filter_map(box_of).collect()
        };
        let my_boxes = mine(machines);
        let (deal, boxes) = self.deal(&hellos);
        give(machines, &deal);
        signed.push(deal);
        for (recipient, sealed) in boxes {
            let machine = machines
                .iter_mut()
                .find(|machine| machine.seat.me == recipient)
                .expect("a machine for each other seat");
            let _ = machine
                .receive(Frame::ShareBox { dealer: self.seat.me, recipient, sealed })
                .expect("no crash is planned");
        }
        run(machines, &mut honest);
        let Some(deals) = complete(machines, Round::Deal) else { return signed };
        if my_boxes.len() + 1 < self.shape.n
            || machines.iter().all(|machine| machine.participant().fault().is_some())
        {
            return signed;
        }

        let sums = self.sums(&session, &deals).expect("an honest machine went on");
        let shares = self.shares(session, &deals, &my_boxes).expect("boxes of honest machines");
        signed.push(self.prepare(session, &deals, &sums, &shares));
        give(machines, &signed[2]);
        let Some(prepares) = complete(machines, Round::Prepare) else { return signed };
        signed.push(self.commit(session, &prepares, &sums, &shares));
        give(machines, &signed[3]);
        let Some(commits) = complete(machines, Round::Commit) else { return signed };
        signed.extend(self.last(session, &commits, &sums, &shares));
        give(machines, signed.last().expect("five statements"));
        signed
    }
}
