//! Logs that were put back to an earlier state: every pair of a moment and an older copy, and what
//! the operator knows, signs and may still do.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::VecDeque;
use std::time::Duration;

use common::{Machine, TWO_VALIDATORS, honest, machines, run};
use quorate::Index;
use quorate::exchange::{Action, Ending, Event, Exchange, InMemory, Moment, Notice, Pacing};
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::{Frame, Have};
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::{Entropy, Input, OwnSeat, Participant, Refused, Step};
use quorate::protocol::put_back::{Beside, PutBack};
use quorate::protocol::record::{Record, RecordKind, ReplayError};

type Log = Vec<(RecordKind, Vec<u8>)>;

/// How far the first operator has got: its last own statement, or the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Said(Round),
    Finished,
}

const MOMENTS: [Reached; 6] = [
    Reached::Said(Round::Hello),
    Reached::Said(Round::Deal),
    Reached::Said(Round::Prepare),
    Reached::Said(Round::Commit),
    Reached::Said(Round::Final),
    Reached::Finished,
];

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

/// A ceremony whose first operator has got this far; the others hold all that it said.
fn reached(moment: Reached) -> Vec<Machine> {
    let mut all = machines(3, 2, TWO_VALIDATORS);
    let first = all[0].seat.me;
    let held_back = |to: Index, frame: &Frame| match (moment, frame) {
        (Reached::Said(round), Frame::Statement(bytes)) => {
            to == first && bytes[7] == round.number() && bytes[9] != 1
        }
        _ => false,
    };
    run(&mut all, &mut |_, to, frame| {
        if held_back(to, &frame) { Vec::new() } else { vec![frame] }
    });
    assert_eq!(last_own(&all[0].log), moment_round(moment), "{moment:?}");
    assert_eq!(all[0].written, moment == Reached::Finished);
    for other in &all[1..] {
        let held = other.participant().inbox().get(moment_round(moment), first);
        assert!(held.is_some(), "{moment:?}: the others hold it");
    }
    all
}

fn moment_round(moment: Reached) -> Round {
    match moment {
        Reached::Said(round) => round,
        Reached::Finished => Round::Final,
    }
}

/// The first operator's own statements in a log.
fn own(log: &Log) -> Vec<Vec<u8>> {
    let statements = log.iter().filter(|(kind, _)| *kind == RecordKind::Statement);
    statements.filter(|(_, body)| body[9] == 1).map(|(_, body)| body.clone()).collect()
}

fn last_own(log: &Log) -> Round {
    own(log).iter().map(|body| Round::from_number(body[7]).unwrap()).max().unwrap()
}

fn records(log: &Log) -> Vec<Record> {
    log.iter()
        .map(|(kind, body)| Record { kind: *kind, body: SecretBytes::new(body.clone()) })
        .collect()
}

fn no_entropy() -> Entropy {
    unreachable!("there is a log")
}

/// Starts the first operator of `all` from a log, beside what its store holds.
fn start(all: &[Machine], log: &Log, beside: &Beside) -> (Participant, Step) {
    let seat = all[0].seat.clone();
    Participant::start_beside(seat, records(log), beside.clone(), no_entropy).unwrap()
}

/// From such a log nothing is signed, nobody is waited for, and nothing is given up.
fn is_as_it_should_be(participant: Participant, what: &str) {
    assert_eq!(participant.waiting().everybody(), [], "{what}");
    assert_eq!(participant.waiting().round, None, "{what}");
    assert!(participant.fault().is_none(), "{what}: nobody is at fault");
    assert_eq!(participant.abandon().err(), Some(ReplayError::PutBack), "{what}");
}

/// What is in a transcript, if the ceremony of `all` is finished.
fn transcript(all: &[Machine]) -> Vec<Statement> {
    let finished = all[0].participant().is_finished();
    let statements = all[1].participant().inbox().statements().cloned();
    if finished { statements.collect() } else { Vec::new() }
}

/// The first operator of `all` with another log, and what stands beside it.
fn with_log(all: &mut [Machine], log: &Log, beside: Beside) {
    let mut first = Machine::new(&all[0].seat.ceremony, &all[0].seat.operator);
    first.log = log.clone();
    first.beside = beside;
    first.start().unwrap();
    all[0] = first;
}

