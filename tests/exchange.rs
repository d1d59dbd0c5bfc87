//! The exchange: what a peer gets for what it says, in which order and at which pace, and when an
//! operator leaves.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::time::Duration;

use quorate::exchange::{
    Action, Ending, Event, Exchange, InMemory, Moment, Notice, Pacing, Posted,
};
use quorate::message::complaint::Abandon;
use quorate::message::done::Done;
use quorate::message::envelope::{ENVELOPE_BYTES, Reject, Round, Statement};
use quorate::message::posting::{NoPosting, Posting};
use quorate::message::shape::Shape;
use quorate::message::sync::{Frame, Have};
use quorate::protocol::evidence::Rule;
use quorate::protocol::judge::judge;
use quorate::protocol::participant::{OwnSeat, Refused};
use quorate::simulation::forger::{Forger, Hooks};
use quorate::simulation::machine::{TWO_VALIDATORS, entropy, machines};
use quorate::{Index, Participant};

const LINGER: Duration = Duration::from_secs(600);

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

/// Three operators that have just started.
fn exchanges(linger: Duration) -> Vec<(Exchange, InMemory)> {
    exchanges_at(&Pacing::new(linger))
}

fn exchanges_at(pacing: &Pacing) -> Vec<(Exchange, InMemory)> {
    let begin = |seat: quorate::OwnSeat| {
        let entropy = || entropy(&format!("exchange {}", seat.me));
        let (participant, step) = Participant::start(seat.clone(), Vec::new(), entropy).unwrap();
        let mut log = InMemory::default();
        (Exchange::begin(participant, step, pacing.clone(), &mut log).unwrap(), log)
    };
    machines(3, 2, TWO_VALIDATORS).into_iter().map(|machine| begin(machine.seat)).collect()
}

/// At `seconds`, with nothing queued.
fn at(seconds: u64) -> Moment {
    Moment { now: Duration::from_secs(seconds), queued: Vec::new() }
}

fn sent(actions: &[Action]) -> Vec<(Index, Frame)> {
    let send = |action: &Action| match action {
        Action::Send { to, frame } => Some((*to, frame.clone())),
        Action::Tell(_) | Action::Done(_) => None,
    };
    actions.iter().filter_map(send).collect()
}

/// Plays until nothing is on its way; `keeps` decides which frames arrive. Gives each operator's
/// ending.
fn play(
    all: &mut [(Exchange, InMemory)],
    keeps: impl Fn(Index, Index, &Frame) -> bool,
) -> Vec<Option<Ending>> {
    let indices: Vec<Index> = (1..=3).map(index).collect();
    let ups = indices.iter().flat_map(|to| indices.iter().map(|peer| (*to, Event::Up(*peer))));
    let mut network: VecDeque<(Index, Event)> = ups.collect();
    let mut endings = vec![None; all.len()];
    while let Some((me, event)) = network.pop_front() {
        let (exchange, log) = &mut all[me.position()];
        let actions = exchange.handle(event, &at(1), log).unwrap();
        for (to, frame) in sent(&actions).into_iter().filter(|(to, frame)| keeps(me, *to, frame)) {
            network.push_back((to, Event::Frame { from: me, bytes: frame.encode() }));
        }
        if let Some(Action::Done(ending)) = actions.into_iter().next_back() {
            endings[me.position()] = Some(ending);
        }
    }
    endings
}

/// What an operator says that holds nothing at all.
fn nothing(exchange: &Exchange) -> Event {
    let have = Have { help: true, ..exchange.participant().have(true) };
    let have = Have {
        slots: vec![None; have.slots.len()],
        boxes: vec![false; have.boxes.len()],
        confirmed: vec![false; have.confirmed.len()],
        ..have
    };
    Event::Frame { from: index(2), bytes: Frame::Have(have).encode() }
}

#[test]
fn a_ceremony_ends_when_everybody_has_confirmed() {
    let mut all = exchanges(LINGER);
    let endings = play(&mut all, |_, _, _| true);
    assert_eq!(endings, vec![Some(Ending::Complete); 3]);
    assert!(all.iter().all(|(_, log)| log.outputs_written));
}

