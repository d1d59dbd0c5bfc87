//! A made-up ceremony of which some seats only deal, some only receive, and one does neither:
//! whatever follows from who owes what follows the shape.
#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::identity::operator::Operator;
use crate::message::body::{Commit, Final, Hello, Prepare};
use crate::message::envelope::{
    ENVELOPE_BYTES, Kind, Reject, Round, Statement, session_id, view_root,
};
use crate::message::inbox::{Arrival, Inbox, digests};
use crate::message::shape::Shape;
use crate::message::sync::{Frame, Have};
use crate::primitives::codec::DecodeError;
use crate::primitives::hash::Digest;
use crate::protocol::judge::of_this_ceremony;
use crate::protocol::participant::{Input, Participant, Refused};
use crate::protocol::seat::OwnSeat;
use crate::spec::ceremony::Ceremony;
use crate::spec::file::CeremonyFile;
use crate::spec::kind::Parts;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;
use crate::transcript::container::{Container, ContainerError, Header, Incomplete, encode};
use crate::transcript::stopped::{self, Stopped};

use super::machine::{self, Machine, TWO_VALIDATORS, entropy, operators, spec_toml};

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

/// Five seats, threshold 3, two validators, four messages: seat 1 deals and receives, 2 deals, 3
/// and 4 receive, 5 does neither.
fn made_up(operators: &[Arc<Operator>]) -> Arc<Ceremony> {
    let parts = Parts {
        dealers: [1, 2].map(index).into_iter().collect(),
        receivers: [1, 3, 4].map(index).into_iter().collect(),
        witnesses: Seats::default(),
    };
    let file = CeremonyFile::parse_toml(&spec_toml(operators, 3, TWO_VALIDATORS)).unwrap();
    Arc::new(Ceremony::try_from(file).unwrap().with_parts(parts))
}

/// The seats of the made-up ceremony.
fn seats() -> Vec<OwnSeat> {
    let operators = operators(5);
    let ceremony = made_up(&operators);
    let seat = |operator| OwnSeat::find(ceremony.clone(), operator).unwrap();
    operators.into_iter().map(seat).collect()
}

/// Bytes of the bodies that the seats owe, by round; 0 where none is owed. By hand, from the table
/// of a reshare: who deals commits and reveals, who receives proves and signs, a view has a digest
/// for each statement of the round before.
const OWED: [[usize; 5]; 5] = [
    [64 + 32 + 32, 64 + 32, 64 + 2 * 32, 64 + 2 * 32, 64],
    [160 + 32 + 2 * 32 + 128 + 576, 160 + 32 + 3 * 32 + 128 + 576, 0, 0, 0],
    [64 + 132, 64, 64 + 132, 64 + 132, 64],
    [160 + 4 * 192, 160, 160 + 4 * 192, 160 + 4 * 192, 160],
    [160 + 32; 5],
];
/// Statements that are owed.
const SLOTS: usize = 5 + 2 + 5 + 5 + 5;

/// One statement for each slot, in order: views are right, the rest of a body is zero.
fn statements(seats: &[OwnSeat]) -> Vec<Statement> {
    let ceremony = &seats[0].ceremony;
    let mut all: Vec<Statement> = Vec::new();
    let (mut session, mut view) = (ceremony.digest(), Vec::new());
    for (round, lengths) in Round::ALL.into_iter().zip(OWED) {
        let root = if round == Round::Hello { Digest::ZERO } else { view_root(&view) };
        let mut body: Vec<u8> = view.iter().flat_map(|digest| digest.0).collect();
        let signed = seats.iter().zip(lengths).filter(|(_, length)| *length > 0);
        let signed: Vec<Statement> = signed
            .map(|(seat, length)| {
                body.resize(length.max(body.len()), 0);
                let key = seat.operator.key();
                Statement::sign(key, seat.me, round, session, root, &body[..length])
            })
            .collect();
        view = digests(&signed);
        if round == Round::Hello {
            session = session_id(ceremony, &view);
        }
        all.extend(signed);
    }
    all
}

