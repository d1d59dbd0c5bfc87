//! What the tests of simulated reshares, imports and repairs have in common.

use std::ops::Range;

use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::{Totals, campaign_of, play};
use quorate::simulation::lie::Lie;
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::roster::{Life, ROSTERS, Roster};
use quorate::simulation::verdict::{Ending, Played};

/// The roster of this name.
pub(crate) fn named(name: &str) -> usize {
    ROSTERS.iter().position(|roster| roster.name == name).unwrap()
}

/// One validator, honest operators, and nothing that fails.
pub(crate) fn calm(roster: &str) -> Plan {
    Plan::calm_life(1, named(roster), 1)
}

/// The oracles that found something.
pub(crate) fn found(played: &Played) -> Vec<Oracle> {
    played.violations.iter().map(|violation| violation.oracle).collect()
}

/// What is found of a planted mistake at a seat, where nothing else fails.
pub(crate) fn planted(roster: &str, seat: usize, bug: Bug) -> Vec<Oracle> {
    let mut plan = calm(roster);
    plan.bug = Some((seat, bug));
    found(&play(plan))
}

/// What is found first of a mistake at the seat `at`, where another one lies.
pub(crate) fn beside_a_lie(roster: &str, (at, bug): (usize, Bug), lies: (usize, Lie)) -> Oracle {
    let mut plan = calm(roster);
    (plan.bug, plan.lies) = (Some((at, bug)), vec![lies]);
    found(&play(plan))[0]
}

/// Two validators, and a seat that lies.
pub(crate) fn lying(roster: &str, seat: usize, lie: Lie) -> Played {
    let mut plan = Plan::calm_life(7, named(roster), 2);
    plan.lies = vec![(seat, lie)];
    play(plan)
}

/// The first forty seeds: no violation, and as many finish as should.
pub(crate) fn forty_seeds(draw: fn(u64) -> Plan, finish: Range<u64>) -> Totals {
    let totals = campaign_of(draw, 0, 40, 2, |_| ());
    assert_eq!(totals.violations, []);
    let finished = totals.endings[&Ending::Finished];
    assert!(finish.contains(&finished), "{finished} of 40 finished: {totals:?}");
    assert_eq!(totals.rosters.values().sum::<u64>(), 40);
    totals
}

/// Every roster finishes where nothing fails. Of this seed the transcripts are audited too, with
/// the whole chain.
pub(crate) fn every_roster_finishes(life: Life, check: impl Fn(&Roster, &Played)) {
    for at in life.rosters() {
        let (roster, played) = (&ROSTERS[at], play(Plan::calm_life(0, at, 1)));
        assert_eq!((played.ending, &played.violations[..]), (Ending::Finished, &[][..]));
        check(roster, &played);
    }
}

/// How a ceremony ends in which the operator of `seat` lies, for each of these lies: finished or
/// waiting for those of the two lists, and for all others stopped.
pub(crate) fn each_lie_ends(
    (roster, seat): (&str, usize),
    lies: impl Iterator<Item = Lie>,
    [finished, waiting]: [&[Lie]; 2],
) {
    let mut others = Vec::new();
    for lie in lies {
        let played = lying(roster, seat, lie);
        assert_eq!(played.violations, [], "{lie:?}");
        let expected = match lie {
            lie if finished.contains(&lie) => Ending::Finished,
            lie if waiting.contains(&lie) => Ending::Waiting,
            _ => Ending::Stopped,
        };
        others.extend((played.ending != expected).then_some((lie, played.ending)));
    }
    assert_eq!(others, []);
}

/// A seat that was lost, and that others have finished without, is back, and the only one that
/// stays keeps from it what it lacks: whoever runs its machine again does not leave at once.
#[test]
fn a_seat_that_is_back_gets_what_it_lacks() {
    assert_eq!(play(Plan::draw_life(88_196)).violations, []);
}

/// Seeds on which an oracle was wrong: a person was still on the way to a machine that had asked
/// for the stop again; and an abandonment was on the disk, whose power failed before anybody heard.
#[test]
fn seeds_of_which_an_oracle_knew_too_little() {
    for seed in [47_083, 96_311] {
        assert_eq!(play(Plan::draw_life(seed)).violations, [], "{seed}");
    }
}