#[test]
fn whoever_is_not_confirmed_is_waited_for_as_long_as_was_said() {
    let mut all = exchanges(LINGER);
    // Operator 3 hears everything, and nobody hears its final, from whoever holds it.
    let its_final = |frame: &Frame| match frame {
        Frame::Statement(bytes) => (bytes[7], bytes[9]) == (Round::Final.number(), 3),
        _ => false,
    };
    let endings = play(&mut all, |_, _, frame| !its_final(frame));
    assert_eq!(endings, [None, None, None], "two lack a final, and the third waits for them");
    let (exchange, log) = &mut all[2];
    assert!(exchange.participant().is_finished() && log.outputs_written);
    let actions = exchange.handle(Event::Tick, &at(600), log).unwrap();
    assert!(!actions.iter().any(|action| matches!(action, Action::Done(_))), "not yet");
    let actions = exchange.handle(Event::Tick, &at(601), log).unwrap();
    let unconfirmed = vec![index(1), index(2)];
    assert_eq!(actions.last(), Some(&Action::Done(Ending::Written { unconfirmed })));
}

#[test]
fn a_box_is_sent_behind_the_deal_that_names_it_and_short_statements_first() {
    let mut all = exchanges(LINGER);
    // Everybody has dealt and prepared, and nobody's prepare arrives.
    let early = |frame: &Frame| match frame {
        Frame::Statement(bytes) => bytes[7] < Round::Prepare.number(),
        _ => true,
    };
    play(&mut all, |_, _, frame| early(frame));
    let (exchange, log) = &mut all[0];
    // Over a new connection, what went over the last one counts for nothing.
    for event in [Event::Down(index(2)), Event::Up(index(2))] {
        exchange.handle(event, &at(100), log).unwrap();
    }
    let event = nothing(exchange);
    let actions = exchange.handle(event, &at(100), log).unwrap();
    let frames: Vec<Frame> = sent(&actions).into_iter().map(|(_, frame)| frame).collect();
    let lengths: Vec<usize> = frames
        .iter()
        .filter_map(|frame| match frame {
            Frame::Statement(bytes) => Some(bytes.len()),
            _ => None,
        })
        .collect();
    assert_eq!(lengths.len(), 7, "with `help`, everybody's hello and deal; and its own prepare");
    assert!(lengths.is_sorted() && lengths[0] > ENVELOPE_BYTES, "{lengths:?}");
    let boxes: Vec<usize> = frames
        .iter()
        .enumerate()
        .filter_map(|(at, frame)| matches!(frame, Frame::ShareBox { .. }).then_some(at))
        .collect();
    assert_eq!(boxes.len(), 1);
    let own_deal = |frame: &Frame| match frame {
        Frame::Statement(bytes) => (bytes[7], bytes[9]) == (Round::Deal.number(), 1),
        _ => false,
    };
    assert_eq!(frames.iter().position(own_deal).map(|at| at + 1), Some(boxes[0]), "before its box");
}

