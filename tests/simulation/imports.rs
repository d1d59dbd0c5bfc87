//! Simulated imports: nothing is found in correct code, every roster finishes, every lie of the
//! dealer and of a receiver gets its end, and oracles find their planted bugs.

use quorate::simulation::bug::Bug;
use quorate::simulation::lie::Lie;
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::roster::Life;

use super::lives::{
    beside_a_lie, each_lie_ends, every_roster_finishes, forty_seeds, lying, planted,
};

#[test]
fn forty_seeds_without_a_violation() {
    let totals = forty_seeds(Plan::draw_import, 11..38);
    assert!(totals.stops > 15 && totals.crashes > 5 && totals.subsets > 20, "{totals:?}");
}

#[test]
fn every_roster_is_finished() {
    every_roster_finishes(Life::Import, |roster, played| {
        assert!(played.stops > 0 && played.subsets > 0, "{}", roster.name);
    });
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
    // Whoever deals gets no share that it could complain of.
    let lies = Lie::of(Life::Import).into_iter().filter(|lie| *lie != ComplainsFalsely);
    // The third one holds the keys.
    each_lie_ends(("import-for-four", 2), lies, [&finished, &waiting]);
}

#[test]
fn receivers_that_break_rules_are_never_mistaken_for_others() {
    for lie in Lie::of(Life::Import) {
        assert_eq!(lying("import-for-four", 0, lie).violations, [], "{lie:?}");
    }
}

#[test]
fn a_stop_that_no_person_has_made_is_found() {
    assert_eq!(planted("import", 0, Bug::StopsAlone)[0], Oracle::Stop);
}

#[test]
fn minima_below_what_a_person_said_are_found() {
    assert_eq!(planted("import", 0, Bug::StatesLess)[0], Oracle::Minima);
}

#[test]
fn another_key_is_found() {
    assert_eq!(planted("import", 1, Bug::OtherKey)[0], Oracle::Keys);
}

#[test]
fn shares_that_sign_with_fewer_are_found() {
    assert_eq!(planted("import", 0, Bug::MixesGenerations), [Oracle::Mix]);
}

#[test]
fn a_key_on_the_wire_is_found() {
    assert_eq!(planted("import", 0, Bug::LeaksOldShare)[0], Oracle::Secrecy);
}

#[test]
fn a_dealer_of_another_key_that_is_taken_for_an_honest_one_is_found() {
    let framed = beside_a_lie("import", (1, Bug::Framed), (0, Lie::DealsAnotherKey));
    assert_eq!(framed, Oracle::Blame);
}
