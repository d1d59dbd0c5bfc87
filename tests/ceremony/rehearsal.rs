//! Rehearsals in memory: complete, with every group able to sign, and worth nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::Verdict;
use quorate::ethereum::bls::bls_verify;
use quorate::identity::card::NameError;
use quorate::message::envelope::Round;
use quorate::message::minima::Minima;
use quorate::message::sync::Frame;
use quorate::primitives::batch::verify_signature;
use quorate::primitives::curve::{G2, SecretScalar};
use quorate::primitives::hash::{DST_ETHEREUM, DST_REHEARSAL};
use quorate::protocol::items::signing_roots;
use quorate::protocol::participant::{Input, Participant};
use quorate::protocol::record::ReplayError;
use quorate::protocol::seat::OldShares;
use quorate::protocol::subsets::{Groups, groups};
use quorate::simulation::import::import;
use quorate::simulation::machine::{ceremony, entropy, operators};
use quorate::simulation::repair::repair;
use quorate::spec::rehearsal::{self, NoRehearsal};
use quorate::spec::{Ceremony, SpecError};
use quorate::transcript::container::{self, Container, ContainerError};
use quorate::transcript::stopped::{self, Stopped};

use crate::common::{Machine, TWO_VALIDATORS, honest, machines, run, statements};

fn real() -> Arc<Ceremony> {
    ceremony(&operators(4), 3, TWO_VALIDATORS)
}

/// Four operators, not started, in the rehearsal with these words.
fn cast(words: &str) -> Vec<Machine> {
    let rehearsed = Arc::new(rehearsal::of(&real(), words).unwrap());
    operators(4).iter().map(|operator| Machine::new(&rehearsed, operator)).collect()
}

fn complete() -> Vec<Machine> {
    let mut all = cast("first try");
    run(&mut all, &mut honest);
    all
}

#[test]
fn every_group_of_a_rehearsal_can_sign() {
    let all = complete();
    for machine in &all {
        let expected = Groups { tried: 4, all: true, failed: Vec::new() };
        assert_eq!(groups(machine.participant()), Some(expected));
    }
    let unfinished = cast("first try");
    assert!(unfinished.iter().all(|machine| machine.participant.is_none()));
    // Of a ceremony it can be asked as well.
    let mut all = machines(3, 2, TWO_VALIDATORS);
    all.iter_mut().for_each(|machine| drop(machine.start()));
    assert_eq!(groups(all[0].participant()), None);
}

#[test]
fn what_a_rehearsal_is_of() {
    let real = real();
    let of = |words: &str| rehearsal::of(&real, words);
    let first = of("first try").unwrap();
    assert!(first.is_rehearsal() && !real.is_rehearsal());
    assert_eq!(first.digest(), of("first try").unwrap().digest());
    assert_ne!(first.digest(), of("second try").unwrap().digest());
    assert_eq!((first.n(), first.t(), first.v()), (real.n(), real.t(), real.v()));
    let other = ceremony(&operators(4), 4 - 1, crate::common::TWO_VALIDATORS);
    assert_eq!(rehearsal::of(&other, "first try").unwrap().digest(), first.digest());
    for (words, error) in [
        ("", NameError::Empty),
        (" x", NameError::Spaces),
        ("x\n", NameError::Character { found: '\n' }),
        (&"x".repeat(65), NameError::TooLong { most: 64 }),
    ] {
        assert_eq!(of(words).unwrap_err(), NoRehearsal::Words(error), "{words:?}");
    }
    let mut parents = machines(3, 2, TWO_VALIDATORS);
    run(&mut parents, &mut honest);
    let parts = ["alice", "bob", "carol"].map(|name| (name, true, true));
    let reshare = quorate::simulation::reshare::reshare(&parents, &parts, 2, &[0, 1]);
    // The keys of a reshare are others with each word, and none of them the parent's.
    let parent: &Ceremony = &reshare[0].seat.ceremony;
    let of = |words: &str| rehearsal::of(parent, words).unwrap();
    let (first, second) = (of("x"), of("y"));
    let keys = |ceremony: &Ceremony| -> BTreeSet<[u8; 48]> {
        ceremony.reshare().unwrap().validators.iter().map(|validator| validator.key).collect()
    };
    let all: BTreeSet<_> = [parent, &first, &second].into_iter().flat_map(keys).collect();
    assert_eq!(all.len(), 6);
    for seat in first.indices() {
        let shares = rehearsal::old_shares(&first, seat).unwrap();
        let public: Vec<_> = shares.iter().map(|share| share.base_mult().unwrap()).collect();
        assert_eq!(first.parent_shares().unwrap().of(seat), Some(&public[..]));
    }
}

