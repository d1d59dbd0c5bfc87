//! Full disks: from the start, with a little more space each time, or from some moment on. Then
//! space is freed, and the same command is run again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Place, Size, scratch};
use crate::kills::Play;
use crate::{Chance, inside, seed, setting, with_others};

const SIZE: Size = Size { n: 3, t: 2, v: 1 };
/// The small file system, KiB.
const DISK: usize = 1024;
/// More than a ceremony of [`SIZE`] takes, KiB.
const ENOUGH: usize = 400;

#[test]
fn a_full_disk_loses_nothing_once_there_is_space() {
    let _with = with_others();
    let seed = seed("full disks");
    inside("-Urm", "mount -t tmpfs -o size=64k tmpfs /mnt", "disk::in_a_namespace", seed);
}

/// Fills what is left, but for `kib`.
fn fill(disk: &Path, kib: usize) {
    let spare = disk.join("spare");
    fs::write(&spare, vec![1; kib << 10]).unwrap();
    let mut ballast = File::create(disk.join("ballast")).unwrap();
    // Until the disk is full.
    while ballast.write_all(&[1; 4096]).is_ok() {}
    fs::remove_file(spare).unwrap();
}

#[test]
#[ignore = "not a test: runs in namespaces of its own"]
fn in_a_namespace() {
    if setting("QUORATE_SOAK_INSIDE").is_none() {
        return;
    }
    let seed = seed("full disks, inside");
    let count =
        usize::try_from(setting("QUORATE_SOAK_CEREMONIES").map_or(4, |count| (count / 20).max(8)))
            .unwrap();
    let (begun, mut failures, mut untouched) = (Instant::now(), 0, 0);
    for number in 0..count {
        let mut chance = Chance::new(seed, u64::try_from(number).unwrap());
        let root = scratch();
        let disk = root.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={DISK}k"), "tmpfs"])
            .arg(&disk)
            .status();
        assert!(mounted.unwrap().success());
        let places = (0..SIZE.n).map(|_| Place::loopback()).collect();
        let victim = number % SIZE.n;
        let cluster = Cluster::new(
            root.path(),
            SIZE,
            &mut chance,
            places,
            &BTreeMap::from([(victim, disk.join("state"))]),
        );
        // Every other time the disk fills while the ceremony runs.
        let later = number % 2 == 1;
        let free = if later { 0 } else { number * ENOUGH / count };
        let mut due = later.then(|| Instant::now() + chance.millis(1500));
        if !later {
            fill(&disk, free);
        }
        let mut full = 0;
        let mut play = Play::new(&cluster, &mut chance).excusing(|i, ended| {
            let expected = i == victim && ended.code == 1 && ended.stderr.contains("no space left");
            expected.then(|| {
                full += 1;
                assert_eq!(full, 1, "there was space: {}", ended.stderr);
                fs::remove_file(disk.join("ballast")).unwrap();
                Duration::from_millis(100)
            })
        });
        let played = loop {
            match play.step() {
                Ok(false) => {}
                other => break other,
            }
            if due.is_some_and(|due| Instant::now() >= due) {
                due = None;
                fill(&disk, 0);
            }
        };
        drop(play);
        if let Err(why) = played.map(drop).and_then(|()| cluster.check()) {
            panic!("ceremony {number}, {free} KiB free: {why}; {}", cluster.said());
        }
        failures += full;
        untouched += 1 - full;
        assert!(Command::new("umount").arg(&disk).status().unwrap().success());
    }
    eprintln!(
        "full disks: {count} ceremonies, {failures} stopped by a full disk and completed later, \
         {untouched} not stopped, {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    assert!(failures > 0, "no disk was ever full");
}
