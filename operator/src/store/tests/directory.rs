//! Real directories: modes, owners, links, locks. Modes are checked explicitly, because nothing
//! stops root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::{CONTEXT, plain, record, storage};
use crate::store::{CARD_FILE, CeremonyDir, Log, MARK_FILE, StateDir, StoreError};
use quorate::identity::{Operator, OperatorName};
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::Secret32;

pub(super) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

pub(super) fn state() -> (TempDir, StateDir) {
    let home = tempfile::tempdir().unwrap();
    let state = StateDir::open_or_create(&home.path().join("state")).unwrap();
    (home, state)
}

pub(super) fn ceremony(state: &StateDir) -> CeremonyDir {
    state.lock().unwrap().ceremony(&Digest(CONTEXT)).unwrap()
}

/// All paths below, relative.
pub(super) fn tree(path: &Path) -> Vec<String> {
    fn walk(root: &Path, path: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            out.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            if fs::symlink_metadata(&path).unwrap().is_dir() {
                walk(root, &path, out);
            }
        }
    }
    let mut out = Vec::new();
    walk(path, path, &mut out);
    out.sort();
    out
}

#[test]
fn a_new_state_directory_is_closed() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a/b/state");
    assert!(matches!(StateDir::open(&path), Err(StoreError::Missing { .. })));
    let state = StateDir::open_or_create(&path).unwrap();
    assert_eq!(state.path(), path.canonicalize().unwrap());
    for made in ["a", "a/b", "a/b/state"] {
        assert_eq!(mode(&home.path().join(made)), 0o700, "{made}");
    }
    StateDir::open_or_create(&path).unwrap();
    StateDir::open(&path).unwrap();
    state.try_writing().unwrap();
    assert!(tree(&path).is_empty());
    assert!(state.free_space().unwrap() > 0);
    assert!(state.ceremonies().unwrap().is_empty());
}

#[test]
fn an_open_state_directory_is_refused() {
    let (_home, state) = state();
    for (mode, refused) in
        [(0o755, true), (0o750, true), (0o701, true), (0o720, true), (0o700, false), (0o500, false)]
    {
        chmod(state.path(), mode);
        match StateDir::open_or_create(state.path()) {
            Ok(_) => assert!(!refused, "{mode:o}"),
            Err(StoreError::TooOpen { mode: found, directory: true, .. }) => {
                assert!(refused && found == mode)
            }
            Err(other) => panic!("{other}"),
        }
    }
    chmod(state.path(), 0o755);
    let told = StateDir::open(state.path()).err().unwrap();
    let path = state.path().display();
    assert_eq!(told.to_string(), format!("{path}: other users have access (mode 0755)"));
}

#[test]
fn what_is_not_a_state_directory_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(
        StateDir::open(&file),
        Err(StoreError::NotPlain { expected: "a directory", found: "a regular file", .. })
    ));
    symlink("nowhere", home.path().join("dangling")).unwrap();
    assert!(matches!(
        StateDir::open_or_create(&home.path().join("dangling")),
        Err(StoreError::Missing { .. })
    ));
    // Root may give directories away; all others have the root directory, which is not theirs.
    let foreign = match rustix::process::geteuid().is_root() {
        true => {
            let path = home.path().join("foreign");
            fs::create_dir(&path).unwrap();
            std::os::unix::fs::chown(&path, Some(4321), None).unwrap();
            path
        }
        false => "/".into(),
    };
    assert!(matches!(
        StateDir::open(&foreign),
        Err(StoreError::WrongOwner { owner: 0 | 4321, .. })
    ));
}

#[test]
fn an_identity_is_written_once_and_closed() {
    let (_home, state) = state();
    assert!(!state.has_identity().unwrap());
    assert!(matches!(state.read_identity(), Err(StoreError::Missing { .. })));
    state.write_identity(b"sealed").unwrap();
    let path = state.path().join("identity.sealed");
    assert_eq!(mode(&path), 0o600);
    assert!(matches!(state.write_identity(b"other"), Err(StoreError::Exists { .. })));
    assert_eq!(state.read_identity().unwrap(), b"sealed");
    assert!(state.has_identity().unwrap());
    assert_eq!(tree(state.path()), ["identity.sealed", "lock"]);
    assert_eq!(mode(&state.path().join("lock")), 0o600);
    chmod(&path, 0o640);
    assert!(matches!(
        state.read_identity(),
        Err(StoreError::TooOpen { mode: 0o640, directory: false, .. })
    ));
    chmod(&path, 0o400);
    assert_eq!(state.read_identity().unwrap(), b"sealed");
    fs::remove_file(&path).unwrap();
    fs::write(&path, vec![0; (16 << 10) + 1]).unwrap();
    assert!(matches!(
        state.read_identity(),
        Err(StoreError::TooLong { found: 16385, most: 16384, .. })
    ));
}

