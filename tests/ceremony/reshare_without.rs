//! Reshares that are finished without seats that are lost after all have stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::{Report, Status, Verdict};
use quorate::audit::{NotOwn, audit, audit_all, own};
use quorate::exchange::{Exchange, InMemory, Pacing, Posted};
use quorate::message::done::Done;
use quorate::message::envelope::{ENVELOPE_BYTES, Kind, Reject, Round, Statement};
use quorate::message::posting::{NoPosting, Posting};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::message::without::{TooFew, Without, enough, left_out};
use quorate::primitives::codec::DecodeError;
use quorate::primitives::hash::Digest;
use quorate::protocol::participant::{Input, Refused, Step};
use quorate::protocol::record::ReplayError;
use quorate::signing::parent::Parent;
use quorate::simulation::reshare::{Part, minima, reshare};
use quorate::spec::Index;
use quorate::spec::seats::Seats;
use quorate::transcript::container::{self, Container, ContainerError, ContainerKind, Header};
use quorate::transcript::stopped;

use super::common::{Machine, Mutate, honest, run};
use super::repair::regained;
use super::reshare::{complete, parent};

pub(crate) fn seats(numbers: &[u16]) -> Seats {
    numbers.iter().map(|number| Index::new(*number).unwrap()).collect()
}

/// A network in which these finals and whatever these seats say or hear is lost.
pub(crate) fn lossy(lost: Seats, finals: bool) -> impl FnMut(Index, Index, Frame) -> Vec<Frame> {
    move |from, to, frame| {
        let last = matches!(&frame, Frame::Statement(bytes)
            if bytes[6..8] == [Kind::Ordinary as u8, Round::Final.number()]);
        match lost.contains(from) || lost.contains(to) || last && finals {
            true => Vec::new(),
            false => vec![frame],
        }
    }
}

/// A reshare after all commits: everybody has signed its final, and nobody has heard another's.
pub(crate) fn committed(old: &[Machine], parts: &[Part], t: usize) -> Vec<Machine> {
    let mut all = reshare(old, parts, t, &[0]);
    run(&mut all, &mut honest);
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        machine.stop(minima(1, 100)).unwrap().unwrap();
    }
    run(&mut all, &mut lossy(Seats::default(), true));
    assert!(all.iter().all(|machine| machine.participant().has_said(Round::Final)));
    assert!(all.iter().all(|machine| !machine.participant().is_finished()));
    all
}

/// The same machines from their logs.
fn again(all: &[Machine]) -> Vec<Machine> {
    let copy = |machine: &Machine| {
        let mut copy = Machine::new(&machine.seat.ceremony, &machine.seat.operator);
        (copy.seat, copy.log) = (machine.seat.clone(), machine.log.clone());
        copy.start().unwrap();
        copy
    };
    all.iter().map(copy).collect()
}

fn four() -> Vec<Part> {
    ["alice", "bob", "carol", "dave"].map(|name| (name, true, true)).to_vec()
}

fn scene() -> Vec<Machine> {
    committed(&parent(4, 3), &four(), 3)
}

pub(crate) fn transcript(machine: &Machine) -> Vec<u8> {
    let inbox = machine.participant().inbox();
    let all = inbox.statements().chain(inbox.minima()).chain(inbox.withouts());
    container::encode(&machine.seat.ceremony, all).unwrap()
}

pub(crate) fn alone(bytes: &[u8]) -> Report {
    audit(bytes, &Expectations::default())
}

/// Everybody but `lost` says that it finishes without them.
pub(crate) fn agree(all: &mut [Machine], lost: Seats, network: &mut Mutate<'_>) {
    for machine in all.iter_mut().filter(|machine| !lost.contains(machine.seat.me)) {
        let _ = machine.finish_without(lost).unwrap().unwrap();
    }
    run(all, network);
}