/// The rehearsal of a ceremony of another kind: its machines, each with what it deals there.
fn cast_of(real: &[Machine], words: &str) -> Vec<Machine> {
    let rehearsed = Arc::new(rehearsal::of(&real[0].seat.ceremony, words).unwrap());
    let machine = |real: &Machine| {
        let mut machine = Machine::new(&rehearsed, &real.seat.operator);
        if let Some(shares) = rehearsal::old_shares(&rehearsed, machine.seat.me) {
            machine.seat = machine.seat.with_old_shares(Arc::new(OldShares::whole(shares)));
        }
        machine
    };
    real.iter().map(machine).collect()
}

/// Plays the rehearsal of an import or a repair to its end; what there was is none of it.
fn played(real: &[Machine], tried: usize) -> Vec<Machine> {
    let mut all = cast_of(real, "first try");
    run(&mut all, &mut honest);
    let v = real[0].seat.ceremony.v();
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        machine.stop(Minima { signed: vec![None; v] }).unwrap().unwrap();
    }
    run(&mut all, &mut honest);
    let (old, rehearsed) = (&real[0].seat.ceremony, &all[0].seat.ceremony);
    assert_eq!(rehearsed.kind(), old.kind());
    let keys = |ceremony: &Ceremony| -> BTreeSet<[u8; 48]> {
        ceremony.reshare().unwrap().validators.iter().map(|validator| validator.key).collect()
    };
    assert!(keys(old).is_disjoint(&keys(rehearsed)));
    for machine in &all {
        assert!(machine.participant().is_finished(), "{:?}", machine.participant().waiting());
        let expected = Groups { tried, all: true, failed: Vec::new() };
        assert_eq!(groups(machine.participant()), Some(expected));
        let (of, me) = (machine.seat.ceremony.parts(), machine.seat.me);
        assert_eq!(machine.participant().shares().is_some(), of.receivers.contains(me));
    }
    let said = statements(&all[0]);
    let said = said.iter().chain(all[0].participant().inbox().minima());
    let written = container::encode(rehearsed, said).unwrap();
    let refused = Container::parse(&written).err();
    assert!(matches!(refused, Some(ContainerError::Spec(SpecError::Magic))), "{refused:?}");
    all
}

#[test]
fn an_import_is_rehearsed_with_keys_for_nothing() {
    for (stays, tried) in [(true, 4), (false, 1)] {
        let real = import(&["alice", "bob", "carol", "dave"], (0, stays), 3, &["one", "two"]);
        let all = played(&real, tried);
        let rehearsed = &all[1].seat.ceremony;
        // The one dealer has the keys, and nobody else has anything to deal.
        let dealt = rehearsal::old_shares(rehearsed, all[0].seat.me).unwrap();
        let public: Vec<_> = dealt.iter().map(|key| key.base_mult().unwrap()).collect();
        let keys = rehearsed.parent_shares().unwrap().rows().constants();
        assert_eq!(public, keys.collect::<Vec<_>>());
        for other in &all[1..] {
            assert!(rehearsal::old_shares(rehearsed, other.seat.me).is_none());
        }
    }
}

#[test]
fn a_repair_is_rehearsed_with_shares_for_nothing() {
    let mut parents = machines(5, 3, TWO_VALIDATORS);
    run(&mut parents, &mut honest);
    let all = played(&repair(&parents, "bob", &["alice", "dave", "erin"]), 4);
    let rehearsed = &all[0].seat.ceremony;
    let (alice, bob) = (&all[0], &all[1]);
    assert_eq!(bob.seat.operator.name().as_str(), "bob");
    assert!(rehearsal::old_shares(rehearsed, bob.seat.me).is_none(), "it has lost its share");
    // It regains the value of the same polynomials at its own point.
    let helps = rehearsal::old_shares(rehearsed, alice.seat.me).unwrap();
    let regained = bob.participant().shares().unwrap();
    let rows = rehearsed.parent_shares().unwrap().rows();
    let at = |point: u64| rows.evaluate(&[point]).unwrap();
    let public = |shares: &[SecretScalar]| -> Vec<_> {
        shares.iter().map(|share| share.base_mult().unwrap()).collect()
    };
    assert_eq!((public(&helps), public(regained)), (at(1), at(2)));
}

