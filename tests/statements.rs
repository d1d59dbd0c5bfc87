//! Statements and their slots: which are refused, and which are kept of an operator that signs more
//! than once.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Machine, TWO_VALIDATORS, honest, machines, run};
use quorate::message::body::{Commit, Prepare};
use quorate::message::envelope::{Reject, Round, Statement, view_root};
use quorate::message::inbox::{Arrival, Inbox};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::hash::{Digest, Tag};
use quorate::spec::threshold::Index;

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
        body.sums_root = Digest([byte; 32]);
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

/// A third final counts if it says what another's final says. Of no other statement is a third one
/// kept for that.
#[test]
fn prepares_that_look_like_finals_are_not_kept() {
    let all = played();
    let (last, seat) = (of(&all, Round::Final, 1), &all[0].seat);
    let mut inbox = Inbox::new(seat.ceremony.clone());
    inbox.set_session(last.envelope.session);
    assert_eq!(inbox.accept(last.bytes()).unwrap().0, Arrival::New);
    let length = Shape::of(&seat.ceremony).owes(seat.me, Round::Prepare).unwrap();
    let arrivals = [1, 2, 3, 4].map(|byte| {
        let mut body = last.body()[..32 * 4 + 32].to_vec();
        body.resize(length, byte);
        let (key, envelope) = (seat.operator.key(), &last.envelope);
        let prepare = Statement::sign(
            key,
            seat.me,
            Round::Prepare,
            envelope.session,
            envelope.view_root,
            &body,
        );
        inbox.accept(prepare.bytes()).unwrap().0
    });
    assert_eq!(arrivals, [Arrival::New, Arrival::Conflict, Arrival::Surplus, Arrival::Surplus]);
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
