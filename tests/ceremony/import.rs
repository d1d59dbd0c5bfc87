//! Imports in memory: honest, interrupted, with a dealer that breaks a rule, and what follows.

use std::sync::Arc;

use quorate::message::body::Deal;
use quorate::message::complaint::{Claim, Shown};
use quorate::message::envelope::{Kind, Round};
use quorate::message::shape::Shape;
use quorate::primitives::commitment::Commitments;
use quorate::primitives::curve::{G1, SecretScalar};
use quorate::protocol::evidence::Rule;
use quorate::protocol::participant::{OwnSeat, Participant, Refused};
use quorate::protocol::record::{RecordKind, ReplayError};
use quorate::protocol::seat::OldShares;
use quorate::simulation::import::{import, key};
use quorate::simulation::machine::entropy;
use quorate::simulation::reshare::{Part, minima, reshare};
use quorate::spec::CeremonyKind;

use super::common::{Machine, honest, run, statements};
use super::reshare::{complete, key_of, signs_under};
use super::reshare_attacks::{
    CHEAT, Lies, complaint_of, convicted, deal_badly, dealt_and_unheard, good, play, resigned,
    share,
};

const FOUR: [&str; 4] = ["alice", "bob", "carol", "dave"];
const KEYS: [&str; 2] = ["one", "two"];

fn public(label: &str) -> G1 {
    key(label).base_mult().unwrap()
}

#[test]
fn whole_keys_become_shares_of_the_same_keys() {
    for (dealer, stays, t) in [((0), true, 3), (2, true, 4), (1, false, 2)] {
        let mut all = import(&FOUR, (dealer, stays), t, &KEYS);
        complete(&mut all);
        let (first, outcome) = (statements(&all[0]), all[0].participant().outcome().unwrap());
        for (at, machine) in all.iter().enumerate() {
            let participant = machine.participant();
            assert!(participant.is_finished() && machine.written, "{:?}", participant.waiting());
            assert_eq!(machine.seat.ceremony.kind(), CeremonyKind::Import);
            assert_eq!(statements(machine), first);
            assert_eq!(participant.outcome().unwrap().certificate, outcome.certificate);
            assert_eq!(participant.shares().is_some(), at != dealer || stays);
            for gone in [RecordKind::Seed, RecordKind::OneTimeKeys, RecordKind::OwnShares] {
                assert!(machine.log.iter().all(|(kind, _)| *kind != gone), "{gone:?}");
            }
            // The keys themselves are in nobody's log.
            let whole: Vec<_> = KEYS.iter().map(|label| *key(label).to_be_bytes()).collect();
            let holds = |body: &[u8]| body.windows(32).any(|at| whole.iter().any(|key| at == key));
            assert!(machine.log.iter().all(|(_, body)| !holds(body)));
        }
        // One deal, and minima of the dealer alone.
        let deals = first.iter().filter(|one| one.envelope.round == Round::Deal);
        assert_eq!((first.len(), deals.count()), (4 * 4 + 1, 1));
        assert_eq!(all[3].participant().inbox().minima().count(), 1);
        let receivers: Vec<&Machine> =
            all.iter().filter(|machine| machine.participant().shares().is_some()).collect();
        for (v, label) in KEYS.iter().enumerate() {
            assert_eq!(outcome.validators[v].public_key, public(label));
            let enough = &receivers[receivers.len() - t..];
            assert_eq!(key_of(enough, v), Some(public(label)));
            assert!(signs_under(enough, v, public(label)));
            assert!(!signs_under(&enough[1..], v, public(label)));
        }
    }
}

#[test]
fn a_crash_after_any_record_of_any_part_changes_nothing() {
    let fresh = || import(&FOUR, (0, true), 3, &KEYS);
    let mut reference = fresh();
    complete(&mut reference);
    let expected = statements(&reference[0]);
    // The dealer, and one that only receives.
    for victim in [0, 3] {
        for at in 0..=reference[victim].recorded {
            let mut all = fresh();
            all[victim].crash_after = Some(at);
            run(&mut all, &mut honest);
            // Power may fail with the stop: its person says it again.
            for _ in 0..2 {
                if all[0].participant.is_some() && all[0].participant().awaits_stop() {
                    let _ = all[0].stop(minima(2, 101));
                }
                if all[0].participant.is_none() {
                    all[0].start().unwrap();
                }
            }
            run(&mut all, &mut honest);
            for machine in &all {
                let participant = machine.participant();
                let waiting = participant.waiting();
                assert!(participant.is_finished(), "{victim}, after record {at}: {waiting:?}");
                assert_eq!(statements(machine), expected, "{victim}, after record {at}");
            }
        }
    }
}

