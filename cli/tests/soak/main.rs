//! Ceremonies of real processes under bad conditions: `kill -9`, full disks, bad networks, floods.
//! `cargo test` runs a short version; the long one:
//!
//! ```text
//! QUORATE_SOAK_CEREMONIES=500 cargo test --release --test soak -- --nocapture
//! ```
//!
//! | variable | what it sets |
//! |---|---|
//! | `QUORATE_SOAK_CEREMONIES` | ceremonies under `kill -9`; a twentieth as many on full disks and on each bad network |
//! | `QUORATE_SOAK_GENERATIONS` | ceremonies for each part and round of reshares, repairs and imports (`--ignored generations`) |
//! | `QUORATE_SOAK_SEED` | where the random numbers start; printed in each run |
//! | `QUORATE_SOAK_JOBS` | ceremonies at a time |
//! | `QUORATE_SOAK_HALF_OPEN` | half-open connections to each operator that listens |
//! | `QUORATE_SOAK_VALIDATORS` | validators in the measurement of frames of `have` |
//! | `QUORATE_SOAK_PROGRAM` | the program under test, if it is not the one just built |
//!
//! What a machine does not allow is skipped, with a line on stderr that begins with `!! SKIPPED`.
#![allow(clippy::unwrap_used, missing_docs)]

mod cluster;
mod disk;
mod generations;
mod kills;
mod member;
mod namespaces;
mod proxy;
mod siege;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use support::running::no_starts;

static MACHINE: RwLock<()> = RwLock::new(());

/// For a test that measures: nothing else runs.
fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// For a test that others do not disturb.
fn with_others() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `test` of this program again inside other namespaces; false, and a line that nobody
/// overlooks, where the machine does not allow it.
fn inside(namespaces: &str, probe: &str, test: &str, seed: u64) -> bool {
    use std::process::Command;
    let allowed = {
        let _start = no_starts();
        Command::new("unshare").args([namespaces, "sh", "-c", probe]).output()
    };
    if !allowed.as_ref().is_ok_and(|output| output.status.success()) {
        let why = allowed.map_or_else(
            |why| why.to_string(),
            |output| String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        );
        eprintln!(
            "!! SKIPPED {test}: this machine does not allow `unshare {namespaces}` with `{probe}`: \
             {why}"
        );
        return false;
    }
    let mut command = Command::new("unshare");
    command.arg(namespaces).arg(std::env::current_exe().unwrap()).args([
        "--exact",
        test,
        "--ignored",
        "--nocapture",
    ]);
    command.env("QUORATE_SOAK_INSIDE", "1").env("QUORATE_SOAK_SEED", seed.to_string());
    let started = {
        let _start = no_starts();
        command.spawn()
    };
    let status = started.unwrap().wait().unwrap();
    assert!(status.success(), "{test}: {status}");
    true
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number")))
}

/// The seed of this run, told, so that it can be run again.
fn seed(what: &str) -> u64 {
    let clock = || {
        std::time::UNIX_EPOCH
            .elapsed()
            .map_or(1, |since| u64::from(since.subsec_nanos()) ^ since.as_secs())
    };
    let seed = setting("QUORATE_SOAK_SEED").unwrap_or_else(clock);
    eprintln!("{what}: QUORATE_SOAK_SEED={seed}");
    seed
}

/// A small generator of numbers that need not be secret (SplitMix64).
#[derive(Clone)]
struct Chance(u64);

impl Chance {
    fn new(seed: u64, stream: u64) -> Self {
        let mut chance = Self(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `end`.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn millis(&mut self, most: u64) -> std::time::Duration {
        std::time::Duration::from_millis(self.next() % (most + 1))
    }

    fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes
            .chunks_exact_mut(8)
            .for_each(|chunk| chunk.copy_from_slice(&self.next().to_be_bytes()));
        bytes
    }
}
