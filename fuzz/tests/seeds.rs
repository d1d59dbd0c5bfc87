//! Checks that the committed seeds are what the generator makes (run `cargo run --example seeds`
//! when a format changes), and that every target has some and is told of.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

/// Made once: it takes seconds.
static ALL: LazyLock<Vec<(&str, String, Vec<u8>)>> = LazyLock::new(quorate_fuzz::seeds::all);

fn seed(target: &str, name: &str) -> &'static [u8] {
    &ALL.iter().find(|seed| seed.0 == target && seed.1 == name).unwrap().2
}

#[test]
fn seeds_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut expected = BTreeSet::new();
    for (target, name, bytes) in &*ALL {
        let path = root.join(target).join(name);
        assert!(
            std::fs::read(&path).ok().as_ref() == Some(bytes),
            "{} is not what the generator makes",
            path.display()
        );
        expected.insert(path);
    }
    let files = std::fs::read_dir(&root)
        .unwrap()
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    assert_eq!(files.map(|file| file.unwrap().path()).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_log_of_the_seeds_is_a_log() {
    let bytes = seed("log", "two-appends");
    std::fs::write(quorate_fuzz::HOME.view.path().join("log.sealed"), bytes).unwrap();
    let (storage, context) = (quorate_fuzz::secret("storage"), quorate_fuzz::CEREMONY.digest());
    let view = &quorate_fuzz::HOME.view;
    let records = quorate_operator::store::Log::read(view, &storage, context.as_bytes()).unwrap();
    assert_eq!(records.len(), quorate_fuzz::RECORDS.len());
}

#[test]
fn every_target_is_built_has_seeds_and_is_told_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(root.join("fuzz_targets")).unwrap();
    let name = |path: std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let targets: BTreeSet<String> = files.map(|file| name(file.unwrap().path())).collect();
    let manifest = include_str!("../Cargo.toml").lines();
    let built = manifest.filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"));
    let built: Vec<&str> = built.map(|rest| rest.strip_suffix(".rs\"").unwrap()).collect();
    assert_eq!(built.len(), targets.len());
    assert_eq!(built.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), targets);
    let seeded = ALL.iter().map(|seed| seed.0.to_owned());
    assert_eq!(seeded.collect::<BTreeSet<_>>(), targets);
    let rows = include_str!("../README.md").lines().filter(|line| line.starts_with("| `"));
    let told: Vec<String> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split(','))
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect();
    assert_eq!(told.len(), targets.len(), "each once");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), targets);
}

#[test]
fn seeds_of_what_is_signed_or_linked_are_sound() {
    use quorate::audit::{audit_all, expectation::Expectations};
    use quorate::ethereum::{network::Network, preregistration::Draft};
    use quorate::primitives::hash::{Digest, sha256};
    use quorate::primitives::secret::SecretBytes;
    let hoodi = Network::known("hoodi").unwrap();
    let file = seed("preregistrations", "one");
    let read =
        quorate::export::launchpad::verify_preregistrations(file, &hoodi, Draft::NEWEST).unwrap();
    assert_eq!(read, [quorate_fuzz::preregistration()]);
    let together = |name| {
        let files = seed("family", name);
        let report = audit_all(&quorate_fuzz::several(files), &Expectations::default());
        report.map(|report| report.is_clean())
    };
    assert_eq!(together("reshare"), Ok(true));
    assert!(together("unrelated").is_err_and(|error| error.broken.is_none() && !error.common));
    let note = |name| {
        let note = seed("note", name);
        [note, &sha256(&[note])].concat()
    };
    assert!(quorate::protocol::child::Child::decode(&note("child")).is_some());
    let rejected = quorate_operator::carrier::board::Rejected::decode(&note("rejected"));
    assert_eq!(rejected.len(), 2);
    let (notes, zeros) = (&*quorate_fuzz::NOTES, "restored/0000000000000000");
    notes.write("backup.note", &note("backup"));
    notes.write(zeros, &note("restored"));
    notes.write(&format!("{zeros}.asked"), &note("asked"));
    assert!(notes.state.backup_note().unwrap().is_some());
    assert!(notes.state.restored(&Digest::ZERO).unwrap().is_some());
    assert!(notes.state.asked(&Digest::ZERO).unwrap().is_some());
    for name in ["password", "token", "seed", "creds"] {
        let file = SecretBytes::new(seed("credentials", name).to_vec());
        assert!(quorate_operator::carrier::board::Credentials::parse(&file).is_ok(), "{name}");
    }
}