/// An inbox that holds the hellos, so that it knows the session.
fn inbox(ceremony: &Arc<Ceremony>, all: &[Statement]) -> Inbox {
    let mut inbox = Inbox::new(ceremony.clone());
    for hello in &all[..5] {
        assert_eq!(inbox.accept(hello.bytes()).unwrap().0, Arrival::New);
    }
    let hellos = digests(&inbox.complete(Round::Hello).unwrap());
    inbox.set_session(session_id(ceremony, &hellos));
    inbox
}

fn not_owed() -> Reject {
    let why = "the sender's seat owes no such statement in it";
    Reject::Malformed(DecodeError::Invalid { what: "round", why })
}

#[test]
fn everybody_owes_what_its_part_says() {
    let ceremony = &seats()[0].ceremony;
    let shape = Shape::of(ceremony);
    for (round, lengths) in Round::ALL.into_iter().zip(OWED) {
        for (seat, length) in ceremony.indices().zip(lengths) {
            let owed = (length > 0).then_some(length);
            assert_eq!(shape.owes(seat, round), owed, "seat {seat} in {round:?}");
            assert_eq!(shape.speaks(seat, round), owed.is_some());
        }
        assert_eq!(shape.owes(index(6), round), None);
    }
    assert_eq!((shape.slot_count(), shape.slots().count()), (SLOTS, SLOTS));
    for (at, (round, seat)) in shape.slots().enumerate() {
        assert_eq!(shape.slot(round, seat), Some(at));
    }
    let boxes = |dealer| shape.recipients_of(index(dealer)).iter().map(Index::get).collect();
    let boxes: Vec<Vec<u16>> = (1..=5).map(boxes).collect();
    assert_eq!(boxes, [vec![3, 4], vec![1, 3, 4], vec![], vec![], vec![]]);
    assert_eq!(shape.box_count(), 5);
    assert_eq!(shape.place_of_box(index(2), index(4)), Some(2));
    assert_eq!(shape.place_of_key(index(4), index(2)), Some(1));
    assert_eq!(shape.place_of_key(index(1), index(2)), Some(0));
    assert_eq!(shape.place_of_box(index(3), index(4)), None);
    // A complaint is for whom a box was made.
    let complains = |seat| shape.bytes_of(index(seat), Kind::Complaint, Round::Prepare);
    let length = ENVELOPE_BYTES + 2 * 32 + 39 + shape.box_bytes();
    let lengths = [Some(length), None, Some(length), Some(length), None];
    assert_eq!([1, 2, 3, 4, 5].map(complains), lengths);
    assert_eq!(shape.last_round(), Round::Final);
    assert_eq!((shape.before(Round::Hello), shape.after(Round::Final)), (None, None));
}

#[test]
fn a_have_has_a_slot_for_each_statement_and_a_byte_for_each_dealer() {
    let shape = Shape::of(&seats()[0].ceremony);
    let slots: Vec<Option<Digest>> =
        (1..=SLOTS).map(|at| (at != 3).then(|| Digest([u8::try_from(at).unwrap(); 32]))).collect();
    let confirmed = vec![false, true, false, false, true];
    let minima = Vec::new();
    let have = Have { help: true, slots, boxes: vec![true, false], confirmed, minima };
    let bytes = Frame::Have(have.clone()).encode();
    assert_eq!(bytes.len(), 2 + 32 * SLOTS + 2 + 5);
    assert_eq!(Frame::decode(&bytes, &shape), Ok(Frame::Have(have.clone())));
    // One with a slot for everybody in every round is not of this ceremony.
    let uniform =
        Have { slots: vec![Some(Digest([2; 32])); 25], boxes: vec![true; 5], ..have.clone() };
    assert!(matches!(
        Frame::decode(&Frame::Have(uniform).encode(), &shape),
        Err(DecodeError::Invalid { what: "box", .. })
    ));
    let at = |round, seat| have.slot(&shape, round, index(seat)).map(|digest| digest.0[0]);
    assert_eq!(at(Round::Hello, 3), None);
    assert_eq!(
        (at(Round::Hello, 5), at(Round::Deal, 1), at(Round::Deal, 2)),
        (Some(5), Some(6), Some(7))
    );
    assert_eq!((at(Round::Deal, 3), at(Round::Prepare, 1)), (None, Some(8)));
    assert_eq!(at(Round::Final, 5), Some(22));
    let lacks = |dealer| have.lacks_box(&shape, index(dealer));
    assert_eq!([1, 2, 3].map(lacks), [false, true, false]);
    // Complete is who holds the last statement of everybody who owes one.
    assert!(have.is_complete(&shape));
    for missing in 17..SLOTS {
        let mut slots = have.slots.clone();
        slots[missing] = None;
        assert!(!Have { slots, ..have.clone() }.is_complete(&shape));
    }
    // The longest frame is the deal of the seat with the most boxes.
    assert_eq!(Frame::max_bytes(&shape), 1 + ENVELOPE_BYTES + OWED[1][1]);
}