/// The others show the first operator all of its own statements that they hold.
fn shown_own(all: &mut [Machine]) {
    let me = all[0].seat.me;
    let held = all[1].participant().inbox().statements();
    let held = held.filter(|held| held.envelope.sender == me);
    for own in held.cloned().collect::<Vec<_>>() {
        let _ = all[0].receive(Frame::Statement(own.bytes().to_vec())).unwrap();
    }
}

#[test]
fn every_older_copy_at_every_moment() {
    let copies: Vec<(Reached, Log)> =
        MOMENTS.into_iter().map(|moment| (moment, reached(moment)[0].log.clone())).collect();
    let mut pairs = 0;
    for moment in MOMENTS {
        let newest = reached(moment)[0].log.clone();
        for (older, log) in copies.iter().filter(|(older, _)| *older < moment) {
            let what = format!("at {moment:?}, a copy from {older:?}");
            pairs += 1;
            match *older < Reached::Said(Round::Prepare) {
                true => without_a_share(moment, *older, log, &newest, &what),
                false => with_its_share(moment, log, &newest, &what),
            }
        }
        let all = reached(moment);
        let beside = Beside { elsewhere: Vec::new(), outputs: transcript(&all) };
        let (participant, _) = start(&all, &newest, &beside);
        assert_eq!(participant.put_back(), None, "{moment:?}: the newest log is none");
    }
    assert_eq!(pairs, 15);
}

/// A copy that does not hold the share: once it is known, nothing more is signed.
fn without_a_share(moment: Reached, older: Reached, log: &Log, newest: &Log, what: &str) {
    let mut all = reached(moment);
    let beside = Beside { elsewhere: Vec::new(), outputs: transcript(&all) };
    let outputs = moment == Reached::Finished;

    // Outputs tell it at once, with nobody there.
    let (participant, step) = start(&all, log, &beside);
    assert_eq!(participant.put_back().is_some(), outputs, "{what}");
    if outputs {
        let by_outputs = PutBack { elsewhere: Vec::new(), outputs: true };
        assert_eq!(participant.put_back(), Some(&by_outputs), "{what}");
        assert!(step.send.is_empty() && step.persist.is_empty(), "{what}");
        assert!(step.asks.is_empty(), "{what}");
        is_as_it_should_be(participant, what);
    }

    // The others tell it by what they hold.
    with_log(&mut all, log, Beside::default());
    shown_own(&mut all);
    run(&mut all, &mut honest);
    let hello_only = (Reached::Said(Round::Hello), Reached::Said(Round::Deal));
    if (older, moment) == hello_only {
        // From a hello alone it deals again, the same bytes, before it can tell that the others'
        // deal is of this session; where peers say what they hold, it waits. Otherwise it lacks
        // nothing of its own. What it lacks of others it is given.
        assert_eq!(all[0].participant().put_back(), None, "{what}");
        assert!(all[0].participant().is_finished(), "{what}");
    } else {
        let known = all[0].participant().put_back().cloned().expect(what);
        assert_eq!(known.last_round(), Some(moment_round(moment)), "{what}");
        assert!(!known.outputs && !known.is_abandoned());
        let signed = own(&all[0].log);
        assert!(signed.iter().all(|said| own(newest).contains(said)), "{what}");
        let repeats = usize::from(older == hello_only.0);
        assert_eq!(signed.len(), own(log).len() + repeats, "{what}: nothing more is signed");
        is_as_it_should_be(all[0].participant.take().unwrap(), what);

        // A later run knows it from the note alone, and from each statement in it.
        let noted = |elsewhere| Beside { elsewhere, outputs: Vec::new() };
        for elsewhere in known.elsewhere.iter().map(|one| vec![one.clone()]) {
            let (participant, step) = start(&all, log, &noted(elsewhere));
            assert!(participant.put_back().is_some(), "{what}");
            assert!(step.send.is_empty() && step.persist.is_empty(), "{what}");
            is_as_it_should_be(participant, what);
        }
        // The newest log accounts for the note.
        let (participant, _) = start(&all, newest, &noted(known.elsewhere));
        assert_eq!(participant.put_back(), None, "{what}");
    }
    nothing_was_said_twice(&all, what);
}

