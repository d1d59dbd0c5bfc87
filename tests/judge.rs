//! The judge: what a set of statements proves, and what it does not.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::forger::{Forger, Hooks};
use common::{Machine, TWO_VALIDATORS, honest, machines, run};
use quorate::audit::audit;
use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::{Report, Status};
use quorate::message::body::Prepare;
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::curve::{G2, SecretScalar};
use quorate::primitives::hash::Digest;
use quorate::protocol::evidence::{Class, Fault, Rule};
use quorate::protocol::judge::judge;
use quorate::simulation::machine::{bytes, ceremony, operators};
use quorate::spec::ceremony::Ceremony;
use quorate::spec::threshold::Index;
use quorate::transcript::stopped::{self, Stopped};

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

fn give(machines: &mut [Machine], statement: &Statement) {
    for machine in machines.iter_mut() {
        let _ = machine.receive(Frame::Statement(statement.bytes().to_vec())).unwrap();
    }
    run(machines, &mut honest);
}

/// All statements of honest operators, with what another seat (3 of 4, if not said) would sign if
/// it were a forger that breaks no rule.
struct Honest {
    machines: Vec<Machine>,
    forger: Forger,
    hellos: Vec<Statement>,
    deals: Vec<Statement>,
    /// The box of operator 1 for the forger.
    sealed: Vec<u8>,
}

impl Honest {
    fn new() -> Self {
        Self::with_forger(index(3))
    }

    fn with_forger(me: Index) -> Self {
        let mut all = machines(4, 3, TWO_VALIDATORS);
        let forger = Forger::new(all.remove(me.position()).seat, Hooks::default());
        run(&mut all, &mut honest);
        give(&mut all, &forger.hello());
        // Boxes are forgotten in the end.
        let Some(Frame::ShareBox { sealed, .. }) = all[0].participant().box_for(me) else {
            panic!("it has dealt")
        };
        forger.play(&mut all);
        let complete = |round| all[0].participant().inbox().complete(round).unwrap();
        Self {
            hellos: complete(Round::Hello),
            deals: complete(Round::Deal),
            machines: all,
            forger,
            sealed,
        }
    }

    fn ceremony(&self) -> &Ceremony {
        &self.forger.seat.ceremony
    }

    fn prepares(&self) -> Vec<Statement> {
        self.machines[0].participant().inbox().complete(Round::Prepare).unwrap()
    }

    /// A second prepare of the forger, otherwise like its first.
    fn second_prepare(&self) -> Statement {
        let first = &self.prepares()[2];
        let shape = Shape::of(self.ceremony());
        let mut body = Prepare::decode(first.body(), &shape, first.envelope.sender).unwrap();
        body.stored.as_mut().unwrap().sums_root.0[0] ^= 1;
        let key = self.forger.seat.operator.key();
        Statement::sign(
            key,
            index(3),
            Round::Prepare,
            first.envelope.session,
            first.envelope.view_root,
            &body.encode(),
        )
    }
}

fn rules(faults: &[Fault]) -> Vec<Rule> {
    faults.iter().map(|fault| fault.rule.clone()).collect()
}

/// The evidence for a fault, as a file, proves it to whoever has nothing else.
fn proves_itself(ceremony: &Ceremony, fault: &Fault) {
    let read = Stopped::parse(&stopped::encode(ceremony, &fault.evidence)).unwrap();
    assert_eq!(rules(&judge(&read.ceremony, &read.statements)), core::slice::from_ref(&fault.rule));
}

#[test]
fn a_complaint_about_a_good_share_is_its_senders_fault_whatever_it_claims() {
    let honest = Honest::new();
    let session = honest.deals[0].envelope.session;
    let one = index(1);
    let place = 32 * 4 + 2;
    type Edit = fn(&mut Vec<u8>);
    let claims: [(&str, Edit); 4] = [
        ("a mismatch", |_| ()),
        ("a mismatch of the other validator", |body| body[32 * 4 + 6] = 1),
        ("a box that does not open", |body| body[32 * 4 + 2] = 1),
        ("a share that is no scalar", |body| body[32 * 4 + 2] = 2),
    ];
    for (claim, edit) in claims {
        let complaint =
            honest.forger.complain(session, &honest.deals, (one, one), &honest.sealed, edit);
        assert_eq!(complaint.envelope.kind, Kind::Complaint);
        assert!((1..=3).contains(&complaint.body()[place]));
        let all = [honest.hellos.clone(), honest.deals.clone(), vec![complaint]].concat();
        let faults = judge(honest.ceremony(), &all);
        assert_eq!(
            rules(&faults),
            [Rule::FalseComplaint { operator: index(3), dealer: one }],
            "{claim}"
        );
        assert_eq!(faults[0].rule.class(), Some(Class::E4));
        proves_itself(honest.ceremony(), &faults[0]);
    }
    // The secret of another one-time key, and a box that the dealer has not signed.
    let mut other = honest.sealed.clone();
    other[40] ^= 1;
    for (opened, sealed) in [(index(2), &honest.sealed), (one, &other)] {
        let complaint =
            honest.forger.complain(session, &honest.deals, (one, opened), sealed, |_| ());
        let all = [honest.hellos.clone(), honest.deals.clone(), vec![complaint]].concat();
        assert_eq!(
            rules(&judge(honest.ceremony(), &all)),
            [Rule::FalseComplaint { operator: index(3), dealer: one }]
        );
    }
}