#[test]
fn a_statement_that_is_not_owed_is_none() {
    let seats = seats();
    let ceremony = &seats[0].ceremony;
    let session = Digest([7; 32]);
    for (seat, length) in seats.iter().zip([OWED[1][0], OWED[1][1], OWED[1][1], OWED[1][0], 160]) {
        let (key, body) = (seat.operator.key(), vec![0; length]);
        let deal = Statement::sign(key, seat.me, Round::Deal, session, Digest::ZERO, &body);
        let opened = Statement::open(deal.bytes(), ceremony).map(drop);
        let deals = seat.me <= index(2);
        assert_eq!(opened, if deals { Ok(()) } else { Err(not_owed()) }, "seat {}", seat.me);
    }
    // Of the length that another seat owes.
    let (dealer, body) = (&seats[1], vec![0; OWED[2][0]]);
    let key = dealer.operator.key();
    let prepare = Statement::sign(key, dealer.me, Round::Prepare, session, Digest::ZERO, &body);
    let length = |length| ENVELOPE_BYTES + length;
    let (expected, actual) = (length(OWED[2][1]), length(OWED[2][0]));
    assert_eq!(
        Statement::open(prepare.bytes(), ceremony),
        Err(Reject::Length { expected, actual })
    );
}

#[test]
fn an_inbox_awaits_and_completes_what_is_owed() {
    let seats = seats();
    let all = statements(&seats);
    let mut inbox = inbox(&seats[0].ceremony, &all);
    let missing = |inbox: &Inbox, round| -> Vec<u16> {
        inbox.missing(round).into_iter().map(Index::get).collect()
    };
    assert_eq!(missing(&inbox, Round::Deal), [1, 2]);
    assert_eq!(missing(&inbox, Round::Prepare), [1, 2, 3, 4, 5]);
    inbox.accept(all[6].bytes()).unwrap();
    assert_eq!((missing(&inbox, Round::Deal), inbox.complete(Round::Deal)), (vec![1], None));
    for statement in &all[5..] {
        inbox.accept(statement.bytes()).unwrap();
    }
    assert_eq!(inbox.complete(Round::Deal).unwrap(), all[5..7]);
    // Finals count when they have passed.
    assert_eq!(inbox.complete(Round::Final), None);
    all[17..].iter().for_each(|last| inbox.fill(last));
    assert_eq!(inbox.complete(Round::Final).unwrap(), all[17..]);
    // Views name the statements of the round before, each at its sender's place.
    let shape = Shape::of(&seats[0].ceremony);
    for (place, before) in [(7, 5..7), (12, 7..12), (21, 12..17)] {
        let view = inbox.view(&all[place]).unwrap();
        assert_eq!(view, digests(&all[before.clone()]));
        let first = &all[before.start].envelope;
        assert_eq!(shape.named(&view, first.round, first.sender), view.first());
    }
    let deals = inbox.view(&all[7]).unwrap();
    assert_eq!(shape.named(&deals, Round::Deal, index(3)), None);
    for (round, set) in [(Round::Deal, 5..7), (Round::Commit, 12..17)] {
        let candidates = inbox.candidates(round, index(3));
        assert!(
            !candidates.is_empty() && candidates.iter().all(|found| *found == all[set.clone()])
        );
    }
    // All of them are shown to be of this ceremony by its hellos.
    assert_eq!(of_this_ceremony(&seats[0].ceremony, &all).len(), SLOTS);
    assert_eq!(of_this_ceremony(&seats[0].ceremony, &all[1..]).len(), SLOTS - 1, "by a deal");
    let prepares = [&all[1..5], &all[7..12]].concat();
    assert_eq!(of_this_ceremony(&seats[0].ceremony, &prepares).len(), 4, "the hellos alone");
}

