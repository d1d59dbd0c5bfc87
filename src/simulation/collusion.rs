//! A ceremony in which all operators collude: every seat is scripted and may break any rule. The
//! results are signed by the right keys, so that only the rule itself is broken.

use std::sync::Arc;

use crate::ethereum::bls::message_point;
use crate::identity::operator::Operator;
use crate::message::body::{Commit, Deal, Final, Hello, Prepare};
use crate::message::envelope::{Round, Statement, session_id, view_root};
use crate::message::inbox::digests;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{G2, Scalar, SecretScalar};
use crate::primitives::hash::{DST_POSSESSION, Digest, Tag, secret_scalar};
use crate::primitives::polynomial::Polynomial;
use crate::primitives::possession;
use crate::primitives::secret::Secret32;
use crate::primitives::x25519::DhSecret;
use crate::protocol::checks::{self, Signed};
use crate::protocol::items::{outputs_digest, signing_roots};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;
use crate::transcript::container;

use super::machine::{bytes, ceremony, operators};

type Change<B> = Box<dyn Fn(usize, &mut B)>;
type Replace<B> = Box<dyn Fn(Round, usize, B) -> B>;
type Bytes = Box<dyn Fn(Round, usize, &mut Vec<u8>)>;

/// Where the operators leave the protocol. Seats are positions from 0; each hook sees what an
/// honest operator would sign.
pub struct Hooks {
    /// The coefficient of a seat for a validator, at a power.
    pub coefficient: Box<dyn Fn(usize, usize, usize) -> SecretScalar>,
    /// R0.
    pub hello: Change<Hello>,
    /// R1.
    pub deal: Change<Deal>,
    /// R2.
    pub prepare: Change<Prepare>,
    /// R3.
    pub commit: Change<Commit>,
    /// R4.
    pub last: Change<Final>,
    /// The encoded body.
    pub encoded: Bytes,
    /// The view root in the envelope.
    pub view_root: Replace<Digest>,
    /// The session in the envelope.
    pub session: Replace<Digest>,
    /// Whose key signs.
    pub signer: Box<dyn Fn(Round, usize) -> usize>,
}

/// An honest coefficient.
pub fn coefficient(seat: usize, v: usize, k: usize) -> SecretScalar {
    let place = [seat, v, k].map(|number| u8::try_from(number).expect("small numbers"));
    secret_scalar(Tag::Coefficient, &[b"collusion", &place])
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            coefficient: Box::new(coefficient),
            hello: Box::new(|_, _| ()),
            deal: Box::new(|_, _| ()),
            prepare: Box::new(|_, _| ()),
            commit: Box::new(|_, _| ()),
            last: Box::new(|_, _| ()),
            encoded: Box::new(|_, _, _| ()),
            view_root: Box::new(|_, _, root| root),
            session: Box::new(|_, _, session| session),
            signer: Box::new(|_, seat| seat),
        }
    }
}

/// A ceremony played by hand.
pub struct Collusion {
    /// The ceremony.
    pub ceremony: Arc<Ceremony>,
    /// Its operators, by seat.
    pub operators: Vec<Arc<Operator>>,
    /// What they do otherwise than the protocol says.
    pub hooks: Hooks,
}

impl Collusion {
    fn indices(&self) -> Vec<Index> {
        self.ceremony.indices().collect()
    }

    fn sign(
        &self,
        round: Round,
        seat: usize,
        session: Digest,
        view: &[Digest],
        body: Vec<u8>,
    ) -> Statement {
        let root = if round == Round::Hello { Digest::ZERO } else { view_root(view) };
        let mut body = body;
        (self.hooks.encoded)(round, seat, &mut body);
        let root = (self.hooks.view_root)(round, seat, root);
        let session = (self.hooks.session)(round, seat, session);
        let key = self.operators[(self.hooks.signer)(round, seat)].key();
        Statement::sign(key, self.indices()[seat], round, session, root, &body)
    }

    fn polynomials(&self, seat: usize) -> Vec<Polynomial> {
        let row =
            |v| (0..self.ceremony.t()).map(|k| (self.hooks.coefficient)(seat, v, k)).collect();
        (0..self.ceremony.v())
            .map(|v| Polynomial::from_coefficients(row(v)).expect("no coefficient is zero"))
            .collect()
    }

    fn commitments(&self, seat: usize) -> Commitments {
        Commitments::new(
            self.ceremony.t(),
            self.polynomials(seat).iter().flat_map(Polynomial::commit).collect(),
        )
    }

    /// The share of `seat` for validator `v`.
    pub fn share(&self, seat: usize, v: usize) -> SecretScalar {
        let x = Scalar::from_u64(
            self.ceremony.roster().get(self.indices()[seat]).expect("a seat of the roster").point,
        );
        let mut sum = SecretScalar::zero();
        (0..self.ceremony.n())
            .for_each(|dealer| sum.add_assign(&self.polynomials(dealer)[v].evaluate(&x)));
        sum
    }

