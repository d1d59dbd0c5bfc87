//! Outputs in real directories: their modes, their names, and that they stay as they are.

use std::fs;

use super::artifact;
use super::directory::{ceremony, mode, state, tree};
use crate::store::{StoreError, Written};
use quorate::export::Audience;

#[test]
fn outputs_have_their_audience_s_modes() {
    let (_home, state) = state();
    let dir = ceremony(&state);
    let mut staging = dir
        .stage(&[
            artifact("keys/k0.json", Audience::Secret, b"0"),
            artifact("d.json", Audience::Public, b"1"),
        ])
        .unwrap();
    staging
        .add(&[
            artifact("keys/k1.json", Audience::Secret, b"2"),
            artifact("sub/t", Audience::Public, b"3"),
        ])
        .unwrap();
    assert!(!dir.view().is_written().unwrap());
    assert_eq!(staging.write_out().unwrap(), Written::Now);
    assert!(dir.view().is_written().unwrap());
    let out = dir.view().out();
    let modes: Vec<(String, u32)> =
        tree(&out).into_iter().map(|name| (name.clone(), mode(&out.join(name)))).collect();
    let expected = [
        ("public", 0o755),
        ("public/d.json", 0o644),
        ("public/sub", 0o755),
        ("public/sub/t", 0o644),
        ("secret", 0o700),
        ("secret/keys", 0o700),
        ("secret/keys/k0.json", 0o600),
        ("secret/keys/k1.json", 0o600),
    ];
    assert_eq!(modes, expected.map(|(name, mode)| (name.to_owned(), mode)));
    assert_eq!(mode(&out), 0o755);
    assert_eq!(fs::read(out.join("secret/keys/k1.json")).unwrap(), b"2");
}

#[test]
fn written_outputs_stay_as_they_are() {
    let (_home, state) = state();
    let dir = ceremony(&state);
    let make = |transcript: &[u8], key: &[u8]| {
        [
            artifact("t", Audience::Public, transcript),
            artifact("d", Audience::Public, b"d"),
            artifact("k", Audience::Secret, key),
        ]
    };
    let write_out = |transcript: &[u8], key: &[u8]| {
        dir.stage(&make(transcript, key)).unwrap().write_out().unwrap()
    };
    assert_eq!(write_out(b"t", b"k"), Written::Now);
    let before = tree(dir.view().path());
    assert_eq!(write_out(b"t", b"salted afresh"), Written::Earlier { different: vec![] });
    assert_eq!(
        write_out(b"rendered otherwise", b"k"),
        Written::Earlier { different: vec!["t".into()] }
    );
    assert_eq!(write_out(b"T", b"k"), Written::Earlier { different: vec!["t".into()] });
    let more = dir.stage(&[artifact("new", Audience::Public, b"")]).unwrap().write_out().unwrap();
    assert_eq!(more, Written::Earlier { different: vec!["new".into()] });
    assert_eq!(tree(dir.view().path()), before);
    assert_eq!(fs::read(dir.view().out().join("public/t")).unwrap(), b"t");
    assert_eq!(fs::read(dir.view().out().join("secret/k")).unwrap(), b"k");
}

#[test]
fn outputs_stay_in_their_directory() {
    let (_home, state) = state();
    let dir = ceremony(&state);
    for name in ["../x", "/tmp/x", "a/../../x", "", ".hidden", "a//b"] {
        let told = dir
            .stage(&[
                artifact("fine", Audience::Public, b""),
                artifact(name, Audience::Public, b""),
            ])
            .err()
            .unwrap();
        assert!(matches!(told, StoreError::BadName { name: of } if of == name));
        assert!(tree(dir.view().path()).is_empty(), "nothing is left of what was staged before");
    }
    let twice = [artifact("a", Audience::Public, b"1"), artifact("a", Audience::Public, b"2")];
    assert!(matches!(dir.stage(&twice), Err(StoreError::Exists { .. })));
    let both = [artifact("a", Audience::Public, b"1"), artifact("a/b", Audience::Public, b"2")];
    assert!(matches!(dir.stage(&both), Err(StoreError::Exists { .. })));
}
