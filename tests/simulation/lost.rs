//! Simulated reshares that people finish without seats that are lost, and two reshares of one
//! parent at the same time: what has to come of them, and that oracles find their planted bugs.

use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::{campaign_of, play};
use quorate::simulation::lie::Lie;
use quorate::simulation::lost::{How, Loss};
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::roster::{ROSTERS, pairs};
use quorate::simulation::verdict::Ending;

use super::lives::{found, named};

fn lost(seat: usize, how: How, after: u64) -> Loss {
    Loss { seat, how, after, back: None }
}

/// A reshare of one roster in which people do not wait for ever, and these seats are lost.
fn without(roster: &str, losses: &[Loss]) -> Plan {
    let mut plan = Plan::calm_life(3, named(roster), 1);
    (plan.lost, plan.patient) = (losses.to_vec(), false);
    plan
}

#[test]
fn one_lost_seat_is_left_out_whenever_it_vanishes() {
    let mut left_out = 0;
    for how in [How::Machine, How::Abandoned] {
        for (roster, seat) in
            [("refresh", 2), ("threshold", 0), ("add", 3), ("import-for-four", 0), ("remove", 3)]
        {
            for after in [0, 5, 20, 2_000] {
                let played = play(without(roster, &[lost(seat, how, after)]));
                assert_eq!(played.violations, [], "{roster} {how:?} {after}");
                // One that has finished and left before is not lost.
                let losses = played.losses;
                assert!(losses == 1 || after == 2_000, "{roster} {how:?} {after}");
                left_out += played.left_out;
                if roster != "threshold" {
                    // Enough are left, so the others finish: with its final if that was heard.
                    let ending = played.ending;
                    assert_eq!(ending, Ending::Finished, "{roster} {how:?} {after}");
                }
            }
        }
    }
    assert!(left_out > 10, "{left_out}");
}

#[test]
fn too_many_lost_seats_are_waited_for() {
    // Of three operators one that deals is left, where two are more than half.
    let both = [lost(1, How::Machine, 0), lost(2, How::Machine, 0)];
    let played = play(without("refresh", &both));
    assert_eq!((played.violations, played.ending), (vec![], Ending::Waiting));
    // An import is never finished without its dealer.
    let played = play(without("import", &[lost(0, How::Machine, 0)]));
    assert_eq!((played.violations, played.left_out), (vec![], 0));
    assert_eq!(played.ending, Ending::Waiting);
}

#[test]
fn a_lost_seat_that_comes_back_finishes_too() {
    for after in [0, 20] {
        let mut plan = without("refresh", &[lost(2, How::Machine, after)]);
        plan.lost[0].back = Some(80_000);
        let played = play(plan);
        assert_eq!((played.violations, played.ending), (vec![], Ending::Finished));
    }
}

#[test]
fn a_seat_that_falls_silent_is_left_out() {
    for lie in [Lie::SilentFromFinal, Lie::FinalOutputs] {
        let mut plan = without("add", &[]);
        plan.lies = vec![(1, lie)];
        let played = play(plan);
        assert_eq!((played.violations, played.left_out), (vec![], 1), "{lie:?}");
        assert_eq!(played.ending, Ending::Finished, "{lie:?}");
    }
}

/// Who is left out has abandoned, or is honest and cut off from the moment of its commit. The
/// others stay a moment and leave: whoever was cut off gets what it lacks when they run again.
#[test]
fn nobody_stays_for_a_seat_that_was_left_out() {
    let played = play(Plan::draw_fork(9029));
    assert_eq!((played.violations, played.ending), (vec![], Ending::FinishedBySome));
    let mut left_out = 0;
    for from in 10..20 {
        let mut plan = without("refresh", &[]);
        (plan.hasty, plan.calm_from) = (true, 120_000);
        plan.weather.partitions = vec![(500 * from, 120_000, vec![2])];
        let played = play(plan);
        assert_eq!((played.violations, played.ending), (vec![], Ending::Finished), "{from}");
        left_out += played.left_out;
    }
    assert!(left_out > 0);
}

