//! Attacks T and K: thresholds, keys and shares.

use quorate::audit::audit;
use quorate::audit::code::Code;
use quorate::audit::expectation::{Expectations, HeldShare};
use quorate::message::body::{Deal, Hello};
use quorate::message::envelope::{Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::batch::verify_signature;
use quorate::primitives::curve::{G1Sum, G2, G2Sum, Scalar, SecretScalar};
use quorate::primitives::hash::{DST_POSSESSION, Digest};
use quorate::primitives::lagrange;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::checks::{self, possession_message};
use quorate::protocol::evidence::{Class, Rule};
use quorate::protocol::outcome::Sums;
use quorate::protocol::participant::{Ask, Input, Participant, Refused, Step};
use quorate::protocol::record::{Record, RecordKind, ReplayError};
use quorate::simulation::collusion::{Hooks, collude};
use quorate::simulation::forger::Forger;
use quorate::simulation::machine::{TWO_VALIDATORS, entropy, honest, machines, run};
use quorate::spec::show::describe;
use quorate::spec::threshold::{Threshold, ThresholdError};
use quorate::spec::{Ceremony, Place, SpecError};

use crate::auditor::told;
use crate::proofs::{Dealt, rogue_deal};
use crate::scene::{Oracle, Scene, index};
use crate::session::{file, parsed, with};

fn threshold(n: usize, t: usize) -> Result<Ceremony, SpecError> {
    parsed(&file(n, t))
}

#[test]
fn attack_t1_threshold_out_of_range() {
    use ThresholdError::{AboveOperators, TooFewOperators, TooLow};
    let refused = |n, t| match threshold(n, t).unwrap_err() {
        SpecError::Threshold(why) => why,
        other => panic!("{other}"),
    };
    assert_eq!(refused(4, 0), TooLow(0));
    assert_eq!(refused(4, 1), TooLow(1));
    assert_eq!(refused(4, 5), AboveOperators { required: 5, participants: 4 });
    assert_eq!(refused(2, 2), TooFewOperators(2));
    // In canonical bytes too, whoever made them.
    let ceremony = threshold(4, 3).unwrap();
    let at = ceremony
        .canonical()
        .windows(4)
        .rposition(|window| window == [0, 4, 0, 3])
        .or_else(|| ceremony.canonical().windows(4).rposition(|window| window == [0, 3, 0, 4]));
    let mut bytes = ceremony.canonical().to_vec();
    let at = at.expect("both numbers stand together");
    for (byte, value) in [(at + 1, 0), (at + 3, 0), (at + 1, 200), (at + 3, 200)] {
        let before = core::mem::replace(&mut bytes[byte], value);
        assert!(Ceremony::from_canonical(&bytes).is_err());
        bytes[byte] = before;
    }
}

#[test]
fn attack_t2_threshold_of_half() {
    for (n, t) in [(4, 2), (5, 2), (6, 3), (7, 3), (8, 4)] {
        let why = ThresholdError::NotMajority { required: t, participants: n };
        assert_eq!(Threshold::new(t, n).err(), Some(why));
        let lenient = file(n, t) + "[policy]\nallow_all_required = true\n";
        for text in [file(n, t), lenient] {
            assert_eq!(parsed(&text).unwrap_err(), SpecError::Threshold(why));
        }
    }
    let unknown = file(4, 2) + "[policy]\nallow_minority = true\n";
    assert!(matches!(parsed(&unknown), Err(SpecError::Toml { .. })));
}

#[test]
fn attack_t3_threshold_of_all() {
    assert_eq!(threshold(3, 3).unwrap_err(), SpecError::AllRequired(3));
    let allowed = parsed(&(file(3, 3) + "[policy]\nallow_all_required = true\n")).unwrap();
    let shown = describe(&allowed);
    assert!(shown.lines().any(|line| line.contains("WARNING") && line.contains("one")), "{shown}");
    assert!(!describe(&threshold(3, 2).unwrap()).contains("WARNING"));
}

#[test]
fn attack_t4_bad_evaluation_point() {
    let text = file(4, 3);
    let address = "address = \"127.0.0.1:3600\"";
    let first = |point: &str| with(&text, address, &format!("{address}\npoint = {point}"));
    let place = |position| Place::operator(position, "point");
    assert_eq!(parsed(&first("0")).unwrap_err(), SpecError::PointZero { place: place(0) });
    assert_eq!(
        parsed(&first("2")).unwrap_err(),
        SpecError::PointDuplicate { place: place(1), point: 2, first: 0 }
    );
    assert_eq!(
        parsed(&first("9")).unwrap_err(),
        SpecError::PointOrder { place: place(1), point: 2, previous: 9 }
    );
    for outside in ["18446744073709551616", "-1", "1.5", "\"1\""] {
        assert!(matches!(parsed(&first(outside)), Err(SpecError::Toml { .. })), "{outside}");
    }
    assert_eq!(lagrange::coefficients_at_zero(&[0, 1, 2]), None);
    assert_eq!(lagrange::coefficients_at_zero(&[1, 2, 2]), None);
}

#[test]
fn attack_k1_chosen_public_share() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    let outcome = all[0].participant().outcome().unwrap();
    for (seat, machine) in all.iter().enumerate() {
        for v in 0..2 {
            let own = machine.participant().shares().unwrap()[v].base_mult();
            assert_eq!(
                own,
                Some(outcome.validators[v].public_shares[seat]),
                "derived by everybody, sent by nobody"
            );
        }
    }
    // An operator that shows other shares than its own is found out.
    let ceremony = all[0].seat.ceremony.clone();
    let statements: Vec<Statement> = all[0].participant().inbox().statements().cloned().collect();
    let transcript = quorate::transcript::container::encode(&ceremony, &statements).unwrap();
    let shares = |seats: [usize; 2]| -> Vec<HeldShare> {
        let held = |(v, seat): (usize, usize)| {
            HeldShare::new("k", &all[seat].participant().shares().unwrap()[v])
        };
        seats.into_iter().enumerate().map(held).collect()
    };
    let with_shares = |shares: &[HeldShare]| {
        audit(&transcript, &Expectations { shares, ..Expectations::default() }).failed()
    };
    assert_eq!(with_shares(&shares([1, 1])), []);
    assert_eq!(with_shares(&shares([1, 2])), [Code::Shares]);
}

