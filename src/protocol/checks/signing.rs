//! The checks of what operators sign with their shares, and of certificate 2: V14 to V16.

use std::borrow::Borrow;

use rayon::prelude::*;

use crate::message::body::{Commit, Final, Publishes};
use crate::message::envelope::Statement;
use crate::primitives::batch::{
    SameKeys, SameMessage, Signers, Weights, verify_signature, verify_signatures,
};
use crate::primitives::curve::G2;
use crate::primitives::hash::Digest;
use crate::primitives::lagrange;
use crate::protocol::evidence::{Fault, Rule};
use crate::protocol::items::Messages;
use crate::protocol::outcome::Sums;
use crate::protocol::ssv::first_unproven;
use crate::spec::ceremony::Ceremony;

use super::decode::{Commits, Signed};
use super::{
    CommitsFollowPrepares, OutputsAgreed, PartialsVerified, SharesEncrypted, SignaturesVerified,
    views_agree, weights_over,
};

/// V14, first half: every commit was signed over certificate 1.
pub fn commits_follow_prepares(
    prepares: &[Statement],
    commits: &[Signed<Commit>],
) -> Result<CommitsFollowPrepares, Box<Fault>> {
    views_agree(
        prepares,
        commits.iter().map(|commit| (&commit.statement, commit.body.view.as_slice())),
    )?;
    Ok(CommitsFollowPrepares(()))
}

/// Each validator's messages, with keys that those of all operators follow from.
fn groups<'a>(sums: &Sums, messages: &'a Messages) -> Vec<(usize, SameKeys<'a>)> {
    let group = |(v, messages)| {
        let keys = sums.span().basis(sums.public_shares(v), sums.public_key(v));
        (v, SameKeys { keys, messages, also: None })
    };
    messages.by_validator().map(group).collect()
}

/// Whose signatures `commits` are.
fn signers<'a>(sums: &'a Sums, commits: &Commits) -> Signers<'a> {
    assert_eq!(commits.keys, *sums.digest(), "weights over these keys");
    let own = |commit: &Signed<Commit>| Some(sums.span().signer(sums.place(commit.sender())?));
    Signers {
        weighed: commits.signed.iter().filter_map(own).collect(),
        also: sums.span().combined(),
    }
}

/// V16: every partial signature in `commits` verifies under its operator's public share.
pub fn partials_verified(
    sums: &Sums,
    messages: &Messages,
    commits: &Commits,
) -> Result<PartialsVerified, Box<Fault>> {
    let groups: Vec<SameKeys<'_>> =
        groups(sums, messages).into_iter().map(|(_, group)| group).collect();
    match commits.weighing.verify(&groups, &signers(sums, commits)) {
        true => Ok(PartialsVerified(())),
        false => Err(first_bad_partial(sums, messages, commits)),
    }
}

/// The partial signatures operator by operator, and the first that is wrong one by one, to name a
/// culprit. An operator that signs one wrong costs the others as little as can be: only its own are
/// looked at singly.
fn first_bad_partial(sums: &Sums, messages: &Messages, commits: &Commits) -> Box<Fault> {
    for commit in &commits.signed {
        let Some(place) = sums.place(commit.sender()) else { continue };
        let share = |v: usize| sums.public_shares(v)[place];
        let one = |((v, _), (message, partial)): (&(usize, [u8; 32]), (&G2, &G2))| SameMessage {
            message: *message,
            signed: vec![(share(*v), *partial)],
        };
        let all: Vec<SameMessage> = messages
            .roots
            .iter()
            .zip(messages.points.iter().zip(&commit.body.partials))
            .map(one)
            .collect();
        if verify_signatures(&all, &mut weights_over(sums.digest(), &[commit])) {
            continue;
        }
        let wrong = |one: &SameMessage| {
            one.signed
                .iter()
                .any(|(share, partial)| !verify_signature(share, &one.message, partial))
        };
        let item = match all.len() {
            // The simulation's memory is each thread's own.
            0..64 => all.iter().position(wrong),
            _ => all.par_iter().position_first(wrong),
        };
        if let Some(item) = item {
            return Fault::new(
                Rule::Partial { operator: commit.sender(), item },
                [&commit.statement],
            );
        }
    }
    // A batch of valid signatures verifies unless a weighted sum is infinity, probability 2^-128.
    Fault::new(Rule::Degenerate, [])
}