/// A copy that holds the share: it takes from others what it had signed, and finishes; or from its
/// own transcript, with nobody there. What it signed is what it had signed.
fn with_its_share(moment: Reached, log: &Log, newest: &Log, what: &str) {
    let as_before = |first: &Machine| {
        let signed = own(&first.log);
        assert!(own(newest).iter().all(|said| signed.contains(said)), "{what}");
        assert_eq!(signed.len(), 5, "{what}: one of each round");
        assert_eq!(first.participant().put_back(), None, "{what}");
        assert!(first.participant().is_finished() && first.written, "{what}");
    };
    let outputs = transcript(&reached(moment));
    if !outputs.is_empty() {
        let mut all = reached(moment);
        with_log(&mut all, log, Beside { elsewhere: Vec::new(), outputs });
        as_before(&all[0]);
    }
    let mut all = reached(moment);
    with_log(&mut all, log, Beside::default());
    shown_own(&mut all);
    run(&mut all, &mut honest);
    as_before(&all[0]);
    nothing_was_said_twice(&all, what);

    // From the note of an earlier run.
    let mut all = reached(moment);
    let me = all[0].seat.me;
    let held = all[1].participant().inbox().statements().cloned();
    let elsewhere = held.filter(|held| held.envelope.sender == me).collect();
    with_log(&mut all, log, Beside { elsewhere, outputs: Vec::new() });
    assert!(own(newest).iter().all(|said| own(&all[0].log).contains(said)), "{what}: it is taken");
    run(&mut all, &mut honest);
    as_before(&all[0]);
    nothing_was_said_twice(&all, what);
}

fn nothing_was_said_twice(all: &[Machine], what: &str) {
    for other in &all[1..] {
        let inbox = other.participant().inbox();
        assert_eq!(inbox.conflicts().count(), 0, "{what}: it has not said two things");
        assert!(other.participant().fault().is_none(), "{what}");
    }
}

/// A copy from before the hello, as an empty log: nothing is begun anew beside outputs or a note.
#[test]
fn an_empty_log_beside_what_tells_of_a_later_one() {
    let all = reached(Reached::Finished);
    let hello = Statement::open(&own(&all[0].log)[0], &all[0].seat.ceremony).unwrap();
    for beside in [
        Beside { elsewhere: Vec::new(), outputs: transcript(&all) },
        Beside { elsewhere: vec![hello], outputs: Vec::new() },
    ] {
        let (participant, step) = start(&all, &Vec::new(), &beside);
        assert!(participant.put_back().is_some());
        assert!(step.send.is_empty() && step.persist.is_empty());
        is_as_it_should_be(participant, "an empty log");
    }
}

/// What others hold counts only with this operator's valid signature, and only if it is its own.
#[test]
fn only_what_this_operator_signed_counts() {
    let mut all = reached(Reached::Said(Round::Deal));
    let (seat, session) = (all[0].seat.clone(), all[0].participant().inbox().session().unwrap());
    let shape = Shape::of(&seat.ceremony);
    let body = vec![7; shape.owes(seat.me, Round::Prepare).unwrap()];
    let signed_by =
        |key, session| Statement::sign(key, seat.me, Round::Prepare, session, Digest::ZERO, &body);
    let other = all[1].seat.clone();
    let forged = signed_by(other.operator.key(), session);
    let elsewhere = signed_by(seat.operator.key(), Digest([9; 32]));
    for bytes in [forged.bytes(), elsewhere.bytes()] {
        assert!(all[0].receive(Frame::Statement(bytes.to_vec())).unwrap().is_err());
        assert_eq!(all[0].participant().put_back(), None);
    }
    let others = reached(Reached::Finished)[1].log.clone();
    let statements = others.iter().filter(|(kind, _)| *kind == RecordKind::Statement);
    let statements: Vec<Statement> =
        statements.map(|(_, body)| Statement::open(body, &seat.ceremony).unwrap()).collect();
    let of_others = statements.iter().filter(|held| held.envelope.sender != seat.me).cloned();
    let beside = Beside { elsewhere: of_others.collect(), outputs: Vec::new() };
    let (participant, _) = start(&all, &all[0].log, &beside);
    assert_eq!(participant.put_back(), None);

    let own = signed_by(seat.operator.key(), session);
    assert_eq!(all[0].receive(Frame::Statement(own.bytes().to_vec())).unwrap(), Ok(Vec::new()));
    let known = all[0].participant().put_back().unwrap();
    assert_eq!(known.elsewhere, [own]);
    // Nothing of others is taken any more: no box leads to a statement.
    let sealed = vec![0; shape.box_bytes()];
    let refused = all[0].receive(Frame::ShareBox { dealer: index(2), recipient: seat.me, sealed });
    assert_eq!(refused.unwrap(), Err(Refused::PutBack));
}