#[test]
fn a_complaint_about_oneself_is_malformed() {
    // The last of the operators: there is no one-time key and no box at the place that this would
    // look at.
    let honest = Honest::with_forger(index(4));
    let about_itself =
        |body: &mut Vec<u8>| body[32 * 4..32 * 4 + 2].copy_from_slice(&4u16.to_be_bytes());
    let session = honest.deals[0].envelope.session;
    let complaint = honest.forger.complain(
        session,
        &honest.deals,
        (index(1), index(1)),
        &honest.sealed,
        about_itself,
    );
    let all = [honest.hellos.clone(), honest.deals.clone(), vec![complaint]].concat();
    let faults = judge(honest.ceremony(), &all);
    let error = DecodeError::Invalid { what: "dealer", why: "the sender itself" };
    assert_eq!(
        rules(&faults),
        [Rule::Malformed { operator: index(4), round: Round::Prepare, error }]
    );
    proves_itself(honest.ceremony(), &faults[0]);
}

/// All faults of one statement, and each proves itself.
#[test]
fn two_faults_of_one_statement_are_two() {
    let honest = Honest::new();
    let first = &honest.prepares()[2];
    let shape = Shape::of(honest.ceremony());
    let mut body = Prepare::decode(first.body(), &shape, first.envelope.sender).unwrap();
    body.stored.as_mut().unwrap().sums_root.0[0] ^= 1;
    body.stored.as_mut().unwrap().possession = honest.prepares()[1].body()[32 * 4 + 32..][..96]
        .try_into()
        .map(|bytes| G2::from_compressed(&bytes).unwrap())
        .unwrap();
    let key = honest.forger.seat.operator.key();
    let session = first.envelope.session;
    let sign = |round, session, root, body: &[u8]| {
        Statement::sign(key, index(3), round, session, root, body)
    };
    let prepare = sign(Round::Prepare, session, first.envelope.view_root, &body.encode());
    let all = [honest.hellos.clone(), honest.deals.clone(), vec![prepare]].concat();
    let faults = judge(honest.ceremony(), &all);
    let both = [Rule::SumsRoot { operator: index(3) }, Rule::Possession { operator: index(3) }];
    assert_eq!(rules(&faults), both);

    // A hello that does not decode, with a view root that it must not have.
    let hello = &honest.hellos[2];
    let mut body = hello.body().to_vec();
    body[96..128].fill(0);
    let hello = sign(Round::Hello, hello.envelope.session, Digest([1; 32]), &body);
    let found = rules(&judge(honest.ceremony(), &[hello]));
    assert!(
        matches!(
            found.as_slice(),
            [
                Rule::ViewRoot { round: Round::Hello, .. },
                Rule::Malformed { round: Round::Hello, .. }
            ]
        ),
        "{found:?}"
    );
}

/// Signed abandonments are judged like any other statement; the wrong one is its sender's fault,
/// two right ones are none.
#[test]
fn an_abandonment_that_is_none_is_its_senders_fault() {
    let honest = Honest::new();
    let (key, spec) = (honest.forger.seat.operator.key(), honest.ceremony().digest());
    let sign = |round, root, body: &[u8]| {
        Statement::sign_kind(Kind::Abandon, key, index(3), round, spec, root, body)
    };
    for round in Round::ALL {
        // Its own entry and boxes say what they like, in any round.
        let right = [sign(round, Digest::ZERO, &[3; 4]), sign(round, Digest::ZERO, &[0; 4])];
        assert_eq!(judge(honest.ceremony(), &right), []);
        let error = DecodeError::Invalid { what: "awaited", why: "an unknown bit is set" };
        let wrong = sign(round, Digest::ZERO, &[0, 4, 0, 0]);
        let faults = judge(honest.ceremony(), &[wrong]);
        assert_eq!(rules(&faults), [Rule::Abandonment { operator: index(3), round, error }]);
        proves_itself(honest.ceremony(), &faults[0]);
        let error = DecodeError::Invalid { what: "view root", why: "not zero" };
        let faults = judge(honest.ceremony(), &[sign(round, Digest([1; 32]), &[0; 4])]);
        assert_eq!(rules(&faults), [Rule::Abandonment { operator: index(3), round, error }]);
        proves_itself(honest.ceremony(), &faults[0]);
    }
}