/// V15 and V16 in one product: every partial signature verifies under its operator's public share,
/// and every combined one under its validator's key, for the message recomputed from the spec.
/// `None` if one does not, without looking for it.
pub fn verified_together(
    sums: &Sums,
    messages: &Messages,
    commits: &Commits,
    signatures: &[G2],
) -> Option<(PartialsVerified, SignaturesVerified)> {
    let mut rest = signatures;
    let mut groups = groups(sums, messages);
    for (_, group) in &mut groups {
        group.also =
            Some(rest.split_off(..group.messages.len()).expect("a signature for each message"));
    }
    let groups: Vec<SameKeys<'_>> = groups.into_iter().map(|(_, group)| group).collect();
    commits
        .weighing
        .verify(&groups, &signers(sums, commits))
        .then_some((PartialsVerified(()), SignaturesVerified(())))
}

/// V15 and V16: together, or if that fails each by itself.
pub fn all_verified(
    sums: &Sums,
    messages: &Messages,
    commits: &Commits,
    signatures: &[G2],
) -> Result<(PartialsVerified, SignaturesVerified), Box<Fault>> {
    if let Some(both) = verified_together(sums, messages, commits, signatures) {
        return Ok(both);
    }
    let partials = partials_verified(sums, messages, commits)?;
    Ok((partials, signatures_verified(sums, messages, signatures)?))
}

/// For SSV: the proof of every encrypted share in these statements verifies under its operator's
/// RSA key; there are none but in statements of the round that publishes them. Whether it holds the
/// share, only its owner can see.
pub fn shares_encrypted<B: Publishes + Sync>(
    ceremony: &Ceremony,
    sums: &Sums,
    published: &[Signed<B>],
) -> Result<SharesEncrypted, Box<Fault>> {
    match first_unproven(ceremony, sums, published) {
        None => Ok(SharesEncrypted(())),
        Some((at, validator)) => Err(Fault::new(
            Rule::EncryptedShare { operator: published[at].sender(), validator },
            [&published[at].statement],
        )),
    }
}

/// Combines the partial signatures of the `t` lowest receivers, item by item.
pub fn combine<C: Borrow<Signed<Commit>>>(
    ceremony: &Ceremony,
    commits: &[C],
) -> Result<Vec<G2>, Box<Fault>> {
    let receivers = ceremony.parts().receivers;
    let points: Vec<u64> =
        ceremony.receivers().map(|(_, seat)| seat.point).take(ceremony.t()).collect();
    let commits = commits.iter().map(Borrow::borrow);
    let commits = commits.filter(|commit: &&Signed<Commit>| receivers.contains(commit.sender()));
    let partials: Vec<&[G2]> =
        commits.take(points.len()).map(|commit| commit.body.partials.as_slice()).collect();
    lagrange::combine_all(&points, &partials).ok_or_else(|| Fault::new(Rule::Degenerate, []))
}

/// V15: every combined signature verifies under its validator's key, for the message recomputed
/// from the spec.
pub fn signatures_verified(
    sums: &Sums,
    messages: &Messages,
    signatures: &[G2],
) -> Result<SignaturesVerified, Box<Fault>> {
    let batch: Vec<SameMessage> = messages
        .roots
        .iter()
        .zip(&messages.points)
        .zip(signatures)
        .map(|(((v, _), message), signature)| SameMessage {
            message: *message,
            signed: vec![(sums.public_key(*v), *signature)],
        })
        .collect();
    let bytes: Vec<[u8; 96]> = signatures.iter().map(G2::to_compressed).collect();
    let parts: Vec<&[u8]> = core::iter::once(sums.digest().as_ref())
        .chain(bytes.iter().map(<[u8; 96]>::as_slice))
        .collect();
    match verify_signatures(&batch, &mut Weights::new(&parts)) {
        true => Ok(SignaturesVerified(())),
        false => Err(Fault::new(Rule::Degenerate, [])),
    }
}

/// V14, second half: certificate 2. Every operator signed the output digest `expected`, which
/// follows from the commits ([`crate::protocol::items::outputs_digest`]).
pub fn outputs_agreed(
    expected: &Digest,
    commits: &[Statement],
    finals: &[Signed<Final>],
) -> Result<OutputsAgreed, Box<Fault>> {
    views_agree(commits, finals.iter().map(|last| (&last.statement, last.body.view.as_slice())))?;
    match finals.iter().find(|last| last.body.outputs != *expected) {
        None => Ok(OutputsAgreed(())),
        Some(bad) => Err(Fault::new(Rule::Outputs { operator: bad.sender() }, [&bad.statement])),
    }
}
