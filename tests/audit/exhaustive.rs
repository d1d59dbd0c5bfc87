//! The exhaustive audit: each of its checks refuses an invalid value that the batch checks are
//! assumed to have passed.

use quorate::audit::audit;
use quorate::audit::exhaustive::check;
use quorate::audit::expectation::Expectations;
use quorate::message::envelope::{ENVELOPE_BYTES, Round};
use quorate::protocol::outcome::ValidatorOutcome;
use quorate::spec::threshold::Index;
use quorate::transcript::container::Container;

use crate::common::TWO_VALIDATORS;
use crate::common::collusion::{Hooks, collude};

/// What is said of a transcript with other bytes, or of other outcomes.
fn said(
    change: impl FnOnce(&Container<'_>, &mut Vec<u8>),
    alter: impl FnOnce(&mut Vec<ValidatorOutcome>),
) -> Result<String, String> {
    let bytes = collude(4, 3, TWO_VALIDATORS, Hooks::default()).transcript();
    let report = audit(&bytes, &Expectations::default());
    let audited = report.audited().unwrap();
    let (mut changed, mut validators) = (bytes.clone(), audited.validators().to_vec());
    change(&Container::parse(&bytes).unwrap(), &mut changed);
    alter(&mut validators);
    check(&Container::parse(&changed).unwrap(), audited.session(), audited.dkg(), &validators)
}

/// Where a statement's body begins.
fn body(bytes: &[u8], container: &Container<'_>, round: Round, sender: u16) -> usize {
    let statement = container.statement(round, Index::new(sender).unwrap()).unwrap();
    bytes.windows(statement.len()).position(|window| window == statement).unwrap() + ENVELOPE_BYTES
}

#[test]
fn each_equation_is_looked_at() {
    let found = said(|_, _| (), |_| ()).unwrap();
    assert_eq!(
        found,
        "28 points, 4 proofs of possession, 14 sums, 4 possession proofs, 16 partial and 4 \
         combined signatures"
    );
    let says = |result: Result<String, String>, words: &str| {
        let told = result.unwrap_err();
        assert!(told.starts_with(words) && told.contains("do not use these keys"), "{told}");
    };
    let changed = |round, sender, at: usize| {
        let change = move |container: &Container<'_>, bytes: &mut Vec<u8>| {
            let at = body(bytes, container, round, sender) + at;
            bytes[at] ^= 1;
        };
        said(change, |_| ())
    };
    // View, salt, box digests, R; then z; then commitments.
    let z = 32 * 4 + 32 + 32 * 3 + 96;
    says(changed(Round::Deal, 2, z + 31), "the proof of possession of \"bob");
    says(
        changed(Round::Deal, 3, z + 32 + 95),
        "\"carol\" (operator 3)'s statement of round 2 (deal) does not decode: commitment",
    );
    says(
        changed(Round::Commit, 3, 32 * 4 + 191),
        "\"carol\" (operator 3)'s statement of round 4 (commit) does not decode",
    );
    let exchanged = |round, at: usize, size: usize| {
        let change = move |container: &Container<'_>, bytes: &mut Vec<u8>| {
            let [one, other] = [1, 2].map(|sender| body(bytes, container, round, sender) + at);
            let first = bytes[one..one + size].to_vec();
            bytes.copy_within(other..other + size, one);
            bytes[other..other + size].copy_from_slice(&first);
        };
        said(change, |_| ())
    };
    says(changed(Round::Prepare, 2, 32 * 4), "the root in the prepare of \"bob");
    says(changed(Round::Prepare, 1, 0), "the digest of the key generation does not match the sums");
    says(exchanged(Round::Prepare, 32 * 4 + 32, 96), "the possession proof of \"alice");
    says(
        exchanged(Round::Commit, 32 * 4 + 192, 192),
        "the partial signature of \"alice\" (operator 1) on ",
    );
    let altered = |alter: fn(&mut Vec<ValidatorOutcome>)| said(|_, _| (), alter);
    says(altered(|all| all[1].public_shares.swap(0, 3)), "validator 2: its key and public shares");
    says(
        altered(|all| all[0].public_key = all[1].public_key),
        "validator 1: its key and public shares",
    );
    says(altered(|all| all[1].public_shares.truncate(3)), "validator 2: its key and public shares");
    says(altered(|all| all[1].signatures.swap(0, 1)), "the combined signature on ");
}