#[test]
fn a_transcript_has_what_is_owed_and_nothing_else() {
    let seats = seats();
    let (ceremony, all) = (&seats[0].ceremony, statements(&seats));
    let bytes = encode(ceremony, &all).unwrap();
    let header = Header::parse(&bytes).unwrap();
    let length = OWED.as_flattened().iter().sum::<usize>() + SLOTS * ENVELOPE_BYTES;
    assert_eq!(bytes.len(), header.prefix_bytes() + length);
    let container = Container::cut(header, ceremony.clone(), &bytes).ok().unwrap();
    for statement in &all {
        let envelope = &statement.envelope;
        let cut = container.statement(envelope.round, envelope.sender);
        assert_eq!(cut, Some(statement.bytes()));
    }
    assert_eq!(container.statement(Round::Deal, index(3)), None);
    assert_eq!(container.statement(Round::Final, index(6)), None);

    let longer = [&bytes[..], &[0]].concat();
    let wide = |length| u64::try_from(length).unwrap();
    let (expected, actual) = (wide(bytes.len()), wide(longer.len()));
    assert_eq!(
        format!("{:?}", Container::cut(header, ceremony.clone(), &longer).err()),
        format!("{:?}", Some(ContainerError::Length { expected, actual }))
    );
    let mut fewer = all;
    fewer.remove(6);
    let missing = Incomplete { round: Round::Deal, sender: index(2) };
    assert_eq!(encode(ceremony, &fewer), Err(missing));
}

#[test]
fn evidence_is_cut_by_what_its_senders_owe() {
    let seats = seats();
    let (ceremony, all) = (&seats[0].ceremony, statements(&seats));
    let bytes = stopped::encode(ceremony, &all);
    let header = Header::parse(&bytes).unwrap();
    let read = Stopped::open(header, ceremony.clone(), &bytes).unwrap();
    let digests = |statements: &[Statement]| {
        let mut all = digests(statements);
        all.sort_unstable();
        all
    };
    assert_eq!(digests(&read.statements), digests(&all));
    // Two in every slot, an abandonment of each, beside them the prepares that two commits of each
    // name, and of each the commit and the final that pass where two do not.
    let most = 2 * SLOTS + 5 + 5 * (2 * 5) + 5 + 5;
    let mut many = bytes[..header.prefix_bytes() + 4].to_vec();
    let count = u32::try_from(most + 1).unwrap().to_be_bytes();
    many[header.prefix_bytes()..][..4].copy_from_slice(&count);
    assert_eq!(
        format!("{:?}", Stopped::open(header, ceremony.clone(), &many).err()),
        format!("{:?}", Some(ContainerError::Statements { most, actual: most + 1 }))
    );
    // A deal of a seat that only receives.
    let seat = &seats[2];
    let key = seat.operator.key();
    let session = all[5].envelope.session;
    let body = vec![0; OWED[1][0]];
    let deal = Statement::sign(key, seat.me, Round::Deal, session, Digest::ZERO, &body);
    let bytes = stopped::encode(ceremony, [&deal]);
    assert_eq!(
        format!("{:?}", Stopped::open(header, ceremony.clone(), &bytes).err()),
        format!("{:?}", Some(ContainerError::Statement(1, not_owed())))
    );
}

