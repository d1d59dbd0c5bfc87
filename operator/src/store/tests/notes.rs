//! Notes about backups: what a damaged one means, and whose word ends a doubt.

use std::fs;

use super::directory::{mode, state};
use crate::store::{Asked, BackupNote, Restored, StoreError};
use quorate::primitives::hash::Digest;

#[test]
fn shares_of_a_backup_are_in_doubt_until_a_person_says_otherwise() {
    let (_home, state) = state();
    let (one, two) = (Digest([1; 32]), Digest([2; 32]));
    assert_eq!((state.unsure(&one).unwrap(), state.restored(&one).unwrap()), (None, None));
    let lock = state.lock().unwrap();
    let note = Restored { made: 1_796_000_000, ceremony: one };
    lock.note_restored(&note).unwrap();
    lock.note_restored(&note).unwrap();
    assert_eq!(state.unsure(&one).unwrap(), Some(note));
    assert_eq!(state.unsure(&two).unwrap(), None, "of another ceremony");
    let folder = state.path().join("restored");
    let path = folder.join("01".repeat(8));
    assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));

    lock.note_newest(&note).unwrap();
    assert_eq!((state.unsure(&one).unwrap(), state.restored(&one).unwrap()), (None, Some(note)));
    // Of another backup, it says nothing.
    let newest = folder.join(format!("{}.newest", "01".repeat(8)));
    let bytes = fs::read(&newest).unwrap();
    fs::remove_file(&newest).unwrap();
    lock.note_newest(&Restored { made: 5, ..note }).unwrap();
    assert_eq!(state.unsure(&one).unwrap(), Some(note));

    // Damage is no word of anybody's, and no doubt that is over.
    for file in [&newest, &path] {
        for at in [0, 5, 6, 13, 14, 45, 46, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(file, damaged).unwrap();
            let read = state.unsure(&one);
            assert!(matches!(read, Err(StoreError::NoteDamaged { .. })), "{at}");
        }
        fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
        assert!(matches!(state.unsure(&one), Err(StoreError::NoteDamaged { .. })));
        fs::write(file, &bytes).unwrap();
    }
    // Nor is the note of another ceremony under this name.
    lock.note_restored(&Restored { made: 5, ceremony: two }).unwrap();
    fs::copy(folder.join("02".repeat(8)), &path).unwrap();
    assert!(matches!(state.unsure(&one), Err(StoreError::NoteDamaged { .. })));
}

#[test]
fn the_note_of_the_newest_backup_gives_way() {
    let (_home, state) = state();
    assert_eq!(state.backup_note().unwrap(), None);
    let lock = state.lock().unwrap();
    let first = BackupNote { made: 1, opened: 2, file: [3; 32], ceremonies: vec![[4; 8], [5; 8]] };
    let second = BackupNote { made: 6, ceremonies: Vec::new(), ..first.clone() };
    for note in [first, second] {
        lock.note_backup(&note).unwrap();
        assert_eq!(state.backup_note().unwrap(), Some(note));
    }
    let path = state.path().join("backup.note");
    assert_eq!(mode(&path), 0o600);
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert_eq!(state.backup_note().unwrap(), None, "{at}");
    }
}

#[test]
fn a_newer_question_takes_the_place_of_an_older_one() {
    let (_home, state) = state();
    let (one, two) = (Digest([1; 32]), Digest([2; 32]));
    let lock = state.lock().unwrap();
    let first = Asked { ask: b"one".to_vec(), answers: vec![b"a".to_vec(), Vec::new()] };
    let second = Asked { ask: b"two".to_vec(), answers: Vec::new() };
    for asked in [first, second] {
        lock.note_asked(&one, &asked).unwrap();
        assert_eq!(state.asked(&one).unwrap(), Some(asked));
        assert_eq!(state.asked(&two).unwrap(), None);
    }
    let path = state.path().join("restored").join(format!("{}.asked", "01".repeat(8)));
    assert_eq!(mode(&path), 0o600);
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        let read = state.asked(&one);
        assert!(matches!(read, Err(StoreError::NoteDamaged { .. })), "{at}");
    }
}

/// Keys that an import deals are in no log: each import is asked for by itself.
#[test]
fn a_restored_directory_is_in_doubt_of_every_import() {
    let (_home, state) = state();
    let (one, two) = (Digest([1; 32]), Digest([2; 32]));
    assert_eq!(state.unsure_beside(&one).unwrap(), None);
    let lock = state.lock().unwrap();
    let directory = Restored { made: 7, ceremony: Digest::ZERO };
    lock.note_restored(&directory).unwrap();
    let unsure = Restored { made: 7, ceremony: one };
    assert_eq!(state.unsure_beside(&one).unwrap(), Some(unsure));
    lock.note_newest(&unsure).unwrap();
    assert_eq!(state.unsure_beside(&one).unwrap(), None);
    assert_eq!(state.unsure_beside(&two).unwrap(), Some(Restored { ceremony: two, ..unsure }));
    assert_eq!(state.unsure(&one).unwrap(), None, "no shares of it came out of the backup");
}