/// A second statement of its own in a slot that its log fills differently: before it has prepared,
/// the log is not the newest of one line, and signs nothing more. Nobody is blamed by it.
#[test]
fn another_own_statement_than_the_one_in_the_log() {
    let mut all = reached(Reached::Said(Round::Deal));
    let second = another(&all[0].seat, Round::Deal, session(&all[0]));
    assert!(all[0].receive(Frame::Statement(second.bytes().to_vec())).unwrap().is_ok());
    assert_eq!(all[0].participant().put_back().unwrap().elsewhere, [second]);
    is_as_it_should_be(all[0].participant.take().unwrap(), "another deal");
}

/// However many statements of one place it lacks, one is kept of each; and a log whose operator has
/// given up is that, whatever stands beside it.
#[test]
fn one_of_each_place_shows_it() {
    let mut all = reached(Reached::Said(Round::Deal));
    let (seat, log) = (all[0].seat.clone(), all[0].log.clone());
    let of = |rounds: &[Round]| Beside {
        elsewhere: rounds
            .iter()
            .enumerate()
            .map(|(at, round)| another(&seat, *round, Digest([u8::try_from(at).unwrap(); 32])))
            .collect(),
        outputs: Vec::new(),
    };
    let beside = of(&[Round::Deal, Round::Deal, Round::Final, Round::Deal, Round::Final]);
    let known = PutBack::of(&seat, &records(&log), &beside).unwrap().unwrap();
    assert_eq!(known.elsewhere, [0, 2].map(|at: usize| beside.elsewhere[at].clone()));
    // What the log holds too shows nothing.
    let held = all[0].participant().inbox().get(Round::Deal, seat.me).unwrap().clone();
    let same = Beside { elsewhere: vec![held], outputs: Vec::new() };
    assert_eq!(PutBack::of(&seat, &records(&log), &same), Ok(None));
    let (given_up, _) = all[0].participant.take().unwrap().abandon().unwrap();
    let log = records(&log).into_iter().chain([given_up]).collect::<Vec<_>>();
    assert_eq!(PutBack::of(&seat, &log, &beside), Err(ReplayError::Abandoned));
}

/// An own statement that is shown before the session is known counts when it is, if it is of it.
#[test]
fn what_is_shown_too_early_counts_later() {
    for of_it in [true, false] {
        let log = reached(Reached::Said(Round::Hello))[0].log.clone();
        let mut all = reached(Reached::Said(Round::Deal));
        let session = if of_it { session(&all[1]) } else { Digest([1; 32]) };
        let shown = another(&all[0].seat, Round::Deal, session);
        with_log(&mut all, &log, Beside::default());
        assert_eq!(all[0].participant().inbox().session(), None);
        let _ = all[0].receive(Frame::Statement(shown.bytes().to_vec())).unwrap();
        assert_eq!(all[0].participant().put_back(), None);
        for other in [1, 2] {
            let seat = all[other].seat.me;
            let hello = all[other].participant().inbox().get(Round::Hello, seat).unwrap().clone();
            let _ = all[0].receive(Frame::Statement(hello.bytes().to_vec())).unwrap();
        }
        assert_eq!(all[0].participant().put_back().is_some(), of_it);
    }
}