/// What the attacker at seat 3 of four knows once everybody has dealt and it has kept the rules.
pub(crate) struct Rehearsal {
    pub(crate) session: Digest,
    pub(crate) deals: Vec<Statement>,
    pub(crate) sums: Sums,
    pub(crate) shares: Vec<SecretScalar>,
}

impl Rehearsal {
    pub(crate) fn new() -> Self {
        Self::of(Scene::of_four)
    }

    /// In such a scene of four.
    pub(crate) fn of(make: fn() -> Scene) -> Self {
        let (oracle, mut scene) = (Oracle::of(make()), make());
        scene.play(&mut |_, _, _| ());
        let deals = scene.complete(Round::Deal).unwrap();
        let boxes: Vec<_> =
            [1, 2, 4].map(|dealer| (index(dealer), oracle.sealed(dealer, 3))).to_vec();
        let forger: &Forger = &scene.forgers[0];
        let sums = forger.sums(&oracle.session, &deals).unwrap();
        let shares = forger.shares(oracle.session, &deals, &boxes).unwrap();
        Self { session: oracle.session, deals, sums, shares }
    }

    pub(crate) fn copy(&self) -> Vec<SecretScalar> {
        self.shares.iter().map(|share| share.scaled(&Scalar::one())).collect()
    }

    /// The attacker confirms with other shares.
    fn confirms(&self, name: &str, shares: &[SecretScalar]) {
        let mut scene = Scene::of_four();
        scene.play(&mut |forger, round, sent| {
            if round == Round::Prepare {
                sent.statement = forger.prepare(self.session, &self.deals, &self.sums, shares);
            }
        });
        refuses_possession(name, &scene);
    }
}

fn refuses_possession(name: &str, scene: &Scene) {
    scene.convicts(&Rule::Possession { operator: index(3) }, Class::E5, 3);
    for machine in &scene.machines {
        let inbox = machine.participant().inbox();
        assert!(inbox.get(Round::Commit, machine.seat.me).is_none(), "no partial signature exists");
    }
    told(name, &scene.dossier(), &[Code::V13, Code::V19], &[3]);
}

