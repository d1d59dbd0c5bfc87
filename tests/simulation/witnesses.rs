//! Simulated reshares with witnesses: operators of the parent that deal nothing, stop like dealers,
//! and count with them where a seat is lost.

use quorate::message::envelope::Round;
use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::{campaign_of, play};
use quorate::simulation::lie::Lie;
use quorate::simulation::lost::{How, Loss};
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::roster::{Life, ROSTERS, pairs};
use quorate::simulation::verdict::Ending;

use super::lives::{each_lie_ends, found, lying, named, planted};

/// Of (2, 3), alice and bob deal to others, and carol, the third, witnesses.
const OTHERS: &str = "witness-of-others";
const CAROL: usize = 2;

/// A reshare in which these seats are lost at once when they have committed.
fn without(roster: &str, lost: &[usize]) -> Plan {
    let mut plan = Plan::calm_life(3, named(roster), 1);
    let loss = |seat: &usize| Loss { seat: *seat, how: How::Machine, after: 0, back: None };
    (plan.lost, plan.patient) = (lost.iter().map(loss).collect(), false);
    plan
}

/// A plan of a seed whose roster has witnesses, from the seed on.
fn witnessed(seed: u64) -> Plan {
    let plan = |seed| Plan::draw_reshare(seed);
    let has = |plan: &Plan| plan.roster.is_some_and(|at| ROSTERS[at].has_witnesses());
    (100 * seed..100 * seed + 100).map(plan).find(has).unwrap()
}

#[test]
fn seeds_with_witnesses_without_a_violation() {
    let totals = campaign_of(witnessed, 0, 40, 2, |_| ());
    assert_eq!(totals.violations, []);
    let finished = totals.endings[&Ending::Finished];
    assert!(finished > 10 && finished < 38, "{finished} of 40 finished: {totals:?}");
    assert_eq!(totals.rosters.len(), 4, "each of the rosters: {totals:?}");
    assert!(totals.losses > 3 && totals.without > 1 && !totals.lies.is_empty(), "{totals:?}");
}

/// Three of four seeds give what they gave before there were witnesses.
#[test]
fn a_quarter_of_the_seeds_has_witnesses() {
    let has = |plan: &Plan| plan.roster.is_some_and(|at| ROSTERS[at].has_witnesses());
    let count = |draw: fn(u64) -> Plan| (0..400).filter(|seed| has(&draw(*seed))).count();
    assert!((60..140).contains(&count(Plan::draw_reshare)));
    let both = |plan: &Plan| has(plan) || plan.other.as_ref().is_some_and(|it| has(&it.plan));
    let forks = (0..400).filter(|seed| both(&Plan::draw_fork(*seed))).count();
    assert!((60..140).contains(&forks), "{forks}");
    assert_eq!((count(Plan::draw_import), count(Plan::draw_repair)), (0, 0));
}

/// Two of the parent's three have to be left: a dealer and the witness are, and so are two dealers.
#[test]
fn a_witness_counts_among_those_who_are_left() {
    for lost in [0, 1, CAROL] {
        let played = play(without(OTHERS, &[lost]));
        assert_eq!((played.violations, played.left_out), (vec![], 1), "{lost}");
        assert_eq!(played.ending, Ending::Finished, "{lost}");
    }
    // Of five three, here one dealer and both witnesses.
    let played = play(without("two-witnesses", &[1, 4]));
    assert_eq!((played.violations, played.left_out), (vec![], 2));
    assert_eq!(played.ending, Ending::Finished);
    // One that receives is neither by that.
    let played = play(without(OTHERS, &[0, CAROL]));
    assert_eq!((played.violations, played.left_out), (vec![], 0));
    assert_eq!(played.ending, Ending::Waiting);
}

#[test]
fn witnesses_that_are_not_counted_are_found() {
    let mut plan = without(OTHERS, &[1]);
    plan.bug = Some((0, Bug::CountsDealersAlone));
    assert_eq!(found(&play(plan)), [Oracle::Liveness]);
    // Where two dealers are left, it makes no difference.
    let mut plan = without("two-witnesses", &[0]);
    plan.bug = Some((1, Bug::CountsDealersAlone));
    assert_eq!(found(&play(plan)), []);
}

