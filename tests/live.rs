//! Answering over channels in memory: operators that follow the specification, and what misbehaving
//! peers can cause. The network is a queue.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, LazyLock};

use common::{Machine, TWO_VALIDATORS, honest, machines, run};
use quorate::ethereum::exit::VoluntaryExit;
use quorate::identity::Operator;
use quorate::primitives::curve::{G2, SecretScalar};
use quorate::primitives::secret::Secret32;
use quorate::signing::live::frame::{Frame, State};
use quorate::signing::live::{Action, Ending, Event, Live, Misconduct, Role};
use quorate::signing::partial::{Extent, Partial, PartialError};
use quorate::signing::{Cleared, Delivery, Item, Items, Parent, Purpose, Request};
use quorate::spec::Index;

const N: u16 = 4;
const T: usize = 3;

/// A finished ceremony, 3 of 4.
static CEREMONY: LazyLock<Vec<Machine>> = LazyLock::new(|| {
    let mut all = machines(usize::from(N), T, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    all
});

fn seat(index: u16) -> Index {
    Index::new(index).unwrap()
}

fn machine(index: u16) -> &'static Machine {
    &CEREMONY[usize::from(index) - 1]
}

fn operator(index: u16) -> Arc<Operator> {
    machine(index).seat.operator.clone()
}

fn parent(index: u16) -> Parent {
    Parent::finished(machine(index).participant()).unwrap()
}

fn request(delivery: Delivery, epoch: u64) -> Request {
    let parent = parent(1);
    let key = parent.validators()[0].public_key.to_compressed();
    parent.request(key, Purpose::Exit(VoluntaryExit { epoch, validator_index: 7 }), delivery)
}

fn custodian(index: u16) -> Delivery {
    Delivery::Custodian(Box::new(operator(index).card()))
}

fn cleared(request: &Request, by: u16) -> Cleared {
    parent(by).clear(request.clone()).unwrap()
}

fn answer(request: &Request, by: u16) -> Partial {
    let share = &machine(by).participant().shares().unwrap()[0];
    Partial::sign(&cleared(request, by), &operator(by), seat(by), &[Some(share)]).unwrap()
}

/// Signed by its operator, and not what its share gives.
fn false_answer(request: &Request, by: u16) -> Partial {
    let share = SecretScalar::from_be_bytes(&[1; 32]).unwrap();
    Partial::sign(&cleared(request, by), &operator(by), seat(by), &[Some(&share)]).unwrap()
}

fn framed(request: &Request, partial: &Partial, ephemeral: u8) -> Vec<u8> {
    let by = partial.operator.get();
    Frame::Answer(partial.to_answer(
        &cleared(request, by),
        &operator(by),
        Secret32::new(&mut [ephemeral; 32]),
    ))
    .encode()
}

fn state(satisfied: bool, counted: [bool; 4]) -> Vec<u8> {
    Frame::State(State { satisfied, counted: counted.to_vec() }).encode()
}

fn begin(request: &Request, me: u16) -> Live {
    let ephemeral = Secret32::new(&mut [u8::try_from(me).unwrap(); 32]);
    let begun =
        Live::begin(cleared(request, me), parent(me), operator(me), answer(request, me), ephemeral);
    let (live, actions) = begun.unwrap();
    assert!(actions.is_empty(), "{actions:?}");
    live
}

/// What is heard from `from`.
fn hear(live: &mut Live, from: u16, frame: &[u8]) -> Vec<Action> {
    live.handle(Event::Frame(seat(from), frame))
}

fn hung_up(actions: &[Action]) -> (u16, &Misconduct) {
    match actions {
        [Action::HangUp { peer, why }] => (peer.get(), why),
        _ => panic!("{actions:?}"),
    }
}

/// Every frame finds a channel.
fn carried(live: &mut Live, actions: &[Action]) {
    if actions.iter().any(|action| matches!(action, Action::Answer { .. })) {
        live.answer_left();
    }
}

