//! The costliest set of statements that operators can leave together: everybody signs two hellos,
//! deals and commits, and as many prepares, complaints and finals as are asked for, each of them
//! over other statements. For what measures the judge.

use std::sync::Arc;

use rayon::prelude::*;

use crate::identity::operator::Operator;
use crate::message::body::{Commit, Deal, Final, Hello, Prepare};
use crate::message::complaint::{Claim, Complaint, Shown};
use crate::message::envelope::{Kind, Round, Statement, session_id, view_root};
use crate::message::inbox::digests;
use crate::message::shape::Shape;
use crate::message::share_box::{self, Address};
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{Scalar, SecretScalar};
use crate::primitives::hash::{Digest, Tag, secret_scalar};
use crate::primitives::polynomial::{Polynomial, commit_all};
use crate::primitives::possession;
use crate::primitives::secret::Secret32;
use crate::primitives::x25519::DhSecret;
use crate::protocol::checks::{self, Signed};
use crate::protocol::items::Messages;
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::machine::bytes;

/// How many statements each operator signs where more than two are possible.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// Prepares, at least two: its commits name the first two, which hold.
    pub prepares: usize,
    /// Complaints about share boxes that are as they should be.
    pub complaints: usize,
    /// Finals over different commits.
    pub finals: usize,
}

impl Crowd {
    /// As many as a container takes of `n` operators, but for a third commit of each, which costs
    /// what one of the first two does.
    pub fn most(n: usize) -> Self {
        Self { prepares: n + 2, complaints: n, finals: 3 }
    }
}

/// Which of the two statements of each seat the view with this number names.
fn chosen(number: usize, seat: usize) -> usize {
    // Multiples of the golden ratio: no two of few agree in all of their highest bits.
    let spread = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::from(spread.rotate_left(1 + u32::try_from(seat % 64).expect("below 64")) & 1 == 1)
}

struct Flood<'a> {
    ceremony: &'a Ceremony,
    operators: &'a [Arc<Operator>],
    shape: Shape,
    indices: Vec<Index>,
    session: Digest,
    /// By variant and seat.
    polynomials: [Vec<Vec<Polynomial>>; 2],
    commitments: [Vec<Commitments>; 2],
}

type Two = [Vec<Statement>; 2];

/// All statements of `crowd`, sorted by nothing.
pub fn statements(
    ceremony: &Ceremony,
    operators: &[Arc<Operator>],
    crowd: Crowd,
) -> Vec<Statement> {
    let shape = Shape::of(ceremony);
    let polynomials = [0, 1].map(|variant| {
        let row = |seat: usize, v: usize| {
            let term = |k: usize| {
                let place = [variant, seat, v, k].map(|i| u32::try_from(i).expect("few"));
                secret_scalar(
                    Tag::Coefficient,
                    &place.map(u32::to_be_bytes).each_ref().map(|b| &b[..]),
                )
            };
            Polynomial::from_coefficients((0..shape.t).map(term).collect()).expect("none is zero")
        };
        let of = |seat: usize| (0..shape.v).map(|v| row(seat, v)).collect::<Vec<_>>();
        (0..shape.n).map(of).collect::<Vec<_>>()
    });
    let commitments = polynomials.each_ref().map(|all: &Vec<Vec<Polynomial>>| {
        all.par_iter().map(|own| Commitments::new(shape.t, commit_all(own))).collect()
    });
    let indices = ceremony.indices().collect();
    let mut flood = Flood {
        ceremony,
        operators,
        shape,
        indices,
        session: Digest::ZERO,
        polynomials,
        commitments,
    };
    flood.all(crowd)
}

