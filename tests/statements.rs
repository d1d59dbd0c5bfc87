//! Statements and their slots: which are refused, and which are kept of an operator that signs more
//! than once.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::forger::{Forger, Hooks};
use common::{Machine, TWO_VALIDATORS, honest, machines, run};
use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::message::body::{Commit, Prepare};
use quorate::message::envelope::{Reject, Round, Statement, view_root};
use quorate::message::inbox::{Arrival, Inbox};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::hash::{Digest, Tag};
use quorate::protocol::evidence::Rule;
use quorate::protocol::judge::judge;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::threshold::Index;
use quorate::transcript::container;
use quorate::transcript::stopped::{self, Stopped};

/// What an envelope's signature covers.
const SIGNED: usize = 108;

fn played() -> Vec<Machine> {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    all
}

fn of(machines: &[Machine], round: Round, operator: usize) -> Statement {
    machines[operator].participant().inbox().get(round, machines[operator].seat.me).unwrap().clone()
}

#[test]
fn a_header_is_refused_for_what_is_wrong_with_it_though_its_signature_holds() {
    let all = played();
    let ceremony = &all[0].seat.ceremony;
    let statement = of(&all, Round::Prepare, 0);
    let opened = |at: usize, byte: u8| {
        let mut bytes = statement.bytes().to_vec();
        bytes[at] = byte;
        let signature = all[0].seat.operator.key().sign(Tag::EnvelopeSignature, &bytes[..SIGNED]);
        bytes[SIGNED..SIGNED + 64].copy_from_slice(&signature);
        Statement::open(&bytes, ceremony)
    };
    assert!(opened(0, statement.bytes()[0]).unwrap() == statement);
    let invalid = |what, why| Err(Reject::Malformed(DecodeError::Invalid { what, why }));
    assert_eq!(opened(0, b'q'), invalid("magic", "not of this protocol"));
    // A version that does not exist, and one that is not this ceremony's.
    assert_eq!(opened(5, 3), Err(Reject::Version(3)));
    assert_eq!(opened(5, 1), Err(Reject::Version(1)));
    assert_eq!(opened(6, 9), invalid("kind", "unknown in this round"));
    assert_eq!(opened(7, 9), invalid("round", "unknown"));
    assert_eq!(opened(9, 5), Err(Reject::UnknownSender(5)));
    assert_eq!(opened(9, 2), Err(Reject::Signature));
    assert_eq!(opened(11, 1), invalid("reserved", "not zero"));
}

/// The prepare of operator 1, and others of it that say something else.
fn prepares(all: &[Machine]) -> [Statement; 4] {
    let first = of(all, Round::Prepare, 0);
    let other = |byte: u8| {
        let mut body =
            Prepare::decode(first.body(), &Shape::of(&all[0].seat.ceremony), first.envelope.sender)
                .unwrap();
        body.stored.as_mut().unwrap().sums_root = Digest([byte; 32]);
        let (envelope, seat) = (&first.envelope, &all[0].seat);
        Statement::sign(
            seat.operator.key(),
            seat.me,
            Round::Prepare,
            envelope.session,
            envelope.view_root,
            &body.encode(),
        )
    };
    [first.clone(), other(2), other(3), other(4)]
}

fn held(inbox: &Inbox, sender: u16) -> Vec<Statement> {
    inbox.all(Round::Prepare, Index::new(sender).unwrap()).cloned().collect()
}

#[test]
fn of_many_prepares_two_are_kept_and_those_that_a_commit_names() {
    let all = played();
    let prepares = prepares(&all);
    // A commit of operator 2 over the third of them.
    let (commit, seat) = (of(&all, Round::Commit, 1), &all[1].seat);
    let mut body =
        Commit::decode(commit.body(), &Shape::of(&seat.ceremony), commit.envelope.sender).unwrap();
    body.view[0] = prepares[2].digest();
    let session = commit.envelope.session;
    let naming = Statement::sign(
        seat.operator.key(),
        seat.me,
        Round::Commit,
        session,
        view_root(&body.view),
        &body.encode(),
    );

    for named in [false, true] {
        let mut inbox = Inbox::new(seat.ceremony.clone());
        inbox.set_session(session);
        if named {
            assert_eq!(inbox.accept(naming.bytes()).unwrap().0, Arrival::New);
        }
        let mut arrives = |statement: &Statement| inbox.accept(statement.bytes()).unwrap().0;
        assert_eq!(arrives(&prepares[0]), Arrival::New);
        assert_eq!(arrives(&prepares[0]), Arrival::Same);
        assert_eq!(arrives(&prepares[1]), Arrival::Conflict);
        assert_eq!(arrives(&prepares[2]), if named { Arrival::Conflict } else { Arrival::Surplus });
        assert_eq!(arrives(&prepares[3]), Arrival::Surplus);
        assert_eq!(arrives(&prepares[1]), Arrival::Same);
        assert_eq!(held(&inbox, 1), prepares[..if named { 3 } else { 2 }]);
    }
}