#[test]
fn the_dealer_stops_after_certificate_1_and_after_all_that_only_receive() {
    let mut all = import(&FOUR, (0, true), 3, &KEYS);
    run(&mut all, &mut |_, _, _| Vec::new());
    assert_eq!(all[0].stop(minima(2, 5)).unwrap().err(), Some(Refused::NotCertified));
    run(&mut all, &mut honest);
    assert!(all[0].participant().awaits_stop());
    // Until its person has stopped, nobody finishes; and nobody else has anything to stop.
    for machine in &all[1..] {
        assert!(!machine.participant().awaits_stop() && !machine.participant().is_finished());
        assert!(machine.participant().has_said(Round::Commit));
    }
    assert!(!all[0].participant().has_said(Round::Commit));
    complete(&mut all);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
}

#[test]
fn other_keys_than_the_file_has_sign_nothing() {
    let all = import(&FOUR, (0, true), 3, &KEYS);
    let start = |at: usize, keys: Option<Vec<SecretScalar>>| {
        let (ceremony, operator) = (all[at].seat.ceremony.clone(), all[at].seat.operator.clone());
        let seat = OwnSeat::find(ceremony, operator).unwrap();
        let seat = match keys {
            None => seat,
            Some(keys) => seat.with_old_shares(Arc::new(OldShares::whole(keys))),
        };
        Participant::start(seat, Vec::new(), || entropy("import")).err()
    };
    let wrong = Some(ReplayError::OldShares);
    assert_eq!(start(0, None), wrong);
    assert_eq!(start(0, Some(vec![key("one")])), wrong);
    assert_eq!(start(0, Some(vec![key("two"), key("one")])), wrong);
    assert_eq!(start(0, Some(vec![key("one"), key("three")])), wrong);
    assert_eq!(start(0, Some(vec![key("one"), SecretScalar::zero()])), wrong);
    assert_eq!(start(0, Some(vec![key("one"), key("two")])), None);
    // Who only receives needs none.
    assert_eq!(start(1, None), None);
}

#[test]
fn attack_im1_bad_share_is_shown_alone() {
    let mut all = import(&FOUR, (CHEAT, true), 3, &KEYS);
    dealt_and_unheard(&mut all);
    let mut shares = good(&all, CHEAT, 3);
    shares[1] = share("anything");
    deal_badly(&mut all, &[(3, shares.clone(), true)]);
    let dealer = all[CHEAT].seat.me;
    convicted(&all, CHEAT, &Rule::Share { dealer, validator: 1 });
    let complaint = complaint_of(&all[3]);
    assert_eq!((complaint.dealer, complaint.claim), (dealer, Claim::Mismatch { validator: 1 }));
    let Shown::Share(shown) = complaint.shown else { panic!("one share is shown") };
    assert_eq!(shown.share, shares[1]);
}

/// Whoever deals polynomials of other constants than the keys of the file cannot open what its
/// hello has committed to, since everybody puts these keys in front.
#[test]
fn attack_im1_other_polynomials_are_proven() {
    let mut all = import(&FOUR, (CHEAT, true), 3, &KEYS);
    dealt_and_unheard(&mut all);
    let machine = &all[CHEAT];
    let (shape, me) = (Shape::of(&machine.seat.ceremony), machine.seat.me);
    let deal = machine.participant().inbox().get(Round::Deal, me).unwrap().clone();
    let mut body = Deal::decode(deal.body(), &shape, me).unwrap();
    let mut points: Vec<G1> = body.commitments.rows().flatten().copied().collect();
    points.rotate_left(1);
    body.commitments = Commitments::new(body.commitments.t(), points);
    let deal = resigned(machine, &deal, Kind::Ordinary, &body.encode());
    let lies = Lies {
        seat: me,
        statement: Box::new(move |statement| {
            (statement.envelope.round == Round::Deal).then(|| deal.clone())
        }),
        sealed: Box::new(|_| None),
    };
    play(&mut all, lies);
    convicted(&all, CHEAT, &Rule::Opening { dealer: me });
}

#[test]
fn an_import_is_the_parent_of_a_reshare() {
    let mut first = import(&FOUR, (1, false), 2, &KEYS);
    complete(&mut first);
    let parts: [Part; 4] = [
        ("alice", true, true),
        ("dave", true, true),
        ("carol", true, false),
        ("erin", false, true),
    ];
    let mut second = reshare(&first, &parts, 2, &[1]);
    complete(&mut second);
    let holders: Vec<&Machine> =
        second.iter().filter(|machine| machine.participant().shares().is_some()).collect();
    assert_eq!(holders.len(), 3);
    assert!(signs_under(&holders[1..], 0, public("two")));
    assert!(!signs_under(&holders[2..], 0, public("two")));
}
