//! Power failure before each file operation, with every possible loss of unsynced data: afterwards
//! there is the old state or the new one, acknowledged data is there, and the next run works.

use std::path::Path;
use std::sync::Arc;

use super::script::{held, open_or_create, run, script, states};
use super::simulated::{Content, Names, Plan, STATE, SimDisk, aftermaths};
use super::{artifact, ceremony_on, state_on};
use crate::store::atomic;
use crate::store::{StateDir, StoreError, Written};
use quorate::export::{Artifact, Audience};

/// Runs `act` on new disks, each crashing one effect later, until one crashes only after `act` is
/// done; hands what is left to `check`, with what `act` told. How many crashes within `act` there
/// were.
fn every_crash<T>(
    prepare: impl Fn() -> SimDisk,
    act: impl Fn(&SimDisk) -> T,
    mut check: impl FnMut(&SimDisk, &T),
) -> usize {
    for at in 0.. {
        let disk = prepare();
        disk.plan(Plan::Crash(at));
        let told = act(&disk);
        for aftermath in aftermaths() {
            check(&disk.after(aftermath), &told);
        }
        if disk.effects() <= at {
            return at;
        }
    }
    unreachable!("some run ends without a crash")
}

#[test]
pub(super) fn a_log_keeps_what_it_acknowledged() {
    let states = states();
    let crashes = every_crash(SimDisk::new, run, |left, done| {
        let now = held(left);
        let done = done.unwrap_or(0);
        let possible = &states[done..states.len().min(done + 2)];
        assert!(possible.contains(&now), "after {done} steps");
        // The next run goes on from there.
        let (mut log, _) = open_or_create(left).unwrap();
        let at = done + usize::from(now != possible[0]);
        script()[at..].iter().for_each(|step| step.run(&mut log).unwrap());
        assert_eq!(held(left), states[script().len()]);
        let names: Vec<String> = left.files().into_keys().collect();
        assert_eq!(names.len(), 1, "nothing is left over: {names:?}");
    });
    assert!(crashes > 100, "{crashes} crashes were tried");
}

#[test]
fn opening_a_log_can_crash_too() {
    let states = states();
    let (mut losses, mut opened) = (0, 0);
    every_crash(SimDisk::new, run, |left, done| {
        // For one sort of first loss in each crash, one sort of second loss, all in turn.
        losses += 1;
        if losses % aftermaths().len() != losses / aftermaths().len() % aftermaths().len() {
            return;
        }
        opened += 1;
        let aftermath = aftermaths()[opened * 7 % aftermaths().len()];
        let done = done.unwrap_or(0);
        for at in 0.. {
            let disk = left.after((Content::All, Names::All));
            disk.plan(Plan::Crash(at));
            let first = open_or_create(&disk).map(|(_, records)| super::plain(&records));
            if disk.effects() <= at {
                break;
            }
            let second = held(&disk.after(aftermath));
            assert!(states[done..states.len().min(done + 2)].contains(&second));
            // What an open told is durable, or the open did not succeed.
            if let Ok(first) = first {
                assert_eq!(first, second);
            }
        }
    });
    assert!(opened > 100, "{opened} disks were opened");
}

#[test]
fn what_is_found_written_is_durable() {
    // Killed, run again, and then the power goes.
    for at in 0.. {
        let disk = SimDisk::new();
        disk.plan(Plan::Crash(at));
        let write = || ceremony_on(&disk).and_then(|dir| dir.write_ceremony_file(b"as agreed"));
        let _ = write();
        if disk.effects() <= at {
            break;
        }
        disk.restart();
        write().unwrap();
        for aftermath in aftermaths() {
            assert_eq!(
                disk.after(aftermath).files().into_values().collect::<Vec<_>>(),
                [b"as agreed"]
            );
        }
    }
}

#[test]
fn what_a_new_run_has_seen_is_durable() {
    // The process is killed; the next one opens the log, and acts on it; then the power goes.
    let states = states();
    for at in 0.. {
        let disk = SimDisk::new();
        disk.plan(Plan::Crash(at));
        let done = run(&disk).unwrap_or(0);
        if disk.effects() <= at {
            break;
        }
        disk.restart();
        let seen = held(&disk);
        assert!(states[done..states.len().min(done + 2)].contains(&seen));
        for aftermath in aftermaths() {
            assert_eq!(
                held(&disk.after(aftermath)),
                seen,
                "killed before effect {at}, then {aftermath:?}"
            );
        }
    }
}

#[test]
fn a_log_without_errors_is_durable_at_once() {
    let disk = SimDisk::new();
    assert_eq!(run(&disk), Some(script().len()));
    let left = disk.after((Content::Nothing, Names::Nothing));
    assert_eq!(held(&left), states()[script().len()]);
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let path = Path::new(STATE).join("identity.sealed");
    let content: Vec<u8> = (0..3000u32).map(|at| at as u8).collect();
    let write = |disk: &SimDisk| state_on(disk).write_identity(&content);
    let crashes = every_crash(
        SimDisk::new,
        |disk| {
            StateDir::on(Arc::new(disk.clone()), STATE.into())
                .and_then(|state| state.write_identity(&content))
        },
        |left, told| {
            let found = left.files().get("identity.sealed").cloned();
            assert!(found.is_none() || found.as_ref() == Some(&content));
            assert!(told.is_err() || found.is_some(), "acknowledged means durable");
            match write(left) {
                Ok(()) => assert_eq!(found, None),
                Err(StoreError::Exists { path: there }) => {
                    assert!(there == path && found.is_some())
                }
                Err(other) => panic!("{other}"),
            }
            assert_eq!(
                left.files().into_iter().collect::<Vec<_>>(),
                [("identity.sealed".to_owned(), content.clone())]
            );
        },
    );
    assert!(crashes > 8, "{crashes} crashes were tried");
}

