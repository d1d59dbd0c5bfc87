//! Altered logs.

use std::path::PathBuf;

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::script::open_or_create;
use super::simulated::{STATE, SimDisk};
use super::{CONTEXT, ceremony_on, plain, record, storage};
use crate::store::log_format::RECORDS;
use crate::store::seal::decrypt;
use crate::store::{LONGEST_BODY, Log, StoreError};
use quorate::primitives::hash::{Tag, tagged};
use quorate::primitives::secret::Secret32;

const START: usize = RECORDS as usize;
/// What a record takes besides its body.
const AROUND: usize = 4 + 24 + 2 + 16;

fn path() -> PathBuf {
    PathBuf::from(STATE).join("ceremonies/0707070707070707/log.sealed")
}

/// Three appends: bodies of 10, 10 and 20, 10 bytes. Also the file before the last append.
fn three() -> (SimDisk, Vec<u8>) {
    let disk = SimDisk::new();
    let (mut log, _) = open_or_create(&disk).unwrap();
    log.append(&[record(1, &[1; 10])]).unwrap();
    log.append(&[record(2, &[2; 10]), record(3, &[3; 20])]).unwrap();
    let before = disk.get(&path());
    log.append(&[record(4, &[4; 10])]).unwrap();
    (disk, before)
}

fn open(disk: &SimDisk) -> Result<Vec<(u8, Vec<u8>)>, StoreError> {
    open_or_create(disk).map(|(_, records)| plain(&records))
}

/// Where the records are.
fn spans() -> [std::ops::Range<usize>; 4] {
    let mut at = START;
    [10, 10, 20, 10].map(|body| {
        let start = at;
        at += AROUND + body;
        start..at
    })
}

fn is_damaged(told: &Result<Vec<(u8, Vec<u8>)>, StoreError>) -> bool {
    matches!(told, Err(StoreError::LogDamaged { .. }))
}

/// Read by hand, from the specification (chapter 09).
#[test]
fn the_bytes_are_as_specified() {
    let (disk, _) = three();
    let file = disk.get(&path());
    let (salt, check) = (&file[5..37], &file[69..101]);
    assert_eq!([&file[..5], &file[37..69]].concat(), [b"QLOG\x01".as_slice(), &CONTEXT].concat());
    let key = tagged(Tag::StorageKey, &[b"log.sealed", storage().expose(), salt, &CONTEXT]);
    assert_eq!(check, tagged(Tag::StorageKey, &[b"log.sealed check", &key.0]).as_bytes());
    let lengths = [4096, 8192].map(|at| u64::from_be_bytes(file[at..at + 8].try_into().unwrap()));
    assert_eq!(lengths, [spans()[2].end as u64, file.len() as u64]);
    for at in [4096, 8192] {
        let tag = tagged(Tag::StorageKey, &[b"log.sealed mark", &key.0, &file[at..at + 8]]);
        assert_eq!(&file[at + 8..at + 40], tag.as_bytes());
    }
    let zeros =
        [101..4096, 4136..8192, 8232..START].map(|span| file[span].iter().all(|byte| *byte == 0));
    assert_eq!(zeros, [true; 3]);
    let expected = [
        (vec![1; 10], [1, 1]),
        (vec![2; 10], [2, 0]),
        (vec![3; 20], [3, 1]),
        (vec![4; 10], [4, 1]),
    ];
    for (number, (span, (body, ending))) in (0_u64..).zip(spans().into_iter().zip(expected)) {
        let record = &file[span];
        assert_eq!(record[..4], u32::try_from(record.len() - 4).unwrap().to_be_bytes());
        let associated = [b"log.sealed\x01".as_slice(), &CONTEXT, &number.to_be_bytes()].concat();
        let mut plain = record[28..record.len() - 16].to_vec();
        let tag = record[record.len() - 16..].try_into().unwrap();
        decrypt(&key.0, record[4..28].try_into().unwrap(), &associated, &mut plain, &tag).unwrap();
        assert_eq!(plain, [body.as_slice(), &ending].concat());
    }
}