/// A log that holds its PREPARE holds the share: however many statements were signed with the same
/// keys elsewhere, it goes on by certificates, like everybody, and its share is not lost.
#[test]
fn a_second_hello_from_elsewhere_takes_no_share() {
    for moment in [Round::Prepare, Round::Commit, Round::Final].map(Reached::Said) {
        for round in [Round::Hello, Round::Deal] {
            let mut all = reached(moment);
            let session = match round {
                Round::Hello => all[0].seat.ceremony.digest(),
                _ => session(&all[0]),
            };
            let second = another(&all[0].seat, round, session);
            for machine in &mut all {
                let frame = Frame::Statement(second.bytes().to_vec());
                let _ = machine.receive(frame).unwrap();
            }
            assert_eq!(all[0].participant().put_back(), None, "{moment:?} {round:?}");
            run(&mut all, &mut honest);
            assert!(all[0].participant().is_finished() && all[0].written, "{moment:?} {round:?}");
            // And from a note of it, as an older log may have left one.
            let beside = Beside { elsewhere: vec![second], outputs: Vec::new() };
            let (participant, _) = start(&all, &all[0].log, &beside);
            assert_eq!(participant.put_back(), None, "{moment:?} {round:?}");
        }
    }
}

fn session(machine: &Machine) -> Digest {
    machine.participant().inbox().session().unwrap()
}

/// A statement of an operator's that its log does not hold.
fn another(seat: &OwnSeat, round: Round, session: Digest) -> Statement {
    let body = vec![7; Shape::of(&seat.ceremony).owes(seat.me, round).unwrap()];
    Statement::sign(seat.operator.key(), seat.me, round, session, Digest::ZERO, &body)
}

#[test]
fn an_abandonment_that_the_log_lacks() {
    let mut all = reached(Reached::Said(Round::Prepare));
    let log = all[0].log.clone();
    let (_, word) = all[0].participant.take().unwrap().abandon().unwrap();
    all[0].start().unwrap();
    assert!(all[0].receive(Frame::Statement(word.bytes().to_vec())).unwrap().is_ok());
    assert!(all[0].participant().put_back().unwrap().is_abandoned());
    assert_eq!(all[0].participant().put_back().unwrap().last_round(), None);
    let beside = Beside { elsewhere: vec![word], outputs: Vec::new() };
    let (participant, _) = start(&all, &log, &beside);
    is_as_it_should_be(participant, "abandoned");
}

// What a peer says that it holds is not signed: it makes this operator ask.

/// The first operator as an exchange, from a log; with the others' exchanges from theirs.
fn exchanges(all: &[Machine], log: &Log) -> Vec<(Exchange, InMemory)> {
    let begin = |(at, machine): (usize, &Machine)| {
        let log = if at == 0 { log } else { &machine.log };
        let seat = machine.seat.clone();
        let mut storage = InMemory::default();
        let (participant, step) = Participant::start(seat, records(log), no_entropy).unwrap();
        let pacing = Pacing::new(Duration::from_secs(600));
        (Exchange::begin(participant, step, pacing, &mut storage).unwrap(), storage)
    };
    all.iter().enumerate().map(begin).collect()
}

fn at(seconds: u64) -> Moment {
    Moment { now: Duration::from_secs(seconds), queued: Vec::new() }
}

/// Whether anything that is sent is a statement of the sender's own that is not in `known`.
fn new_own(actions: &[Action], known: &[Vec<u8>]) -> bool {
    actions.iter().any(|action| match action {
        Action::Send { frame: Frame::Statement(bytes), .. } => {
            bytes[9] == 1 && !known.contains(bytes)
        }
        _ => false,
    })
}