#[test]
fn every_set_of_lost_seats_is_left_out_or_refused() {
    let old = |n, t| parent(n, t);
    let one = |name, deals, receives| (name, deals, receives);
    let both = |name| one(name, true, true);
    let uses: [(Vec<Machine>, Vec<Part>, usize, usize); 3] = [
        // Any one of three; any one of four; of three dealers of four and two newcomers any one
        // that only receives, or both of these.
        (old(3, 2), ["alice", "bob", "carol"].map(both).to_vec(), 2, 3),
        (old(4, 3), four(), 3, 4),
        (
            old(4, 3),
            vec![
                both("alice"),
                both("bob"),
                one("carol", true, false),
                one("dave", false, true),
                one("erin", false, true),
            ],
            3,
            2,
        ),
    ];
    for (old, parts, t, expected) in uses {
        let begun = committed(&old, &parts, t);
        let ceremony = begun[0].seat.ceremony.clone();
        let shape = Shape::of(&ceremony);
        let mut finished: Vec<Seats> = Vec::new();
        let mut certificates: Vec<Digest> = Vec::new();
        for set in 1_u16..(1 << parts.len()) - 1 {
            let lost: Seats = (0..parts.len())
                .filter(|at| set >> at & 1 == 1)
                .filter_map(Index::from_position)
                .collect();
            let mut all = again(&begun);
            let mut network = lossy(lost, false);
            run(&mut all, &mut network);
            let left = |machine: &&mut Machine| !lost.contains(machine.seat.me);
            let rule = enough(ceremony.reshare().unwrap(), &shape, lost);
            if let Err(few) = rule {
                for machine in all.iter_mut().filter(left) {
                    let refused = machine.finish_without(lost).unwrap().err();
                    assert_eq!(refused, Some(Refused::TooFew(few)), "{lost:?}");
                    assert!(machine.participant().inbox().withouts().next().is_none());
                }
                continue;
            }
            agree(&mut all, lost, &mut network);
            for machine in all.iter_mut().filter(left) {
                let participant = machine.participant();
                assert!(participant.is_finished() && machine.written, "{lost:?}");
                assert_eq!(participant.finished_without(), lost);
                assert!(participant.waiting().everybody().is_empty());
                let bytes = transcript(machine);
                let report = alone(&bytes);
                assert_eq!(report.verdict(), Verdict::Unlinked, "{:?}", report.lines());
                let words = &report.line(Code::V14).unwrap().detail;
                let count = parts.len() - lost.len();
                assert!(words.starts_with(&format!("{count} operators signed")), "{words}");
                let own = own(participant, &bytes).unwrap();
                assert_eq!(own.line(Code::V14), report.line(Code::V14));
                assert!(own.audited().unwrap().finished_without().into_iter().eq(lost.iter()));
                certificates.push(participant.outcome().unwrap().certificate);
            }
            finished.push(lost);
        }
        assert_eq!(finished.len(), expected);
        // Whoever finishes without whomever has the same; and any two such sets share a dealer.
        assert!(certificates.iter().all(|one| *one == certificates[0]));
        for (a, b) in finished.iter().flat_map(|a| finished.iter().map(move |b| (a, b))) {
            let left = shape.parts.dealers.minus(*a).minus(*b);
            assert!(!left.is_empty(), "{a:?} {b:?}");
        }
    }
}

/// Of every parent up to seven and every number of dealers: two sets that finish share a dealer,
/// and of the parent's operators that are not bound fewer than the threshold are left.
#[test]
fn two_completions_share_an_operator_and_no_old_quorum_remains() {
    for (n, t) in [(3, 2), (4, 3), (5, 3), (6, 4), (7, 4), (7, 5)] {
        for dealers in t..=n {
            let sets = || (0_u32..1 << dealers).filter(|set| 2 * set.count_ones() > n);
            for (a, b) in sets().flat_map(|a| sets().map(move |b| (a, b))) {
                assert_ne!(a & b, 0, "{n} {dealers}");
                assert!(n - a.count_ones() < t);
            }
        }
    }
}