/// Operators that keep to the specification, those who are there, and the frames between them.
struct Net {
    live: BTreeMap<u16, Live>,
    frames: VecDeque<(u16, u16, Vec<u8>)>,
    results: BTreeMap<u16, (G2, Vec<Index>)>,
    sent: usize,
}

impl Net {
    fn new() -> Self {
        Self { live: BTreeMap::new(), frames: VecDeque::new(), results: BTreeMap::new(), sent: 0 }
    }

    /// Someone joins, and is connected to everybody whom its role lets it speak with.
    fn join(&mut self, request: &Request, me: u16) {
        let live = begin(request, me);
        let others: Vec<u16> = self
            .live
            .keys()
            .copied()
            .filter(|other| live.role().speaks_with(seat(*other)))
            .collect();
        self.live.insert(me, live);
        for other in others {
            if self.live[&other].role().speaks_with(seat(me)) {
                for (at, to) in [(me, other), (other, me)] {
                    let actions = self.live.get_mut(&at).unwrap().handle(Event::Up(seat(to)));
                    self.act(at, actions);
                }
            }
        }
        self.deliver();
    }

    fn act(&mut self, me: u16, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send { to, frame } => {
                    assert!(frame.len() <= Frame::max_bytes(usize::from(N), Extent::plain(1)));
                    self.sent += 1;
                    self.frames.push_back((me, to.get(), frame));
                }
                Action::Answer { to, frame } => {
                    self.live.get_mut(&me).unwrap().answer_left();
                    self.act(me, vec![Action::Send { to, frame }]);
                }
                Action::Combined { signatures, signers, .. } => {
                    let signature = signatures[0].unwrap();
                    assert!(
                        self.results.insert(me, (signature, signers)).is_none(),
                        "combined once"
                    );
                    let actions = self.live.get_mut(&me).unwrap().written();
                    self.act(me, actions);
                }
                Action::Counted(_) | Action::Received => {}
                other => panic!("{me}: {other:?}"),
            }
        }
    }

    fn deliver(&mut self) {
        while let Some((from, to, frame)) = self.frames.pop_front() {
            if let Some(live) = self.live.get_mut(&to) {
                let actions = hear(live, from, &frame);
                self.act(to, actions);
            }
        }
    }

    fn leave(&mut self, gone: u16) {
        self.live.remove(&gone);
        for live in self.live.values_mut() {
            assert!(live.handle(Event::Down(seat(gone))).is_empty());
        }
    }

    fn tick(&mut self, times: usize) {
        for _ in 0..times {
            for me in self.live.keys().copied().collect::<Vec<_>>() {
                let actions = self.live.get_mut(&me).unwrap().handle(Event::Tick);
                self.act(me, actions);
            }
            self.deliver();
        }
    }

    fn endings(&self) -> Vec<Option<Ending>> {
        self.live.values().map(Live::ending).collect()
    }
}

/// A request for exits of both validators.
fn list(delivery: Delivery) -> Request {
    let parent = parent(1);
    let item = |validator: usize| Item {
        public_key: parent.validators()[validator].public_key.to_compressed(),
        purpose: Purpose::Exit(VoluntaryExit { epoch: 0, validator_index: 7 + validator as u64 }),
    };
    parent.request_all(Items::new(vec![item(0), item(1)]).unwrap(), delivery)
}

/// The answer of `by` to a list: for both validators, or for the first alone.
fn list_answer(request: &Request, by: u16, both: bool) -> Partial {
    let shares = machine(by).participant().shares().unwrap();
    let signing = [Some(&shares[0]), both.then_some(&shares[1])];
    Partial::sign(&cleared(request, by), &operator(by), seat(by), &signing).unwrap()
}