#[test]
fn bodies_have_what_their_senders_owe() {
    let shape = Shape::of(&seats()[0].ceremony);
    let zeros = [0; 2000];
    // A seat that does not deal commits to nothing, and one that does not receive stores nothing.
    let keys = Hello::decode(&zeros[..OWED[0][2]], &shape, index(3)).err();
    assert!(matches!(keys, Some(DecodeError::Invalid { what: "one-time key", .. })));
    let neither = Hello::decode(&zeros[..OWED[0][4]], &shape, index(5)).unwrap();
    assert_eq!((neither.commitment, neither.one_time_keys.len()), (None, 0));
    let dealer = Hello::decode(&zeros[..OWED[0][1]], &shape, index(2)).unwrap();
    assert_eq!((dealer.commitment, dealer.one_time_keys.len()), (Some(Digest::ZERO), 0));
    let seen = Prepare::decode(&zeros[..OWED[2][1]], &shape, index(2)).unwrap();
    assert_eq!((seen.view.len(), seen.stored), (2, None));
    // A seat that gets no share signs nothing but what it has seen.
    let dealers = Commit::decode(&zeros[..160], &shape, index(2)).unwrap();
    assert_eq!((dealers.view.len(), dealers.partials.len()), (5, 0));
    let receivers = Commit::decode(&zeros[..160], &shape, index(3)).err();
    assert!(matches!(receivers, Some(DecodeError::Short { what: "partial signature", .. })));
    // Read together, each is read for its own seat.
    let bodies = [(index(2), &zeros[..160]), (index(3), &zeros[..160])];
    let misfit = Commit::decode_and_weigh(&bodies, &shape, Digest::ZERO).err().unwrap();
    assert_eq!((misfit.at, Some(misfit.error)), (1, receivers));
    for seat in 1..=5 {
        assert_eq!(Final::decode(&zeros[..192], &shape, index(seat)).unwrap().view.len(), 5);
    }
}

fn indices<const N: usize>(numbers: [u16; N]) -> Vec<Index> {
    numbers.into_iter().map(index).collect()
}

#[test]
fn a_stage_that_a_panic_leaves_is_none() {
    let operators = operators(3);
    let ceremony = machine::ceremony(&operators, 2, TWO_VALIDATORS);
    let mut machine = Machine::new(&ceremony, &operators[0]);
    machine.start().unwrap();
    let mut participant = machine.participant.unwrap();
    let peer = index(2);
    let theirs = Have { slots: vec![None; 15], ..participant.have(false) };
    assert_eq!(participant.waiting().round, Some(Round::Hello));
    assert_eq!(participant.missing(peer, &theirs).len(), 1, "its own hello");

    let panic = catch_unwind(AssertUnwindSafe(|| participant.panic_within_a_step()));
    assert!(panic.is_err());
    let refused = participant.handle(Input::Statement(Vec::new())).err();
    assert_eq!(refused, Some(Refused::Broken));
    assert_eq!(participant.handle(Input::Reread(Vec::new())).err(), Some(Refused::Broken));
    // Nothing is told that may be in no log, and nothing is awaited.
    assert_eq!(participant.missing(peer, &Have { help: true, ..theirs }), Vec::new());
    assert_eq!(participant.have(false).slots, vec![None; 15]);
    assert_eq!((participant.waiting().round, participant.wants()), (None, Vec::new()));
    assert!(!participant.is_stopped() && !participant.is_finished());
}

#[test]
fn boxes_are_awaited_from_dealers_by_receivers() {
    let boxes = [indices([2]), indices([]), indices([1, 2]), indices([1, 2]), indices([])];
    for (seat, awaited) in seats().into_iter().zip(boxes) {
        let participant = Participant::awaiting_deals(seat.clone());
        let waiting = participant.waiting();
        assert_eq!(waiting.round, Some(Round::Deal));
        assert_eq!(waiting.statements, indices([1, 2]), "who deals");
        assert_eq!(waiting.boxes, awaited, "seat {}", seat.me);
        assert_eq!(participant.wants().len(), awaited.len());
        let held: Vec<bool> = [1, 2].map(|dealer| !awaited.contains(&index(dealer))).into();
        assert_eq!(participant.have(false).boxes, held, "seat {}", seat.me);
    }
}

#[test]
fn who_owes_nothing_in_a_round_says_nothing() {
    for seat in seats() {
        let deals = seat.me <= index(2);
        assert_eq!(Participant::would_say(seat.clone(), Round::Deal), deals);
        assert!(Participant::would_say(seat, Round::Prepare));
    }
}

#[test]
fn a_hello_has_a_key_for_each_box_and_no_more() {
    for (seat, bytes) in seats().into_iter().zip([64 + 32 + 32, 64 + 32]) {
        let start = Participant::start(seat, Vec::new(), || entropy("parts"));
        let (participant, step) = start.unwrap();
        assert_eq!(step.send[0].body().len(), bytes);
        assert_eq!(participant.have(true).slots.iter().flatten().count(), 1);
    }
}
