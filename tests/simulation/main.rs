//! Tests of the simulation: it is deterministic, it finds nothing in correct code, and each oracle
//! finds its planted bug.
#![allow(clippy::unwrap_used)]

mod crash_points;
mod hubs;
mod imports;
mod lives;
mod lost;
mod preregistrations;
mod repairs;
mod reshares;
mod witnesses;

use quorate::simulation::adversary::Adversary;
use quorate::simulation::bug::Bug;
use quorate::simulation::campaign::{campaign, play};
use quorate::simulation::disk::Power;
use quorate::simulation::oracle::Oracle;
use quorate::simulation::plan::Plan;
use quorate::simulation::verdict::{Ending, Played};
use quorate::simulation::world::World;

/// (3,2), (4,3): positions among the shapes.
const SMALL: usize = 0;
const MIDDLE: usize = 1;

fn planted(bug: Bug, change: impl FnOnce(&mut Plan)) -> Vec<Oracle> {
    let mut plan = Plan::calm(1, SMALL, 1);
    plan.bug = Some((0, bug));
    change(&mut plan);
    let violations = play(plan).violations;
    violations.into_iter().map(|violation| violation.oracle).collect()
}

fn with(kind: Adversary) -> Played {
    let mut plan = Plan::calm(7, MIDDLE, 2);
    plan.adversaries = vec![(1, kind)];
    play(plan)
}

#[test]
fn sixty_seeds_without_a_violation() {
    let totals = campaign(0, 60, 2, |_| ());
    assert_eq!(totals.violations, []);
    assert_eq!(totals.ceremonies, 60);
    let finished = totals.endings[&Ending::Finished];
    assert!(
        finished > 20 && finished < 55,
        "{finished} of 60 finished: nothing fails, or nothing works"
    );
    assert!(totals.crashes > 10 && totals.full > 5 && totals.subsets > 60, "{totals:?}");
}

/// However little goes at once, and whatever of it a peer has no use for: what proves that an
/// operator said two things reaches everybody.
#[test]
fn little_at_once_keeps_nothing_back() {
    for kind in [Adversary::TwoFacedHello, Adversary::TwoFacedCommit] {
        for seed in 0..4 {
            let mut plan = Plan::calm(seed, MIDDLE, 1);
            plan.adversaries = vec![(1, kind)];
            (plan.pacing.at_once, plan.pacing.answers_at_once) = (600, 1);
            assert_eq!(play(plan).violations, [], "{kind:?} {seed}");
        }
    }
}

/// Courses of events in which an honest operator's log did not replay, or its program refused the
/// answer to its own question.
#[test]
fn logs_replay_whatever_a_fault_has_stopped() {
    // Statements of a session that was known only while a peer was waited for to show own
    // statements; then a fault that is proven in the step that asks for the stored shares.
    for seed in [18_703_870_793_974, 18_703_870_797_084, 18_703_870_803_368] {
        assert_eq!(play(Plan::draw(seed)).violations, [], "seed {seed}");
    }
}

/// Two operators: one signs several FINALs, the other no COMMIT, so that no FINAL can ever be
/// checked. Whoever holds two of one operator proves it to all.
#[test]
fn finals_that_nobody_can_check_still_prove_that_there_are_two() {
    for seed in [79_213_837_626_189, 79_213_837_666_779, 79_213_837_678_997, 79_213_837_715_032] {
        assert_eq!(play(Plan::draw(seed)).violations, [], "seed {seed}");
    }
}

#[test]
fn one_seed_is_one_course_of_events() {
    for seed in [3, 1047, 99_991] {
        let (first, again) = (play(Plan::draw(seed)), play(Plan::draw(seed)));
        assert_eq!(first, again, "seed {seed}");
        assert_ne!(first.trace, play(Plan::draw(seed + 1)).trace);
    }
    // What is remembered is what would have been found again.
    assert_eq!(World::new(Plan::draw(1047)).play(), play(Plan::draw(1047)));
    // Nor does it depend on what runs beside it.
    assert_eq!(campaign(500, 6, 1, |_| ()), campaign(500, 6, 2, |_| ()));
}

#[test]
fn a_calm_ceremony_finishes() {
    for shape in 0..4 {
        let played = play(Plan::calm(5, shape, 1));
        assert_eq!((played.ending, played.violations), (Ending::Finished, vec![]));
    }
}

#[test]
fn every_adversary_gets_its_end() {
    use Adversary::*;
    // What breaks no rule, or is made good by the others, does not keep anybody from finishing; nor
    // does a second statement once everybody has prepared, because then certificates count.
    let finished = [
        PlaysByHand,
        CommitPreregistration,
        DealLate,
        TwoFacedPrepare,
        TwoFacedCommit,
        TwoFacedFinal,
        SignsTwice,
        JunkCommits,
        JunkFinals,
        PreparesAndComplains,
        AbandonsAndGoesOn,
        ReplaysForeign,
        LiesAboutHaving,
        Babbles,
        YieldsBoxes,
    ];
    // Nobody can prove silence.
    let waiting = [
        Silent,
        SilentFromDeal,
        SilentFromPrepare,
        SilentFromCommit,
        SilentFromFinal,
        WithholdsBoxes,
        UnsignedBox,
        SpeaksToSome,
    ];
    let mut others = Vec::new();
    for kind in Adversary::ALL {
        let played = with(*kind);
        assert_eq!(played.violations, [], "{kind:?}");
        let expected = match kind {
            kind if finished.contains(kind) => Ending::Finished,
            kind if waiting.contains(kind) => Ending::Waiting,
            _ => Ending::Stopped,
        };
        others.extend((played.ending != expected).then_some((*kind, played.ending)));
    }
    assert_eq!(others, []);
}