impl Flood<'_> {
    fn all(&mut self, crowd: Crowd) -> Vec<Statement> {
        let hellos = [0, 1].map(|variant| self.each(|seat| self.hello(variant, seat)));
        let view = digests(&hellos[0]);
        self.session = session_id(self.ceremony, &view);
        let this = &*self;
        let dealt = [0, 1].map(|variant| -> Vec<Signed<Deal>> {
            (0..this.shape.n).map(|seat| this.deal(variant, seat, &view)).collect()
        });
        let deals: Two =
            dealt.each_ref().map(|all| all.iter().map(|deal| deal.statement.clone()).collect());
        let (mut prepares, mut messages) = ([Vec::new(), Vec::new()], Vec::new());
        for seat in 0..this.shape.n {
            for (nth, of) in prepares.iter_mut().enumerate() {
                let (statement, own) = this.sound_prepare(seat, 2 * seat + nth, &dealt);
                of.push(statement);
                messages.push(own);
            }
        }
        let commits = [0, 1].map(|nth| -> Vec<Statement> {
            let named = digests(&prepares[nth]);
            let own =
                |seat: usize| this.commit(seat, 2 * seat + nth, &named, &messages[2 * seat + nth]);
            this.each(own)
        });
        let mut all: Vec<Statement> =
            [hellos, deals.clone(), prepares, commits.clone()].concat().concat();
        for seat in 0..this.shape.n {
            let more = 2..crowd.prepares;
            all.extend(more.map(|nth| this.other_prepare(seat, nth, &deals)));
            all.extend((0..crowd.complaints).map(|nth| this.complaint(seat, nth, &deals)));
            all.extend((0..crowd.finals).map(|nth| this.last(seat, nth, &commits)));
        }
        all
    }

    fn each(&self, make: impl Fn(usize) -> Statement + Sync + Send) -> Vec<Statement> {
        (0..self.shape.n).into_par_iter().map(make).collect()
    }

    fn sign(
        &self,
        seat: usize,
        kind: Kind,
        round: Round,
        view: &[Digest],
        body: &[u8],
    ) -> Statement {
        let (session, root) = match round {
            Round::Hello => (self.ceremony.digest(), Digest::ZERO),
            _ => (self.session, view_root(view)),
        };
        let key = self.operators[seat].key();
        Statement::sign_kind(kind, key, self.indices[seat], round, session, root, body)
    }

    /// The view with this number of two statements of each seat.
    fn view(&self, number: usize, of: &Two) -> Vec<Digest> {
        (0..self.shape.n).map(|seat| of[chosen(number, seat)][seat].digest()).collect()
    }

    fn one_time(seat: usize, other: usize) -> DhSecret {
        DhSecret::new(Secret32::new(&mut bytes(&format!("flood {seat} {other}"))))
    }

    fn point(&self, seat: usize) -> Scalar {
        let own = self.ceremony.roster().get(self.indices[seat]).expect("a seat of the roster");
        Scalar::from_u64(own.point)
    }

    fn hello(&self, variant: usize, seat: usize) -> Statement {
        let label = |what: &str| bytes(&format!("flood {what} {variant} {seat}"));
        let (nonce, salt) = (label("nonce"), label("salt"));
        let root = self.commitments[variant][seat].merkle_root();
        let commitment =
            checks::hello_commitment(self.ceremony, self.indices[seat], &nonce, &salt, &root);
        let others = (0..self.shape.n).filter(|other| *other != seat);
        let one_time_keys = others.map(|other| Self::one_time(seat, other).public()).collect();
        let commitment = Some(commitment);
        let body = Hello { nonce, commitment, anchor: [0; 32], one_time_keys };
        self.sign(seat, Kind::Ordinary, Round::Hello, &[], &body.encode())
    }

    /// The box of `dealer`'s first deal for `recipient`.
    fn sealed(&self, dealer: usize, recipient: usize) -> Vec<u8> {
        let x = self.point(recipient);
        let of = &self.polynomials[0][dealer];
        let shares: Vec<SecretScalar> = of.iter().map(|one| one.evaluate(&x)).collect();
        let address = Address {
            session: self.session,
            dealer: self.indices[dealer],
            recipient: self.indices[recipient],
            root: self.commitments[0][dealer].merkle_root(),
        };
        let mut seed = bytes(&format!("flood box {dealer} {recipient}"));
        let to = Self::one_time(recipient, dealer).public();
        share_box::seal(&address, &to, &shares, Secret32::new(&mut seed))
    }

    fn deal(&self, variant: usize, seat: usize, view: &[Digest]) -> Signed<Deal> {
        let commitments = self.commitments[variant][seat].clone();
        let (dealer, root) = (self.indices[seat].get(), commitments.merkle_root());
        let statement = possession::Statement { session: self.session, dealer, root };
        let nonce = secret_scalar(Tag::PopNonce, &[b"flood", root.as_ref()]);
        let constants = self.polynomials[variant][seat].iter().map(Polynomial::constant);
        let proof = statement.prove(constants, nonce).expect("the nonce is not zero");
        let others: Vec<usize> = (0..self.shape.n).filter(|other| *other != seat).collect();
        let box_digests =
            others.par_iter().map(|other| share_box::digest(&self.sealed(seat, *other))).collect();
        let salt = bytes(&format!("flood salt {variant} {seat}"));
        let (proof, share_lists, named) = (Some(proof), Vec::new(), view.to_vec());
        let body =
            Deal { view: named, salt: Some(salt), box_digests, share_lists, proof, commitments };
        let statement = self.sign(seat, Kind::Ordinary, Round::Deal, view, &body.encode());
        Signed { statement, body }
    }

    /// The share of `seat` of every validator, if the deals of this view count.
    fn shares(&self, seat: usize, number: usize) -> Vec<SecretScalar> {
        let x = self.point(seat);
        let sum = |v: usize| {
            let mut sum = SecretScalar::zero();
            for dealer in 0..self.shape.n {
                let of = &self.polynomials[chosen(number, dealer)][dealer][v];
                sum.add_assign(&of.evaluate(&x));
            }
            sum
        };
        (0..self.shape.v).into_par_iter().map(sum).collect()
    }

    /// A prepare in which everything holds, and the messages to sign after it.
    fn sound_prepare(
        &self,
        seat: usize,
        number: usize,
        dealt: &[Vec<Signed<Deal>>; 2],
    ) -> (Statement, Messages) {
        let deals: Vec<Signed<Deal>> =
            (0..self.shape.n).map(|dealer| dealt[chosen(number, dealer)][dealer].clone()).collect();
        let sums = checks::add_up(self.ceremony, &self.session, &deals).expect("sums of labels");
        let message = checks::possession_message(sums.digest(), self.indices[seat]);
        let secret = sums.confirmation_secret(&self.shares(seat, number));
        let view: Vec<Digest> = deals.iter().map(|deal| deal.statement.digest()).collect();
        let possession = secret.sign(&message).expect("the secret is not zero");
        let body = Prepare::of(view.clone(), sums.root(), possession);
        let statement = self.sign(seat, Kind::Ordinary, Round::Prepare, &view, &body.encode());
        (statement, Messages::new(self.ceremony, sums.public_keys()))
    }

    /// A prepare over deals that only it names, whose root is none.
    fn other_prepare(&self, seat: usize, nth: usize, deals: &Two) -> Statement {
        let number = self.shape.n * nth + seat;
        let view = self.view(number, deals);
        let possession = checks::possession_message(&Digest(bytes("flood")), self.indices[seat]);
        let sums_root = Digest(bytes(&format!("flood root {number}")));
        let body = Prepare::of(view.clone(), sums_root, possession);
        self.sign(seat, Kind::Ordinary, Round::Prepare, &view, &body.encode())
    }

    /// A complaint about a box of a first deal: it opens, and the share matches.
    fn complaint(&self, seat: usize, nth: usize, deals: &Two) -> Statement {
        let dealer = (seat + 1 + nth % (self.shape.n - 1)) % self.shape.n;
        let mut view = self.view(self.shape.n * nth + seat, deals);
        view[dealer] = deals[0][dealer].digest();
        let body = Complaint {
            view: view.clone(),
            dealer: self.indices[dealer],
            claim: Claim::Mismatch { validator: nth % self.shape.v },
            shown: Shown::Box {
                opened: *Self::one_time(seat, dealer).expose(),
                sealed: self.sealed(dealer, seat),
            },
        };
        self.sign(seat, Kind::Complaint, Round::Prepare, &view, &body.encode())
    }

    fn commit(
        &self,
        seat: usize,
        number: usize,
        view: &[Digest],
        messages: &Messages,
    ) -> Statement {
        let shares = self.shares(seat, number);
        let sign = |((v, _), point): (&(usize, [u8; 32]), _)| {
            shares[*v].sign(point).expect("the share is not zero")
        };
        let partials = messages.roots.par_iter().zip(&messages.points).map(sign).collect();
        let body = Commit { view: view.to_vec(), partials, sealed: Vec::new() };
        self.sign(seat, Kind::Ordinary, Round::Commit, view, &body.encode())
    }

    /// A final over commits that only it names, with outputs that are none.
    fn last(&self, seat: usize, nth: usize, commits: &Two) -> Statement {
        let number = self.shape.n * nth + seat;
        let view = self.view(number, commits);
        let outputs = Digest(bytes(&format!("flood outputs {number}")));
        let body =
            Final { view: view.clone(), outputs, flags: None, sealed: Vec::new(), lock: None };
        self.sign(seat, Kind::Ordinary, Round::Final, &view, &body.encode())
    }
}