#[test]
fn a_list_waits_for_every_validator_as_long_as_it_can_have_enough() {
    let request = list(Delivery::Public);
    let begin = |both| {
        let (ephemeral, own) = (Secret32::new(&mut [1; 32]), list_answer(&request, 1, both));
        Live::begin(cleared(&request, 1), parent(1), operator(1), own, ephemeral).unwrap().0
    };
    let answers = |live: &mut Live, all: &[(u16, bool)]| -> Vec<Action> {
        let mut actions = Vec::new();
        for (by, both) in all {
            live.handle(Event::Up(seat(*by)));
            let frame = framed(&request, &list_answer(&request, *by, *both), 2);
            assert!(frame.len() <= Frame::max_bytes(usize::from(N), Extent::plain(2)));
            actions.extend(hear(live, *by, &frame));
        }
        actions
    };
    let made = |actions: &[Action]| {
        let mut made = actions.iter().filter_map(|action| match action {
            Action::Combined { signatures, .. } => {
                Some(signatures.iter().map(Option::is_some).collect::<Vec<_>>())
            }
            _ => None,
        });
        (made.next(), made.next())
    };
    // As soon as both have enough.
    let mut live = begin(true);
    assert_eq!(made(&answers(&mut live, &[(2, true)])), (None, None));
    assert_eq!(made(&answers(&mut live, &[(3, true)])), (Some(vec![true, true]), None));
    // The second has two, and the last operator may still sign for it.
    let mut live = begin(true);
    assert_eq!(made(&answers(&mut live, &[(2, true), (3, false)])), (None, None));
    assert_eq!((live.answers(), live.ending()), (vec![3, 2], None));
    assert_eq!(made(&answers(&mut live, &[(4, true)])), (Some(vec![true, true]), None));
    // It does not: nothing more can come.
    let mut live = begin(true);
    let actions = answers(&mut live, &[(2, true), (3, false), (4, false)]);
    assert_eq!(made(&actions), (Some(vec![true, false]), None));
    // It is hung up on, for the answer to another request.
    let mut live = begin(true);
    answers(&mut live, &[(2, true), (3, false)]);
    live.handle(Event::Up(seat(4)));
    let actions = hear(&mut live, 4, &[9]);
    assert_eq!(made(&actions), (None, None), "an open answer of its can come from others");
    // The time is over.
    assert_eq!(made(&live.close()), (Some(vec![true, false]), None));
    assert!(live.close().is_empty(), "once");
    // Too few for any: nothing is made, and it is not over.
    let mut live = begin(false);
    assert_eq!(made(&answers(&mut live, &[(2, true)])), (None, None));
    assert!(live.close().is_empty());
    assert_eq!(live.ending(), None);
}

#[test]
fn any_t_make_it_and_late_ones_get_it() {
    for order in [[1, 2, 3, 4], [4, 3, 2, 1], [2, 4, 1, 3]] {
        let request = request(Delivery::Public, 0);
        let mut net = Net::new();
        net.join(&request, order[0]);
        net.join(&request, order[1]);
        assert!(net.results.is_empty());
        assert_eq!(net.live[&order[0]].waiting_for().len(), 2);
        net.join(&request, order[2]);
        assert_eq!(net.results.len(), 3, "as soon as there are enough");
        assert_eq!(net.endings(), [None; 3], "they stay for the fourth");
        assert_eq!(net.live[&order[0]].waiting_for(), [seat(order[3])]);
        net.join(&request, order[3]);
        assert_eq!(net.results.len(), 4);
        net.tick(1);
        assert_eq!(net.endings(), [Some(Ending::Complete); 4]);
        let signatures: Vec<G2> = net.results.values().map(|(signature, _)| *signature).collect();
        assert!(signatures.iter().all(|signature| *signature == signatures[0]));
        // Nobody says anything more.
        let sent = net.sent;
        net.tick(10);
        assert_eq!(net.sent, sent);
    }
}

/// Who comes when only one of the others is left gets everything from it.
#[test]
fn one_who_stays_passes_on_what_the_others_said() {
    let request = request(Delivery::Public, 0);
    let mut net = Net::new();
    (1..=3).for_each(|me| net.join(&request, me));
    net.leave(1);
    net.leave(2);
    assert_eq!(net.endings(), [None]);
    net.join(&request, 4);
    assert!(net.results.contains_key(&4));
    assert_eq!(net.live[&4].counted(), 4);
    // Who has answered and is away for long is not waited for; before that, it may be back.
    assert_eq!(net.live[&4].ending(), None);
    net.tick(6);
    assert_eq!(net.endings(), [Some(Ending::Complete); 2]);
}