#[test]
fn every_lie_of_a_witness_gets_its_end() {
    use Lie::*;
    // It deals and proves nothing, so that nothing is changed where these lie.
    let nothing = |lie: &Lie| {
        lie.changes().is_some_and(|round| round == Round::Deal)
            || [PreparePossession, PrepareOtherSums, ComplainsFalsely].contains(lie)
    };
    let finished = [
        None,
        WithholdsBoxes,
        TwoFacedDeal,
        TwoFacedPrepare,
        TwoFacedCommit,
        TwoFacedFinal,
        MinimaWithoutEnd,
        AbandonsAndGoesOn,
        SpeaksToSome,
    ];
    let waiting = [
        SilentFromDeal,
        SilentFromPrepare,
        SilentFromCommit,
        SilentFromFinal,
        WithholdsMinima,
        MinimaThatDoNotDecode,
    ];
    // Of a witness that never says hello, somebody is tired.
    let lies = Lie::of(Life::Reshare).into_iter().filter(|lie| !nothing(lie));
    each_lie_ends((OTHERS, CAROL), lies, [&finished, &waiting]);
    for lie in Lie::of(Life::Reshare).into_iter().filter(nothing) {
        assert_eq!(lying(OTHERS, CAROL, lie).violations, [], "{lie:?}");
    }
}

#[test]
fn a_witness_that_no_person_has_stopped_is_found() {
    assert_eq!(planted(OTHERS, CAROL, Bug::StopsAlone)[0], Oracle::Stop);
    assert_eq!(planted("witness-that-receives", CAROL, Bug::StopsAlone)[0], Oracle::Stop);
}

#[test]
fn minima_of_a_witness_below_what_its_person_said_are_found() {
    assert_eq!(planted(OTHERS, CAROL, Bug::StatesLess)[0], Oracle::Minima);
}

#[test]
fn the_old_share_of_a_witness_on_the_wire_is_found() {
    assert_eq!(planted(OTHERS, CAROL, Bug::LeaksOldShare)[0], Oracle::Secrecy);
}

#[test]
fn a_witness_that_takes_its_final_back_is_found() {
    // Nobody can finish: both dealers are lost, one receiver besides.
    let mut plan = without(OTHERS, &[0, 1]);
    plan.lost.iter_mut().for_each(|loss| loss.after = 20);
    plan.weather.latency = (15, 15);
    plan.bug = Some((CAROL, Bug::AbandonsAfterFinal));
    assert_eq!(found(&play(plan)), [Oracle::Bound]);
}

/// Two reshares with four common operators, of whom carol witnesses in the one and deals in the
/// other: it takes all of them, and her note binds her like a dealer's.
#[test]
fn a_witness_of_two_children_makes_a_fork_that_an_audit_sees() {
    let pair = [OTHERS, "fewest-dealers"].map(named);
    assert!(pairs().contains(&pair));
    let common = ["bob", "carol", "dave", "erin"];
    let played = play(Plan::calm_fork(1, pair, &common));
    assert_eq!((played.violations, played.forked), (vec![], true));
    let others = common.into_iter().filter(|name| *name != "carol").collect::<Vec<_>>();
    let played = play(Plan::calm_fork(1, pair, &others));
    assert_eq!((played.violations, played.forked), (vec![], false));
    assert!(played.refused > 0);
}

/// Alice and carol, who witnesses, finish the one without bob, who has abandoned it and deals with
/// carol in the other. Nobody has dealt in both and is bound to both: only as a witness is carol.
#[test]
fn a_witness_alone_can_be_bound_to_both() {
    let pair = [OTHERS, "fewest-dealers"].map(named);
    let fork = |cheats: &[&'static str]| {
        let mut plan = Plan::calm_fork(1, pair, cheats);
        let back = None;
        plan.lost = vec![Loss { seat: 1, how: How::Abandoned, after: 0, back }];
        plan.patient = false;
        play(plan)
    };
    let played = fork(&["carol", "dave", "erin"]);
    assert_eq!((played.violations, played.forked, played.left_out), (vec![], true, 1));
    let played = fork(&["dave", "erin"]);
    assert_eq!((played.violations, played.forked), (vec![], false));
}

#[test]
fn a_note_that_does_not_bind_a_witness_is_found() {
    let pair = [OTHERS, "fewest-dealers"].map(named);
    let mut plan = Plan::calm_fork(1, pair, &["bob", "dave", "erin"]);
    plan.bug = Some((CAROL, Bug::ForgetsNotes));
    plan.other.as_mut().unwrap().plan.bug = Some((1, Bug::ForgetsNotes));
    assert_eq!(found(&play(plan)), [Oracle::Fork]);
}
