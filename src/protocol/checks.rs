//! All checks of public data. Participants and the auditor call the same functions. Only this file
//! makes receipts, and an [`Outcome`](super::outcome::Outcome) holds one of each: code that skips a
//! check does not compile.

use std::borrow::Borrow;

use rayon::prelude::*;

use crate::message::body::{Commit, Deal, Final, Hello, Prepare, Publishes};
use crate::message::envelope::{Statement, view_root};
use crate::message::shape::Shape;
use crate::primitives::batch::{
    SameKeys, SameMessage, Signers, Weighing, Weights, verify_signature, verify_signatures,
};
use crate::primitives::codec::DecodeError;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{G1, G2};
use crate::primitives::hash::{DST_POSSESSION, DST_REHEARSAL_POSSESSION, Digest, Tag, tagged};
use crate::primitives::lagrange;
use crate::primitives::possession::{self, first_false};
use crate::spec::ceremony::Ceremony;
use crate::spec::parent::ParentShares;
use crate::spec::threshold::Index;

use super::dealt::{added, dealt};
use super::evidence::{Fault, Rule};
use super::findings::{equal_constants, follows_nothing, repetitions, view_faults};
use super::items::Messages;
use super::masks::masks_agree;
use super::outcome::Sums;
use super::ssv::first_unproven;

/// A statement with its decoded body.
#[derive(Clone)]
pub struct Signed<B> {
    /// The statement.
    pub statement: Statement,
    /// Its body.
    pub body: B,
}

impl<B> Signed<B> {
    /// Who signed it.
    pub fn sender(&self) -> Index {
        self.statement.envelope.sender
    }
}