#[test]
fn words_add_up_and_the_fewest_are_left_out() {
    let begun = scene();
    let shape = Shape::of(&begun[0].seat.ceremony);
    let everybody = Seats::first(4);
    let (one, two) = (seats(&[4]), seats(&[3, 4]));
    let said = |sets: &[(u16, Seats)]| -> BTreeMap<Index, Seats> {
        sets.iter().map(|(seat, named)| (Index::new(*seat).unwrap(), *named)).collect()
    };
    let fewer = everybody.minus(one);
    for (finals, sets, left) in [
        (everybody, vec![], Some(Seats::default())),
        (fewer, vec![(1, one), (2, one), (3, one)], Some(one)),
        // Who does without two does without one of them, too.
        (fewer, vec![(1, one), (2, two), (3, one)], Some(one)),
        // Who has not said so is left out, if all others do without it.
        (fewer, vec![(1, two), (2, two)], Some(two)),
        (fewer, vec![(1, two), (2, one)], None),
        (fewer, vec![], None),
    ] {
        let found = left_out(&shape, finals, &said(&sets));
        assert_eq!(found, left, "{sets:?}");
    }
    // The second word of a seat adds to the first; the same again says nothing.
    let mut all = again(&begun);
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    let told = all[0].finish_without(lost).unwrap().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(all[0].finish_without(lost).unwrap().unwrap(), []);
    let awaited = all[0].participant().waiting();
    assert_eq!(awaited.everybody(), vec![all[1].seat.me, all[2].seat.me]);
    assert_eq!(awaited.agreement, awaited.everybody());
    assert!(awaited.statements.is_empty());
    let few = TooFew { bound: 2, operators: 4, receivers: 2, threshold: 3 };
    let refused = all[0].finish_without(seats(&[3])).unwrap().err();
    assert_eq!(refused, Some(Refused::TooFew(few)));
    // It is kept over a restart.
    let before = all[0].log.len();
    all[0].start().unwrap();
    assert_eq!(all[0].participant().does_without(all[0].seat.me), lost);
    assert_eq!(all[0].log.len(), before);
    agree(&mut all, lost, &mut lossy(lost, false));
    assert!(all[..3].iter().all(|machine| machine.participant().is_finished()));
    let mut resumed = again(&all[..3]);
    for machine in &mut resumed {
        assert!(machine.participant().is_finished() && machine.written);
        assert_eq!(machine.participant().finished_without(), lost);
        assert_eq!(machine.finish_without(lost).unwrap().err(), Some(Refused::NotAsked));
    }
}

/// A log that was put back to the state after its final and before the words.
#[test]
fn a_log_without_the_words_takes_them_from_its_outputs_and_from_others() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    let before = all[0].log.clone();
    agree(&mut all, lost, &mut lossy(lost, false));
    all.truncate(3);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
    let inbox = all[0].participant().inbox();
    let slots: Vec<Statement> = inbox.minima().chain(inbox.statements()).cloned().collect();
    let words: Vec<Statement> = inbox.withouts().cloned().collect();
    assert_eq!(words.len(), 3);
    let put_back = |machine: &mut Machine, outputs: Vec<Statement>| {
        (machine.log, machine.written, machine.beside.outputs) = (before.clone(), false, outputs);
        machine.start().unwrap();
        machine.participant().is_finished()
    };
    // A set of statements has none of them.
    let all_said = slots.iter().chain(&words);
    let file = stopped::encode(&all[0].seat.ceremony, all_said);
    let read = stopped::Stopped::parse(&file).unwrap();
    assert_eq!(read.statements.len(), slots.len());
    // By its outputs, all alone; a later start finds the words in the log.
    assert!(put_back(&mut all[0], [slots.clone(), words].concat()));
    assert_eq!(all[0].participant().finished_without(), lost);
    all[0].beside.outputs.clear();
    all[0].start().unwrap();
    assert!(all[0].participant().is_finished());
    // One of another certificate is none.
    let (seat, session) = (all[1].seat.clone(), all[1].participant().inbox().session().unwrap());
    let word = Without { certificate: Digest([1; 32]), seats: lost };
    let foreign = word.sign(seat.operator.key(), seat.me, session, 4);
    assert!(!put_back(&mut all[0], [slots.clone(), vec![foreign]].concat()));
    assert_eq!(all[0].participant().inbox().withouts().count(), 0);
    // By others, who know that it had finished.
    assert!(!put_back(&mut all[0], slots));
    let (back, others) = all.split_first_mut().unwrap();
    for other in others.iter_mut() {
        let done = Done::sign(
            back.seat.operator.key(),
            back.seat.me,
            &back.seat.ceremony,
            other.participant().outcome().unwrap().certificate,
        );
        let _ = other.take(Input::Done(done)).unwrap().unwrap();
        assert!(!other.participant().unconfirmed().contains(&back.seat.me));
    }
    run(&mut all, &mut honest);
    assert!(all[0].participant().is_finished());
    assert_eq!(all[0].participant().finished_without(), lost);
}