/// Two who cannot reach each other have a third.
#[test]
fn answers_find_a_way_round() {
    let request = request(Delivery::Public, 0);
    let mut net = Net::new();
    for me in 1..=3 {
        net.live.insert(me, begin(&request, me));
    }
    for (at, to) in [(1, 2), (2, 1), (2, 3), (3, 2)] {
        let actions = net.live.get_mut(&at).unwrap().handle(Event::Up(seat(to)));
        net.act(at, actions);
    }
    net.deliver();
    net.tick(1);
    assert_eq!(net.results.len(), 3);
}

#[test]
fn a_custodian_alone_has_the_result() {
    let request = request(custodian(3), 0);
    let mut net = Net::new();
    for me in [1, 2, 3] {
        net.join(&request, me);
    }
    assert_eq!(net.live[&1].role(), Role::Contributor(seat(3)));
    assert_eq!(net.live[&3].role(), Role::Custodian);
    assert_eq!(net.results.keys().copied().collect::<Vec<_>>(), [3]);
    assert_eq!(
        net.endings(),
        [Some(Ending::Complete), Some(Ending::Complete), None],
        "it stays for the fourth"
    );
    net.join(&request, 4);
    assert_eq!(net.endings(), [Some(Ending::Complete); 4]);
    // It is no answer to whoever is not the custodian, not even from the custodian.
    let mut first = begin(&request, 1);
    first.handle(Event::Up(seat(3)));
    let actions = hear(&mut first, 3, &framed(&request, &answer(&request, 2), 9));
    assert_eq!(hung_up(&actions), (3, &Misconduct::NotForUs));
    assert_eq!(first.ending(), Some(Ending::CustodianLost));
    // Whom it does not speak with, it does not hear.
    let mut second = begin(&request, 2);
    assert!(second.handle(Event::Up(seat(1))).is_empty());
    assert!(hear(&mut second, 1, &state(true, [true; 4])).is_empty());
    assert_eq!(second.ending(), None);
}

/// What a custodian says that it counts is its word alone; what was sent is not.
#[test]
fn nothing_was_sent_before_a_channel_has_it() {
    let request = request(custodian(3), 0);
    let mut live = begin(&request, 1);
    live.handle(Event::Up(seat(3)));
    let counts_us = state(false, [true, false, false, false]);
    let actions = hear(&mut live, 3, &counts_us);
    assert!(matches!(actions[..], [Action::Received]), "{actions:?}");
    assert_eq!((live.is_received(), live.has_left()), (true, false), "nothing was offered");
    assert_eq!(live.ending(), None);

    let mut live = begin(&request, 1);
    live.handle(Event::Up(seat(3)));
    let actions = hear(&mut live, 3, &state(false, [false; 4]));
    let [Action::Answer { to, frame }] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!((to.get(), frame.len()), (3, 291));
    assert!(!live.has_left(), "the channel may have gone meanwhile");
    live.answer_left();
    assert_eq!((live.is_received(), live.has_left()), (false, true));
}

#[test]
fn a_custodian_that_is_no_operator_has_no_channel() {
    let name = quorate::identity::OperatorName::parse("zoe").unwrap();
    let stranger = Operator::generate(name, Secret32::new(&mut [77; 32]));
    let request = request(Delivery::Custodian(Box::new(stranger.card())), 0);
    assert_eq!(Role::of(&cleared(&request, 1), &parent(1), seat(1)), None);
    let ephemeral = Secret32::new(&mut [1; 32]);
    assert!(
        Live::begin(cleared(&request, 1), parent(1), operator(1), answer(&request, 1), ephemeral)
            .is_none()
    );
}

