//! Power failure at every moment for an operator of a (4,3) ceremony: before and after each write,
//! sync, erasure, reading back, staging and writing of outputs. Each time all operators resume, and
//! the transcript is that of the ceremony without a crash, except for the fresh entropy of an
//! operator that had sent nothing yet.

use quorate::simulation::campaign::play;
use quorate::simulation::disk::Power;
use quorate::simulation::plan::Plan;
use quorate::simulation::verdict::Ending;

const SHAPE: usize = 1;

fn calm() -> Plan {
    let mut plan = Plan::calm(11, SHAPE, 1);
    plan.calm_from = 20_000;
    plan
}

#[test]
fn a_crash_at_every_moment_of_every_operator() {
    let reference = play(calm());
    assert_eq!(reference.ending, Ending::Finished);
    let expected = reference.transcript.unwrap();
    let (mut moments, mut anew) = (0, 0);
    for seat in 0..4 {
        assert!(reference.moments[seat] > 60, "every write has at least three moments");
        for moment in 0..reference.moments[seat] {
            let mut plan = calm();
            plan.fates[seat].power = Power::CutAt(moment);
            let played = play(plan);
            assert_eq!(
                (played.ending, &played.violations),
                (Ending::Finished, &vec![]),
                "operator {seat}, moment {moment}"
            );
            assert_eq!(played.crashes, 1, "operator {seat}, moment {moment}");
            if played.transcript != Some(expected) {
                anew += 1;
                // Before its hello is durable an operator has said nothing, and begins anew.
                assert!(moment < 2, "operator {seat}, moment {moment}: another transcript");
            }
            moments += 1;
        }
    }
    assert!(moments > 300 && anew <= 8, "{moments} moments, {anew} begun anew");
}

#[test]
fn a_full_disk_at_every_write_of_every_operator() {
    let expected = play(calm()).transcript.unwrap();
    for seat in 0..4 {
        let mut write = 0;
        loop {
            let mut plan = calm();
            plan.fates[seat].full_at = Some(write);
            let played = play(plan);
            assert_eq!(
                (played.ending, &played.violations),
                (Ending::Finished, &vec![]),
                "operator {seat}, write {write}"
            );
            if played.full == 0 {
                break;
            }
            assert!(
                write == 0 || played.transcript == Some(expected),
                "operator {seat}, write {write}: another transcript"
            );
            write += 1;
        }
        assert!(write > 20, "{write} writes");
    }
}
