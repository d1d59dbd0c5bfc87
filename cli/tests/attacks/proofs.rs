//! Attacks P: proofs of possession.

use quorate::audit::code::Code;
use quorate::message::body::{Deal, Hello};
use quorate::message::envelope::{Round, Statement, session_id};
use quorate::message::inbox::digests;
use quorate::message::shape::Shape;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::commitment::Commitments;
use quorate::primitives::curve::{DecodeError as CurveError, G1, G1Sum, G2, Scalar, SecretScalar};
use quorate::primitives::hash::{Digest, Tag, tagged, weight};
use quorate::primitives::polynomial::Polynomial;
use quorate::primitives::possession::{self, Proof};
use quorate::protocol::checks::{self, Signed};
use quorate::protocol::evidence::{Class, Rule};
use quorate::protocol::outcome::Sums;
use quorate::simulation::collusion::{self, Collusion, collude};
use quorate::simulation::machine::TWO_VALIDATORS;
use quorate::spec::threshold::Index;

use crate::auditor::told;
use crate::dealing::{commit_to, infinity, plus_r};
use crate::scene::{
    Oracle, Scene, coefficient, index, polynomial, redealt, resigned, small, times_g,
};

/// Three commitments for each validator, whose constant makes the sum of all constants a key that
/// the attacker knows; the shares at points 1 and 2 are good ones.
pub(crate) struct Rogue {
    pub(crate) commitments: Commitments,
    /// The secret key of each validator.
    pub(crate) keys: Vec<SecretScalar>,
    /// Shares for the points 1 and 2, by validator.
    pub(crate) shares: [Vec<SecretScalar>; 2],
}

fn weighted(parts: &[(G1Sum, Scalar)]) -> G1 {
    let mut sum = G1Sum::zero();
    parts.iter().for_each(|(point, factor)| sum.add_sum(&point.scaled(factor)));
    sum.finish().unwrap()
}

impl Rogue {
    /// `others`: the constants of all other dealers, by dealer and validator.
    pub(crate) fn against(others: &[Vec<G1>]) -> Self {
        let half = Scalar::from_u64(2).inverse().unwrap();
        let (one, two, three) = (Scalar::one(), Scalar::from_u64(2), Scalar::from_u64(3));
        let validators = others[0].len();
        let secret =
            |seat: u16| (0..validators).map(|v| coefficient(seat, v, 0)).collect::<Vec<_>>();
        let (keys, first, second) = (secret(100), secret(101), secret(102));
        let row = |v: usize| {
            let known = keys[v].base_mult().unwrap();
            let mut constant = G1Sum::from(known);
            others.iter().for_each(|dealer| constant.add_sum(&G1Sum::from(dealer[v]).negated()));
            let (s1, s2) = (
                G1Sum::from(first[v].base_mult().unwrap()),
                G1Sum::from(second[v].base_mult().unwrap()),
            );
            // Through (0, constant), (1, s1) and (2, s2).
            [
                constant.finish().unwrap(),
                weighted(&[(constant, -(three * half)), (s1, two), (s2, -half)]),
                weighted(&[(constant, half), (s1, -one), (s2, half)]),
            ]
        };
        let commitments = Commitments::new(3, (0..validators).flat_map(row).collect());
        Self { commitments, keys, shares: [first, second] }
    }
}

/// Constants of a known dealer.
pub(crate) fn constants(
    coefficient: impl Fn(usize, usize) -> SecretScalar,
    validators: usize,
) -> Vec<G1> {
    (0..validators).map(|v| coefficient(v, 0).base_mult().unwrap()).collect()
}

/// The deals of a transcript, with what they add up to.
pub(crate) struct Dealt {
    pub(crate) collusion: Collusion,
    pub(crate) hellos: Vec<Statement>,
    pub(crate) session: Digest,
    pub(crate) deals: Vec<Signed<Deal>>,
    pub(crate) sums: Sums,
}