macro_rules! receipts {
    ($($(#[$doc:meta])* $name:ident,)*) =>
        { $($(#[$doc])* #[derive(Debug)] pub struct $name(()); )* };
}

receipts! {
    /// No two hellos share a nonce, a commitment or a one-time key.
    DistinctHellos,
    /// Every deal was signed after, and over, all hellos.
    DealsFollowHellos,
    /// Every deal opens its hello's commitment.
    Opened,
    /// No two polynomials share a constant term.
    DistinctConstants,
    /// Every dealer knew its constant terms.
    KnownConstants,
    /// All operators prepared over the same deals and the same sums: certificate 1 is complete.
    Prepared,
    /// Every seat answered for all its shares.
    SharesProven,
    /// Every commit was signed over certificate 1.
    CommitsFollowPrepares,
    /// Every partial signature verifies under its seat's public share.
    PartialsVerified,
    /// Every combined signature verifies under its validator's key.
    SignaturesVerified,
    /// Every operator has proven its encrypted shares, where the ceremony is for SSV.
    SharesEncrypted,
    /// All operators signed the same outputs: certificate 2 is complete.
    OutputsAgreed,
}

/// A round's bodies, by index; `read` is given each with who signed it.
pub fn decode<B>(
    statements: &[Statement],
    read: impl Fn(&[u8], Index) -> Result<B, DecodeError>,
) -> Result<Vec<Signed<B>>, Box<Fault>> {
    statements.iter().map(|statement| decode_one(statement, &read)).collect()
}

/// One body.
pub(crate) fn decode_one<B>(
    statement: &Statement,
    read: impl FnOnce(&[u8], Index) -> Result<B, DecodeError>,
) -> Result<Signed<B>, Box<Fault>> {
    match read(statement.body(), statement.envelope.sender) {
        Ok(body) => Ok(Signed { statement: statement.clone(), body }),
        Err(error) => Err(malformed(statement, error)),
    }
}

fn bodies(statements: &[Statement]) -> Vec<(Index, &[u8])> {
    statements.iter().map(|statement| (statement.envelope.sender, statement.body())).collect()
}

/// The deals, by index; all their points are tested together, but not those of `own` commitments
/// that the caller has made.
pub fn decode_deals(
    statements: &[Statement],
    shape: &Shape,
    own: Option<&Commitments>,
) -> Result<Vec<Signed<Deal>>, Box<Fault>> {
    decode_each_deal(statements, shape, own).into_iter().collect()
}

/// As [`decode_deals`], with a verdict on each.
pub(crate) fn decode_each_deal(
    statements: &[Statement],
    shape: &Shape,
    own: Option<&Commitments>,
) -> Vec<Result<Signed<Deal>, Box<Fault>>> {
    let bodies = bodies(statements);
    let decoded = Deal::decode_all(&bodies, shape, own).into_iter().zip(statements);
    decoded.map(|(deal, statement)| decode_one(statement, |_, _| deal)).collect()
}

/// Commits whose partial signatures were tested for their subgroup, with weights for their
/// verification.
pub struct Commits {
    /// The commits.
    pub signed: Vec<Signed<Commit>>,
    weighing: Weighing,
    keys: Digest,
}

/// The commits, by index; all their partial signatures are tested together. They can be verified
/// under the keys of `sums` alone: the weights of that follow from those keys too.
pub fn decode_commits(
    statements: &[Statement],
    shape: &Shape,
    sums: Option<&Sums>,
) -> Result<Commits, Box<Fault>> {
    let bodies = bodies(statements);
    let keys = sums.map_or(Digest::ZERO, |sums| *sums.digest());
    match Commit::decode_and_weigh(&bodies, shape, keys) {
        Ok((commits, weighing)) => {
            let signed = statements
                .iter()
                .zip(commits)
                .map(|(statement, body)| Signed { statement: statement.clone(), body });
            Ok(Commits { signed: signed.collect(), weighing, keys })
        }
        Err(misfit) => Err(malformed(&statements[misfit.at], misfit.error)),
    }
}

fn malformed(statement: &Statement, error: DecodeError) -> Box<Fault> {
    let (operator, round) = (statement.envelope.sender, statement.envelope.round);
    Fault::new(Rule::Malformed { operator, round, error }, [statement])
}

/// Decodes hellos. They follow nothing, so their view must be empty.
pub fn decode_hellos(
    statements: &[Statement],
    shape: &Shape,
) -> Result<Vec<Signed<Hello>>, Box<Fault>> {
    let hellos = decode(statements, |bytes, from| Hello::decode(bytes, shape, from))?;
    statements.iter().try_for_each(follows_nothing)?;
    Ok(hellos)
}

/// V5: nonces, commitments and one-time keys are all different.
pub fn distinct_hellos(hellos: &[Signed<Hello>]) -> Result<DistinctHellos, Box<Fault>> {
    let hellos: Vec<&Signed<Hello>> = hellos.iter().collect();
    match repetitions(&hellos).into_iter().next() {
        None => Ok(DistinctHellos(())),
        Some(fault) => Err(Box::new(fault)),
    }
}

/// Whether every statement of a round was computed from exactly the statements `before`, and says
/// so consistently.
fn views_agree<'a>(
    before: &[Statement],
    mut statements: impl Iterator<Item = (&'a Statement, &'a [Digest])>,
) -> Result<(), Box<Fault>> {
    statements.try_for_each(|(statement, view)| {
        match view_faults(before.iter().map(Some), statement, view).into_iter().next() {
            None => Ok(()),
            Some(fault) => Err(Box::new(fault)),
        }
    })
}

/// V6: every deal's view is the set of hellos.
pub fn deals_follow_hellos(
    hellos: &[Statement],
    deals: &[Signed<Deal>],
) -> Result<DealsFollowHellos, Box<Fault>> {
    views_agree(hellos, deals.iter().map(|deal| (&deal.statement, deal.body.view.as_slice())))?;
    Ok(DealsFollowHellos(()))
}

/// `com_i = TH("commit", spec digest, i, nonce, salt, root of the commitments)`.
pub fn hello_commitment(
    ceremony: &Ceremony,
    dealer: Index,
    nonce: &[u8; 32],
    salt: &[u8; 32],
    root: &Digest,
) -> Digest {
    tagged(
        Tag::Commit,
        &[ceremony.digest().as_ref(), &dealer.get().to_be_bytes(), nonce, salt, root.as_ref()],
    )
}

/// V7: every deal opens its hello's commitment.
pub fn opened(
    ceremony: &Ceremony,
    hellos: &[Signed<Hello>],
    deals: &[Signed<Deal>],
) -> Result<Opened, Box<Fault>> {
    if ceremony.is_repair() {
        // Masks follow from the one-time keys in the hellos, which commit to nothing else.
        return Ok(Opened(()));
    }
    let dealers = ceremony.parts().dealers;
    let hellos = hellos.iter().filter(|hello| dealers.contains(hello.sender()));
    for (hello, deal) in hellos.zip(deals) {
        let root = dealt(ceremony, deal).merkle_root();
        let of = |salt| hello_commitment(ceremony, deal.sender(), &hello.body.nonce, salt, &root);
        if deal.body.salt.as_ref().map(of) != hello.body.commitment {
            return Err(Fault::new(
                Rule::Opening { dealer: deal.sender() },
                [&hello.statement, &deal.statement],
            ));
        }
    }
    Ok(Opened(()))
}

/// V9: no constant term occurs twice, within a dealer or across dealers.
pub fn distinct_constants<D: Borrow<Signed<Deal>>>(
    deals: &[D],
) -> Result<DistinctConstants, Box<Fault>> {
    match equal_constants(deals).into_iter().next() {
        None => Ok(DistinctConstants(())),
        Some(fault) => Err(Box::new(fault)),
    }
}

/// V10: every dealer's proof of possession.
pub fn known_constants<D: Borrow<Signed<Deal>>>(
    session: &Digest,
    deals: &[D],
) -> Result<KnownConstants, Box<Fault>> {
    let deals: Vec<&Signed<Deal>> = deals.iter().map(Borrow::borrow).collect();
    let statement = |deal: &Signed<Deal>| possession::Statement {
        session: *session,
        dealer: deal.sender().get(),
        root: deal.body.commitments.merkle_root(),
    };
    // In a reshare the constants are of the parent, and known.
    let deals: Vec<&Signed<Deal>> =
        deals.into_iter().filter(|deal| deal.body.proof.is_some()).collect();
    let proofs = deals.iter().filter_map(|deal| {
        let (constants, proof) = deal.body.constants()?;
        Some((statement(deal), constants, proof))
    });
    match first_false(proofs).map(|at| &deals[at]) {
        None => Ok(KnownConstants(())),
        Some(bad) => {
            Err(Fault::new(Rule::ProofOfPossession { dealer: bad.sender() }, [&bad.statement]))
        }
    }
}

/// V12: certificate 1. Every operator prepared over the same deals, and its root of the sums is
/// theirs.
pub fn prepared(
    deals: &[Statement],
    sums: &Sums,
    prepares: &[Signed<Prepare>],
) -> Result<Prepared, Box<Fault>> {
    views_agree(
        deals,
        prepares.iter().map(|prepare| (&prepare.statement, prepare.body.view.as_slice())),
    )?;
    sums_root(sums, prepares)?;
    Ok(Prepared(()))
}

/// Every root of the sums follows from the deals.
pub(crate) fn sums_root(sums: &Sums, prepares: &[Signed<Prepare>]) -> Result<(), Box<Fault>> {
    let follows = |prepare: &&Signed<Prepare>| {
        prepare.body.stored.as_ref().is_some_and(|stored| stored.sums_root != sums.root())
    };
    match prepares.iter().find(follows) {
        None => Ok(()),
        Some(bad) => Err(Fault::new(Rule::SumsRoot { operator: bad.sender() }, [&bad.statement])),
    }
}

/// The message of seat `j`'s possession proof, as a point. Different for every seat: partial
/// signatures on one message could be interpolated by a dealer of rogue keys.
pub fn possession_message(dkg: &Digest, seat: Index) -> G2 {
    possession_under(DST_POSSESSION, dkg, seat)
}

/// The same in `ceremony`, which may be a rehearsal.
pub(super) fn possession_in(ceremony: &Ceremony, dkg: &Digest, seat: Index) -> G2 {
    match ceremony.is_rehearsal() {
        true => possession_under(DST_REHEARSAL_POSSESSION, dkg, seat),
        false => possession_message(dkg, seat),
    }
}

fn possession_under(dst: &[u8], dkg: &Digest, seat: Index) -> G2 {
    G2::hash(tagged(Tag::Possess, &[dkg.as_ref(), &seat.get().to_be_bytes()]).as_ref(), dst)
}

/// V13: the possession proof in each of `prepares` verifies under its seat's key, which is derived
/// from the sums.
pub fn shares_proven<P: Borrow<Signed<Prepare>>>(
    ceremony: &Ceremony,
    sums: &Sums,
    prepares: &[P],
) -> Result<SharesProven, Box<Fault>> {
    let prepares: Vec<&Signed<Prepare>> = prepares.iter().map(Borrow::borrow).collect();
    let degenerate = || Fault::new(Rule::Degenerate, []);
    let proofs: Vec<(G1, G2, G2, &Signed<Prepare>)> = prepares
        .iter()
        .filter_map(|prepare| Some((prepare.body.stored.as_ref()?.possession, *prepare)))
        .map(|(possession, prepare)| {
            let seat = ceremony.roster().get(prepare.sender()).ok_or_else(degenerate)?;
            let key = sums.confirmation_key(seat.point).ok_or_else(degenerate)?;
            Ok((key, possession_in(ceremony, sums.digest(), prepare.sender()), possession, prepare))
        })
        .collect::<Result<_, Box<Fault>>>()?;
    let batch: Vec<SameMessage> = proofs
        .iter()
        .map(|(key, message, possession, _)| SameMessage {
            message: *message,
            signed: vec![(*key, *possession)],
        })
        .collect();
    if verify_signatures(&batch, &mut weights_over(sums.digest(), &prepares)) {
        return Ok(SharesProven(()));
    }
    let culprit = proofs
        .iter()
        .find(|(key, message, possession, _)| !verify_signature(key, message, possession));
    let (_, _, _, culprit) = culprit.expect("a batch of valid proofs verifies");
    Err(Fault::new(Rule::Possession { operator: culprit.sender() }, [&culprit.statement]))
}

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
/// follows from the commits ([`super::items::outputs_digest`]).
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

/// Adds up the deals: V11.
pub fn add_up<D: Borrow<Signed<Deal>>>(
    ceremony: &Ceremony,
    session: &Digest,
    deals: &[D],
) -> Result<Sums, Box<Fault>> {
    let deals: Vec<&Signed<Deal>> = deals.iter().map(Borrow::borrow).collect();
    let view: Vec<Digest> = deals.iter().map(|deal| deal.statement.digest()).collect();
    let points: Vec<u64> = ceremony.receivers().map(|(_, seat)| seat.point).collect();
    if ceremony.is_repair() {
        masks_agree(ceremony, &deals)?;
    }
    let sums = added(ceremony, &deals).and_then(|sums| {
        let receivers = ceremony.parts().receivers;
        Sums::new(session, &view_root(&view), sums, receivers, &points)
    });
    let sums = sums.ok_or_else(|| Fault::new(Rule::Degenerate, []))?;
    let all = |v| core::iter::once(sums.public_key(v)).chain(sums.public_shares(v).iter().copied());
    // In a reshare no new public share is one of a dealer's old ones, and in a repair the regained
    // one is no helper's; in an import those are keys, which stand there already.
    let old = ceremony.parent_shares().filter(|_| ceremony.has_parent());
    let old = old.into_iter().flat_map(ParentShares::all);
    let mut keys: Vec<[u8; 48]> =
        (0..ceremony.v()).flat_map(all).chain(old).map(|key| key.to_compressed()).collect();
    keys.sort_unstable();
    match keys.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(Fault::new(Rule::Degenerate, [])),
        false => Ok(sums),
    }
}

fn weights_over<B>(dkg: &Digest, statements: &[&Signed<B>]) -> Weights {
    let bodies: Vec<Digest> =
        statements.iter().map(|signed| signed.statement.envelope.body_digest).collect();
    let parts: Vec<&[u8]> =
        core::iter::once(dkg.as_ref()).chain(bodies.iter().map(AsRef::as_ref)).collect();
    Weights::new(&parts)
}