/// Its own signature is proof; nobody hangs up for it, and nothing of it is looked at again.
#[test]
fn a_signed_false_answer_is_its_operators_by_name() {
    for delivery in [Delivery::Public, custodian(1)] {
        let request = request(delivery, 0);
        let mut live = begin(&request, 1);
        live.handle(Event::Up(seat(2)));
        let actions = hear(&mut live, 2, &framed(&request, &false_answer(&request, 2), 9));
        let [Action::NotCounted { operator, why: PartialError::Wrong(2) }] = &actions[..] else {
            panic!("{actions:?}")
        };
        assert_eq!(operator.get(), 2);
        assert!(
            hear(&mut live, 2, &framed(&request, &answer(&request, 2), 9)).is_empty(),
            "not even a good one"
        );
        assert_eq!((live.counted(), live.waiting_for()), (1, vec![seat(3), seat(4)]));
        // With a second one there can never be three.
        assert_eq!(live.ending(), None);
        hear(&mut live, 3, &framed(&request, &false_answer(&request, 3), 9));
        assert_eq!(live.ending(), Some(Ending::Hopeless));
    }
}

/// A sealed answer comes from its operator or not at all; an open one from anybody who is still
/// spoken with.
#[test]
fn it_ends_when_nobody_is_left_whose_answer_could_come() {
    let sealed = request(custodian(1), 0);
    let mut live = begin(&sealed, 1);
    hung_up(&hear(&mut live, 2, &[]));
    assert_eq!((live.ending(), live.waiting_for()), (None, vec![seat(3), seat(4)]));
    hung_up(&hear(&mut live, 3, &[]));
    assert_eq!(live.ending(), Some(Ending::Hopeless));

    let open = request(Delivery::Public, 0);
    let mut live = begin(&open, 1);
    for from in [2, 3] {
        hung_up(&hear(&mut live, from, &[]));
        assert_eq!((live.ending(), live.waiting_for()), (None, vec![seat(2), seat(3), seat(4)]));
    }
    hung_up(&hear(&mut live, 4, &[]));
    assert_eq!(live.ending(), Some(Ending::Hopeless));

    // Whoever has been counted before is not lost.
    let mut live = begin(&sealed, 1);
    for from in [2, 3] {
        hear(&mut live, from, &framed(&sealed, &answer(&sealed, from), 9));
        hung_up(&hear(&mut live, from, &[]));
    }
    assert_eq!(live.ending(), None, "there is enough, and it is being written");
}

/// What a person is told who stops: who may still need something, and whether the answer can have
/// reached anybody.
#[test]
fn what_is_known_when_it_ends() {
    let open = request(Delivery::Public, 0);
    let mut live = begin(&open, 1);
    live.handle(Event::Up(seat(2)));
    assert!(!live.has_left(), "nobody has asked for it yet");
    hear(&mut live, 2, &state(false, [true, false, false, false]));
    assert!(!live.has_left(), "it has it already, by another way");
    hear(&mut live, 2, &framed(&open, &answer(&open, 2), 9));
    live.handle(Event::Up(seat(3)));
    let actions = hear(&mut live, 3, &state(false, [false, true, false, false]));
    assert!(!live.has_left(), "asked for, and not yet given to a channel");
    carried(&mut live, &actions);
    assert!(live.has_left());
    hear(&mut live, 3, &framed(&open, &answer(&open, 3), 9));
    live.written();
    // Both go, without a word. They are not waited for; that is not the same as knowing that they
    // have it.
    for gone in [2, 3] {
        live.handle(Event::Down(seat(gone)));
    }
    (0..6).for_each(|_| drop(live.handle(Event::Tick)));
    assert_eq!(
        (live.waiting_for(), live.unconfirmed()),
        (vec![seat(4)], vec![seat(2), seat(3), seat(4)])
    );
    live.handle(Event::Up(seat(3)));
    hear(&mut live, 3, &state(true, [true, true, true, false]));
    hung_up(&hear(&mut live, 4, &[]));
    assert_eq!(live.unconfirmed(), [seat(2)], "nor those with whom it does not speak");

    let sealed = request(custodian(3), 0);
    let mut live = begin(&sealed, 1);
    live.handle(Event::Up(seat(3)));
    let actions = hear(&mut live, 3, &state(false, [false, false, true, false]));
    carried(&mut live, &actions);
    assert_eq!((live.has_left(), live.is_received()), (true, false));
    hear(&mut live, 3, &state(false, [true, false, true, false]));
    assert_eq!((live.is_received(), live.is_satisfied()), (true, false));
}