/// With the seat that is left out, nobody else is left to itself.
#[test]
fn a_peer_that_leaves_too_early_is_found_beside_a_lost_one() {
    let mut plan = without("add", &[lost(2, How::Machine, 0)]);
    (plan.weather.latency, plan.calm_from) = ((50, 1_500), 60_000);
    plan.bug = Some((0, Bug::LeavesEarly));
    assert_eq!(found(&play(plan)), [Oracle::Parting]);
}

#[test]
fn an_abandonment_after_a_final_is_found() {
    // Nobody can finish: two of three are lost, and the third takes its final back.
    let both = [lost(1, How::Machine, 20), lost(2, How::Machine, 20)];
    let mut plan = without("refresh", &both);
    plan.weather.latency = (15, 15);
    plan.bug = Some((0, Bug::AbandonsAfterFinal));
    assert_eq!(found(&play(plan)), [Oracle::Bound]);
}

#[test]
fn outputs_before_the_finals_are_found() {
    let mut plan = without("refresh", &[]);
    plan.bug = Some((0, Bug::WritesEarly));
    let found = found(&play(plan));
    assert!(found.contains(&Oracle::Bound) && found.contains(&Oracle::Writing), "{found:?}");
}

#[test]
fn a_completion_that_is_not_agreed_on_is_found() {
    let mut plan = without("refresh", &[lost(2, How::Machine, 0)]);
    plan.bug = Some((0, Bug::FinishesAlone));
    assert_eq!(found(&play(plan))[0], Oracle::Writing);
}

#[test]
fn a_transcript_without_the_words_is_found() {
    let mut plan = without("refresh", &[lost(2, How::Machine, 0)]);
    plan.bug = Some((0, Bug::LosesWords));
    assert_eq!(found(&play(plan)), [Oracle::Audit]);
}

#[test]
fn a_person_that_is_not_heard_is_found() {
    let mut plan = without("refresh", &[lost(2, How::Machine, 0)]);
    plan.bug = Some((0, Bug::DeafToWithout));
    assert_eq!(found(&play(plan))[0], Oracle::Liveness);
}

#[test]
fn thirty_seeds_of_forks_without_a_violation() {
    let totals = campaign_of(Plan::draw_fork, 0, 30, 2, |_| ());
    assert_eq!(totals.violations, []);
    let (played, forked, refused) = totals.forks;
    assert_eq!(played, 30);
    assert!(refused > 20 && forked < 15, "{forked} {refused}: {totals:?}");
}

#[test]
fn no_two_children_are_completed_while_notes_bind() {
    let all = pairs();
    // Of three operators eight rosters, of four five, and two imports.
    assert_eq!(all.len(), 8 * 7 + 5 * 4 + 2);
    for pair in all {
        let played = play(Plan::calm_fork(5, pair, &[]));
        let names = pair.map(|at| ROSTERS[at].name);
        assert_eq!((played.violations, played.forked), (vec![], false), "{names:?}");
    }
}

/// Two reshares of three operators with one common dealer: one cheat makes a fork, which an audit
/// sees; with a common receiver besides, it takes both.
#[test]
fn as_many_cheats_as_it_takes_make_a_fork_that_an_audit_sees() {
    let pair = ["fewest-dealers", "first-dealers"].map(named);
    let played = play(Plan::calm_fork(1, pair, &["bob"]));
    assert_eq!((played.violations, played.forked), (vec![], true));
    let pair = ["import", "import-for-all"].map(named);
    let played = play(Plan::calm_fork(1, pair, &["alice"]));
    assert_eq!((played.violations, played.forked), (vec![], false));
    let played = play(Plan::calm_fork(1, pair, &["alice", "bob", "carol"]));
    assert_eq!((played.violations, played.forked), (vec![], true));
}

#[test]
fn a_note_that_binds_to_nothing_is_found() {
    let pair = ["fewest-dealers", "first-dealers"].map(named);
    let mut plan = Plan::calm_fork(1, pair, &[]);
    // Bob, the only operator of both, is the first seat of the one and the second of the other.
    plan.bug = Some((0, Bug::ForgetsNotes));
    let other = &mut plan.other.as_mut().unwrap().plan;
    other.bug = Some((1, Bug::ForgetsNotes));
    assert_eq!(found(&play(plan)), [Oracle::Fork]);
}