#[test]
fn shares_that_are_not_synced_are_found() {
    assert_eq!(planted(Bug::SkipsSync, |_| ())[0], Oracle::Durability);
}

#[test]
fn shares_that_are_not_read_back_are_found() {
    assert_eq!(planted(Bug::SkipsReread, |_| ()), [Oracle::Durability]);
}

#[test]
fn shares_that_are_erased_are_found() {
    assert_eq!(planted(Bug::ErasesShares, |_| ())[0], Oracle::Retention);
}

#[test]
fn a_log_that_does_not_replay_is_found() {
    // The shares are never written: the step that reads them back fails.
    assert_eq!(planted(Bug::DropsShares, |_| ()), [Oracle::Resumption]);
    // They are written and gone after a crash late in the ceremony.
    let late = |plan: &mut Plan| {
        plan.fates[0].power = Power::CutAt(play(Plan::calm(1, SMALL, 1)).moments[0] - 4);
        plan.calm_from = 1_000;
    };
    assert_eq!(planted(Bug::LosesShares, late), [Oracle::Resumption]);
}

#[test]
fn an_early_partial_signature_is_found() {
    assert_eq!(planted(Bug::SignsEarly, |_| ())[0], Oracle::Release);
}

#[test]
fn early_outputs_are_found() {
    assert_eq!(planted(Bug::WritesEarly, |_| ())[0], Oracle::Writing);
}

#[test]
fn an_abandonment_after_a_final_of_a_key_generation_is_found() {
    // The others of three may finish with it.
    let silent = |plan: &mut Plan| plan.adversaries = vec![(1, Adversary::SilentFromFinal)];
    assert_eq!(planted(Bug::AbandonsAfterFinal, silent), [Oracle::Bound]);
}

#[test]
fn other_outputs_are_found() {
    assert!(planted(Bug::OtherOutputs, |_| ()).contains(&Oracle::Agreement));
}

#[test]
fn an_answer_that_is_dropped_is_found() {
    // Whoever starts late never gets what it lacks.
    let late = |plan: &mut Plan| plan.fates[1].start = 5_000;
    assert_eq!(planted(Bug::DropsAnswers, late), [Oracle::Liveness]);
}

#[test]
fn a_peer_that_leaves_too_early_is_found() {
    let slow = |plan: &mut Plan| {
        plan.weather.latency = (50, 1_500);
        plan.calm_from = 60_000;
    };
    assert_eq!(planted(Bug::LeavesEarly, slow), [Oracle::Parting]);
}

#[test]
fn a_slot_that_the_first_final_takes_is_found() {
    let junk = |plan: &mut Plan| plan.adversaries = vec![(1, Adversary::JunkFinals)];
    assert_eq!(planted(Bug::FirstFinalTakesSlot, junk), [Oracle::Liveness]);
    let mut plan = Plan::calm(1, SMALL, 1);
    junk(&mut plan);
    assert_eq!(play(plan).ending, Ending::Finished);
}

#[test]
fn a_second_statement_is_found() {
    assert_eq!(
        planted(Bug::Equivocates, |plan| (plan.fates[1].start, plan.calm_from) = (5_000, 10_000))
            [0],
        Oracle::Equivocation
    );
}

#[test]
fn a_secret_on_the_wire_is_found() {
    assert_eq!(planted(Bug::LeaksShare, |_| ())[0], Oracle::Secrecy);
}

#[test]
fn blame_of_an_honest_operator_is_found() {
    let framed = |kind| planted(Bug::Framed, |plan| plan.adversaries = vec![(0, kind)])[0];
    assert_eq!(framed(Adversary::DealWrongOpening), Oracle::Blame);
    assert_eq!(framed(Adversary::BadShareAll), Oracle::Blame);
    assert_eq!(framed(Adversary::HelloCopied), Oracle::Blame);
}

#[test]
fn a_wait_for_an_honest_operator_is_found() {
    assert_eq!(planted(Bug::Deaf, |_| ()), [Oracle::Liveness]);
    // A silent operator that is taken for an honest one.
    assert_eq!(
        planted(Bug::Framed, |plan| plan.adversaries = vec![(0, Adversary::Silent)]),
        [Oracle::Liveness]
    );
}

#[test]
fn a_share_that_does_not_sign_is_found() {
    assert_eq!(planted(Bug::SpoilsShare, |_| ()), [Oracle::Certificate]);
}

#[test]
fn evidence_that_shows_a_stranger_nothing_is_found() {
    let cheat = |plan: &mut Plan| plan.adversaries = vec![(1, Adversary::BadShareAll)];
    assert_eq!(planted(Bug::LosesEvidence, cheat)[0], Oracle::Evidence);
}

#[test]
fn a_transcript_that_does_not_pass_is_found() {
    // Of some seeds the transcript is audited.
    assert_eq!(planted(Bug::SpoilsTranscript, |plan| plan.seed = 0), [Oracle::Audit]);
}

#[test]
fn a_panic_is_found() {
    assert_eq!(planted(Bug::Panics, |_| ()), [Oracle::Panic]);
}