#[test]
fn who_passes_on_a_false_answer_is_at_fault_too() {
    let request = request(Delivery::Public, 0);
    let mut live = begin(&request, 1);
    let actions = hear(&mut live, 3, &framed(&request, &false_answer(&request, 2), 9));
    let [
        Action::NotCounted { operator, .. },
        Action::HangUp { peer, why: Misconduct::PassedOn(2) },
    ] = &actions[..]
    else {
        panic!("{actions:?}")
    };
    assert_eq!((operator.get(), peer.get()), (2, 3));
}

#[test]
fn answers_that_are_not_what_they_say() {
    let (ours, other) = (request(Delivery::Public, 0), request(Delivery::Public, 1));
    let genuine = framed(&ours, &answer(&ours, 2), 9);
    let with = |at: usize, bytes: &[u8]| {
        let mut altered = genuine.clone();
        altered[at..at + bytes.len()].copy_from_slice(bytes);
        altered
    };
    let expected = ours.id();
    // The request, the operator, the partial signature and the signature, in this order after the
    // type.
    for (frame, why) in [
        (
            framed(&other, &answer(&other, 2), 9),
            PartialError::Request { expected, found: other.id() },
        ),
        (with(1, other.id().as_ref()), PartialError::Request { expected, found: other.id() }),
        (with(33, &[0, 3]), PartialError::Signature(3)),
        (with(33, &[0, 9]), PartialError::UnknownOperator(9)),
        (
            with(35, &answer(&ours, 3).partials[0].unwrap().to_compressed()),
            PartialError::Signature(2),
        ),
        (with(131, &[0; 64]), PartialError::Signature(2)),
        (framed(&request(custodian(1), 0), &answer(&request(custodian(1), 0), 2), 9), {
            PartialError::Request { expected, found: request(custodian(1), 0).id() }
        }),
    ] {
        let mut live = begin(&ours, 1);
        let actions = hear(&mut live, 2, &frame);
        assert_eq!(hung_up(&actions), (2, &Misconduct::Answer(why)));
        assert_eq!(live.counted(), 1);
        // It is not heard any more; what it has signed still counts, from whoever has it.
        assert!(hear(&mut live, 2, &genuine).is_empty());
        assert!(
            matches!(hear(&mut live, 3, &genuine)[..], [Action::Counted(who)] if who == seat(2))
        );
    }
    // This very request, sealed: the kind is wrong.
    let sealed = [&[3][..], ours.id().as_ref(), &[0; 258]].concat();
    let mut live = begin(&ours, 1);
    let why = Misconduct::Answer(PartialError::Delivery { expected: "public", found: "sealed" });
    assert_eq!(hung_up(&hear(&mut live, 2, &sealed)), (2, &why));
}

#[test]
fn sealed_answers_that_are_not_what_they_say() {
    let ours = request(custodian(1), 0);
    let genuine = framed(&ours, &answer(&ours, 2), 9);
    let mut live = begin(&ours, 1);
    assert_eq!(hung_up(&hear(&mut live, 3, &genuine)), (3, &Misconduct::Foreign(2)));
    let mut altered = genuine.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(
        hung_up(&hear(&mut live, 2, &altered)),
        (2, &Misconduct::Answer(PartialError::Sealed))
    );
    // Open, where everybody would see it.
    let open = [&[2][..], ours.id().as_ref(), &[0, 4], &[0; 160]].concat();
    let why = PartialError::Delivery { expected: "sealed", found: "public" };
    assert_eq!(hung_up(&hear(&mut live, 4, &open)), (4, &Misconduct::Answer(why)));
    assert_eq!(live.counted(), 1);
}