impl Dealt {
    pub(crate) fn of(collusion: Collusion) -> Self {
        let statements = collusion.statements();
        let (n, shape) = (collusion.ceremony.n(), Shape::of(&collusion.ceremony));
        let hellos = statements[..n].to_vec();
        let session = session_id(&collusion.ceremony, &digests(&hellos));
        let deals =
            checks::decode(&statements[n..2 * n], |bytes, from| Deal::decode(bytes, &shape, from))
                .unwrap();
        let sums = checks::add_up(&collusion.ceremony, &session, &deals).unwrap();
        Self { collusion, hellos, session, deals, sums }
    }

    /// A prepare of `seat` (from 1) with this possession proof.
    pub(crate) fn prepare(
        &self,
        seat: u16,
        possession: G2,
    ) -> Signed<quorate::message::body::Prepare> {
        use quorate::message::body::Prepare;
        let deals: Vec<Statement> = self.deals.iter().map(|deal| deal.statement.clone()).collect();
        let body = Prepare::of(digests(&deals), self.sums.root(), possession);
        let root = quorate::message::envelope::view_root(&body.view);
        let key = self.collusion.operators[usize::from(seat) - 1].key();
        let statement =
            Statement::sign(key, index(seat), Round::Prepare, self.session, root, &body.encode());
        Signed { statement, body }
    }

    /// What seat `seat` proves with these shares.
    pub(crate) fn possession(&self, seat: u16, shares: &[SecretScalar]) -> G2 {
        let message = checks::possession_message(self.sums.digest(), index(seat));
        self.sums.confirmation_secret(shares).sign(&message).unwrap()
    }

    pub(crate) fn shares(&self, seat: u16) -> Vec<SecretScalar> {
        (0..self.collusion.ceremony.v())
            .map(|v| self.collusion.share(usize::from(seat) - 1, v))
            .collect()
    }
}

/// Seat 3's deal is rogue; seats 1 and 2 have good shares, and the attackers at 3 and 4 what honest
/// dealers gave them.
pub(crate) fn rogue_deal() -> (Dealt, Rogue, [Vec<SecretScalar>; 4]) {
    let honest = |seat: usize| constants(move |v, k| collusion::coefficient(seat, v, k), 2);
    let others = [honest(0), honest(1), honest(3)];
    let rogue = Rogue::against(&others);
    let replaced = rogue.commitments.clone();
    let committed = replaced.clone();
    let ceremony = collude(4, 3, TWO_VALIDATORS, collusion::Hooks::default()).ceremony;
    let hooks = collusion::Hooks {
        hello: Box::new(move |seat, hello: &mut Hello| {
            if seat == 2 {
                let salt = quorate::simulation::machine::bytes("salt 2");
                hello.commitment = Some(checks::hello_commitment(
                    &ceremony,
                    index(3),
                    &hello.nonce,
                    &salt,
                    &committed.merkle_root(),
                ));
            }
        }),
        deal: Box::new(move |seat, deal: &mut Deal| {
            if seat == 2 {
                deal.commitments = replaced.clone();
            }
        }),
        ..collusion::Hooks::default()
    };
    let dealt = Dealt::of(collude(4, 3, TWO_VALIDATORS, hooks));
    let known = |seat: u64| -> Vec<SecretScalar> {
        let x = Scalar::from_u64(seat);
        let of = |v: usize| {
            let mut sum = SecretScalar::zero();
            for dealer in [0, 1, 3] {
                let row = (0..3).map(|k| collusion::coefficient(dealer, v, k)).collect();
                sum.add_assign(&Polynomial::from_coefficients(row).unwrap().evaluate(&x));
            }
            if seat <= 2 {
                sum.add_assign(&rogue.shares[usize::try_from(seat).unwrap() - 1][v]);
            }
            sum
        };
        (0..2).map(of).collect()
    };
    let shares = [known(1), known(2), known(3), known(4)];
    (dealt, rogue, shares)
}

