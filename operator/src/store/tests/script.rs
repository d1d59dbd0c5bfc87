//! A sequence of operations on a log, and what it must contain after each step.

use super::simulated::SimDisk;
use super::{CONTEXT, ceremony_on, plain, record, storage};
use crate::store::{Log, Record, StoreError};

/// A step.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Append(Vec<(u8, Vec<u8>)>),
    /// Records of these kinds are erased.
    Erase(Vec<u8>),
}

pub(super) type Held = Vec<(u8, Vec<u8>)>;

impl Step {
    pub(super) fn run(&self, log: &mut Log) -> Result<(), StoreError> {
        match self {
            Self::Append(records) => {
                let records: Vec<Record> =
                    records.iter().map(|(kind, body)| record(*kind, body)).collect();
                log.append(&records)
            }
            Self::Erase(kinds) => log.compact(|kind| !kinds.contains(&kind)),
        }
    }

    fn model(&self, mut held: Held) -> Held {
        match self {
            Self::Append(records) => held.extend(records.iter().cloned()),
            Self::Erase(kinds) => held.retain(|(kind, _)| !kinds.contains(kind)),
        }
        held
    }
}

/// Like a ceremony: secrets come, statements come, secrets go. Bodies from nothing to several
/// sectors.
pub(super) fn script() -> Vec<Step> {
    let body = |len: usize, byte: u8| vec![byte; len];
    vec![
        Step::Append(vec![(1, body(32, 1)), (2, body(700, 2))]),
        Step::Append(vec![(4, body(5000, 3))]),
        Step::Erase(vec![1]),
        Step::Append(vec![(3, Vec::new()), (4, body(1, 4)), (5, body(1500, 5))]),
        Step::Append(vec![(4, body(300, 6))]),
        Step::Erase(vec![2, 5]),
        Step::Append(vec![(7, body(2500, 7)), (4, body(40, 8))]),
    ]
}

/// What the log holds after no, one, two, ... steps.
pub(super) fn states() -> Vec<Held> {
    let mut states = vec![Held::new()];
    for step in script() {
        states.push(step.model(states.last().unwrap().clone()));
    }
    states
}

/// Creates a log and runs the script until something fails. How many steps succeeded, if the log
/// could be created.
pub(super) fn run(disk: &SimDisk) -> Option<usize> {
    let (mut log, _) = open_or_create(disk).ok()?;
    Some(script().iter().take_while(|step| step.run(&mut log).is_ok()).count())
}

pub(super) fn open_or_create(disk: &SimDisk) -> Result<(Log, Vec<Record>), StoreError> {
    Log::open_or_create(&ceremony_on(disk)?, &storage(), &CONTEXT)
}

/// What the log holds, by opening it as the next run would.
pub(super) fn held(disk: &SimDisk) -> Held {
    let (log, records) = open_or_create(disk).unwrap();
    let kinds: Vec<u8> = records.iter().map(|record| record.kind).collect();
    assert_eq!(log.len(), kinds.len());
    // What is read past the system's memory is the same. Kind 0 is never written.
    let kind = *kinds.last().unwrap_or(&0);
    let reread: Vec<Vec<u8>> =
        log.reread(kind).unwrap().iter().map(|body| body.expose().to_vec()).collect();
    let expected = records
        .iter()
        .filter(|record| record.kind == kind)
        .map(|record| record.body.expose().to_vec());
    assert_eq!(reread, expected.collect::<Vec<_>>());
    assert!((0..10).all(|kind| log.holds(kind) == kinds.contains(&kind)));
    plain(&records)
}