/// The whole exchange, at every pair of moments: the first operator hears of it from the first peer
/// that it meets, before it signs anything, and its run ends so, if the copy does not hold its
/// share.
#[test]
fn a_run_ends_before_anything_is_signed() {
    for moment in [Round::Deal, Round::Prepare, Round::Commit, Round::Final].map(Reached::Said) {
        let no_share = |older: &Reached| *older < moment.min(Reached::Said(Round::Prepare));
        for older in MOMENTS.into_iter().filter(no_share) {
            let what = format!("at {moment:?}, a copy from {older:?}");
            let log = reached(older)[0].log.clone();
            let mut all = exchanges(&reached(moment), &log);
            let known = own(&log);
            let mut network: VecDeque<(Index, Event)> = VecDeque::new();
            for (to, peer) in [(1, 2), (2, 1), (1, 3), (3, 1)] {
                network.push_back((index(to), Event::Up(index(peer))));
            }
            let mut told = Vec::new();
            let mut frames = 0;
            while let Some((me, event)) = network.pop_front() {
                frames += 1;
                assert!(frames < 1_000, "{what}: it comes to rest");
                let (exchange, storage) = &mut all[me.position()];
                let actions = exchange.handle(event, &at(1), storage).unwrap();
                assert!(me.get() != 1 || !new_own(&actions, &known), "{what}: signs nothing");
                for action in actions {
                    match action {
                        Action::Send { to, frame } => {
                            let event = Event::Frame { from: me, bytes: frame.encode() };
                            network.push_back((to, event));
                        }
                        Action::Tell(notice) if me.get() == 1 => told.push(notice),
                        _ => {}
                    }
                }
            }
            assert!(told.iter().any(|notice| matches!(notice, Notice::Claimed(_))), "{what}");
            let put_back = |notice: &&Notice| matches!(notice, Notice::PutBack(_));
            assert_eq!(told.iter().filter(put_back).count(), 1, "{what}");
            assert!(!told.iter().any(|notice| matches!(notice, Notice::Fault(_))), "{what}");
            let (exchange, storage) = &mut all[0];
            let actions = exchange.handle(Event::Tick, &at(4), storage).unwrap();
            let Some(Action::Done(Ending::PutBack(known))) = actions.last() else {
                panic!("{what}: {actions:?}")
            };
            assert_eq!(known.last_round(), Some(moment_round(moment)), "{what}");
            assert_eq!(storage.elsewhere, known.elsewhere, "{what}: it is kept");
        }
    }
}

/// A peer that says so and shows nothing delays this operator a moment, once, however often it
/// comes back.
#[test]
fn a_peer_that_only_says_so_is_not_waited_for() {
    let all = reached(Reached::Said(Round::Deal));
    let mut exchanges = exchanges(&all, &all[0].log);
    let lie = |exchange: &Exchange| {
        let shape = Shape::of(&exchange.participant().seat().ceremony);
        let mut have = exchange.participant().have(false);
        have.slots[shape.slot(Round::Prepare, index(1)).unwrap()] = Some(Digest([7; 32]));
        Event::Frame { from: index(3), bytes: Frame::Have(have).encode() }
    };
    let (exchange, storage) = &mut exchanges[0];
    exchange.handle(Event::Up(index(3)), &at(0), storage).unwrap();
    let asked = exchange.handle(lie(exchange), &at(0), storage).unwrap();
    assert!(asked.contains(&Action::Tell(Notice::Claimed(index(3)))));
    let helped = |action: &Action| {
        matches!(action, Action::Send { to, frame: Frame::Have(Have { help: true, .. }) }
            if *to == index(3))
    };
    assert!(asked.iter().any(helped), "it is asked at once");
    // Meanwhile everything comes that the prepare needs, and nothing is signed.
    let others: Vec<Vec<u8>> = reached(Reached::Said(Round::Prepare))[0]
        .log
        .iter()
        .filter(|(kind, body)| {
            *kind == RecordKind::Statement && body[7] == Round::Deal.number() && body[9] != 1
        })
        .map(|(_, body)| Frame::Statement(body.clone()).encode())
        .collect();
    let boxes = [1, 2].map(|at| all[at].participant().box_for(index(1)).unwrap().encode());
    let mut said = Vec::new();
    for bytes in others.into_iter().chain(boxes) {
        let event = Event::Frame { from: index(2), bytes };
        said.extend(exchange.handle(event, &at(0), storage).unwrap());
    }
    assert!(!new_own(&said, &own(&all[0].log)) && !exchange.participant().is_prepared());
    for _ in 0..3 {
        assert!(exchange.participant().is_to_show(index(3)));
        exchange.handle(lie(exchange), &at(0), storage).unwrap();
    }
    assert!(!exchange.participant().is_prepared());
    let said = exchange.handle(lie(exchange), &at(0), storage).unwrap();
    assert!(!exchange.participant().is_to_show(index(3)) && exchange.participant().is_prepared());
    assert!(new_own(&said, &own(&all[0].log)), "it is no longer waited for");
    exchange.handle(Event::Down(index(3)), &at(0), storage).unwrap();
    exchange.handle(Event::Up(index(3)), &at(0), storage).unwrap();
    exchange.handle(lie(exchange), &at(0), storage).unwrap();
    assert!(!exchange.participant().is_to_show(index(3)), "once, however often it comes back");
    assert_eq!(exchange.participant().put_back(), None);
}

