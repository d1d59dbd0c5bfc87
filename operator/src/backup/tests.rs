//! Every field of a backup is bounded, and there is one form of it.
#![allow(clippy::unwrap_used)]

use chacha20::ChaCha20Rng;
use quorate::identity::OperatorName;
use quorate::primitives::secret::Secret32;
use rand_core::SeedableRng as _;

use super::*;
use crate::store::{SEAL_OVERHEAD, open_with_passphrase};

const CEREMONY: &[u8] = include_bytes!("../../../ceremony-specs/examples/hoodi-3-of-4.toml");
const OTHER: &[u8] =
    include_bytes!("../../../ceremony-specs/examples/gnosis-partial-deposits.toml");

fn record(kind: RecordKind, body: &[u8]) -> Record {
    Record { kind: kind as u8, body: SecretBytes::new(body.to_vec()) }
}

fn kept(file: &[u8], end: End) -> Kept {
    Kept {
        ceremony: Arc::new(parse_ceremony(file).unwrap()),
        file: file.to_vec(),
        end,
        history: vec![b"one".to_vec(), b"two".to_vec()],
        records: vec![record(RecordKind::Statement, b"said"), record(RecordKind::Shares, b"")],
    }
}

fn backup() -> Backup {
    let name = OperatorName::parse_new("alice").unwrap();
    let mut ceremonies = vec![kept(CEREMONY, End::Finished), kept(OTHER, End::Abandoned)];
    ceremonies.sort_by_key(|kept| kept.ceremony.digest());
    let child = |reshare| Child {
        parent: Digest([1; 32]),
        reshare: Digest([reshare; 32]),
        validators: vec![[7; 48]],
    };
    Backup {
        made: 1_796_000_000,
        operator: Arc::new(Operator::generate(name, Secret32::copied(&[7; 32]))),
        ceremonies,
        ledgers: vec![([1; 8], b"a".to_vec()), ([2; 8], b"b".to_vec())],
        children: vec![child(2), child(3)],
        node_key: Some(SecretBytes::new(b"key".to_vec())),
        signing: Some(b"exits = \"never\"\n".to_vec()),
        left_out: vec![[1; 8], [2; 8]],
        restored: Vec::new(),
    }
}

fn bytes(backup: &Backup) -> Vec<u8> {
    backup.encode().unwrap().expose().to_vec()
}

fn parse(bytes: &[u8]) -> Result<Vec<u8>, BackupError> {
    Backup::parse(&SecretBytes::new(bytes.to_vec())).map(|backup| self::bytes(&backup))
}

#[test]
fn what_is_read_is_what_was_written() {
    let all = backup();
    assert_eq!(parse(&bytes(&all)), Ok(bytes(&all)));
    let least = Backup {
        ceremonies: Vec::new(),
        ledgers: Vec::new(),
        children: Vec::new(),
        node_key: None,
        signing: None,
        left_out: Vec::new(),
        ..backup()
    };
    let operator = least.operator.to_secret_bytes();
    let front = [&b"QBAK\x00\x01\x00\x00\x00\x00\x6b\x0c\xc9\x00"[..], &[0, 0, 0, 109]].concat();
    // By hand: no ceremonies, ledgers or children, two empty blocks, nothing left out.
    let end = [0; 2 + 2 + 2 + 4 + 4 + 2];
    assert_eq!(bytes(&least), [&front[..], operator.expose(), &end].concat());
    assert_eq!(parse(&bytes(&least)), Ok(bytes(&least)));
}

/// A directory that came out of a backup says so in its own ones, and of what.
fn from_a_backup() -> Backup {
    let mut backup = backup();
    let note = |made, ceremony| Restored { made, ceremony };
    let finished = backup.ceremonies.iter().find(|kept| kept.end == End::Finished).unwrap();
    let digest = finished.ceremony.digest();
    backup.restored = vec![note(1_790_000_000, Digest::ZERO), note(1_780_000_000, digest)];
    backup
}