#[test]
fn a_ceremony_file_survives_its_own_repetition() {
    let write = |disk: &SimDisk, bytes: &[u8]| {
        ceremony_on(disk).and_then(|dir| dir.write_ceremony_file(bytes))
    };
    every_crash(
        SimDisk::new,
        |disk| write(disk, b"as agreed"),
        |left, told| {
            let was_there = left.files().values().any(|content| content == b"as agreed");
            assert!(told.is_err() || was_there);
            write(left, b"as agreed").unwrap();
            write(left, b"as agreed").unwrap();
            let later = left.after((Content::Nothing, Names::Nothing));
            assert_eq!(later.files().into_values().collect::<Vec<_>>(), [b"as agreed"]);
        },
    );
}

#[test]
fn a_newer_ceremony_file_takes_the_place_of_the_older_whole() {
    let write = |disk: &SimDisk, bytes: &[u8]| {
        ceremony_on(disk).and_then(|dir| dir.write_ceremony_file(bytes))
    };
    let read = |disk: &SimDisk| ceremony_on(disk).unwrap().view().ceremony_file().unwrap();
    let begun = || {
        let disk = SimDisk::new();
        write(&disk, b"the older").unwrap();
        disk
    };
    every_crash(
        begun,
        |disk| write(disk, b"the newer one"),
        |left, told| {
            let found = read(left).unwrap();
            assert!(found == b"the newer one" || told.is_err() && found == b"the older");
            write(left, b"the newer one").unwrap();
            let later = left.after((Content::Nothing, Names::Nothing));
            assert_eq!(later.files().into_values().collect::<Vec<_>>(), [b"the newer one"]);
        },
    );
}

fn outputs() -> (Vec<Artifact>, Vec<Artifact>) {
    let first = vec![
        artifact("deposit-data.json", Audience::Public, &[1; 900]),
        artifact("validator_keys/keystore-0.json", Audience::Secret, &[2; 700]),
        artifact("validator_keys/keystore-1.json", Audience::Secret, b""),
    ];
    (first, vec![artifact("transcript.quorate", Audience::Public, &[3; 2000])])
}

fn write_out(disk: &SimDisk) -> Result<Written, StoreError> {
    let (first, second) = outputs();
    let mut staging = ceremony_on(disk)?.stage(&first)?;
    staging.add(&second)?;
    staging.write_out()
}

#[test]
pub(super) fn outputs_appear_together_or_not_at_all() {
    together_or_not_at_all(SimDisk::new, 40);
    together_or_not_at_all(SimDisk::whole, 30);
}

fn together_or_not_at_all(disk: fn() -> SimDisk, fewest: usize) {
    let expected: Vec<(String, Vec<u8>)> = vec![
        ("out/public/deposit-data.json".into(), vec![1; 900]),
        ("out/public/transcript.quorate".into(), vec![3; 2000]),
        ("out/secret/validator_keys/keystore-0.json".into(), vec![2; 700]),
        ("out/secret/validator_keys/keystore-1.json".into(), vec![]),
    ];
    let (mut before, mut after) = (0, 0);
    let written = |disk: &SimDisk| -> Vec<(String, Vec<u8>)> {
        let below = |(path, content): (String, Vec<u8>)| {
            let (_, path) = path.split_once("/0707070707070707/")?;
            path.starts_with("out/").then(|| (path.to_owned(), content))
        };
        disk.files().into_iter().filter_map(below).collect()
    };
    let crashes = every_crash(disk, write_out, |left, told| {
        let there = written(left);
        assert!(told.is_err() || !there.is_empty(), "acknowledged means durable");
        if there.is_empty() {
            before += 1;
            assert_eq!(write_out(left).unwrap(), Written::Now);
        } else {
            after += 1;
            assert_eq!(there, expected);
            assert_eq!(write_out(left).unwrap(), Written::Earlier { different: Vec::new() });
        }
        let later = left.after((Content::Nothing, Names::Nothing));
        assert_eq!(written(&later), expected);
        assert_eq!(later.files().len(), expected.len(), "no staging directory is left over");
    });
    assert!(crashes > fewest && before > 0 && after > 0);
}

#[test]
fn evidence_is_written_once() {
    every_crash(
        SimDisk::new,
        |disk| {
            ceremony_on(disk).and_then(|dir| dir.write_evidence("fault", b"two statements", false))
        },
        |left, told| {
            let dir = ceremony_on(left).unwrap();
            assert!(told.is_err() || dir.view().evidence().unwrap().len() == 1);
            let path = dir.write_evidence("fault", b"two statements", false).unwrap();
            assert_eq!(dir.view().evidence().unwrap(), std::slice::from_ref(&path));
            assert!(atomic::holds(&*dir.view().disk, &path, b"two statements").unwrap());
        },
    );
}
