//! Simulated reshares: nothing is found in correct code, every roster finishes, every lie gets its
//! end, and each oracle finds its planted bug.

use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::play;
use quorate::simulation::lie::Lie;
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::roster::Life;

use super::lives::{
    beside_a_lie, calm, each_lie_ends, every_roster_finishes, forty_seeds, found, planted,
};

#[test]
fn forty_seeds_without_a_violation() {
    let totals = forty_seeds(Plan::draw_reshare, 11..38);
    assert!(totals.stops > 40 && totals.crashes > 5 && totals.subsets > 20, "{totals:?}");
}

#[test]
fn every_roster_is_finished() {
    every_roster_finishes(Life::Reshare, |roster, played| {
        // Everybody has stopped that deals or witnesses.
        let stops = roster.parts.iter().filter(|(name, deals, receives)| {
            *deals || !receives || roster.also_witness.contains(name)
        });
        assert!(played.stops >= stops.count() as u64 && played.subsets > 0, "{}", roster.name);
    });
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
    let lies = Lie::of(Life::Reshare).into_iter();
    each_lie_ends(("add", 1), lies, [&finished, &waiting]);
}

#[test]
fn a_stop_that_no_person_has_made_is_found() {
    assert_eq!(planted("add", 0, Bug::StopsAlone)[0], Oracle::Stop);
}

#[test]
fn minima_below_what_a_person_said_are_found() {
    assert_eq!(planted("add", 0, Bug::StatesLess)[0], Oracle::Minima);
}

#[test]
fn another_key_is_found() {
    assert_eq!(planted("add", 0, Bug::OtherKey)[0], Oracle::Keys);
}

#[test]
fn a_share_of_the_parent_on_the_wire_is_found() {
    assert_eq!(planted("add", 0, Bug::LeaksOldShare)[0], Oracle::Secrecy);
}

#[test]
fn generations_that_sign_together_are_found() {
    assert_eq!(planted("add", 0, Bug::MixesGenerations), [Oracle::Mix]);
}

#[test]
fn a_chain_without_its_parent_is_found() {
    let mut plan = calm("add");
    (plan.seed, plan.bug) = (0, Some((0, Bug::LosesParent)));
    assert_eq!(found(&play(plan)), [Oracle::Audit]);
}

#[test]
fn a_new_share_that_does_not_sign_is_found() {
    assert_eq!(planted("add", 0, Bug::SpoilsShare), [Oracle::Certificate]);
}

#[test]
fn a_new_share_that_is_erased_is_found() {
    assert_eq!(planted("add", 0, Bug::ErasesShares)[0], Oracle::Retention);
}

#[test]
fn blame_of_an_honest_operator_of_a_reshare_is_found() {
    let framed = |lie| beside_a_lie("refresh", (1, Bug::Framed), (0, lie));
    assert_eq!(framed(Lie::BadShareAll), Oracle::Blame);
    assert_eq!(framed(Lie::DealOpening), Oracle::Blame);
    assert_eq!(framed(Lie::MinimaThatDoNotDecode), Oracle::Blame);
    assert_eq!(framed(Lie::Silent), Oracle::Liveness);
}