/// A peer that says so once and then says nothing is waited for by this operator's own clock, and
/// nobody is said to owe anything for it.
#[test]
fn a_peer_that_says_so_once_is_not_waited_for_without_end() {
    let all = reached(Reached::Said(Round::Prepare));
    let seat = all[0].seat.clone();
    let (mut participant, _) =
        Participant::start(seat.clone(), records(&all[0].log), no_entropy).unwrap();
    let mut have = participant.have(false);
    let slot = Shape::of(&seat.ceremony).slot(Round::Final, seat.me).unwrap();
    have.slots[slot] = Some(Digest([7; 32]));
    participant.handle(Input::PeerHolds { peer: index(3), have: have.clone() }).unwrap();
    assert_eq!(participant.waiting().to_show, [index(3)]);
    for _ in 0..15 {
        participant.handle(Input::Waited).unwrap();
        assert!(participant.is_to_show(index(3)));
    }
    participant.handle(Input::Waited).unwrap();
    assert_eq!(participant.waiting().to_show, []);
    participant.handle(Input::PeerHolds { peer: index(3), have }).unwrap();
    assert!(!participant.is_to_show(index(3)), "once");
}

/// A peer that goes, or no longer says so, is not waited for either.
#[test]
fn a_peer_that_goes_is_not_waited_for() {
    let all = reached(Reached::Said(Round::Prepare));
    let seat = all[0].seat.clone();
    let (mut participant, _) =
        Participant::start(seat.clone(), records(&all[0].log), no_entropy).unwrap();
    let honest = participant.have(false);
    let mut lie = honest.clone();
    let slot = Shape::of(&seat.ceremony).slot(Round::Commit, seat.me).unwrap();
    lie.slots[slot] = Some(Digest([7; 32]));
    let holds = |peer, have: &Have| Input::PeerHolds { peer: index(peer), have: have.clone() };
    participant.handle(holds(2, &lie)).unwrap();
    participant.handle(holds(3, &lie)).unwrap();
    assert!(participant.is_to_show(index(2)) && participant.is_to_show(index(3)));
    participant.handle(Input::PeerLeft(index(2))).unwrap();
    participant.handle(holds(3, &honest)).unwrap();
    assert!(!participant.is_to_show(index(2)) && !participant.is_to_show(index(3)));
}

#[test]
fn a_complaint_that_the_log_lacks_is_one_of_round_2() {
    let all = reached(Reached::Said(Round::Deal));
    let seat = all[0].seat.clone();
    let session = all[0].participant().inbox().session().unwrap();
    let length =
        Shape::of(&seat.ceremony).bytes_of(seat.me, Kind::Complaint, Round::Prepare).unwrap() - 172;
    let key = seat.operator.key();
    let body = vec![0; length];
    let complaint = Statement::sign_kind(
        Kind::Complaint,
        key,
        seat.me,
        Round::Prepare,
        session,
        Digest::ZERO,
        &body,
    );
    let beside = Beside { elsewhere: vec![complaint], outputs: Vec::new() };
    let (participant, _) = start(&all, &all[0].log, &beside);
    assert_eq!(participant.put_back().unwrap().last_round(), Some(Round::Prepare));
}