#[test]
fn the_oldest_date_counts() {
    let all = from_a_backup();
    let bytes = bytes(&all);
    assert_eq!(bytes[..6], *b"QBAK\x00\x02");
    let read = Backup::parse(&SecretBytes::new(bytes.clone())).unwrap();
    assert_eq!((self::bytes(&read), &read.restored), (bytes.clone(), &all.restored));
    let (directory, ceremony) = (Digest::ZERO, all.restored[1].ceremony);
    assert_eq!(read.known_until(&directory), 1_790_000_000);
    assert_eq!(read.known_until(&ceremony), 1_780_000_000);
    // A clock that was behind then, or a ceremony that came to its end since.
    assert_eq!(read.known_until(&Digest([9; 32])), 1_796_000_000);
    assert_eq!(Backup { made: 1, ..read }.known_until(&ceremony), 1);
    for len in 0..bytes.len() {
        assert!(parse(&bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn notes_of_older_backups_are_of_what_is_there() {
    let changed = |change: fn(&mut Backup)| {
        let mut backup = from_a_backup();
        change(&mut backup);
        parse(&bytes(&backup))
    };
    let order = Err(BackupError::Order("notes of older backups"));
    assert_eq!(changed(|b| b.restored.reverse()), order);
    assert_eq!(changed(|b| b.restored[1] = b.restored[0]), order);
    let abandoned = |b: &mut Backup| {
        let other = b.ceremonies.iter().find(|kept| kept.end == End::Abandoned).unwrap();
        b.restored[1].ceremony = other.ceremony.digest();
    };
    assert_eq!(changed(abandoned), Err(BackupError::Note));
    assert_eq!(changed(|b| b.restored[1].ceremony = Digest([9; 32])), Err(BackupError::Note));
    let whole = bytes(&from_a_backup());
    let last = whole.len() - 1;
    let mut damaged = whole.clone();
    damaged[last] ^= 1;
    assert_eq!(parse(&damaged), Err(BackupError::Note));
    // Without any, it is the first version.
    let mut none = bytes(&backup());
    none[5] = 2;
    none.extend([0, 0]);
    assert_eq!(parse(&none), Err(BackupError::NoNotes));
}

#[test]
fn cut_or_longer_is_refused_wherever_it_is_cut() {
    let whole = bytes(&backup());
    for len in 0..whole.len() {
        assert!(parse(&whole[..len]).is_err(), "{len}");
    }
    let longer = [&whole[..], b"\0"].concat();
    assert_eq!(parse(&longer), Err(DecodeError::Trailing { extra: 1 }.into()));
}

#[test]
fn each_rule_is_kept() {
    assert_eq!(parse(b"QBAJ"), Err(BackupError::Magic));
    assert_eq!(parse(b"QBAK\x00\x03"), Err(BackupError::Version(3)));
    let order = |what| Err(BackupError::Order(what));
    type Change = fn(&mut Backup);
    let changes: [(Change, Result<Vec<u8>, BackupError>); 12] = [
        (|b| b.ceremonies.reverse(), order("ceremonies")),
        (
            |b| {
                let again = kept(CEREMONY, End::Finished);
                b.ceremonies = vec![kept(CEREMONY, End::Finished), again];
            },
            order("ceremonies"),
        ),
        (|b| b.ledgers.reverse(), order("logs of signatures")),
        (|b| b.ledgers[1].0 = [1; 8], order("logs of signatures")),
        (|b| b.children.reverse(), order("notes of reshares")),
        (|b| b.children[1] = b.children[0].clone(), order("notes of reshares")),
        (|b| b.left_out.reverse(), order("ceremonies that are left out")),
        (|b| b.left_out = vec![[1; 8]; 2], order("ceremonies that are left out")),
        (|b| b.ceremonies[0].history.reverse(), order("transcripts")),
        (|b| b.ceremonies[0].history[1] = b"one".to_vec(), order("transcripts")),
        (
            |b| b.ceremonies[0].records = vec![record(RecordKind::Seed, &[0; 32])],
            Err(DecodeError::Invalid {
                what: "kind of record",
                why: "not one that a backup holds",
            }
            .into()),
        ),
        (
            |b| b.signing = Some(vec![b' '; LONGEST_SIGNING + 1]),
            Err(DecodeError::Invalid { what: "signing.toml", why: "longer than allowed" }.into()),
        ),
    ];
    for (at, (change, expected)) in changes.into_iter().enumerate() {
        let mut changed = backup();
        change(&mut changed);
        assert_eq!(parse(&bytes(&changed)), expected, "{at}");
    }
    let mut both = backup();
    let name = both.ceremonies[0].name();
    both.left_out = vec![name];
    assert_eq!(parse(&bytes(&both)), Err(BackupError::LeftOut(name)));
}

/// Places in the bytes that are found by what stands there.
#[test]
fn each_part_is_what_it_is_said_to_be() {
    let all = backup();
    let whole = bytes(&all);
    let find = |what: &[u8]| whole.windows(what.len()).position(|part| part == what).unwrap();
    let with = |at: usize, value: u8| {
        let mut changed = whole.clone();
        changed[at] = value;
        parse(&changed)
    };
    let first = all.ceremonies[0].ceremony.digest();
    let at = find(first.as_bytes());
    let mut other = first;
    other.0[31] ^= 1;
    assert_eq!(with(at + 31, other.0[31]), Err(BackupError::Ceremony(other)));
    let why = "neither finished nor abandoned";
    let end = Err(DecodeError::Invalid { what: "end", why }.into());
    assert_eq!(with(at + 32, 0), end);
    assert_eq!(with(at + 32, 3), end);
    assert_eq!(with(find(b"QSID"), b'q'), Err(OperatorError::Magic.into()));
    // The last one, so that they are still in order.
    let last = whole.windows(4).rposition(|part| part == b"QCHD").unwrap();
    assert_eq!(with(last, b'q'), Err(BackupError::Child));
    // A file that says another thing, though it is of the same length.
    assert_eq!(with(find(b"name = \"") + 8, b'J'), Err(BackupError::Ceremony(first)));
}

/// Written by another program, from the specification alone (`test-vectors/generate/backup.py`).
#[test]
fn as_another_program_has_it() {
    let sealed = include_bytes!("../../../test-vectors/backup/alice.backup");
    let secret = include_bytes!("../../../test-vectors/backup/alice.secret");
    let passphrase = SecretBytes::new(b"correct horse battery staple".to_vec());
    let opened = open_with_passphrase(sealed, &passphrase, LABEL).unwrap();
    assert!(opened.expose() == secret);
    let backup = Backup::parse(&opened).unwrap();
    assert!(bytes(&backup) == secret);
    assert_eq!((backup.made, backup.operator.name().as_str()), (1_796_000_000, "alice"));
    let [kept] = &backup.ceremonies[..] else { panic!("one ceremony") };
    assert_eq!((kept.end, kept.history.len(), kept.records.len()), (End::Finished, 1, 5));
    let others = (backup.ledgers.len(), backup.children.len(), backup.left_out.len());
    assert_eq!(others, (1, 1, 1));
    assert!(backup.node_key.is_none() && backup.signing.is_some());
}

#[test]
fn sealed_under_its_own_label() {
    let passphrase = SecretBytes::new(b"pass".to_vec());
    let cost = SealCost::new(SealCost::LEAST).unwrap();
    let random = &mut ChaCha20Rng::from_seed([1; 32]);
    let sealed = seal(&backup(), &passphrase, cost, random).unwrap();
    assert_eq!(sealed.len(), bytes(&backup()).len() + SEAL_OVERHEAD);
    let opened = open_with_passphrase(&sealed, &passphrase, "backup").unwrap();
    assert_eq!(opened.expose(), bytes(&backup()));
    assert!(open_with_passphrase(&sealed, &passphrase, "identity.sealed").is_err());
}
