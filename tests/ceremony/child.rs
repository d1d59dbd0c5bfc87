//! One child only: what an operator's log says of how far it is in a reshare, and what stands in
//! the way of another one.

use quorate::message::complaint::{Abandon, Awaited};
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::protocol::child::{Child, Known, Standing, commits};
use quorate::protocol::record::RecordKind;
use quorate::simulation::reshare::{minima, reshare};

use super::common::{Machine, honest, run};
use super::reshare::parent;

/// What the first `upto` own statements of a log say.
fn after(machine: &Machine, upto: usize) -> (Standing, bool) {
    let (ceremony, me) = (&machine.seat.ceremony, machine.seat.me);
    let said = machine.log.iter().filter(|(kind, _)| *kind == RecordKind::Statement);
    let own = said.map(|(_, body)| body.as_slice()).filter(|body| {
        Statement::open(body, ceremony).is_ok_and(|said| said.envelope.sender == me)
    });
    let own: Vec<&[u8]> = own.take(upto).collect();
    (Standing::of(ceremony, me, own.iter().copied()), commits(ceremony, me, own))
}

#[test]
fn a_log_tells_how_far_its_operator_is() {
    let mut all =
        reshare(&parent(3, 2), &["alice", "bob", "carol"].map(|name| (name, true, true)), 2, &[0]);
    run(&mut all, &mut honest);
    for machine in &mut all {
        machine.stop(minima(1, 100)).unwrap().unwrap();
    }
    run(&mut all, &mut honest);
    use Standing::*;
    // Nothing, hello, deal, prepare, minima, commit, final.
    let expected = [
        (Unknown, false),
        (Begun, false),
        (Begun, false),
        (Begun, false),
        (Committed, true),
        (Committed, true),
        (Final, true),
    ];
    for (upto, expected) in expected.into_iter().enumerate() {
        assert_eq!(after(&all[0], upto), expected, "{upto}");
    }
    // An abandonment lifts a commit, and never a final; another operator's says nothing.
    let abandon = |machine: &Machine| {
        let seat = &machine.seat;
        let body = Abandon { awaited: vec![Awaited::default(); seat.ceremony.n()] }.encode();
        let (key, round) = (seat.operator.key(), Round::Commit);
        let word = Statement::sign_abandonment(key, seat.me, round, &seat.ceremony, &body);
        assert_eq!(word.envelope.kind, Kind::Abandon);
        word.bytes().to_vec()
    };
    let own = abandon(&all[0]);
    let log: Vec<Vec<u8>> = all[0].log.iter().map(|(_, body)| body.clone()).collect();
    let (ceremony, me) = (&all[0].seat.ceremony, all[0].seat.me);
    let is_final = |body: &&Vec<u8>| {
        Statement::open(body, ceremony)
            .is_ok_and(|said| (said.envelope.round, said.envelope.sender) == (Round::Final, me))
    };
    let until: Vec<&[u8]> =
        log.iter().take_while(|body| !is_final(body)).map(Vec::as_slice).collect();
    assert_eq!(Standing::of(ceremony, me, until.iter().copied()), Committed);
    let given_up = until.iter().copied().chain([own.as_slice()]);
    assert_eq!(Standing::of(ceremony, me, given_up), GivenUp);
    let others = abandon(&all[1]);
    let not_own = until.iter().copied().chain([others.as_slice()]);
    assert_eq!(Standing::of(ceremony, me, not_own), Committed);
    let bound = log.iter().map(Vec::as_slice).chain([own.as_slice()]);
    assert_eq!(Standing::of(ceremony, me, bound), Final);
}

#[test]
fn what_is_not_given_up_is_in_the_way() {
    use Standing::*;
    for (standing, noted, logged, next) in [
        (GivenUp, false, false, true),
        (Begun, true, false, false),
        (Committed, true, true, false),
        (Final, true, true, false),
        // A log that is lost was not given up.
        (Unknown, true, false, true),
    ] {
        assert_eq!(Known::Noted.is_in_the_way(standing), noted, "{standing:?}");
        assert_eq!(Known::Logged.is_in_the_way(standing), logged, "{standing:?}");
        assert_eq!(standing.lets_the_next_begin(), next, "{standing:?}");
    }
}

#[test]
fn a_child_is_its_parent_and_its_keys() {
    let old = parent(3, 2);
    assert_eq!(Child::of(&old[0].seat.ceremony), None);
    let all = reshare(&old, &["alice", "bob", "carol"].map(|name| (name, true, true)), 3, &[1]);
    let ceremony = &all[0].seat.ceremony;
    let child = Child::of(ceremony).unwrap();
    let outcome = old[0].participant().outcome().unwrap();
    assert_eq!(child.parent, outcome.certificate);
    assert_eq!(child.reshare, ceremony.digest());
    assert_eq!(child.validators, [outcome.validators[1].public_key.to_compressed()]);
    assert_eq!(Child::decode(&child.encode()), Some(child.clone()));
    assert!(!child.excludes(&child));
}