/// Words beside a log that has not come so far are kept until there is what they are about.
#[test]
fn words_beside_an_earlier_log_are_kept_until_they_are_needed() {
    let old = parent(4, 3);
    let mut all = reshare(&old, &four(), 3, &[0]);
    run(&mut all, &mut honest);
    let before = all[0].log.clone();
    for machine in &mut all {
        machine.stop(minima(1, 100)).unwrap().unwrap();
    }
    run(&mut all, &mut lossy(Seats::default(), true));
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    agree(&mut all, lost, &mut lossy(lost, false));
    let words: Vec<Statement> = all[0].participant().inbox().withouts().cloned().collect();
    assert_eq!(words.len(), 3);
    (all[0].log, all[0].written, all[0].beside.outputs) = (before, false, words);
    all[0].start().unwrap();
    assert!(all[0].participant().outcome().is_none());
    let mut rest = lossy(lost, false);
    run(&mut all, &mut |from, to, frame| match &frame {
        Frame::Statement(bytes) if bytes[6] == Kind::Without as u8 => Vec::new(),
        _ => rest(from, to, frame),
    });
    assert_eq!(all[0].participant().finished_without(), lost);
}

/// Words that come later name more seats, and stand before or behind the first ones.
#[test]
fn a_completion_stays_the_same_when_somebody_names_more_seats() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    agree(&mut all, lost, &mut lossy(lost, false));
    let inbox = all[0].participant().inbox();
    let session = inbox.session().unwrap();
    let certificate = all[0].participant().outcome().unwrap().certificate;
    let ceremony = &all[0].seat.ceremony;
    let written = transcript(&all[0]);
    let old = Container::parse(&written).unwrap();
    let (mut before, mut behind) = (0, 0);
    for machine in &all[..3] {
        for more in [&[1, 4][..], &[2, 4], &[3, 4], &[1, 2, 4], &[1, 3, 4], &[2, 3, 4]] {
            let (seats, seat) = (seats(more), &machine.seat);
            if seats.contains(seat.me) {
                continue;
            }
            let word =
                Without { certificate, seats }.sign(seat.operator.key(), seat.me, session, 4);
            let held = inbox.statements().chain(inbox.minima()).chain(inbox.withouts());
            let now = container::encode(ceremony, held.chain([&word])).unwrap();
            let new = Container::parse(&now).unwrap();
            assert_eq!(new.lacking(), old.lacking());
            match now == written {
                true => behind += 1,
                false => {
                    before += 1;
                    assert!(container::is_same_completion(&old, &new));
                    // It is not what this operator has checked.
                    let checked = own(all[0].participant(), &now);
                    assert!(matches!(checked, Err(NotOwn::Without)));
                }
            }
        }
    }
    assert!(before > 0 && behind > 0, "{before} {behind}");
    let other = transcript(&parent(4, 3)[0]);
    assert!(!container::is_same_completion(&Container::parse(&other).unwrap(), &old));
}

/// Of a seat that an operator does without no final is awaited, and of everybody else the same
/// word.
#[test]
fn at_the_end_finals_are_awaited_and_then_words() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    let indices = |numbers: &[u16]| seats(numbers).iter().collect::<Vec<_>>();
    let awaited = |machine: &Machine| {
        let waiting = machine.participant().waiting();
        (waiting.statements, waiting.agreement)
    };
    assert_eq!(awaited(&all[0]), (indices(&[4]), indices(&[])));
    // What is not finished is nobody's parent.
    assert!(Parent::finished(all[0].participant()).is_none());
    let _ = all[0].finish_without(lost).unwrap().unwrap();
    assert_eq!(awaited(&all[0]), (indices(&[]), indices(&[2, 3])));
}

