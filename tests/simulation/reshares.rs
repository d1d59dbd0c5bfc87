//! Simulated reshares: nothing is found in correct code, every roster finishes, every lie gets its
//! end, and each oracle finds its planted bug.

use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::{campaign_of, play};
use quorate::simulation::lie::Lie;
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::roster::{Life, ROSTERS};
use quorate::simulation::verdict::{Ending, Played};

/// Positions among the rosters.
const REFRESH: usize = 0;
const ADD: usize = 1;

fn planted(bug: Bug, change: impl FnOnce(&mut Plan)) -> Vec<Oracle> {
    let mut plan = Plan::calm_life(1, ADD, 1);
    plan.bug = Some((0, bug));
    change(&mut plan);
    let violations = play(plan).violations;
    violations.into_iter().map(|violation| violation.oracle).collect()
}

fn with(seat: usize, lie: Lie) -> Played {
    let mut plan = Plan::calm_life(7, ADD, 2);
    plan.lies = vec![(seat, lie)];
    play(plan)
}

#[test]
fn forty_seeds_without_a_violation() {
    let totals = campaign_of(Plan::draw_reshare, 0, 40, 2, |_| ());
    assert_eq!(totals.violations, []);
    let finished = totals.endings[&Ending::Finished];
    assert!(finished > 10 && finished < 38, "{finished} of 40 finished: {totals:?}");
    assert!(totals.stops > 40 && totals.crashes > 5 && totals.subsets > 20, "{totals:?}");
}

#[test]
fn every_roster_finishes() {
    for roster in Life::Reshare.rosters() {
        let known = &ROSTERS[roster];
        // Of this seed the transcripts are audited too.
        let played = play(Plan::calm_life(0, roster, 1));
        assert_eq!(
            (played.ending, played.violations),
            (Ending::Finished, vec![]),
            "{}",
            known.name
        );
        let dealers = known.parts.iter().filter(|(_, deals, _)| *deals).count() as u64;
        assert!(played.stops >= dealers && played.subsets > 0, "{}", known.name);
    }
}

#[test]
fn one_seed_is_one_course_of_events() {
    for seed in [3, 1047] {
        let (first, again) = (play(Plan::draw_reshare(seed)), play(Plan::draw_reshare(seed)));
        assert_eq!(first, again, "seed {seed}");
    }
}

#[test]
fn every_lie_gets_its_end() {
    use Lie::*;
    // What breaks no rule, or is made good by the others; and a second statement once everybody has
    // prepared, because then certificates count. A third statement of minima is nobody's fault.
    let finished = [
        None,
        TwoFacedPrepare,
        TwoFacedCommit,
        TwoFacedFinal,
        MinimaWithoutEnd,
        AbandonsAndGoesOn,
        SpeaksToSome,
    ];
    // Nobody can prove silence; and minima that do not decode are proven, and can still be followed
    // by some that do.
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
    for lie in Lie::of(Life::Reshare) {
        let played = with(1, lie);
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
fn a_stop_that_no_person_has_made_is_found() {
    assert_eq!(planted(Bug::StopsAlone, |_| ())[0], Oracle::Stop);
}

#[test]
fn minima_below_what_a_person_said_are_found() {
    assert_eq!(planted(Bug::StatesLess, |_| ())[0], Oracle::Minima);
}

#[test]
fn another_key_is_found() {
    assert_eq!(planted(Bug::OtherKey, |_| ())[0], Oracle::Keys);
}

#[test]
fn a_share_of_the_parent_on_the_wire_is_found() {
    assert_eq!(planted(Bug::LeaksOldShare, |_| ())[0], Oracle::Secrecy);
}

#[test]
fn generations_that_sign_together_are_found() {
    assert_eq!(planted(Bug::MixesGenerations, |_| ()), [Oracle::Mix]);
}

#[test]
fn a_chain_without_its_parent_is_found() {
    assert_eq!(planted(Bug::LosesParent, |plan| plan.seed = 0), [Oracle::Audit]);
}

#[test]
fn a_new_share_that_does_not_sign_is_found() {
    assert_eq!(planted(Bug::SpoilsShare, |_| ()), [Oracle::Certificate]);
}

#[test]
fn a_new_share_that_is_erased_is_found() {
    assert_eq!(planted(Bug::ErasesShares, |_| ())[0], Oracle::Retention);
}

#[test]
fn blame_of_an_honest_operator_of_a_reshare_is_found() {
    let framed = |lie| {
        let mut plan = Plan::calm_life(1, REFRESH, 1);
        plan.bug = Some((1, Bug::Framed));
        plan.lies = vec![(0, lie)];
        play(plan).violations[0].oracle
    };
    assert_eq!(framed(Lie::BadShareAll), Oracle::Blame);
    assert_eq!(framed(Lie::DealOpening), Oracle::Blame);
    assert_eq!(framed(Lie::MinimaThatDoNotDecode), Oracle::Blame);
    assert_eq!(framed(Lie::Silent), Oracle::Liveness);
}