/// With other keys than these words give, nothing is signed: it is checked as in the ceremony.
#[test]
fn other_keys_than_those_for_nothing_are_refused() {
    let real = import(&["alice", "bob", "carol", "dave"], (0, true), 3, &["one", "two"]);
    let mut all = cast_of(&real, "first try");
    let other = Arc::new(rehearsal::of(&real[0].seat.ceremony, "second try").unwrap());
    let shares = rehearsal::old_shares(&other, all[0].seat.me).unwrap();
    let seat = all[0].seat.clone().with_old_shares(Arc::new(OldShares::whole(shares)));
    let begun = Participant::start(seat, Vec::new(), || entropy("a rehearsal"));
    assert_eq!(begun.err(), Some(ReplayError::OldShares));
    assert!(all[0].start().is_ok());
}

/// What a rehearsal has left is shown as a ceremony's, as it is and with the front of one.
#[test]
fn attack_s11_rehearsal_shown_as_a_ceremony() {
    let all = complete();
    let rehearsed = all[0].seat.ceremony.clone();
    assert_eq!(Ceremony::from_canonical(rehearsed.canonical()).err(), Some(SpecError::Magic));

    let outcome = all[0].participant().outcome().unwrap();
    let keys: Vec<_> = outcome.validators.iter().map(|validator| validator.public_key).collect();
    for (v, root) in signing_roots(&rehearsed, &keys) {
        let signature = &outcome.validators[v].signatures[0];
        assert!(!bls_verify(&keys[v], &root, signature), "a deposit");
        assert!(verify_signature(&keys[v], &G2::hash(&root, DST_REHEARSAL), signature));
    }
    assert_ne!(DST_REHEARSAL, DST_ETHEREUM);

    let said = statements(&all[0]);
    let written = container::encode(&rehearsed, &said).unwrap();
    let refused = Container::parse(&written).err();
    assert!(matches!(refused, Some(ContainerError::Spec(SpecError::Magic))), "{refused:?}");
    assert!(!audit(&written, &Expectations::default()).is_clean());
    // With the magic of a ceremony it has another digest, to which nothing is bound.
    let at = written.windows(4).position(|four| four == b"QRHS").unwrap();
    let mut posed = written;
    posed[at..at + 4].copy_from_slice(b"QSPC");
    let report = audit(&posed, &Expectations::default());
    assert_eq!(report.verdict(), Verdict::Failed);
}

/// An operator that begins a rehearsal twice: the others stop, and nobody is shown to have done
/// anything.
#[test]
fn attack_s11_rehearsal_begun_twice() {
    let mut all = cast("first try");
    let again = cast("first try");
    let hello = |frames: Vec<Frame>| match frames.into_iter().next() {
        Some(Frame::Statement(bytes)) => bytes,
        other => panic!("{other:?}"),
    };
    let first = hello(all[1].start().unwrap());
    // Other entropy: as after a restart without a log.
    let second = {
        let entropy = || entropy("another");
        let (_, step) = Participant::start(again[1].seat.clone(), Vec::new(), entropy).unwrap();
        step.send[0].bytes().to_vec()
    };
    assert_ne!(first, second);
    all[0].start().unwrap();
    for bytes in [first, second] {
        all[0].take(Input::Statement(bytes)).unwrap().unwrap();
    }
    assert!(all[0].participant().fault().is_some(), "it cannot go on");
    let inbox = all[0].participant().inbox();
    let hellos = inbox.everything().filter(|one| one.envelope.round == Round::Hello);
    assert_eq!(hellos.count(), 3, "its own, and two of the other");
    let evidence = stopped::encode(&all[0].seat.ceremony, inbox.everything());
    let refused = Stopped::parse(&evidence).err();
    assert!(matches!(refused, Some(ContainerError::Spec(SpecError::Magic))), "{refused:?}");
}