/// Nothing that is not a log makes the reader do more than refuse it.
#[test]
fn rubbish_is_refused() {
    let (disk, _) = three();
    let good = disk.get(&path());
    let expected = open(&disk).unwrap();
    let mut random = ChaCha20Rng::from_seed([3; 32]);
    let mut refused = 0;
    for _ in 0..300 {
        let mut bytes = good.clone();
        for _ in 0..=random.next_u32() % 4 {
            let at = random.next_u32() as usize % bytes.len();
            let until = bytes.len().min(at + random.next_u32() as usize % 64);
            random.fill_bytes(&mut bytes[at..until]);
        }
        let kept = if random.next_u32().is_multiple_of(3) {
            random.next_u32() as usize % bytes.len()
        } else {
            bytes.len()
        };
        disk.put(&path(), &bytes[..kept]);
        match open(&disk) {
            Ok(held) => assert_eq!(held, expected[..held.len()]),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn any_changed_byte_is_told_or_does_not_matter() {
    let (disk, _) = three();
    let good = disk.get(&path());
    assert_eq!(good.len(), spans()[3].end);
    let expected = open(&disk).unwrap();
    for at in (0..300).chain(4090..4200).chain(8180..8300).chain(START - 10..good.len()) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        disk.put(&path(), &bytes);
        let told = open(&disk);
        match at {
            0..4 => assert!(is_damaged(&told), "byte {at}"),
            4 => assert!(matches!(told, Err(StoreError::LogVersion { found: 0x41, known: 1, .. }))),
            37..69 => assert!(matches!(told, Err(StoreError::LogForeign { .. })), "byte {at}"),
            5..4096 => assert!(matches!(told, Err(StoreError::LogKey { .. })), "byte {at}"),
            4096..START => assert_eq!(
                told.unwrap(),
                expected,
                "byte {at}: the other mark, and what it marks, is left"
            ),
            _ => assert!(is_damaged(&told), "byte {at}"),
        }
    }
}

#[test]
fn a_cut_end_is_told() {
    let (disk, _) = three();
    let good = disk.get(&path());
    for len in (0..START).step_by(997).chain(START - 1..good.len()) {
        disk.put(&path(), &good[..len]);
        let expected = if len < START {
            "it is shorter than its header"
        } else {
            "records at its end are missing although they were written and synced"
        };
        assert!(
            matches!(open(&disk), Err(StoreError::LogDamaged { why, .. }) if why == expected),
            "{len} bytes"
        );
    }
}

#[test]
fn records_keep_their_places() {
    let (disk, _) = three();
    let good = disk.get(&path());
    let [first, second, third, fourth] = spans().map(|span| good[span].to_vec());
    let expected = open(&disk).unwrap();
    for (records, why) in [
        (vec![&second, &first, &third, &fourth], "exchanged"),
        (vec![&first, &third, &fourth], "one removed from the middle"),
        (vec![&second, &third, &fourth], "the first removed"),
        (vec![&first, &first, &third, &fourth], "one doubled, another removed"),
        (vec![&fourth, &second, &third, &fourth], "replaced"),
    ] {
        let bytes = records
            .into_iter()
            .fold(good[..START].to_vec(), |bytes, record| [bytes, record.clone()].concat());
        disk.put(&path(), &bytes);
        assert!(is_damaged(&open(&disk)), "{why}");
    }
    // A doubled last record does not count, and is cut off.
    disk.put(&path(), &[good.clone(), fourth].concat());
    assert_eq!(open(&disk).unwrap(), expected);
    assert_eq!(disk.get(&path()).len(), good.len());
}

#[test]
fn records_of_another_log_do_not_count() {
    let ((disk, _), (other, _)) = (three(), three());
    let (mine, theirs) = (disk.get(&path()), other.get(&path()));
    disk.put(&path(), &[&mine[..START], &theirs[START..]].concat());
    assert!(is_damaged(&open(&disk)));
    // Nor do its marks.
    disk.put(&path(), &[&mine[..4096], &theirs[4096..START], &mine[START..]].concat());
    assert!(is_damaged(&open(&disk)));
}

#[test]
fn another_key_or_ceremony_is_told() {
    let (disk, _) = three();
    let dir = ceremony_on(&disk).unwrap();
    let other = Secret32::new(&mut [8; 32]);
    assert!(matches!(Log::open(&dir, &other, &CONTEXT), Err(StoreError::LogKey { .. })));
    assert!(matches!(Log::open(&dir, &storage(), &[8; 32]), Err(StoreError::LogForeign { .. })));
    assert!(matches!(Log::create(&dir, &storage(), &CONTEXT), Err(StoreError::Exists { .. })));
    assert_eq!(open(&disk).unwrap().len(), 4);
}

#[test]
fn an_unfinished_append_does_not_count_at_all() {
    let (disk, before) = three();
    let (mut log, _) = open_or_create(&disk).unwrap();
    log.append(&[record(5, &[5; 30]), record(6, &[6; 5])]).unwrap();
    let all = disk.get(&path());
    let expected = &open(&disk).unwrap()[..3];
    // As if the last two appends had not been acknowledged: everything from there on may be
    // missing, or rubbish.
    let unmarked = |len: usize| [&before[..START], &all[START..len]].concat();
    for len in before.len()..all.len() {
        disk.put(&path(), &unmarked(len));
        let held = open(&disk).unwrap();
        assert_eq!(&held[..3], expected);
        assert_eq!(held.len(), if len < spans()[3].end { 3 } else { 4 }, "{len} bytes");
        assert_eq!(
            disk.get(&path()).len(),
            if len < spans()[3].end { before.len() } else { spans()[3].end }
        );
    }
    for length in [0_u32, 1, 41, 42, 0x0400_002a, 0x0400_002b, u32::MAX] {
        let mut bytes = unmarked(all.len());
        bytes[before.len()..][..4].copy_from_slice(&length.to_be_bytes());
        disk.put(&path(), &bytes);
        assert_eq!(open(&disk).unwrap(), expected, "length {length}");
        // What is appended afterwards is not mixed with it.
        let (mut log, _) = open_or_create(&disk).unwrap();
        log.append(&[record(9, b"later")]).unwrap();
        assert_eq!(open(&disk).unwrap()[3..], [(9, b"later".to_vec())]);
    }
}

#[test]
fn what_was_accepted_once_cannot_be_torn_later() {
    let (disk, before) = three();
    let all = disk.get(&path());
    disk.put(&path(), &[&before[..START], &all[START..]].concat());
    assert_eq!(open(&disk).unwrap().len(), 4, "complete, though not marked");
    let mut bytes = disk.get(&path());
    *bytes.last_mut().unwrap() ^= 1;
    disk.put(&path(), &bytes);
    assert!(is_damaged(&open(&disk)));
}

#[test]
fn an_older_copy_of_the_whole_file_cannot_be_noticed() {
    // Said in the module's documentation; here so that it is not forgotten there when it changes.
    let (disk, before) = three();
    disk.put(&path(), &before);
    assert_eq!(open(&disk).unwrap().len(), 3);
}

#[test]
fn reading_changes_nothing() {
    let (disk, _) = three();
    let torn = [disk.get(&path()), vec![1; 100]].concat();
    disk.put(&path(), &torn);
    let dir = ceremony_on(&disk).unwrap();
    assert_eq!(Log::read(dir.view(), &storage(), &CONTEXT).unwrap().len(), 4);
    assert_eq!(disk.get(&path()), torn);
}

#[test]
fn a_reread_sees_the_disk() {
    let (disk, before) = three();
    let (log, _) = open_or_create(&disk).unwrap();
    let bodies = log.reread(3).unwrap();
    assert_eq!(bodies.iter().map(|body| body.expose()).collect::<Vec<_>>(), [&[3; 20]]);
    assert!(log.reread(9).unwrap().is_empty());
    let good = disk.get(&path());
    let mut bytes = good.clone();
    bytes[spans()[0].end - 1] ^= 1;
    disk.put(&path(), &bytes);
    assert!(matches!(log.reread(3), Err(StoreError::LogDamaged { .. })));
    disk.put(&path(), &before);
    assert!(matches!(log.reread(3), Err(StoreError::ReadBack { .. })));
    let (other, _) = three();
    disk.put(&path(), &other.get(&path()));
    assert!(
        matches!(log.reread(3), Err(StoreError::ReadBack { .. })),
        "another file, under the same name and key"
    );
    disk.put(&path(), &good);
    assert_eq!(log.reread(3).unwrap().len(), 1);
}

#[test]
fn what_is_erased_cannot_be_read_again() {
    let (disk, _) = three();
    let old = disk.get(&path());
    let (mut log, _) = open_or_create(&disk).unwrap();
    log.compact(|_| true).unwrap();
    assert_eq!(disk.get(&path()), old, "nothing to erase, nothing done");
    log.compact(|kind| kind != 2 && kind != 4).unwrap();
    assert!(log.holds(1) && !log.holds(2) && log.holds(3) && !log.holds(4));
    log.append(&[record(5, b"new")]).unwrap();
    let expected = [(1, vec![1; 10]), (3, vec![3; 20]), (5, b"new".to_vec())];
    assert_eq!(open(&disk).unwrap(), expected);
    // The records are still where they were, but the salt is not.
    let remains = disk.remains();
    let erased: Vec<_> = remains
        .iter()
        .filter(|file| file.len() == old.len() && file[START..] == old[START..])
        .collect();
    assert_eq!(erased.len(), 1);
    assert_eq!(erased[0][..4096], [0; 4096]);
    // And no content was ever on disk as it is.
    assert!(remains.iter().all(|file| {
        !file.windows(10).any(|window| [[1; 10], [2; 10], [3; 10]].iter().any(|it| it == window))
    }));
    log.compact(|_| false).unwrap();
    assert!(log.is_empty());
    assert_eq!(open(&disk).unwrap(), []);
}

#[test]
fn records_are_bounded() {
    let (disk, _) = three();
    let (mut log, _) = open_or_create(&disk).unwrap();
    let long = vec![0; LONGEST_BODY + 1];
    let told = log.append(&[record(1, b"short"), record(1, &long)]);
    assert!(matches!(told, Err(StoreError::TooLong { most, .. }) if most == LONGEST_BODY as u64));
    assert_eq!(log.len(), 4);
    log.append(&[record(1, &long[1..])]).unwrap();
    log.append(&[]).unwrap();
    assert_eq!(open(&disk).unwrap().len(), 5);
}