/// Deals are long: a commit that names a third one is no reason to keep it.
#[test]
fn of_many_deals_two_are_kept_whatever_a_commit_names() {
    let all = played();
    let (first, seat) = (of(&all, Round::Deal, 0), &all[0].seat);
    let deals = [1, 2, 3].map(|byte| {
        let mut body = first.body().to_vec();
        let salt = 32 * 4;
        body[salt] ^= byte;
        let (key, envelope) = (seat.operator.key(), &first.envelope);
        Statement::sign(key, seat.me, Round::Deal, envelope.session, envelope.view_root, &body)
    });
    let (commit, namer) = (of(&all, Round::Commit, 1), &all[1].seat);
    let mut body =
        Commit::decode(commit.body(), &Shape::of(&seat.ceremony), commit.envelope.sender).unwrap();
    body.view[0] = deals[2].digest();
    let session = commit.envelope.session;
    let naming = Statement::sign(
        namer.operator.key(),
        namer.me,
        Round::Commit,
        session,
        view_root(&body.view),
        &body.encode(),
    );
    let mut inbox = Inbox::new(seat.ceremony.clone());
    inbox.set_session(session);
    assert_eq!(inbox.accept(naming.bytes()).unwrap().0, Arrival::New);
    let arrivals = deals.map(|deal| inbox.accept(deal.bytes()).unwrap().0);
    assert_eq!(arrivals, [Arrival::New, Arrival::Conflict, Arrival::Surplus]);
}

/// Two signatures of one content: one statement, whose first signature stays, in every round and
/// for every kind.
#[test]
fn a_second_signature_on_one_content_is_the_same_statement() {
    let all = played();
    let seat = all[0].seat.clone();
    let mut inbox = Inbox::new(seat.ceremony.clone());
    let forger = Forger::new(seat.clone(), Hooks::default());
    inbox.set_session(of(&all, Round::Deal, 0).envelope.session);
    let abandonment = forger.abandon();
    let mut contents: Vec<Statement> =
        Round::ALL.into_iter().map(|round| of(&all, round, 0)).collect();
    contents.push(abandonment);
    for statement in &contents {
        let again = forger.again(statement);
        assert_ne!(again.bytes(), statement.bytes());
        assert_eq!(again.digest(), statement.digest());
        assert_eq!(inbox.accept(statement.bytes()).unwrap().0, Arrival::New);
        assert_eq!(inbox.accept(again.bytes()).unwrap().0, Arrival::Same);
        assert_eq!(inbox.accept_logged(again.bytes()).unwrap(), again);
    }
    assert!(inbox.conflicts().next().is_none());
    assert_eq!(inbox.everything().count(), contents.len());
    assert!(inbox.everything().all(|held| contents.contains(held)), "the first stays");
    // Neither does a stranger find a fault, or keep both.
    let both: Vec<Statement> =
        contents.iter().flat_map(|one| [one.clone(), forger.again(one)]).collect();
    assert_eq!(judge(&seat.ceremony, &both), []);
    let file = stopped::encode(&seat.ceremony, &both);
    assert_eq!(Stopped::parse(&file).unwrap().statements.len(), contents.len());
}

/// In the last round a slot is empty until a final there has passed, whatever else is in it.
#[test]
fn a_final_counts_when_it_has_passed() {
    let all = played();
    let (last, seat) = (of(&all, Round::Final, 0), &all[0].seat);
    let forger = Forger::new(seat.clone(), Hooks::default());
    let mut inbox = Inbox::new(seat.ceremony.clone());
    inbox.set_session(last.envelope.session);
    let junk = [0, 1].map(|number| forger.junk(&last, number));
    let mut arrives = |statement: &Statement| inbox.accept(statement.bytes()).unwrap().0;
    assert_eq!(arrives(&junk[0]), Arrival::New);
    assert_eq!(arrives(&junk[1]), Arrival::Conflict);
    assert_eq!(arrives(&last), Arrival::Surplus);
    assert_eq!(inbox.get(Round::Final, seat.me), None);
    assert!(inbox.missing(Round::Final).contains(&seat.me));
    assert_eq!(inbox.statements().count(), 0);
    inbox.keep(last.clone());
    inbox.fill(&last);
    // What fills a slot stays.
    inbox.fill(&junk[0]);
    assert_eq!(inbox.get(Round::Final, seat.me), Some(&last));
    assert_eq!(inbox.all(Round::Final, seat.me).count(), 3);
    assert!(!inbox.missing(Round::Final).contains(&seat.me));
}