/// However little is sent at once, and whatever of it the peer has no use for: everything has its
/// turn, what is disputed too.
#[test]
fn nothing_that_a_peer_cannot_use_keeps_back_what_it_can() {
    let mut all = exchanges_at(&Pacing { at_once: 0, ..Pacing::new(LINGER) });
    let early = |frame: &Frame| match frame {
        Frame::Statement(bytes) => bytes[7] < Round::Prepare.number(),
        _ => true,
    };
    play(&mut all, |_, _, frame| early(frame));
    let (exchange, log) = &mut all[0];
    // It lacks the deals and never takes them, and holds another hello of each operator.
    let Event::Frame { from, bytes } = nothing(exchange) else { unreachable!() };
    let shape = Shape::of(&exchange.participant().seat().ceremony);
    let Frame::Have(mut have) = Frame::decode(&bytes, &shape).unwrap() else { unreachable!() };
    for seat in 1..=3 {
        have.slots[shape.slot(Round::Hello, index(seat)).unwrap()] =
            Some(quorate::primitives::hash::Digest([7; 32]));
    }
    let ask = Event::Frame { from, bytes: Frame::Have(have).encode() };
    let mut answers = |turns: std::ops::Range<u64>| -> Vec<Frame> {
        let answer = |turn| sent(&exchange.handle(ask.clone(), &at(100 + turn), log).unwrap());
        let frames = turns.flat_map(answer).map(|(_, frame)| frame);
        // It also asks about the other hello of its own, which the peer says it holds.
        frames.filter(|frame| !matches!(frame, Frame::Have(_))).collect()
    };
    // Three hellos, three deals, its prepare and its box.
    let first = answers(0..8);
    let different = |frames: &[Frame]| {
        frames.iter().map(Frame::encode).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!((first.len(), different(&first)), (8, 8), "each once");
    // The hellos were offered and are not due again yet; what it still lacks comes in turn.
    let second = answers(8..10);
    assert_eq!((second.len(), different(&second)), (2, 2));
    assert!(second.iter().all(|frame| first.contains(frame)));
}

#[test]
fn what_a_peer_asks_without_end_is_answered_at_a_pace() {
    let mut all = exchanges(LINGER);
    play(&mut all, |_, _, _| true);
    let (exchange, log) = &mut all[0];
    let mut answers = |moment: &Moment, times: usize| {
        let one = |_| {
            let event = nothing(exchange);
            let actions = exchange.handle(event, moment, log).unwrap();
            usize::from(!sent(&actions).is_empty())
        };
        (0..times).map(one).sum::<usize>()
    };
    assert_eq!(answers(&at(100), 1_000), 64, "at once");
    assert_eq!(answers(&at(100), 1_000), 0);
    assert_eq!(answers(&at(101), 1_000), 2, "one in half a second");
    let busy = Moment { now: Duration::from_secs(900), queued: vec![0, (64 << 10) + 1, 0] };
    assert_eq!(answers(&busy, 1_000), 0, "much is on its way");
    let other = Moment { now: Duration::from_secs(900), queued: vec![0, 64 << 10, usize::MAX] };
    assert_eq!(answers(&other, 1), 1, "to somebody else");
}

#[test]
fn an_answer_that_is_too_long_goes_on_when_the_peer_asks_again() {
    let mut all = exchanges(LINGER);
    play(&mut all, |_, _, _| true);
    let (exchange, log) = &mut all[0];
    let shape = Shape::of(&exchange.participant().seat().ceremony);
    let hello = shape.statement_bytes(index(1), Round::Hello).unwrap() + 1;
    let queued = vec![0, exchange.pacing().backlog, 0];
    let pacing = Pacing { at_once: exchange.pacing().backlog + hello, ..Pacing::new(LINGER) };
    let mut narrow = exchange_of(log, pacing);
    narrow.handle(Event::Up(index(2)), &at(100), log).unwrap();
    let event = nothing(&narrow);
    let moment = Moment { now: Duration::from_secs(100), queued };
    let actions = narrow.handle(event, &moment, log).unwrap();
    let dones = sent(&actions).iter().filter(|(_, frame)| matches!(frame, Frame::Done(_))).count();
    assert_eq!((dones, sent(&actions).len() - dones), (2, 1), "until the limit is passed");
}

/// The operator whose log this is, started again.
fn exchange_of(log: &mut InMemory, pacing: Pacing) -> Exchange {
    let seat = machines(3, 2, TWO_VALIDATORS).swap_remove(0).seat;
    let records = log.records().iter().map(|record| quorate::protocol::record::Record {
        kind: record.kind,
        body: quorate::primitives::secret::SecretBytes::new(record.body.expose().to_vec()),
    });
    let records = records.collect();
    let (participant, step) =
        Participant::start(seat, records, || unreachable!("there is a log")).unwrap();
    Exchange::begin(participant, step, pacing, log).unwrap()
}

/// A proven fault is told as soon as it is known, and once, though it stops nobody: here a second
/// final, after the outputs are written.
#[test]
fn a_proven_fault_is_told_while_an_operator_waits() {
    let mut all = exchanges(LINGER);
    let nothing_confirmed = |_: Index, _: Index, frame: &Frame| match frame {
        Frame::Have(have) => have.slots.iter().any(Option::is_none),
        _ => true,
    };
    let endings = play(&mut all, nothing_confirmed);
    assert_eq!(endings, vec![None; 3], "each waits to be confirmed");
    let cheat = all[2].0.participant().seat().clone();
    let right = all[2].0.participant().inbox().get(Round::Final, cheat.me).unwrap().clone();
    let junk = Forger::new(cheat.clone(), Hooks::default()).junk(&right, 0);
    let (exchange, log) = &mut all[0];
    let event =
        || Event::Frame { from: index(2), bytes: Frame::Statement(junk.bytes().to_vec()).encode() };
    let mut told = Vec::new();
    for _ in 0..2 {
        for action in exchange.handle(event(), &at(2), log).unwrap() {
            if let Action::Tell(Notice::Proven(fault)) = action {
                told.push(fault.rule);
            }
        }
    }
    assert_eq!(told, [Rule::Equivocation { operator: cheat.me, round: Round::Final }]);
    assert!(exchange.participant().is_finished() && exchange.participant().fault().is_none());
}

/// Each operator that is proven to have broken a rule is told, with its proof, and not only the
/// first: here both others sign second finals, and one of them an abandonment that is none.
#[test]
fn every_proven_culprit_is_told_and_its_proof_is_kept() {
    let mut all = exchanges(LINGER);
    let nothing_confirmed = |_: Index, _: Index, frame: &Frame| match frame {
        Frame::Have(have) => have.slots.iter().any(Option::is_none),
        _ => true,
    };
    play(&mut all, nothing_confirmed);
    let seats = [1, 2].map(|at: usize| all[at].0.participant().seat().clone());
    let mut sent = seats.clone().map(|seat| {
        let inbox = all[0].0.participant().inbox();
        let right = inbox.get(Round::Final, seat.me).unwrap().clone();
        Forger::new(seat, Hooks::default()).junk(&right, 0)
    });
    sent.reverse();
    let (key, ceremony) = (seats[0].operator.key(), &seats[0].ceremony);
    let abandon =
        |body: &[u8]| Statement::sign_abandonment(key, seats[0].me, Round::Final, ceremony, body);
    let malformed = abandon(&[9, 0, 0]);
    assert!(Abandon::fault(&malformed, &Shape::of(ceremony)).is_some());
    let (exchange, log) = &mut all[0];
    let mut told = Vec::new();
    for statement in sent.iter().chain([&malformed]).chain(&sent) {
        let bytes = Frame::Statement(statement.bytes().to_vec()).encode();
        let event = Event::Frame { from: index(2), bytes };
        for action in exchange.handle(event, &at(2), log).unwrap() {
            if let Action::Tell(Notice::Proven(fault)) = action {
                told.push(*fault);
            }
        }
    }
    let second = |seat: &OwnSeat| Rule::Equivocation { operator: seat.me, round: Round::Final };
    let rules: Vec<&Rule> = told.iter().map(|fault| &fault.rule).collect();
    assert_eq!(rules[..2], [&second(&seats[1]), &second(&seats[0])]);
    assert!(
        matches!(rules[2..], [Rule::Abandonment { operator, .. }] if *operator == seats[0].me),
        "{rules:?}"
    );
    assert_eq!(log.proofs, told);
    // A stranger sees each of them by its own file alone.
    for fault in &told {
        let judged: Vec<Rule> =
            judge(ceremony, &fault.evidence).into_iter().map(|fault| fault.rule).collect();
        assert_eq!(judged, core::slice::from_ref(&fault.rule));
    }
    // A new run knows them too.
    let mut again = exchange_of(log, Pacing::new(LINGER));
    let mut told = Vec::new();
    for action in again.handle(Event::Tick, &at(3), log).unwrap() {
        if let Action::Tell(Notice::Proven(fault)) = action {
            told.push(fault.rule);
        }
    }
    assert_eq!(told.len(), 3, "{told:?}");
}

/// Before an operator has prepared, an abandonment that is none stops it, as every other proven
/// fault does; one that is well-formed does not.
#[test]
fn an_abandonment_that_is_none_is_a_fault_that_stops() {
    for (byte, stops) in [(0, false), (9, true)] {
        let mut all = exchanges(LINGER);
        let seat = all[1].0.participant().seat().clone();
        let abandonment = Statement::sign_abandonment(
            seat.operator.key(),
            seat.me,
            Round::Hello,
            &seat.ceremony,
            &[byte, 0, 0],
        );
        let (exchange, log) = &mut all[0];
        let bytes = Frame::Statement(abandonment.bytes().to_vec()).encode();
        exchange.handle(Event::Frame { from: index(2), bytes }, &at(2), log).unwrap();
        assert_eq!(exchange.participant().is_stopped(), stops);
        let kept: Vec<_> = log.proofs.iter().map(|fault| fault.rule.culprits()).collect();
        assert_eq!(kept, if stops { vec![vec![seat.me]] } else { vec![] });
    }
}

/// With a proven fault in the way, an operator stays for a moment after it has told everybody; if
/// somebody has not read it all, for as long as for anybody.
#[test]
fn who_has_a_proof_leaves_when_everybody_has_read_it() {
    for (unread, leaves) in [(0, 4), (1, 12)] {
        let mut all = exchanges(LINGER);
        let seat = all[1].0.participant().seat().clone();
        let key = seat.operator.key();
        let junk =
            Statement::sign_abandonment(key, seat.me, Round::Hello, &seat.ceremony, &[9, 0, 0]);
        let (exchange, log) = &mut all[0];
        exchange.handle(Event::Up(index(2)), &at(2), log).unwrap();
        let proof = Frame::Statement(junk.bytes().to_vec());
        let event = Event::Frame { from: index(2), bytes: proof.encode() };
        let notices = exchange.handle(event, &at(2), log).unwrap();
        // Its person is told once, as of what stands in the way.
        let of_faults =
            |action: &&Action| matches!(action, Action::Tell(Notice::Fault(_) | Notice::Proven(_)));
        let told: Vec<_> = notices.iter().filter(of_faults).collect();
        assert!(matches!(told[..], [Action::Tell(Notice::Fault(_))]), "{told:?}");
        // Whoever comes later is told too.
        let told = exchange.handle(Event::Up(index(3)), &at(2), log).unwrap();
        assert!(sent(&told).contains(&(index(3), proof)));
        // At a tick it has just said what it holds: nobody has read that.
        let left = (3..20).find(|second| {
            let moment = Moment { queued: vec![0, 0, unread], ..at(*second) };
            let event = if *second == 4 { Event::Down(index(2)) } else { Event::Tick };
            let actions = exchange.handle(event, &moment, log).unwrap();
            matches!(actions.last(), Some(Action::Done(Ending::Fault { .. })))
        });
        assert_eq!(left, Some(leaves), "{unread} bytes are not read");
    }
}

/// Whether a frame goes between operators 1 and 3, who have no channel to each other.
fn is_apart(from: Index, to: Index) -> bool {
    [from.get(), to.get()] == [1, 3] || [from.get(), to.get()] == [3, 1]
}

/// As [`play`] without faults, with time and without a channel between operators 1 and 3. `alters`
/// may change what operator 2, the only way between them, sends. Gives when each has left.
fn apart(
    all: &mut [(Exchange, InMemory)],
    seconds: u64,
    mut alters: impl FnMut(Index, Frame) -> Vec<Frame>,
) -> Vec<Option<(u64, Ending)>> {
    let mut endings: Vec<Option<(u64, Ending)>> = vec![None; all.len()];
    let indices: Vec<Index> = (1..=3).map(index).collect();
    let pairs = indices.iter().flat_map(|to| indices.iter().map(|peer| (*to, *peer)));
    let ups = pairs.filter(|(to, peer)| to != peer && !is_apart(*to, *peer));
    let mut network: VecDeque<(Index, Event)> =
        ups.map(|(to, peer)| (to, Event::Up(peer))).collect();
    for second in (0..seconds).step_by(2) {
        network.extend(indices.iter().map(|to| (*to, Event::Tick)));
        while let Some((me, event)) = network.pop_front() {
            if endings[me.position()].is_some() {
                continue;
            }
            let (exchange, log) = &mut all[me.position()];
            let actions = exchange.handle(event, &at(second), log).unwrap();
            for (to, frame) in sent(&actions) {
                assert!(!is_apart(me, to), "there is no channel");
                let frames = if me == index(2) { alters(to, frame) } else { vec![frame] };
                network.extend(
                    frames
                        .into_iter()
                        .map(|frame| (to, Event::Frame { from: me, bytes: frame.encode() })),
                );
            }
            if let Some(Action::Done(ending)) = actions.into_iter().next_back() {
                endings[me.position()] = Some((second, ending));
                let left = indices.iter().filter(|to| !is_apart(me, **to) && **to != me);
                network.extend(left.map(|to| (*to, Event::Down(me))));
            }
        }
    }
    endings
}

/// Two operators that never have a channel finish through the third, and all leave: by what each
/// has signed, not because the time given is over.
#[test]
fn two_that_can_never_connect_finish_and_leave() {
    let mut all = exchanges(LINGER);
    let endings = apart(&mut all, 120, |_, frame| vec![frame]);
    for (seat, ending) in endings.into_iter().enumerate() {
        let (second, ending) = ending.unwrap_or_else(|| panic!("{} stays", seat + 1));
        assert_eq!(ending, Ending::Complete);
        assert!(second <= 60, "{} s", second);
        assert!(all[seat].1.outputs_written);
    }
}

/// The only way between two operators claims that one has finished, withholds that it has, or signs
/// it itself: nobody leaves before the other has what it needs.
#[test]
fn a_hub_that_says_done_for_somebody_is_not_believed() {
    // It forges the word of the other, and never passes on a final.
    let mut all = exchanges(LINGER);
    let hub = all[1].0.participant().seat().clone();
    let forged = |who: u16| {
        let certificate = quorate::primitives::hash::Digest([7; 32]);
        let signed = Done::sign(hub.operator.key(), index(2), &hub.ceremony, certificate);
        Frame::Done(Done { operator: index(who), ..signed })
    };
    let endings = apart(&mut all, 120, |to, frame| {
        let own = |bytes: &[u8]| bytes[9] == 2;
        let last = matches!(&frame, Frame::Statement(bytes)
            if bytes[7] == Round::Final.number() && !own(bytes));
        let other = 4 - to.get();
        match frame {
            _ if last => vec![forged(other)],
            Frame::Have(have) => {
                let confirmed = vec![true; 3];
                vec![Frame::Have(Have { confirmed, ..have }), forged(other)]
            }
            Frame::Done(done) if done.operator != index(2) => vec![forged(other)],
            frame => vec![frame],
        }
    });
    assert!(endings[0].is_none() && endings[2].is_none(), "{endings:?}");
    for (exchange, log) in [&all[0], &all[2]] {
        assert!(!exchange.participant().is_finished() && !log.outputs_written);
    }
    // It withholds only their words: they have everything, and stay as long as was said.
    let mut all = exchanges(Duration::from_secs(100));
    let endings = apart(&mut all, 200, |to, frame| match frame {
        Frame::Done(done) if done.operator != index(2) => vec![forged(4 - to.get())],
        frame => vec![frame],
    });
    for (at, other) in [(0, 3), (2, 1)] {
        let (second, ending) = endings[at].clone().unwrap();
        assert!(second >= 100, "{second} s");
        assert_eq!(ending, Ending::Written { unconfirmed: vec![index(other)] });
    }
}

/// The first word of an operator is kept, and what it said in another ceremony is nothing.
#[test]
fn a_word_of_another_ceremony_or_of_nobody_changes_nothing() {
    let mut all = exchanges(LINGER);
    let seat = all[2].0.participant().seat().clone();
    let certificate = quorate::primitives::hash::Digest([7; 32]);
    let other = &machines(4, 3, TWO_VALIDATORS)[0].seat.ceremony;
    let elsewhere = Done::sign(seat.operator.key(), index(3), other, certificate);
    let (exchange, log) = &mut all[0];
    let take = |exchange: &mut Exchange, log: &mut InMemory, done: Done| {
        let bytes = Frame::Done(done).encode();
        exchange.handle(Event::Frame { from: index(2), bytes }, &at(1), log).unwrap()
    };
    let told = take(exchange, log, elsewhere);
    let refused = Refused::Unsigned(index(3));
    assert_eq!(told, [Action::Tell(Notice::Ignored { from: index(2), refused })]);
    assert_eq!(exchange.participant().unconfirmed(), [index(2), index(3)]);
    let own = Done::sign(seat.operator.key(), index(3), &seat.ceremony, certificate);
    take(exchange, log, own.clone());
    assert_eq!(exchange.participant().unconfirmed(), [index(2)]);
    let second = Done::sign(seat.operator.key(), index(3), &seat.ceremony, seat.ceremony.digest());
    take(exchange, log, second);
    assert_eq!(exchange.participant().done_of(index(3)), Some(own));
}

/// A reshare over exchanges: whoever may stop is told once, and the stop goes to everybody.
#[test]
fn a_reshare_waits_for_each_dealer_to_stop() {
    use quorate::simulation::machine::{honest, run};
    use quorate::simulation::reshare::{minima, reshare};
    let mut parents = machines(3, 2, TWO_VALIDATORS);
    run(&mut parents, &mut honest);
    let parts = ["alice", "bob", "carol"].map(|name| (name, true, true));
    let begin = |seat: OwnSeat| {
        let entropy = || entropy(&format!("exchange {}", seat.me));
        let (participant, step) = Participant::start(seat.clone(), Vec::new(), entropy).unwrap();
        let mut log = InMemory::default();
        (Exchange::begin(participant, step, Pacing::new(LINGER), &mut log).unwrap(), log)
    };
    let seats = reshare(&parents, &parts, 2, &[0, 1]).into_iter().map(|machine| machine.seat);
    let mut all: Vec<(Exchange, InMemory)> = seats.map(begin).collect();
    let (exchange, log) = &mut all[0];
    let refused = exchange.stop(minima(2, 4), &at(1), log).unwrap().err();
    assert_eq!(refused, Some(Refused::NotCertified));
    // Carries frames until there are none; gives whom a notice told that it may stop.
    let deliver = |all: &mut [(Exchange, InMemory)], first: Vec<(Index, Event)>| {
        let (mut network, mut told) = (VecDeque::from(first), Vec::new());
        while let Some((to, event)) = network.pop_front() {
            let (exchange, log) = &mut all[to.position()];
            let actions = exchange.handle(event, &at(3), log).unwrap();
            if actions.contains(&Action::Tell(Notice::MayStop)) {
                told.push(to);
            }
            let frames = sent(&actions).into_iter();
            network.extend(
                frames
                    .map(|(peer, frame)| (peer, Event::Frame { from: to, bytes: frame.encode() })),
            );
        }
        told.sort_unstable();
        told
    };
    let indices = || (1..=3).map(index);
    let ups = indices().flat_map(|to| indices().map(move |peer| (to, Event::Up(peer)))).collect();
    assert_eq!(deliver(&mut all, ups), indices().collect::<Vec<_>>(), "each is told once");
    assert_eq!(deliver(&mut all, indices().map(|to| (to, Event::Tick)).collect()), []);
    let mut network = Vec::new();
    for (exchange, log) in &mut all {
        let me = exchange.participant().seat().me;
        assert!(exchange.participant().awaits_stop());
        let actions = exchange.stop(minima(2, 4), &at(4), log).unwrap().unwrap();
        // Its minima and its commit, to both others.
        let said = sent(&actions);
        let statements = said.iter().filter(|(_, frame)| matches!(frame, Frame::Statement(_)));
        assert_eq!(statements.count(), 4);
        network.extend(
            said.into_iter()
                .map(|(to, frame)| (to, Event::Frame { from: me, bytes: frame.encode() })),
        );
    }
    assert_eq!(deliver(&mut all, network), []);
    assert!(all.iter().all(|(_, log)| log.outputs_written));
    assert!(all.iter().all(|(exchange, _)| exchange.participant().inbox().minima().count() == 3));
}

/// What is posted of one operator, to be read by another.
fn posted(all: &[(Exchange, InMemory)], from: usize) -> Vec<Posting> {
    all[from].0.participant().postings()
}

/// Three operators who only leave postings, in turns: five say everything, and a sixth fetches.
#[test]
fn a_ceremony_by_postings_alone() {
    let mut all = exchanges(LINGER);
    let mut board: Vec<Posting> = Vec::new();
    for turn in 1..=6 {
        for i in [2, 0, 1] {
            let (exchange, log) = &mut all[i];
            while board.iter().any(|file| exchange.found(file, log).unwrap() == Posted::New) {}
            assert!(turn < 6 || exchange.participant().is_finished(), "operator {}", i + 1);
            let postings = posted(&all, i);
            board.extend(
                postings.into_iter().filter(|file| !board.contains(file)).collect::<Vec<_>>(),
            );
        }
    }
    assert!(all.iter().all(|(_, log)| log.outputs_written));
    // A deal is there with its boxes, and once more alone since they are erased.
    let deals = board.iter().filter(|file| file.statement.envelope.round == Round::Deal);
    assert_eq!((board.len(), deals.count()), (15 + 3, 6));
}

#[test]
fn what_a_posting_brings_is_told() {
    let mut all = exchanges(LINGER);
    let [first, second, third] = [0, 1, 2].map(|i| posted(&all, i).remove(0));
    let mut others = exchanges(LINGER);
    for file in [&first, &third] {
        let (exchange, log) = &mut others[1];
        assert_eq!(exchange.found(file, log).unwrap(), Posted::New);
    }
    let deal =
        posted(&others, 1).into_iter().find(|file| file.statement.envelope.round == Round::Deal);
    let deal = deal.unwrap();
    let (exchange, log) = &mut all[0];
    assert_eq!(exchange.found(&first, log).unwrap(), Posted::Known);
    assert_eq!(exchange.found(&deal, log).unwrap(), Posted::NotNow, "its session is not known");
    assert_eq!(exchange.found(&second, log).unwrap(), Posted::New);
    assert_eq!(exchange.found(&third, log).unwrap(), Posted::New);
    // Alone it brings the statement, then its boxes bring a box; foreign boxes bring nothing.
    let shape = Shape::of(&exchange.participant().seat().ceremony);
    let alone = Posting::of(deal.statement.clone());
    assert_eq!(exchange.found(&alone, log).unwrap(), Posted::New);
    assert!(exchange.participant().waits_for_box(index(2)));
    let foreign = vec![vec![0; shape.box_bytes()]; 2];
    let foreign = Posting::with_boxes(deal.statement.clone(), foreign, &shape);
    assert_eq!(exchange.found(&foreign, log).unwrap(), Posted::Known);
    assert!(exchange.participant().waits_for_box(index(2)));
    assert_eq!(exchange.found(&deal, log).unwrap(), Posted::New);
    assert_eq!(exchange.found(&deal, log).unwrap(), Posted::Known);
}

#[test]
fn a_file_is_a_posting_of_its_own_place_alone() {
    let mut all = exchanges(LINGER);
    let hellos: Vec<Posting> = (0..3).map(|i| posted(&all, i).remove(0)).collect();
    for file in &hellos {
        let (exchange, log) = &mut all[0];
        exchange.found(file, log).unwrap();
    }
    let ceremony = all[0].0.participant().seat().ceremony.clone();
    let shape = Shape::of(&ceremony);
    for file in posted(&all, 0) {
        let envelope = &file.statement.envelope;
        let (round, sender, bytes) = (envelope.round, envelope.sender, file.encode());
        let parse =
            |bytes: &[u8], round, seat| Posting::parse(bytes, &ceremony, &shape, round, seat);
        assert!(Posting::lengths(&shape, round, sender).contains(&bytes.len()));
        assert_eq!(parse(&bytes, round, sender), Ok(file.clone()));
        let other = index(sender.get() % 3 + 1);
        let misplaced = NoPosting::Misplaced { round: round.number(), sender };
        assert_eq!(parse(&bytes, round, other), Err(misplaced.clone()));
        if round == Round::Hello {
            assert_eq!(parse(&bytes, Round::Commit, sender), Err(misplaced));
        }
        let mut forged = bytes.clone();
        forged[150] ^= 1;
        assert_eq!(parse(&forged, round, sender), Err(NoPosting::Reject(Reject::Signature)));
        assert!(matches!(
            parse(&bytes[..bytes.len() - 1], round, sender),
            Err(NoPosting::Reject(Reject::Length { .. }))
        ));
        assert!(matches!(parse(&[], round, sender), Err(NoPosting::Reject(Reject::Malformed(_)))));
        // The boxes are those that the deal signs, each at its place, or the file is nothing.
        if round == Round::Deal {
            let deal = file.statement.bytes().len();
            assert_eq!(bytes.len(), deal + 2 * shape.box_bytes());
            let [dealer, second, third] = [1, 2, 3].map(index);
            for (at, recipient) in [(deal, second), (bytes.len() - 1, third)] {
                let mut other = bytes.clone();
                other[at] ^= 1;
                let refused = NoPosting::OtherBox { dealer, recipient };
                assert_eq!(parse(&other, round, sender), Err(refused));
            }
        }
    }
    // Of three operators, two of whom sign: hellos; deals alone or with boxes; prepares and
    // complaints; commits; finals. Abandonments everywhere.
    let count = |round| Posting::lengths(&shape, round, index(1)).len();
    assert_eq!(Round::ALL.map(count), [2, 3, 3, 2, 2]);
}
