//! Simulated repairs: nothing is found in correct code, every roster finishes, every lie of a
//! helper and of the one that has lost its share gets its end, and oracles find their planted bugs.

use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::{campaign_of, play};
use quorate::simulation::lie::Lie;
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::roster::{Life, ROSTERS};
use quorate::simulation::verdict::{Ending, Played};

use super::imports::named;

/// Carol, the third, has lost her share in [`named`] `repair`.
const RECIPIENT: usize = 2;
const HELPER: usize = 1;

fn planted(seat: usize, bug: Bug) -> Vec<Oracle> {
    let mut plan = Plan::calm_life(1, named("repair"), 1);
    plan.bug = Some((seat, bug));
    let violations = play(plan).violations;
    violations.into_iter().map(|violation| violation.oracle).collect()
}

fn with(seat: usize, lie: Lie) -> Played {
    let mut plan = Plan::calm_life(7, named("repair"), 2);
    plan.lies = vec![(seat, lie)];
    play(plan)
}

#[test]
fn forty_seeds_without_a_violation() {
    let totals = campaign_of(Plan::draw_repair, 0, 40, 2, |_| ());
    assert_eq!(totals.violations, []);
    let finished = totals.endings[&Ending::Finished];
    assert!(finished > 10 && finished < 38, "{finished} of 40 finished: {totals:?}");
    assert!(totals.stops == 0 && totals.crashes > 5 && totals.subsets > 10, "{totals:?}");
}

#[test]
fn every_roster_finishes() {
    for roster in Life::Repair.rosters() {
        // Of this seed the transcripts are audited too, with the whole chain.
        let played = play(Plan::calm_life(0, roster, 1));
        let name = ROSTERS[roster].name;
        assert_eq!((played.ending, played.violations), (Ending::Finished, vec![]), "{name}");
        // The share that came back.
        assert_eq!(played.subsets, 1, "{name}");
    }
}

#[test]
fn every_lie_of_a_helper_gets_its_end() {
    use Lie::*;
    let finished =
        [None, TwoFacedCommit, TwoFacedFinal, AbandonsAndGoesOn, SpeaksToSome, TwoFacedPrepare];
    let waiting = [
        Silent,
        SilentFromDeal,
        SilentFromPrepare,
        SilentFromCommit,
        SilentFromFinal,
        WithholdsBoxes,
    ];
    // A helper proves no shares.
    let nothing = [PreparePossession, PrepareOtherSums, ComplainsFalsely];
    let mut others = Vec::new();
    for lie in Lie::of(Life::Repair).into_iter().filter(|lie| !nothing.contains(lie)) {
        let played = with(HELPER, lie);
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
fn a_recipient_that_breaks_rules_is_never_mistaken_for_another() {
    let mut stopped = Vec::new();
    for lie in Lie::of(Life::Repair) {
        let played = with(RECIPIENT, lie);
        assert_eq!(played.violations, [], "{lie:?}");
        stopped.extend((played.ending == Ending::Stopped).then_some(lie));
    }
    // Its proofs are its own, and it may complain of nothing that it cannot show.
    for lie in [Lie::PreparePossession, Lie::PrepareOtherSums, Lie::ComplainsFalsely] {
        assert!(stopped.contains(&lie), "{lie:?}: {stopped:?}");
    }
}

#[test]
fn another_share_than_the_lost_one_is_found() {
    assert_eq!(planted(RECIPIENT, Bug::RegainsAnother)[0], Oracle::Keys);
}

#[test]
fn a_mask_on_the_wire_is_found() {
    assert_eq!(planted(HELPER, Bug::LeaksMask)[0], Oracle::Secrecy);
}

#[test]
fn a_helpers_share_on_the_wire_is_found() {
    assert_eq!(planted(HELPER, Bug::LeaksOldShare)[0], Oracle::Secrecy);
}

#[test]
fn a_regained_share_that_is_erased_is_found() {
    assert_eq!(planted(RECIPIENT, Bug::ErasesShares)[0], Oracle::Retention);
}

#[test]
fn a_chain_without_its_parents_is_found() {
    let mut plan = Plan::calm_life(0, named("repair-after-reshare"), 1);
    plan.bug = Some((0, Bug::LosesParent));
    let violations = play(plan).violations;
    assert_eq!(violations[0].oracle, Oracle::Audit);
}

#[test]
fn evidence_of_a_wrong_mask_that_is_lost_is_found() {
    let mut plan = Plan::calm_life(1, named("repair"), 1);
    plan.bug = Some((0, Bug::LosesEvidence));
    plan.lies = vec![(HELPER, Lie::DealCommitments)];
    assert_eq!(play(plan).violations[0].oracle, Oracle::Evidence);
}

#[test]
fn blame_of_an_honest_helper_is_found() {
    let framed = |seat, lie| {
        let mut plan = Plan::calm_life(1, named("repair"), 1);
        plan.bug = Some((0, Bug::Framed));
        plan.lies = vec![(seat, lie)];
        play(plan).violations[0].oracle
    };
    assert_eq!(framed(HELPER, Lie::BadShareAll), Oracle::Blame);
    assert_eq!(framed(HELPER, Lie::DealCommitments), Oracle::Blame);
    assert_eq!(framed(RECIPIENT, Lie::PreparePossession), Oracle::Blame);
    assert_eq!(framed(HELPER, Lie::ComplainsOfMask), Oracle::Blame);
}
