//! Which reshare this operator has committed to.

use std::fs;

use super::directory::{mode, state};
use crate::store::{Child, StoreError};
use quorate::primitives::hash::Digest;

fn child(parent: u8, reshare: u8, validators: &[u8]) -> Child {
    Child {
        parent: Digest([parent; 32]),
        reshare: Digest([reshare; 32]),
        validators: validators.iter().map(|key| [*key; 48]).collect(),
    }
}

#[test]
fn children_are_noted_once_and_for_ever() {
    let (_home, state) = state();
    assert_eq!(state.children().unwrap(), []);
    let (one, two) = (child(1, 2, &[1, 2, 3]), child(1, 3, &[4]));
    let lock = state.lock().unwrap();
    for child in [&one, &two, &one] {
        lock.write_child(child).unwrap();
    }
    assert_eq!(state.children().unwrap(), [one.clone(), two]);
    let folder = state.path().join("children");
    let path = folder.join(format!("{}.child", "02".repeat(16)));
    assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
    // Another note under the same name is no second try.
    let other = Child { validators: vec![[9; 48]], ..one };
    assert!(matches!(lock.write_child(&other), Err(StoreError::Differs { .. })));

    // Every byte counts, and so does the length.
    let bytes = fs::read(&path).unwrap();
    for at in [0, 5, 6, 40, 72, 80, bytes.len() - 40, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert!(matches!(state.children(), Err(StoreError::ChildDamaged { .. })), "{at}");
    }
    for cut in [0, 31, 32, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        assert!(matches!(state.children(), Err(StoreError::ChildDamaged { .. })), "{cut}");
    }
    fs::write(&path, &bytes).unwrap();
    assert_eq!(state.children().unwrap().len(), 2);
}

#[test]
fn reshares_of_one_parent_with_a_common_validator_exclude_each_other() {
    let one = child(1, 2, &[1, 2, 3]);
    assert!(one.excludes(&child(1, 3, &[3, 4])));
    assert!(!one.excludes(&child(1, 3, &[4, 5])), "other validators");
    assert!(!one.excludes(&child(2, 3, &[1])), "another parent: the next generation");
    assert!(!one.excludes(&child(1, 2, &[1])), "itself");
}
