//! Notes that an operator keeps for itself, after somebody has changed them: what is read comes out
//! again, and no more of it than is there. The target makes the digest behind them itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::primitives::hash::{Digest, sha256};
use quorate::protocol::child::Child;
use quorate_fuzz::NOTES;
use quorate_operator::carrier::board::Rejected;

fuzz_target!(|bytes: &[u8]| {
    let note = [bytes, &sha256(&[bytes])].concat();
    if let Some(child) = Child::decode(&note) {
        assert_eq!(child.encode(), note);
    }
    let rejected = Rejected::decode(&note);
    if !rejected.is_empty() {
        // Marks are a set: in order, and each once.
        assert!(rejected.encode().len() <= note.len());
        assert_eq!(Rejected::decode(&rejected.encode()), rejected);
    }
    let zeros = "restored/0000000000000000";
    let state = &NOTES.state;
    // Files only where something may be read.
    match bytes.get(..4) {
        Some(b"QBNO") => {
            NOTES.write("backup.note", &note);
            if let Ok(Some(backups)) = state.backup_note() {
                assert!(8 * backups.ceremonies.len() < note.len());
            }
        }
        Some(b"QRST") => {
            NOTES.write(zeros, &note);
            if let Ok(Some(restored)) = state.restored(&Digest::ZERO) {
                assert!(bytes.ends_with(restored.ceremony.as_bytes()));
            }
        }
        Some(b"QRAS") => {
            NOTES.write(&format!("{zeros}.asked"), &note);
            if let Ok(Some(asked)) = state.asked(&Digest::ZERO) {
                assert!(asked.ask.len() + asked.answers.concat().len() < note.len());
            }
        }
        _ => {}
    }
});
