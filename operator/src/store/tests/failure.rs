//! Each file operation fails once, or the disk is full from there on: the caller gets an error,
//! nothing is half-written, and a retry works.

use super::script::{held, open_or_create, script, states};
use super::simulated::{Content, Names, Plan, SimDisk, aftermaths};
use super::{artifact, ceremony_on, record, state_on};
use crate::store::{Log, StoreError, Written};
use quorate::export::Audience;

/// Runs the script, trying each failed step again: on the same log while it allows that, else on a
/// log opened anew.
fn run_stubbornly(disk: &SimDisk, mut each_error: impl FnMut(&StoreError)) {
    let mut open = || {
        // A plan fails once; more than a few errors in a row would be another fault.
        for _ in 0..3 {
            match open_or_create(disk) {
                Ok(open) => return open.0,
                Err(error) => each_error(&error),
            }
        }
        panic!("the log does not open again");
    };
    let mut log: Log = open();
    for (at, step) in script().iter().enumerate() {
        while let Err(error) = step.run(&mut log) {
            if matches!(error, StoreError::LogStopped { .. }) {
                log = open();
                if super::plain(
                    &Log::read(
                        ceremony_on(disk).unwrap().view(),
                        &super::storage(),
                        &super::CONTEXT,
                    )
                    .unwrap(),
                ) == states()[at + 1]
                {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_log_takes_the_same_append_again() {
    let mut failures = 0;
    for at in 0.. {
        let disk = SimDisk::new();
        disk.plan(Plan::Fail(at));
        run_stubbornly(&disk, |_| {});
        if disk.effects() <= at {
            break;
        }
        failures += 1;
        // Also after a power failure right away.
        for left in [
            disk.after((Content::Nothing, Names::Nothing)),
            disk.after((Content::All, Names::All)),
            disk,
        ] {
            assert_eq!(held(&left), states()[script().len()], "failure of effect {at}");
            assert_eq!(
                left.files().len(),
                1,
                "failure of effect {at} leaves {:?}",
                left.files().keys()
            );
        }
    }
    assert!(failures > 100, "{failures} failures were tried");
}

#[test]
fn a_failed_append_is_gone() {
    let mut failures = 0;
    for at in 0.. {
        let disk = SimDisk::new();
        let (mut log, _) = open_or_create(&disk).unwrap();
        log.append(&[record(1, &[1; 100])]).unwrap();
        let before = vec![(1, vec![1; 100])];
        disk.plan(Plan::Fail(at));
        let told = log.append(&[record(2, &[2; 100]), record(3, &[3; 100])]);
        if disk.effects() <= at {
            break;
        }
        disk.plan(Plan::Fine);
        let (Err(_), Ok(())) = (told, log.append(&[])) else { continue };
        failures += 1;
        assert_eq!(log.reread(1).unwrap().len(), 1);
        for aftermath in aftermaths() {
            assert_eq!(held(&disk.after(aftermath)), before, "failure of effect {at}");
        }
        // Something else in its place, as long as its first record: the second one does not come
        // back.
        log.append(&[record(4, &[4; 100])]).unwrap();
        for aftermath in aftermaths() {
            assert_eq!(
                held(&disk.after(aftermath)),
                [before.clone(), vec![(4, vec![4; 100])]].concat()
            );
        }
    }
    assert_eq!(failures, 3, "two writes and a sync");
}

#[test]
pub(super) fn a_full_disk_loses_nothing() {
    let mut full = 0;
    for at in 0.. {
        let disk = SimDisk::new();
        disk.plan(Plan::Full(at));
        let mut done = None;
        if let Ok((mut log, _)) = open_or_create(&disk) {
            done = Some(0);
            for step in script() {
                match step.run(&mut log) {
                    Ok(()) => done = done.map(|done| done + 1),
                    Err(error) => {
                        assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
                        // Still full, still as before, still in use.
                        assert!(matches!(step.run(&mut log), Err(StoreError::DiskFull { .. })));
                        assert_eq!(log.len(), states()[done.unwrap()].len());
                        break;
                    }
                }
            }
        }
        if done == Some(script().len()) {
            break;
        }
        full += 1;
        let path_of_log = |name: &String| name.ends_with("log.sealed");
        assert!(
            disk.files().keys().all(path_of_log),
            "nothing is left over: {:?}",
            disk.files().keys()
        );
        // Opening needs no space; going on needs some.
        if let Some(done) = done {
            assert_eq!(held(&disk), states()[done]);
        }
        disk.plan(Plan::Fine);
        let (mut log, _) = open_or_create(&disk).unwrap();
        script()[done.unwrap_or(0)..].iter().for_each(|step| step.run(&mut log).unwrap());
        assert_eq!(held(&disk.after((Content::Nothing, Names::Nothing))), states()[script().len()]);
    }
    assert!(full > 10, "{full} moments were tried");
}

#[test]
fn a_file_that_fails_leaves_nothing() {
    for at in 0.. {
        let disk = SimDisk::new();
        let state = state_on(&disk);
        disk.plan(Plan::Fail(at));
        let told = state.write_identity(b"sealed");
        if disk.effects() <= at {
            break;
        }
        let there = disk.files().contains_key("identity.sealed");
        match (told, there) {
            // Removing a name that was already removed, or the like.
            (Ok(()), true) => {}
            (Err(StoreError::Io { .. }), _) => {}
            (told, _) => panic!("{told:?}"),
        }
        disk.plan(Plan::Fine);
        assert_eq!(state.write_identity(b"sealed").is_ok(), !there);
        assert_eq!(state.read_identity().unwrap(), b"sealed");
        assert_eq!(disk.files().len(), 1);
    }
}

#[test]
fn outputs_are_staged_and_written_again() {
    staged_and_written_again(SimDisk::new, 40);
    staged_and_written_again(SimDisk::whole, 30);
}

fn staged_and_written_again(disk: fn() -> SimDisk, fewest: usize) {
    let artifacts = [
        artifact("a/b.json", Audience::Public, &[1; 600]),
        artifact("c", Audience::Secret, &[2; 600]),
    ];
    let mut failures = 0;
    for plan in [Plan::Fail, Plan::Full] {
        for at in 0.. {
            let disk = disk();
            disk.plan(plan(at));
            let told = ceremony_on(&disk)
                .and_then(|dir| dir.stage(&artifacts))
                .and_then(super::super::Staging::write_out);
            let untouched = match plan(at) {
                // A full disk stays full, so whatever succeeds did not need it.
                Plan::Full(_) => told.is_ok(),
                _ => disk.effects() <= at,
            };
            if untouched {
                assert!(matches!(told, Ok(Written::Now)));
                break;
            }
            failures += 1;
            disk.plan(Plan::Fine);
            let dir = ceremony_on(&disk).unwrap();
            let was_out = dir.view().is_written().unwrap();
            let expected =
                if was_out { Written::Earlier { different: Vec::new() } } else { Written::Now };
            assert_eq!(dir.stage(&artifacts).unwrap().write_out().unwrap(), expected);
            assert_eq!(disk.after((Content::Nothing, Names::Nothing)).files().len(), 2);
        }
    }
    assert!(failures > fewest, "{failures} failures were tried");
}

/// Every effect of `act` in turn is the one that `plan` is about, and says nothing. How often `act`
/// found out.
fn every_lie(
    plan: impl Fn(usize) -> Plan,
    prepare: impl Fn() -> SimDisk,
    act: impl Fn(&SimDisk) -> Result<(), StoreError>,
    check: impl Fn(&SimDisk),
) -> usize {
    let mut told = 0;
    for at in 0.. {
        let disk = prepare();
        disk.plan(plan(at));
        match act(&disk) {
            Ok(()) if disk.effects() <= at => return told,
            // Another effect than the planned one, or one of no consequence.
            Ok(()) => {}
            Err(
                StoreError::ReadBack { .. }
                | StoreError::LogDamaged { .. }
                | StoreError::LogKey { .. },
            ) => told += 1,
            // What was never written is not there to be read.
            Err(StoreError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::UnexpectedEof =>
            {
                told += 1
            }
            Err(other) => panic!("{other}"),
        }
        disk.plan(Plan::Fine);
        check(&disk);
    }
    unreachable!("some run has no such effect")
}

fn filled() -> SimDisk {
    let disk = SimDisk::new();
    let (mut log, _) = open_or_create(&disk).unwrap();
    script()[..2].iter().for_each(|step| step.run(&mut log).unwrap());
    disk
}

/// How many of the lies in writing outputs are found out.
fn found_out_in_outputs(plan: impl Fn(usize) -> Plan, disk: fn() -> SimDisk) -> usize {
    let artifacts =
        [artifact("a", Audience::Public, &[1; 600]), artifact("b", Audience::Secret, &[2; 600])];
    every_lie(
        &plan,
        disk,
        |disk| ceremony_on(disk)?.stage(&artifacts)?.write_out().map(drop),
        |disk| {
            assert!(
                disk.files().values().all(|content| *content == [1; 600] || *content == [2; 600])
            )
        },
    )
}

/// How many of the lies in writing an identity, outputs, an append that is read back, and a
/// compaction, are found out. None does harm.
fn found_out(plan: impl Fn(usize) -> Plan) -> [usize; 4] {
    [
        every_lie(
            &plan,
            SimDisk::new,
            |disk| state_on(disk).write_identity(b"sealed"),
            |disk| assert!(disk.files().values().all(|content| content == b"sealed")),
        ),
        found_out_in_outputs(&plan, SimDisk::new),
        every_lie(
            &plan,
            filled,
            |disk| {
                let (mut log, _) = open_or_create(disk)?;
                script()[3].run(&mut log)?;
                log.reread(4).map(drop)
            },
            |_| {},
        ),
        every_lie(
            &plan,
            filled,
            |disk| script()[2].run(&mut open_or_create(disk)?.0),
            |disk| assert!(states()[2..4].contains(&held(disk))),
        ),
    ]
}

#[test]
pub(super) fn a_disk_that_writes_something_else_is_found_out() {
    // A file; two files; three records and a mark; a header, two records and a mark.
    assert_eq!(found_out(Plan::Flip), [1, 2, 4, 4]);
    assert_eq!(found_out_in_outputs(Plan::Flip, SimDisk::whole), 2);
}

#[test]
pub(super) fn a_disk_that_does_not_sync_is_found_out() {
    assert_eq!(found_out(Plan::Lie), [1, 2, 1, 1]);
    assert_eq!(found_out_in_outputs(Plan::Lie, SimDisk::whole), 1, "both files at once");
}
