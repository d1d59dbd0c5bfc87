//! Simulated imports: nothing is found in correct code, every roster finishes, every lie of the
//! dealer and of a receiver gets its end, and oracles find their planted bugs.

use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::{campaign_of, play};
use quorate::simulation::lie::Lie;
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::roster::{Life, ROSTERS};
use quorate::simulation::verdict::{Ending, Played};

/// The roster of this name.
pub(crate) fn named(name: &str) -> usize {
    ROSTERS.iter().position(|roster| roster.name == name).unwrap()
}

fn planted(seat: usize, bug: Bug) -> Vec<Oracle> {
    let mut plan = Plan::calm_life(1, named("import"), 1);
    plan.bug = Some((seat, bug));
    let violations = play(plan).violations;
    violations.into_iter().map(|violation| violation.oracle).collect()
}

fn with(seat: usize, lie: Lie) -> Played {
    let mut plan = Plan::calm_life(7, named("import-for-four"), 2);
    plan.lies = vec![(seat, lie)];
    play(plan)
}

#[test]
fn forty_seeds_without_a_violation() {
    let totals = campaign_of(Plan::draw_import, 0, 40, 2, |_| ());
    assert_eq!(totals.violations, []);
    let finished = totals.endings[&Ending::Finished];
    assert!(finished > 10 && finished < 38, "{finished} of 40 finished: {totals:?}");
    assert!(totals.stops > 15 && totals.crashes > 5 && totals.subsets > 20, "{totals:?}");
    assert_eq!(totals.rosters.values().sum::<u64>(), 40);
}

#[test]
fn every_roster_finishes() {
    for roster in Life::Import.rosters() {
        // Of this seed the transcripts are audited too.
        let played = play(Plan::calm_life(0, roster, 1));
        let name = ROSTERS[roster].name;
        assert_eq!((played.ending, played.violations), (Ending::Finished, vec![]), "{name}");
        assert!(played.stops > 0 && played.subsets > 0, "{name}");
    }
}

#[test]
fn every_lie_of_the_dealer_gets_its_end() {
    use Lie::*;
    let finished = [
        None,
        TwoFacedPrepare,
        TwoFacedCommit,
        TwoFacedFinal,
        MinimaWithoutEnd,
        AbandonsAndGoesOn,
        SpeaksToSome,
    ];
    let waiting = [
        Silent,
        SilentFromDeal,
        SilentFromPrepare,
        SilentFromCommit,
        SilentFromFinal,
        WithholdsMinima,
        MinimaThatDoNotDecode,
        WithholdsBoxes,
    ];
    let mut others = Vec::new();
    // Whoever deals gets no share that it could complain of.
    for lie in Lie::of(Life::Import).into_iter().filter(|lie| *lie != ComplainsFalsely) {
        // The third one holds the keys.
        let played = with(2, lie);
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

#[test]
fn receivers_that_break_rules_are_never_mistaken_for_others() {
    for lie in Lie::of(Life::Import) {
        assert_eq!(with(0, lie).violations, [], "{lie:?}");
    }
}

#[test]
fn a_stop_that_no_person_has_made_is_found() {
    assert_eq!(planted(0, Bug::StopsAlone)[0], Oracle::Stop);
}

#[test]
fn minima_below_what_a_person_said_are_found() {
    assert_eq!(planted(0, Bug::StatesLess)[0], Oracle::Minima);
}

#[test]
fn another_key_is_found() {
    assert_eq!(planted(1, Bug::OtherKey)[0], Oracle::Keys);
}

#[test]
fn shares_that_sign_with_fewer_are_found() {
    assert_eq!(planted(0, Bug::MixesGenerations), [Oracle::Mix]);
}

#[test]
fn a_key_on_the_wire_is_found() {
    assert_eq!(planted(0, Bug::LeaksOldShare)[0], Oracle::Secrecy);
}

#[test]
fn a_dealer_of_another_key_that_is_taken_for_an_honest_one_is_found() {
    let mut plan = Plan::calm_life(1, named("import"), 1);
    plan.bug = Some((1, Bug::Framed));
    plan.lies = vec![(0, Lie::DealsAnotherKey)];
    assert_eq!(play(plan).violations[0].oracle, Oracle::Blame);
}