#[test]
fn attack_p1_rogue_key() {
    // First layer: the constant can only be chosen after the others' are known, and then it is not
    // what the hello fixed.
    let oracle = Oracle::new(4, 3, &[3, 4]);
    let honest = oracle
        .dealt()
        .iter()
        .map(|deal| deal.commitments.constants().collect())
        .collect::<Vec<Vec<G1>>>();
    let accomplice = constants(|v, k| coefficient(4, v, k), 2);
    let rogue = Rogue::against(&[honest[0].clone(), honest[1].clone(), accomplice]);
    let mut scene = Scene::new(4, 3, &[3, 4]);
    let by_three = |seat: Index| seat == index(3);
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal && by_three(forger.seat.me) {
            sent.statement = redealt(forger, &sent.statement, |deal| {
                deal.commitments = rogue.commitments.clone()
            });
        }
    });
    scene.convicts(&Rule::Opening { dealer: index(3) }, Class::E2, 3);
    told("P1", &scene.dossier(), &[Code::V7, Code::V10, Code::V19], &[3]);

    // Second layer: as if the attacker had known them before, so that the hello opens. The shares
    // for the honest are good.
    let mut scene = Scene::new(4, 3, &[3, 4]);
    scene.play(&mut |forger, round, sent| {
        if !by_three(forger.seat.me) {
            return;
        }
        match round {
            Round::Hello => sent.statement = commit_to(forger, sent, &rogue.commitments),
            Round::Deal => {
                sent.statement = redealt(forger, &sent.statement, |deal| {
                    deal.commitments = rogue.commitments.clone()
                });
            }
            _ => (),
        }
    });
    scene.convicts(&Rule::ProofOfPossession { dealer: index(3) }, Class::E2, 3);
    told("P1-committed", &scene.dossier(), &[Code::V10, Code::V19], &[3]);

    // Each layer alone, on one set of statements. The opening holds here; it would not for
    // constants chosen later.
    let (dealt, rogue, shares) = rogue_deal();
    let ceremony = &dealt.collusion.ceremony;
    let hellos = checks::decode_hellos(&dealt.hellos, &Shape::of(ceremony)).unwrap();
    checks::opened(ceremony, &hellos, &dealt.deals).unwrap();
    let fault = checks::known_constants(&dealt.session, &dealt.deals).unwrap_err();
    assert_eq!(fault.rule, Rule::ProofOfPossession { dealer: index(3) });
    // Third layer: without the other two, the attack gives the attacker every key,
    for v in 0..2 {
        assert_eq!(rogue.keys[v].base_mult(), Some(dealt.sums.public_key(v)));
    }
    // the honest seats confirm their shares, which are good,
    let proofs: Vec<G2> =
        (1..=4).map(|seat| dealt.possession(seat, &shares[usize::from(seat) - 1])).collect();
    let prepares: Vec<_> =
        (1..=4).map(|seat| dealt.prepare(seat, proofs[usize::from(seat) - 1])).collect();
    checks::shares_proven(ceremony, &dealt.sums, &prepares[..2]).unwrap();
    // and the attackers cannot: nobody knows the polynomial at their points.
    let fault = checks::shares_proven(ceremony, &dealt.sums, &prepares).unwrap_err();
    assert_eq!(
        (&fault.rule, fault.rule.class()),
        (&Rule::Possession { operator: index(3) }, Some(Class::E5))
    );
    let fault =
        checks::shares_proven(ceremony, &dealt.sums, &[&prepares[..2], &prepares[3..]].concat())
            .unwrap_err();
    assert_eq!(fault.rule, Rule::Possession { operator: index(4) });
}

