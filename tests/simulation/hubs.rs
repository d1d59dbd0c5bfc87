//! Simulated ceremonies in which one operator alone reaches the others: an honest one is enough,
//! and one that breaks rules makes nobody leave too early, and nobody who keeps them named.

use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::{campaign_of, play};
use quorate::simulation::lie::Lie;
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::verdict::Ending;

use super::lives::{found, named};

/// Key generations of three and four, a reshare, one with a witness, an import and a repair.
fn ceremonies() -> Vec<(&'static str, Plan)> {
    let rosters = ["add", "witness-of-others", "import-for-four", "repair"];
    let lives = rosters.map(|roster| (roster, Plan::calm_life(2, named(roster), 1)));
    let generations = [("three", 0), ("four", 1)].map(|(name, at)| (name, Plan::calm(2, at, 1)));
    generations.into_iter().chain(lives).collect()
}

/// Through the hub alone until `until`, and then as all reach each other.
fn through(hub: usize, until: u64, plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    (plan.weather.hub, plan.calm_from) = (Some(hub), until);
    plan
}

#[test]
fn an_honest_hub_is_enough() {
    for (name, plan) in ceremonies() {
        for hub in 0..plan.fates.len() {
            // It would not end in time if it took more than the hub.
            let played = play(through(hub, 1 << 40, &plan));
            assert_eq!((played.violations, played.ending), (vec![], Ending::Finished), "{name}");
        }
    }
}

/// What it keeps back or exchanges comes when the others reach each other; all finish and leave.
#[test]
fn a_hub_that_breaks_rules_costs_time_and_nothing_else() {
    for (name, plan) in ceremonies() {
        for lie in Lie::OF_HUBS {
            for hub in 0..plan.fates.len() {
                let mut plan = through(hub, 60_000, &plan);
                (plan.lies, plan.to_the_end) = (vec![(hub, lie)], true);
                let played = play(plan);
                assert_eq!(played.violations, [], "{name} {lie:?} {hub}");
                assert_eq!(played.ending, Ending::Finished, "{name} {lie:?} {hub}");
            }
        }
    }
}

/// Nor where its lies are the only way for longer than people wait: whoever has written stays as
/// long as it was told to.
#[test]
fn a_hub_that_passes_nothing_on_finishes_nothing() {
    let mut plan = through(1, 60_000, &Plan::calm(2, 0, 1));
    plan.lies = vec![(1, Lie::PassesNothingOn)];
    let with = play(plan.clone());
    plan.lies = Vec::new();
    let without = play(plan);
    assert_eq!((with.ending, without.ending), (Ending::Finished, Ending::Finished));
    // One second against a minute, in which clocks tick every two.
    assert!(with.events > 2 * without.events, "{} {}", with.events, without.events);
}

#[test]
fn a_word_of_somebody_else_that_is_believed_is_found() {
    let mut oracles = Vec::new();
    for seed in 0..20 {
        let mut plan = through(1, 60_000, &Plan::calm(seed, 0, 1));
        plan.lies = vec![(1, Lie::SaysDoneForOthers)];
        plan.bug = Some((0, Bug::BelievesHearsay));
        oracles.extend(found(&play(plan)));
    }
    // Wherever the hub keeps a final from the one and gives it to the other.
    assert!(oracles.len() > 2 && oracles.iter().all(|found| *found == Oracle::Parting));
    // What everybody says for itself, one may believe.
    let mut plan = Plan::calm(1, 0, 1);
    plan.bug = Some((0, Bug::BelievesHearsay));
    assert_eq!(found(&play(plan)), []);
}

/// A plan of a seed in which one operator alone reaches the others, from the seed on.
fn hubs(draw: fn(u64) -> Plan, seed: u64) -> Plan {
    let mut plans = (1_000 * seed..1_000 * seed + 1_000).map(draw);
    plans.find(|plan| plan.weather.hub.is_some()).unwrap()
}

#[test]
fn seeds_with_hubs_without_a_violation() {
    for draw in [|seed| hubs(Plan::draw, seed), |seed| hubs(Plan::draw_life, seed)] {
        let totals = campaign_of(draw, 0, 40, 2, |_| ());
        assert_eq!(totals.violations, []);
        let hostile = |lie: &Lie| Lie::OF_HUBS.contains(lie);
        let hubs = totals.lies.iter().filter(|(lie, _)| hostile(lie)).map(|(_, (all, _))| all);
        assert!(hubs.sum::<u64>() > 8, "{totals:?}");
    }
}

#[test]
fn a_tenth_of_the_seeds_has_a_hub() {
    let has = |plan: &Plan| plan.weather.hub.is_some();
    for draw in [Plan::draw, Plan::draw_reshare, Plan::draw_import, Plan::draw_repair] {
        let hubs = (0..400).filter(|seed| has(&draw(*seed))).count();
        assert!((20..70).contains(&hubs), "{hubs}");
    }
}
