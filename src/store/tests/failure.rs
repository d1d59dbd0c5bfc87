//! Each effect fails once, or the disk is full from there on: the caller is told, nothing is half-written, and trying again works.

use super::script::{held, open_or_create, script, states};
use super::simulated::{Content, Names, Plan, SimDisk};
use super::{artifact, ceremony_on, state_on};
use crate::export::Audience;
use crate::store::{Log, Published, StoreError};

/// Runs the script, trying each failed step again: on the same log while it allows that, else on a log opened anew.
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
                if super::plain(&Log::read(ceremony_on(disk).unwrap().view(), &super::storage(), &super::CONTEXT).unwrap())
                    == states()[at + 1]
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
        for left in [disk.after((Content::Nothing, Names::Nothing)), disk.after((Content::All, Names::All)), disk] {
            assert_eq!(held(&left), states()[script().len()], "failure of effect {at}");
            assert_eq!(left.files().len(), 1, "failure of effect {at} leaves {:?}", left.files().keys());
        }
    }
    assert!(failures > 100, "{failures} failures were tried");
}

#[test]
fn a_full_disk_loses_nothing() {
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
        assert!(disk.files().keys().all(path_of_log), "nothing is left over: {:?}", disk.files().keys());
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
fn outputs_are_staged_and_published_again() {
    let artifacts = [artifact("a/b.json", Audience::Public, &[1; 600]), artifact("c", Audience::Secret, &[2; 600])];
    let mut failures = 0;
    for plan in [Plan::Fail, Plan::Full] {
        for at in 0.. {
            let disk = SimDisk::new();
            disk.plan(plan(at));
            let told = ceremony_on(&disk).and_then(|dir| dir.stage(&artifacts)).and_then(super::super::Staging::publish);
            let untouched = match plan(at) {
                // A full disk stays full, so whatever succeeds did not need it.
                Plan::Full(_) => told.is_ok(),
                _ => disk.effects() <= at,
            };
            if untouched {
                assert!(matches!(told, Ok(Published::Now)));
                break;
            }
            failures += 1;
            disk.plan(Plan::Fine);
            let dir = ceremony_on(&disk).unwrap();
            let was_out = dir.view().is_published().unwrap();
            let expected = if was_out { Published::Earlier { different: Vec::new() } } else { Published::Now };
            assert_eq!(dir.stage(&artifacts).unwrap().publish().unwrap(), expected);
            assert_eq!(disk.after((Content::Nothing, Names::Nothing)).files().len(), 2);
        }
    }
    assert!(failures > 40, "{failures} failures were tried");
}