fn with_proof(name: &str, proof: impl Fn(&Digest, &Commitments) -> Proof) {
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            let session = sent.statement.envelope.session;
            sent.statement = redealt(forger, &sent.statement, |deal| {
                deal.proof = Some(proof(&session, &deal.commitments))
            });
        }
    });
    scene.convicts(&Rule::ProofOfPossession { dealer: index(3) }, Class::E2, 3);
    told(name, &scene.dossier(), &[Code::V10, Code::V19], &[3]);
}

fn prove(session: Digest, dealer: u16, root: Digest) -> Proof {
    let secrets: Vec<SecretScalar> = (0..2).map(|v| coefficient(3, v, 0)).collect();
    possession::Statement { session, dealer, root }.prove(secrets.iter(), small(77)).unwrap()
}

#[test]
fn attack_p2_proof_from_elsewhere() {
    with_proof("P2", |_, commitments| prove(Digest([1; 32]), 3, commitments.merkle_root()));
    with_proof("P2-dealer", |session, commitments| prove(*session, 2, commitments.merkle_root()));
    with_proof("P2-commitments", |session, _| prove(*session, 3, Digest([2; 32])));
    // The same proof where it belongs.
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            let session = sent.statement.envelope.session;
            sent.statement = redealt(forger, &sent.statement, |deal| {
                deal.proof = Some(prove(session, 3, deal.commitments.merkle_root()))
            });
        }
    });
    scene.all_finish();
}

#[test]
fn attack_p3_commitment_after_challenge() {
    // One constant is somebody else's; the other is solved for, so that a challenge over the nonce
    // point alone is answered.
    let oracle = Oracle::new(4, 3, &[3]);
    let stolen = oracle.dealt()[0].commitments.row(0)[0];
    let (nonce, z) = (times_g(7), Scalar::from_u64(11));
    let challenge = tagged(Tag::PopChallenge, &[&nonce.to_uncompressed()]);
    let exponent = |v: u32| {
        Scalar::from_u128(weight(Tag::PopExponent, &[challenge.as_ref(), &v.to_be_bytes()]))
    };
    let (first, second) = (exponent(0), exponent(1));
    let inverse = second.inverse().unwrap();
    let g = G1Sum::from(G1::generator());
    let solved = weighted(&[
        (g, z * inverse),
        (G1Sum::from(nonce), -inverse),
        (G1Sum::from(stolen), -(first * inverse)),
    ]);
    let left = g.scaled(&z);
    let right = weighted(&[
        (G1Sum::from(nonce), Scalar::one()),
        (G1Sum::from(stolen), first),
        (G1Sum::from(solved), second),
    ]);
    assert!(left == G1Sum::from(right), "the weak verifier accepts");

    let rest = |v: usize| polynomial(3, v, 3).commit()[1..].to_vec();
    let rows = [vec![stolen], rest(0), vec![solved], rest(1)].concat();
    let commitments = Commitments::new(3, rows);
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| match round {
        Round::Hello => sent.statement = commit_to(forger, sent, &commitments),
        Round::Deal => {
            sent.statement = redealt(forger, &sent.statement, |deal| {
                (deal.commitments, deal.proof) = (commitments.clone(), Some(Proof { r: nonce, z }));
            });
        }
        _ => (),
    });
    scene.convicts(&Rule::ProofOfPossession { dealer: index(3) }, Class::E2, 3);
    told("P3", &scene.dossier(), &[Code::V10, Code::V19], &[3]);
}