    fn hello(&self, seat: usize) -> Hello {
        let (nonce, salt) = (bytes(&format!("nonce {seat}")), bytes(&format!("salt {seat}")));
        let root = self.commitments(seat).merkle_root();
        let key = |other| {
            DhSecret::new(Secret32::new(&mut bytes(&format!("one-time {seat} {other}")))).public()
        };
        let commitment =
            checks::hello_commitment(&self.ceremony, self.indices()[seat], &nonce, &salt, &root);
        let one_time_keys = (1..self.ceremony.n()).map(key).collect();
        let commitment = Some(commitment);
        let mut body = Hello { nonce, commitment, anchor: [0; 32], one_time_keys };
        (self.hooks.hello)(seat, &mut body);
        body
    }

    fn deal(&self, seat: usize, session: Digest, view: &[Digest]) -> Deal {
        let (polynomials, commitments) = (self.polynomials(seat), self.commitments(seat));
        let dealer = self.indices()[seat].get();
        let statement = possession::Statement { session, dealer, root: commitments.merkle_root() };
        let nonce =
            secret_scalar(Tag::PopNonce, &[b"collusion", &dealer.to_be_bytes(), session.as_ref()]);
        let proof = statement
            .prove(polynomials.iter().map(Polynomial::constant), nonce)
            .expect("the nonce is not zero");
        let box_digests = (1..self.ceremony.n())
            .map(|other| Digest(bytes(&format!("box {seat} {other}"))))
            .collect();
        let salt = bytes(&format!("salt {seat}"));
        let (proof, share_lists, view) = (Some(proof), Vec::new(), view.to_vec());
        let mut body =
            Deal { view, salt: Some(salt), box_digests, share_lists, proof, commitments };
        (self.hooks.deal)(seat, &mut body);
        body
    }

    /// Every statement, in order of rounds and seats.
    pub fn statements(&self) -> Vec<Statement> {
        let seats = || 0..self.ceremony.n();
        let spec = self.ceremony.digest();
        let hellos: Vec<Statement> = seats()
            .map(|seat| self.sign(Round::Hello, seat, spec, &[], self.hello(seat).encode()))
            .collect();
        let view = digests(&hellos);
        let session = session_id(&self.ceremony, &view);
        let signed = |seat| {
            let body = self.deal(seat, session, &view);
            let statement = self.sign(Round::Deal, seat, session, &body.view, body.encode());
            Signed { statement, body }
        };
        let signed: Vec<Signed<Deal>> = seats().map(signed).collect();
        let deals: Vec<Statement> = signed.iter().map(|deal| deal.statement.clone()).collect();
        // Where the deals add up to nothing, the rest is well-formed and means nothing.
        let sums = checks::add_up(&self.ceremony, &session, &signed).ok();
        let any = G2::hash(b"anything", DST_POSSESSION);

        let view = digests(&deals);
        let prepare = |seat: usize| {
            let possession = sums.as_ref().map_or(any, |sums| {
                let shares: Vec<SecretScalar> =
                    (0..self.ceremony.v()).map(|v| self.share(seat, v)).collect();
                let message = checks::possession_message(sums.digest(), self.indices()[seat]);
                sums.confirmation_secret(&shares).sign(&message).expect("the secret is not zero")
            });
            let sums_root = sums.as_ref().map_or(Digest::ZERO, |sums| sums.root());
            let mut body = Prepare::of(view.clone(), sums_root, possession);
            (self.hooks.prepare)(seat, &mut body);
            self.sign(Round::Prepare, seat, session, &body.view, body.encode())
        };
        let prepares: Vec<Statement> = seats().map(prepare).collect();

        let view = digests(&prepares);
        let keys = sums.as_ref().map_or_else(
            || signed[0].body.commitments.constants().collect(),
            |sums| sums.public_keys().to_vec(),
        );
        let roots = signing_roots(&self.ceremony, &keys);
        let commit = |seat: usize| {
            let partials = roots
                .iter()
                .map(|(v, root)| {
                    self.share(seat, *v).sign(&message_point(root)).expect("the share is not zero")
                })
                .collect();
            let mut body = Commit { view: view.clone(), partials, sealed: Vec::new() };
            (self.hooks.commit)(seat, &mut body);
            let statement = self.sign(Round::Commit, seat, session, &body.view, body.encode());
            Signed { statement, body }
        };
        let signed: Vec<Signed<Commit>> = seats().map(commit).collect();
        let commits: Vec<Statement> =
            signed.iter().map(|commit| commit.statement.clone()).collect();

        let view = digests(&commits);
        let outputs = sums.as_ref().map_or(Digest::ZERO, |sums| {
            outputs_digest(
                sums.digest(),
                &roots,
                &checks::combine(&self.ceremony, &signed).expect("sums that are not infinity"),
            )
        });
        let last = |seat: usize| {
            let mut body =
                Final { view: view.clone(), outputs, flags: None, sealed: Vec::new(), lock: None };
            (self.hooks.last)(seat, &mut body);
            self.sign(Round::Final, seat, session, &body.view, body.encode())
        };
        let finals: Vec<Statement> = seats().map(last).collect();
        [hellos, deals, prepares, commits, finals].concat()
    }

    /// The transcript.
    pub fn transcript(&self) -> Vec<u8> {
        container::encode(&self.ceremony, &self.statements()).expect("every slot is filled")
    }
}

/// A transcript of `n` operators, `t` needed, with `hooks`.
pub fn collude(n: usize, t: usize, validators: &str, hooks: Hooks) -> Collusion {
    let operators = operators(n);
    let ceremony = ceremony(&operators, t, validators);
    Collusion { ceremony, operators, hooks }
}