#[test]
fn nobody_finishes_without_others_before_its_own_final_or_without_itself() {
    let old = parent(4, 3);
    let mut all = reshare(&old, &four(), 3, &[0]);
    run(&mut all, &mut honest);
    let lost = seats(&[4]);
    assert_eq!(all[0].finish_without(lost).unwrap().err(), Some(Refused::NotFinal));
    complete(&mut all);
    let mut all = committed(&old, &four(), 3);
    for refused in [seats(&[1]), seats(&[]), seats(&[9])] {
        assert_eq!(all[0].finish_without(refused).unwrap().err(), Some(Refused::NotAsked));
    }
    let missing = [2, 3].map(|number| Index::new(number).unwrap()).to_vec();
    let refused = all[0].finish_without(lost).unwrap().err();
    assert_eq!(refused, Some(Refused::FinalsMissing(missing)));
    // A key generation knows no such word.
    let mut born = parent(3, 2);
    assert_eq!(born[0].finish_without(seats(&[3])).unwrap().err(), Some(Refused::NotAsked));
    let shape = Shape::of(&born[0].seat.ceremony);
    assert_eq!(shape.bytes_of(born[0].seat.me, Kind::Without, Round::Final), None);
}

/// A lost seat that comes back with its final makes the ordinary completion; those that finished
/// without it take its final and pass it on.
#[test]
fn a_seat_that_comes_back_finishes_with_all() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    agree(&mut all, lost, &mut lossy(lost, false));
    let before = transcript(&all[0]);
    let kind = |bytes: &[u8]| Header::parse(bytes).unwrap().kind();
    assert_eq!(kind(&before), ContainerKind::Without);
    run(&mut all, &mut honest);
    let back = all[3].participant();
    assert!(back.is_finished() && back.finished_without().is_empty());
    let certificate = |machine: &Machine| machine.participant().outcome().unwrap().certificate;
    assert_eq!(certificate(&all[3]), certificate(&all[0]));
    for machine in &all {
        let bytes = transcript(machine);
        assert_eq!(kind(&bytes), ContainerKind::Reshared);
        assert_eq!(alone(&bytes).verdict(), Verdict::Unlinked);
    }
    // The two transcripts of one completion are no fork.
    let first: Vec<Machine> = parent(4, 3);
    let files = [transcript(&first[0]), before, transcript(&all[3])];
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let report = audit_all(&files, &Expectations::default()).unwrap();
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.lines());
}

/// A dealer abandons between its commit and its final, when the old cluster has stopped.
#[test]
fn attack_rs10_abandonment_of_a_lost_seat_is_void() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    // Its final is not heard; its abandonment is. It is signed here from a log without the final,
    // and without alice's commit, which it would follow at once.
    let mut dave = all.pop().unwrap();
    let mut copy = Machine::new(&dave.seat.ceremony, &dave.seat.operator);
    (copy.seat, copy.log) = (dave.seat.clone(), dave.log.clone());
    let later =
        |body: &[u8]| [[1, 4, 0, 4], [1, 3, 0, 1]].contains(&body[6..10].try_into().unwrap());
    copy.log.retain(|(_, body)| body.len() < ENVELOPE_BYTES || !later(body));
    copy.start().unwrap();
    let given_up = match copy.participant.take().unwrap().abandon() {
        Ok((_, statement)) => statement,
        Err(error) => panic!("{error}"),
    };
    let signed = dave.participant.take().unwrap();
    assert_eq!(signed.abandon().err(), Some(ReplayError::Agreed), "its final binds it");
    for machine in &mut all {
        let _ = machine.receive(Frame::Statement(given_up.bytes().to_vec())).unwrap().unwrap();
        assert!(!machine.participant().is_finished());
    }
    agree(&mut all, lost, &mut honest);
    for machine in &all {
        assert!(machine.participant().is_finished());
        assert!(machine.participant().proven_fault().is_none());
        assert_eq!(alone(&transcript(machine)).verdict(), Verdict::Unlinked);
    }
}