#[test]
fn a_complaint_about_nobody_is_malformed() {
    let honest = Honest::new();
    let session = honest.deals[0].envelope.session;
    type Edit = fn(&mut Vec<u8>);
    let dealers: [Edit; 3] = [
        |body| body[32 * 4..32 * 4 + 2].copy_from_slice(&[0, 0]),
        |body| body[32 * 4..32 * 4 + 2].copy_from_slice(&[0, 5]),
        |body| body[32 * 4..32 * 4 + 2].copy_from_slice(&[0xff, 0xff]),
    ];
    for about in dealers {
        let complaint = honest.forger.complain(
            session,
            &honest.deals,
            (index(1), index(1)),
            &honest.sealed,
            about,
        );
        let all = [honest.hellos.clone(), honest.deals.clone(), vec![complaint]].concat();
        let faults = judge(honest.ceremony(), &all);
        let [Rule::Malformed { operator, round: Round::Prepare, error }] = &rules(&faults)[..]
        else {
            panic!("{faults:?}")
        };
        assert_eq!(*operator, index(3));
        assert_eq!(error.to_string(), "dealer: no seat has this index");
        proves_itself(honest.ceremony(), &faults[0]);
    }
}

#[test]
fn two_dealers_who_both_know_one_secret_have_shared_it() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    let forger = |machine: Machine| {
        let me = machine.seat.me.get();
        let own = move |label: &str| bytes(&format!("{label} of {me}"));
        // One constant for the second validator, everything else its own.
        let coefficient = move |v: usize, k: usize| {
            let whose = if (v, k) == (1, 0) { 0 } else { me };
            let mut wide = [7; 48];
            wide[..32].copy_from_slice(&bytes(&format!("{v} {k} of {whose}")));
            SecretScalar::reduce(&wide)
        };
        Forger::with_secrets(machine.seat, Hooks::default(), own, coefficient)
    };
    let two = [all.remove(2), all.remove(2)].map(forger);
    run(&mut all, &mut honest);
    let hellos: Vec<Statement> = all
        .iter()
        .map(|machine| {
            machine.participant().inbox().get(Round::Hello, machine.seat.me).unwrap().clone()
        })
        .chain(two.iter().map(Forger::hello))
        .collect();
    let deals = two.each_ref().map(|forger| forger.deal(&hellos).0);
    let found =
        |statements: &[&[Statement]]| rules(&judge(&two[0].seat.ceremony, &statements.concat()));
    let expected = Rule::EqualConstants { rows: [(index(3), 1), (index(4), 1)] };
    assert_eq!(found(&[&hellos, &deals]), [expected]);
    assert_eq!(found(&[&hellos, &deals[..1]]), []);
}

#[test]
fn evidence_is_bound_to_the_ceremony_by_its_hellos_or_by_a_deal() {
    let honest = Honest::new();
    let two = vec![honest.prepares()[2].clone(), honest.second_prepare()];
    let rule = Rule::Equivocation { operator: index(3), round: Round::Prepare };
    let found = |statements: &[&[Statement]]| -> Vec<Fault> {
        let faults = judge(honest.ceremony(), &statements.concat());
        faults.into_iter().filter(|fault| fault.rule == rule).collect()
    };
    // The hellos alone name the session; one deal alone does; fewer hellos do not.
    for bound in [
        &honest.hellos[..],
        &honest.deals[1..2],
        &[honest.hellos[..3].to_vec(), honest.deals[..1].to_vec()].concat(),
    ] {
        let faults = found(&[bound, &two]);
        assert_eq!(faults.len(), 1);
        proves_itself(honest.ceremony(), &faults[0]);
    }
    assert!(found(&[&honest.hellos[..3], &two]).is_empty());
    assert!(found(&[&two]).is_empty());
}

#[test]
fn statements_of_another_ceremony_of_the_same_operators_prove_nothing() {
    let honest = Honest::new();
    let two = vec![honest.prepares()[2].clone(), honest.second_prepare()];
    let all = [honest.hellos.clone(), honest.deals.clone(), two].concat();
    assert!(!judge(honest.ceremony(), &all).is_empty());
    // The same people and the same sizes: signatures and lengths all hold.
    let other = ceremony(&operators(4), 3, &TWO_VALIDATORS.replace("\"32\"]", "\"31\"]"));
    assert_ne!(other.digest(), honest.ceremony().digest());
    let opened = |statement: &Statement| Statement::open(statement.bytes(), &other).unwrap();
    let all: Vec<Statement> = all.iter().map(opened).collect();
    assert!(judge(&other, &all).is_empty());
    // Nor as a file, once hellos are among them.
    let file = stopped::encode(&other, &all);
    let error = Stopped::parse(&file).unwrap_err().to_string();
    assert!(error.contains("signed for another session"), "{error}");
}