#[test]
fn secret_files_are_plain_files() {
    let (home, state) = state();
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, "sealed").unwrap();
    chmod(&elsewhere, 0o600);
    let dir = ceremony(&state);
    let identity = state.path().join("identity.sealed");
    let log = dir.view().path().join("log.sealed");
    let told = |path: &Path| {
        let told = if path == identity {
            state.read_identity().err()
        } else {
            Log::open(&dir, &storage(), &CONTEXT).err()
        };
        match told.unwrap() {
            StoreError::NotPlain { path: of, found, .. } if of == path => found,
            other => panic!("{other}"),
        }
    };
    for path in [&identity, &log] {
        symlink(&elsewhere, path).unwrap();
        assert_eq!(told(path), "a symbolic link");
        fs::remove_file(path).unwrap();
        symlink("nowhere", path).unwrap();
        assert_eq!(told(path), "a symbolic link");
        fs::remove_file(path).unwrap();
        let pipe = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, path, pipe, rustix::fs::Mode::from_raw_mode(0o600), 0)
            .unwrap();
        assert_eq!(told(path), "a device or a pipe");
        fs::remove_file(path).unwrap();
    }
    fs::create_dir(&identity).unwrap();
    assert_eq!(told(&identity), "a directory");
    fs::remove_dir(&identity).unwrap();
    // Nor is anything written through a link.
    drop(dir);
    symlink(&elsewhere, &identity).unwrap();
    assert!(matches!(state.write_identity(b"other"), Err(StoreError::Exists { .. })));
    symlink(home.path().join("created"), &log).unwrap();
    let dir = ceremony(&state);
    assert!(matches!(Log::create(&dir, &storage(), &CONTEXT), Err(StoreError::Exists { .. })));
    drop(dir);
    fs::remove_file(state.path().join("lock")).unwrap();
    symlink(&elsewhere, state.path().join("lock")).unwrap();
    assert!(matches!(state.lock(), Err(StoreError::NotPlain { found: "a symbolic link", .. })));
    assert_eq!(fs::read(&elsewhere).unwrap(), b"sealed");
    assert!(!home.path().join("created").exists());
}

#[test]
fn one_process_at_a_time() {
    let (_home, state) = state();
    let lock = state.lock().unwrap();
    let again = StateDir::open(state.path()).unwrap();
    let told = again.lock().err().unwrap();
    assert!(
        matches!(told, StoreError::Locked { holder: Some(id), .. } if id == std::process::id())
    );
    assert!(
        told.to_string().contains(&format!("another quorate (process {})", std::process::id()))
    );
    assert!(matches!(again.write_identity(b"sealed"), Err(StoreError::Locked { .. })));
    // Deleting the file gives nobody the lock.
    fs::remove_file(state.path().join("lock")).unwrap();
    assert!(matches!(again.lock(), Err(StoreError::Locked { holder: None, .. })));
    // A log keeps the lock, however it was come by.
    let dir = lock.ceremony(&Digest(CONTEXT)).unwrap();
    assert_eq!(lock.state().path(), state.path());
    drop(lock);
    let log = Log::create(&dir, &storage(), &CONTEXT).unwrap();
    drop(dir);
    assert!(matches!(again.lock(), Err(StoreError::Locked { .. })));
    drop(log);
    again.lock().unwrap();
}

#[test]
fn ceremonies_are_listed() {
    let (_home, state) = state();
    assert!(state.find(&Digest(CONTEXT)).unwrap().is_none());
    let dir = ceremony(&state);
    for other in ["ABCDEF0123456789", "0123", "0123456789abcdefg"] {
        fs::create_dir(state.path().join("ceremonies").join(other)).unwrap();
    }
    fs::write(state.path().join("ceremonies/0123456789abcdef"), "").unwrap();
    let listed = state.ceremonies().unwrap();
    assert_eq!(listed.iter().map(|view| view.name()).collect::<Vec<_>>(), ["0707070707070707"]);
    let view = state.find(&Digest(CONTEXT)).unwrap().unwrap();
    assert_eq!(view.path(), dir.view().path());
    assert_eq!((mode(view.path()), mode(&state.path().join("ceremonies"))), (0o700, 0o700));
    assert_eq!(view.ceremony_file().unwrap(), None);
    assert!(
        !view.has_log().unwrap()
            && !view.is_written().unwrap()
            && view.evidence().unwrap().is_empty()
    );

    dir.write_ceremony_file(b"as agreed").unwrap();
    dir.write_ceremony_file(b"as agreed").unwrap();
    // Its addresses are hints, and the newest count.
    for other in [b"as agree".as_slice(), b"as agreed to", b"As agreed", b"as agreed"] {
        dir.write_ceremony_file(other).unwrap();
        assert_eq!(view.ceremony_file().unwrap().unwrap(), other);
    }
    let long = vec![b' '; (4 << 20) + 1];
    assert!(matches!(dir.write_ceremony_file(&long), Err(StoreError::TooLong { .. })));
    let evidence = dir.write_evidence("fault", b"two statements", false).unwrap();
    dir.write_evidence("fault", b"another two", false).unwrap();
    assert_eq!(dir.write_evidence("fault", b"two statements", false).unwrap(), evidence);
    Log::create(&dir, &storage(), &CONTEXT).unwrap();
    assert_eq!(view.ceremony_file().unwrap().unwrap(), b"as agreed");
    assert!(view.has_log().unwrap());
    assert_eq!(view.evidence().unwrap().len(), 2);
}