/// The word that an operator does without somebody follows its final, and binds as that does, also
/// where a log that was put back has the word alone.
#[test]
fn who_does_without_somebody_does_not_abandon() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    all.pop();
    agree(&mut all, lost, &mut honest);
    let mut alice = all.swap_remove(0);
    let of = |body: &[u8]| body.len() >= ENVELOPE_BYTES;
    let later =
        |body: &[u8]| [[1, 4, 0, 1], [1, 3, 0, 2]].contains(&body[6..10].try_into().unwrap());
    alice.log.retain(|(_, body)| !of(body) || !later(body));
    alice.start().unwrap();
    let participant = alice.participant.take().unwrap();
    assert!(!participant.has_said(Round::Final));
    assert!(!participant.does_without(Index::new(1).unwrap()).is_empty());
    assert_eq!(participant.abandon().err(), Some(ReplayError::Agreed));
}

/// One operator says that the others are lost: by its word alone nothing is complete, whatever it
/// signs and writes.
#[test]
fn attack_rs11_fewer_than_agree_finish_nothing() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    let (key, me) = (all[0].seat.operator.clone(), all[0].seat.me);
    let session = all[0].participant().inbox().session().unwrap();
    let certificate = all[0].participant().outcome().unwrap().certificate;
    let word = |certificate, seats| {
        Without { certificate, seats }.sign(key.key(), me, session, 4).bytes().to_vec()
    };
    let held = |machine: &Machine| machine.participant().inbox().withouts().count();
    // Of another certificate, of itself, of nobody: it says nothing, and is nobody's fault.
    for nothing in [
        word(Digest([1; 32]), lost),
        word(certificate, seats(&[1, 4])),
        word(certificate, Seats::default()),
    ] {
        assert_eq!(all[1].receive(Frame::Statement(nothing)).unwrap().unwrap(), []);
        assert_eq!(held(&all[1]), 0);
    }
    let rooted = Statement::sign_kind(
        Kind::Without,
        key.key(),
        me,
        Round::Final,
        session,
        Digest([1; 32]),
        &Without { certificate, seats: lost }.encode(4),
    );
    let rooted = Frame::Statement(rooted.bytes().to_vec());
    assert_eq!(all[1].receive(rooted).unwrap().unwrap(), []);
    assert_eq!(held(&all[1]), 0);
    // Two words of one seat that name different ones are one that names both.
    for named in [seats(&[2]), seats(&[3]), seats(&[2, 3])] {
        let _ = all[1].receive(Frame::Statement(word(certificate, named))).unwrap().unwrap();
    }
    assert_eq!((held(&all[1]), all[1].participant().does_without(me)), (2, seats(&[2, 3])));
    assert!(!all[1].participant().is_finished());
    assert!(all[1].participant().proven_fault().is_none());
    // One that has computed nothing yet takes none.
    let mut early = reshare(&parent(4, 3), &four(), 3, &[0]);
    run(&mut early, &mut honest);
    let refused = early[1].receive(Frame::Statement(word(certificate, lost))).unwrap().err();
    assert_eq!(refused, Some(Refused::Reject(Reject::Early)));
}

