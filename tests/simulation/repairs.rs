//! Simulated repairs: nothing is found in correct code, every roster finishes, every lie of a
//! helper and of the one that has lost its share gets its end, and oracles find their planted bugs.

use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::play;
use quorate::simulation::lie::Lie;
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::roster::Life;
use quorate::simulation::verdict::Ending;

use super::lives::{
    beside_a_lie, each_lie_ends, every_roster_finishes, forty_seeds, found, lying, named, planted,
};

/// Carol, the third, has lost her share in the roster `repair`.
const RECIPIENT: usize = 2;
const HELPER: usize = 1;

#[test]
fn forty_seeds_without_a_violation() {
    let totals = forty_seeds(Plan::draw_repair, 11..38);
    assert!(totals.stops == 0 && totals.crashes > 5 && totals.subsets > 10, "{totals:?}");
}

#[test]
fn every_roster_is_finished() {
    every_roster_finishes(Life::Repair, |roster, played| {
        // The share that came back.
        assert_eq!(played.subsets, 1, "{}", roster.name);
    });
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
    let lies = Lie::of(Life::Repair).into_iter().filter(|lie| !nothing.contains(lie));
    each_lie_ends(("repair", HELPER), lies, [&finished, &waiting]);
}

#[test]
fn a_recipient_that_breaks_rules_is_never_mistaken_for_another() {
    let mut stopped = Vec::new();
    for lie in Lie::of(Life::Repair) {
        let played = lying("repair", RECIPIENT, lie);
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
    assert_eq!(planted("repair", RECIPIENT, Bug::RegainsAnother)[0], Oracle::Keys);
}

#[test]
fn a_mask_on_the_wire_is_found() {
    assert_eq!(planted("repair", HELPER, Bug::LeaksMask)[0], Oracle::Secrecy);
}

#[test]
fn a_helpers_share_on_the_wire_is_found() {
    assert_eq!(planted("repair", HELPER, Bug::LeaksOldShare)[0], Oracle::Secrecy);
}

#[test]
fn a_regained_share_that_is_erased_is_found() {
    assert_eq!(planted("repair", RECIPIENT, Bug::ErasesShares)[0], Oracle::Retention);
}

#[test]
fn a_chain_without_its_parents_is_found() {
    let mut plan = Plan::calm_life(0, named("repair-after-reshare"), 1);
    plan.bug = Some((0, Bug::LosesParent));
    assert_eq!(found(&play(plan))[0], Oracle::Audit);
}

#[test]
fn evidence_of_a_wrong_mask_that_is_lost_is_found() {
    let lost = beside_a_lie("repair", (0, Bug::LosesEvidence), (HELPER, Lie::DealCommitments));
    assert_eq!(lost, Oracle::Evidence);
}

#[test]
fn blame_of_an_honest_helper_is_found() {
    let framed = |seat, lie| beside_a_lie("repair", (0, Bug::Framed), (seat, lie));
    assert_eq!(framed(HELPER, Lie::BadShareAll), Oracle::Blame);
    assert_eq!(framed(HELPER, Lie::DealCommitments), Oracle::Blame);
    assert_eq!(framed(RECIPIENT, Lie::PreparePossession), Oracle::Blame);
    assert_eq!(framed(HELPER, Lie::ComplainsOfMask), Oracle::Blame);
}