#[test]
fn attack_k2_public_shares_cancel() {
    // Seats 3 and 4 have shares off the polynomial; over all four seats the errors cancel.
    let lambda = lagrange::coefficients_at_zero(&[1, 2, 3, 4]).unwrap();
    let collusion = collude(4, 3, TWO_VALIDATORS, Hooks::default());
    let dealt = Dealt::of(collusion);
    let error = |seat: usize| Scalar::from_u64(5) * lambda[seat].inverse().unwrap();
    let off = |seat: u16| -> Vec<SecretScalar> {
        let mut shares = dealt.shares(seat);
        let by = if seat == 3 { error(2) } else { -error(3) };
        shares[0].add_assign(&crate::scene::small(1).scaled(&by));
        shares
    };
    let shares = [dealt.shares(1), dealt.shares(2), off(3), off(4)];
    let key = |seats: &[usize], points: &[u64]| {
        let lambda = lagrange::coefficients_at_zero(points).unwrap();
        let mut sum = G1Sum::zero();
        for (seat, factor) in seats.iter().zip(&lambda) {
            sum.add_sum(&G1Sum::from(shares[*seat][0].base_mult().unwrap()).scaled(factor));
        }
        sum.finish().unwrap()
    };
    let expected = dealt.sums.public_key(0);
    assert_eq!(
        key(&[0, 1, 2, 3], &[1, 2, 3, 4]),
        expected,
        "over all seats everything seems right"
    );
    for seats in [[0, 1, 2], [0, 1, 3], [1, 2, 3]] {
        assert_ne!(
            key(&seats, &seats.map(|seat| seat as u64 + 1)),
            expected,
            "and no three can sign with one of them"
        );
    }
    let prepares: Vec<_> = (1..=4)
        .map(|seat| dealt.prepare(seat, dealt.possession(seat, &shares[usize::from(seat) - 1])))
        .collect();
    let ceremony = &dealt.collusion.ceremony;
    let fault = checks::shares_proven(ceremony, &dealt.sums, &prepares).unwrap_err();
    assert_eq!(
        (&fault.rule, fault.rule.class()),
        (&Rule::Possession { operator: index(3) }, Some(Class::E5))
    );
    let fault = checks::shares_proven(ceremony, &dealt.sums, &prepares[3..]).unwrap_err();
    assert_eq!(fault.rule, Rule::Possession { operator: index(4) });
    // The whole transcript of it.
    let proofs: Vec<G2> =
        prepares.iter().map(|prepare| prepare.body.stored.as_ref().unwrap().possession).collect();
    let prepare = move |seat: usize, body: &mut quorate::message::body::Prepare| {
        body.stored.as_mut().unwrap().possession = proofs[seat]
    };
    let transcript =
        collude(4, 3, TWO_VALIDATORS, Hooks { prepare: Box::new(prepare), ..Hooks::default() })
            .transcript();
    told("K2", &transcript, &[Code::V13], &[3, 4]);
}

#[test]
fn attack_k3_confirmed_without_share() {
    let rehearsal = Rehearsal::new();
    let mut without = rehearsal.copy();
    without[1] = SecretScalar::zero();
    rehearsal.confirms("K3", &without);
    let mut exchanged = rehearsal.copy();
    exchanged.swap(0, 1);
    rehearsal.confirms("K3-exchanged", &exchanged);
}