#[test]
fn garbage_is_heard_once() {
    let request = request(Delivery::Public, 0);
    for garbage in [
        &[][..],
        &[0],
        &[9; 100],
        &[1, 0, 1, 1, 1],
        &[1, 0, 1, 1, 1, 1, 1],
        &[1, 2, 0, 0, 0, 0],
        &[2; 195 - 1],
    ] {
        let mut live = begin(&request, 1);
        live.handle(Event::Up(seat(2)));
        let actions = hear(&mut live, 2, garbage);
        assert!(matches!(hung_up(&actions), (2, Misconduct::Frame(_))), "{actions:?}");
        assert!(hear(&mut live, 2, garbage).is_empty());
        assert!(live.handle(Event::Up(seat(2))).is_empty(), "not spoken with");
        // Nor waited for, once there is enough.
        for from in [3, 4] {
            live.handle(Event::Up(seat(from)));
            hear(&mut live, from, &framed(&request, &answer(&request, from), 9));
        }
        live.written();
        for from in [3, 4] {
            hear(&mut live, from, &state(true, [true; 4]));
        }
        assert_eq!(live.ending(), Some(Ending::Complete));
    }
    // No operator has this index, or it is our own.
    let mut live = begin(&request, 1);
    for from in [1, 5, 255].map(seat) {
        assert!(live.handle(Event::Up(from)).is_empty());
        assert!(live.handle(Event::Frame(from, &[9; 100])).is_empty());
        assert!(live.handle(Event::Down(from)).is_empty());
    }
}

/// Whatever is repeated, and however often, is answered once over a connection.
#[test]
fn a_flood_brings_about_nothing() {
    let request = request(Delivery::Public, 0);
    let mut live = begin(&request, 1);
    live.handle(Event::Up(seat(2)));
    let (theirs, nothing) = (framed(&request, &answer(&request, 2), 9), state(false, [false; 4]));
    assert_eq!(hear(&mut live, 2, &nothing).len(), 1, "our answer");
    assert_eq!(hear(&mut live, 2, &theirs).len(), 1, "counted");
    for _ in 0..1000 {
        assert!(hear(&mut live, 2, &theirs).is_empty());
        assert!(hear(&mut live, 2, &nothing).is_empty());
        assert!(
            hear(&mut live, 2, &framed(&request, &answer(&request, 1), 9)).is_empty(),
            "our own comes back"
        );
    }
    // A tick says once what is new.
    assert_eq!(live.handle(Event::Tick).len(), 1);
    assert!(live.handle(Event::Tick).is_empty());
    // A new connection starts anew, with one answer again.
    live.handle(Event::Down(seat(2)));
    assert_eq!(live.handle(Event::Up(seat(2))).len(), 1);
    assert_eq!(hear(&mut live, 2, &nothing).len(), 1);
    assert!(hear(&mut live, 2, &nothing).is_empty());
    // The custodian opens one box of each.
    let sealed = self::request(custodian(1), 0);
    let mut live = begin(&sealed, 1);
    assert_eq!(hear(&mut live, 2, &framed(&sealed, &answer(&sealed, 2), 9)).len(), 1);
    for ephemeral in 10..20 {
        assert!(hear(&mut live, 2, &framed(&sealed, &answer(&sealed, 2), ephemeral)).is_empty());
    }
}

/// A lie about what one holds deprives the liar alone.
#[test]
fn lies_about_what_one_holds() {
    let request = request(Delivery::Public, 0);
    let mut live = begin(&request, 1);
    live.handle(Event::Up(seat(2)));
    assert!(hear(&mut live, 2, &state(true, [true; 4])).is_empty());
    assert_eq!(live.ending(), None, "what others have is not what we have");
    assert_eq!(live.waiting_for(), [seat(2), seat(3), seat(4)]);
}