#[test]
fn what_a_killed_run_left_is_swept() {
    let (_home, state) = state();
    let dir = ceremony(&state);
    let home = dir.view().path().to_owned();
    dir.write_evidence("fault", b"evidence", false).unwrap();
    drop(dir);
    for left in [
        ".new-0123",
        "ceremonies/0707070707070707/.new-4567",
        "ceremonies/0707070707070707/evidence/.new-89ab",
    ] {
        fs::write(state.path().join(left), "half").unwrap();
    }
    // Nor is a run kept from going on by what is not its own.
    fs::create_dir(state.path().join(".new-fedc")).unwrap();
    fs::create_dir_all(home.join("out.staging-0123/secret")).unwrap();
    fs::write(home.join("kept"), "the operator's own").unwrap();
    symlink(&home, home.join("out.staging-0123/secret/link")).unwrap();
    let dir = ceremony(&state);
    assert_eq!(dir.view().evidence().unwrap().len(), 1);
    dir.stage(&[]).unwrap().write_out().unwrap();
    let left = tree(&home);
    assert_eq!(
        left.iter().filter(|path| !path.starts_with("evidence")).collect::<Vec<_>>(),
        ["kept", "out"]
    );
}

#[test]
fn a_log_on_a_real_disk() {
    let (home, state) = state();
    let dir = ceremony(&state);
    let (mut log, records) = Log::open_or_create(&dir, &storage(), &CONTEXT).unwrap();
    assert!(records.is_empty() && log.is_empty());
    let path = dir.view().path().join("log.sealed");
    assert_eq!(mode(&path), 0o600);
    log.reserve(0).unwrap();
    log.reserve(1 << 20).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 3 * 4096);
    assert!(matches!(log.reserve(u64::MAX / 4), Err(StoreError::DiskFull { .. })));
    log.append(&[record(1, b"seed"), record(2, b"keys")]).unwrap();
    log.append(&[record(3, b"statement")]).unwrap();
    // A backup by a hard link is not touched, other than by time.
    let backup = home.path().join("backup");
    fs::hard_link(&path, &backup).unwrap();
    let before = fs::read(&path).unwrap();
    log.compact(|kind| kind != 1).unwrap();
    assert_eq!(fs::read(&backup).unwrap(), before);
    log.append(&[record(4, b"more")]).unwrap();
    assert_eq!(log.reread(2).unwrap()[0].expose(), b"keys");
    assert_eq!(mode(&path), 0o600);
    drop(log);
    let (log, records) = Log::open_or_create(&dir, &storage(), &CONTEXT).unwrap();
    let expected = [(2, b"keys".to_vec()), (3, b"statement".to_vec()), (4, b"more".to_vec())];
    assert_eq!(plain(&records), expected);
    assert_eq!(log.len(), 3);
    let view = state.find(&Digest(CONTEXT)).unwrap().unwrap();
    assert_eq!(plain(&Log::read(&view, &storage(), &CONTEXT).unwrap()), expected);
    assert_eq!(tree(dir.view().path()), ["log.sealed"]);
    drop(log);
    chmod(&path, 0o604);
    assert!(matches!(
        Log::open(&dir, &storage(), &CONTEXT),
        Err(StoreError::TooOpen { mode: 0o604, .. })
    ));
}

/// A kept card needs no passphrase, so it is believed only as far as it can be: its signature
/// verifies, and it has this directory's mark.
#[test]
fn a_card_is_kept_beside_the_keys() {
    let (_home, state) = state();
    let operator = |byte: u8| {
        let entropy = Secret32::new(&mut [byte; 32]);
        Operator::generate(OperatorName::parse("alice").unwrap(), entropy)
    };
    let (alice, other) = (operator(1), operator(2));
    let path = state.path().join(CARD_FILE);
    assert_eq!(state.read_card().unwrap(), None);
    state.ensure_mark(alice.mark().unwrap()).unwrap();
    state.keep_card(&alice.card()).unwrap();
    assert_eq!(state.read_card().unwrap(), Some(alice.card()));
    assert_eq!((mode(&path), fs::read_to_string(&path).unwrap().lines().count()), (0o600, 1));
    assert_eq!(tree(state.path()), [MARK_FILE, "lock", CARD_FILE]);

    // One of another directory, one without a mark, and none at all.
    for card in [other.card().encode(), operator(1).with_mark(None).card().encode(), "x".into()] {
        fs::write(&path, card).unwrap();
        assert_eq!(state.read_card().unwrap(), None);
    }
    // It is made again in its place.
    state.keep_card(&alice.card()).unwrap();
    assert_eq!(state.read_card().unwrap(), Some(alice.card()));
    fs::remove_file(state.path().join(MARK_FILE)).unwrap();
    assert_eq!(state.read_card().unwrap(), None, "the mark was not restored");
    chmod(&path, 0o644);
    assert!(matches!(state.read_card(), Err(StoreError::TooOpen { .. })));
}