#[test]
fn attack_k4_interpolated_confirmations() {
    let (dealt, rogue, shares) = rogue_deal();
    // If all seats confirmed one message: the honest say what they hold, and from that the
    // attackers interpolate the rest.
    let message = G2::hash(b"one message for all", DST_POSSESSION);
    let secret =
        |shares: &[SecretScalar]| dealt.sums.confirmation_secret(shares).sign(&message).unwrap();
    let (at_zero, first, second) = (secret(&rogue.keys), secret(&shares[0]), secret(&shares[1]));
    let interpolate = |factors: [i8; 3]| {
        let mut sum = G2Sum::zero();
        for (part, factor) in [at_zero, first, second].into_iter().zip(factors) {
            let size = G2Sum::from(part).scaled_u64(u64::from(factor.unsigned_abs()));
            sum.add_sum(&if factor < 0 { size.negated() } else { size });
        }
        sum.finish().unwrap()
    };
    // The polynomial through points 0, 1 and 2, at 3 and at 4.
    let forged = [interpolate([1, -3, 3]), interpolate([3, -8, 6])];
    for (point, forged) in [3, 4].into_iter().zip(&forged) {
        let key = dealt.sums.confirmation_key(point).unwrap();
        assert!(
            verify_signature(&key, &message, forged),
            "a verifier with one message for all accepts seat {point}"
        );
    }
    // Every seat has its own message, on which the honest have said nothing.
    let ceremony = &dealt.collusion.ceremony;
    for (seat, forged) in [3, 4].into_iter().zip(forged) {
        let fault = checks::shares_proven(ceremony, &dealt.sums, &[dealt.prepare(seat, forged)])
            .unwrap_err();
        assert_eq!(
            (&fault.rule, fault.rule.class()),
            (&Rule::Possession { operator: index(seat) }, Some(Class::E5))
        );
    }
    let messages: Vec<[u8; 96]> = (1..=4)
        .map(|seat| possession_message(dealt.sums.digest(), index(seat)).to_compressed())
        .collect();
    assert!((0..4).all(|a| (0..a).all(|b| messages[a] != messages[b])));
    // In a transcript: without the honest messages nothing but noise can be put there, and the deal
    // fails as well.
    let (committed, replaced) = (rogue.commitments.clone(), rogue.commitments);
    let other = collude(4, 3, TWO_VALIDATORS, Hooks::default()).ceremony;
    let hello = move |seat: usize, hello: &mut Hello| {
        if seat == 2 {
            let salt = quorate::simulation::machine::bytes("salt 2");
            hello.commitment = Some(checks::hello_commitment(
                &other,
                index(3),
                &hello.nonce,
                &salt,
                &committed.merkle_root(),
            ));
        }
    };
    let deal = move |seat: usize, deal: &mut Deal| {
        if seat == 2 {
            deal.commitments = replaced.clone();
        }
    };
    let proofs: Vec<G2> = [1, 2]
        .map(|seat| dealt.possession(seat, &shares[usize::from(seat) - 1]))
        .into_iter()
        .chain(forged)
        .collect();
    let prepare = move |seat: usize, body: &mut quorate::message::body::Prepare| {
        body.stored.as_mut().unwrap().possession = proofs[seat]
    };
    let hooks = Hooks {
        hello: Box::new(hello),
        deal: Box::new(deal),
        prepare: Box::new(prepare),
        ..Hooks::default()
    };
    let transcript = collude(4, 3, TWO_VALIDATORS, hooks).transcript();
    let report = audit(&transcript, &Expectations::default());
    assert!(report.failed().contains(&Code::V10) && report.failed().contains(&Code::V13));
}

/// The fourth operator, whose driver hands it this when it reads its shares back.
fn reread(change: impl Fn(Vec<Vec<u8>>) -> Vec<Vec<u8>>) -> (Participant, Result<Step, Refused>) {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    // The others' deals and boxes, for an operator that is not there yet: what it will say is
    // known.
    let mut frames = Vec::new();
    run(&mut all, &mut |_, to, frame| {
        let later =
            matches!(&frame, Frame::Statement(bytes) if bytes[7] >= Round::Prepare.number());
        if to.get() == 4 && !later {
            frames.push(frame.clone());
        }
        if later { Vec::new() } else { vec![frame] }
    });
    let (mut participant, _) =
        Participant::start(all[3].seat.clone(), Vec::new(), || entropy("4")).unwrap();
    let mut asked = None;
    for frame in frames {
        let input = match frame {
            Frame::Statement(bytes) => Input::Statement(bytes),
            Frame::ShareBox { dealer, sealed, .. } => Input::ShareBox { dealer, sealed },
            Frame::Have(_) | Frame::Want { .. } | Frame::Done(_) | Frame::Probe(_) => continue,
        };
        let Ok(step) = participant.handle(input) else { continue };
        if let Some(Ask::Reread(RecordKind::Shares)) = step.asks.first() {
            asked = step
                .persist
                .iter()
                .find(|record| record.kind == RecordKind::Shares)
                .map(|record| record.body.expose().to_vec());
            assert!(step.send.is_empty(), "nothing is signed yet");
        }
    }
    let written = vec![asked.expect("it stores its shares, and asks for them again")];
    let read = change(written).into_iter().map(SecretBytes::new).collect();
    let told = participant.handle(Input::Reread(read));
    (participant, told)
}

type Damage = fn(Vec<Vec<u8>>) -> Vec<Vec<u8>>;