#[test]
fn attack_p4_challenge_leaves_something_out() {
    let dealt = Dealt::of(collude(3, 2, TWO_VALIDATORS, collusion::Hooks::default()));
    let (deal, shape) = (&dealt.deals[1], Shape::of(&dealt.collusion.ceremony));
    let statement = possession::Statement {
        session: dealt.session,
        dealer: 2,
        root: deal.body.commitments.merkle_root(),
    };
    let holds = |statement: &possession::Statement| {
        statement.verify(deal.body.commitments.constants(), &deal.body.proof.unwrap())
    };
    assert!(holds(&statement));
    for byte in 0..32 {
        let flipped = |mut digest: Digest| {
            digest.0[byte] ^= 1;
            digest
        };
        assert!(!holds(&possession::Statement {
            session: flipped(statement.session),
            ..statement
        }));
        assert!(!holds(&possession::Statement { root: flipped(statement.root), ..statement }));
    }
    for bit in 0..16 {
        assert!(!holds(&possession::Statement { dealer: 2 ^ (1 << bit), ..statement }));
    }
    // A commitment that is no constant is in the root: its change changes the challenge.
    let mut rows: Vec<G1> = deal.body.commitments.rows().flatten().copied().collect();
    rows[3] = times_g(5);
    let root = Commitments::new(2, rows).merkle_root();
    assert!(!holds(&possession::Statement { root, ..statement }));

    // Every byte of the deal, signed anew: some check of the deal refuses it, but for the box
    // digests, which boxes are compared with.
    let hellos = checks::decode_hellos(&dealt.hellos, &shape).unwrap();
    let (view, boxes) = (32 * shape.n, 32 * shape.n + 32..32 * shape.n + 32 + 32 * (shape.n - 1));
    let envelope = &deal.statement.envelope;
    for at in 0..deal.statement.body().len() {
        let mut body = deal.statement.body().to_vec();
        body[at] ^= 1;
        let key = dealt.collusion.operators[1].key();
        let changed = Statement::sign(
            key,
            index(2),
            Round::Deal,
            envelope.session,
            envelope.view_root,
            &body,
        );
        let checked = || {
            let one = checks::decode(core::slice::from_ref(&changed), |bytes, from| {
                Deal::decode(bytes, &shape, from)
            })?;
            checks::deals_follow_hellos(&dealt.hellos, &one)?;
            checks::opened(&dealt.collusion.ceremony, &hellos[1..2], &one)?;
            checks::known_constants(&dealt.session, &one).map(drop)
        };
        match checked() {
            Ok(()) => assert!(boxes.contains(&at), "byte {at} of the deal is in no check"),
            Err(fault) if at < view => {
                assert_eq!(fault.rule, Rule::ViewRoot { operator: index(2), round: Round::Deal })
            }
            Err(fault) => assert_eq!(fault.rule.culprits(), [index(2)]),
        }
    }
}

#[test]
fn attack_p5_one_proof_per_dealer() {
    // Solving for parallel challenges needs many proofs of one dealer in one session. There is one,
    // of 128 bytes.
    let sizes: Vec<usize> = [1, 2, 3]
        .map(|count| {
            let one = "[[validators]]\nwithdrawal = \
                       \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = false\ncount \
                       = ";
            let collusion = collude(3, 2, &format!("{one}{count}\n"), collusion::Hooks::default());
            collusion.statements()[3].body().len()
        })
        .to_vec();
    assert_eq!(
        (sizes[1] - sizes[0], sizes[2] - sizes[1]),
        (96 * 2, 96 * 2),
        "two commitments more, and nothing else"
    );
    assert_eq!(sizes[0], 3 * 32 + 32 + 2 * 32 + 96 * 2 + 128);
    // One answer holds for all constants at once: with any of them exchanged for a multiple it does
    // not.
    let dealt = Dealt::of(collude(3, 2, TWO_VALIDATORS, collusion::Hooks::default()));
    let body = &dealt.deals[0].body;
    let statement = possession::Statement {
        session: dealt.session,
        dealer: 1,
        root: body.commitments.merkle_root(),
    };
    for v in 0..2 {
        let mut constants: Vec<G1> = body.commitments.constants().collect();
        constants[v] = G1Sum::from(constants[v]).scaled_u64(2).finish().unwrap();
        assert!(!statement.verify(constants.into_iter(), &body.proof.unwrap()));
    }
}