#[test]
fn what_a_log_holds_is_kept_and_kept_once() {
    let all = played();
    let prepares = prepares(&all);
    let mut inbox = Inbox::new(all[0].seat.ceremony.clone());
    inbox.set_session(prepares[0].envelope.session);
    for statement in prepares.iter().chain(&prepares) {
        assert_eq!(inbox.accept_logged(statement.bytes()).as_ref(), Ok(statement));
    }
    assert_eq!(held(&inbox, 1), prepares);
}

/// Frames that name a seat: whatever is done with them later can take it for one.
#[test]
fn a_frame_about_a_seat_that_nobody_has_is_none() {
    let ceremony = machines(4, 3, TWO_VALIDATORS)[0].seat.ceremony.clone();
    let (shape, first) = (Shape::of(&ceremony), Index::new(1).unwrap());
    let frames = [
        Frame::Want { dealer: first, recipient: first },
        Frame::ShareBox { dealer: first, recipient: first, sealed: vec![0; shape.box_bytes()] },
    ];
    for frame in frames.map(|frame| frame.encode()) {
        assert!(Frame::decode(&frame, &shape).is_ok());
        for (at, what) in [(1, "dealer"), (3, "recipient")] {
            for index in [0, 5, u16::MAX] {
                let mut altered = frame.clone();
                altered[at..at + 2].copy_from_slice(&index.to_be_bytes());
                let error = Frame::decode(&altered, &shape).unwrap_err();
                assert_eq!(error, DecodeError::Invalid { what, why: "no seat has this index" });
            }
        }
    }
}

/// What the network makes of a cheat's statement of `round` on its way to a victim.
fn shown_to_one(
    round: Round,
    cheat: &OwnSeat,
    victim: Index,
    instead: impl Fn(&Statement) -> Vec<Statement>,
) -> Vec<Machine> {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut |from, to, frame| {
        let Frame::Statement(bytes) = &frame else { return vec![frame] };
        let statement = Statement::open(bytes, &cheat.ceremony).unwrap();
        let place = (from, statement.envelope.sender, statement.envelope.round, to);
        match place == (cheat.me, cheat.me, round, victim) {
            true => {
                let frame = |one: Statement| Frame::Statement(one.bytes().to_vec());
                instead(&statement).into_iter().map(frame).collect()
            }
            false => vec![frame],
        }
    });
    all
}

/// One certificate, whatever the signatures; and no fault, since there is none.
#[test]
fn a_second_signature_shown_to_one_stops_nobody_in_any_round() {
    let cheat = machines(4, 3, TWO_VALIDATORS).remove(3).seat;
    let forger = Forger::new(cheat.clone(), Hooks::default());
    let victim = Index::new(2).unwrap();
    let undisturbed = played()[0].participant().outcome().unwrap().certificate;
    for round in Round::ALL {
        let all = shown_to_one(round, &cheat, victim, |right| vec![forger.again(right)]);
        let held = |machine: &Machine| machine.participant().inbox().get(round, cheat.me).cloned();
        assert_ne!(held(&all[0]).unwrap().bytes(), held(&all[1]).unwrap().bytes(), "{round:?}");
        for machine in &all {
            let participant = machine.participant();
            assert!(participant.is_finished() && machine.written, "{round:?}");
            assert_eq!(participant.proven_fault(), None, "{round:?}");
            assert_eq!(participant.outcome().unwrap().certificate, undisturbed, "{round:?}");
            let inbox = participant.inbox();
            let transcript = container::encode(&cheat.ceremony, inbox.statements()).unwrap();
            let report = audit(&transcript, &Expectations::default());
            assert_eq!(report.audited().unwrap().certificate(), undisturbed, "{round:?}");
        }
    }
}

/// Of three commits or finals of one operator that one other gets, two are wrong: it finishes with
/// the third, which all others have, and says whose fault it saw.
#[test]
fn wrong_commits_and_finals_shown_to_one_keep_it_from_nothing() {
    let cheat = machines(4, 3, TWO_VALIDATORS).remove(3).seat;
    let forger = Forger::new(cheat.clone(), Hooks::default());
    let victim = Index::new(2).unwrap();
    for round in [Round::Commit, Round::Final] {
        let all = shown_to_one(round, &cheat, victim, |right| {
            vec![forger.junk(right, 0), forger.junk(right, 1)]
        });
        let participant = all[1].participant();
        assert_eq!(participant.inbox().all(round, cheat.me).count(), 3, "{round:?}");
        assert!(participant.is_finished() && all[1].written, "{round:?}");
        assert_eq!(
            participant.inbox().get(round, cheat.me),
            all[0].participant().inbox().get(round, cheat.me)
        );
        let fault = participant.proven_fault().unwrap();
        assert_eq!(fault.rule, Rule::Equivocation { operator: cheat.me, round });
        let held: Vec<Statement> = participant.inbox().everything().cloned().collect();
        // Whatever it holds is within the bound of a file.
        let file = stopped::encode(&cheat.ceremony, &held);
        assert_eq!(Stopped::parse(&file).unwrap().statements.len(), held.len());
    }
}