#[test]
fn attack_k5_share_on_disk_differs() {
    let (participant, told) = reread(|written| written);
    assert_eq!(told.unwrap().send.len(), 1);
    assert!(participant.is_prepared());
    let damages: [Damage; 5] = [
        |mut written| {
            written[0][40] ^= 1;
            written
        },
        |mut written| {
            written[0].truncate(32);
            written
        },
        |_| Vec::new(),
        |written| [written.clone(), written].concat(),
        |_| vec![vec![0; 64]],
    ];
    for damage in damages {
        let (participant, told) = reread(damage);
        assert_eq!(told.err(), Some(Refused::Storage(ReplayError::SharesDamaged)));
        assert!(
            !participant.is_prepared() && participant.fault().is_none(),
            "nobody is blamed, and nothing was signed"
        );
        assert!(participant.inbox().get(Round::Prepare, index(4)).is_none());
    }
    // Damaged after it has signed, at whatever moment it is started again: it says nothing more
    // with shares that are not its own.
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    let stored = all[3].log.iter().position(|(kind, _)| *kind == RecordKind::Shares).unwrap();
    let start = |log: &[(RecordKind, Vec<u8>)]| {
        let records = log
            .iter()
            .map(|(kind, body)| Record { kind: *kind, body: SecretBytes::new(body.clone()) });
        Participant::start(all[3].seat.clone(), records.collect(), || entropy("again"))
    };
    for end in stored + 2..=all[3].log.len() {
        let mut log = all[3].log[..end].to_vec();
        assert!(start(&log).unwrap().0.is_prepared());
        log[stored].1[40] ^= 1;
        assert_eq!(start(&log).err(), Some(ReplayError::SharesDamaged), "{end}");
    }
}

#[test]
fn attack_k6_interpolation_order() {
    let points = [2u64, 3, 5, 11, 97];
    let secrets: Vec<SecretScalar> = (0..3).map(|k| crate::scene::coefficient(9, 0, k)).collect();
    let polynomial =
        quorate::primitives::polynomial::Polynomial::from_coefficients(secrets).unwrap();
    let message = G2::hash(b"m", quorate::primitives::hash::DST_ETHEREUM);
    let expected = polynomial.constant().sign(&message).unwrap();
    let partial = |x: u64| polynomial.evaluate(&Scalar::from_u64(x)).sign(&message).unwrap();
    let combined = |xs: &[u64]| {
        let partials: Vec<G2> = xs.iter().map(|x| partial(*x)).collect();
        lagrange::combine(&lagrange::coefficients_at_zero(xs).unwrap(), &partials).unwrap()
    };
    for a in points {
        for b in points.iter().copied().filter(|b| *b != a) {
            assert_ne!(combined(&[a, b]), expected, "too few");
            for c in points.iter().copied().filter(|c| *c != a && *c != b) {
                assert_eq!(combined(&[a, b, c]), expected, "every order of every three");
                // Factors for another set than the partial signatures'.
                let other = points.iter().copied().find(|x| ![a, b, c].contains(x)).unwrap();
                let wrong = lagrange::coefficients_at_zero(&[a, b, other]).unwrap();
                assert_ne!(
                    lagrange::combine(&wrong, &[partial(a), partial(b), partial(c)]).unwrap(),
                    expected
                );
            }
        }
    }
    // A ceremony combines those of the lowest indices, in ascending order.
    let dealt = Dealt::of(collude(4, 3, TWO_VALIDATORS, Hooks::default()));
    let ceremony = &dealt.collusion.ceremony;
    let statements = dealt.collusion.statements();
    let shape = Shape::of(ceremony);
    let commits = checks::decode(&statements[12..16], |bytes, from| {
        quorate::message::body::Commit::decode(bytes, &shape, from)
    })
    .unwrap();
    let first = checks::combine(ceremony, &commits).unwrap();
    assert_eq!(checks::combine(ceremony, &commits[..3]).unwrap(), first);
    let messages = quorate::protocol::items::Messages::new(ceremony, dealt.sums.public_keys());
    checks::signatures_verified(&dealt.sums, &messages, &first).unwrap();
}

#[test]
fn attack_k7_possession_proof_replayed() {
    let rehearsal = Rehearsal::new();
    // Made by the same shares, for another ceremony's digest, and for another seat of this one.
    for (name, digest, seat) in
        [("K7", Digest([1; 32]), 3), ("K7-seat", *rehearsal.sums.digest(), 1)]
    {
        let secret = rehearsal.sums.confirmation_secret(&rehearsal.shares);
        let proof = secret.sign(&possession_message(&digest, index(seat))).unwrap();
        let shape = Shape::of(Scene::of_four().ceremony());
        let scene =
            crate::curve::planted(Round::Prepare, 32 * shape.n + 32, &proof.to_compressed());
        refuses_possession(name, &scene);
    }
}