#[test]
fn attack_p6_nonce_used_twice() {
    // Operator 1 says hello, deals, is set back, and meets other hellos.
    let shape = Shape::of(Scene::new(3, 2, &[2, 3]).ceremony());
    let deal_of_first = |nonce: u8| {
        let mut scene = Scene::new(3, 2, &[2, 3]);
        scene.play(&mut |forger, round, sent| {
            if round == Round::Hello {
                sent.statement = resigned(forger, &sent.statement, |body| body[0] ^= nonce);
            }
        });
        let inbox = scene.machines[0].participant().inbox();
        let hello = inbox.get(Round::Hello, index(1)).unwrap().clone();
        (hello, inbox.session().unwrap(), inbox.get(Round::Deal, index(1)).unwrap().clone())
    };
    let (first, second, again) = (deal_of_first(0), deal_of_first(1), deal_of_first(0));
    assert_eq!((&first.0, first.0 == second.0), (&again.0, true), "set back to after the hello");
    assert_ne!(first.1, second.1);
    assert_eq!(first.2.bytes(), again.2.bytes(), "the same bytes in the same session");
    let proof = |deal: &Statement| Deal::decode(deal.body(), &shape, deal.envelope.sender).unwrap();
    let (a, b) = (proof(&first.2), proof(&second.2));
    assert!(a.commitments == b.commitments, "the polynomials are the same");
    assert_ne!(
        a.proof.unwrap().r,
        b.proof.unwrap().r,
        "two answers under one nonce would give them away"
    );
    assert_ne!(a.box_digests, b.box_digests);
}

#[test]
fn attack_p7_degenerate_proof() {
    let shape = Shape::of(Scene::of_four().ceremony());
    let r = 32 * shape.n + 32 + 32 * (shape.n - 1);
    let malformed = |name: &str, what, source, change: &dyn Fn(&mut Vec<u8>)| {
        let mut scene = Scene::of_four();
        scene.play(&mut |forger, round, sent| {
            if round == Round::Deal {
                sent.statement = resigned(forger, &sent.statement, change);
            }
        });
        let error = DecodeError::Curve { what, source };
        scene.convicts(
            &Rule::Malformed { operator: index(3), round: Round::Deal, error },
            Class::E2,
            3,
        );
        told(name, &scene.dossier(), &[Code::V8, Code::V19], &[3]);
    };
    malformed("P7", "proof of possession, R", CurveError::Infinity, &|body| {
        body[r..r + 96].copy_from_slice(&infinity())
    });
    malformed("P7-response", "proof of possession, z", CurveError::ScalarTooLarge, &|body| {
        let z = <[u8; 32]>::try_from(&body[r + 96..r + 128]).unwrap();
        body[r + 96..r + 128].copy_from_slice(&plus_r(&z));
    });
    with_proof("P7-zero", |session, commitments| Proof {
        z: Scalar::ZERO,
        ..prove(*session, 3, commitments.merkle_root())
    });
}

#[test]
fn attack_p8_negated_proof() {
    let oracle = Oracle::new(4, 3, &[3]);
    let victim = oracle.dealt().remove(0);
    let negated = |point: &G1| G1Sum::from(*point).negated().finish().unwrap();
    let commitments =
        Commitments::new(3, victim.commitments.rows().flatten().map(negated).collect());
    let theirs = victim.proof.unwrap();
    let proof = Proof { r: negated(&theirs.r), z: -theirs.z };
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| match round {
        Round::Hello => sent.statement = commit_to(forger, sent, &commitments),
        Round::Deal => {
            sent.statement = redealt(forger, &sent.statement, |deal| {
                (deal.commitments, deal.proof) = (commitments.clone(), Some(proof));
            });
        }
        _ => (),
    });
    scene.convicts(&Rule::ProofOfPossession { dealer: index(3) }, Class::E2, 3);
    told("P8", &scene.dossier(), &[Code::V10, Code::V19], &[3]);
}
