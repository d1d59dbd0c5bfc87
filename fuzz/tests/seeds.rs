//! Checks that the committed seeds are what the generator makes: run `cargo run --example seeds`
//! when a format changes.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn seeds_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut expected = BTreeSet::new();
    for (target, name, bytes) in quorate_fuzz::seeds::all() {
        let path = root.join(target).join(name);
        assert!(
            std::fs::read(&path).ok() == Some(bytes),
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
    let (_, _, bytes) =
        quorate_fuzz::seeds::all().into_iter().find(|seed| seed.0 == "log").unwrap();
    std::fs::write(quorate_fuzz::HOME.view.path().join("log.sealed"), bytes).unwrap();
    let (storage, context) = (quorate_fuzz::secret("storage"), quorate_fuzz::CEREMONY.digest());
    let view = &quorate_fuzz::HOME.view;
    let records = quorate_operator::store::Log::read(view, &storage, context.as_bytes()).unwrap();
    assert_eq!(records.len(), quorate_fuzz::RECORDS.len());
}