#[test]
fn a_verdict_is_about_the_deal_that_a_complaint_names() {
    // The forger deals twice; operator 1 complains of the box of the second deal.
    let mut all = machines(4, 3, TWO_VALIDATORS);
    let seat = all.remove(2).seat;
    let plain = Forger::new(seat.clone(), Hooks::default());
    run(&mut all, &mut honest);
    give(&mut all, &plain.hello());
    let hellos = all[0].participant().inbox().complete(Round::Hello).unwrap();
    let bad = Hooks { shares: |_, shares| shares.swap(0, 1), ..Hooks::default() };
    let (first, _) = plain.deal(&hellos);
    let (second, boxes) = Forger::new(seat, bad).deal(&hellos);
    assert_ne!(first.digest(), second.digest());
    let _ = all[1].receive(Frame::Statement(first.bytes().to_vec())).unwrap();
    let _ = all[0].receive(Frame::Statement(second.bytes().to_vec())).unwrap();
    let (recipient, sealed) =
        boxes.into_iter().find(|(recipient, _)| *recipient == index(1)).unwrap();
    let _ = all[0].receive(Frame::ShareBox { dealer: index(3), recipient, sealed }).unwrap();
    let mut deals_of = |machine: usize, from: usize| {
        let deal = all[from]
            .participant()
            .inbox()
            .get(Round::Deal, all[from].seat.me)
            .unwrap()
            .bytes()
            .to_vec();
        let _ = all[machine].receive(Frame::Statement(deal)).unwrap();
        if let Some(frame) = all[from].participant().box_for(all[machine].seat.me) {
            let _ = all[machine].receive(frame).unwrap();
        }
    };
    deals_of(0, 1);
    deals_of(0, 2);
    let complaint = all[0].participant().inbox().get(Round::Prepare, index(1)).unwrap().clone();
    assert_eq!(complaint.envelope.kind, Kind::Complaint);
    // Who holds both deals, the innocent one first, sees both faults.
    let deals =
        [first, second, all[0].participant().inbox().get(Round::Deal, index(2)).unwrap().clone()];
    let faults = rules(&judge(
        &all[0].seat.ceremony,
        &[hellos, deals.to_vec(), vec![complaint.clone()]].concat(),
    ));
    assert!(
        faults.contains(&Rule::Equivocation { operator: index(3), round: Round::Deal }),
        "{faults:?}"
    );
    assert!(faults.contains(&Rule::Share { dealer: index(3), validator: 0 }), "{faults:?}");
}

#[test]
fn an_audit_names_the_proven_culprits_of_a_stopped_ceremony_and_judges_nothing_it_cannot_read() {
    let honest = Honest::new();
    let session = honest.deals[0].envelope.session;
    let complaint = honest.forger.complain(
        session,
        &honest.deals,
        (index(1), index(1)),
        &honest.sealed,
        |_| (),
    );
    let abandoned = honest.forger.abandon();
    let proven =
        [honest.hellos.clone(), honest.deals.clone(), vec![complaint, abandoned.clone()]].concat();
    let nothing =
        [honest.hellos.clone(), honest.deals.clone(), honest.prepares(), vec![abandoned]].concat();
    let report = |bytes: &[u8]| audit(bytes, &Expectations::default());
    for (statements, culprits) in [(proven, vec![index(3)]), (nothing, vec![])] {
        let file = stopped::encode(honest.ceremony(), &statements);
        let whole = report(&file);
        assert_eq!(whole.culprits(), Some(culprits.as_slice()));
        let stored = "signed that shares are stored";
        assert_eq!(whole.line(Code::V19).unwrap().detail.contains(stored), culprits.is_empty());
        assert_eq!(
            whole.line(Code::V19).unwrap().detail.contains("prove nobody at fault"),
            culprits.is_empty()
        );
        let status = |report: &Report| {
            [Code::V17, Code::V18, Code::V20].map(|code| report.line(code).unwrap().status)
        };
        assert_eq!(status(&whole), [Status::NotApplicable; 3]);
        assert!(whole.line(Code::Sealed).is_none(), "it is not for SSV");
        assert!(!whole.line(Code::V19).unwrap().detail.contains("left out"));
        let cut = report(&file[..file.len() - 1]);
        assert_eq!((cut.culprits(), status(&cut)), (None, [Status::NotReached; 3]));
    }
    // Without hellos and deals, nothing shows of which ceremony prepares are.
    let adrift = report(&stopped::encode(honest.ceremony(), &honest.prepares()));
    let detail = &adrift.line(Code::V19).unwrap().detail;
    assert!(
        detail.contains("4 statements cannot be assigned to this ceremony and were left out"),
        "{detail}"
    );
    assert!(!detail.contains("signed that shares are stored"), "{detail}");
}