/// Words on a board: what says nothing is junk for ever, what adds nothing is known, and what comes
/// too early is looked at again.
#[test]
fn attack_bd10_words_on_a_board_count_as_words_do() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    let (key, me) = (all[0].seat.operator.clone(), all[0].seat.me);
    let session = all[0].participant().inbox().session().unwrap();
    let certificate = all[0].participant().outcome().unwrap().certificate;
    let word = |certificate, seats| {
        Posting::of(Without { certificate, seats }.sign(key.key(), me, session, 4))
    };
    let ceremony = all[0].seat.ceremony.clone();
    let shape = Shape::of(&ceremony);
    let parse = |file: &Posting| {
        let bytes = file.encode();
        assert!(Posting::lengths(&shape, Round::Final, me).contains(&bytes.len()));
        Posting::parse(&bytes, &ceremony, &shape, Round::Final, me)
    };
    for (named, why) in [(seats(&[1, 4]), "the sender itself"), (Seats::default(), "none")] {
        let nothing = DecodeError::Invalid { what: "lost seats", why };
        assert_eq!(parse(&word(certificate, named)), Err(NoPosting::SaysNothing(nothing)));
    }
    let foreign = word(Digest([1; 32]), lost);
    assert_eq!(parse(&foreign), Ok(foreign.clone()));
    let exchange = |machine: &mut Machine| {
        let participant = machine.participant.take().unwrap();
        let (pacing, mut log) = (Pacing::new(Duration::ZERO), InMemory::default());
        let begun = Exchange::begin(participant, Step::default(), pacing, &mut log);
        (begun.unwrap(), log)
    };
    let (mut bob, mut log) = exchange(&mut all[1]);
    assert_eq!(bob.found(&foreign, &mut log).unwrap(), Posted::Known);
    assert_eq!(bob.participant().inbox().withouts().count(), 0);
    for expected in [Posted::New, Posted::Known] {
        assert_eq!(bob.found(&word(certificate, lost), &mut log).unwrap(), expected);
    }
    assert!(!bob.participant().is_finished() && bob.participant().proven_fault().is_none());
    // It is passed on like every other statement.
    let words = |exchange: &Exchange| {
        let postings = exchange.participant().postings().into_iter();
        postings.filter(|file| file.statement.envelope.kind == Kind::Without).count()
    };
    assert_eq!((words(&bob), log.records().len()), (1, 1));
    let mut early = reshare(&parent(4, 3), &four(), 3, &[0]);
    run(&mut early, &mut honest);
    let (mut early, mut log) = exchange(&mut early[1]);
    let found = early.found(&word(certificate, lost), &mut log).unwrap();
    assert_eq!((found, words(&early)), (Posted::NotNow, 0));
}

/// Whatever byte of it is altered, and wherever it is cut: it is no clean transcript, and nothing
/// panics.
#[test]
fn altered_and_cut_transcripts_never_pass() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    agree(&mut all, lost, &mut lossy(lost, false));
    let good = transcript(&all[0]);
    let words_at = good.len() - 2 - 3 * Container::parse(&good).unwrap().withouts()[0].len();
    for at in (0..words_at).step_by(331).chain((words_at..good.len()).step_by(23)) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(!alone(&bad).failed().is_empty(), "byte {at}");
        assert!(Container::parse(&good[..at]).is_err(), "cut at {at}");
    }
    assert!(Container::parse(&[&good[..], &[0]].concat()).is_err());
}

