//! Simulated key generations whose file asks for preregistrations and registrations: they are
//! signed whatever loses power, and who signs another one is named.

use quorate::message::body::Commit;
use quorate::message::envelope::Round;
use quorate::message::shape::Shape;
use quorate::protocol::evidence::Rule;
use quorate::simulation::adversary::Adversary;
use quorate::simulation::campaign::{campaign_of, play};
use quorate::simulation::cast::Cast;
use quorate::simulation::disk::Power;
use quorate::simulation::forger::Forger;
use quorate::simulation::machine::Machine;
use quorate::simulation::plan::Plan;
use quorate::simulation::verdict::Ending;

/// Operator keys and validators of (3,2) and (4,3).
const SMALL: usize = 0;
const MIDDLE: usize = 1;

fn calm(shape: usize, validators: usize) -> Plan {
    Plan { preregisters: true, ..Plan::calm(3, shape, validators) }
}

#[test]
fn every_validator_is_registered_and_preregistered() {
    for (validators, items) in [(1, 3), (2, 3 + 4), (3, 3 + 4 + 3)] {
        assert_eq!(Shape::of(&Cast::of(SMALL, validators, true).ceremony).items, items);
        let played = play(calm(SMALL, validators));
        assert_eq!((played.violations, played.ending), (vec![], Ending::Finished));
        // Each set of shares makes exactly the signatures.
        assert_eq!(played.subsets, 3);
    }
    assert_eq!(Shape::of(&Cast::of(SMALL, 1, false).ceremony).items, 1);
}

#[test]
fn power_that_fails_at_any_moment_changes_nothing() {
    let mut plan = calm(SMALL, 1);
    plan.calm_from = 20_000;
    let reference = play(plan.clone());
    let expected = reference.transcript.unwrap();
    for moment in 2..reference.moments[0] {
        plan.fates[0].power = Power::CutAt(moment);
        let played = play(plan.clone());
        assert_eq!((played.violations, played.ending), (vec![], Ending::Finished), "{moment}");
        assert_eq!((played.crashes, played.transcript), (1, Some(expected)), "{moment}");
    }
}

/// The seat of bob, played by hand among honest machines: which item each of the others names.
fn named(kind: Adversary) -> Vec<Rule> {
    let cast = Cast::of(SMALL, 2, true);
    let mut all: Vec<Machine> =
        cast.seats.iter().map(|seat| Machine::new(&cast.ceremony, &seat.operator)).collect();
    let bob = all.remove(1).seat;
    let hooks = kind.faces().remove(0);
    let said = Forger::new(bob.clone(), hooks).play(&mut all);
    let commit = said.iter().find(|said| said.envelope.round == Round::Commit).unwrap();
    // It is a signature of bob's share; only what is signed differs.
    let shape = Shape::of(&cast.ceremony);
    assert_eq!(Commit::decode(commit.body(), &shape, bob.me).unwrap().partials.len(), 7);
    let faults = all.iter().filter_map(|machine| machine.participant().fault());
    faults.map(|fault| fault.rule.clone()).collect()
}

#[test]
fn who_signs_another_preregistration_or_registration_is_named() {
    let bob = Cast::of(SMALL, 2, true).seats[1].me;
    // Of each validator the deposits, the registration, the preregistration: the first wrong one.
    for (kind, item) in [(Adversary::CommitRegistration, 1), (Adversary::CommitPreregistration, 2)]
    {
        let rule = Rule::Partial { operator: bob, item };
        assert_eq!(named(kind), [rule.clone(), rule], "{kind:?}");
        let mut plan = calm(MIDDLE, 2);
        plan.adversaries = vec![(1, kind)];
        let played = play(plan);
        assert_eq!((played.violations, played.ending), (vec![], Ending::Stopped), "{kind:?}");
    }
}

/// A plan of a seed that preregisters, from the seed on.
fn preregistered(seed: u64) -> Plan {
    let mut plans = (100 * seed..100 * seed + 100).map(Plan::draw);
    plans.find(|plan| plan.preregisters).unwrap()
}

#[test]
fn seeds_with_preregistrations_without_a_violation() {
    let totals = campaign_of(preregistered, 0, 60, 2, |_| ());
    assert_eq!(totals.violations, []);
    let finished = totals.endings[&Ending::Finished];
    assert!(finished > 15 && finished < 55, "{finished} of 60 finished: {totals:?}");
    assert!(totals.crashes > 10 && totals.subsets > 40, "{totals:?}");
    for kind in Adversary::OF_ITEMS {
        assert!(totals.adversaries.contains_key(&kind), "{kind:?}: {totals:?}");
    }
}