/// What a transcript needs to be complete without some, taken away piece by piece.
#[test]
fn a_transcript_without_its_words_fails() {
    let mut all = scene();
    let lost = seats(&[4]);
    run(&mut all, &mut lossy(lost, false));
    agree(&mut all, lost, &mut lossy(lost, false));
    let good = transcript(&all[1]);
    let parsed = Container::parse(&good).unwrap();
    assert_eq!((parsed.lacking(), parsed.withouts().len()), (lost, 3));
    assert_eq!(parsed.statement(Round::Final, Index::new(4).unwrap()), None);
    let size = parsed.withouts()[0].len();
    let words_at = good.len() - 3 * size;
    let flags = good.windows(4).position(|four| four == [1, 1, 1, 0]).unwrap();
    let failed = |bytes: &[u8], code: Code, words: &str| {
        let report = alone(bytes);
        assert_eq!(report.line(code).unwrap().status, Status::Failed, "{:?}", report.lines());
        let detail = &report.line(code).unwrap().detail;
        assert!(detail.contains(words), "{detail}");
        assert!(report.at_fault().is_empty() && report.audited().is_none());
    };
    // A word is missing.
    let mut bytes = good[..good.len() - size].to_vec();
    bytes[words_at - 1] = 2;
    failed(&bytes, Code::V14, "\"carol\" (operator 3) has not signed that it finishes without");
    // One is there twice; out of order; another statement.
    let twice =
        [&good[..words_at + size], &good[words_at..words_at + size], &good[words_at + 2 * size..]];
    failed(&twice.concat(), Code::V14, "word without others 2: out of order or repeated");
    let mut forged = good.clone();
    forged[words_at + size - 2] ^= 1;
    failed(&forged, Code::V14, "word without others 1: the body is not the one signed");
    // More than there can be.
    let mut many = good.clone();
    many[words_at - 1] = 4;
    let refused = Container::parse(&many).err().unwrap();
    assert!(matches!(refused, ContainerError::Withouts { most: 3, actual: 4 }), "{refused}");
    // Whose finals are here: all; a byte that is neither; another one.
    for (flag, why) in [(1, "all are"), (2, "neither 0 nor 1")] {
        let mut wrong = good.clone();
        wrong[flags + 3] = flag;
        let refused = Container::parse(&wrong).err().unwrap().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    let mut other = good.clone();
    other[flags..flags + 4].copy_from_slice(&[1, 1, 0, 1]);
    let report = alone(&other);
    assert_eq!(report.line(Code::V14).unwrap().status, Status::Failed);
    // Words of another certificate, of another seat, and one that says nothing new.
    let session = all[0].participant().inbox().session().unwrap();
    let certificate = all[0].participant().outcome().unwrap().certificate;
    let sign = |at: usize, certificate, named| {
        let seat = &all[at].seat;
        let word = Without { certificate, seats: named };
        word.sign(seat.operator.key(), seat.me, session, 4).bytes().to_vec()
    };
    let with = |first: Vec<u8>| [&good[..words_at], &first, &good[words_at + size..]].concat();
    let foreign = with(sign(0, Digest([7; 32]), lost));
    failed(&foreign, Code::V14, "\"alice\" (operator 1) finishes another ceremony");
    failed(&with(sign(0, certificate, seats(&[3]))), Code::V14, "says nothing new");
    let own = with(sign(0, certificate, seats(&[1, 4])));
    failed(&own, Code::V14, "the word of \"alice\" (operator 1) without others: lost seats");
    // Too few are left, and all of them agree.
    let mut few = scene();
    let two = seats(&[3, 4]);
    run(&mut few, &mut lossy(two, false));
    let inbox = few[0].participant().inbox();
    let words: Vec<Statement> = [0, 1]
        .map(|at: usize| {
            Without { certificate, seats: two }.sign(
                few[at].seat.operator.key(),
                few[at].seat.me,
                session,
                4,
            )
        })
        .to_vec();
    let all = inbox.statements().chain(inbox.minima()).chain(&words);
    let bytes = container::encode(&few[0].seat.ceremony, all).unwrap();
    let words = "2 of the parent's 4 operators deal or witness and are left, where more than half";
    failed(&bytes, Code::V14, words);
}

/// A seat that was left out has its share in its log, and may lose that too: the others give it
/// back. So they do to one that finished.
#[test]
fn shares_of_a_reshare_without_a_seat_are_regained() {
    let first = parent(4, 3);
    let (mut all, lost) = (committed(&first, &four(), 3), seats(&[4]));
    run(&mut all, &mut lossy(lost, false));
    agree(&mut all, lost, &mut lossy(lost, false));
    assert!(all[..3].iter().all(|machine| machine.participant().is_finished()));
    assert!(!all[3].participant().is_finished());
    for (lost, helpers) in
        [("dave", ["alice", "bob", "carol"]), ("bob", ["alice", "carol", "dave"])]
    {
        let second = regained(&all, lost, &helpers);
        let files = [transcript(&second[0]), transcript(&all[0]), transcript(&first[0])];
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let expected =
            Expectations { ceremony: Some(&second[0].seat.ceremony), ..Expectations::default() };
        let report = audit_all(&files, &expected).unwrap();
        assert_eq!(report.verdict(), Verdict::Verified, "{lost}");
        assert!(report.is_of_repair(), "{lost}");
    }
}
